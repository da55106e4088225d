"""Sizes of the comparison: `full`, `small` for a first look, `tiny` for the tests."""

from __future__ import annotations

from dataclasses import dataclass

from .systems import VARIANTS


@dataclass(frozen=True)
class Preset:
    """A comparison's sizes, and what is compared."""

    latents: int
    #: Active latents of a token. Systems that are trained at one k only take the first.
    k: tuple[int, ...]
    seeds: tuple[int, ...]
    #: Training tokens, those of the pilot sweep, and those of a batch.
    tokens: int
    pilot_tokens: int
    batch_tokens: int
    context: int
    #: Tokens of indexing and of the evaluation with reconstructions.
    index_tokens: int
    #: Tokens of census, coverage, probing and coherence.
    measure_tokens: int
    #: Features of each dictionary that are scored.
    sample: int
    #: Names of systems (systems.py) that are trained at every k, and at the first k alone.
    every_k: tuple[str, ...]
    first_k: tuple[str, ...]
    #: How many of the seeds those in COSTLY have.
    costly_seeds: int
    #: Routed layers; None takes the paper's, from the model.
    layers: tuple[int, ...] | None = None


#: Systems that cost two to nine times a TopK dictionary.
COSTLY = ("jumprelu", "crosscoder", "mlsae", "gated", "vanilla")

PRESETS = {
    "full": Preset(
        latents=4096, k=(32, 64), seeds=(0, 1, 2), tokens=2_000_000, pilot_tokens=250_000, batch_tokens=2048, context=512,
        index_tokens=16_000, measure_tokens=12_000, sample=60,
        every_k=("route", "topk", "random", "batchtopk", "matryoshka"),
        first_k=(*(one.key for one in VARIANTS), *COSTLY), costly_seeds=2),
    "small": Preset(
        latents=1024, k=(32,), seeds=(0, 1), tokens=200_000, pilot_tokens=200_000, batch_tokens=1024, context=512,
        index_tokens=16_000, measure_tokens=12_000, sample=40,
        every_k=("route", "topk", "random", "batchtopk", "matryoshka"),
        first_k=("route-no-exploration", "route-own-errors", "route-batchtopk", "route-soft-sum", *COSTLY),
        costly_seeds=2),
    "tiny": Preset(
        latents=256, k=(16,), seeds=(0, 1), tokens=4096, pilot_tokens=2048, batch_tokens=256, context=128,
        index_tokens=2048, measure_tokens=2048, sample=4, every_k=("route", "topk", "random"),
        first_k=("route-own-errors", "batchtopk", "jumprelu"), costly_seeds=2, layers=(3, 5, 7)),
}
