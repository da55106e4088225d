"""docs/comparison.md and its plots."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import mean

from . import charts
from .claims import Verdict, best_topk, duel
from .figures import Figures
from .journal import Journal
from .measures import BY_KEY, GOOD_SCORE, MEASURES, TABLES, THRESHOLDS
from .method import method
from .plan import Plan
from .screen import screen
from .systems import OURS, RANDOM
from .tables import spread, table

#: The measures by which systems are set against RouteSAE and TopK, those that the catalog has.
SHORT = ("census", "census_by_cosine", "coverage", "coverage_min", "well_explained", "score", "norm_mse", "kl")


class Report:
    """The page, from the figures of a comparison."""

    def __init__(self, plan: Plan, figures: Figures, journal: Journal) -> None:
        self.plan, self.figures, self.journal = plan, figures, journal

    def write(self, output: Path) -> None:
        """Writes the page, and the plots into a folder beside it."""
        folder = output.with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        pictures = self.pictures()
        for name, _, svg in pictures:
            (folder / f"{name}.svg").write_text(svg)
        output.write_text("".join([
            f"# RouteSAE against its baselines\n\n{self.subject()}\n\n", screen(self.figures, self.plan),
            *(f"\n## {title}\n\n{text}" for title, text in self.sections() if text),
            "\n## Plots\n\n", "\n".join(f"![{title}]({folder.name}/{name}.svg)\n" for name, title, _ in pictures),
            f"\n## How it was made\n\n{method(self.plan, self.figures, self.journal)}",
        ]))

    def subject(self) -> str:
        """What was compared, in a sentence."""
        plan, preset = self.plan, self.plan.preset
        return (
            f"On {plan.model_name} ({plan.depth} decoder layers, width {plan.width}), {preset.latents:,} latents, "
            f"{preset.tokens:,} training tokens, {len(preset.seeds)} seeds; routed layers {plan.layers[0]} to "
            f"{plan.layers[-1]}. RouteSAE is as it is by default.")

    def sections(self) -> list[tuple[str, str]]:
        """Titles and texts of what follows the first screen."""
        found = [("Other systems, and variants of RouteSAE", self.others())]
        found += [
            (f"{title}, k = {k}", self.tables(name, k)) for k in self.figures.ks for name, title in TABLES.items()]
        return [*found, ("By layer", self.layers()), ("Routing", self.routing())]

    # Tables

    def others(self) -> str:
        """Every system at the first k against the default RouteSAE and against the best TopK."""
        k = self.plan.first_k
        measures = [BY_KEY[key] for key in SHORT if self.figures.has(key)]
        labels = [label for label in self.figures.labels if label != OURS.label and self.figures.of(label, k)]
        if not measures or not labels:
            return ""

        def cell(label: str, rival: str | None, measure: object) -> str:
            one = duel(self.figures, measure, k, label, rival) if rival and rival != label else None
            if one is None:
                return "–"
            theirs = mean(one.theirs.values())
            change = f"{100 * (one.difference / theirs):+.1f} %" if theirs else f"{one.difference:+.3g}"
            return f"**{change}** {one.verdict.value}" if one.verdict in (Verdict.BETTER, Verdict.WORSE) else change

        variants = [label for label in labels if label.startswith(OURS.label)]
        columns = [measure.title for measure in measures]
        return (
            f"At k = {k}, relative differences of the means. Bold: in every seed and beyond the reseed noise. Against "
            "RouteSAE as it is by default:\n\n"
            + table(["system", *columns], [
                [label, *(cell(label, OURS.label, measure) for measure in measures)] for label in labels])
            + ("\nVariants of RouteSAE against TopK at its best layer for each measure:\n\n"
               + table(["variant", *columns], [
                   [label, *(cell(label, best_topk(self.figures, measure, k), measure) for measure in measures)]
                   for label in variants]) if variants else ""))

    def tables(self, name: str, k: int) -> str:
        """The figures of every system, mean ± half the range over the seeds."""
        shown = [one for one in MEASURES if one.table == name and self.figures.has(one.key)]
        labels = [label for label in self.figures.labels if self.figures.of(label, k)]
        if not shown or not labels:
            return ""
        return table(
            ["system", *(one.title for one in shown)],
            [[label, *(spread(self.figures.values(label, k, one.key).values()) for one in shown)] for label in labels])

    def layers(self) -> str:
        """Census and coverage of every layer."""
        parts = []
        systems = [OURS.label, RANDOM.label, *(label for label in self.figures.labels if label.startswith("TopK layer"))]
        notes = {"census": "; what a TopK dictionary finds of its own layer, from other seeds, is what can be expected at most"}
        titles = {"census": "Census", "census_by_cosine": "Census by decoder cosine", "coverage": "Coverage"}
        for metric, title in titles.items():
            lines = []
            for k in self.figures.ks:
                for label in systems:
                    own = [one.by_layer[metric] for one in self.figures.of(label, k) if metric in one.by_layer]
                    if own:
                        lines.append([k, label, *(
                            spread(one[layer] for one in own if layer in one) for layer in self.plan.layers)])
            if lines:
                parts.append(f"{title}{notes.get(metric, '')}:\n\n" + table(
                    ["k", "system", *(f"layer {layer}" for layer in self.plan.layers)], lines))
        return "\n".join(parts)

    def routing(self) -> str:
        """Where the routers send tokens."""
        lines = []
        for k in self.figures.ks:
            for label in self.figures.labels:
                own = [one for one in self.figures.of(label, k) if one.shares]
                if own:
                    shares = [f"{100 * mean(one.shares.get(layer, 0) for one in own):.1f} %" for layer in self.plan.layers]
                    entropies = [
                        f"{mean(values):.2f}" if (values := [one.values[key] for one in own if key in one.values]) else "–"
                        for key in ("routing_entropy", "token_entropy")]
                    lines.append([k, label, *shares, *entropies])
        if not lines:
            return ""
        return (
            "Shares of the tokens by layer, means over the seeds; the entropy of that distribution and the mean entropy of "
            f"a token's own, nats (uniform: {math.log(len(self.plan.layers)):.2f}).\n\n"
            + table(["k", "system", *(f"layer {layer}" for layer in self.plan.layers), "entropy", "token entropy"], lines))

    # Plots

    def pictures(self) -> list[tuple[str, str, str]]:
        """Name, title and SVG of each plot."""
        found = [
            (name, title, self.picture(metric, up))
            for metric, name, title, up in (
                ("census", "census", "Census", "share found"),
                ("census_by_cosine", "census", "Census by decoder cosine", "share found"),
                ("coverage", "coverage", "Coverage", "share of the variance, mean of the layers"),
                ("kl", "kl", "KL", "KL, nats"),
                ("count_0", "features", "Features by the paper's count", f"features, t = {THRESHOLDS[0]:.3f}·√D"),
                ("score", "score", "Simulation score", "mean correlation"),
                ("well_explained", "strict", "Features by score", f"features with a score ≥ {GOOD_SCORE}, estimated"))
            if self.figures.has(metric)]
        shares = {
            f"{label} k={k}": [
                mean(one.shares.get(layer, 0) for one in own) for layer in self.plan.layers]
            for label in self.figures.labels for k in self.figures.ks
            if (own := [one for one in self.figures.of(label, k) if one.shares])
        }
        if shares:
            found.append(("routing", "Routing by layer", charts.bars(
                "Share of the tokens that is read at each layer", shares, self.plan.layers)))
        return found

    def picture(self, metric: str, up: str) -> str:
        """A row for each system."""
        rows = {
            label: {
                k: (mean(values), min(values), max(values))
                for k in self.figures.ks if (values := list(self.figures.values(label, k, metric).values()))}
            for label in self.figures.labels}
        return charts.dots(BY_KEY[metric].label, up, {label: points for label, points in rows.items() if points})
