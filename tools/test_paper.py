#!/usr/bin/env python3
"""Tests of what paper.py makes: `python3 tools/test_paper.py`.

The budgets of the presets, stopping, and the preset `tiny` through every stage, interrupted and resumed. The last is left
out where the program is not built; ROUTESAE=PROGRAM names another.
"""

from __future__ import annotations

import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from comparison import cost, figures  # noqa: E402
from comparison.journal import Journal  # noqa: E402
from comparison.knobs import Curve, Search  # noqa: E402
from comparison.presets import PRESETS  # noqa: E402
from comparison.program import OutOfTime, Program  # noqa: E402
from comparison.stages import evaluate_latents  # noqa: E402
from comparison.systems import ROUNDS  # noqa: E402
from test_comparison import plan  # noqa: E402

PROGRAM = Path(os.environ.get("ROUTESAE", ROOT / ".build" / "release" / "routesae"))


class Planning(unittest.TestCase):
    """What is trained, and how long that takes."""

    def test_presets_keep_their_budgets(self) -> None:
        for preset, minutes in (("full", 120), ("small", 20), ("tiny", 1)):
            stages = cost.estimate(plan(preset))
            self.assertLessEqual(sum(stages.values()), 60 * minutes, (preset, stages))
            self.assertLessEqual(max(stages.values()), 60 * 30, (preset, stages))

    def test_the_full_preset_is_the_size_that_was_asked_for(self) -> None:
        full = PRESETS["full"]
        self.assertGreaterEqual((full.latents, full.tokens, full.k, full.seeds), (4096, 2_000_000, (32, 64), (0, 1, 2)))
        for k in full.k:
            self.assertEqual(
                sorted(one.name for one in plan().entries() if one.k == k and one.system.key.startswith("topk-")),
                sorted(f"topk-l{layer}-k{k}-s{seed}" for layer in range(3, 12) for seed in full.seeds))

    def test_dictionaries_have_names_of_their_own_and_are_each_in_one_sweep(self) -> None:
        for preset in PRESETS:
            entries = plan(preset).entries()
            self.assertEqual(len({one.name for one in entries}), len(entries))
            swept = [one.name for group in cost.sweeps(plan(preset)) for one in group]
            self.assertEqual(swept, [one.name for one in entries])

    def test_a_setting_is_found_between_two_of_the_pilot(self) -> None:
        # L0 = 100 / λ: 32 at 3.125.
        curve = Curve.measured({value: 100 / value for value in (8, 1, 2, 4)})
        self.assertAlmostEqual(curve.crossing(32), 3.125, places=3)
        self.assertAlmostEqual(curve.crossing(5, reach=4), 20, places=2)
        self.assertAlmostEqual(curve.crossing(5), 16, places=2)
        for value in (0.5, 1, 3, 8, 20):
            self.assertAlmostEqual(curve.level(value), 100 / value)

    def test_a_longer_training_moves_the_curve(self) -> None:
        # Half the L0 after the whole length: 32 at half the setting.
        curve = Curve.measured({value: 100 / value for value in (1, 2, 4, 8)}).through(3.125, 16)
        self.assertAlmostEqual(curve.level(3.125), 16)
        self.assertAlmostEqual(curve.crossing(32), 1.5625, places=3)

    def test_the_search_finds_a_setting_where_the_whole_length_has_another_slope(self) -> None:
        # After the pilot L0 is 400 / λ; after the whole length 2400 / λ³, 32 at λ = 4.217.
        for shape in (lambda setting: 2400 / setting ** 3, lambda setting: 4100 * math.exp(-1.2 * setting)):
            search = Search(32, {value: 400 / value for value in (2, 4, 6.5, 10)}, {})
            for _ in range(ROUNDS):
                if not search.is_done:
                    setting = search.next()
                    search.whole[setting] = shape(setting)
            self.assertLess(abs(shape(search.nearest()) / 32 - 1), 0.07)

    def test_the_search_stops_where_nothing_new_can_be_tried(self) -> None:
        search = Search(32, {1.0: 100.0}, {1.0: 100.0})
        self.assertFalse(search.is_done)
        self.assertIn(search.next(), search.whole)


