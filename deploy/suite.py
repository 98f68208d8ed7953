#!/usr/bin/env python3
"""Runs the suite of a servers.json on this machine, one process a server, until Ctrl-C.

Chat servers start first, then connectors, then gates, each kind once the one before is ready; if one of them cannot start,
the rest is stopped and the exit code is 1. From then on a server that ends is started again, after a pause that grows while
it goes on to end; a line that comes into the file starts a server, one that goes stops it, and one that changes does both. A
file that is wrong changes nothing. The servers end with this program, however that ends.

Chat servers share a store, a SQLite file in the folder --data, which says which of them has which room.
"""

import argparse
import contextlib
import os
import signal
import sys

from launcher.data import DataFolder, Unusable
from launcher.directory import File, Wrong
from launcher.output import Output
from launcher.supervisor import CouldNotStart, Supervisor


def say(text):
    # The reader of stderr may be gone; the suite must stop its servers all the same.
    with contextlib.suppress(OSError):
        print(f"suite: {text}", file=sys.stderr, flush=True)


def show(line):
    print(line, flush=True)


def log(line):
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, help="the build folder")
    parser.add_argument("--config", required=True, help="servers.json")
    parser.add_argument("--env", default="development", help="the environment within it")
    parser.add_argument("--data", default="data", help="the folder of the chat servers' store, made if it is missing; default: %(default)s")
    options = parser.parse_args()
    file = File(options.config, options.env)
    try:
        servers = file.read()
    except Wrong as wrong:
        sys.exit(f"suite: {options.config}: {wrong}")
    if not servers:
        sys.exit(f"suite: {options.config} has no servers in the environment '{options.env}'")
    try:
        data = DataFolder(options.data)
    except Unusable as unusable:
        sys.exit(f"suite: {unusable}")

    signals = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signals.append(True))
    suite = Supervisor(options.bin, file, options.env, data.store_url, say, Output(show, log))
    code = 0
    try:
        show(f"The store of the chat servers is {data.store}")
        suite.start(servers, lambda: signals)
        for gate in (server for server in servers if server.kind == "gate" and not signals):
            page = f"http://{gate.host}:{gate.client_port}/"
            show(f"\nThe chat page is at {page}, the servers are shown at {page}servers  (Ctrl-C stops the suite)\n")
        suite.run(lambda: signals)
    except CouldNotStart as failure:
        say(failure)
        code = 1
    except BrokenPipeError:
        code = 1
        # Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        try:
            well = suite.stop()
        finally:
            suite.close()
    if not well:
        return 1
    if code == 0:
        with contextlib.suppress(OSError):
            show("all servers have ended cleanly")
    return code


if __name__ == "__main__":
    sys.exit(main())
