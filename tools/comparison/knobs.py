"""Settings of systems without k that bring their L0 to k, found by a pilot sweep."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

from .journal import Journal
from .plan import Plan
from .program import Program, rows, say
from .sweeps import complete
from .systems import ROUNDS, System

STAGE = "settings of systems without k"
#: How far L0 may be from k, of its logarithm: what the report calls equal is 0.05.
NEAR_ENOUGH = 0.04
#: L0 below which a training counts as collapsed, so that curves stay flat there.
LEAST_LEVEL = 1.0


@dataclass(frozen=True)
class Curve:
    """Measured L0 over a setting, logarithms of both, ascending by the setting; between two points a line."""

    points: list[tuple[float, float]]

    @classmethod
    def measured(cls, levels: dict[float, float]) -> Curve:
        """The curve through some L0 by setting."""
        return cls(sorted((math.log(setting), math.log(max(level, LEAST_LEVEL))) for setting, level in levels.items()))

    def crossing(self, level: float, reach: float = 2) -> float:
        """The setting with some L0; beyond the ends along the last line, by a factor of `reach` at most."""
        target = math.log(level)
        if len(self.points) == 1:
            return float(f"{math.exp(self.points[0][0]):.4g}")
        pairs = list(zip(self.points, self.points[1:]))
        chosen = next((pair for pair in pairs if pair[1][1] <= target <= pair[0][1]), None)
        if chosen is None:
            chosen = pairs[0] if target > self.points[0][1] else pairs[-1]
        (x0, y0), (x1, y1) = chosen
        place = x0 if y1 == y0 else x0 + (target - y0) * (x1 - x0) / (y1 - y0)
        beyond = math.log(reach)
        return float(f"{math.exp(max(min(place, self.points[-1][0] + beyond), self.points[0][0] - beyond)):.4g}")

    def level(self, setting: float) -> float:
        """The L0 of a setting; beyond the ends along the last line."""
        x = math.log(setting)
        if len(self.points) == 1:
            return math.exp(self.points[0][1])
        pairs = list(zip(self.points, self.points[1:]))
        (x0, y0), (x1, y1) = next((pair for pair in pairs if x <= pair[1][0]), pairs[-1])
        return math.exp(y0 + (x - x0) * (y1 - y0) / (x1 - x0))

    def through(self, setting: float, level: float) -> Curve:
        """The curve moved so that it goes through a point."""
        shift = math.log(max(level, LEAST_LEVEL)) - math.log(self.level(setting))
        return Curve([(x, y + shift) for x, y in self.points])


@dataclass(frozen=True)
class Search:
    """The search for the setting with which a system without k ends at some L0."""

    k: int
    #: L0 by setting after the pilot's length, and after the comparison's.
    pilot: dict[float, float]
    whole: dict[float, float]

    def nearest(self) -> float | None:
        """Of those trained for the whole length, the setting whose L0 is nearest to k."""
        return min(self.whole, key=lambda setting: self.distance(self.whole[setting]), default=None)

    def distance(self, level: float) -> float:
        """How far an L0 is from k, of its logarithm."""
        return abs(math.log(max(level, LEAST_LEVEL) / self.k))

    @property
    def is_done(self) -> bool:
        """Whether a setting is near enough."""
        return bool(self.whole) and self.distance(self.whole[self.nearest()]) <= NEAR_ENOUGH

    def next(self) -> float:
        """The setting to train: where the whole lengths cross k, or the pilot's curve, moved to the one that is known."""
        if not self.whole:
            return Curve.measured(self.pilot).crossing(self.k, reach=1)
        if len(self.whole) > 1:
            return Curve.measured(self.whole).crossing(self.k)
        (setting, level), = self.whole.items()
        found = Curve.measured(self.pilot).through(setting, level).crossing(self.k)
        return max(min(found, 2 * setting), setting / 2)


def find_knobs(program: Program, catalog: Path, plan: Plan, journal: Journal) -> dict[tuple[str, int], float]:
    """For each system without k the setting that gives an L0 of k, by system and k.

    The pilot sweep trains each at several values, in a catalog of its own. From there the settings are trained for the
    comparison's whole length, on which L0 depends, until one is near enough to k, ROUNDS times at most.
    """
    known = {(system, k): value for system, k, value in journal.knobs}
    wanted = {
        (entry.system.key, entry.k): entry.system for entry in plan.entries()
        if entry.system.knob and (entry.system.key, entry.k) not in known}
    if not wanted:
        return known
    pilot = catalog.with_name(catalog.stem + "-settings.sqlite")
    complete(program, pilot, plan.stream() | {"tokens": plan.preset.pilot_tokens}, journal, STAGE, plan.pilot())
    is_whole = plan.preset.pilot_tokens == plan.preset.tokens
    searches = {}
    for (key, k), system in wanted.items():
        levels = measured_levels(pilot, system, system.pilots())
        searches[key, k] = Search(k, levels, dict(levels) if is_whole else {})
    for number in range(1, ROUNDS + 1):
        tried = {one: search.next() for one, search in searches.items() if not search.is_done}
        tried = {one: setting for one, setting in tried.items() if setting not in searches[one].whole}
        if not tried:
            break
        names = {(key, k): f"{key}-k{k}-whole-{number}" for key, k in tried}
        complete(program, pilot, plan.stream(), journal, STAGE + ", whole length", [
            {"name": names[one], "seed": 0, **wanted[one].settings, wanted[one].knob.key: setting}
            for one, setting in tried.items()])
        for one in tried:
            searches[one].whole.update(measured_levels(pilot, wanted[one], [names[one]]))
    for one, search in searches.items():
        known[one] = search.nearest()
        level = search.whole[known[one]]
        say(f"{wanted[one].label}: {wanted[one].knob.key} {known[one]:g} ends at an L0 of {level:.4g}, k is {search.k}")
    journal.knobs = [[system, k, value] for (system, k), value in known.items()]
    journal.save()
    return known


def measured_levels(pilot: Path, system: System, names: list[str]) -> dict[float, float]:
    """The L0 at the end of the training, by setting, of some dictionaries of the pilot sweep."""
    measured = dict(rows(
        pilot,
        f"""SELECT r.config ->> '$.{system.knob.key}', (SELECT avg(value) FROM (SELECT value FROM run_metric AS m
            WHERE m.run_id = r.run_id AND m.name = 'l0' ORDER BY step DESC LIMIT 3))
            FROM dictionary AS d JOIN run AS r USING (run_id) WHERE d.name IN ({", ".join("?" * len(names))})""", *names))
    if not measured:
        sys.exit(f"{pilot}: {names[0]} was not trained to the end; the setting of {system.label} is unknown")
    return measured
