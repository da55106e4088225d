"""Windows: the tokens that the model sees at once, cut from a document, with special tokens around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..errors import USAGE, CollectError

#: The longest window unless --context asks for more.
DEFAULT_CONTEXT = 2048


class Framing(NamedTuple):
    """The special tokens around each window, and whether the model is a decoder with BOS, which gets a row."""

    prefix: list[int]
    suffix: list[int]
    writes_bos: bool

    @property
    def special(self) -> int:
        """Tokens of a window that are not the document's."""
        return len(self.prefix) + len(self.suffix)


def framing(prefix: list[int], suffix: list[int], bos: int | None, causal: bool) -> Framing:
    """What to put around a window, from what the tokenizer puts around a text.

    In a decoder no token sees what follows, so nothing is put at its end.
    """
    return Framing(prefix, [] if causal else suffix, causal and bos is not None and prefix == [bos])


class Window(NamedTuple):
    """What the model sees at once: ids with the special tokens, and which of them get rows, ``ids[first:end]``."""

    document: int
    ids: list[int]
    first: int
    end: int

    @property
    def rows(self) -> int:
        """The tokens that get rows."""
        return self.end - self.first


def windows(ids: Sequence[int], document: int, context: int, around: Framing) -> Iterator[Window]:
    """Cuts a document's tokens into windows of at most `context` tokens, special ones included."""
    length = context - around.special
    first = 0 if around.writes_bos else len(around.prefix)
    for start in range(0, len(ids), length):
        piece = list(ids[start : start + length])
        yield Window(document, around.prefix + piece + around.suffix, first, len(around.prefix) + len(piece))


def limited(source: Iterable[Window], most: int | None) -> Iterator[Window]:
    """The windows up to the one with which `most` rows are reached."""
    rows = 0
    for window in source:
        yield window
        rows += window.rows
        if most is not None and rows >= most:
            return


def check_context(asked: int | None, most: int | None, special: int) -> int:
    """The window length: by default all the model's positions, 2048 at most.

    Args:
        asked: the length that was asked for, None for the default.
        most: the positions of the model, None for any number.
        special: tokens that are put around each window, which have to fit as well.

    Raises:
        CollectError: the model takes no window of that length.
    """
    least = max(2, special + 1)
    if asked is None:
        asked = min(most or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
    if asked < least or (most is not None and asked > most):
        raise CollectError(
            f"--context is {asked}; this model takes {least} ... {most or 'any number of'} tokens", USAGE
        )
    return asked
