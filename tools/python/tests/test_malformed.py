"""One damaged catalog a rule, and bytes flipped anywhere."""

from __future__ import annotations

import os
import random
import sqlite3
import struct
import tempfile
import unittest.mock
from pathlib import Path

import numpy as np
import zstandard
from reading import Reading
from written import DIGEST, frame, single

import routesae
from routesae import contexts
from routesae.activations import other_activations, window_activations


class Malformed(Reading):
    """One damaged catalog a rule."""

    def test_files_that_are_no_catalogs(self) -> None:
        self.refuses("no such file", routesae.open, "/nonexistent/a.catalog")
        with tempfile.TemporaryDirectory() as folder:
            self.refuses("is not a file", routesae.open, folder)
            other = Path(folder, "other")
            other.write_bytes(b"no database at all" * 100)
            self.refuses("it is not a database of SQLite", routesae.open, other)
            other.write_bytes(b"")
            self.refuses("is not a catalog", routesae.open, other)
        self.refuses("is not a catalog", self.damaged, "PRAGMA application_id = 7")
        self.refuses("has schema 7, and schema 8 is read here; upgrade", self.damaged, "PRAGMA user_version = 7")
        self.refuses(
            "has schema 9, and schema 8 is read here; install a newer", self.damaged, "PRAGMA user_version = 9"
        )

    def test_links_and_pipes_beside_a_catalog(self) -> None:
        for beside in ("-wal", "-shm", "-journal"):
            path = self.copied()
            os.mkfifo(path + beside)
            self.refuses(f"{beside} beside it is no plain file", routesae.open, path)
            os.unlink(path + beside)
            os.symlink("/dev/zero", path + beside)
            self.refuses(f"{beside} beside it is no plain file", routesae.open, path)
        os.mkfifo(path + "2")
        self.refuses("is not a file", routesae.open, path + "2")

    def test_frames(self) -> None:
        content = struct.pack("<5I", 0, 1, 22, 2, 8)
        good = frame(content)
        trained = zstandard.train_dictionary(
            1024, [bytes(random.Random(n).choices(b"abcd", k=300)) for n in range(200)], dict_id=77
        )
        rle = b"".join(struct.pack("<I", 131072 << 3 | 1 << 1 | last)[:3] + b"\0" for last in [0] * 500 + [1])
        cases = {
            "is not a zstd frame": (b"", b"\0" * 30, good[:5], b"x" + good),
            "has no checksum": (frame(content, write_checksum=False), b"\x50\x2a\x4d\x18\x04\0\0\0abcd"),
            "does not tell its content's size": (frame(content, write_content_size=False),),
            "damaged": (
                good[:-1],
                good[:-7],
                good + b"\0",
                good + good,
                *(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :] for place in range(9, len(good))),
                good[:5] + bytes([19]) + good[6:],  # less than there is
                b"\x28\xb5\x2f\xfd\x24\x14" + rle + b"\0\0\0\0",  # claims 20 bytes, and is 64 MiB
            ),
            "claims 67108864 bytes, where at most 20 belong": (frame(b"\0" * (64 << 20)),),
            "claims 21 bytes, where at most 20": (good[:5] + bytes([21]) + good[6:],),
            "has 16 bytes, where 20 belong": (frame(content[:-4]),),
            "needs dictionary 77": (frame(content, dict_data=trained),),
        }
        self.assertEqual(good[4] & 0x23, 0x20)  # one byte says the size, and it is the sixth
        for words, frames in cases.items():
            for bad in frames:
                with self.subTest(words=words, frame=bad[:40]):
                    catalog = self.damaged("UPDATE document SET token_ids = ? WHERE document_id = 2", bad)
                    self.refuses(words, catalog.token_ids, 2)
        self.assertEqual(
            self.damaged("UPDATE document SET token_ids = ? WHERE document_id = 2", good).token_ids(2).size, 5
        )
        catalog = self.damaged("UPDATE document SET n_tokens = ? WHERE document_id = 2", 1 << 60)
        self.refuses("has 20 bytes", catalog.token_ids, 2)
        catalog = self.damaged("UPDATE document SET n_tokens = -1 WHERE document_id = 2")
        self.refuses("where at most -4 belong", catalog.token_ids, 2)

    def test_tensors(self) -> None:
        name = "f16 False [10, 3] 4"
        of = f"WHERE dictionary_id = 2 AND name = '{name}'"
        chunk = f"WHERE first_row = 4 AND tensor_id = (SELECT tensor_id FROM dictionary_tensor {of})"
        for words, sql in (
            ("SHA-256", f"UPDATE dictionary_tensor SET sha256 = '{DIGEST}' {of}"),
            ("unknown dtype 'f8'", f"UPDATE dictionary_tensor SET dtype = 'f8' {of}"),
            ("do not make the shape", f"UPDATE dictionary_tensor SET shape = '[9,3]' {of}"),
            ("do not make the shape", f"UPDATE dictionary_tensor SET shape = '[-1,3]' {of}"),
            ("not a JSON array of whole numbers", f"UPDATE dictionary_tensor SET shape = '[10,3.0]' {of}"),
            ("not a JSON array of whole numbers", f"UPDATE dictionary_tensor SET shape = '{'[' * 5000}' {of}"),
            ("chunks end at row 8 of 10", f"DELETE FROM tensor_chunk {chunk.replace('= 4', '= 8')}"),
            ("leaves a gap", f"UPDATE dictionary_tensor SET shape = '[11,3]', n_rows = 11 {of}"),
            ("leaves a gap", f"DELETE FROM tensor_chunk {chunk}"),
            ("leaves a gap", f"UPDATE tensor_chunk SET n_rows = 3 {chunk}"),
            ("leaves a gap", f"UPDATE tensor_chunk SET first_row = 5 {chunk}"),
        ):
            with self.subTest(sql=sql):
                self.refuses(words, self.damaged(sql).dictionary(2).tensor, name)
        self.refuses(
            "bytes", self.damaged(f"UPDATE dictionary_tensor SET dtype = 'f32' {of}").dictionary(2).tensor, name
        )
        bad = self.damaged(f'UPDATE tensor_chunk SET "values" = ? {chunk}', frame(b"\0" * 26))
        self.refuses("claims 26 bytes, where at most 24", bad.dictionary(2).tensor, name)
        self.assertEqual(bad.dictionary(2).tensor(name, [0, 9]).shape, (2, 3))  # that chunk is not read
        swapped = self.damaged(f'UPDATE tensor_chunk SET "values" = ? {chunk}', frame(b"\0" * 24))
        self.refuses("does not match its SHA-256", swapped.dictionary(2).tensor, name)
        huge = self.damaged(
            "INSERT INTO dictionary_tensor VALUES (999, 2, 'huge', 'f32', '[4611686018427387904]',"
            " 4611686018427387904, 1,"
            f" 4611686018427387904, 0, '{DIGEST}')"
        )
        self.refuses("chunks end at row 0", huge.dictionary(2).tensor, "huge")
        database = sqlite3.connect(huge.path)
        database.execute("INSERT INTO tensor_chunk VALUES (NULL, 999, 0, 4611686018427387904, ?)", (frame(b"1234"),))
        database.commit()
        database.close()
        self.refuses("values are too many", huge.dictionary(2).tensor, "huge")
        self.refuses("values are too many", huge.dictionary(2).tensor, "huge", [5])

    def test_activations(self) -> None:
        form = "are not a JSON object of places and numbers"
        for words, text in (
            *(
                (form, text)
                for text in (
                    "",
                    "{",
                    "}",
                    "{}",
                    "[]",
                    "null",
                    "x",
                    '{"1":1.5',
                    '"1":1.5}',
                    '{"1":1.5,}',
                    '{,"1":1.5}',
                    '{"1":1.5,,"2":1}',
                    "{1:1.5}",
                    '{"1": 1.5}',
                    ' {"1":1.5}',
                    '{"1":1.5}\n',
                    '{"1":"1.5"}',
                    '{"1":}',
                    '{"1":null}',
                    '{"1":true}',
                    '{"1":NaN}',
                    '{"1":Infinity}',
                    '{"1":.5}',
                    '{"1":1.}',
                    '{"1":01}',
                    '{"1":+1}',
                    '{"1":0x1p3}',
                    '{"1":1_0}',
                    '{"1":1e}',
                    '{"1":--1}',
                    '{"01":1}',
                    '{"+1":1}',
                    '{"-1":1}',
                    '{"1.0":1}',
                    '{"":1}',
                    '{"a":1}',
                    '{"\u0661":1}',
                    '{"1":\u0661}',
                    '{"10000000":1}',
                    '{"1":{"2":1}}',
                    '{"1":[1]}',
                    '{"1":1.5}{"2":1}',
                    '{"1":' + "1" * 65 + "}",
                    '{"1":1.5\0}',
                    '{"0":1,"1":1e' + "0" * 63 + "}",
                )
            ),
            ("at token 4 of a window of 4", '{"4":1.5}'),
            ("at token 1048576 of a window of 4", '{"1":1,"1048576":1.5}'),
            ("do not ascend at token 1", '{"3":1.5,"1":1}'),
            ("do not ascend at token 1", '{"1":1.5,"1":1}'),
            ("has the peak, token 2, among", '{"1":1.5,"2":1}'),
            ("the activation of token 1 is zero", '{"1":0}'),
            ("the activation of token 1 is zero", '{"1":-0.0}'),
            ("the activation of token 1 is zero", '{"1":1e-60}'),
            ("the activation of token 1 is not a finite number", '{"1":1e39}'),
            ("the activation of token 1 is not a finite number", '{"1":-1e999}'),
            ("304 characters are too many for the activations of 4 tokens", '{"1":1.' + "0" * 296 + "}"),
        ):
            with self.subTest(text=text):
                self.refuses(words, window_activations, text, 2, 1.0, 4, "x")
                fine = '{"0":1}'
                self.assertIsNone(other_activations([fine, text, fine], np.full(3, 2), np.full(3, 4)))
        good = '{"0":0.1,"1":2.5,"3":-1}'
        self.assertEqual(window_activations(good, 2, 1.0, 4, "x").tolist(), [single(0.1), 2.5, 1, -1])
        for length in range(len(good)):
            self.refuses(f"x: its activations {form}", window_activations, good[:length], 2, 1.0, 4, "x")
        for value in (float("inf"), float("nan"), 1e39):
            self.refuses("token 2 is not a finite number", window_activations, None, 2, value, 4, "x")
        for peak, length in ((4, 4), (-1, 4), (0, 0), (0, (1 << 20) + 1)):
            self.refuses("is the peak of a window", window_activations, None, peak, 1.0, length, "x")

    def test_contexts(self) -> None:
        of = "WHERE dictionary_id = 1 AND feature_index = 8 AND corpus_id = 1"
        others_of = f"UPDATE feature_context SET other_activations = ? {of} AND band = 0 AND rank = 0"
        peak = self.catalog.contexts(8, 1, 1)["peak"][0]
        first = self.made.contexts[8, 1][0].passage_id
        for words, sql, values in (
            ("context top 0: its activations are not a JSON object", others_of, ("x",)),
            ("context top 0: has an activation at token 8 of a window of 8", others_of, ('{"8":1}',)),
            ("context top 0: has the peak", others_of, (f'{{"{peak}":1}}',)),
            ("bytes are too many for the activations of 8 tokens", others_of, ("{" + " " * 700 + "}",)),
            ("its window occurs 0 times", f"UPDATE feature_context SET n_occurrences = 0 {of}", ()),
            ("is not a finite number", f"UPDATE feature_context SET activation = 9e999 {of} AND band = 0", ()),
            ("lack their passage", "DELETE FROM passage WHERE passage_id = ?", (first,)),
            (
                "not within its passage",
                f"UPDATE feature_context SET position = 4000 {of} AND band = 0 AND rank = 0",
                (),
            ),
            ("is not within its document", "UPDATE passage SET first_token = 5000 + passage_id", ()),
            ("decimals of equal width", "UPDATE passage SET token_starts = token_starts || '0'", ()),
            ("decimals of equal width", "UPDATE passage SET token_starts = replace(token_starts, '0', 'x')", ()),
            ("do not ascend", "UPDATE passage SET text = ''", ()),
        ):
            with self.subTest(words=words, sql=sql):
                self.refuses(words, self.damaged(sql, *values).contexts, 8, 1, 1)

        with unittest.mock.patch.object(contexts, "MOST_TOKENS", 20):
            self.refuses("its contexts have more than 20 tokens", self.catalog.contexts, 8, 1, 1)

    def test_names_do_not_break_the_line(self) -> None:
        catalog = self.damaged("UPDATE dictionary SET name = ? WHERE dictionary_id = 2", "a\nb\x1b[31m")
        self.refuses("dictionary a b [31m is not indexed", catalog.features)
        self.refuses("dictionary a b [31m: tensor x: there is none", catalog.dictionary().tensor, "x")

    def test_flipped_bytes_anywhere_in_the_file(self) -> None:
        whole = self.made.path.read_bytes()
        chance = random.Random(3)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "flipped.catalog")
            outcomes = {"read": 0, "refused": 0}
            for number in range(60):
                damaged = bytearray(whole)
                for _ in range(chance.choice((1, 20, 500))):
                    damaged[chance.randrange(100, len(whole))] = chance.choice((0, 255, chance.randrange(256)))
                path.write_bytes(damaged)
                try:
                    with routesae.open(path) as catalog:
                        read_all(catalog)
                        outcomes["read"] += 1
                except routesae.CatalogError as error:  # and nothing else
                    self.assertNotIn("\n", str(error))
                    outcomes["refused"] += 1
            self.assertGreater(min(outcomes.values()), 5, outcomes)

    def test_values_of_other_types(self) -> None:
        for sql, call in (
            ("UPDATE dictionary SET layers = '[1,\"2\"]'", lambda c: c.features(1)),
            ("UPDATE dictionary SET layers = '{}'", lambda c: c.records()),
            ("UPDATE indexing SET histogram_edges = '[1,2]'", lambda c: c.histogram(7, 1)),
            ("UPDATE indexing SET histogram_edges = '{}'", lambda c: c.histograms(1)),
            ("UPDATE feature SET histogram = 'x'", lambda c: c.histogram(7, 1)),
            ('UPDATE indexing SET "window" = 0', lambda c: c.contexts(7, 1)),
            (f'UPDATE indexing SET "window" = {1 << 50}', lambda c: c.contexts(7, 1)),
            ("UPDATE feature_context SET band = 3 WHERE band = 2", lambda c: c.contexts(None, 1)),
            (
                "UPDATE feature_context SET split = 2"
                " WHERE 1 = (SELECT count(*) FROM feature_context AS o"
                " WHERE o.feature_index = feature_context.feature_index AND o.corpus_id = feature_context.corpus_id"
                " AND o.passage_id = feature_context.passage_id)",
                lambda c: c.contexts(None, 1),
            ),
            ("UPDATE dictionary SET n_latents = 5", lambda c: c.dictionary(1).encoder),
            (f"UPDATE dictionary SET n_latents = {1 << 50}", lambda c: c.dictionary(1).encode(np.zeros((1, 5, 4)))),
            ("UPDATE dictionary SET d_model = 5", lambda c: c.dictionary(1).encode(np.zeros((1, 5, 5)))),
        ):
            with self.subTest(sql=sql):
                self.refuses(".catalog: ", call, self.damaged(sql))

    def test_a_schema_that_was_changed(self) -> None:
        """Tables, views and triggers of the catalog have to be as `routesae` makes them; others may be added."""
        view = "CREATE VIEW context AS SELECT 1 AS context_id"
        for words, *statements in (
            ("schema lacks table feature_layer", "DROP TABLE feature_layer"),
            ("schema lacks view context", "DROP VIEW context"),
            ("its view context is not as `routesae` makes it", "DROP VIEW context", view),
            ("its table document is not as", "ALTER TABLE document RENAME COLUMN n_tokens TO n"),
            ("its table run is not as", "ALTER TABLE run ADD COLUMN more TEXT"),
            (
                "its trigger mine is added to the catalog's own table run",
                "CREATE TRIGGER mine AFTER INSERT ON run BEGIN SELECT 1; END",
            ),
        ):
            with self.subTest(statements=statements):
                path = self.copied()
                database = sqlite3.connect(path, isolation_level=None)
                database.execute("PRAGMA foreign_keys = OFF")
                database.execute("PRAGMA legacy_alter_table = ON")
                for statement in statements:
                    database.execute(statement)
                database.close()
                self.refuses(words, routesae.open, path)
        for addition in (
            "CREATE TABLE notes (text)",
            "CREATE VIEW many AS SELECT * FROM feature",
            "CREATE INDEX mine ON feature (p99)",
        ):
            self.assertEqual(len(self.damaged(addition).features(1)["p10"]), 1300)

    def test_a_view_of_a_stranger_calls_no_function_with_effects(self) -> None:
        catalog = self.damaged("CREATE VIEW bad AS SELECT load_extension('x') AS y")
        self.refuses("unsafe use of load_extension", catalog.sql, "SELECT * FROM bad")


def read_all(catalog: routesae.Catalog) -> None:
    """Reads with every function."""
    catalog.features(1), catalog.feature_layers(None, 1), catalog.histograms(1), catalog.dictionary(1).weights
    catalog.contexts(None, 1), catalog.tokens(None, 1), catalog.cofiring(None, 1), catalog.neighbors(None, 1)
    catalog.logits(None, 1), catalog.layers(1), catalog.explanations(1), catalog.scores(1), catalog.evaluation(1)
    catalog.runs(), catalog.metrics(1), catalog.dictionaries(), catalog._repr_html_(), str(catalog.feature(7, 1))
    catalog.feature(7, 1)._repr_html_(), catalog.search("burning", "contexts", 1), catalog.search("burns", dictionary=1)
    catalog.search("God", "promoted", 1)
