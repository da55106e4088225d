"""Runs of routesae, with a deadline, and rows of its catalogs."""

from __future__ import annotations

import contextlib
import functools
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

#: The program's exit status of a run that was interrupted and can be resumed.
INTERRUPTED = 75
#: The program's exit status of bad input; of a sweep, that some dictionaries diverged.
BAD_INPUT = 65


class OutOfTime(Exception):
    """The time is up; what is done is kept."""


def say(text: str) -> None:
    """Prints a line for the person who waits."""
    print(text, file=sys.stderr, flush=True)


class Program:
    """routesae, until a deadline."""

    def __init__(self, path: Path, minutes: float | None = None) -> None:
        self.path = path
        self.deadline = None if minutes is None else time.monotonic() + 60 * minutes

    def check_time(self) -> None:
        """Raises OutOfTime once the deadline has passed."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise OutOfTime

    def run(self, *arguments: object, accepted: tuple[int, ...] = (0,), shows: bool = True) -> str:
        """Runs a verb; its standard output.

        `shows` passes standard error on; otherwise it is printed only if the verb fails. An exit status that is not
        accepted ends the comparison.
        """
        status, output, errors = self.attempt(*arguments, shows=shows)
        if status not in accepted:
            self.give_up(status, errors, *arguments)
        return output

    def attempt(self, *arguments: object, shows: bool = False) -> tuple[int, str, str]:
        """Runs a verb; its exit status, standard output and, unless it is shown, standard error.

        At the deadline the verb is interrupted, as by Ctrl-C, and writes its checkpoint.
        """
        self.check_time()
        # In a group of its own: Ctrl-C comes here alone and is passed on once, since a second signal would end the verb
        # before it writes its checkpoint.
        with subprocess.Popen(
                [str(self.path), *map(str, arguments)], stdout=subprocess.PIPE, stderr=None if shows else subprocess.PIPE,
                text=True, process_group=0) as child:
            try:
                left = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
                output, errors = child.communicate(timeout=left)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                child.send_signal(signal.SIGINT)
                # A signal may have come while the pipes were being closed.
                with contextlib.suppress(ValueError):
                    child.communicate()
                child.wait()
                raise OutOfTime from None
        if child.returncode == INTERRUPTED:
            raise OutOfTime
        return child.returncode, output, errors or ""

    def give_up(self, status: int, errors: str, *arguments: object) -> NoReturn:
        """Ends the comparison after a verb that failed."""
        print(errors, file=sys.stderr, end="")
        sys.exit(f"{self.path} {' '.join(map(str, arguments))}: ended with {status}; what is done is kept, and the same "
                 "command goes on")

    @functools.cache
    def takes(self, verb: str, option: str) -> bool:
        """Whether a verb has an option; versions differ."""
        return re.search(rf"(^|\s){re.escape(option)}\b", self.run(verb, "--help")) is not None


def rows(catalog: Path, sql: str, *arguments: object) -> list[tuple]:
    """Rows of a catalog; none if there is no file."""
    if not catalog.exists():
        return []
    connection = sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)
    try:
        return connection.execute(sql, arguments).fetchall()
    finally:
        connection.close()
