"""The folder in which the servers of one suite keep what lasts, and which one suite uses at a time."""

import fcntl
import os


class Unusable(Exception):
    """The folder cannot be used; the text says why."""


class DataFolder:
    """Makes the folder if it is missing, and holds it until this process ends. Raises Unusable."""

    def __init__(self, path):
        self._path = os.path.abspath(path)
        try:
            # Who writes the store can take every room away.
            os.makedirs(self._path, mode=0o700, exist_ok=True)
            self._lock = open(os.path.join(self._path, "lock"), "w", encoding="utf-8")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Servers of both that have the same id would take each other for their own earlier run.
            raise Unusable(f"another suite runs with the folder {self._path}; stop it, or name another folder with --data") from None
        except OSError as error:
            raise Unusable(f"the folder {self._path} cannot be used: {error.strerror}; name another one with --data") from None

    @property
    def store(self):
        """The store's file."""
        return os.path.join(self._path, "store.db")

    @property
    def store_url(self):
        return f"sqlite:{self.store}"
