"""The one exception of this package."""

from __future__ import annotations

__all__ = ["CatalogError", "one_line"]

#: Exit statuses of the command line, as in docs/README.md.
USAGE, BAD_DATA, MISSING, CANNOT_WRITE, INTERRUPTED = 64, 65, 66, 73, 75


class CatalogError(ValueError):
    """What is wrong with a catalog, with an input or with a request, in one line.

    Attributes:
        status: the exit status of ``python -m routesae`` for it: 65 for bad data, 66 for a missing input, 73 for an
            output that cannot be written.
    """

    def __init__(self, reason: str, status: int = BAD_DATA) -> None:
        # Names come from the file: they may neither break the line nor command a terminal.
        super().__init__("".join(c if c.isprintable() else " " for c in reason))
        self.status = status


def one_line(error: BaseException) -> str:
    """The message of any exception in one line."""
    return " ".join(str(error).split()) or type(error).__name__
