"""The layers to collect: as a person writes them, and checked against a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import USAGE, CollectError


def parse_layers(text: str) -> list[int] | None:
    """Layers as a person writes them: `3-11`, `3,5,7`, `4`; None for `all`.  Ascending, each once.

    Raises:
        CollectError: the text has another form.
    """
    if text == "all":
        return None
    layers: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            raise CollectError(f"--layers is {text}; allowed: 3-11, 3,5,7 or all", USAGE)
        layers.update(range(first, last + 1))
    return sorted(layers)


def check_layers(asked: Sequence[int] | None, count: int, model: str) -> list[int]:
    """The layers asked for, all of them where none are named.

    Raises:
        CollectError: the model, of ``count`` layers, lacks one.
    """
    for layer in asked or []:
        if layer >= count:
            raise CollectError(f"--layers names layer {layer}; {model} has layers 0 ... {count - 1}", USAGE)
    return list(range(count)) if asked is None else list(asked)
