"""How long a comparison takes on two idle cores."""

from __future__ import annotations

from dataclasses import dataclass

from .plan import Entry, Plan
from .systems import ROUNDS

#: Minutes that a sweep may take; what is more goes to the next one.
SWEEP_MINUTES = 25


@dataclass(frozen=True)
class Rates:
    """What two cores with AVX-512 and bf16 do with the demo's model, from processor time measured once."""

    #: Tokens · latents · width a second, in training of a TopK dictionary with k = 32.
    training: float = 1.05e11
    #: What another 32 active latents add to that time, as a share.
    by_k: float = 0.15
    #: Tokens a second of the language model up to the last routed layer, and seconds before the first.
    model: float = 13_000
    start: float = 3
    #: Seconds for each dictionary: indexing, evaluation and measures by the token, scores by the feature.
    indexing: float = 3.5 / 16_000
    evaluation: float = 1.5 / 16_000
    measures: float = 1.5 / 20_000
    #: Of the measures, coverage: seconds by the token at k = 32, and as many more for each further 32.
    coverage: float = 9.5 / 20_000
    scores: float = 3 / 60
    #: Seconds that every call of the program takes beside.
    call: float = 0.3


RATES = Rates()


def training_seconds(plan: Plan, entry: Entry, tokens: int, rates: Rates = RATES) -> float:
    """Training of one dictionary, the language model not counted."""
    return (
        entry.system.weight * (1 + rates.by_k * (entry.k / 32 - 1)) * tokens * plan.preset.latents * plan.width
        / rates.training)


def model_seconds(tokens: int, rates: Rates = RATES) -> float:
    """The language model's part of a sweep."""
    return rates.start + tokens / rates.model


def sweeps(plan: Plan, rates: Rates = RATES) -> list[list[Entry]]:
    """The dictionaries, divided into sweeps of SWEEP_MINUTES or less, in the order of the plan."""
    found: list[list[Entry]] = []
    left = 0.0
    for entry in plan.entries():
        seconds = training_seconds(plan, entry, plan.preset.tokens, rates)
        if not found or seconds > left:
            found.append([])
            left = 60 * SWEEP_MINUTES - model_seconds(plan.preset.tokens, rates)
        found[-1].append(entry)
        left -= seconds
    return found


def estimate(plan: Plan, rates: Rates = RATES) -> dict[str, float]:
    """Seconds by stage."""
    preset = plan.preset
    dictionaries = len(plan.entries())
    found = {}
    if plan.knobbed():
        found["settings"] = model_seconds(preset.pilot_tokens, rates) + sum(
            len(one.knob.values) * training_seconds(plan, Entry(one, plan.first_k, 0), preset.pilot_tokens, rates)
            for one in plan.knobbed())
        found["settings, whole length"] = (ROUNDS - 1) * (model_seconds(preset.tokens, rates) + sum(
            training_seconds(plan, Entry(one, plan.first_k, 0), preset.tokens, rates) for one in plan.knobbed()))
    for number, entries in enumerate(sweeps(plan, rates), start=1):
        found[f"training {number}"] = model_seconds(preset.tokens, rates) + sum(
            training_seconds(plan, one, preset.tokens, rates) for one in entries)
    return found | {
        "indexing": dictionaries * (rates.call + rates.indexing * preset.index_tokens),
        "evaluation": dictionaries * rates.evaluation * preset.index_tokens,
        "measures": preset.measure_tokens * sum(
            rates.measures + rates.coverage * entry.k / 32 for entry in plan.entries()),
        "scores": dictionaries * (rates.call + rates.scores * preset.sample),
    }
