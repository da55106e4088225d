"""What the package reads is what was written."""

from __future__ import annotations

import pickle
import random
import sqlite3
import struct
from typing import Any

import numpy as np
from reading import Reading
from written import EDGES, WINDOW, fired_on, others, single, window_of

from routesae.activations import other_activations, window_activations
from routesae.contexts import BANDS
from routesae.frames import Columns


class Contents(Reading):
    def test_dictionaries_and_corpora(self) -> None:
        demo, weights = self.catalog.records()
        self.assertEqual(
            (demo.dictionary_id, demo.name, demo.n_latents, demo.k, demo.layers), (1, "demo", 1300, 2, (1, 2, 3, 4, 5))
        )
        self.assertEqual(
            [(i.corpus_id, i.corpus, i.run_id, i.window) for i in demo.indexes],
            [(2, "held-out", 2, 8), (1, "bible", 3, 8)],
        )
        self.assertEqual(weights.indexes, ())

    def test_by_default_the_last_dictionary_and_the_last_index(self) -> None:
        self.assertEqual(self.catalog.dictionary().name, "weights")
        self.assertEqual(self.catalog.index("demo")[1].corpus, "bible")
        for dictionary in ("demo", 1):
            for corpus in ("held-out", 2):
                self.assertEqual(self.catalog.index(dictionary, corpus)[1].run_id, 2)
        self.refuses("weights is not indexed", self.catalog.features)
        self.refuses("no dictionary 'x'; it has 1 (demo), 2 (weights)", self.catalog.dictionary, "x")
        self.refuses("not indexed on corpus 9; it is on 2 (held-out), 1 (bible)", self.catalog.features, 1, 9)

    def test_tensors_of_every_form(self) -> None:
        self.assertEqual(len(self.catalog.dictionary("weights").tensors), 42)
        for number in (1, 2):
            dictionary = self.catalog.dictionary(number)
            for name, (_, shape) in dictionary.tensors.items():
                with self.subTest(name=name):
                    expected = np.array(self.made.tensors[number, name], np.float32).reshape(shape)
                    found = dictionary.tensor(name)
                    self.assertEqual((found.dtype, found.shape), (np.float32, shape))
                    np.testing.assert_array_equal(found, expected)
                    if not shape or not shape[0]:
                        continue
                    for rows in (
                        0,
                        -1,
                        slice(1, 6),
                        slice(None, None, -3),
                        [],
                        [1, 1, 0],
                        np.arange(shape[0])[::-1],
                        [-shape[0]],
                    ):
                        picked = dictionary.tensor(name, rows)
                        np.testing.assert_array_equal(
                            picked, expected[np.array(rows, int) if isinstance(rows, list) else rows]
                        )

    def test_encoder_and_decoder(self) -> None:
        demo = self.catalog.dictionary("demo")
        self.assertEqual((demo.decoder.shape, demo.encoder.shape), ((1300, 4), (1300, 4)))
        np.testing.assert_array_equal(
            demo.tensor("encoder", [5]), np.array(self.made.tensors[1, "encoder"][20:24], np.float32)[None]
        )
        self.refuses("there is none; there are", self.catalog.dictionary("weights").tensor, "encoder")
        self.refuses("no row 1300; it has 1300", demo.tensor, "decoder", [4, 1300])
        self.refuses("no row -1301", demo.tensor, "decoder", -1301)
        self.refuses("by whole numbers", demo.tensor, "decoder", [1.5])
        with self.assertRaises(ValueError):
            demo.decoder[0, 0] = 1  # What is kept is read-only.

    def test_rows_read_only_the_chunks_that_hold_them(self) -> None:
        read: list[str] = []
        self.catalog.file.connection.set_trace_callback(read.append)
        self.catalog.dictionary("demo").tensor("decoder", [250, 299, 1299])
        self.assertEqual(sum('"values"' in sql for sql in read), 2)

    def test_whole_weights_are_read_once(self) -> None:
        demo = self.catalog.dictionary("demo")
        read: list[str] = []
        self.catalog.file.connection.set_trace_callback(read.append)
        for _ in range(2):
            self.assertEqual(demo.weights["decoder"].shape, demo.decoder.shape)
        self.assertEqual(sum('"values"' in sql for sql in read), 13 + 1 + 2 + 2 + 1)

    def test_features(self) -> None:
        for corpus in (1, 2):
            found = self.catalog.features("demo", corpus)
            fired = np.array([fired_on(feature, corpus) for feature in range(1300)])
            np.testing.assert_array_equal(found["feature_index"], np.arange(1300))
            np.testing.assert_array_equal(found["n_fired"], fired)
            np.testing.assert_array_equal(found["is_dead"], fired == 0)
            np.testing.assert_array_equal(found["max_activation"], np.where(fired, 3.0 + np.arange(1300), np.nan))
            self.assertEqual(
                [none(layer) for layer in found["peak_layer"]],
                [feature % 5 + 1 if n else None for feature, n in enumerate(fired)],
            )
            self.assertEqual(
                [found[name].dtype for name in ("n_fired", "is_dead", "p10")], [np.int64, bool, np.float64]
            )
            self.assertTrue(np.isnan(found["p10"]).all())
            self.assertEqual([none(token) for token in found["top_token"]], ["lord" if n else None for n in fired])
            self.assertEqual(found["explanation"][7], {1: "what burns", 2: "what is drunk"}[corpus])
            self.assertEqual(found["promoted_tokens"][7], " God  lord")
            self.assertEqual(found["explanation_id"][7], corpus)
            self.assertIsNone(none(found["explanation_id"][8]))

    def test_feature_layers(self) -> None:
        found = self.catalog.feature_layers(None, "demo", 2)
        fired = np.array([fired_on(feature, 2) for feature in range(1300)])
        alive = np.flatnonzero(fired)
        np.testing.assert_array_equal(found["feature_index"], alive)
        np.testing.assert_array_equal(found["layer"], alive % 5 + 1)
        np.testing.assert_array_equal(found["n_fired"], fired[alive])
        np.testing.assert_array_equal(found["sum_activation"], 2.5 * fired[alive])

    def test_histograms(self) -> None:
        found = self.catalog.histogram(7, "demo", "bible")
        assert found is not None
        self.assertEqual((list(found.edges), list(found.counts)), (EDGES, [8, 0, 1, 0]))
        every = self.catalog.histograms("demo", "bible")
        np.testing.assert_array_equal(every.counts[:, 0], self.catalog.features("demo", "bible")["n_fired"])
        self.refuses("no feature 1300", self.catalog.histogram, 1300, "demo")

    def test_token_ids(self) -> None:
        for document, ids in self.made.documents.items():
            self.assertEqual(self.catalog.token_ids(document).tolist(), ids)
        self.refuses("no document 77", self.catalog.token_ids, 77)

    def test_contexts(self) -> None:
        forms = set()
        for corpus in (1, 2):
            whole = rows_of(self.catalog.contexts(None, "demo", corpus))
            wanted = {key: places for key, places in self.made.contexts.items() if key[1] == corpus}
            self.assertEqual(len(whole), sum(map(len, wanted.values())))
            for (feature, _), places in wanted.items():
                found = rows_of(self.catalog.contexts(feature, "demo", corpus))
                self.assertEqual(
                    [row["context_id"] for row in found],
                    [row["context_id"] for row in whole if row["feature_index"] == feature],
                )
                self.assertEqual(len(found), len(places))
                for number, (context, place) in enumerate(zip(found, places)):
                    document, first, tokens = self.made.passages[place.passage_id]
                    window = window_of(place.position, len(tokens), WINDOW)
                    self.assertEqual((context["band"], context["rank"]), (BANDS[place.band], place.rank))
                    self.assertEqual((context["document_id"], context["document"]), (document, f"Document {document}"))
                    self.assertEqual(
                        (context["token_position"], context["window_start"]),
                        (first + place.position, first + window.start),
                    )
                    self.assertEqual(context["token_ids"].tolist(), [tokens[token] for token in window])
                    self.assertEqual(context["activations"].dtype, np.float32)
                    self.assertEqual(context["activations"].tolist(), place.window)
                    self.assertEqual(context["activation"], context["activations"][context["peak"]])
                    self.assertEqual(context["token_ids"][context["peak"]], tokens[place.position])
                    self.assertEqual(
                        (context["layer"], none(context["router_weight"])), (4, 0.5 if feature % 3 else None)
                    )
                    self.assertEqual(none(context["n_occurrences"]), number + 1 if feature % 2 else None)
                    self.assertIn(none(context["split"]), (None, "explain", "score"))
                    self.assertEqual(len(context["tokens"]), len(window))
                    head, peak = "".join(context["tokens"][: context["peak"]]), context["tokens"][context["peak"]]
                    self.assertTrue(context["excerpt"].startswith(f"{head}«{peak}"))
                    if peak:
                        tail = "".join(context["tokens"][context["peak"] + 1 :])
                        self.assertEqual(context["excerpt"], f"{head}«{peak}»{tail}")
                forms.add((feature % 2, feature % 4 == 0))
        self.assertEqual(len(forms), 3)

    def test_contexts_of_a_band_of_ranks_and_of_several_features(self) -> None:
        whole = rows_of(self.catalog.contexts(7, 1, 1))
        for band in BANDS:
            part = rows_of(self.catalog.contexts(7, 1, 1, band))
            self.assertEqual([c["context_id"] for c in part], [c["context_id"] for c in whole if c["band"] == band])
            self.assertGreater(len(part), 3)
        first = rows_of(self.catalog.contexts(7, 1, 1, ranks=2))
        self.assertEqual([(c["band"], c["rank"]) for c in first], [(band, rank) for band in BANDS for rank in (0, 1)])
        several = rows_of(self.catalog.contexts([9, 7, 9], 1, 1))
        self.assertEqual(sorted({c["feature_index"] for c in several}), [7, 9])
        self.assertEqual(several[: len(whole)][3]["excerpt"], whole[3]["excerpt"])
        for features in ({7, 9}, range(7, 10, 2), np.array([7, 9]), iter([7, 9])):
            self.assertEqual(len(rows_of(self.catalog.contexts(features, 1, 1))), len(several))
        self.assertEqual(len(rows_of(self.catalog.contexts(np.int64(7), 1, 1))), len(whole))
        self.assertEqual(rows_of(self.catalog.contexts(100, "demo")), [])
        self.assertEqual(rows_of(self.catalog.contexts([], "demo")), [])
        self.refuses("no band 'middle'", self.catalog.contexts, 7, "demo", None, "middle")
        self.refuses(
            "no direction 'lowered'; there are promoted, suppressed", self.catalog.logits, 7, "demo", "lowered"
        )
        for ranks in ([0, 1], 1.5, "2", -1, 1 << 63):
            self.refuses("expected how many contexts", self.catalog.contexts, 7, "demo", ranks=ranks)
        for one in (0, 1, np.int64(1)):
            self.assertEqual(len(self.catalog.contexts(7, "demo", band="top", ranks=one)["rank"]), int(one))
        self.refuses("no feature -1", self.catalog.contexts, -1, "demo")
        self.refuses("by whole numbers", self.catalog.contexts, [1.5], "demo")

    def test_nothing_is_written(self) -> None:
        for sql in ("DELETE FROM feature", "CREATE TABLE x (y)", "PRAGMA user_version = 9"):
            with self.assertRaises(sqlite3.OperationalError):
                self.catalog.file.connection.execute(sql)
        self.refuses("readonly", self.catalog.sql, "DELETE FROM feature")
        self.refuses("not authorized", self.catalog.sql, "ATTACH ':memory:' AS other")

    def test_a_query_that_takes_too_long_is_stopped(self) -> None:
        endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        self.refuses("was stopped after 0.1 seconds", self.catalog.sql, endless, seconds=0.1)
        found = self.catalog.sql("SELECT 1 AS a, 2.5 AS b, 'c' AS c, NULL AS d, 3 AS a")
        self.assertEqual(list(found.columns), ["a", "b", "c", "d", "a_4"])

    def test_activations_of_every_size(self) -> None:
        chance = random.Random(9)
        texts, peaks, windows = [], [], []
        for _ in range(3000):
            length = chance.choice((1, 2, 5, 48, 300))
            bits = [chance.randrange(1 << 32) if chance.random() < 0.3 else 0 for _ in range(length)]
            window = [struct.unpack("<f", struct.pack("<I", number))[0] for number in bits]
            window = [value if value - value == 0 else 1.5 for value in window]  # no NaN, no infinity
            peak = chance.randrange(length)
            text = others(window, peak)
            found = window_activations(text, peak, window[peak], length, "x")
            self.assertEqual((found.dtype, found.tolist()), (np.float32, window))
            if text is not None:
                texts.append(text), peaks.append(peak), windows.append(window)
        bulk = other_activations(texts, np.array(peaks), np.array([len(window) for window in windows]))
        assert bulk is not None
        expected = [
            (number, place, value)
            for number, (window, peak) in enumerate(zip(windows, peaks))
            for place, value in enumerate(window)
            if value and place != peak
        ]
        self.assertEqual(list(zip(*(part.tolist() for part in bulk))), expected)
        written = window_activations('{"0":1e-05,"1":-2,"3":1E+2}', 2, 0.0, 4, "x")
        self.assertEqual(written.tolist(), [single(1e-05), -2, 0, 100])

    def test_columns_used_like_a_data_frame_say_what_to_do(self) -> None:
        table = Columns({"peak": np.zeros(2, np.int64), "layer": np.ones(2, np.int64)})
        for words, call in (
            ("write table['peak'], or pip install pandas", lambda: table.peak),
            ("no attribute 'iloc': write table['peak']", lambda: table.iloc),
            ("one at a time: write table['peak']", lambda: table[["peak", "layer"]]),  # type: ignore[index]
            ("one at a time: write table['peak']", lambda: table[table["layer"] == 1]),  # type: ignore[index]
        ):
            with self.assertRaises((AttributeError, TypeError)) as caught:
                call()
            self.assertIn(words, str(caught.exception))
        self.assertRaises(KeyError, lambda: table["none"])
        self.assertFalse(hasattr(table, "_ipython_display_"))
        self.assertEqual(pickle.loads(pickle.dumps(table))["layer"].tolist(), [1, 1])


def none(value: object) -> object:
    """A missing value of any library as None."""
    return None if value is None or type(value).__name__ == "NAType" or value != value else value


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """The rows of a table."""
    return [dict(zip(frame.columns, row)) for row in zip(*(list(frame[name]) for name in frame.columns))]