class Reading(unittest.TestCase):
    """What a catalog has, under the names that `evaluate` writes."""

    def test_the_newest_figure_counts_and_layers_are_apart(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            catalog = Path(folder) / "made-up.sqlite"
            connection = sqlite3.connect(catalog)
            connection.executescript("""
                CREATE TABLE dictionary (dictionary_id INTEGER, name TEXT);
                CREATE TABLE evaluation (run_id INTEGER, dictionary_id INTEGER, metric TEXT, layer INTEGER, value REAL);
                CREATE TABLE indexing (dictionary_id INTEGER);
                CREATE TABLE score (dictionary_id INTEGER);
                INSERT INTO dictionary VALUES (7, 'route-k32-s1'), (8, 'someone else''s');
                INSERT INTO evaluation VALUES (5, 7, 'census', NULL, 0.5), (4, 7, 'census', NULL, 0.4),
                    (5, 7, 'census', 3, 0.5), (5, 7, 'census', 5, 0.75), (5, 7, 'probe_source_k1', NULL, NULL),
                    (5, 8, 'kl', NULL, 1);
                """)
            connection.close()
            found = figures.read(Program(Path("/nonexistent")), catalog, plan(), Journal(Path(folder) / "stages.json"))
            self.assertEqual([(one.label, one.k, one.seed) for one in found.dictionaries], [("RouteSAE", 32, 1)])
            self.assertEqual(found.dictionaries[0].values, {"census": 0.5, "census_with_own": 0.625})
            self.assertEqual(found.dictionaries[0].by_layer, {"census": {3: 0.5, 5: 0.75}})

    def test_a_label_that_the_text_lacks_is_left_out(self) -> None:
        asked = []

        class Refusing(Program):
            """A program that finds one class of `source` and of `part`."""

            def attempt(self, *arguments: object, shows: bool = False) -> tuple[int, str, str]:
                labels = arguments[arguments.index("--labels") + 1:] if "--labels" in arguments else ()
                asked.append(arguments)
                for label in ("source", "part"):
                    if label in labels:
                        return 65, "", f"routesae: the label {label}: has fewer than two classes to tell apart"
                return 0, "", ""

        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(Path(folder) / "stages.json")
            evaluate_latents(Refusing(Path("/nonexistent")), journal, ["a", "b"], ["evaluate"])
            self.assertEqual(journal.missing_labels, ["source", "part"])
            self.assertEqual(asked[-1], (
                "evaluate", "--measures", "coverage", "coherence", "probing", "census", "--labels", "token-class",
                "--union", "a", "b"))
            journal.save()
            self.assertEqual(Journal(journal.path).missing_labels, ["source", "part"])
            journal.missing_labels.append("token-class")
            evaluate_latents(Refusing(Path("/nonexistent")), journal, [], ["evaluate"])
            self.assertEqual(asked[-1], ("evaluate", "--measures", "coverage", "coherence"))


class Stopping(unittest.TestCase):
    """A verb is interrupted at the deadline and ends in good order."""

    def test_the_deadline_interrupts_the_verb(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            verb, mark = Path(folder) / "verb", Path(folder) / "mark"
            verb.write_text(
                f"#!{sys.executable}\n"
                "import pathlib, signal, sys, time\n"
                "def stop(*_):\n"
                "    with open(sys.argv[1], 'a') as file: file.write('interrupted ')\n"
                "    sys.exit(75)\n"
                "signal.signal(signal.SIGINT, stop)\n"
                "pathlib.Path(sys.argv[1]).write_text('started ')\n"
                "time.sleep(600)\n")
            verb.chmod(0o755)

            class Waiting(Program):
                """A program whose time is up a second after the verb was asked for."""

                def check_time(self) -> None:
                    self.deadline = time.monotonic() + 1

            # A slow machine may not have come to the verb's handler within the second.
            while not mark.exists() or mark.read_text() != "started interrupted ":
                mark.unlink(missing_ok=True)
                with self.assertRaises(OutOfTime):
                    Waiting(verb).run(mark)

    def test_no_verb_starts_after_the_deadline(self) -> None:
        with self.assertRaises(OutOfTime):
            Program(Path("/nonexistent"), minutes=0).run("sweep")


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
class Tiny(unittest.TestCase):
    """The smallest preset through every stage."""

    def test_it_is_interrupted_and_goes_on(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            catalog, page = Path(folder) / "tiny.sqlite", Path(folder) / "tiny.md"

            def paper(*more: str) -> subprocess.CompletedProcess:
                return subprocess.run(
                    [sys.executable, "tools/paper.py", "--preset", "tiny", "--catalog", catalog, "--output", page,
                     "--program", PROGRAM, *more], cwd=ROOT, capture_output=True, text=True, check=False)

            first = paper("--minutes", "0.1")
            self.assertIn(first.returncode, (0, 75), first.stderr)
            if first.returncode == 75:
                self.assertIn("The same command goes on.", first.stderr)
                self.assertFalse(page.exists())
            whole = paper()
            self.assertEqual(whole.returncode, 0, whole.stderr)

            connection = sqlite3.connect(catalog)
            self.addCleanup(connection.close)
            wanted = {one.name for one in plan("tiny").entries()}

            def having(sql: str) -> set:
                return {row[0] for row in connection.execute(
                    f"SELECT DISTINCT d.name FROM dictionary AS d JOIN {sql} USING (dictionary_id)")}

            for table in ("indexing", "evaluation", "score"):
                self.assertEqual(having(table), wanted, table)
            # Nothing was made twice.
            for kind, count in connection.execute(
                    "SELECT kind, count(*) FROM run WHERE status = 'complete' AND kind IN ('train', 'index') GROUP BY kind"):
                self.assertEqual(count, len(wanted), kind)

            text = page.read_text()
            for words in ("**May be claimed.**", "**May not be claimed.**", "**Where it loses.**", "| census", "| NormMSE ↓",
                          "RouteSAE, own errors, no exploration", "## Routing", "It took "):
                self.assertIn(words, text)
            # The census is one over other seeds, by the program or by decoder cosine.
            own = figures.read(Program(PROGRAM), catalog, plan("tiny"), Journal(catalog.with_name("tiny-stages.json")))
            self.assertTrue(own.has("census") or own.has("census_by_cosine"))
            again = paper("--report-only")
            self.assertEqual((again.returncode, page.read_text()), (0, text))
            other = paper("--latents", "512")
            self.assertIn("is of another comparison, by latents", other.stderr)
            self.assertEqual(other.returncode, 1)


if __name__ == "__main__":
    unittest.main()
