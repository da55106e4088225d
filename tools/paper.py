#!/usr/bin/env python3
"""The comparison of the RouteSAE paper (arXiv 2503.08200) on any model: docs/comparison.md and its plots.

Trains every system of the paper on one stream, at several k and seeds; indexes, evaluates and scores each on the same
held-out text; and writes tables and SVG plots of what came out. Systems without k get the setting that brings their
measured L0 to k, found from a first sweep over settings. Everything is kept in two catalogs, so a run that was broken
off goes on where it was, and the report alone is made again with --report-only.

Standard library only; all numbers come from the program, by its command line and by SQL.
"""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".build" / "release" / "routesae"
#: Of systems without k: the setting that decides L0, the values that are tried first, and what is set beside it. Adam
#: moves log θ by about its rate at every step whatever the penalty, so in a short training a JumpReLU's L0 is decided by
#: the threshold that it begins with.
KNOBS = {
    "vanilla": ("lambda", [0.6, 1.2, 2, 3, 4, 5], {}),
    "gated": ("lambda", [2, 3.5, 5, 6.5, 8, 10], {}),
    "jumprelu": ("initialThreshold", [0.1, 0.2, 0.35, 0.5, 0.7, 1.0], {"lambda": 0.001, "bandwidth": 0.3}),
}
#: The paper's thresholds 10, 15 and 20 at width 2048, as shares of the square root of the width.
THRESHOLDS = [10 / math.sqrt(2048), 15 / math.sqrt(2048), 20 / math.sqrt(2048)]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def routesae(*arguments: object, quiet: bool = True, remarks: bool = True, accepted: tuple = (0,)) -> str:
    """Runs the program; its standard output. Exit codes that are not accepted end the comparison."""
    command = [str(PROGRAM), *map(str, arguments)] + (["--quiet"] if quiet else [])
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=None if remarks else subprocess.PIPE, text=True, check=False)
    if done.returncode not in accepted:
        print(done.stderr or "", file=sys.stderr, end="")
        sys.exit(f"{' '.join(command)}: ended with {done.returncode}; what is done is kept, and the same command goes on")
    return done.stdout


def rows(catalog: Path, sql: str, *arguments: object) -> list:
    """Rows of a catalog."""
    if not catalog.exists():
        return []
    connection = sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)
    try:
        return connection.execute(sql, arguments).fetchall()
    finally:
        connection.close()


def diverged(catalog: Path) -> list:
    """Why dictionaries are missing: of each training run that failed, its error."""
    return [row[0] for row in rows(catalog, "SELECT error FROM run WHERE kind = 'train' AND status = 'failed' ORDER BY run_id")]


