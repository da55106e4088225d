"""Training: the pilot sweep that finds settings, and the sweeps of the comparison."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from .cost import sweeps
from .journal import Journal
from .plan import Plan
from .program import BAD_INPUT, Program, rows, say
from .tables import duration


def names(catalog: Path) -> set[str]:
    """The dictionaries that a catalog has."""
    return {row[0] for row in rows(catalog, "SELECT name FROM dictionary")}


def complete(
    program: Program, catalog: Path, stream: dict, journal: Journal, stage: str, dictionaries: list[dict]
) -> None:
    """Trains those of some dictionaries that a catalog lacks, from the checkpoint if there is one."""
    wanted = [one for one in dictionaries if one["name"] not in journal.diverged]
    # A checkpoint may be of some of them; the others follow.
    while lacking := [one for one in wanted if one["name"] not in names(catalog)]:
        resumes = Path(f"{catalog}.checkpoint").exists()
        say(f"{stage}: {len(lacking)} dictionaries" + (", from the checkpoint" if resumes else ""))
        file = catalog.with_name(catalog.stem + "-sweep.json")
        file.write_text(json.dumps({**stream, "dictionaries": lacking}, indent=1))
        fresh = ["--config", file, *(["--append"] if catalog.exists() else [])]
        with journal.timed(stage):
            # Bad input: some diverged and dropped out; the others were trained to the end.
            program.run(
                "sweep", catalog, *(["--resume"] if resumes else fresh), "--format", "json", accepted=(0, BAD_INPUT))
        say(f"{stage}: {duration(journal.seconds[stage])}")
        if resumes:
            if Path(f"{catalog}.checkpoint").exists():
                sys.exit(f"{catalog}.checkpoint cannot be resumed; remove it to train its dictionaries from the start")
            continue
        missing = {one["name"] for one in lacking} - names(catalog)
        if len(missing) == len(lacking):
            sys.exit(f"{catalog}: no dictionary was trained")
        journal.diverged += sorted(missing)
        journal.save()
        return


def train(program: Program, catalog: Path, plan: Plan, journal: Journal) -> None:
    """Trains what the catalog lacks."""
    knobs = find_knobs(program, catalog, plan, journal)
    planned = sweeps(plan)
    for number, entries in enumerate(planned, start=1):
        complete(program, catalog, plan.stream(), journal, f"training {number} of {len(planned)}",
                 [one.settings(knobs) for one in entries])


def find_knobs(program: Program, catalog: Path, plan: Plan, journal: Journal) -> dict[tuple[str, int], float]:
    """For each system without k the setting that gives an L0 of k, by system and k.

    The pilot sweep trains each at several values, in a catalog of its own; log L0 is interpolated over the logarithm of
    the setting.
    """
    known = {(system, k): value for system, k, value in journal.knobs}
    wanted = [(entry.system, entry.k) for entry in plan.entries() if entry.system.knob]
    if all((system.key, k) in known for system, k in wanted):
        return known
    pilot = catalog.with_name(catalog.stem + "-settings.sqlite")
    stream = plan.stream() | {"tokens": plan.preset.pilot_tokens}
    complete(program, pilot, stream, journal, "settings of systems without k", plan.pilot())
    for system, k in wanted:
        measured = rows(
            pilot,
            f"""SELECT r.config ->> '$.{system.knob.key}', (SELECT avg(value) FROM (SELECT value FROM run_metric AS m
                WHERE m.run_id = r.run_id AND m.name = 'l0' ORDER BY step DESC LIMIT 3))
                FROM dictionary AS d JOIN run AS r USING (run_id)
                WHERE d.name IN ({", ".join("?" * len(system.knob.values))})""",
            *system.pilots())
        if not measured:
            sys.exit(f"{pilot}: no {system.label} was trained to the end; its setting for k = {k} is unknown")
        known[system.key, k] = crossing([(math.log(value), math.log(max(l0, 1e-3))) for value, l0 in measured], math.log(k))
    journal.knobs = [[system, k, value] for (system, k), value in known.items()]
    journal.save()
    return known


def crossing(points: list[tuple[float, float]], target: float) -> float:
    """The setting at which the measured L0, logarithms of both, crosses the target; beyond the ends, along the last line."""
    points = sorted(points)
    if len(points) == 1:
        return math.exp(points[0][0])
    pairs = list(zip(points, points[1:]))
    chosen = next((pair for pair in pairs if pair[1][1] <= target <= pair[0][1]), None)
    if chosen is None:
        chosen = pairs[0] if target > points[0][1] else pairs[-1]
    (x0, y0), (x1, y1) = chosen
    place = x0 if y1 == y0 else x0 + (target - y0) * (x1 - x0) / (y1 - y0)
    return float(f"{math.exp(max(min(place, points[-1][0] + 1), points[0][0] - 2)):.4g}")
