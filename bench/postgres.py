"""A PostgreSQL of a run's own, by Debian's package, which writes to the disk as PostgreSQL does by itself."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile

from processes import BenchError, Processes, free_ports

PROGRAMS = "/usr/lib/postgresql/*/bin"


class Postgres:
    """Not among the servers whose CPU time and memory are measured: its processes come and go."""

    def __init__(self, logs):
        self._processes = Processes(logs)
        self._folder = None

    def start(self):
        """Its URL for chat servers."""
        found = sorted(glob.glob(PROGRAMS))
        if not found:
            raise BenchError(f"there is no PostgreSQL in {PROGRAMS}: install Debian's package postgresql")
        # Not in /tmp, which may be in memory.
        self._folder = tempfile.mkdtemp(prefix="hubbub-bench-", dir="/var/tmp")
        become = []
        if os.geteuid() == 0:  # As root it does not run.
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            become = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        data = os.path.join(self._folder, "data")
        made = subprocess.run([*become, os.path.join(found[-1], "initdb"), "--pgdata", data, "--username", "hubbub", "--auth", "trust"],
                              cwd=self._folder, capture_output=True, text=True, check=False)
        if made.returncode:
            raise BenchError(f"initdb: {(made.stderr or made.stdout).strip().splitlines()[-1]}")
        port = free_ports(1)[0]
        settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "shared_buffers": "128MB"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._processes.start("postgres", [*become, os.path.join(found[-1], "postgres"), "-D", data, *options], cwd=self._folder)
        self._processes.wait("postgres", lambda text: "ready to accept connections" in text, "ready")
        return f"postgres://hubbub@127.0.0.1:{port}/postgres?sslmode=disable"

    def stop(self):
        self._processes.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
