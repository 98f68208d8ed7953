"""What the servers of a suite write, as one text that a person can follow."""

import re

# A line of a server's log: when, how grave, what.
_LOG = re.compile(r"\S+ (?P<level>info|warning|error|critical) (?P<text>.*)")


class Output:
    """Shows what a server logs beneath its id. The warnings of a start are about how the suite is set up, and all servers have the
    same ones: until `up()` they are kept back, and each is shown once then, with the servers it came from. `out` takes a line for
    the standard output, `log` one for the standard error."""

    def __init__(self, out, log):
        self._out = out
        self._log = log
        self._starting = True
        self._warnings = {}  # What is warned of: by which servers.

    def says(self, line):
        """A server's line on its standard output."""
        self._out(line)

    def logs(self, server_id, line):
        """A server's line on its standard error."""
        match = _LOG.fullmatch(line)
        if match and match["level"] == "warning":
            if match["text"] in self._warnings:
                # Also of one that was started again: the suite is still set up that way.
                return self._warn_again(match["text"], server_id)
            if self._starting:
                self._warnings[match["text"]] = [server_id]
                return None
        return self._log(f"{server_id} | {line}")

    def _warn_again(self, text, server_id):
        servers = self._warnings[text]
        if server_id not in servers:
            servers.append(server_id)
            if not self._starting:
                self._log(f"{server_id} | warning {text}")

    def up(self):
        """The suite is up, or could not start: shows the warnings that were kept back."""
        self._starting = False
        for text, servers in self._warnings.items():
            self._log(f"{', '.join(servers)} | warning {text}")
