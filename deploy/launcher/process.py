"""One server's process."""

import contextlib
import ctypes
import fcntl
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


class Lines:
    """The whole lines that come through a pipe. `file` is its end to read from."""

    # A server that has much to say waits when the pipe is full, and the launcher looks 20 times a second.
    PIPE_BYTES = 1 << 20

    def __init__(self, file):
        self._file = file
        self._rest = b""
        os.set_blocking(file.fileno(), False)
        with contextlib.suppress(OSError):  # Somebody without rights has a limit for all of their pipes.
            fcntl.fcntl(file.fileno(), fcntl.F_SETPIPE_SZ, self.PIPE_BYTES)

    def read(self):
        """Those that have come since the last call; at most what the pipe holds, so that one who writes without end holds up nobody."""
        data, more = b"", b""
        with contextlib.suppress(BlockingIOError):
            while len(data) < self.PIPE_BYTES and (more := os.read(self._file.fileno(), 65536)):
                data += more
            if not more and self._rest + data:
                data += b"\n"  # The end: the last line may have none of its own.
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def close(self):
        self._file.close()


class Process:
    """Runs `command` from its creation on. It says "ready …" on its standard output once it serves, and ends on SIGTERM."""

    def __init__(self, command):
        self.started = time.monotonic()
        self.ready = False
        self.kill_at = None  # When it is killed, once it was told to stop.
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl-C is for the launcher alone: that stops the servers in order.
            start_new_session=True,
            preexec_fn=_end_with(os.getpid()),
        )
        self._out = Lines(self._popen.stdout)
        self._log = Lines(self._popen.stderr)

    @property
    def code(self):
        """Its exit code; None while it runs."""
        return self._popen.poll()

    @property
    def age(self):
        return time.monotonic() - self.started

    def lines(self):
        """What it has said on its standard output since the last call; notices that it is ready."""
        lines = self._out.read()
        # Or a line of the log, with --log_format=json.
        self.ready = self.ready or any(line.startswith("ready ") or '"message":"ready"' in line for line in lines)
        return lines

    def log_lines(self):
        """What it has said on its standard error since the last call."""
        return self._log.read()

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
        self._out.close()
        self._log.close()
