"""Census by decoder cosine alone, for a program that takes none itself.

A feature of a TopK dictionary of one layer is found by a dictionary if one of its decoder vectors has a cosine of at least
0.7 with it. Only TopK dictionaries of the same k and of other seeds count: those of the same seed start from the same
weights, and after a short training latent i of one still resembles latent i of another, whatever either has learned.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean

from .journal import Journal
from .plan import Entry, Plan
from .program import Program

COSINE = 0.7


def cosine_census(program: Program, catalog: Path, plan: Plan, journal: Journal, entry: Entry) -> None:
    """Notes in the journal what share of each layer's features a dictionary finds; nothing of a crosscoder, whose decoder
    has a part for every layer."""
    shares: dict[str, float] = {}
    if entry.system.settings["architecture"] != "crosscoder":
        for layer in plan.layers:
            if entry.system.settings.get("layers") == [layer]:
                continue
            found = []
            for other in plan.entries():
                if other.k == entry.k and other.seed != entry.seed and other.system.key == f"topk-l{layer}":
                    matched = json.loads(program.run(
                        "compare", catalog, "--features", "--dictionary", other.name, "--with", entry.name, "--limit", 0,
                        "--format", "json", shows=False))["features"]
                    found.append(mean(one["cosine"] >= COSINE for one in matched))
            if found:
                shares[str(layer)] = mean(found)
    journal.census[entry.name] = shares
