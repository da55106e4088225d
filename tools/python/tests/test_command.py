"""`python -m routesae`: what it prints and writes, and its exit statuses."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from reading import Reading
from written import ROOT

PACKAGE = ROOT / "tools" / "python"


class Command(Reading):
    def run_module(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "routesae", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        )

    def test_the_summary(self) -> None:
        result = self.run_module("summary", str(self.made.path), "--dictionary", "demo")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("dictionary 1  demo: route, 1,300 features of width 4, k = 2, layers 1,2,3,4,5\n", result.stdout)
        self.assertIn("    tensor decoder  f32 [1300, 4]\n", result.stdout)
        self.assertIn(
            "    corpus 1  bible: 10,000 tokens of 3 documents, 5 contexts of 8 tokens (run 3)\n", result.stdout
        )
        strongest = result.stdout.split("strongest features of demo on bible:\n")[1].splitlines()[1:]
        self.assertEqual([int(line.split()[0]) for line in strongest], list(range(1299, 1289, -1)))
        self.assertEqual(self.run_module("summary", str(self.made.path)).returncode, 0)

    def test_a_feature(self) -> None:
        result = self.run_module(
            "feature", str(self.made.path), "7", "--dictionary", "1", "--corpus", "bible", "--band", "top"
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        expected = self.catalog.contexts(7, 1, 1, "top")
        self.assertEqual(len(result.stdout.splitlines()), 2 * len(expected["rank"]))
        self.assertIn(" in layer 4 (weight 0.5), Document 1, token 0", result.stdout)
        self.assertIn("«the» burning bush was", result.stdout)

    def test_arrays_for_numpy(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/out"
            options = ("--dictionary", "demo", "--corpus", "2")
            result = self.run_module("npz", str(self.made.path), path, *options)
            self.assertEqual((result.returncode, result.stdout, os.listdir(folder)), (0, "", ["out"]), result.stderr)
            with np.load(path, allow_pickle=False) as arrays:
                demo, features = self.catalog.dictionary("demo"), self.catalog.features("demo", 2)
                np.testing.assert_array_equal(arrays["decoder"], demo.decoder)
                np.testing.assert_array_equal(arrays["encoder"], demo.encoder)
                for name in ("n_fired", "firing_rate", "is_dead", "p10", "max_activation"):
                    np.testing.assert_array_equal(arrays[name], np.asarray(features[name]))
                self.assertEqual(arrays["top_token"].tolist(), ["lord" if n else "" for n in features["n_fired"]])
                self.assertTrue(np.isnan(arrays["peak_layer"][3]) and arrays["peak_layer"][4] == 5)
                np.testing.assert_array_equal(
                    arrays["layers_n_fired"], self.catalog.feature_layers(None, "demo", 2)["n_fired"]
                )
                np.testing.assert_array_equal(arrays["histogram"], self.catalog.histograms("demo", 2).counts)
            again = self.run_module("npz", str(self.made.path), path, *options)
            self.assertEqual(
                (again.returncode, again.stderr), (73, f"error: {path}: exists already; add --force to replace it\n")
            )
            self.assertEqual(self.run_module("npz", str(self.made.path), path, *options, "--force").returncode, 0)
            refused = self.run_module("npz", str(self.made.path), f"{folder}/none/out", *options)
            self.assertEqual((refused.returncode, refused.stderr.count("\n")), (73, 1), refused.stderr)

    def test_verifying(self) -> None:
        result = self.run_module("verify", str(self.made.path))
        self.assertEqual(
            (result.returncode, result.stdout),
            (0, "all tables hold what they held when they were last written to\n"),
            result.stderr,
        )
        path = self.copied()
        database = sqlite3.connect(path)
        database.execute("UPDATE corpus SET name = 'x' WHERE corpus_id = 1")
        database.execute("DELETE FROM feature_logit WHERE rank = 1")
        database.commit()
        database.close()
        result = self.run_module("verify", path)
        self.assertEqual(
            (result.returncode, result.stdout),
            (1, "changed: corpus\nchanged: feature_logit, dictionary_id = 1\n"),
            result.stderr,
        )

    def test_errors_are_one_line_with_a_status(self) -> None:
        for status, *arguments in (
            (66, "summary", "/nonexistent"),
            (65, "summary", str(Path(__file__))),
            (66, "feature", str(self.made.path), "5"),
            (64, "feature", str(self.made.path)),
            (64, "nonsense"),
            (64,),
            (64, "summary", "a", "--nonsense"),
            (66, "summary", str(self.made.path), "--dictionary", "x"),
        ):
            with self.subTest(arguments=arguments):
                result = self.run_module(*arguments)
                self.assertEqual(
                    (result.returncode, result.stdout, result.stderr.count("\n")), (status, "", 1), result.stderr
                )
                self.assertTrue(result.stderr.startswith("error: "))

    def test_reading_leaves_nothing_beside_a_catalog_in_wal_mode(self) -> None:
        path = self.copied()
        database = sqlite3.connect(path)
        database.execute("PRAGMA journal_mode = WAL")
        database.close()
        before, folder = Path(path).read_bytes(), os.path.dirname(path)
        self.assertEqual(before[18], 2)
        self.assertEqual(self.run_module("summary", path).returncode, 0)
        self.assertEqual((os.listdir(folder), Path(path).read_bytes()), ([os.path.basename(path)], before))

    def test_what_is_still_in_the_log_is_read(self) -> None:
        path = self.copied()
        database = sqlite3.connect(path)
        self.addCleanup(database.close)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE dictionary SET name = 'in the log' WHERE dictionary_id = 1")
        database.commit()
        self.assertIn("in the log", self.run_module("summary", path).stdout)
