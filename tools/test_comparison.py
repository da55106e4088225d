#!/usr/bin/env python3
"""Tests of what paper.py reports, on figures made up for it: `python3 tools/test_comparison.py`."""

from __future__ import annotations

import random
import re
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parent))
from comparison import charts  # noqa: E402
from comparison.claims import Verdict, best_topk, duel, first_rows, same_layers  # noqa: E402
from comparison.figures import Dictionary, Figures  # noqa: E402
from comparison.journal import Journal  # noqa: E402
from comparison.measures import BY_KEY, MEASURES, TABLES  # noqa: E402
from comparison.noise import smallest_claim, student_quantile  # noqa: E402
from comparison.plan import Inputs, Plan  # noqa: E402
from comparison.presets import PRESETS  # noqa: E402
from comparison.report import Report  # noqa: E402
from comparison.screen import screen  # noqa: E402


def plan(preset: str = "full") -> Plan:
    """A plan on the demo's model."""
    return Plan(PRESETS[preset], Inputs("Demo/model", ["Demo/text/train"], ["Demo/text/heldout"], "bf16"), 16, 256)


def made_up(values: dict, k: int = 32) -> list[Dictionary]:
    """Dictionaries with figures by system, metric and seed."""
    found = []
    for label, metrics in values.items():
        for seed in range(max(len(own) for own in metrics.values())):
            found.append(Dictionary(
                label, k, seed, {metric: own[seed] for metric, own in metrics.items() if seed < len(own)}))
    return found


class Noise(unittest.TestCase):
    """The smallest difference that may be claimed."""

    def test_quantiles_are_those_of_the_printed_table(self) -> None:
        for freedom, printed in ((1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042)):
            self.assertAlmostEqual(student_quantile(freedom), printed, places=3)

    def test_it_is_the_t_test_of_two_samples(self) -> None:
        # Scatter 2 and 2 · 4 over four degrees of freedom: s² = 2.5; 2.776 · √(2.5 · 2/3).
        self.assertAlmostEqual(smallest_claim([1, 2, 3], [10, 12, 14]), 2.7764 * (2.5 * 2 / 3) ** 0.5, places=3)

    def test_one_seed_of_each_has_none(self) -> None:
        self.assertIsNone(smallest_claim([1], [2]))
        self.assertIsNone(smallest_claim([], [2, 3]))

    def test_counts_have_the_noise_of_rounding(self) -> None:
        self.assertEqual(smallest_claim([4, 4], [5, 5]), 0)
        self.assertAlmostEqual(smallest_claim([4, 4], [5, 5], step=1), 4.3027 * (1 / 12) ** 0.5, places=3)

    def test_equal_systems_exceed_it_in_one_draw_of_twenty(self) -> None:
        draw = random.Random(7)
        exceeded = 0
        for _ in range(4000):
            one, other = ([draw.gauss(0, 1) for _ in range(3)] for _ in range(2))
            exceeded += abs(sum(one) - sum(other)) / 3 > smallest_claim(one, other)
        self.assertTrue(0.04 < exceeded / 4000 < 0.06, exceeded)


