"""The servers of a servers.json, as the programs read it (services/directory/servers_json.cc), and its changes."""

import dataclasses
import json

KINDS = ("chat", "connector", "gate")  # In the order in which they start.
MAX_ID_BYTES = 64


class Wrong(Exception):
    """The file cannot be used; the text says why."""


@dataclasses.dataclass(frozen=True)
class Server:
    """One line of the file. Two that are equal are served by the same process."""

    kind: str
    id: str
    host: str
    port: int
    client_host: str
    client_port: int


def parse(text, environment):
    """The servers of the environment, in the order of the file, chat servers first. Raises Wrong."""
    try:
        root = json.loads(text)
    except ValueError as error:
        raise Wrong(f"this is no JSON: {error}") from None
    if not isinstance(root, dict):
        raise Wrong("the file must hold one object, with an environment for each key")
    chosen = root.get(environment)
    if not isinstance(chosen, dict):
        raise Wrong(f"the environment '{environment}' is missing or is no object")
    servers = []
    for kind in KINDS:
        entries = chosen.get(kind, [])
        if not isinstance(entries, list):
            raise Wrong(f"{environment}.{kind} must be an array of servers")
        servers += [_server(kind, entry, f"{environment}.{kind}[{i}]") for i, entry in enumerate(entries)]
    _check_unique(servers)
    return servers


def _server(kind, entry, where):
    if not isinstance(entry, dict):
        raise Wrong(f"{where} must be an object")
    server_id = _text(entry, "id", where)
    # Passed on as an argument of the program, whose own checks go further.
    if len(server_id.encode(errors="surrogatepass")) > MAX_ID_BYTES or not server_id.isprintable():
        raise Wrong(f"{where}: id must have at most {MAX_ID_BYTES} bytes and no control characters")
    host = _text(entry, "host", where)
    client_host = _text(entry, "clientHost", where) if "clientHost" in entry else host
    port, client_port = _port(entry, "port", where), _port(entry, "clientPort", where)
    if kind == "chat":
        if port is None:
            raise Wrong(f"{where} has no port")
        client_port = 0
    else:
        if client_port is None:
            raise Wrong(f"{where} has no clientPort")
        if port is None:
            port = client_port + 1000 if client_port else 0
        if port > 65535:
            raise Wrong(f"{where}: clientPort + 1000 is no port; give a port")
    return Server(kind, server_id, host, port, client_host, client_port)


def _text(entry, field, where):
    value = entry.get(field)
    if not isinstance(value, str) or not value:
        raise Wrong(f"{where}: {field} must be a text that is not empty")
    return value


def _port(entry, field, where):
    value = entry.get(field)
    if field not in entry:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise Wrong(f"{where}: {field} must be a number from 0 to 65535")
    return value


def _check_unique(servers):
    ids, addresses = set(), {}
    for server in servers:
        if server.id in ids:
            raise Wrong(f"the id '{server.id}' stands twice; ids are unique in the suite")
        ids.add(server.id)
        for port in filter(None, (server.port, server.client_port)):
            other = addresses.setdefault((server.host, port), server)
            if other is not server or server.port == server.client_port:
                raise Wrong(f"'{other.id}' and '{server.id}' have the same address {server.host}:{port}")


class File:
    """Follows the file. A program that saves the file may leave it empty, half written or missing for a moment, so a change
    counts once two successive looks have found the same contents."""

    def __init__(self, path, environment):
        self.path = path
        self._environment = environment
        self._seen = None  # By the last look: (text, None), or (None, why there is none).
        self._taken = None  # What was answered last.

    def read(self):
        """The servers now. Raises Wrong."""
        self._seen = self._taken = self._look()
        return self._servers()

    def changed(self):
        """The servers, if the file is not as it was when they were answered last; None otherwise. Raises Wrong, once for each
        text that is wrong."""
        before, self._seen = self._seen, self._look()
        if self._seen != before or self._seen == self._taken:
            return None
        self._taken = self._seen
        return self._servers()

    def _look(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                return file.read(), None
        except OSError as error:
            return None, error.strerror
        except ValueError:
            return None, "it is no text in UTF-8"

    def _servers(self):
        text, problem = self._taken
        if problem:
            raise Wrong(problem)
        return parse(text, self._environment)
