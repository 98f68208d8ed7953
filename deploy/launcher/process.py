"""One server's process."""

import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child may only call what is there already.
_LIBC = ctypes.CDLL(None, use_errno=True)


def _end_with(launcher):
    """In the child, before it becomes the server: it is killed when the launcher ends, however that ends."""

    def prepare():
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The launcher may have ended before: then nobody will tell.
        if os.getppid() != launcher:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def how_it_ended(code):
    """A sentence's end for an exit code of subprocess, where a negative one is a signal."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "signal"
    return f"was ended by {name} ({-code})"


class Process:
    """Runs `command` from its creation on. It says "ready …" on its standard output once it serves, and ends on SIGTERM."""

    def __init__(self, command):
        self.started = time.monotonic()
        self.ready = False
        self.kill_at = None  # When it is killed, once it was told to stop.
        self._text = b""
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Ctrl-C is for the launcher alone: that stops the servers in order.
            start_new_session=True,
            preexec_fn=_end_with(os.getpid()),
        )
        os.set_blocking(self._popen.stdout.fileno(), False)

    @property
    def code(self):
        """Its exit code; None while it runs."""
        return self._popen.poll()

    @property
    def age(self):
        return time.monotonic() - self.started

    def lines(self):
        """What it has said since the last call; notices that it is ready."""
        try:
            data = os.read(self._popen.stdout.fileno(), 65536)
        except BlockingIOError:
            return []
        *lines, self._text = (self._text + data).split(b"\n")
        lines = [line.decode(errors="replace") for line in lines]
        # Or a line of the log, with --log_format=json.
        self.ready = self.ready or any(line.startswith("ready ") or '"message":"ready"' in line for line in lines)
        return lines

    def stop(self, within):
        """Asks it to end, and lets it be killed by `overdue` otherwise."""
        if self.kill_at is None:
            self.kill_at = time.monotonic() + within
            self._popen.terminate()

    def overdue(self):
        """True once, if it was told to stop and did not: then it was killed now."""
        if self.kill_at is None or self.code is not None or time.monotonic() < self.kill_at:
            return False
        self.kill()
        return True

    def kill(self):
        self.kill_at = float("inf")
        self._popen.kill()

    def close(self):
        """Kills what still runs."""
        if self.code is None:
            self._popen.kill()
            self._popen.wait()
        self._popen.stdout.close()
