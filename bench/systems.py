"""The systems that the bench compares, each with one gate, three connectors and three chat servers on free ports."""

import json
import os
import shutil
import subprocess

from postgres import Postgres
from processes import Processes, free_ports

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "build", "bench")
BIN = os.path.join(ROOT, "build", "release")
# The servers may be another build's, to compare two with one generator.
SERVERS_BIN = os.environ.get("HUBBUB_BIN", BIN)
CONNECTORS = 3
CHATS = 3


def servers_json(connectors, chats, ports):
    """The layout, in the shape that Pomelo's servers.json has and Hubbub's too."""

    def front(server_id):
        return {"id": server_id, "host": "127.0.0.1", "port": ports.pop(), "clientPort": ports.pop(), "frontend": True}

    return {
        "gate": [front("gate-server-1")],
        "connector": [front(f"connector-server-{i + 1}") for i in range(connectors)],
        "chat": [{"id": f"chat-server-{i + 1}", "host": "127.0.0.1", "port": ports.pop()} for i in range(chats)],
    }


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)


class System:
    """What is measured: servers of its own, each in a scheduling group of its own, that start anew for each run."""

    name = None
    # Of the clients: pomelo, socketio or centrifugo.
    protocol = None
    own_groups = True

    def __init__(self):
        self.processes = Processes(os.path.join(OUT, "logs", self.name), self.own_groups)

    def start(self):
        """The ports that clients come to."""
        raise NotImplementedError

    def stop(self):
        self.processes.stop()


class Hubbub(System):
    """With history in memory, as the other systems have it. Pomelo clients, who ask the gate."""

    protocol = "pomelo"
    connectors = CONNECTORS
    chats = CHATS

    name = "hubbub"
    store_flags = ["--history=memory"]
    # A few senders fill the whole suite, each with more than one person may say.
    flags = {"connector": ["--max_requests_per_second=100000", "--max_bytes_per_second=1000000000"],
             "chat": ["--max_room_bytes_per_second=0"]}
    programs = {"chat": "chat/hubbub-chat", "connector": "connector/hubbub-connector", "gate": "gateway/hubbub-gate"}

    def start(self, kinds=("chat", "connector", "gate"), chats=None):
        """The ports that clients come to."""
        chats = chats or self.chats
        self.servers = servers_json(self.connectors, chats, free_ports(2 + 2 * self.connectors + chats))
        config = os.path.join(OUT, "hubbub.json")
        write_json(config, {"development": self.servers})
        for kind in kinds:
            own = self.known(kind, self.flags.get(kind, []) + (self.store() if kind == "chat" else []))
            for server in self.servers[kind]:
                command = [os.path.join(SERVERS_BIN, self.programs[kind]), "--id", server["id"], "--config", config]
                self.processes.start(server["id"], command + ["--log_level", "error", *own])
            for server in self.servers[kind]:
                self.processes.wait(server["id"], lambda text: "ready id=" in text, "ready")
        return self.entries()

    def entries(self):
        return [self.servers["gate"][0]["clientPort"]]

    def known(self, kind, flags):
        """Those of the flags that the program has: an older build is measured without the others."""
        program = os.path.join(SERVERS_BIN, self.programs[kind])
        names = subprocess.run([program, "--helpfull"], capture_output=True, text=True, check=False).stdout
        return [flag for flag in flags if f"{flag.split('=')[0]} (" in names]

    def store(self):
        """The chat servers' flags for a store of their own, which nobody has used."""
        folder = os.path.join(OUT, "store")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return [f"--store=sqlite:{folder}/store.db", *self.store_flags]


class HubbubOfOneEach(Hubbub):
    """One connector and one chat server: what a small installation has."""

    name = "hubbub-1-1-1"
    connectors = 1
    chats = 1


class HubbubInOneGroup(Hubbub):
    """All servers and the generator share one scheduling group: what the suite costs where nothing keeps them apart."""

    name = "hubbub-one-group"

    own_groups = False


class HubbubDurable(Hubbub):
    """Each message is in SQLite, on the disk, before anybody sees it."""

    name = "hubbub-durable"
    store_flags = ["--history=durable"]


class HubbubDurableNormal(Hubbub):
    """The same without waiting for the disk: what was said survives the end of a process, and not a power cut."""

    name = "hubbub-durable-normal"
    store_flags = ["--history=durable", "--store_sync=normal"]


class HubbubPostgres(Hubbub):
    """Each message is in PostgreSQL, on the disk, before anybody sees it. What the database takes is not counted."""

    name = "hubbub-postgres"
    store_flags = ["--history=durable"]

    def __init__(self):
        super().__init__()
        self.database = Postgres(os.path.join(OUT, "logs", self.name))

    def store(self):
        return [f"--store={self.database.start()}", *self.store_flags]

    def stop(self):
        try:
            super().stop()
        finally:
            self.database.stop()


