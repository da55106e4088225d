"""Data sets of Parquet: their rows are those of the catalog, and they appear whole or not at all."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

import numpy as np
from reading import Reading
from test_catalog import rows_of
from written import ROOT

from routesae import parquet
from routesae.__main__ import main


@unittest.skipUnless(importlib.util.find_spec("pyarrow"), "pyarrow is not installed")
class DataSets(Reading):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.target = self.folder / "set"

    def another(self, uuid: str = "../../x") -> str:
        """The catalog under another uuid, with a dictionary of a name that no folder can have, and evaluations."""
        name = "other.sqlite" if uuid == "../../x" else f"{uuid}.sqlite"
        path = shutil.copy(self.made.path, self.folder / name)
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("UPDATE catalog SET uuid = ?", (uuid,))
        database.execute("UPDATE dictionary SET name = '../a/b=c%' WHERE dictionary_id = 1")
        database.execute(
            "INSERT INTO evaluation VALUES (1, 1, 1, 1, 'l0', NULL, 2.0, 1.5, 2.5, 100),"
            " (2, 1, 1, NULL, 'kl', 3, NULL, NULL, NULL, 5)"
        )
        database.close()
        return str(path)

    def rows(self, table: str) -> list[dict[str, Any]]:
        import pyarrow.dataset as ds

        return ds.dataset(self.target / table, partitioning="hive").to_table().to_pylist()

    def test_rows_and_values_are_those_of_the_catalog(self) -> None:
        counts = parquet.write([str(self.made.path)], str(self.target))
        self.assertEqual(counts["contexts"], sum(map(len, self.made.contexts.values())))
        self.assertEqual(
            set(os.listdir(self.target)), {*parquet.TABLES, "README.md", "_routesae.json"} - {"evaluation"}
        )
        database = sqlite3.connect(self.made.path)
        self.addCleanup(database.close)
        for table, source in (
            ("features", "feature"),
            ("layers", "feature_layer"),
            ("tokens", "feature_token"),
            ("explanations", "explanation_score"),
            ("scores", "score"),
        ):
            rows = self.rows(table)
            names = [
                row[0]
                for row in database.execute("SELECT name FROM pragma_table_xinfo(?)", (source,))
                if row[0] not in ("detail", "dictionary", "corpus")
            ]
            expected = [tuple(row) for row in database.execute(f"SELECT {', '.join(names)} FROM {source}")]
            self.assertEqual(
                sorted((tuple(row[name] for name in names) for row in rows), key=repr), sorted(expected, key=repr)
            )
            self.assertEqual({row["catalog"] for row in rows}, {"u"})
            self.assertEqual(
                {(row["dictionary"], row["corpus"]) for row in rows} - {("demo", "bible"), ("demo", "held-out")}, set()
            )
        found = {row["context_id"]: row for row in self.rows("contexts")}
        for corpus in (1, 2):
            frame = self.catalog.contexts(None, "demo", corpus)
            for row in rows_of(frame):
                said = found.pop(row["context_id"])
                for name in ("excerpt", "band", "document", "peak", "passage_id", "activation", "window_length"):
                    self.assertEqual(said[name], row[name])
                for name in ("tokens", "token_ids", "activations"):
                    self.assertEqual(said[name], row[name].tolist())
                self.assertIn(said["split"], ("explain", "score", None))
        self.assertEqual(found, {})

    def test_pieces_of_features_make_the_same(self) -> None:
        parquet.write([str(self.made.path)], str(self.target))
        whole = self.rows("contexts")
        shutil.rmtree(self.target)
        with (
            unittest.mock.patch.object(parquet, "_TOKENS_AT_ONCE", 1),
            unittest.mock.patch("routesae.file.ROWS_AT_ONCE", 3),
        ):
            parquet.write([str(self.made.path)], str(self.target))
        self.assertEqual(self.rows("contexts"), whole)

    def test_several_catalogs_become_one_data_set(self) -> None:
        other = self.another()
        parquet.write([str(self.made.path), other], str(self.target))
        together = {table: self.rows(table) for table in parquet.TABLES}
        shutil.rmtree(self.target)
        parquet.write([str(self.made.path)], str(self.target))
        alone = len(self.rows("features"))
        parquet.write([other], str(self.target), appending=True)
        for table in parquet.TABLES:
            self.assertEqual(sorted(map(repr, self.rows(table))), sorted(map(repr, together[table])))
        self.assertEqual(len(together["features"]), 2 * alone)
        self.assertEqual({row["dictionary"] for row in together["features"]}, {"demo", "../a/b=c%"})
        self.assertEqual(
            {(row["metric"], row["corpus"], row["value"]) for row in together["evaluation"]},
            {("l0", "bible", 2.0), ("kl", None, None)},
        )
        self.assertEqual(
            [one["name"] for one in json.loads((self.target / "_routesae.json").read_text())["catalogs"]],
            ["demo.catalog", "other.sqlite"],
        )
        self.assertEqual(sorted(os.listdir(self.folder)), ["other.sqlite", "set"])

    def test_what_cannot_be_written_leaves_nothing(self) -> None:
        path = str(self.made.path)
        damaged = self.damaged("UPDATE passage SET token_starts = token_starts || '0' WHERE passage_id = 9").path
        database = sqlite3.connect(damaged, isolation_level=None)
        database.execute("UPDATE catalog SET uuid = 'v'")
        database.close()
        self.refuses("decimals of equal width", parquet.write, [path, damaged], str(self.target))
        self.refuses("is in the data set already", parquet.write, [path, path], str(self.target))
        self.refuses("there is no such data set", parquet.write, [path], str(self.target), True)
        self.refuses("there is no folder", parquet.write, [path], str(self.target / "a" / "b"))
        self.refuses("no such file", parquet.write, ["/nonexistent"], str(self.target))
        long = self.damaged("UPDATE dictionary SET name = ? WHERE dictionary_id = 1", "日" * 100).path
        self.refuses("too long for a folder", parquet.write, [long], str(self.target))
        self.assertEqual(os.listdir(self.folder), [])
        self.target.mkdir()
        (self.target / "mine").write_text("x")
        self.refuses("exists already", parquet.write, [path], str(self.target))
        self.refuses("is no data set of", parquet.write, [path], str(self.target), True)
        self.assertEqual((os.listdir(self.folder), os.listdir(self.target)), (["set"], ["mine"]))
        shutil.rmtree(self.target)
        parquet.write([path], str(self.target))
        before = sorted(str(one) for one in self.folder.rglob("*"))
        self.refuses("is in the data set already", parquet.write, [path], str(self.target), True)
        with unittest.mock.patch("os.rename", side_effect=[None, OSError(28, "No space left on device"), None]):
            self.refuses("No space left", parquet.write, [self.another()], str(self.target), True)
        os.unlink(self.folder / "other.sqlite")
        self.assertEqual(sorted(str(one) for one in self.folder.rglob("*")), before)

    def test_a_killed_run_leaves_nothing_to_the_next(self) -> None:
        code = (
            "import os, signal, sys\n"
            "from routesae import parquet\n"
            "parquet.ExclusiveFolder.finish = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
            "parquet.write([sys.argv[1]], sys.argv[2])\n"
        )
        killed = subprocess.run(
            [sys.executable, "-c", code, str(self.made.path), str(self.target)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "tools" / "python")},
        )
        self.assertEqual(killed.returncode, -signal.SIGKILL)
        self.assertEqual(sorted(os.listdir(self.folder)), [".set.lock", ".set.partial"])
        parquet.write([str(self.made.path)], str(self.target))
        self.assertEqual(os.listdir(self.folder), ["set"])

    def test_appends_at_once_do_not_lose_one(self) -> None:
        parquet.write([str(self.made.path)], str(self.target))
        others = [self.another(f"catalog {number}") for number in range(4)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools" / "python")}
        statuses = []
        waiting = others
        while waiting:
            processes = [
                subprocess.Popen(
                    [sys.executable, "-m", "routesae", "parquet", path, str(self.target), "--append"],
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
                for path in waiting
            ]
            said = [process.communicate()[1] for process in processes]
            statuses += [process.returncode for process in processes]
            for process, line in zip(processes, said):
                if process.returncode:
                    self.assertIn("another process is writing it; wait until that has ended", line)
            waiting = [path for path, process in zip(waiting, processes) if process.returncode]
        self.assertEqual(set(statuses) - {73}, {0})
        names = [one["name"] for one in json.loads((self.target / "_routesae.json").read_text())["catalogs"]]
        self.assertEqual(sorted(names), sorted(["demo.catalog", *(os.path.basename(path) for path in others)]))
        self.assertEqual(len({row["catalog"] for row in self.rows("features")}), 5)

    def test_the_queries_of_its_readme_find_what_sqlite_finds(self) -> None:
        """With those of the programs that are installed; tools/try_python.py is for all of them."""
        sys.path.insert(0, str(ROOT / "tools"))
        import try_python

        paths = [str(self.made.path), self.another()]
        parquet.write(paths, str(self.target))
        found = try_python.check_queries(self.target, paths)
        self.assertEqual(len(found), 6)
        for heading, program, n_rows, said in found:
            if not said.startswith("not tried"):
                self.assertEqual((said, n_rows > 2), ("as SQLite", True), (heading, program))

    def test_the_command(self) -> None:
        for status, *arguments in (
            (0, str(self.made.path), str(self.target)),
            (73, str(self.made.path), str(self.target)),
            (73, str(self.made.path), str(self.target), "--append"),
            (0, self.another(), str(self.target), "--append"),
            (66, "/nonexistent", str(self.folder / "new")),
            (65, __file__, str(self.folder / "new")),
        ):
            with contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(main(["parquet", *arguments]), status)
            self.assertEqual(said.getvalue().count("\n"), 1)
        self.assertFalse((self.folder / "new").exists())

    def test_arrow_and_polars_take_tables(self) -> None:
        contexts = self.catalog.contexts(7, "demo")
        found = contexts.to_arrow()
        self.assertEqual(found.num_rows, len(contexts["rank"]))
        self.assertEqual(found.column("tokens")[0].as_py(), contexts["tokens"][0].tolist())
        np.testing.assert_array_equal(found.column("activations")[0].as_py(), contexts["activations"][0])
        if importlib.util.find_spec("polars"):
            self.assertEqual(
                self.catalog.features("demo").to_polars()["n_fired"].sum(),
                int(self.catalog.features("demo")["n_fired"].sum()),
            )


if __name__ == "__main__":
    unittest.main()
