#!/usr/bin/env python3
"""Runs the suite of a servers.json on this machine, one process a server, until Ctrl-C.

Chat servers start first, then connectors, then gates, each group once the one before is ready. If a server can not
start, or ends by itself, the rest is stopped and the exit code is 1.
"""

import argparse
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time

PROGRAMS = {"chat": "hubbub-chat", "connector": "hubbub-connector", "gate": "hubbub-gate"}
READY_WITHIN_S = 30
STOP_WITHIN_S = 20


class Suite:
    def __init__(self):
        self.processes = {}  # id -> Popen
        self.groups = []  # The ids that started together, in order.

    def start_group(self, binary, ids, config, environment):
        self.groups.append(ids)
        for server_id in ids:
            self.start(binary, server_id, config, environment)

    def start(self, binary, server_id, config, environment):
        self.processes[server_id] = subprocess.Popen(
            [binary, "--id", server_id, "--config", config, "--env", environment],
            stdout=subprocess.PIPE,
            # Ctrl-C is for this script alone: it stops the servers in order.
            start_new_session=True,
        )

    def wait_ready(self, ids, stopping):
        """Waits for the ready line of each; False if one ends first or none comes in time."""
        deadline = time.monotonic() + READY_WITHIN_S
        with selectors.DefaultSelector() as selector:
            for server_id in ids:
                selector.register(self.processes[server_id].stdout, selectors.EVENT_READ, server_id)
            waiting = set(ids)
            while waiting:
                events = selector.select(0.1)
                if stopping:
                    return False
                if time.monotonic() > deadline:
                    print(f"suite: not ready after {READY_WITHIN_S} s: {', '.join(sorted(waiting))}", file=sys.stderr)
                    return False
                for key, _ in events:
                    line = key.fileobj.readline().decode(errors="replace").strip()
                    if not line.startswith("ready "):
                        print(f"suite: {key.data} could not start; its own line above says why", file=sys.stderr)
                        return False
                    print(line, flush=True)
                    selector.unregister(key.fileobj)
                    waiting.discard(key.data)
        return True

    def ended(self):
        return [server_id for server_id, process in self.processes.items() if process.poll() is not None]

    def stop(self):
        """SIGTERM to the groups, the last started first; SIGKILL to what does not end. True if all ended well."""
        well = True
        for group in reversed(self.groups):
            processes = {server_id: self.processes[server_id] for server_id in group}
            for process in processes.values():
                if process.poll() is None:
                    process.terminate()
            deadline = time.monotonic() + STOP_WITHIN_S
            for server_id, process in processes.items():
                try:
                    code = process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    print(f"suite: {server_id} did not end within {STOP_WITHIN_S} s and was killed", file=sys.stderr)
                    process.kill()
                    code = process.wait()
                well = well and code == 0
        return well


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, help="the build folder")
    parser.add_argument("--config", required=True, help="servers.json")
    parser.add_argument("--env", default="development", help="the environment within it")
    options = parser.parse_args()
    try:
        with open(options.config, encoding="utf-8") as file:
            servers = json.load(file)[options.env]
        groups = {kind: [server["id"] for server in servers.get(kind, [])] for kind in PROGRAMS}
        pages = [f"http://{gate['host']}:{gate['clientPort']}/" for gate in servers.get("gate", [])]
    except OSError as error:
        sys.exit(f"suite: {options.config}: {error.strerror}")
    except ValueError as error:
        sys.exit(f"suite: {options.config} is no JSON: {error}")
    except (KeyError, TypeError, AttributeError) as error:
        sys.exit(f"suite: {options.config} has not the shape of a servers.json: {error} is missing or of the wrong kind")

    suite = Suite()
    stopping = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.append(True))
    code = 0
    folders = {"chat": "chat", "connector": "connector", "gate": "gateway"}
    try:
        for kind, program in PROGRAMS.items():
            ids = groups[kind]
            if stopping:
                break
            suite.start_group(os.path.join(options.bin, folders[kind], program), ids, options.config, options.env)
            if not suite.wait_ready(ids, stopping):
                code = 0 if stopping else 1
                return code
        for page in [] if stopping else pages:
            print(f"\nThe chat page is at {page}, the servers are shown at {page}servers  (Ctrl-C stops the suite)\n", flush=True)
        while not stopping:
            if ended := suite.ended():
                print(f"suite: {', '.join(ended)} ended; stopping the rest", file=sys.stderr)
                code = 1
                break
            time.sleep(0.1)
    finally:
        # Whoever read the output may be gone; the servers must not stay behind.
        if not suite.stop():
            code = 1
        elif code == 0:
            with contextlib.suppress(OSError):
                print("all servers have ended cleanly", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
