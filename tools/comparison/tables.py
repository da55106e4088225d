"""Numbers and tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import mean


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, without exponents."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def spread(values: Iterable[float], digits: int = 3) -> str:
    """A mean over seeds ± half the range; a dash for no values."""
    numbers = list(values)
    if not numbers:
        return "–"
    return f"{significant(mean(numbers), digits)} ± {significant((max(numbers) - min(numbers)) / 2, 2)}"


def table(columns: Sequence, lines: Iterable[Sequence]) -> str:
    """Rows as Markdown."""
    text = ["| " + " | ".join(map(str, columns)) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(text + ["| " + " | ".join(map(str, line)) + " |" for line in lines]) + "\n"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Words as a list in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def duration(seconds: float) -> str:
    """A time for people."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
