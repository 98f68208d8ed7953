"""Holds the rules of ARCHITECTURE.md, "Folders", against the source files: run by ctest and by ./dev lint."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Each folder with the folders whose headers it may include, besides its own.
BASE = ["services/base"]
DNS = BASE + ["services/dns"]
POMELO = BASE + ["services/pomelo"]
SOCKETIO = BASE + ["services/socketio"]
METRICS = BASE + ["services/metrics"]
NET = METRICS + ["services/net"]
SIGNIN = BASE + ["services/signin"]
ENGINE = NET + ["services/socketio", "services/engine"]
CLIENT = NET + SIGNIN + ["services/pomelo", "services/socketio", "services/client"]
HTTP2 = NET + ["services/http2"]
RPC = HTTP2 + ["services/rpc"]
DIRECTORY = RPC + ["services/dns", "services/directory"]
PROGRAM = DIRECTORY + SIGNIN + ["services/program"]
CHAT_ROOMS = METRICS + ["chat/rooms"]
CHAT_STORE = METRICS + ["services/dns", "chat/store"]
CHAT_LOG = CHAT_ROOMS + ["chat/store", "chat/log"]
CHAT_CONNECTORS = CHAT_ROOMS + RPC + ["chat/connectors"]
CHAT_CLUSTER = CHAT_CONNECTORS + CHAT_STORE + ["services/directory", "chat/cluster"]
DELIVERY = CLIENT + ["connector/delivery"]
CHAT_SERVERS = DELIVERY + RPC + ["services/directory", "connector/chat_servers"]
SESSIONS = CHAT_SERVERS + ["connector/sessions"]
ALLOWED = {
    "services/base": BASE,
    "services/dns": DNS,
    "services/pomelo": POMELO,
    "services/socketio": SOCKETIO,
    "services/metrics": METRICS,
    "services/net": NET,
    "services/signin": SIGNIN,
    "services/engine": ENGINE,
    "services/client": CLIENT,
    "services/http2": HTTP2,
    "services/rpc": RPC,
    "services/directory": DIRECTORY,
    "services/program": PROGRAM,
    "services/testing": POMELO + ["services/testing"],
    "chat/rooms": CHAT_ROOMS,
    "chat/store": CHAT_STORE,
    "chat/log": CHAT_LOG,
    "chat/connectors": CHAT_CONNECTORS,
    "chat/cluster": CHAT_CLUSTER,
    "chat": CHAT_CLUSTER + PROGRAM + ["chat/log", "chat"],
    "connector/delivery": DELIVERY,
    "connector/chat_servers": CHAT_SERVERS,
    "connector/sessions": SESSIONS,
    "connector": SESSIONS + PROGRAM + ["services/engine", "connector"],
    "gateway": CLIENT + PROGRAM + ["services/engine", "gateway"],
    "bench": POMELO + RPC + PROGRAM + ["bench"],
}
# Where gRPC's and Asio's headers may be included. Everything else is free of them.
GRPC = ["services/rpc", "services/directory", "services/program", "chat/connectors", "chat/cluster", "chat",
        "connector/chat_servers", "connector", "gateway", "bench"]
ASIO = ["services/net", "services/engine", "services/http2", "services/rpc", "connector/sessions", "connector/chat_servers", "bench"]
# Test support may use everything of its program, and tests may use test support.
TESTING = re.compile(r"(^|/)testing/|_(test|fuzz|bench)\.cc$")
# What a newcomer meets first.
TOP = {"proto", "services", "gateway", "connector", "chat", "deploy", "tests", "bench", "dev", "CMakeLists.txt", "CMakePresets.json",
       "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"}
NAMESPACES = {"services/base": "hubbub", "gateway": "hubbub::gate"}


def sources():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.h", "*.cc"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split()
    paths = [p for p in listed if (ROOT / p).exists()]
    return [p for p in paths if not p.startswith(("tests/", "proto/"))]


def folder_of(path):
    """The folder of the table that a file belongs to; None if there is none."""
    parts = path.split("/")[:-1]
    while parts:
        name = "/".join(parts)
        if name in ALLOWED:
            return name
        parts.pop()
    return None


def includes(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(r'^#include [<"]([^>"]+)[>"]', text, re.MULTILINE)


def product_includes():
    """Each include of each product file: its path, its folder and what it includes. Tests and test support are left out."""
    for path in sources():
        if not TESTING.search(path):
            for include in includes(path):
                yield path, folder_of(path), include


def ours(include):
    return include.split("/")[0] in ("services", "chat", "connector", "gateway", "bench") and (ROOT / include).exists()


class Structure(unittest.TestCase):
    def none_of(self, wrong):
        if wrong:
            self.fail("\n" + "\n".join(wrong))

    def test_every_source_lies_in_a_folder_of_the_table(self):
        loose = [p for p in sources() if folder_of(p) is None]
        self.none_of([f"{p} lies in no folder that has rules: add the folder to this test's table" for p in loose])

    def test_the_top_folder_holds_what_a_newcomer_expects(self):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True,
                                text=True).stdout.split("\0")
        names = {path.split("/")[0] for path in listed if path}
        self.none_of([f"{name} does not belong into the top folder" for name in sorted(names - TOP) if not name.startswith(".")])

    def test_includes_go_in_the_allowed_direction(self):
        self.none_of([f"{path} includes {include}: {folder} may not include it"
                      for path, folder, include in product_includes()
                      if ours(include) and ("/testing/" in include or folder_of(include) not in ALLOWED[folder] + [folder])])

    def test_the_table_has_no_circles(self):
        for folder, allowed in ALLOWED.items():
            for other in allowed:
                if other != folder:
                    self.assertNotIn(folder, ALLOWED.get(other, []), f"{folder} and {other} may include each other")

    def test_headers_do_not_include_each_other_in_a_circle(self):
        units = {path: {i for i in includes(path) if ours(i)} for path in sources() if path.endswith(".h")}
        done, circles = set(), []

        def visit(unit, trail):
            if unit in trail:
                circles.append(" -> ".join(trail[trail.index(unit):] + [unit]))
            elif unit not in done:
                for other in sorted(units.get(unit, ())):
                    visit(other, trail + [unit])
                done.add(unit)

        for unit in sorted(units):
            visit(unit, [])
        self.none_of([f"these files include each other: {circle}" for circle in circles])

    def test_grpc_and_asio_stay_behind_their_walls(self):
        wrong = []
        for path, folder, include in product_includes():
            grpc = include.startswith(("grpc/", "grpcpp/")) or include.endswith(".grpc.pb.h")
            if grpc and folder not in GRPC:
                wrong.append(f"{path} includes {include}: {folder} must be free of gRPC")
            if include.startswith(("boost/asio", "boost/beast")) and folder not in ASIO:
                wrong.append(f"{path} includes {include}: {folder} must be free of Asio and Beast")
        self.none_of(wrong)

    def test_namespaces_follow_folders(self):
        wrong = []
        for path in sources():
            folder = folder_of(path)
            name = NAMESPACES.get(folder, "hubbub::" + folder.removeprefix("services/").split("/")[0])
            for found in re.findall(r"^namespace (hubbub[\w:]*) \{", (ROOT / path).read_text(encoding="utf-8"),
                                    re.MULTILINE):
                if found != name:
                    wrong.append(f"{path} is in namespace {found}, and its folder's namespace is {name}")
        self.none_of(wrong)

    def test_paths_in_the_docs_exist(self):
        docs = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, check=True,
                              capture_output=True, text=True).stdout.split()
        missing = []
        for doc in docs:
            text = (ROOT / doc).read_text(encoding="utf-8")
            for path in re.findall(r"`((?:services|chat|connector|gateway|proto|bench|deploy|tests)/[\w/.-]+)`", text):
                folder, name = (ROOT / path).parent, (ROOT / path).name
                if not (ROOT / path).exists() and not list(folder.glob(name + ".*")):
                    missing.append(f"{doc} names {path}, which does not exist")
        self.none_of(missing)

    def test_every_folder_has_a_readme(self):
        missing = [f for f in ALLOWED if not (ROOT / f / "README.md").exists()]
        self.none_of([f"{f}/README.md is missing: it says what the folder is for, what may include it and where to start"
                      for f in missing])


if __name__ == "__main__":
    unittest.main()