class Claims(unittest.TestCase):
    """Who wins, by how much, and whether it counts."""

    def verdict(self, ours: list, theirs: list, metric: str = "census", steps: dict | None = None) -> Verdict:
        found = Figures(made_up({"RouteSAE": {metric: ours}, "Random": {metric: theirs}}), steps)
        return duel(found, BY_KEY[metric], 32, "RouteSAE", "Random").verdict

    def test_better_in_every_seed_and_beyond_noise(self) -> None:
        self.assertIs(self.verdict([0.40, 0.41, 0.42], [0.30, 0.31, 0.32]), Verdict.BETTER)

    def test_less_kl_is_better(self) -> None:
        self.assertIs(self.verdict([1.0, 1.1, 1.2], [2.0, 2.1, 2.2], "kl"), Verdict.BETTER)
        self.assertIs(self.verdict([2.0, 2.1, 2.2], [1.0, 1.1, 1.2], "kl"), Verdict.WORSE)

    def test_within_noise_counts_for_nothing(self) -> None:
        self.assertIs(self.verdict([0.31, 0.40, 0.42], [0.30, 0.39, 0.41]), Verdict.SAME)

    def test_beyond_noise_but_lost_in_a_seed_counts_for_nothing(self) -> None:
        # The third seed is behind, and yet the means are far apart.
        self.assertIs(self.verdict([10, 10, 10, 10, 0.9], [0, 0, 0, 0, 1.0]), Verdict.SAME)
        self.assertGreater(8, smallest_claim([10, 10, 10, 10, 0.9], [0, 0, 0, 0, 1.0]))

    def test_one_seed_claims_nothing(self) -> None:
        self.assertIs(self.verdict([0.9], [0.1]), Verdict.ONE_SEED)

    def test_equal_counts_of_few_seeds_are_no_certainty(self) -> None:
        self.assertIs(self.verdict([5, 5], [4, 4], "count_1", {"count_1": 1}), Verdict.SAME)
        self.assertIs(self.verdict([9, 9], [4, 4], "count_1", {"count_1": 1}), Verdict.BETTER)

    def test_the_best_topk_is_chosen_for_each_measure(self) -> None:
        found = Figures(made_up({
            "TopK layer 3": {"census": [0.1, 0.2], "kl": [1.0, 1.0]},
            "TopK layer 5": {"census": [0.3, 0.2], "kl": [2.0, 2.0]},
            "Random": {"census": [0.9, 0.9], "kl": [0.1, 0.1]}}))
        self.assertEqual(best_topk(found, BY_KEY["census"], 32), "TopK layer 5")
        self.assertEqual(best_topk(found, BY_KEY["kl"], 32), "TopK layer 3")
        self.assertIsNone(best_topk(found, BY_KEY["coverage"], 32))

    def test_kl_is_set_against_topk_at_the_layers_that_are_read(self) -> None:
        dictionaries = made_up({
            "RouteSAE": {"kl": [1.0, 1.2]}, "TopK layer 3": {"kl": [1.0, 2.0]}, "TopK layer 5": {"kl": [3.0, 4.0]}})
        for one in dictionaries[:2]:
            one.by_layer["routing_share"] = {3: 0.75, 5: 0.25}
        against = same_layers(Figures(dictionaries), 32)
        self.assertEqual(against.theirs, {0: 1.5, 1: 2.5})
        self.assertAlmostEqual(against.difference, 1.1 - 2.0)

    def test_layers_without_a_topk_leave_it_out(self) -> None:
        dictionaries = made_up({"RouteSAE": {"kl": [1.0, 1.2]}, "TopK layer 3": {"kl": [1.0, 2.0]}})
        dictionaries[0].by_layer["routing_share"] = {3: 0.75, 5: 0.25}
        self.assertIsNone(same_layers(Figures(dictionaries), 32))


