"""Training: the sweeps of the comparison, from where they were left."""

from __future__ import annotations

import json
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


def train(program: Program, catalog: Path, plan: Plan, journal: Journal, knobs: dict[tuple[str, int], float]) -> None:
    """Trains what the catalog lacks; `knobs` has the settings of systems without k (knobs.py)."""
    planned = sweeps(plan)
    for number, entries in enumerate(planned, start=1):
        complete(program, catalog, plan.stream(), journal, f"training {number} of {len(planned)}",
                 [one.settings(knobs) for one in entries])
