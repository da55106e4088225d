#!/usr/bin/env python3
"""The comparison of the RouteSAE paper (arXiv 2503.08200) on any model: docs/comparison.md and its plots.

Trains RouteSAE, its variants and every system of the paper on one stream, at several k and seeds; indexes, evaluates and
scores each on the same held-out text; and writes what may be claimed, tables and SVG plots. Everything is kept in two
catalogs and a JSON file, so a run that was interrupted goes on with the same command: --minutes stops it in time.

Exit status: 0 the report is written; 75 the time was up, and the same command goes on.

Standard library only; all numbers come from the program, by its command line and by SQL.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from pathlib import Path

from comparison import cost, figures
from comparison.journal import Journal
from comparison.plan import Inputs, Plan
from comparison.presets import PRESETS
from comparison.program import INTERRUPTED, OutOfTime, Program, say
from comparison.report import Report
from comparison.stages import make
from comparison.sweeps import names
from comparison.tables import duration

ROOT = Path(__file__).resolve().parent.parent


def parse() -> argparse.Namespace:
    """The options. Those of sizes override the preset's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="full", help="sizes: full, small or tiny; by default full")
    parser.add_argument("--model", default="Demo/model")
    parser.add_argument("--text", nargs="+", default=["Demo/text/train"])
    parser.add_argument("--heldout", nargs="+", default=["Demo/text/heldout"])
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--catalog", type=Path, default=Path("paper.sqlite"), help="where everything is kept")
    parser.add_argument("--output", type=Path, default=Path("docs/comparison.md"))
    parser.add_argument("--program", type=Path, default=ROOT / ".build" / "release" / "routesae")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes; the same command goes on")
    parser.add_argument("--dry-run", action="store_true", help="list the stages with the time they are estimated to take")
    parser.add_argument("--report-only", action="store_true", help="write the report on what is there")
    sizes = parser.add_argument_group("sizes, in place of the preset's")
    sizes.add_argument("--latents", type=int)
    sizes.add_argument("--k", type=int, nargs="+")
    sizes.add_argument("--seeds", type=int, nargs="+")
    sizes.add_argument("--tokens", type=int, help="training tokens")
    sizes.add_argument("--batch-tokens", type=int)
    sizes.add_argument("--context", type=int)
    sizes.add_argument("--index-tokens", type=int, help="tokens of indexing and of the evaluation with reconstructions")
    sizes.add_argument("--measure-tokens", type=int, help="tokens of census, coverage, probing and coherence")
    sizes.add_argument("--sample", type=int, help="features scored of each dictionary")
    sizes.add_argument("--without", nargs="+", default=[], metavar="SYSTEM", help="leave out: vanilla, gated, mlsae …")
    sizes.add_argument("--layers", type=int, nargs="+", help="routed layers; by default the paper's")
    return parser.parse_args()


def plan_of(options: argparse.Namespace, program: Program) -> Plan:
    """What is compared; the program reads the model's shape."""
    preset = PRESETS[options.preset]
    given = {field.name: getattr(options, field.name, None) for field in dataclasses.fields(preset)}
    preset = dataclasses.replace(preset, **{
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value is not None})
    known = {*preset.every_k, *preset.first_k}
    if unknown := sorted({*options.without} - known):
        sys.exit(f"--without {unknown[0]}: the preset {options.preset} has {', '.join(sorted(known))}")
    preset = dataclasses.replace(preset, **{
        names: tuple(name for name in getattr(preset, names) if name not in options.without)
        for names in ("every_k", "first_k")})
    shape = json.loads(program.run("model", options.model, "--format", "json", "--quiet"))
    inputs = Inputs(options.model, options.text, options.heldout, options.precision)
    return Plan(preset, inputs, shape["n_layers"], shape["d_model"])


def main() -> None:
    """Makes what is missing, and writes the report."""
    options = parse()
    if not options.program.exists():
        sys.exit(f"{options.program}: no such program; build it with make, or name it with --program")
    program = Program(options.program, options.minutes)
    plan = plan_of(options, Program(options.program))
    if options.dry_run:
        stages = cost.estimate(plan)
        for stage, seconds in stages.items():
            print(f"{stage:<24} {duration(seconds):>14}")
        print(f"{len(plan.entries())} dictionaries, {duration(sum(stages.values()))} on two idle cores")
        return
    journal = Journal(options.catalog.with_name(options.catalog.stem + "-stages.json"))
    # Another k or system may be added; what decides the batches and the figures has to stay.
    settings = plan.stream() | plan.held_out()
    if journal.settings not in ({}, settings):
        changed = sorted(key for key in settings if settings[key] != journal.settings.get(key))
        sys.exit(f"{journal.path} is of another comparison, by {', '.join(changed)}; name another --catalog, or remove it "
                 f"and {options.catalog}")
    journal.settings = settings
    # The running verb writes its checkpoint; also in the background, where a shell has SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if not options.report_only:
        try:
            make(program, options.catalog, plan, journal)
        except (OutOfTime, KeyboardInterrupt):
            done = len(names(options.catalog))
            say(f"stopped after {duration(sum(journal.seconds.values()))} in all, {done} of {len(plan.entries())} "
                "dictionaries trained: "
                + ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in journal.seconds.items())
                + ". The same command goes on.")
            sys.exit(INTERRUPTED)
    Report(plan, figures.read(Program(options.program), options.catalog, plan, journal), journal).write(options.output)
    say(f"{options.output} and {options.output.with_suffix('')}/, {duration(sum(journal.seconds.values()))} in all")


if __name__ == "__main__":
    main()
