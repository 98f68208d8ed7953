"""How long to wait before a server is started again."""


class Backoff:
    """Pauses, in seconds, that double with each failure up to `most`, and begin again after a run of at least `well`."""

    def __init__(self, first=0.5, most=30, well=60):
        self._first = first
        self._most = most
        self._well = well
        self._next = first

    def after_a_run_of(self, seconds):
        if seconds >= self._well:
            self._next = self._first
        pause, self._next = self._next, min(2 * self._next, self._most)
        return pause
