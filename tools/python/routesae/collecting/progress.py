"""How far collecting has come, in words for a person."""

from __future__ import annotations

import sys
import time


def silent(_line: str) -> None:
    """Says nothing."""


def to_standard_error(line: str) -> None:
    """Says a line on standard error."""
    print(line, file=sys.stderr, flush=True)


def size(count: float) -> str:
    """Bytes for a person."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def clock(seconds: float) -> str:
    """A stretch of time for a person."""
    whole = int(seconds + 0.5)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


class Progress:
    """A line on standard error: on a terminal it is kept up to date, elsewhere there is a new one every half minute."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.begun = time.monotonic()
        self._shown = self.begun
        self._is_terminal = sys.stderr.isatty()

    def update(self, done: int, total: int | None) -> None:
        """Shows the tokens that are done, of so many in all where that is known."""
        now = time.monotonic()
        if self.quiet or now - self._shown < (0.5 if self._is_terminal else 30):
            return
        self._shown = now
        text = f"{done:,} tokens, {self.rate(done):,.0f} a second"
        if total is not None:
            left = clock((total - done) / max(self.rate(done), 1e-9))
            text = f"{done:,} of {total:,} tokens, {self.rate(done):,.0f} a second, {left} left"
        if self._is_terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        else:
            to_standard_error(text)

    def finish(self) -> None:
        """Clears the line of a terminal."""
        if not self.quiet and self._is_terminal and self._shown != self.begun:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def rate(self, done: int) -> float:
        """Tokens a second, of so many that are done since the beginning."""
        return done / max(time.monotonic() - self.begun, 1e-9)