class HubbubBySocketIo(Hubbub):
    """Socket.IO clients, who come to the connectors in turn."""

    name = "hubbub-socketio"
    protocol = "socketio"

    def entries(self):
        return [server["clientPort"] for server in self.servers["connector"]]


class Redis:
    """What servers of several processes talk through: Debian's, in memory alone."""

    def __init__(self, processes):
        self.processes = processes
        self.port = free_ports(1)[0]

    def start(self):
        program = shutil.which("redis-server") or "redis-server"
        self.processes.start("redis", [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        self.processes.wait_port("redis", self.port)


class SocketIo(System):
    """Socket.IO 4 with its Redis adapter, three processes."""

    name = "socketio"
    protocol = "socketio"
    source = os.path.join(ROOT, "bench/peers/socketio")

    def start(self):
        redis = Redis(self.processes)
        redis.start()
        ports = free_ports(CONNECTORS)
        for number, port in enumerate(ports, 1):
            node = [shutil.which("node") or "node", "app.js", str(port), str(redis.port)]
            self.processes.start(f"server-{number}", node, cwd=self.source, env={**os.environ, "NODE_ENV": "production"})
        for number in range(1, CONNECTORS + 1):
            self.processes.wait(f"server-{number}", lambda text: "ready" in text, "ready")
        return ports


class Centrifugo(System):
    """One node with its memory engine: presence, joins, leaves and history on, as Hubbub has them."""

    name = "centrifugo"
    protocol = "centrifugo"
    nodes = 1

    def start(self):
        engine = {}
        if self.nodes > 1:
            redis = Redis(self.processes)
            redis.start()
            engine = {"engine": {"type": "redis", "redis": {"address": f"redis://127.0.0.1:{redis.port}"}}}
        channel = {"presence": True, "join_leave": True, "force_push_join_leave": True, "history_size": 1000, "history_ttl": "300s"}
        for act in ("subscribe", "publish", "presence", "history"):
            channel[f"allow_{act}_for_client"] = True
        # Nobody signs in, as at the other systems. A client may send as fast as it likes, and have what is sent waiting for it.
        client = {"insecure": True, "queue_max_size": 4 << 20, "allowed_origins": ["*"]}
        config = os.path.join(OUT, f"{self.name}.json")
        write_json(config, {"client": client, "channel": {"without_namespace": channel}, "log": {"level": "error"}, **engine})
        program = os.path.join(ROOT, ".cache/bin/centrifugo")
        ports = free_ports(self.nodes)
        for number, port in enumerate(ports, 1):
            command = [program, "--config", config, "--http_server.port", str(port), "--http_server.address", "127.0.0.1"]
            self.processes.start(f"node-{number}", command)
        for number, port in enumerate(ports, 1):
            self.processes.wait_port(f"node-{number}", port)
        return ports


class CentrifugoWithRedis(Centrifugo):
    """Three nodes with Redis."""

    name = "centrifugo-redis"
    nodes = 3


class Pomelo(System):
    name = "pomelo"
    protocol = "pomelo"
    source = os.path.join(ROOT, "bench/peers/pomelo")

    def start(self):
        """The ports that clients come to."""
        servers = servers_json(CONNECTORS, CHATS, free_ports(3 + 2 * CONNECTORS + CHATS))
        # Pomelo reads its configuration from beside its program, so the program is where the configuration can be written.
        folder = os.path.join(OUT, "pomelo")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.source, folder, ignore=shutil.ignore_patterns("node_modules"))
        os.symlink(os.path.join(self.source, "node_modules"), os.path.join(folder, "node_modules"))
        master = {"id": "master-server-1", "host": "127.0.0.1", "port": free_ports(1)[0]}
        write_json(os.path.join(folder, "config/master.json"), {"production": master})
        write_json(os.path.join(folder, "config/servers.json"), {"production": servers})
        # One process a server, started as its master would: so that their process ids are known, and they can be stopped.
        node = [shutil.which("node") or "node", "app.js", "env=production"]
        self.processes.start("master", [*node, "type=master"], cwd=folder)
        self.processes.wait_port("master", master["port"])
        for kind in ("chat", "connector", "gate"):
            for server in servers[kind]:
                settings = [f"{key}={str(value).lower() if value is True else value}" for key, value in server.items()]
                self.processes.start(server["id"], [*node, f"serverType={kind}", *settings], cwd=folder)
        for kind in ("chat", "connector", "gate"):
            for server in servers[kind]:
                self.processes.wait_port(server["id"], server.get("clientPort", server["port"]))
        return [servers["gate"][0]["clientPort"]]


SYSTEMS = (
    Hubbub,
    HubbubOfOneEach,
    HubbubInOneGroup,
    HubbubDurable,
    HubbubDurableNormal,
    HubbubPostgres,
    HubbubBySocketIo,
    Pomelo,
    SocketIo,
    Centrifugo,
    CentrifugoWithRedis,
)
