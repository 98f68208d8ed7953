"""Server processes that the bench starts, and stops whatever happens."""

import os
import socket
import subprocess
import time

READY_WITHIN_S = 30
STOP_WITHIN_S = 15


class BenchError(Exception):
    """A sentence for the person who runs the bench."""


def free_ports(count):
    """Ports that were free a moment ago. All are held until the last is found, so that they differ."""
    sockets = []
    try:
        for _ in range(count):
            held = socket.socket()
            sockets.append(held)
            held.bind(("127.0.0.1", 0))
        return [held.getsockname()[1] for held in sockets]
    finally:
        for held in sockets:
            held.close()


def sessions_make_groups():
    """Whether Linux gives each session of processes a scheduling group of its own (autogroup)."""
    try:
        with open("/proc/sys/kernel/sched_autogroup_enabled", encoding="utf-8") as file:
            return file.read().strip() == "1"
    except OSError:
        return False


def apart(own_group):
    """How a process is started so that Ctrl-C reaches the bench alone, which ends the processes in order.

    `own_group`: in a session of its own, to which Linux gives a scheduling group of its own, as a container or a unit of systemd has
    one. Otherwise in the group of the bench.
    """
    return {"start_new_session": True} if own_group else {"process_group": 0}


class Processes:
    """Some processes of one system, stopped in the reverse of the order of their start."""

    def __init__(self, logs, own_groups=True):
        self.logs = logs
        self.own_groups = own_groups
        self.running = {}  # name -> Popen

    def start(self, name, command, **how):
        os.makedirs(self.logs, exist_ok=True)
        with open(self.log_of(name), "wb") as log:
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **apart(self.own_groups), **how)
            except OSError as error:
                raise BenchError(f"{command[0]} cannot be started: {error.strerror}") from error
        self.running[name] = process

    def log_of(self, name):
        return os.path.join(self.logs, name + ".log")

    def pids(self):
        return {name: process.pid for name, process in self.running.items()}

    def wait(self, name, ready, what):
        """Until `ready` is true of the process's output so far."""
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            with open(self.log_of(name), encoding="utf-8", errors="replace") as log:
                text = log.read()
            if ready(text):
                return text
            if self.running[name].poll() is not None:
                raise BenchError(f"{name} ended before it was ready; its output is in {self.log_of(name)}")
            if time.monotonic() > deadline:
                raise BenchError(f"{name} was not {what} within {READY_WITHIN_S} s; its output is in {self.log_of(name)}")
            time.sleep(0.02)

    def wait_port(self, name, port):
        def accepts(_):
            with socket.socket() as probe:
                probe.settimeout(1)
                return probe.connect_ex(("127.0.0.1", port)) == 0

        self.wait(name, accepts, f"listening on port {port}")

    def stop(self):
        for name, process in reversed(list(self.running.items())):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            del self.running[name]
