"""After training: indexing, evaluation, measures and scores of every dictionary, each only where it lacks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .census import cosine_census
from .journal import Journal
from .knobs import find_knobs
from .plan import Plan
from .program import BAD_INPUT, Program, rows, say
from .sweeps import train
from .tables import duration

CORPUS = "heldout"
#: Dictionaries that share one pass of the model.
TOGETHER = 16
#: Labels that `evaluate` probes, of which a text may lack some.
LABELS = ("source", "part", "token-class")


def make(program: Program, catalog: Path, plan: Plan, journal: Journal) -> None:
    """Everything but the report. Raises OutOfTime at the program's deadline; the same call goes on."""
    train(program, catalog, plan, journal, find_knobs(program, catalog, plan, journal))
    made = Made(catalog, plan)
    preset, inputs = plan.preset, plan.inputs
    shared = ["--model", inputs.model, "--precision", inputs.precision]
    text = ["--text", *inputs.heldout, "--corpus", CORPUS, "--context", preset.context]

    def each(stage: str, lacking: list, act: Callable) -> None:
        """Does something to each that lacks it, and says how long the rest will take."""
        start = time.monotonic()
        for number, one in enumerate(lacking, start=1):
            with journal.timed(stage):
                act(one)
            spent = time.monotonic() - start
            if number == len(lacking) or number % max(1, len(lacking) // 10) == 0:
                left = spent / number * (len(lacking) - number)
                say(f"{stage}  {number}/{len(lacking)}  {spent:.0f} s, {left:.0f} s left")
        if lacking:
            say(f"{stage}: {duration(journal.seconds[stage])}")

    each("indexing", made.without("SELECT dictionary_id FROM indexing"), lambda one: program.run(
        "index", catalog, "--dictionary", one, *shared, *text, "--tokens", preset.index_tokens, "--quiet"))
    each("evaluation", groups(made.without_metric("norm_mse")), lambda several: program.run(
        "evaluate", catalog, "--dictionary", *several, *shared, *text, "--tokens", preset.index_tokens, "--quiet"))
    measure(program, catalog, plan, journal, made, [*shared, *text], each)
    scored = "SELECT s.dictionary_id FROM score AS s JOIN run AS r USING (run_id) WHERE r.status = 'complete'"
    each("scores", made.without(scored), lambda one: program.run(
        "score", catalog, "--dictionary", one, *shared, "--sample", preset.sample, "--seed", 1, "--quiet"))


def measure(
    program: Program, catalog: Path, plan: Plan, journal: Journal, made: Made, common: list, each: Callable
) -> None:
    """Census, coverage, probing and coherence, with those that the program has."""
    if not program.takes("evaluate", "--measures"):
        if len(plan.preset.seeds) > 1:
            lacking = [one for one in plan.entries() if one.name in made.names and one.name not in journal.census]
            each("census by cosine", lacking, lambda one: cosine_census(program, catalog, plan, journal, one))
        return
    for k in plan.preset.k:
        # The census of a dictionary counts the features of TopK dictionaries of the same k and other seeds.
        union = [one.name for one in made.entries.values() if one.k == k and one.system.key.startswith("topk-")]
        lacking = [one for one in made.without_metric("coverage") if made.entries[one].k == k]
        settings = [
            *common, "--shuffle", "--tokens", plan.preset.measure_tokens, "--layers", ",".join(map(str, plan.layers)),
            "--quiet"]
        each(f"measures at k = {k}", groups(lacking), lambda several, union=union, settings=settings: evaluate_latents(
            program, journal, union, ["evaluate", catalog, "--dictionary", *several, *settings]))


def evaluate_latents(program: Program, journal: Journal, union: list[str], command: list) -> None:
    """Runs an evaluation of latents, without the labels that the text turns out not to have."""
    while True:
        labels = [label for label in LABELS if label not in journal.missing_labels]
        chosen = [
            "--measures", "coverage", "coherence", *(["probing"] if labels else []), *(["census"] if union else []),
            *(["--labels", *labels] if labels else []), *(["--union", *union] if union else []),
        ]
        status, _, errors = program.attempt(*command, *chosen)
        if status == 0:
            return
        missing = re.search(r"the label ([\w-]+)", errors)
        if status != BAD_INPUT or not missing or missing[1] not in labels:
            program.give_up(status, errors, *command, *chosen)
        say(f"without the label {missing[1]}: {errors.strip()}")
        journal.missing_labels.append(missing[1])


class Made:
    """The dictionaries that are trained."""

    def __init__(self, catalog: Path, plan: Plan) -> None:
        self.catalog = catalog
        numbers = dict(rows(catalog, "SELECT name, dictionary_id FROM dictionary"))
        self.entries = {numbers[one.name]: one for one in plan.entries() if one.name in numbers}
        self.names = {one.name for one in self.entries.values()}

    def without(self, sql: str) -> list[int]:
        """Their numbers, but for those that a query lists."""
        done = {row[0] for row in rows(self.catalog, sql)}
        return [one for one in self.entries if one not in done]

    def without_metric(self, metric: str) -> list[int]:
        """Their numbers, but for those that have a figure."""
        return self.without(f"SELECT dictionary_id FROM evaluation WHERE metric = '{metric}'")


def groups(numbers: Iterable[int]) -> list[list[int]]:
    """Dictionaries that are evaluated together."""
    numbers = list(numbers)
    return [numbers[start:start + TOGETHER] for start in range(0, len(numbers), TOGETHER)]
