"""The layers that a ``random`` dictionary draws for tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def draw_keys(document: int, positions: Any) -> npt.NDArray[np.uint64]:
    """The keys by which a ``random`` dictionary draws the layers of tokens, by document and position.

    Indexing uses the document's ordinal and the token's position in it; ``routesae encode`` document 0 and the row.
    """
    with np.errstate(over="ignore"):
        text = _mixed(np.array([document & (1 << 64) - 1], np.uint64))
        return _mixed(text + np.asarray(positions, np.int64).astype(np.uint64))


def _mixed(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The output function of SplitMix64."""
    value = (value ^ value >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ value >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return value ^ value >> np.uint64(31)


def drawn(keys: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.int64]:
    """A place among ``count`` for each key: the upper 64 bits of its mixed value times the count."""
    with np.errstate(over="ignore"):
        mixed = _mixed(keys)
        n, half, low = np.uint64(count), np.uint64(32), np.uint64(0xFFFFFFFF)
        return ((((mixed & low) * n >> half) + (mixed >> half) * n) >> half).astype(np.int64)
