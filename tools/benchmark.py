#!/usr/bin/env python3
"""Measure speed and memory, and write them as a table of ratios: docs/benchmarks.md.

Standard library only. Ratios are taken within one run of the program (a step against the encode product, a peak against
its formula) or between runs that take turns (a sweep of eight against one), so that they mean something on a noisy
machine; the median of several. --quick does each once. The comparison with transformers needs PyTorch
(tools/requirements.txt) in the Python that runs this, and is left out where it is missing.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from benchmarks.catalog import catalogs, starts
from benchmarks.model import decoding, evaluating, families, forward, indexing, precisions, scoring
from benchmarks.program import ROOT, machine
from benchmarks.training import auxiliary, halves, memory, peers, products, steps, streams, sweeps, systems

SECTIONS = {
    "A training step against its encode product": steps,
    "A training step in bf16 against its encode product": halves,
    "A training step against PyTorch's": peers,
    "Products by our kernels and by other libraries": products,
    "Every system": systems,
    "Reading a stream against reading files": streams,
    "What AuxK adds to a step": auxiliary,
    "A sweep of eight dictionaries against one, live from the demo model": sweeps,
    "Peak memory of training against its formula (`TrainingMemory`)": memory,
    "Reconstruction after training in bf16 and in f32": precisions,
    "The forward pass against transformers": forward,
    "Families against Llama": families,
    "Decoding against reading the weights": decoding,
    "Evaluating in passes of the model": evaluating,
    "Indexing against its encode product": indexing,
    "Explaining and scoring offline": scoring,
    "Catalog": catalogs,
    "The start of a process": starts,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a first look")
    parser.add_argument("--only", metavar="TEXT", help="measure only the sections whose title holds this; keep the others")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    earlier = {}
    if options.only and options.output.exists():
        for part in options.output.read_text().split("\n## ")[1:]:
            title, _, text = part.partition("\n\n")
            earlier[title] = text.strip("\n") + "\n"
    has_torch = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
    parts = []
    for title, measure in SECTIONS.items():
        if options.only and options.only.lower() not in title.lower():
            text = earlier.get(title)
        elif measure in (forward, families, peers) and not has_torch:
            text = None
        else:
            text = measure(options.quick)
        if text:
            parts.append(f"## {title}\n\n{text}")
    text = ("# Benchmarks\n\nRatios, measured by `make benchmark` (`tools/benchmark.py`) on: " + machine() + ".\n\n"
            + "\n".join(parts))
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
