"""Every function's answer equals that of SQL: on the catalog that the tests write, and on any that is named.

ROUTESAE_CATALOG=some.sqlite reads all of that one, too.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from written import written

import routesae

TABLES = {
    # Function, table or view, condition beyond dictionary and corpus, order.
    "explanations": ("explanation_score", "dictionary_id = :d AND corpus_id = :c", "explanation_id"),
    "scores": ("score", "dictionary_id = :d AND corpus_id = :c", "score_id"),
    "cofiring": ("cofiring_pair", "dictionary_id = :d AND corpus_id = :c", "feature_index, rank"),
    "neighbors": ("feature_neighbor", "dictionary_id = :d AND :c", "feature_index, rank"),
    "logits": ("logit_token", "dictionary_id = :d AND :c", "feature_index, direction, rank"),
    "layers": ("layer_profile", "dictionary_id = :d AND corpus_id = :c", "layer"),
    "feature_layers": ("feature_layer", "dictionary_id = :d AND corpus_id = :c", "feature_index, layer"),
    "tokens": (
        "feature_token",
        "dictionary_id = :d AND corpus_id = :c",
        "feature_index, activation_1 DESC, token_class",
    ),
    "evaluation": ("evaluation", "dictionary_id = :d AND :c", "evaluation_id"),
    "runs": ("run", ":d AND :c", "run_id"),
    "dictionaries": ("dictionary_summary", ":d AND :c", "dictionary_id, corpus_id"),
}


def plain(value: Any) -> Any:
    """A value of any library as SQLite has it."""
    if value is None or type(value).__name__ == "NAType" or isinstance(value, float) and value != value:
        return None
    return value.item() if isinstance(value, np.generic) else value


def rows_of(frame: Any) -> list[tuple[Any, ...]]:
    """The rows of a table as SQLite has them."""
    return [tuple(map(plain, row)) for row in zip(*(list(frame[name]) for name in frame.columns))]


class EqualSQL(unittest.TestCase):
    path = ""

    @classmethod
    def setUpClass(cls) -> None:
        cls.path = cls.path or str(written().path)
        cls.catalog = routesae.open(cls.path)
        cls.database = sqlite3.connect(f"{Path(cls.path).resolve().as_uri()}?mode=ro", uri=True)
        cls.indexes = [(one, index) for one in cls.catalog.records() for index in one.indexes]

    @classmethod
    def tearDownClass(cls) -> None:
        cls.catalog.close()
        cls.database.close()

    def sql(self, query: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
        return self.database.execute(query, named or values).fetchall()

    def test_tables_and_views(self) -> None:
        found = set()
        for owner, index in self.indexes:
            for name, (table, where, order) in TABLES.items():
                with self.subTest(function=name, dictionary=owner.name, corpus=index.corpus):
                    options = {} if name in ("runs", "dictionaries") else {"dictionary": owner.dictionary_id}
                    if "corpus_id" in where:
                        options["corpus"] = index.corpus_id
                    answer = getattr(self.catalog, name)(**options)
                    columns = ", ".join(f'"{column}"' for column in answer.columns)
                    everything = [row[0] for row in self.sql("SELECT name FROM pragma_table_xinfo(?)", table)]
                    self.assertEqual(set(everything) - set(answer.columns), {"detail"} if table == "score" else set())
                    expected = self.sql(
                        f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order}",
                        d=owner.dictionary_id,
                        c=index.corpus_id,
                    )
                    self.assertEqual(rows_of(answer), expected)
                    found.update([name] if expected else [])
        self.assertLessEqual({"cofiring", "layers", "tokens", "runs", "dictionaries"}, found)

    def test_features_are_those_of_the_table_and_of_the_summary(self) -> None:
        for owner, index in self.indexes:
            answer = self.catalog.features(owner.dictionary_id, index.corpus_id)
            names = [row[0] for row in self.sql("SELECT name FROM pragma_table_xinfo('feature')")]
            columns = (
                ", ".join(f"f.{name}" for name in names) + ", s.explanation, s.explanation_method, s.promoted_tokens"
            )
            expected = self.sql(
                f"SELECT {columns} FROM feature AS f JOIN feature_summary AS s USING (dictionary_id, corpus_id,"
                " feature_index) WHERE dictionary_id = ? AND corpus_id = ? ORDER BY feature_index",
                owner.dictionary_id,
                index.corpus_id,
            )
            self.assertEqual(rows_of(answer), expected)

    def test_contexts_are_those_of_the_view(self) -> None:
        for owner, index in self.indexes:
            answer = self.catalog.contexts(None, owner.dictionary_id, index.corpus_id)
            shared = [
                row[0] for row in self.sql("SELECT name FROM pragma_table_xinfo('context')") if row[0] != "activations"
            ]
            self.assertLessEqual(set(shared), set(answer.columns))
            expected = self.sql(
                f"SELECT {', '.join(shared)}, activations FROM context WHERE dictionary_id = ? AND corpus_id = ?"
                " ORDER BY context_id",
                owner.dictionary_id,
                index.corpus_id,
            )
            found = [tuple(map(plain, row)) for row in zip(*(list(answer[name]) for name in shared))]
            self.assertEqual(found, [row[:-1] for row in expected])
            for values, (*_, text) in zip(list(answer["activations"]), expected):
                said = json.loads(text)
                self.assertEqual(
                    values.tolist(), [float(np.float32(said.get(str(at), 0))) for at in range(len(values))]
                )
            texts = dict(self.sql("SELECT document_id, title FROM document"))
            self.assertEqual(
                [texts[one] for one in list(answer["document_id"])], [plain(one) for one in list(answer["document"])]
            )

    def test_search(self) -> None:
        for owner, index in self.indexes:
            key = {"dictionary": owner.dictionary_id, "corpus": index.corpus_id}
            words = self.sql(
                "SELECT text FROM explanation WHERE dictionary_id = ? AND corpus_id = ? LIMIT 3",
                owner.dictionary_id,
                index.corpus_id,
            )
            for (text,) in words:
                word = next((one for one in text.replace('"', " ").split() if one.isalnum()), None)
                if word is None:
                    continue
                expected = self.sql(
                    "SELECT e.feature_index, e.explanation_id, e.method, e.text FROM explanation_text AS t"
                    " JOIN explanation AS e ON e.explanation_id = t.rowid"
                    " WHERE explanation_text MATCH ? AND dictionary_id = ? AND corpus_id = ?",
                    f'"{word}"',
                    owner.dictionary_id,
                    index.corpus_id,
                )
                self.assertEqual(sorted(rows_of(self.catalog.search(word, **key, limit=10**6))), sorted(expected))
                self.assertTrue(expected)
            tokens = self.sql(
                "SELECT DISTINCT token FROM logit_token WHERE dictionary_id = ? AND direction = 'promoted'"
                " AND token GLOB '*[a-z]*' LIMIT 3",
                owner.dictionary_id,
            )
            for (token,) in tokens:
                found = rows_of(self.catalog.search(token.strip(), "promoted", **key, limit=10**6))
                expected = self.sql(
                    "SELECT feature_index, rank, value, token FROM logit_token WHERE dictionary_id = ? AND"
                    " direction = 'promoted' AND lower(trim(token)) = lower(?)",
                    owner.dictionary_id,
                    token.strip(),
                )
                self.assertEqual(sorted(found), sorted(expected))
            contexts = self.catalog.contexts(None, owner.dictionary_id, index.corpus_id)
            for word in {"burning", "the", "café"}:
                found = rows_of(self.catalog.search(word, "contexts", **key, limit=10**6))
                best: dict[int, float] = {}
                passages = {
                    row[0] for row in self.sql("SELECT rowid FROM passage_text WHERE passage_text MATCH ?", f'"{word}"')
                }
                for feature, passage, activation, excerpt in zip(
                    *(list(contexts[n]) for n in ("feature_index", "passage_id", "activation", "excerpt"))
                ):
                    plain_text = excerpt.replace("«", "").replace("»", "")
                    if passage in passages and activation > 0 and word in plain_text.lower():
                        best[feature] = max(best.get(feature, 0), activation)
                self.assertEqual({row[0]: row[3] for row in found}, best)

    def test_sql_metrics_and_histograms(self) -> None:
        for query in (
            "SELECT * FROM run",
            "SELECT 1 AS a WHERE 0",
            "SELECT NULL AS a, 2.5 AS b UNION ALL SELECT 'x', 3",
        ):
            self.assertEqual(rows_of(self.catalog.sql(query)), self.sql(query))
        for (run,) in self.sql("SELECT DISTINCT run_id FROM run_metric"):
            self.assertEqual(
                rows_of(self.catalog.metrics(run)),
                self.sql("SELECT run_id, name, step, value FROM run_metric WHERE run_id = ? ORDER BY name, step", run),
            )
        for owner, index in self.indexes:
            every = self.catalog.histograms(owner.dictionary_id, index.corpus_id)
            expected = self.sql(
                "SELECT feature_index, bin, n_fired FROM feature_histogram WHERE dictionary_id = ? AND corpus_id = ?",
                owner.dictionary_id,
                index.corpus_id,
            )
            for feature, place, count in expected:
                self.assertEqual(every.counts[feature, place], count)

    def test_weights_agree_with_the_statistics(self) -> None:
        for owner, index in self.indexes:
            features = self.catalog.features(owner.dictionary_id, index.corpus_id)
            if self.path != str(written().path):
                norms = np.linalg.norm(self.catalog.dictionary(owner.dictionary_id).decoder, axis=1)
                np.testing.assert_allclose(features["decoder_norm"], norms, rtol=1e-4)
            self.assertEqual(list(features["feature_index"]), list(range(owner.n_latents)))


@unittest.skipUnless(os.environ.get("ROUTESAE_CATALOG"), "ROUTESAE_CATALOG names no catalog")
class NamedCatalog(EqualSQL):
    path = os.environ.get("ROUTESAE_CATALOG", "")

    def test_nothing_has_changed(self) -> None:
        self.assertEqual(self.catalog.changed_tables(), [])


class WithoutPandas(unittest.TestCase):
    def test_columns_of_numpy_hold_the_same(self) -> None:
        """The same tests in a Python that cannot import pandas."""
        script = (
            "import sys, unittest; sys.modules['pandas'] = None; "
            "unittest.main(None, argv=['x', 'test_equal_sql.EqualSQL', 'test_catalog'])"
        )
        folder = Path(__file__).parent
        result = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{folder.parent}:{folder}"},
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("OK", result.stderr)


if __name__ == "__main__":
    unittest.main()