class Screen(unittest.TestCase):
    """The sentences follow from the table."""

    #: RouteSAE wins the census at both k, coverage at 32 alone, loses scores, and ties in KL.
    WORLD = {
        "RouteSAE": {"l0": [32, 32, 32], "census": [0.40, 0.41, 0.42], "coverage": [0.60, 0.61, 0.62],
                     "score": [0.50, 0.51, 0.52], "kl": [1.0, 1.3, 1.6]},
        "TopK layer 3": {"l0": [32, 32, 32], "census": [0.20, 0.21, 0.22], "coverage": [0.50, 0.51, 0.52],
                         "score": [0.70, 0.71, 0.72], "kl": [1.1, 1.2, 1.5]},
        "TopK layer 5": {"l0": [32, 32, 32], "census": [0.25, 0.26, 0.27], "coverage": [0.40, 0.41, 0.42],
                         "score": [0.60, 0.61, 0.62], "kl": [1.2, 1.3, 1.7]},
        "Random": {"l0": [32, 32, 32], "census": [0.30, 0.31, 0.32], "coverage": [0.60, 0.61, 0.62],
                   "score": [0.40, 0.41, 0.42], "kl": [2.0, 2.3, 2.6]},
    }

    def text(self) -> str:
        second = {label: dict(metrics) for label, metrics in self.WORLD.items()}
        second["RouteSAE"]["coverage"] = [0.5, 0.51, 0.52]
        return screen(Figures(made_up(self.WORLD) + made_up(second, 64)), plan())

    def paragraph(self, name: str) -> str:
        return next(line for line in self.text().splitlines() if line.startswith(f"**{name}"))

    def test_a_claim_holds_at_every_k(self) -> None:
        claimed = self.paragraph("May be claimed")
        self.assertIn("better than TopK at its best layer in census;", claimed)
        self.assertIn("better than Random in census, simulation score and KL:", claimed)
        self.assertIn("at k = 32 and 64", claimed)

    def test_what_holds_at_one_k_alone_is_no_claim(self) -> None:
        unclaimed = self.paragraph("May not be claimed")
        self.assertIn("differs from TopK at its best layer in mean coverage of the layers (k = 64) and KL;", unclaimed)
        self.assertIn("better than TopK at its best layer in mean coverage of the layers (k = 32).", unclaimed)
        self.assertNotIn("coverage", self.paragraph("May be claimed"))

    def test_losses_are_told(self) -> None:
        lost = self.paragraph("Where it loses")
        self.assertIn("worse than TopK at its best layer in simulation score;", lost)
        self.assertIn("worse than Random in mean coverage of the layers (k = 64),", lost)

    def test_a_row_has_difference_noise_and_seeds(self) -> None:
        noise = f"{2.7764 * (0.0001 * 2 / 3) ** 0.5:.3f}"
        row = next(line for line in self.text().splitlines() if line.startswith("| census"))
        self.assertEqual(
            row, f"| census ↑ | 0.410 | 0.260 (layer 5) | +0.150 ({noise}), 3/3 | **better** | 0.310 | +0.100 ({noise}), "
            "3/3 | **better** |")

    def test_unequal_l0_is_told(self) -> None:
        world = {label: dict(metrics) for label, metrics in self.WORLD.items()}
        world["Random"]["l0"] = [40, 40, 40]
        text = screen(Figures(made_up(world)), plan())
        self.assertIn("| L0 (has to be equal) | 32.0 | 32.0 |  | equal | 40.0 |  | **not equal** |", text)
        self.assertIn("not at equal sparsity, of Random (40.0 at k = 32)", text)

    def test_probes_without_skill_are_left_out(self) -> None:
        probes = {
            label: {"probe_part_k1": [0.4, 0.4 + gain], "probe_part_baseline": [0.5, 0.5]}
            for label, gain in (("RouteSAE", 0.01), ("TopK layer 3", 0.02), ("Random", 0.03))}
        text = screen(Figures(made_up(probes)), plan())
        self.assertEqual(text, "No figures of RouteSAE yet: nothing may be claimed.\n")
        for metrics in probes.values():
            metrics["kl"] = [1.0, 1.1]
        text = screen(Figures(made_up(probes)), plan())
        self.assertIn("Left out, since no system is above the baseline: F1 of the part of a document from 1 latent.", text)
        self.assertNotIn("| F1", text)
        probes["TopK layer 3"]["probe_part_k1"] = [0.6, 0.7]
        self.assertIn("| F1 of the part of a document from 1 latent ↑ |", screen(Figures(made_up(probes)), plan()))

    def test_nothing_to_claim_is_said(self) -> None:
        tie = {"kl": [1.0, 1.3, 1.6]}
        text = screen(Figures(made_up({"RouteSAE": tie, "TopK layer 3": tie, "Random": tie})), plan())
        self.assertIn("**May be claimed.** Nothing:", text)
        self.assertIn("**Where it loses.** In no measure", text)

    def test_one_seed_is_no_ground_for_claims(self) -> None:
        text = screen(Figures(made_up({"RouteSAE": {"kl": [1.0]}, "Random": {"kl": [2.0]}})), plan())
        self.assertIn("**May be claimed.** Nothing: without a second seed", text)
        self.assertNotIn("Where it loses", text)

    def test_without_routesae_nothing_may_be_claimed(self) -> None:
        self.assertIn("nothing may be claimed", screen(Figures(made_up({"Random": {"kl": [1.0]}})), plan()))

    def test_a_page_leaves_out_what_was_not_measured(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            Report(plan(), Figures(made_up({"RouteSAE": {"kl": [1.0, 1.1]}, "Random": {"kl": [1.2, 1.3]}})),
                   Journal(Path(folder) / "stages.json")).write(page)
            text = page.read_text()
            self.assertNotIn("coverage", text.split("## How it was made")[0])
            self.assertNotIn(TABLES["span"], text)
            self.assertIn("It was not taken.", text)
            pictures = sorted(one.name for one in page.with_suffix("").iterdir())
            self.assertEqual(sorted(re.findall(r"\]\(page/(\w+\.svg)\)", text)), pictures)

    def test_every_picture_holds_its_words(self) -> None:
        for ks in ((32,), (32, 64)):
            dictionaries = [
                Dictionary(entry.system.label, k, entry.seed, {
                    "l0": k, "kl": 1.0 + entry.seed, "census": 0.1 * entry.seed, "score": 0.5}, {"routing_share": {3: 1.0}})
                for k in ks for entry in plan().entries() if entry.k == 32]
            with tempfile.TemporaryDirectory() as folder:
                page = Path(folder) / "page.md"
                Report(plan(), Figures(dictionaries), Journal(Path(folder) / "stages.json")).write(page)
                pictures = sorted(page.with_suffix("").iterdir())
                self.assertEqual([one.stem for one in pictures], ["census", "kl", "routing", "score"])
                for one in pictures:
                    picture = ElementTree.parse(one).getroot()
                    *_, width, height = map(float, picture.get("viewBox").split())
                    for text in picture.iter("{http://www.w3.org/2000/svg}text"):
                        # Sans-serif letters of 12 are 6.6 wide in the mean.
                        long = 6.6 / 12 * float(text.get("font-size", 12)) * len(text.text)
                        share = {"end": 1, "middle": 0.5}.get(text.get("text-anchor"), 0)
                        first = float(text.get("x")) - share * long
                        self.assertTrue(
                            0 <= first and first + long <= width and 0 < float(text.get("y")) <= height,
                            (one.name, text.text))

    def test_a_figure_far_from_all_others_is_an_arrow_with_its_value(self) -> None:
        rows = {f"TopK layer {layer}": {32: (0.4 + 0.01 * layer, 0.4, 0.5)} for layer in range(9)}
        usual = charts.dots("coverage", "share", rows)
        with_one = charts.dots("coverage", "share", {**rows, "Vanilla": {32: (-1.234, -2, 0)}})
        self.assertEqual((usual.count("<circle"), usual.count("<path")), (10, 0))
        self.assertEqual((with_one.count("<circle"), with_one.count("<path")), (10, 1))
        self.assertIn(">-1.23</text>", with_one)

    def test_only_measures_with_a_better_side_are_on_it(self) -> None:
        self.assertEqual([one.key for one in MEASURES if one.is_first and one.sign == 0], [])
        self.assertEqual({one.table for one in MEASURES}, set(TABLES))
        self.assertEqual(len(first_rows(Figures(made_up(self.WORLD)), 32)), 4)


if __name__ == "__main__":
    unittest.main()
