"""What came out: the figures of every dictionary, from the catalog."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from .journal import Journal
from .measures import GOOD_SCORE, THRESHOLDS
from .plan import Entry, Plan
from .program import Program, rows


@dataclass
class Dictionary:
    """A dictionary and its figures; those that the catalog has not are absent."""

    label: str
    k: int
    seed: int
    values: dict[str, float] = field(default_factory=dict)
    #: Metric, then layer.
    by_layer: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def shares(self) -> dict[int, float]:
        """The share of the tokens that is read at each layer; empty for a dictionary of one layer."""
        return self.by_layer.get("routing_share", {})


class Figures:
    """All dictionaries, by system, k and seed."""

    def __init__(self, dictionaries: list[Dictionary], steps: dict[str, float] | None = None) -> None:
        self.dictionaries = dictionaries
        #: Of figures that are counted, the step: one feature, or what one scored feature stands for.
        self.steps = steps or {}
        self.labels = list(dict.fromkeys(one.label for one in dictionaries))
        self.ks = list(dict.fromkeys(one.k for one in dictionaries))

    def of(self, label: str, k: int) -> list[Dictionary]:
        """A system's dictionaries at some k, by seed."""
        return sorted((one for one in self.dictionaries if one.label == label and one.k == k), key=lambda one: one.seed)

    def values(self, label: str, k: int, metric: str) -> dict[int, float]:
        """A system's figures at some k, by seed."""
        return {one.seed: one.values[metric] for one in self.of(label, k) if metric in one.values}

    def has(self, metric: str) -> bool:
        """Whether any dictionary has a figure."""
        return any(metric in one.values for one in self.dictionaries)


def read(program: Program, catalog: Path, plan: Plan, journal: Journal) -> Figures:
    """The figures of what is planned and made."""
    numbers = dict(rows(catalog, "SELECT name, dictionary_id FROM dictionary"))
    counts, scores = counted(program, catalog), scored(program, catalog)
    found = []
    for entry in plan.entries():
        number = numbers.get(entry.name)
        if number is None:
            continue
        one = Dictionary(entry.system.label, entry.k, entry.seed)
        # In the order of the runs, so that the newest stays.
        for metric, layer, value in rows(
                catalog, "SELECT metric, layer, value FROM evaluation WHERE dictionary_id = ? AND value IS NOT NULL "
                "ORDER BY run_id", number):
            if layer is None:
                one.values[metric] = value
            else:
                one.by_layer.setdefault(metric, {})[layer] = value
        take_census(one, entry, journal)
        if shares := one.by_layer.get("census"):
            # Of a single-layer dictionary `census` leaves out its own layer.
            one.values["census_with_own"] = mean(shares.values())
        if rows(catalog, "SELECT 1 FROM indexing WHERE dictionary_id = ?", number):
            one.values["alive"] = rows(
                catalog, "SELECT count(*) FROM feature WHERE dictionary_id = ? AND n_fired > 0", number)[0][0]
        one.values |= counts.get(entry.name, {}) | scores.get(entry.name, {})
        found.append(one)
    scored_for = plan.preset.latents / plan.preset.sample
    return Figures(found, {
        **{f"count_{place}": 1.0 for place in range(len(THRESHOLDS))},
        "above_chance": scored_for, "well_explained": scored_for, "alive": 1.0})


def take_census(one: Dictionary, entry: Entry, journal: Journal) -> None:
    """Adds the census by decoder cosine that the journal has: the mean over the layers."""
    shares = journal.census.get(entry.name)
    if shares:
        one.values["census_by_cosine"] = mean(shares.values())
        one.by_layer["census_by_cosine"] = {int(layer): share for layer, share in shares.items()}


def counted(program: Program, catalog: Path) -> dict[str, dict[str, float]]:
    """Features by the paper's protocol, by dictionary; empty before indexing."""
    if not rows(catalog, "SELECT 1 FROM indexing LIMIT 1"):
        return {}
    found: dict[str, dict[str, float]] = {}
    for row in json.loads(program.run(
            "count", catalog, "--all-dictionaries", "--relative-threshold", *THRESHOLDS, "--format", "json", shows=False)):
        found.setdefault(row["dictionary"], {})[row["threshold"]] = row["with_class_rule"]
    # Of each dictionary its own thresholds, shares of the width that it reads, in the order asked.
    return {
        name: {f"count_{place}": own[threshold] for place, threshold in enumerate(sorted(own))}
        for name, own in found.items()
    }


def scored(program: Program, catalog: Path) -> dict[str, dict[str, float]]:
    """Scores of explanations, by dictionary; empty before scoring."""
    if not rows(catalog, "SELECT 1 FROM score LIMIT 1"):
        return {}
    found: dict[str, dict[str, float]] = {}
    for least, names in (
            (None, {"score": "mean_score", "chance": "mean_chance", "above_chance": "estimated"}),
            (GOOD_SCORE, {"well_explained": "estimated"})):
        for row in json.loads(program.run(
                "count", catalog, "--by-score", "--all-dictionaries", "--format", "json",
                *(["--min-score", least] if least else []), shows=False)):
            own = {key: row[column] for key, column in names.items() if row.get(column) is not None}
            found.setdefault(row["dictionary"], {}).update(own)
    return found
