"""Keeps the servers of a servers.json running: one process each, started again when it ends, and in step with the file."""

import os
import time

from .backoff import Backoff
from .directory import KINDS, Wrong
from .process import Process, how_it_ended

PROGRAMS = {"chat": "chat/hubbub-chat", "connector": "connector/hubbub-connector", "gate": "gateway/hubbub-gate"}


class CouldNotStart(Exception):
    """A server did not come up when the suite was started."""


class Member:
    """One server of the file, with its process, if it has one."""

    def __init__(self, server, backoff):
        self.server = server
        self.backoff = backoff
        self.process = None
        self.start_at = time.monotonic()
        self.leaving = False  # Its line is not in the file any more.

    def conflicts_with(self, other):
        """Whether the two cannot run at a time."""
        mine, its = self.server, other.server
        ports = {mine.port, mine.client_port} & {its.port, its.client_port} - {0}
        return mine.id == its.id or (mine.host == its.host and bool(ports))


class Supervisor:
    """`store` is the URL that chat servers are given; `say` takes a line of the launcher's own, `output` (output.Output) what
    servers say. Not thread-safe, and to be used by the thread that ends last: the servers are killed when that ends."""

    LOOK_S = 0.05  # Between two looks at the processes,
    FILE_S = 0.25  # and at the file.

    def __init__(self, folder, file, environment, store, say, output, ready_within=30, stop_within=20, backoff=Backoff):
        self._folder = folder
        self._file = file
        self._environment = environment
        self._store = store
        self._say = say
        self._output = output
        self._ready_within = ready_within
        self._stop_within = stop_within
        self._backoff = backoff
        self._members = []
        self._starting = True
        self._file_is_wrong = False
        self._look_at_file = 0.0

    def start(self, servers, stopping):
        """Starts the servers, each kind once the one before is ready. Raises CouldNotStart. `stopping()` says whether to give
        up."""
        try:
            for kind in KINDS:
                group = [Member(server, self._backoff()) for server in servers if server.kind == kind]
                self._members += group
                while not stopping() and not all(member.process and member.process.ready for member in group):
                    self._look()
                    time.sleep(self.LOOK_S)
        finally:
            self._output.up()
        self._starting = False

    def run(self, stopping):
        """Until `stopping()`."""
        while not stopping():
            self._look()
            self._follow_file()
            time.sleep(self.LOOK_S)

    def stop(self):
        """Ends the servers, kind by kind, those that were started last first. True if all of them ended well."""
        well = True
        for kind in reversed(KINDS):
            group = [member for member in self._members if member.server.kind == kind and member.process]
            for member in group:
                member.process.stop(self._stop_within)
            for member in group:
                while member.process.code is None:
                    self._kill_if_overdue(member)
                    for other in group:
                        self._show_lines(other)
                    time.sleep(self.LOOK_S)
                self._show_lines(member)
                if member.process.code != 0:
                    well = False
                    self._say(f"{member.server.id} {how_it_ended(member.process.code)}")
        return well

    def close(self):
        """Kills what still runs: for a launcher that fails."""
        for member in self._members:
            if member.process:
                member.process.close()

    def _look(self):
        for member in list(self._members):
            if member.process:
                self._look_at(member)
            elif member.leaving:
                self._members.remove(member)
            elif time.monotonic() >= member.start_at and not self._blocked(member):
                self._start(member)

    def _blocked(self, member):
        """Whether another process has to end first, which is on its way out."""
        return any(other.leaving and other.process and other.conflicts_with(member) for other in self._members)

    def _start(self, member):
        server = member.server
        program = os.path.join(self._folder, PROGRAMS[server.kind])
        # For people who try and develop: by themselves the programs show neither.
        command = [program, "--id", server.id, "--config", self._file.path, "--env", self._environment, "--reflection"]
        if server.kind == "gate":
            command.append("--servers_page")
        # One that is alone has it too: a second one may come into the file at any time.
        if server.kind == "chat":
            command.append(f"--store={self._store}")
        try:
            member.process = Process(command)
        except OSError as error:
            self._failed(member, f"{server.id} could not start: {program}: {error.strerror}", 0, ready=False)

    def _look_at(self, member):
        process = member.process
        # Before what it has said is read: so nothing of it is missed.
        code = process.code
        self._show_lines(member)
        if code is not None:
            self._ended(member, code)
        elif process.kill_at is not None:
            self._kill_if_overdue(member)
        elif not process.ready and process.age > self._ready_within:
            self._say(f"{member.server.id} is not ready after {self._ready_within:g} s, and is killed")
            process.kill()

    def _show_lines(self, member):
        # In this order, so that what a server has logged before it said that it is ready is there by then.
        said, logged = member.process.lines(), member.process.log_lines()
        for line in logged:
            self._output.logs(member.server.id, line)
        for line in said:
            self._output.says(line)

    def _ended(self, member, code):
        process, member.process = member.process, None
        process.close()
        if member.leaving:
            self._members.remove(member)
            self._say(f"{member.server.id} {how_it_ended(code)}")
        elif process.ready:
            self._failed(member, f"{member.server.id} {how_it_ended(code)} after {process.age:.0f} s", process.age, ready=True)
        else:
            self._failed(member, f"{member.server.id} could not start: it {how_it_ended(code)}, and its own lines above say why", 0,
                         ready=False)

    def _failed(self, member, what, ran_for, ready):
        if self._starting and not ready:
            raise CouldNotStart(what)
        pause = member.backoff.after_a_run_of(ran_for)
        member.start_at = time.monotonic() + pause
        self._say(f"{what}; it is started again in {pause:g} s")

    def _kill_if_overdue(self, member):
        if member.process.overdue():
            self._say(f"{member.server.id} did not end within {self._stop_within:g} s, and is killed")

    def _follow_file(self):
        if time.monotonic() < self._look_at_file:
            return
        self._look_at_file = time.monotonic() + self.FILE_S
        try:
            servers = self._file.changed()
        except Wrong as wrong:
            self._file_is_wrong = True
            self._say(f"{self._file.path} is wrong now, and changes nothing until it is mended: {wrong}")
            return
        if servers is None:
            return
        if self._file_is_wrong:
            self._file_is_wrong = False
            self._say(f"{self._file.path} is right again")
        self._become(servers)

    def _become(self, servers):
        present = {member.server for member in self._members if not member.leaving}
        new_ids = {server.id for server in servers}
        for member in self._members:
            if member.leaving or member.server in servers:
                continue
            member.leaving = True
            changed = member.server.id in new_ids
            self._say(f"{member.server.id} {'has another line' if changed else 'is no more'} in {self._file.path}: "
                      f"it is stopped{', and started by that' if changed else ''}")
            if member.process:
                member.process.stop(self._stop_within)
        for server in servers:
            if server in present:
                continue
            if server.id not in {member.server.id for member in self._members}:
                self._say(f"{server.id} is new in {self._file.path}: it is started")
            self._members.append(Member(server, self._backoff()))