class Comparison:
    """What is compared, and where it is kept."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.catalog = Path(options.catalog)
        self.pilot = self.catalog.with_name(self.catalog.stem + "-settings.sqlite")
        config = json.loads((Path(options.model) / "config.json").read_text())
        self.depth, self.width = config["num_hidden_layers"], config["hidden_size"]
        # hidden_states[n/4 … 3n/4] in Hugging Face's counting: outputs of decoder layers n/4 − 1 … 3n/4 − 1.
        first = max(self.depth // 4 - 1, 0)
        self.layers = list(range(first, max(3 * self.depth // 4 - 1, first) + 1))
        self.middle = self.layers[len(self.layers) // 2]
        self.started = time.monotonic()

    # The sweeps

    def stream(self) -> dict:
        """What decides the stream."""
        options = self.options
        return {
            "model": options.model, "text": options.text, "tokens": options.tokens, "latents": options.latents,
            "batchTokens": options.batch_tokens, "context": options.context, "streamSeed": 0,
        }

    def sweep(self, catalog: Path, settings: dict) -> None:
        """Trains a sweep, from where it was left."""
        config = catalog.with_suffix(".json")
        text = json.dumps(settings, indent=1)
        known = config.read_text() if config.exists() else None
        if known not in (None, text):
            sys.exit(f"{config} is another comparison; name another --catalog, or remove it and {catalog}")
        config.write_text(text)
        wanted = len(json.loads(routesae("sweep", catalog, "--config", config, "--dry-run", "--format", "json")))
        trained = rows(catalog, "SELECT count(*) FROM dictionary")
        # What diverged is a run that failed; there is nothing to go on with.
        if trained and trained[0][0] and trained[0][0] + len(diverged(catalog)) >= wanted:
            return
        say(f"{catalog.name}: training {wanted} dictionaries")
        started = catalog.exists()
        arguments = ["--resume"] if started else ["--config", config]
        # 65: some diverged and dropped out; the others were trained to the end.
        routesae("sweep", catalog, *arguments, "--format", "json", quiet=False, accepted=(0, 65))
        if not rows(catalog, "SELECT 1 FROM dictionary LIMIT 1"):
            sys.exit(f"{catalog}: no dictionary was trained")

    def find_settings(self) -> dict:
        """For each system without k, the setting that gives an L0 of each k."""
        dictionaries = [
            {"architecture": system, "layers": self.middle, key: values, "seed": 0, **more}
            for system, (key, values, more) in KNOBS.items()
        ]
        self.sweep(self.pilot, {**self.stream(), "dictionaries": dictionaries})
        found: dict = {}
        for system, (key, _, _) in KNOBS.items():
            measured = sorted(rows(
                self.pilot,
                f"""SELECT r.config ->> '$.{key}', (SELECT avg(value) FROM (SELECT value FROM run_metric AS m
                    WHERE m.run_id = r.run_id AND m.name = 'l0' ORDER BY step DESC LIMIT 3))
                    FROM dictionary AS d JOIN run AS r USING (run_id) WHERE d.architecture = ?""", system))
            points = [(math.log(l), math.log(max(l0, 1e-3))) for l, l0 in measured]
            found[system] = {k: crossing(points, math.log(k)) for k in self.options.k}
        return found

    def systems(self) -> list:
        """Everything that is trained, as entries of a sweep."""
        options = self.options
        common = {"seed": options.seeds}
        entries = [
            {"architecture": "route", "routing": ["hard", "soft"], "aggregation": ["sum", "mean"], "k": options.k, **common},
            {"architecture": "route", "loadBalance": 0, "k": options.k, **common},
            {"architecture": "route", "routerGradient": "straightThrough", "k": options.k, **common},
            {"architecture": "route", "fidelity": "reference", "k": options.k, **common},
            {"architecture": "topk", "layers": [[layer] for layer in self.layers], "k": options.k, **common},
            {"architecture": "random", "k": options.k, **common},
            {"architecture": "mlsae", "k": options.k, **common},
            {"architecture": "crosscoder", "k": options.k, **common},
        ]
        for system, settings in self.find_settings().items():
            key, _, more = KNOBS[system]
            entries += [
                {"architecture": system, "layers": self.middle, key: value, "seed": seed,
                 "name": f"{system}-l{self.middle}-L0-{k}-s{seed}", **more}
                for k, value in settings.items() for seed in options.seeds
            ]
        return entries

    def make(self) -> None:
        """Everything but the report."""
        options = self.options
        # The reference would learn from BOS too; on one stream it learns from what the others do.
        self.sweep(self.catalog, {**self.stream(), "includesBOS": False, "dictionaries": self.systems()})
        corpus = "heldout"
        done = {row[0] for row in rows(self.catalog, "SELECT dictionary_id FROM indexing")}
        todo = [row[0] for row in rows(self.catalog, "SELECT dictionary_id FROM dictionary ORDER BY 1")]
        self.each("indexing", [one for one in todo if one not in done], lambda one: routesae(
            "index", self.catalog, "--dictionary", one, "--model", options.model, "--text", *options.heldout,
            "--corpus", corpus, "--tokens", options.index_tokens, "--context", options.context))
        evaluated = {row[0] for row in rows(
            self.catalog, "SELECT dictionary_id FROM evaluation GROUP BY dictionary_id")}
        waiting = [one for one in todo if one not in evaluated]
        groups = [waiting[start:start + 16] for start in range(0, len(waiting), 16)]
        self.each("evaluating 16 at a time", groups, lambda group: routesae(
            "evaluate", self.catalog, "--dictionary", *group, "--model", options.model, "--text", *options.heldout,
            "--corpus", corpus, "--tokens", options.index_tokens, "--context", options.context))
        scored = {row[0] for row in rows(self.catalog, "SELECT dictionary_id FROM score GROUP BY dictionary_id")}
        self.each("scoring", [one for one in todo if one not in scored], lambda one: routesae(
            "score", self.catalog, "--dictionary", one, "--model", options.model, "--sample", options.sample,
            "--seed", 1))

    def each(self, what: str, things: list, act) -> None:
        """Does something to each, with the time that is left."""
        start = time.monotonic()
        for number, thing in enumerate(things):
            act(thing)
            spent = time.monotonic() - start
            left = spent / (number + 1) * (len(things) - number - 1)
            if number + 1 == len(things) or (number + 1) % max(1, len(things) // 20) == 0:
                say(f"{what}  {number + 1}/{len(things)}  {spent:.0f} s, {left:.0f} s left")

    # The figures

    def figures(self) -> list:
        """All figures of every dictionary."""
        found = []
        dictionaries = rows(
            self.catalog,
            """SELECT d.dictionary_id, d.name, d.architecture, d.layers, d.k, d.routing, d.aggregation, r.seed, r.config
                FROM dictionary AS d JOIN run AS r USING (run_id) ORDER BY d.dictionary_id""")
        counts = json.loads(routesae(
            "count", self.catalog, "--all-dictionaries", "--relative-threshold", *THRESHOLDS, "--format", "json",
            quiet=False, remarks=False))
        scores = {}
        for least in (None, self.options.min_score):
            for row in json.loads(routesae(
                    "count", self.catalog, "--by-score", "--all-dictionaries", "--format", "json",
                    *(["--min-score", least] if least else []), quiet=False, remarks=False)):
                scores[row["dictionary"], least] = row
        for number, name, architecture, layers, k, routing, aggregation, seed, config in dictionaries:
            layers = json.loads(layers)
            values = {
                metric: value for metric, value in rows(
                    self.catalog, "SELECT metric, value FROM evaluation WHERE dictionary_id = ? AND layer IS NULL", number)
            }
            shares = dict(rows(
                self.catalog,
                "SELECT layer, value FROM evaluation WHERE dictionary_id = ? AND metric = 'routing_share'", number))
            own = sorted((c for c in counts if c["dictionary"] == name), key=lambda c: c["threshold"])
            family = architecture
            if architecture == "route":
                family = f"RouteSAE {routing} {aggregation}"
                settings = json.loads(config)
                if settings.get("fidelity") == "reference":
                    family += ", reference"
                if settings.get("loadBalance") is not None:
                    family += f", balance {settings['loadBalance']:g}"
                if settings.get("routerGradient") == "straightThrough":
                    family += ", straight-through"
            elif architecture == "topk":
                family = f"TopK layer {layers[0]}"
            elif len(layers) == 1:
                family = f"{architecture} layer {layers[0]}"
            if k is None:
                k = int(name.split("-L0-")[1].split("-")[0])
            alive = rows(self.catalog, "SELECT count(*) FROM feature WHERE dictionary_id = ? AND n_fired > 0", number)[0][0]
            found.append({
                "family": NAMES.get(family, family), "architecture": architecture, "k": k, "seed": seed, **values,
                "alive": alive, "shares": shares,
                "features": [c["with_class_rule"] for c in own], "unruled": [c["without_class_rule"] for c in own],
                "score": scores[name, None]["mean_score"], "chance": scores[name, None]["mean_chance"],
                "estimated": scores[name, None]["estimated"],
                "strict": scores[name, self.options.min_score]["estimated"],
            })
        return found

    def report(self) -> None:
        """docs/comparison.md and its plots."""
        found = self.figures()
        output = Path(self.options.output)
        folder = output.with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        families = list(dict.fromkeys(one["family"] for one in found))
        ks = sorted({one["k"] for one in found})

        def values(family: str, k: int, key) -> list:
            chosen = [one for one in found if one["family"] == family and one["k"] == k]
            return [v for v in ((key(one) if callable(key) else one.get(key)) for one in chosen) if v is not None]

        def cell(family: str, k: int, key, digits: int = 3) -> str:
            numbers = values(family, k, key)
            if not numbers:
                return "–"
            spread = (max(numbers) - min(numbers)) / 2
            return f"{significant(mean(numbers), digits)} ± {significant(spread, 2)}"

        text = [self.opening(found, families, ks)]
        for k in ks:
            text.append(f"\n## k = {k}\n\nMeans over {len(self.options.seeds)} seeds ± half their range.\n\n")
            text.append(table(
                ["system", "L0", "NormMSE", "explained variance", "KL, nats", "ΔCE, nats", "recovered"],
                [[f, cell(f, k, "l0"), cell(f, k, "norm_mse"), cell(f, k, "explained_variance"), cell(f, k, "kl"),
                  cell(f, k, "delta_ce"), cell(f, k, "recovered", 4)] for f in families]))
            text.append("\n")
            text.append(table(
                ["system", "alive", *(f"features, t = {t:.3f}·√D" for t in THRESHOLDS), "simulation score", "chance",
                 "above chance", f"and score ≥ {self.options.min_score}"],
                [[f, cell(f, k, "alive"), *(cell(f, k, lambda one, i=i: one["features"][i]) for i in range(3)),
                  cell(f, k, "score"), cell(f, k, "chance"), cell(f, k, "estimated"), cell(f, k, "strict")]
                 for f in families]))
        text.append(self.routing(found, ks))
        text.append("\n## Plots\n\n")
        for name, title, svg in self.plots(found, families, ks, values):
            (folder / f"{name}.svg").write_text(svg)
            text.append(f"![{title}]({folder.name}/{name}.svg)\n\n")
        output.write_text("".join(text))
        say(f"{output} and {folder}/")

    def opening(self, found: list, families: list, ks: list) -> str:
        """What was done, and who won."""
        options = self.options
        lines = [
            "# RouteSAE and its baselines\n\n",
            f"Made by `make paper` ([tools/paper.py](../tools/paper.py)) on {Path(options.model)}: {self.depth} decoder "
            f"layers, width {self.width}; {options.latents} latents, {options.tokens:,} training tokens in batches of "
            f"{options.batch_tokens:,}, context {options.context}; routed layers {self.layers[0]} … {self.layers[-1]}; "
            f"seeds {', '.join(map(str, options.seeds))}. All systems learn from the same batches. Indexing and evaluation: "
            f"the first {options.index_tokens:,} tokens of {', '.join(options.heldout)}; scores: Neuron to Graph on "
            f"{options.sample} features of each dictionary that fire 20 times or more, drawn by the same seed. Vanilla, "
            f"Gated and JumpReLU read layer {self.middle}; the penalties of the first two, and the threshold that JumpReLU "
            f"begins with, were chosen to bring L0 to k.\n\n",
            "NormMSE and explained variance are of what each system reads: standardised activations of one layer, of the "
            "routed one, of a mixture, or of all layers. KL and ΔCE are of the whole model with the reconstruction in "
            "the place of what was read; crosscoder and MLSAE replace every routed layer, so in effect the last. "
            "A soft mixture's error is shared among the layers by their weights, as the smallest changes that add up to it, "
            "and what earlier layers were changed by is carried along: it too is replaced at several layers at once. "
            "A replacement in a late layer costs more than one in an early layer: compare RouteSAE with the TopK rows of "
            "the layers it uses (routing, below). “Features” is the paper's protocol, its threshold t a share of √D with D the "
            "width that is read, L·d for a crosscoder; “above chance” the number of "
            "features whose explanation predicts held-out activations better than 95 % of wrong explanations do, "
            "estimated from the sample for all features that fire 20 times.\n\n",
            "## Who wins\n\n",
            "RouteSAE (hard routing, sum, corrected, as it is by default) seed by seed at equal k: how many seeds it wins, and "
            "by how much in the mean. The best TopK is the best of all routed layers, chosen after the fact for each column "
            f"and seed, which favours it; layer {self.middle} is the middle of the range.\n\n",
        ]
        columns = ["features, t = 0.221·√D", "features, t = 0.331·√D", f"score ≥ {options.min_score}", "simulation score",
                   "KL (less is better)"]
        lines.append(table(
            ["k", "against", *columns],
            [[k, rival, *self.duel(found, "RouteSAE hard sum", rival, k)]
             for k in ks for rival in ("best TopK", f"TopK layer {self.middle}", "Random")]))
        variants = [family for family in families if family.startswith("RouteSAE") and family != "RouteSAE hard sum"]
        lines.append("\nIts variants against the best TopK:\n\n")
        lines.append(table(
            ["k", "RouteSAE", *columns],
            [[k, family.removeprefix("RouteSAE "), *self.duel(found, family, "best TopK", k)]
             for k in ks for family in variants]))
        missing = diverged(self.catalog)
        if missing:
            lines.append(f"\n{len(missing)} dictionaries diverged and are missing: {'; '.join(map(str, missing))}.\n")
        return "".join(lines)

    def duel(self, found: list, family: str, rival: str, k: int) -> list:
        """How a family fares against a rival, seed by seed: a cell for each figure of the tables of who wins."""
        def best(seed: int, key, better, belongs) -> float | None:
            numbers = [
                one["features"][key] if isinstance(key, int) else one[key] for one in found
                if one["k"] == k and one["seed"] == seed and belongs(one["family"])]
            return better((n for n in numbers if n is not None), default=None)
        cells = []
        for key, better in ((0, max), (1, max), ("strict", max), ("score", max), ("kl", min)):
            pairs = []
            for seed in self.options.seeds:
                ours = best(seed, key, better, lambda name: name == family)
                theirs = best(seed, key, better, lambda name: name.startswith("TopK") if rival == "best TopK" else name == rival)
                if ours is not None and theirs is not None:
                    pairs.append((ours, theirs))
            wins = sum(better(pair) == pair[0] and pair[0] != pair[1] for pair in pairs)
            # Of the means, not the mean of ratios: a seed in which the rival has none counts too.
            ours, theirs = (mean(side) for side in zip(*pairs)) if pairs else (0, 0)
            cells.append(f"{wins}/{len(pairs)}" + (f", {100 * (ours / theirs - 1):+.1f} %" if theirs else ""))
        return cells

    def routing(self, found: list, ks: list) -> str:
        """Where the routers send tokens."""
        text = ["\n## Routing\n\nShares of the tokens by layer, means over the seeds; the entropy of that distribution and the "
                "mean entropy of a token's own, nats (uniform: "
                f"{math.log(len(self.layers)):.2f}).\n\n"]
        lines = []
        for k in ks:
            for family in dict.fromkeys(one["family"] for one in found if one["shares"]):
                chosen = [one for one in found if one["family"] == family and one["k"] == k]
                if not chosen:
                    continue
                shares = [f"{100 * mean(one['shares'].get(layer, 0) for one in chosen):.1f} %" for layer in self.layers]

                def average(key: str) -> str:
                    numbers = [one[key] for one in chosen if one.get(key) is not None]
                    return f"{mean(numbers):.2f}" if numbers else "–"
                lines.append([k, family, *shares, average("routing_entropy"), average("token_entropy")])
        text.append(table(["k", "system", *(f"layer {l}" for l in self.layers), "entropy", "token entropy"], lines))
        return "".join(text)

    def plots(self, found: list, families: list, ks: list, values) -> list:
        """Name, title and SVG of each plot."""
        def lines(x, y) -> dict:
            result = {}
            for family in families:
                points = []
                for k in ks:
                    xs, ys = values(family, k, x), values(family, k, y)
                    if xs and ys:
                        points.append((mean(xs), mean(ys), min(ys), max(ys)))
                if points:
                    result[family] = points
            return result
        def picture(title: str, x: str, y, across: str, up: str) -> str:
            """Lines over x; with one k, where all would share a place, a row for each system."""
            return chart(title, across, up, lines(x, y)) if len(ks) > 1 else dots(f"{title}, k = {ks[0]}", up, lines(x, y))
        return [
            ("kl", "KL", picture("KL", "l0", "kl", "L0", "KL, nats")),
            ("features", "Features by the paper's count", picture(
                "Interpretable features by the paper's protocol, t = 0.221·√D", "k", lambda one: one["features"][0],
                "k", "features")),
            ("score", "Simulation score", picture(
                "Simulation score", "k", "score", "k", "mean correlation")),
            ("strict", "Features by score", picture(
                f"Features above chance with a score of {self.options.min_score} or more", "k", "strict", "k",
                "features, estimated")),
            ("routing", "Routing by layer", bars(
                "Share of the tokens that is read at each layer", {
                    f"{one} k={k}": [
                        mean(d["shares"].get(layer, 0) for d in found if d["family"] == one and d["k"] == k)
                        for layer in self.layers]
                    for one in families for k in ks
                    if any(d["shares"] and d["family"] == one and d["k"] == k for d in found)
                }, self.layers)),
        ]


NAMES = {"random": "Random", "mlsae": "MLSAE", "crosscoder": "Crosscoder"}


def crossing(points: list, target: float) -> float:
    """The setting at which the measured L0, logarithms of both, crosses the target; beyond the ends, along the last line."""
    points = sorted(points)
    pairs = list(zip(points, points[1:]))
    chosen = next((pair for pair in pairs if pair[1][1] <= target <= pair[0][1]), None)
    if chosen is None:
        chosen = pairs[0] if target > points[0][1] else pairs[-1]
    (x0, y0), (x1, y1) = chosen
    place = x0 if y1 == y0 else x0 + (target - y0) * (x1 - x0) / (y1 - y0)
    return float(f"{math.exp(max(min(place, points[-1][0] + 1), points[0][0] - 2)):.4g}")


def significant(value: float, digits: int) -> str:
    """A number with so many significant digits, without exponents."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def table(columns: list, lines: list) -> str:
    """Rows as Markdown."""
    text = ["| " + " | ".join(map(str, columns)) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(text + ["| " + " | ".join(map(str, line)) + " |" for line in lines]) + "\n"


# SVG

COLOURS = ["#0072b2", "#56b4e9", "#cc79a7", "#e69f00", "#999999", "#777777", "#555555", "#bbbbbb", "#333333", "#009e73",
           "#d55e00", "#8c564b", "#17becf", "#bcbd22", "#7f3c8d", "#aa4499"]


def frame(title: str, width: int, height: int, body: list) -> str:
    """An SVG picture that is legible on light and dark pages."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="60" y="22" font-size="15">{title}</text>', *body, "</svg>", ""])


def ticks(low: float, high: float) -> list:
    """Round numbers between two others."""
    step = 10 ** math.floor(math.log10((high - low) or 1))
    for factor in (0.2, 0.5, 1, 2):
        if (high - low) / (step * factor) <= 7:
            step *= factor
            break
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def chart(title: str, across: str, up: str, lines: dict) -> str:
    """Lines with the range over the seeds at every point."""
    width, height, left, right, top, bottom = 860, 420, 60, 560, 40, 370
    points = [point for line in lines.values() for point in line]
    if not points:
        return frame(title, width, height, [])
    x0, x1 = min(p[0] for p in points), max(p[0] for p in points)
    y0, y1 = min(p[2] for p in points), max(p[3] for p in points)
    x0, x1 = x0 - 0.05 * (x1 - x0 or 1), x1 + 0.05 * (x1 - x0 or 1)
    y0, y1 = y0 - 0.05 * (y1 - y0 or 1), y1 + 0.05 * (y1 - y0 or 1)

    def x(value: float) -> float:
        return left + (value - x0) / (x1 - x0) * (right - left)

    def y(value: float) -> float:
        return bottom - (value - y0) / (y1 - y0) * (bottom - top)

    body = []
    for tick in ticks(x0, x1):
        body.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in ticks(y0, y1):
        body.append(f'<line x1="{left}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#dddddd"/>')
        body.append(f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    body.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">{across}</text>')
    body.append(f'<text x="{left}" y="{top - 6}" fill="#555555">{up}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="4 3"' if name.startswith("TopK") else ""
        path = " ".join(f"{x(p[0]):.1f},{y(p[1]):.1f}" for p in sorted(line))
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        for p in line:
            body.append(f'<line x1="{x(p[0]):.1f}" x2="{x(p[0]):.1f}" y1="{y(p[2]):.1f}" y2="{y(p[3]):.1f}" stroke="{colour}"/>')
            body.append(f'<circle cx="{x(p[0]):.1f}" cy="{y(p[1]):.1f}" r="3" fill="{colour}"/>')
        place = top + 20 * number
        body.append(f'<line x1="{right + 24}" x2="{right + 48}" y1="{place}" y2="{place}" stroke="{colour}" stroke-width="2"{dash}/>')
        body.append(f'<text x="{right + 56}" y="{place + 4}">{name}</text>')
    return frame(title, width, height, body)


def dots(title: str, across: str, lines: dict) -> str:
    """The mean and the range over the seeds, in a row for each system."""
    row, left, right, top, width = 18, 260, 830, 40, 860
    bottom = top + row * len(lines)
    points = {name: line[0] for name, line in lines.items()}
    if not points:
        return frame(title, width, bottom, [])
    low, high = min(p[2] for p in points.values()), max(p[3] for p in points.values())
    low, high = low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1)

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    body = []
    for tick in ticks(low, high):
        body.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 6}" y2="{bottom}" stroke="#dddddd"/>')
        body.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    body.append(f'<text x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">{across}</text>')
    for number, (name, (_, value, least, most)) in enumerate(points.items()):
        y = top + row * number + row / 2
        colour = COLOURS[0] if name.startswith("RouteSAE") else COLOURS[3] if name.startswith("TopK") else COLOURS[6]
        body.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{name}</text>')
        body.append(f'<line x1="{x(least):.1f}" x2="{x(most):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        body.append(f'<circle cx="{x(value):.1f}" cy="{y}" r="4" fill="{colour}"/>')
    return frame(title, width, bottom + 50, body)


def shade(number: int, count: int) -> str:
    """The colour of a layer, from the first, dark blue, to the last, yellow."""
    share = number / max(1, count - 1)
    return f"hsl({250 - 200 * share:.0f} {45 + 35 * share:.0f}% {32 + 30 * share:.0f}%)"


def bars(title: str, groups: dict, layers: list) -> str:
    """A bar for each system, divided by layer."""
    row, left, width = 22, 300, 920
    height = 70 + row * len(groups)
    body = []
    step = min(90.0, (width - left) / len(layers))
    for number, layer in enumerate(layers):
        x = left + step * number
        body.append(f'<rect x="{x:.1f}" y="34" width="12" height="12" fill="{shade(number, len(layers))}"/>')
        body.append(f'<text x="{x + 17:.1f}" y="45">{layer}</text>')
    for line, (name, shares) in enumerate(groups.items()):
        y, x = 58 + row * line, float(left)
        body.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{name}</text>')
        for number, share in enumerate(shares):
            span = share * (width - left - 20)
            body.append(f'<rect x="{x:.1f}" y="{y}" width="{span:.1f}" height="16" fill="{shade(number, len(layers))}"/>')
            x += span
    return frame(title, width, height, body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="Demo/model")
    parser.add_argument("--text", nargs="+", default=["Demo/text/train"])
    parser.add_argument("--heldout", nargs="+", default=["Demo/text/heldout"])
    parser.add_argument("--catalog", default="paper.sqlite", help="where everything is kept")
    parser.add_argument("--output", default="docs/comparison.md")
    parser.add_argument("--latents", type=int, default=1024)
    parser.add_argument("--k", type=int, nargs="+", default=[32])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tokens", type=int, default=200_000, help="training tokens")
    parser.add_argument("--batch-tokens", type=int, default=1024)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--index-tokens", type=int, default=16_000, help="tokens of indexing and of evaluation")
    parser.add_argument("--sample", type=int, default=60, help="features scored of each dictionary")
    parser.add_argument("--min-score", type=float, default=0.7, help="what a score has to reach to count as strict")
    parser.add_argument("--report-only", action="store_true")
    comparison = Comparison(parser.parse_args())
    if not comparison.options.report_only:
        comparison.make()
    comparison.report()
    say(f"{time.monotonic() - comparison.started:.0f} s")


if __name__ == "__main__":
    main()
