"""Which differences between RouteSAE and its rivals count."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from statistics import mean

from .figures import Figures
from .measures import MEASURES, Measure
from .noise import smallest_claim
from .systems import OURS, RANDOM

#: KL of TopK dictionaries at the layers that RouteSAE reads, by the shares in which it reads them.
SAME_LAYERS = Measure("kl_same_layers", "KL over the layers that it reads", -1, "cost", True, "nats")


class Verdict(enum.Enum):
    """What a comparison over several seeds says."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "no difference that counts"
    ONE_SEED = "one seed: no claim"


@dataclass(frozen=True)
class Duel:
    """A system against another, by one measure at one k."""

    measure: Measure
    k: int
    rival: str
    #: Figures by seed.
    ours: dict[int, float]
    theirs: dict[int, float]
    #: The step in which the figure is counted.
    step: float = 0

    @property
    def difference(self) -> float:
        """Ours minus theirs, of the means."""
        return mean(self.ours.values()) - mean(self.theirs.values())

    @property
    def noise(self) -> float | None:
        """The smallest difference that may be claimed."""
        return smallest_claim(list(self.ours.values()), list(self.theirs.values()), self.step)

    @property
    def wins(self) -> tuple[int, int]:
        """In how many seeds ours is better, of how many that both have."""
        seeds = self.ours.keys() & self.theirs.keys()
        return sum(self.measure.sign * (self.ours[seed] - self.theirs[seed]) > 0 for seed in seeds), len(seeds)

    @property
    def verdict(self) -> Verdict:
        """Better or worse only in every seed, and by more than the reseed noise."""
        noise, (wins, seeds) = self.noise, self.wins
        if noise is None or seeds < 2:
            return Verdict.ONE_SEED
        if abs(self.difference) <= noise:
            return Verdict.SAME
        losses = sum(
            self.measure.sign * (self.ours[seed] - self.theirs[seed]) < 0
            for seed in self.ours.keys() & self.theirs.keys())
        return Verdict.BETTER if wins == seeds else Verdict.WORSE if losses == seeds else Verdict.SAME


def duel(figures: Figures, measure: Measure, k: int, label: str, rival: str) -> Duel | None:
    """A system against another; None if either lacks the figure."""
    ours, theirs = figures.values(label, k, measure.key), figures.values(rival, k, measure.key)
    return Duel(measure, k, rival, ours, theirs, figures.steps.get(measure.key, 0)) if ours and theirs else None


def best_topk(figures: Figures, measure: Measure, k: int) -> str | None:
    """The TopK layer with the best mean over the seeds, chosen for this measure after the fact."""
    means = {
        label: mean(values.values())
        for label in figures.labels if label.startswith("TopK layer") and (values := figures.values(label, k, measure.key))
    }
    return max(means, key=lambda label: measure.sign * means[label]) if means and measure.sign else None


def same_layers(figures: Figures, k: int) -> Duel | None:
    """RouteSAE's KL against TopK at the layers that it reads: of each seed Σ_l share_l · KL of TopK at layer l."""
    ours = figures.values(OURS.label, k, "kl")
    theirs: dict[int, float] = {}
    for one in figures.of(OURS.label, k):
        costs = {layer: figures.values(f"TopK layer {layer}", k, "kl").get(one.seed) for layer in one.shares}
        if one.shares and all(cost is not None for cost in costs.values()):
            theirs[one.seed] = sum(share * costs[layer] for layer, share in one.shares.items())
    return Duel(SAME_LAYERS, k, "TopK at those layers", ours, theirs) if ours and theirs else None


@dataclass(frozen=True)
class Row:
    """A measure on the first screen."""

    measure: Measure
    k: int
    #: RouteSAE's mean.
    ours: float
    topk: Duel | None
    random: Duel | None


def is_without_skill(figures: Figures, measure: Measure, k: int) -> bool:
    """Whether RouteSAE, Random and all TopK are at or below the floor of a measure, so that their differences say nothing."""
    floor = figures.values(OURS.label, k, measure.floor)
    means = [
        mean(values.values()) for label in figures.labels
        if (label in (OURS.label, RANDOM.label) or label.startswith("TopK layer"))
        and (values := figures.values(label, k, measure.key))]
    return bool(floor) and all(value <= mean(floor.values()) for value in means)


def first_rows(figures: Figures, k: int) -> list[Row]:
    """The first screen at some k: what RouteSAE has, against TopK at its best layer for each measure and Random."""
    found = []
    for measure in MEASURES:
        ours = figures.values(OURS.label, k, measure.key)
        if not measure.is_first or not ours or is_without_skill(figures, measure, k):
            continue
        best = best_topk(figures, measure, k)
        found.append(Row(
            measure, k, mean(ours.values()), duel(figures, measure, k, OURS.label, best) if best else None,
            duel(figures, measure, k, OURS.label, RANDOM.label)))
        if measure.key == "kl" and (matched := same_layers(figures, k)):
            found.append(Row(SAME_LAYERS, k, mean(matched.ours.values()), matched, None))
    return found
