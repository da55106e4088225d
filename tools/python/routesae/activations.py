"""The activations of a window, from ``feature_context.other_activations``: `{"12":1.23,"27":2.6}`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .errors import CatalogError

#: The longest window of a context.
MOST_WINDOW = 1 << 20
#: The most characters of an activation, and of all that stands for one token.
MOST_DIGITS, MOST_PER_TOKEN = 64, 64 + len('"1048575":,')
_ITEM = r'"(?:0|[1-9][0-9]{0,6})":-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?'
_OBJECTS = re.compile(rf"(?:\{{{_ITEM}(?:,{_ITEM})*\}}\n)*", re.ASCII)
_ACTIVATION = re.compile(r'"(0|[1-9][0-9]{0,6})":(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)', re.ASCII)
_TO_SPACES = str.maketrans('{}",:', "     ")
_FORM = "its activations are not a JSON object of places and numbers"


def window_activations(
    text: str | None, peak: int, activation: float, length: int, place: str
) -> npt.NDArray[np.float32]:
    """The activations on the tokens of one window, ``[length]``.

    Args:
        text: the other tokens that fire: their places in the window, ascending, and activations; None for none.
        peak: the place of the peak, whose activation is ``activation``.
        length: tokens in the window.
        place: names the context in errors.

    Raises:
        CatalogError: the text is not of that form, or a number is not finite.
    """
    if not 0 <= peak < length <= MOST_WINDOW:
        raise CatalogError(f"{place}: token {peak} is the peak of a window of {length}")
    if text is not None and len(text) > 2 + length * MOST_PER_TOKEN:
        raise CatalogError(f"{place}: {len(text)} characters are too many for the activations of {length} tokens")
    if text is not None and (len(text) < 2 or text[0] != "{" or text[-1] != "}"):
        raise CatalogError(f"{place}: {_FORM}")
    last = -1
    places, values = [peak], [activation]
    for item in () if text is None else text[1:-1].split(","):
        found = _ACTIVATION.fullmatch(item)
        if not found or len(found[2]) > MOST_DIGITS:
            raise CatalogError(f"{place}: {_FORM}")
        token = int(found[1])
        if token >= length:
            raise CatalogError(f"{place}: has an activation at token {token} of a window of {length}")
        if token == peak:
            raise CatalogError(f"{place}: has the peak, token {token}, among its other activations")
        if token <= last:
            raise CatalogError(f"{place}: the places of its activations do not ascend at token {token}")
        places.append(token)
        values.append(float(found[2]))
        last = token
    with np.errstate(over="ignore"):
        singles = np.array(values, np.float64).astype(np.float32)
    for token, value in zip(places, singles):
        if not np.isfinite(value) or value == 0 and token != peak:
            what = "zero" if value == 0 else "not a finite number"
            raise CatalogError(f"{place}: the activation of token {token} is {what}")
    result = np.zeros(length, np.float32)
    result[places] = singles
    return result


def other_activations(
    texts: Sequence[str], peaks: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]] | None:
    """The activations of many windows at once, from the texts of those that have other tokens that fire.

    Returns:
        The window of each activation, its place there, and its value; None where a text breaks a rule of
        ``window_activations``, which then says which.
    """
    if not texts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    joined = "\n".join(texts) + "\n"
    # A line feed within a text is a break of form, too: no line would match then.
    if not joined.isascii() or joined.count("\n") != len(texts) or not _OBJECTS.fullmatch(joined):
        return None
    words = joined.translate(_TO_SPACES).split()
    if max(map(len, words)) > MOST_DIGITS:
        return None
    windows = np.repeat(np.arange(len(texts)), [text.count(":") for text in texts])
    places = np.array(words[::2], np.int64)
    with np.errstate(over="ignore"):
        values = np.array(words[1::2]).astype(np.float64).astype(np.float32)
    follows = (windows[1:] == windows[:-1]) & (places[1:] <= places[:-1])
    if (
        follows.any()
        or (places >= lengths[windows]).any()
        or (places == peaks[windows]).any()
        or not np.isfinite(values).all()
        or (values == 0).any()
    ):
        return None
    return windows, places, values
