"""Reseed noise: the smallest difference of two systems that may be claimed."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import mean


def smallest_claim(one: Sequence[float], other: Sequence[float], step: float = 0) -> float | None:
    """The smallest difference of the means of two systems, each over its seeds, that may be claimed.

    t(0.975, ν) · s · √(1/n₁ + 1/n₂) with ν = n₁ + n₂ − 2 and s² the variance of both about their means (Student 1908, two
    samples of one variance, two-sided): systems that do not differ show such a difference in one draw of the seeds in
    twenty. `routesae compare --by-configuration` has the same figure. A figure that is counted in steps has at least the
    variance of rounding, step² / 12: few seeds may agree by chance. None where no system has two seeds.
    """
    freedom = len(one) + len(other) - 2
    if not one or not other or freedom < 1:
        return None
    scatter = sum((value - mean(side)) ** 2 for side in (one, other) for value in side)
    variance = max(scatter / freedom, step ** 2 / 12)
    return student_quantile(freedom) * math.sqrt(variance * (1 / len(one) + 1 / len(other)))


@functools.cache
def student_quantile(freedom: int, share: float = 0.975) -> float:
    """The quantile of Student's t, by bisection."""
    low, high = 0.0, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_share(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def student_share(t: float, freedom: int) -> float:
    """P(T ≤ t), t ≥ 0, for a whole number of degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    if freedom % 2:
        term, total = cosine, cosine if freedom > 1 else 0.0
        for n in range(3, freedom - 1, 2):
            term *= (n - 1) / n * cosine ** 2
            total += term
        between = 2 / math.pi * (angle + math.sin(angle) * total)
    else:
        term, total = 1.0, 1.0
        for n in range(2, freedom - 1, 2):
            term *= (n - 1) / n * cosine ** 2
            total += term
        between = math.sin(angle) * total
    return (1 + between) / 2
