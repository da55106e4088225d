"""The exceptions of this package: ``CatalogError`` of reading, ``CollectError`` of collecting activations."""

from __future__ import annotations

__all__ = ["CatalogError", "CollectError", "one_line"]

#: Exit statuses of the command line, as in docs/README.md.
USAGE, BAD_DATA, MISSING, INTERNAL, CANNOT_WRITE, INTERRUPTED = 64, 65, 66, 70, 73, 75


class CatalogError(ValueError):
    """What is wrong with a catalog, with an input or with a request, in one line.

    Attributes:
        status: the exit status of ``python -m routesae`` for it: 65 for bad data, 66 for a missing input, 73 for an
            output that cannot be written.
    """

    def __init__(self, reason: str, status: int = BAD_DATA) -> None:
        super().__init__(_printable(reason))
        self.status = status


class CollectError(Exception):
    """Why activations cannot be collected, in one line: what is wrong, where, and what to do.

    Attributes:
        status: the exit status of ``python -m routesae collect`` for it: 64 for wrong usage, 65 for bad data, 66 for a
            missing input, 73 for an output that cannot be written.
    """

    def __init__(self, reason: str, status: int = BAD_DATA) -> None:
        super().__init__(_printable(reason))
        self.status = status


def one_line(error: BaseException) -> str:
    """The message of any exception in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _printable(reason: str) -> str:
    """A reason without line breaks and control characters: names in it come from files."""
    return "".join(c if c.isprintable() else " " for c in reason)
