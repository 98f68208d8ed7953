"""What the servers of a suite write, as one text that a person can follow."""

import re

# A line of a server's log: when, how grave, what.
_WARNING = re.compile(r"\S+ warning (.*)")


class Output:
    """Shows what a server logs beneath its id. The warnings of a start are about how the suite is set up, and all servers have the
    same ones: until `up()` they are kept back, and each is shown once then, with the servers it came from. `out` takes a line for
    the standard output, `log` one for the standard error."""

    def __init__(self, out, log):
        self._out = out
        self._log = log
        self._starting = True
        self._warnings = {}  # What is warned of, kept back: by which servers, as keys.

    def says(self, line):
        """A server's line on its standard output."""
        self._out(line)

    def logs(self, server_id, line):
        """A server's line on its standard error."""
        warning = self._starting and _WARNING.fullmatch(line)
        if warning:
            self._warnings.setdefault(warning[1], {})[server_id] = None
        else:
            self._log(f"{server_id} | {line}")

    def up(self):
        """The suite is up, or could not start: shows the warnings that were kept back. From now on each is shown when it comes."""
        self._starting = False
        for text, servers in self._warnings.items():
            self._log(f"{', '.join(servers)} | warning {text}")
        self._warnings.clear()
