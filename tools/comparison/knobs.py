"""Settings of systems without k that bring their L0 to k, found by a pilot sweep."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

from .journal import Journal
from .plan import Plan
from .program import Program, rows
from .sweeps import complete
from .systems import System

STAGE = "settings of systems without k"


@dataclass(frozen=True)
class Curve:
    """Measured L0 over a setting, logarithms of both, ascending by the setting; between two points a line."""

    points: list[tuple[float, float]]

    @classmethod
    def measured(cls, levels: dict[float, float]) -> Curve:
        """The curve through some L0 by setting."""
        return cls(sorted((math.log(setting), math.log(max(level, 1e-3))) for setting, level in levels.items()))

    def crossing(self, level: float) -> float:
        """The setting with some L0; beyond the ends along the last line, a factor e above at most and e² below."""
        target = math.log(level)
        if len(self.points) == 1:
            return math.exp(self.points[0][0])
        pairs = list(zip(self.points, self.points[1:]))
        chosen = next((pair for pair in pairs if pair[1][1] <= target <= pair[0][1]), None)
        if chosen is None:
            chosen = pairs[0] if target > self.points[0][1] else pairs[-1]
        (x0, y0), (x1, y1) = chosen
        place = x0 if y1 == y0 else x0 + (target - y0) * (x1 - x0) / (y1 - y0)
        return float(f"{math.exp(max(min(place, self.points[-1][0] + 1), self.points[0][0] - 2)):.4g}")

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
        shift = math.log(max(level, 1e-3)) - math.log(self.level(setting))
        return Curve([(x, y + shift) for x, y in self.points])


def find_knobs(program: Program, catalog: Path, plan: Plan, journal: Journal) -> dict[tuple[str, int], float]:
    """For each system without k the setting that gives an L0 of k, by system and k.

    The pilot sweep trains each at several values, in a catalog of its own. L0 depends on the length of the training, so
    where the pilot is shorter than the comparison, the setting that it finds is trained once for the whole length, and
    the pilot's curve is moved to what that measures.
    """
    known = {(system, k): value for system, k, value in journal.knobs}
    wanted = {(entry.system.key, entry.k): entry.system for entry in plan.entries() if entry.system.knob}
    if wanted.keys() <= known.keys():
        return known
    pilot = catalog.with_name(catalog.stem + "-settings.sqlite")
    complete(program, pilot, plan.stream() | {"tokens": plan.preset.pilot_tokens}, journal, STAGE, plan.pilot())
    curves = {
        key: Curve.measured(measured_levels(pilot, system, system.pilots())) for (key, _), system in wanted.items()}
    found = {(key, k): curves[key].crossing(k) for key, k in wanted}
    if plan.preset.pilot_tokens < plan.preset.tokens:
        names = {(key, k): f"{key}-k{k}-whole" for key, k in wanted}
        complete(program, pilot, plan.stream(), journal, STAGE + ", whole length", [
            {"name": names[one], "seed": 0, **system.settings, system.knob.key: found[one]}
            for one, system in wanted.items()])
        for one, system in wanted.items():
            (setting, level), = measured_levels(pilot, system, [names[one]]).items()
            found[one] = curves[one[0]].through(setting, level).crossing(one[1])
    known |= found
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
