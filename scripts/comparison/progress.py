# SPDX-License-Identifier: MIT
"""Shows the progress of a comparison: one line that is rewritten on a terminal, or else one line per round."""
import sys
import time


class Progress:
    def __init__(self, runs, rounds):
        self._runs = runs
        self._rounds = rounds
        self._done = 0
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def running(self, round_number, case, allocator):
        """Shows the progress before each run."""
        if self._terminal:
            place = f"round {round_number}/{self._rounds}  {case:<20} {allocator:<12}"
            line = f"{place} {self._done}/{self._runs}  {self._left()}"
            sys.stderr.write("\r" + line[:100].ljust(100))
            sys.stderr.flush()
        self._done += 1

    def round_done(self, round_number):
        line = f"round {round_number}/{self._rounds} done  {self._left()}"
        sys.stderr.write(("\r" + line.ljust(100) if self._terminal else line) + "\n")
        sys.stderr.flush()

    def problem(self, text):
        sys.stderr.write(("\r" + text.ljust(100) if self._terminal else text) + "\n")
        sys.stderr.flush()

    def _left(self):
        if self._done == 0 or self._done >= self._runs:
            return ""
        seconds = (time.monotonic() - self._start) / self._done * (self._runs - self._done)
        return f"about {seconds / 60:.0f} min left" if seconds > 90 else f"about {seconds:.0f} s left"
