#!/usr/bin/env python3
"""Tests of read_catalog.py, of the schema's views, and of the examples in schema/README.md.

    python3 tools/test_read_catalog.py
    python3 tools/test_read_catalog.py some.catalog      (or ROUTESAE_CATALOG=some.catalog: reads all of that one, too)

The catalog they read is written here, from the migrations' SQL and the definitions in schema/README.md, with the
standard library alone but for zstd itself.  What reads blobs is left out where numpy and zstandard are not installed;
the shell examples of the README are left out where the sqlite3 or zstd command is missing.
"""

from __future__ import annotations

import bisect
import hashlib
import importlib.util
import json
import os
import random
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import textwrap
import unittest
import unittest.mock
from pathlib import Path
from typing import Any, NamedTuple

TOOLS = Path(__file__).resolve().parent
SCRIPT = TOOLS / "read_catalog.py"
README = TOOLS.parent / "schema" / "README.md"
MIGRATIONS = sorted((TOOLS.parent / "migrations").glob("[0-9]*.sql"))
HAS_MODULES = all(importlib.util.find_spec(name) for name in ("numpy", "zstandard"))
needs_modules = unittest.skipUnless(HAS_MODULES, "numpy and zstandard are not installed")
if HAS_MODULES:
    import numpy as np
    import zstandard

    sys.path.insert(0, str(TOOLS))
    import read_catalog as rc

DIGEST = "0" * 64
WIDTHS = {"f32": 4, "f16": 2, "bf16": 2}


# The definitions of schema/README.md, written by hand ---------------------------------------------------------------


def frame(content: bytes, **options: Any) -> bytes:
    """A zstd frame with content size and checksum; nothing where zstd is missing."""
    if not HAS_MODULES:
        return b""
    return zstandard.ZstdCompressor(level=3, **{"write_checksum": True, **options}).compress(content)


def shuffled(raw: bytes, width: int) -> bytes:
    """First the first byte of all values, then the second ..."""
    return b"".join(raw[place::width] for place in range(width))


def packed(values: list[float], dtype: str) -> bytes:
    """Little-endian values; bf16 takes the upper half of those f32 values that need no more."""
    if dtype == "bf16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack(f"<{len(values)}{'f' if dtype == 'f32' else 'e'}", *values)


def single(value: float) -> float:
    """The nearest number of 32 bits."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def others(window: list[float], peak: int) -> str | None:
    """The column other_activations: the shortest decimals that read back as the numbers of 32 bits."""
    items = []
    for place, value in enumerate(window):
        if value and place != peak:
            shortest = next(text for digits in range(1, 10) if single(float(text := f"{value:.{digits}g}")) == value)
            items.append(f'"{place}":{float(shortest)!r}')
    return "{" + ",".join(items) + "}" if items else None


def sum_of_rows(database: sqlite3.Connection, table: str, where: str = "1") -> tuple[int, str]:
    """Rows of a table and the sum of their SHA-256, all of it in SQL but for the hash and the sum."""
    columns = database.execute("SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", (table,)).fetchall()
    values = ", ".join(
        f'CASE WHEN typeof("{name}") = \'integer\' AND {kind == "REAL":d} THEN \'real\' ELSE typeof("{name}") END, "{name}"'
        for name, kind in columns)
    count = total = 0
    for row in database.execute(f'SELECT {values} FROM "{table}" WHERE {where}'):
        content = table.encode("utf-8") + b"\x00"
        for kind, value in zip(row[::2], row[1::2]):
            if kind == "null":
                content += b"\x00"
            elif kind == "integer":
                content += b"\x01" + (value % 2**64).to_bytes(8, "little")
            elif kind == "real":
                content += b"\x02" + struct.pack("<d", value)
            else:
                raw = value.encode("utf-8") if kind == "text" else value
                content += (b"\x03" if kind == "text" else b"\x04") + len(raw).to_bytes(8, "little") + raw
        digest = hashlib.sha256(content).digest()
        total += sum(byte << 8 * place for place, byte in enumerate(digest))
        count += 1
    return count, f"{total % 2**256:064x}"


def characters(data: bytes) -> tuple[str, list[int]]:
    """The text of bytes and the offset of each character; what is not UTF-8 becomes U+FFFD byte by byte."""
    text, offsets, at = "", [], 0
    while at < len(data):
        for length in (1, 2, 3, 4):
            try:
                character = data[at : at + length].decode("utf-8")
                break
            except UnicodeDecodeError:
                character, length = "\ufffd", 1
        offsets.append(at)
        text += character
        at += length
    return text, offsets


def passage_text(tokens: list[bytes]) -> tuple[str, str]:
    """The columns text and token_starts of a passage."""
    text, offsets = characters(b"".join(tokens))
    at, starts = 0, []
    for token in tokens:
        starts.append(bisect.bisect_right(offsets, at) - 1)
        at += len(token)
    starts.append(len(text))
    width = len(str(len(text)))
    return text, "".join(f"{start:0{width}}" for start in starts)


class Place(NamedTuple):
    """Where a context is: its band and rank, passage and position, and the activations in its window."""

    band: int
    rank: int
    passage_id: int
    position: int
    window: list[float]


def window_of(position: int, n_tokens: int, window: int) -> range:
    """The tokens of a context's window in its passage."""
    if n_tokens <= window:
        return range(n_tokens)
    end = position + 1 + window // 4
    while end < window:
        end += 1
    while end > n_tokens:
        end -= 1
    return range(end - window, end)


VOCABULARY = [
    b"the", b" lord", b" God", b" burning", b" bush", b" was", b" not", b" consumed", b".", b"\n", b" caf", b"\xc3", b"\xa9",
    b" \xe2", b"\x98", b"\x95", b"\xf0\x9f", b"\x98\x80", b"x\xc3", b"\xa9y", "naïve".encode(), "日本".encode(), b" and", "«".encode(),
]
ENDS = [0, 3, 4, 5, 6, 7, 8, 9]  # a burning bush
MENU = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]  # café ☕😀xéy, many a character divided
WINDOW = 8
EDGES = [0.0, 1.0, 4.0, 16.0, 64.0]


def fired_on(feature: int, corpus_id: int) -> int:
    """How often a feature fires on a corpus; most fire more often on the second."""
    return 0 if feature % 130 == 3 else 1 + feature % 90 * (1, 3)[corpus_id - 1]


class Written:
    """A catalog in a file, and all that was put into it.

    Dictionary 1, `demo`, is indexed on corpus 2 by run 2 and on corpus 1 by run 3; dictionary 2, `weights`, on none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.random = random.Random(20250308)
        self.documents: dict[int, list[int]] = {}
        self.passages: dict[int, tuple[int, int, list[int]]] = {}  # document, first token, token ids
        self.tensors: dict[tuple[int, str], list[float]] = {}
        self.contexts: dict[tuple[int, int], list[Place]] = {}  # by feature and corpus
        self.classes: dict[tuple[int, int], list[tuple[float, float | None]]] = {}
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA foreign_keys = OFF")
        # Of the migration's own, which has nothing to do where there are no contexts.
        self.database.create_function("other_activations", 6, lambda *_: None)
        for migration in MIGRATIONS:
            self.database.executescript(migration.read_text())
        self.database.execute("PRAGMA foreign_keys = ON")
        self.database.execute(f"PRAGMA application_id = {0x52534145}")
        self.database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        self.database.execute("BEGIN")
        self.runs_and_text()
        self.weights()
        for corpus_id, run_id in ((2, 2), (1, 3)):
            self.index(corpus_id, run_id)
        self.results()
        self.database.execute("COMMIT")
        self.digests()
        self.database.close()

    def insert(self, table: str, *rows: tuple[Any, ...]) -> None:
        for row in rows:
            self.database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def digests(self) -> None:
        """What table_digest says, of the tables that have rows."""
        divided = {
            "run_metric": ["run_id"], "token": ["language_model_id"], "document": ["corpus_id"], "tensor_chunk": ["tensor_id"],
            **dict.fromkeys(("dictionary_tensor", "layer_routing", "feature_logit"), ["dictionary_id"]),
            **dict.fromkeys(
                ("feature", "feature_layer", "feature_token", "feature_cofiring", "feature_context", "explanation", "score"),
                ["dictionary_id", "corpus_id"]),
        }
        tables = self.database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name <> 'table_digest'"
            " AND name NOT LIKE 'sqlite%'").fetchall()
        for (table,) in tables:
            columns = divided.get(table, [])
            for values in self.database.execute(f"SELECT DISTINCT {', '.join(columns) or 1} FROM {table}").fetchall():
                part = " AND ".join(f"{column} = {value}" for column, value in zip(columns, values))
                self.insert("table_digest", (table, part, *sum_of_rows(self.database, table, part or "1")))

    def runs_and_text(self) -> None:
        self.insert("catalog", (1, "u", "2025-01-01T00:00:00Z", "test"))
        for run_id, kind in enumerate(("train", "index", "index", "explain", "score"), 1):
            self.insert("run", (run_id, kind, "complete", "t", "t", None, 1, "{}", "1", None, "h", 1, 1, "b", f"r{run_id}"))
        for step, value in enumerate((3.0, 2.0, None)):
            self.insert("run_metric", (1, "loss", step, value))
        self.insert("language_model", (1, "tiny", None, "llama", 6, 4, len(VOCABULARY), DIGEST, None, "{}"))
        for identity, token in enumerate(VOCABULARY):
            try:
                self.insert("token", (1, identity, token.decode(), None))
            except UnicodeDecodeError:
                self.insert("token", (1, identity, token.decode("utf-8", "replace"), token))
        self.insert("corpus", (1, "bible", None, 1, DIGEST), (2, "held-out", None, 1, DIGEST))
        texts = {
            1: ENDS * 3 + MENU * 2 + [1, 2, 20, 21], 2: [0, 1, 22, 2, 8], 3: MENU + ENDS + [23, 3, 4, 23],
            4: [self.random.randrange(len(VOCABULARY)) for _ in range(300)],
        }
        for document_id, ids in texts.items():
            self.documents[document_id] = ids
            is_shuffled = document_id != 2
            raw = struct.pack(f"<{len(ids)}I", *ids)
            self.insert("document", (
                document_id, 2 if document_id == 3 else 1, document_id, f"Document {document_id}", None, len(ids), DIGEST,
                int(is_shuffled), frame(shuffled(raw, 4) if is_shuffled else raw)))
            for segment, first in enumerate(range(0, len(ids), 13)):
                passage_id = len(self.passages) + 1
                piece = ids[first : first + 13]
                self.passages[passage_id] = (document_id, first, piece)
                columns = passage_text([VOCABULARY[token] for token in piece])
                self.insert("passage", (passage_id, document_id, segment, first, len(piece), *columns))

    def weights(self) -> None:
        for identity, name, latents in ((1, "demo", 1300), (2, "weights", 10)):
            self.insert("dictionary", (
                identity, name, "route", "[1,2,3,4,5]", 4, latents, 2, "sum", "hard", "corrected", "layer_norm", 1e-6,
                None, 1, "activation", None, 1000, 10.0, 5.0, 1, 1, "{}"))
        for name, shape, per_chunk in (("encoder", [1300, 4], 1300), ("decoder", [1300, 4], 100), ("pre_bias", [4], 3)):
            self.tensor(1, name, "f32", shape, per_chunk, name != "encoder")
        for dtype in WIDTHS:
            for is_shuffled in (False, True):
                for shape, per_chunk in (([10, 3], 4), ([10, 3], 5), ([10, 3], 100), ([7], 2), ([2, 3, 5], 1), ([], 1), ([0, 4], 3)):
                    self.tensor(2, f"{dtype} {is_shuffled} {shape} {per_chunk}", dtype, shape, per_chunk, is_shuffled)

    def tensor(self, dictionary_id: int, name: str, dtype: str, shape: list[int], per_chunk: int, is_shuffled: bool) -> None:
        n_rows, length = shape[0] if shape else 1, 1
        for extent in shape[1:]:
            length *= extent
        # Sixteenths: exact in every dtype that is used here.
        values = [self.random.randrange(-255, 256) / 16 for _ in range(n_rows * length)]
        if dtype == "f32":
            values = [single(value + self.random.random() / 1000) for value in values]
        self.tensors[dictionary_id, name] = values
        tensor_id = len(self.tensors)
        raw = packed(values, dtype)
        self.insert("dictionary_tensor", (
            tensor_id, dictionary_id, name, dtype, json.dumps(shape), n_rows, length, per_chunk, int(is_shuffled),
            hashlib.sha256(raw).hexdigest()))
        for first in range(0, n_rows, per_chunk):
            rows = min(per_chunk, n_rows - first)
            piece = raw[first * length * WIDTHS[dtype] : (first + rows) * length * WIDTHS[dtype]]
            self.insert("tensor_chunk", (
                None, tensor_id, first, rows, frame(shuffled(piece, WIDTHS[dtype]) if is_shuffled else piece)))

    def index(self, corpus_id: int, run_id: int) -> None:
        here = {identity: p for identity, p in self.passages.items() if (p[0] == 3) == (corpus_id == 2)}
        self.insert("indexing", (1, corpus_id, run_id, 10_000, 3, WINDOW, 1290, 5, 2.0, 0.5, json.dumps(EDGES)))
        columns = (
            "dictionary_id, feature_index, corpus_id, n_fired, firing_rate, mean_activation, std_activation, min_activation,"
            " max_activation, sum_activation, sum_square, decoder_norm, is_dead, n_documents, histogram, peak_layer,"
            " peak_layer_share, layer_entropy, top_token, strongest_token, counted_from, counted_below")
        for feature in range(1300):
            fired = fired_on(feature, corpus_id)
            classes = []
            for number in range(min(fired, self.random.choice((1, 3, 6, 33)))):
                first = float(self.random.randrange(1, 30))
                classes.append((first, self.random.choice((None, first, first / 2))))
            self.classes[feature, corpus_id] = classes
            firsts = sorted((first for first, _ in classes), reverse=True)
            both = sorted(firsts + [second for _, second in classes if second is not None], reverse=True)
            self.insert(f"feature ({columns})", (
                1, feature, corpus_id, fired, fired / 10_000, *((2.5, 0.5, 0.25, 3.0 + feature) if fired else (None,) * 4),
                2.5 * fired, 7.0 * fired, 1.0, int(fired == 0), min(fired, 3), json.dumps([fired, 0, 1, 0]),
                feature % 5 + 1 if fired else None, 1.0 if fired else None, 0.0 if fired else None, *("lord" if fired else None,) * 2,
                firsts[32] if len(firsts) >= 33 else None, both[4] if len(both) >= 5 else None))
            if fired:
                self.insert("feature_layer (dictionary_id, feature_index, corpus_id, layer, n_fired, sum_activation, max_activation,"
                            " sum_router_weight, mean_router_weight)",
                            (1, feature, corpus_id, feature % 5 + 1, fired, 2.5 * fired, 3.0, 0.5 * fired, 0.5))
            for number, (first, second) in enumerate(classes):
                self.insert("feature_token", (1, feature, corpus_id, "lord" if number == 0 else f"t{number}", 1, first, second))
        self.insert("feature_cofiring", (1, 7, corpus_id, 0, 8, 0.5, 4.0), (1, 7, corpus_id, 1, 9, 0.25, 1.0))
        for layer in range(1, 6):
            self.insert("layer_routing", (1, run_id, layer, 2000, 0.2, 1300, 260, 5000, 12500.0, 9.0))
        # Feature 7 has contexts where it is hard to be right, the others anywhere.
        for feature in range(7, 40):
            places: list[Place] = []
            taken: dict[int, int | None] = {}
            if feature == 7:
                wanted = [(identity, place) for identity, p in list(here.items())[:6] for place in range(len(p[2]))]
            else:
                wanted = sorted({
                    (identity, self.random.randrange(len(here[identity][2])))
                    for identity in self.random.choices(list(here), k=feature)})
                self.random.shuffle(wanted)
            for number, (identity, position) in enumerate(wanted):
                band = 3 * number // len(wanted)
                rank = number - -(-band * len(wanted) // 3)
                tokens = window_of(position, len(here[identity][2]), WINDOW)
                window = [
                    0.0 if self.random.random() < 0.7 or band == 2 and token == position
                    else self.random.randrange(1, 99) / 8 if feature % 2 else single(self.random.random() * 9) for token in tokens]
                if band < 2:
                    window[position - tokens.start] = window[position - tokens.start] or 1.5
                places.append(Place(band, rank, identity, position, window))
                split = taken.setdefault(identity, self.random.choice((None, 0, 1)))
                self.insert("feature_context", (
                    1, feature, corpus_id, band, rank, identity, position, 4, 0.5 if feature % 3 else None,
                    window[position - tokens.start], split, number + 1 if feature % 2 else None,
                    others(window, position - tokens.start)))
            self.contexts[feature, corpus_id] = places

    def results(self) -> None:
        self.insert("feature_logit", (1, 7, "promoted", 0, 2, 1.5), (1, 7, "promoted", 1, 1, 1.25), (1, 7, "suppressed", 0, 3, -1.0))
        self.insert("explanation", (1, 1, 7, 1, "n2g", "what burns", 4, None), (2, 1, 7, 2, "n2g", "what is drunk", 4, None))
        self.insert("score", (1, 1, 7, 1, 1, "simulation", "ok", 0.75, 0.1, None, None, 5, 40, 5, None, frame(b'{"a":1}')))


_written: dict[str, Written] = {}


def written() -> Written:
    """The catalog that all tests read, written once."""
    if not _written:
        folder = tempfile.mkdtemp()
        unittest.addModuleCleanup(shutil.rmtree, folder)
        _written["demo"] = Written(Path(folder) / "demo.catalog")
    return _written["demo"]


# The schema ---------------------------------------------------------------------------------------------------------


class Schema(unittest.TestCase):
    """The views, and what the README says of them; needs nothing but Python."""

    def setUp(self) -> None:
        self.made = written()
        self.database = sqlite3.connect(f"{self.made.path.as_uri()}?mode=ro", uri=True)
        self.addCleanup(self.database.close)
        self.database.execute("PRAGMA trusted_schema = OFF")

    def test_the_readme_names_every_table_view_and_column(self) -> None:
        readme = README.read_text()
        tables = self.database.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual')"
            " AND name NOT LIKE 'sqlite%'").fetchall()
        self.assertGreater(len(tables), 30)
        for (table,) in tables:
            sections = readme.split(f"\n### `{table}`\n")
            self.assertEqual(len(sections), 2, table)
            section = sections[1].split("\n#")[0]
            for (column,) in self.database.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", (table,)):
                self.assertIn(f"`{column}`", section, table)
        known = {table for (table,) in tables}
        self.assertEqual({name for name in re.findall(r"\n### `(.*)`\n", readme)} - known, set())

    def test_the_readme_counts_contexts_and_windows_as_the_view_does(self) -> None:
        rows = self.database.execute(
            "SELECT context_id, dictionary_id, feature_index, corpus_id, band, rank, passage_id, token_position, window_start,"
            " window_length FROM context").fetchall()
        self.assertEqual(len(rows), sum(map(len, self.made.contexts.values())))
        for identity, dictionary, feature, corpus, band, rank, passage, position, start, length in rows:
            number = ("top", "sample", "quiet").index(band)
            self.assertEqual(identity, (((dictionary * 2**10 + corpus) * 2**24 + feature) * 2**2 + number) * 2**14 + rank)
            (place,) = [p for p in self.made.contexts[feature, corpus] if (p.band, p.rank) == (number, rank)]
            _, first, tokens = self.made.passages[passage]
            self.assertEqual((passage, position), (place.passage_id, first + place.position))
            window = window_of(place.position, len(tokens), WINDOW)
            self.assertEqual((start, length), (first + window.start, len(window)))
            end = min(max(place.position + 1 + WINDOW // 4, WINDOW), len(tokens))  # as the README has it
            self.assertEqual(window, range(max(end - WINDOW, 0), end))
        self.assertEqual(len({row[0] for row in rows}), len(rows))

    def test_the_largest_context_id_is_a_number_of_63_bits(self) -> None:
        (sql,) = self.database.execute("SELECT sql FROM sqlite_schema WHERE name = 'context'").fetchone()
        formula = "(((" + re.sub(r"w\.", ":", sql.split("CAST((((")[1].split(" AS BIGINT")[0])
        most = {"dictionary_id": 8191, "corpus_id": 1023, "feature_index": 2**24 - 1, "band": 2, "rank": 2**14 - 1}
        (found,) = self.database.execute(f"SELECT {formula}", most).fetchone()
        self.assertEqual(found, ((((8191 * 1024 + 1023) * 2**24 + 2**24 - 1) * 4 + 2) * 2**14 + 2**14 - 1))
        self.assertLess(found, 2**63)

    def test_excerpts(self) -> None:
        menu = "café ☕😀xéy"
        cases: list[tuple[list[bytes], int, int, str]] = [
            # Tokens, position of the peak, window, excerpt: at both ends, and in a passage shorter than the window.
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 0, 4, "«a»bcd"),
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 2, 4, "ab«c»d"),
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 3, 4, "bc«d»e"),
            ([b"a", b"b", b"c", b"d", b"e", b"f"], 5, 4, "cde«f»"),
            ([b"a", b"b", b"c"], 0, 8, "«a»bc"),
            ([b"a", b"b", b"c"], 2, 8, "ab«c»"),
            ([b"a"], 0, 8, "«a»"),
            # Characters of several bytes, whole and divided.
            (["日本".encode(), "é".encode(), "語".encode()], 1, 8, "日本«é»語"),
            ([b"caf", b"\xc3", b"\xa9", b"!"], 1, 8, "caf«é»!"),
            ([b"caf", b"\xc3", b"\xa9", b"!"], 2, 8, "caf«é»!"),
            ([b"\xe2", b"\x98", b"\x95"], 1, 8, "«☕»"),
            ([b"x\xc3", b"\xa9y"], 0, 8, "«x»éy"),
            ([b"x\xc3", b"\xa9y"], 1, 8, "x«éy»"),
            ([b"a", b"b", b"\xc3", b"\xa9", b"c", b"d", b"e", b"f"], 6, 5, "écd«e»f"),  # begins within a character
            ([b"a", b"b", b"c", b"d", b"\xc3", b"\xa9", b"e", b"f"], 3, 5, "abc«d»"),  # ends within one
            # The passage cuts a character in two.
            ([b"\xa9", b"a", b"b", b"\xc3"], 0, 8, "«\ufffd»ab\ufffd"),
            ([b"\xa9", b"a", b"b", b"\xc3"], 3, 8, "\ufffdab«\ufffd»"),
            # Tokens of no bytes, and marks in the text itself.
            ([b"a", b"", b"b", b"c"], 2, 8, "a«b»c"),
            (["«a»".encode(), b"b"], 1, 8, "«a»«b»"),
            ([VOCABULARY[token] for token in MENU], 8, 16, menu[:-3].join((" ", "«x»")) + menu[-2:]),
        ]
        self.check_excerpts(cases)

    def test_excerpts_of_windows_that_end_within_the_peak_s_character(self) -> None:
        self.check_excerpts([
            ([b"a", b"b", b"c", b"\xf0", b"\x9f", b"\x98", b"\x80", b"d"], 3, 4, "bc«😀»"),
            ([b"a", b"b", b"c", b"\xf0", b"\x9f", b"\x98", b"\x80", b"d"], 4, 8, "abc«😀»d"),
            ([b"caf", b"\xc3", b"\xa9", b"!"], 1, 1, "«é»"),
            ([b"caf", b"\xc3", b"\xa9", b"!"], 1, 2, "caf«é»"),
            ([b"a", b"caf", b"\xc3", b"\xa9", b"!"], 2, 3, "acaf«é»"),
            ([b"a", b"\xc3", b"\xa9", b"!"], 2, 1, "«é»"),
            ([b"a", b"b", b"c"], 1, 1, "«b»"),
        ])

    def test_excerpts_of_any_text(self) -> None:
        chance = random.Random(5)
        cases = []
        for _ in range(400):
            data = "".join(chance.choices("ab é日😀«\n", k=chance.randrange(1, 30))).encode()
            cuts = sorted({0, len(data), *(chance.randrange(len(data) + 1) for _ in range(chance.randrange(20)))})
            offsets = list(zip(cuts, cuts[1:]))
            tokens = [data[a:b] for a, b in offsets]
            position, window = chance.randrange(len(tokens)), chance.randrange(4, 20)

            def characters_before(offset: int) -> int:
                return len(data[:offset].decode("utf-8", "ignore"))  # drops the one that is cut, and no other

            inside = window_of(position, len(tokens), window)
            text = data.decode()
            start, peak = characters_before(offsets[inside.start][0]), characters_before(offsets[position][0])
            behind = max(characters_before(offsets[position][1]), peak + 1)
            end = max(characters_before(offsets[inside.stop - 1][1]), behind)
            cases.append((tokens, position, window, f"{text[start:peak]}«{text[peak:behind]}»{text[behind:end]}"))
        self.check_excerpts(cases)

    def check_excerpts(self, cases: list[tuple[list[bytes], int, int, str]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copy = sqlite3.connect(shutil.copy(self.made.path, f"{folder}/copy"), isolation_level=None)
            copy.execute("PRAGMA foreign_keys = OFF")
            copy.execute("BEGIN")
            for number, (tokens, position, window, _) in enumerate(cases):
                identity, document = 1000 + number, 500 + number
                copy.execute("INSERT INTO passage VALUES (?, ?, 0, 100, ?, ?, ?)", (identity, document, len(tokens), *passage_text(tokens)))
                copy.execute("INSERT INTO indexing (dictionary_id, corpus_id, run_id, n_tokens, n_documents, window, histogram_edges)"
                             " VALUES (?, 3, 3, 1, 1, ?, '[]')", (identity, window))
                copy.execute("INSERT INTO feature_context VALUES (?, 0, 3, 0, 0, ?, ?, 1, NULL, 1.0, NULL, NULL, NULL)", (identity, identity, position))
            for number, (tokens, position, window, expected) in enumerate(cases):
                with self.subTest(tokens=tokens, position=position, window=window):
                    found = copy.execute("SELECT excerpt, window_start, window_length, token_position FROM context"
                                         " WHERE dictionary_id = ?", (1000 + number,)).fetchone()
                    inside = window_of(position, len(tokens), window)
                    self.assertEqual(found, (expected, 100 + inside.start, len(inside), 100 + position))
            copy.close()

    def test_the_view_s_activations_are_those_of_all_tokens_that_fire(self) -> None:
        rows = self.database.execute(
            "SELECT feature_index, corpus_id, band, rank, activations, n_occurrences FROM context").fetchall()
        for feature, corpus, band, rank, activations, occurrences in rows:
            places = self.made.contexts[feature, corpus]
            (number,) = [n for n, p in enumerate(places) if (("top", "sample", "quiet")[p.band], p.rank) == (band, rank)]
            found = {int(place): single(value) for place, value in json.loads(activations).items()}
            self.assertEqual(found, {place: value for place, value in enumerate(places[number].window) if value})
            self.assertEqual(occurrences, number + 1 if feature % 2 else None)

    def test_counting_by_the_derived_columns(self) -> None:
        for corpus in (1, 2):
            for threshold in [0.0, *range(31), 4.5, -1.0]:
                ruled = free = 0
                for (_, of_corpus), classes in self.made.classes.items():
                    if of_corpus != corpus:
                        continue
                    above = sum(first > threshold for first, _ in classes)
                    contexts = above + sum(second is not None and second > threshold for _, second in classes)
                    free += contexts >= 5
                    ruled += contexts >= 5 and above <= 32
                found = self.database.execute(
                    "SELECT count(CASE WHEN ifnull(counted_from, -1e999) <= ?1 THEN 1 END), count(*) FROM feature"
                    " WHERE dictionary_id = 1 AND corpus_id = ?2 AND counted_below > ?1", (threshold, corpus)).fetchone()
                self.assertEqual(found, (ruled, free), threshold)
                if threshold == 1.0:
                    self.assertTrue(0 < ruled < free)

    def test_a_feature_repeats_its_newest_explanation_and_scores(self) -> None:
        sql = "SELECT explanation, simulation_score, simulation_baseline FROM feature_summary WHERE feature_index = 7 ORDER BY corpus_id"
        self.assertEqual(self.database.execute(sql).fetchall(), [("what burns", 0.75, 0.1), ("what is drunk", None, None)])


class Readme(unittest.TestCase):
    """Runs the examples of schema/README.md."""

    def setUp(self) -> None:
        self.made = written()
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copy(self.made.path, f"{self.folder}/demo.catalog")
        text = re.sub(r"\A.*?\n## ", "\n## ", README.read_text(), flags=re.DOTALL)
        found = re.findall(r"(?:^    .*\n|^\n(?=    \S|        ))+", text, flags=re.MULTILINE)
        self.blocks = [textwrap.dedent(block).strip() + "\n" for block in found]

    def blocks_of(self, *words: str) -> list[str]:
        return [block for block in self.blocks if block.startswith(words)]

    def test_every_block_is_of_a_known_kind(self) -> None:
        known = self.blocks_of("SELECT ", "WITH ", "INSERT ", "sqlite3 ", "cat ", "import ", "end = ", "context_id = ")
        self.assertEqual([block for block in self.blocks if block not in known], [])

    def test_queries(self) -> None:
        statements = [s for block in self.blocks_of("SELECT ", "WITH ", "INSERT ") for s in re.split(r"(?<=;)\n+", block.strip())]
        self.assertGreater(len(statements), 12)
        database = sqlite3.connect(f"{self.folder}/demo.catalog")
        self.addCleanup(database.close)
        for statement in statements:
            with self.subTest(statement=statement):
                self.assertTrue(sqlite3.complete_statement(statement))
                rows = database.execute(statement).fetchall()
                if not statement.startswith("INSERT"):
                    self.assertGreater(len(rows), 0)
        ruled = [s for s in statements if "with_class_rule" in s]
        self.assertEqual(len(ruled), 2)
        first, second = (database.execute(statement).fetchall() for statement in ruled)
        self.assertEqual(first, second)
        self.assertGreater(first[0][1], 0)

    @needs_modules
    @unittest.skipUnless(shutil.which("sqlite3") and shutil.which("zstd"), "the sqlite3 or zstd command is missing")
    def test_reading_blobs_by_hand(self) -> None:
        output = []
        for block in self.blocks_of("sqlite3 ", "cat ", "import "):
            shell = not block.startswith("import ")
            command = ["bash", "-e", "-o", "pipefail", "-c", block] if shell else [sys.executable, "-c", block]
            result = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, f"{block}\n{result.stderr}")
            output.append(result.stdout)
        unshuffle, ids, decoder, detail = output
        self.assertEqual(unshuffle, "")
        self.assertEqual([int(word) for word in ids.split()[1:]], self.made.documents[1])
        first, length = decoder.split("\n")[0].split("|")[1:3]
        numbers = [float(word) for line in decoder.split("\n")[1:] for word in line.split()]
        row = (1234 - int(first)) * int(length)
        expected = self.made.tensors[1, "decoder"][1234 * 4 : 1235 * 4]
        for number, value in zip(numbers[row : row + 4], expected, strict=True):
            self.assertAlmostEqual(number, value, delta=1e-5 * abs(value))
        self.assertTrue(detail.endswith('{"a":1}'))


# Reading ------------------------------------------------------------------------------------------------------------


class Reading(unittest.TestCase):
    """A test with the catalog opened."""

    def setUp(self) -> None:
        if not HAS_MODULES:
            self.skipTest("numpy and zstandard are not installed")
        self.made = written()
        self.catalog = rc.Catalog(self.made.path)
        self.addCleanup(self.catalog.close)

    def refuses(self, words: str, call: Any, *arguments: Any, **options: Any) -> None:
        with self.assertRaises(rc.CatalogError) as caught:
            call(*arguments, **options)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))


class Contents(Reading):
    def test_dictionaries_and_corpora(self) -> None:
        demo, weights = self.catalog.dictionaries()
        self.assertEqual((demo.dictionary_id, demo.name, demo.n_latents, demo.k, demo.layers), (1, "demo", 1300, 2, (1, 2, 3, 4, 5)))
        self.assertEqual([(i.corpus_id, i.corpus, i.run_id, i.window) for i in demo.indexes], [(2, "held-out", 2, 8), (1, "bible", 3, 8)])
        self.assertEqual(weights.indexes, ())

    def test_by_default_the_last_dictionary_and_the_last_index(self) -> None:
        self.assertEqual(self.catalog.dictionary().name, "weights")
        self.assertEqual(self.catalog.index("demo")[1].corpus, "bible")
        for dictionary in ("demo", 1):
            for corpus in ("held-out", 2):
                self.assertEqual(self.catalog.index(dictionary, corpus)[1].run_id, 2)
        self.refuses("weights is not indexed", self.catalog.features)
        self.refuses("no dictionary 'x'; it has 1 (demo), 2 (weights)", self.catalog.decoder, "x")
        self.refuses("not indexed on corpus 9; it is on 2 (held-out), 1 (bible)", self.catalog.features, 1, 9)

    def test_tensors_of_every_form(self) -> None:
        names = self.catalog.tensors("weights")
        self.assertEqual(len(names), 42)
        for dictionary in (1, 2):
            for name, (_, shape) in self.catalog.tensors(dictionary).items():
                with self.subTest(name=name):
                    expected = np.array(self.made.tensors[dictionary, name], np.float32).reshape(shape)
                    found = self.catalog.tensor(name, dictionary)
                    self.assertEqual((found.dtype, found.shape), (np.float32, shape))
                    np.testing.assert_array_equal(found, expected)
                    if not shape or not shape[0]:
                        continue
                    for rows in (0, -1, slice(1, 6), slice(None, None, -3), [], [1, 1, 0], np.arange(shape[0])[::-1], [-shape[0]]):
                        picked = self.catalog.tensor(name, dictionary, rows)
                        np.testing.assert_array_equal(picked, expected[np.array(rows, int) if isinstance(rows, list) else rows])

    def test_encoder_and_decoder(self) -> None:
        self.assertEqual(self.catalog.decoder("demo").shape, (1300, 4))
        np.testing.assert_array_equal(
            self.catalog.encoder("demo", [5]), np.array(self.made.tensors[1, "encoder"][20:24], np.float32)[None])
        self.refuses("there is none; there are", self.catalog.encoder)
        self.refuses("no row 1300; it has 1300", self.catalog.decoder, 1, [4, 1300])
        self.refuses("no row -1301", self.catalog.decoder, 1, -1301)
        self.refuses("by whole numbers", self.catalog.decoder, 1, [1.5])

    def test_rows_read_only_the_chunks_that_hold_them(self) -> None:
        read = []
        self.catalog._connection.set_trace_callback(read.append)
        self.catalog.decoder("demo", rows=[250, 299, 1299])
        self.assertEqual(sum('"values"' in sql for sql in read), 2)

    def test_features(self) -> None:
        for corpus in (1, 2):
            found = self.catalog.features("demo", corpus)
            fired = np.array([fired_on(feature, corpus) for feature in range(1300)])
            np.testing.assert_array_equal(found["feature_index"], np.arange(1300))
            np.testing.assert_array_equal(found["n_fired"], fired)
            np.testing.assert_array_equal(found["is_dead"], fired == 0)
            np.testing.assert_array_equal(found["max_activation"], np.where(fired, 3.0 + np.arange(1300), np.nan))
            np.testing.assert_array_equal(found["peak_layer"], np.where(fired, np.arange(1300) % 5 + 1, -1))
            self.assertEqual([found[name].dtype for name in ("n_fired", "is_dead", "p10", "top_token")], [np.int64, bool, np.float64, object])
            self.assertTrue(np.isnan(found["p10"]).all())
            self.assertEqual(list(found["top_token"]), ["lord" if n else None for n in fired])
            self.assertEqual(found["explanation"][7], {1: "what burns", 2: "what is drunk"}[corpus])
            self.assertEqual(found["explanation_id"][7], corpus)
            self.assertEqual(found["explanation_id"][8], -1)

    def test_layers(self) -> None:
        found = self.catalog.layers("demo", 2)
        n_fired = self.catalog.features("demo", 2)["n_fired"]
        self.assertEqual(list(found["layers"]), [1, 2, 3, 4, 5])
        expected = np.zeros((1300, 5), np.int64)
        expected[np.arange(1300), np.arange(1300) % 5] = n_fired
        np.testing.assert_array_equal(found["n_fired"], expected)
        np.testing.assert_array_equal(found["sum_activation"], expected * 2.5)
        np.testing.assert_array_equal(found["max_activation"], np.where(expected, 3.0, np.nan))
        np.testing.assert_array_equal(found["mean_router_weight"], np.where(expected, 0.5, np.nan))

    def test_histograms(self) -> None:
        found = self.catalog.histogram(7, "demo", "bible")
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
        for (feature, corpus), places in self.made.contexts.items():
            found = self.catalog.contexts(feature, "demo", corpus)
            self.assertEqual(len(found), len(places))
            for context, place in zip(found, places):
                document, first, tokens = self.made.passages[place.passage_id]
                window = window_of(place.position, len(tokens), WINDOW)
                self.assertEqual((context.band, context.rank), (rc.BANDS[place.band], place.rank))
                self.assertEqual((context.document_id, context.document), (document, f"Document {document}"))
                self.assertEqual((context.token_position, context.window_start), (first + place.position, first + window.start))
                self.assertEqual(context.tokens.tolist(), [tokens[token] for token in window])
                self.assertEqual(context.activations.dtype, np.float32)
                self.assertEqual(context.activations.tolist(), place.window)
                self.assertEqual(context.activation, context.activations[context.peak])
                self.assertEqual(context.tokens[context.peak], tokens[place.position])
                self.assertEqual((context.layer, context.router_weight), (4, 0.5 if feature % 3 else None))
                self.assertIn(context.split, (None, "explain", "score"))
                self.assertEqual(len(context.texts), len(window))
                head, peak = "".join(context.texts[: context.peak]), context.texts[context.peak]
                self.assertTrue(context.excerpt.startswith(f"{head}«{peak}"))
                if peak:
                    self.assertEqual(context.excerpt, f"{head}«{peak}»{''.join(context.texts[context.peak + 1 :])}")
            forms.add((feature % 2, feature % 4 == 0))
        self.assertEqual(len(forms), 3)
        whole = self.catalog.contexts(7, 1, 1)
        for band in rc.BANDS:
            part = self.catalog.contexts(7, 1, 1, band)
            self.assertEqual([c.context_id for c in part], [c.context_id for c in whole if c.band == band])
            self.assertGreater(len(part), 3)
        self.assertEqual(self.catalog.contexts(100, "demo"), [])
        self.refuses("no band 'middle'", self.catalog.contexts, 7, "demo", None, "middle")
        self.refuses("no feature -1", self.catalog.contexts, -1, "demo")

    def test_nothing_is_written(self) -> None:
        with self.assertRaises(sqlite3.OperationalError):
            self.catalog._connection.execute("DELETE FROM feature")

    def test_activations_of_every_size(self) -> None:
        chance = random.Random(9)
        for _ in range(3000):
            length = chance.choice((1, 2, 5, 48, 300))
            bits = [chance.randrange(1 << 32) if chance.random() < 0.3 else 0 for _ in range(length)]
            window = [struct.unpack("<f", struct.pack("<I", number))[0] for number in bits]
            window = [value if value - value == 0 else 1.5 for value in window]  # no NaN, no infinity
            peak = chance.randrange(length)
            found = rc.window_activations(others(window, peak), peak, window[peak], length, "x")
            self.assertEqual((found.dtype, found.tolist()), (np.float32, window))
        written = rc.window_activations('{"0":1e-05,"1":-2,"3":1E+2}', 2, 0.0, 4, "x")
        self.assertEqual(written.tolist(), [single(1e-05), -2, 0, 100])


class Digests(Reading):
    """`changed_tables` against the sums that are worked out in this file."""

    def changed(self, *statements: str) -> list[tuple[str, str]]:
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(self.made.path, f"{folder}/changed.catalog")
            database = sqlite3.connect(path, isolation_level=None)
            for statement in statements:
                database.execute(statement)
            database.close()
            with rc.Catalog(path) as catalog:
                return catalog.changed_tables()

    def test_nothing_has_changed(self) -> None:
        self.assertEqual(self.catalog.changed_tables(), [])

    def test_a_row_s_bytes(self) -> None:
        row = rc.row_bytes((None, -2, 3, 0.5, "é", b"\x00"), (False, False, True, True, False, False))
        self.assertEqual(row.hex(" "), "00 01 fe ff ff ff ff ff ff ff 02 00 00 00 00 00 00 08 40 02 00 00 00 00 00 00 e0 3f"
                                       " 03 02 00 00 00 00 00 00 00 c3 a9 04 01 00 00 00 00 00 00 00 00")

    def test_changes_are_seen_where_they_are(self) -> None:
        of_corpus = "dictionary_id = 1 AND corpus_id = 2"
        for expected, statement in (
            ([("feature", of_corpus)], "UPDATE feature SET p10 = 1.0 WHERE feature_index = 9 AND corpus_id = 2"),
            ([("feature_context", of_corpus)], "UPDATE feature_context SET other_activations = NULL WHERE feature_index = 12 AND corpus_id = 2"),
            ([("feature_token", of_corpus)], "DELETE FROM feature_token WHERE corpus_id = 2"),
            ([("tensor_chunk", "tensor_id = 3")], 'UPDATE tensor_chunk SET "values" = \'x\' WHERE tensor_id = 3 AND first_row = 0'.replace("'x'", "x'00'")),
            ([("run_metric", "run_id = 1")], "UPDATE run_metric SET step = step + 10"),
            ([("run", "")], "UPDATE run SET seed = -1 WHERE run_id = 3"),
            ([("corpus", "")], "UPDATE corpus SET name = 'Bible' WHERE corpus_id = 1"),
            ([("review", "dictionary_id = 1")], "INSERT INTO review VALUES (1, 1, 7, NULL, 5, NULL, NULL, NULL, 't')"),
            ([("corpus", "")], "UPDATE table_digest SET digest = replace(digest, substr(digest, 1, 1), 'g') WHERE table_name = 'corpus'"),
            ([("corpus", "")], "UPDATE table_digest SET n_rows = 3 WHERE table_name = 'corpus'"),
            ([("corpus", "")], "DELETE FROM table_digest WHERE table_name = 'corpus'"),
            ([("none", "")], f"INSERT INTO table_digest VALUES ('none', '', 1, '{DIGEST}')"),
        ):
            with self.subTest(statement=statement):
                self.assertEqual(self.changed(statement), expected)
        # A trigger changes the full text with the passage.
        found = self.changed("UPDATE passage SET text = 'x' || substr(text, 2) WHERE passage_id = 4")
        self.assertEqual({table for table, _ in found} - {"passage_text_docsize", "passage_text_idx"}, {"passage", "passage_text_data"})

    def test_rewriting_a_row_or_the_file_changes_nothing(self) -> None:
        self.assertEqual(self.changed("UPDATE feature SET p10 = p10", "VACUUM"), [])
        self.assertEqual(self.changed("UPDATE run SET seed = 2 WHERE run_id = 3", "UPDATE run SET seed = 1 WHERE run_id = 3"), [])

    def test_text_that_is_damaged(self) -> None:
        self.assertEqual(self.changed("UPDATE corpus SET name = CAST(x'ff41' AS TEXT) WHERE corpus_id = 1"), [("corpus", "")])

    def test_a_table_that_is_missing(self) -> None:
        self.refuses("table review: is not there", self.changed, "DROP TABLE review")


class Malformed(Reading):
    """One damaged catalog a rule."""

    def damaged(self, sql: str, *values: Any) -> Any:
        """A copy of the catalog, changed."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = shutil.copy(self.made.path, f"{folder}/damaged.catalog")
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(sql, values)
        database.close()
        catalog = rc.Catalog(path)
        self.addCleanup(catalog.close)
        return catalog

    def test_files_that_are_no_catalogs(self) -> None:
        self.refuses("no such file", rc.Catalog, "/nonexistent/a.catalog")
        with tempfile.TemporaryDirectory() as folder:
            self.refuses("no such file", rc.Catalog, folder)
            other = Path(folder, "other")
            other.write_bytes(b"no database at all" * 100)
            self.refuses("not a database", rc.Catalog, other)
            other.write_bytes(b"")
            self.refuses("is not a catalog", rc.Catalog, other)
        self.refuses("is not a catalog", self.damaged, "PRAGMA application_id = 7")
        self.refuses("form 6, and form 7 is read here; upgrade", self.damaged, "PRAGMA user_version = 6")
        self.refuses("form 8, and form 7 is read here; take a newer", self.damaged, "PRAGMA user_version = 8")

    def test_frames(self) -> None:
        content = struct.pack("<5I", 0, 1, 22, 2, 8)
        good = frame(content)
        trained = zstandard.train_dictionary(1024, [bytes(random.Random(n).choices(b"abcd", k=300)) for n in range(200)], dict_id=77)
        rle = b"".join(struct.pack("<I", 131072 << 3 | 1 << 1 | last)[:3] + b"\0" for last in [0] * 500 + [1])
        cases = {
            "is not a zstd frame": (b"", b"\0" * 30, good[:5], b"x" + good),
            "has no checksum": (frame(content, write_checksum=False), b"\x50\x2a\x4d\x18\x04\0\0\0abcd"),
            "does not tell its content's size": (frame(content, write_content_size=False),),
            "damaged": (
                good[:-1], good[:-7], good + b"\0", good + good,
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
        self.assertEqual(self.damaged("UPDATE document SET token_ids = ? WHERE document_id = 2", good).token_ids(2).size, 5)
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
                self.refuses(words, self.damaged(sql).tensor, name, 2)
        self.refuses("bytes", self.damaged(f"UPDATE dictionary_tensor SET dtype = 'f32' {of}").tensor, name, 2)
        bad = self.damaged(f'UPDATE tensor_chunk SET "values" = ? {chunk}', frame(b"\0" * 26))
        self.refuses("claims 26 bytes, where at most 24", bad.tensor, name, 2)
        self.assertEqual(bad.tensor(name, 2, [0, 9]).shape, (2, 3))  # that chunk is not read
        swapped = self.damaged(f'UPDATE tensor_chunk SET "values" = ? {chunk}', frame(b"\0" * 24))
        self.refuses("does not match its SHA-256", swapped.tensor, name, 2)
        huge = self.damaged("INSERT INTO dictionary_tensor VALUES (999, 2, 'huge', 'f32', '[4611686018427387904]', 4611686018427387904, 1,"
                            f" 4611686018427387904, 0, '{DIGEST}')")
        self.refuses("chunks end at row 0", huge.tensor, "huge", 2)
        database = sqlite3.connect(huge.path)
        database.execute("INSERT INTO tensor_chunk VALUES (NULL, 999, 0, 4611686018427387904, ?)", (frame(b"1234"),))
        database.commit()
        database.close()
        self.refuses("values are too many", huge.tensor, "huge", 2)
        self.refuses("values are too many", huge.tensor, "huge", 2, [5])

    def test_activations(self) -> None:
        form = "are not a JSON object of places and numbers"
        for words, text in (
            *((form, text) for text in (
                "", "{", "}", "{}", "[]", "null", "x", '{"1":1.5', '"1":1.5}', '{"1":1.5,}', '{,"1":1.5}', '{"1":1.5,,"2":1}', '{1:1.5}',
                '{"1": 1.5}', ' {"1":1.5}', '{"1":1.5}\n', '{"1":"1.5"}', '{"1":}', '{"1":null}', '{"1":true}', '{"1":NaN}',
                '{"1":Infinity}', '{"1":.5}', '{"1":1.}', '{"1":01}', '{"1":+1}', '{"1":0x1p3}', '{"1":1_0}', '{"1":1e}', '{"1":--1}',
                '{"01":1}', '{"+1":1}', '{"-1":1}', '{"1.0":1}', '{"":1}', '{"a":1}', '{"\u0661":1}', '{"1":\u0661}', '{"10000000":1}',
                '{"1":{"2":1}}', '{"1":[1]}', '{"1":1.5}{"2":1}', '{"1":' + "1" * 65 + "}", '{"1":1.5\0}', '{"0":1,"1":1e' + "0" * 63 + "}",
            )),
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
                self.refuses(words, rc.window_activations, text, 2, 1.0, 4, "x")
        good = '{"0":0.1,"1":2.5,"3":-1}'
        self.assertEqual(rc.window_activations(good, 2, 1.0, 4, "x").tolist(), [single(0.1), 2.5, 1, -1])
        for length in range(len(good)):
            self.refuses(f"x: its activations {form}", rc.window_activations, good[:length], 2, 1.0, 4, "x")
        for value in (float("inf"), float("nan"), 1e39):
            self.refuses("token 2 is not a finite number", rc.window_activations, None, 2, value, 4, "x")
        for peak, length in ((4, 4), (-1, 4), (0, 0), (0, (1 << 20) + 1)):
            self.refuses("is the peak of a window", rc.window_activations, None, peak, 1.0, length, "x")

    def test_contexts(self) -> None:
        of = "WHERE dictionary_id = 1 AND feature_index = 8 AND corpus_id = 1"
        others_of = f"UPDATE feature_context SET other_activations = ? {of} AND band = 0 AND rank = 0"
        peak = self.catalog.contexts(8, 1, 1)[0].peak
        first = self.made.contexts[8, 1][0].passage_id
        for words, sql, values in (
            ("context top 0: its activations are not a JSON object", others_of, ("x",)),
            ("context top 0: has an activation at token 8 of a window of 8", others_of, ('{"8":1}',)),
            ("context top 0: has the peak", others_of, (f'{{"{peak}":1}}',)),
            ("bytes are too many for the activations of 8 tokens", others_of, ("{" + " " * 700 + "}",)),
            ("its window occurs 0 times", f"UPDATE feature_context SET n_occurrences = 0 {of}", ()),
            ("is not a finite number", f"UPDATE feature_context SET activation = 9e999 {of} AND band = 0", ()),
            ("lack their passage", "DELETE FROM passage WHERE passage_id = ?", (first,)),
            ("not within its passage", f"UPDATE feature_context SET position = 4000 {of} AND band = 0 AND rank = 0", ()),
            ("not within its passage and document", "UPDATE passage SET first_token = 5000 + passage_id", ()),
            ("decimals of equal width", "UPDATE passage SET token_starts = token_starts || '0'", ()),
            ("decimals of equal width", "UPDATE passage SET token_starts = replace(token_starts, '0', 'x')", ()),
            ("do not ascend", "UPDATE passage SET text = ''", ()),
        ):
            with self.subTest(words=words, sql=sql):
                self.refuses(words, self.damaged(sql, *values).contexts, 8, 1, 1)

        with unittest.mock.patch.object(rc, "MOST_TOKENS", 20):
            self.refuses("its contexts have more than 20 tokens", self.catalog.contexts, 8, 1, 1)

    def test_names_do_not_break_the_line(self) -> None:
        catalog = self.damaged("UPDATE dictionary SET name = ? WHERE dictionary_id = 2", "a\nb\x1b[31m")
        self.refuses("dictionary a b [31m is not indexed", catalog.features)
        self.refuses("dictionary a b [31m: tensor x: there is none", catalog.tensor, "x")

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
                    with rc.Catalog(path) as catalog:
                        catalog.features(1), catalog.layers(1), catalog.histograms(1), catalog.decoder(1), catalog.encoder(1)
                        for feature in range(7, 40, 5):
                            catalog.contexts(feature, 1)
                        outcomes["read"] += 1
                except rc.CatalogError as error:  # and nothing else
                    self.assertNotIn("\n", str(error))
                    outcomes["refused"] += 1
            self.assertGreater(min(outcomes.values()), 5, outcomes)

    def test_values_of_other_types(self) -> None:
        for sql, call in (
            ("UPDATE dictionary SET layers = '[1,\"2\"]'", lambda c: c.layers(1)),
            ("UPDATE dictionary SET layers = '[1,2]'", lambda c: c.layers(1)),
            (f"UPDATE dictionary SET n_latents = {1 << 50}", lambda c: c.layers(1)),
            ("UPDATE indexing SET histogram_edges = '[1,2]'", lambda c: c.histogram(7, 1)),
            ("UPDATE indexing SET histogram_edges = '{}'", lambda c: c.histograms(1)),
            ("UPDATE feature SET histogram = 'x'", lambda c: c.histogram(7, 1)),
            ("DROP TABLE feature_layer", lambda c: c.layers(1)),
            ("DROP VIEW context", lambda c: c.contexts(7, 1)),
            ("ALTER TABLE document RENAME COLUMN n_tokens TO n", lambda c: c.token_ids(1)),
        ):
            with self.subTest(sql=sql):
                self.refuses(".catalog: ", call, self.damaged(sql))
        stranger = self.damaged("DROP VIEW context")
        database = sqlite3.connect(stranger.path)
        columns = ("context_id, band, document_id, token_position, window_start, window_length, layer, router_weight, activation, split,"
                   " n_occurrences, passage_id, excerpt, dictionary_id, feature_index, corpus_id, rank")
        database.execute(f"CREATE VIEW context ({columns}) AS SELECT 'x',"
                         " CASE band WHEN 0 THEN 'top' WHEN 1 THEN 'sample' ELSE 'quiet' END, 1, 0, 0, 1, 0, NULL, 0.0, NULL, NULL, passage_id, '', dictionary_id,"
                         " feature_index, corpus_id, rank FROM feature_context")
        database.commit()
        database.close()
        self.refuses("not of its column's type", stranger.contexts, 7, 1)


class Command(Reading):
    def run_script(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)

    def test_the_summary(self) -> None:
        result = self.run_script(str(self.made.path), "--dictionary", "demo")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("dictionary 1  demo: route, 1,300 features of width 4, k = 2, layers 1,2,3,4,5\n", result.stdout)
        self.assertIn("    tensor decoder  f32 [1300, 4]\n", result.stdout)
        self.assertIn("    corpus 1  bible: 10,000 tokens of 3 documents, 5 contexts of 8 tokens (run 3)\n", result.stdout)
        self.assertIn("strongest features of demo on bible:\n", result.stdout)
        self.assertEqual(self.run_script(str(self.made.path)).returncode, 0)

    def test_a_feature(self) -> None:
        result = self.run_script(str(self.made.path), "--feature", "7", "--dictionary", "1", "--corpus", "bible", "--band", "top")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        expected = self.catalog.contexts(7, 1, 1, "top")
        self.assertEqual(len(result.stdout.splitlines()), 2 * len(expected))
        self.assertIn(" in layer 4 (weight 0.5), Document 1, token 0", result.stdout)
        self.assertIn("«the» burning bush was", result.stdout)

    def test_arrays_for_numpy(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/out"
            result = self.run_script(str(self.made.path), "--npz", path, "--dictionary", "demo", "--corpus", "2")
            self.assertEqual((result.returncode, result.stdout, os.listdir(folder)), (0, "", ["out"]), result.stderr)
            with np.load(path, allow_pickle=False) as arrays:
                np.testing.assert_array_equal(arrays["decoder"], self.catalog.decoder("demo"))
                np.testing.assert_array_equal(arrays["encoder"], self.catalog.encoder("demo"))
                for name, column in self.catalog.features("demo", 2).items():
                    if name != "histogram":
                        np.testing.assert_array_equal(arrays[name], [v or "" for v in column] if column.dtype == object else column)
                np.testing.assert_array_equal(arrays["layer_n_fired"], self.catalog.layers("demo", 2)["n_fired"])
                np.testing.assert_array_equal(arrays["histogram"], self.catalog.histograms("demo", 2).counts)
            again = self.run_script(str(self.made.path), "--npz", path, "--dictionary", "demo")
            self.assertEqual((again.returncode, again.stderr), (1, f"error: {path}: exists already; add --force to replace it\n"))
            self.assertEqual(self.run_script(str(self.made.path), "--npz", path, "--dictionary", "demo", "--force").returncode, 0)
            refused = self.run_script(str(self.made.path), "--npz", f"{folder}/none/out", "--dictionary", "demo")
            self.assertEqual((refused.returncode, refused.stderr.count("\n")), (1, 1), refused.stderr)

    def test_verifying(self) -> None:
        result = self.run_script(str(self.made.path), "--verify")
        self.assertEqual((result.returncode, result.stdout), (0, "all tables hold what they held when they were last written to\n"), result.stderr)
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(self.made.path, f"{folder}/changed.catalog")
            database = sqlite3.connect(path)
            database.execute("UPDATE corpus SET name = 'x' WHERE corpus_id = 1")
            database.execute("DELETE FROM feature_logit WHERE rank = 1")
            database.commit()
            database.close()
            result = self.run_script(path, "--verify")
            self.assertEqual(
                (result.returncode, result.stdout), (1, "changed: corpus\nchanged: feature_logit, dictionary_id = 1\n"), result.stderr)

    def test_errors_are_one_line(self) -> None:
        for arguments in (("/nonexistent",), (str(self.made.path), "--feature", "5"), (str(SCRIPT),)):
            result = self.run_script(*arguments)
            self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (1, "", 1))
            self.assertTrue(result.stderr.startswith("error: "))


@unittest.skipUnless(os.environ.get("ROUTESAE_CATALOG") or len(sys.argv) > 1 and os.path.isfile(sys.argv[1]), "no catalog was named")
@needs_modules
class RealCatalog(unittest.TestCase):
    """Reads all weights of a catalog that is there, and the contexts of many features, and compares what must agree."""

    def test_it_reads_and_agrees_with_itself(self) -> None:
        path = os.environ["ROUTESAE_CATALOG"]
        database = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
        self.addCleanup(database.close)
        with rc.Catalog(path) as catalog:
            self.assertTrue(catalog.dictionaries())
            self.assertEqual(catalog.changed_tables(), [])
            for dictionary in catalog.dictionaries():
                for name, (_, shape) in catalog.tensors(dictionary.name).items():
                    values = catalog.tensor(name, dictionary.name)
                    self.assertEqual(values.shape, shape)
                    if shape and shape[0]:
                        np.testing.assert_array_equal(catalog.tensor(name, dictionary.name, [0, -1]), values[[0, -1]])
                for index in dictionary.indexes:
                    self.check(catalog, database, dictionary, index)

    def check(self, catalog: Any, database: sqlite3.Connection, dictionary: Any, index: Any) -> None:
        key = dictionary.dictionary_id, index.corpus_id
        features = catalog.features(*key)
        self.assertEqual(features["feature_index"].tolist(), list(range(dictionary.n_latents)))
        np.testing.assert_array_equal(features["is_dead"], features["n_fired"] == 0)
        norms = np.linalg.norm(catalog.decoder(key[0]), axis=1)
        np.testing.assert_allclose(features["decoder_norm"], norms, rtol=1e-4)
        layers = catalog.layers(*key)
        np.testing.assert_array_equal(layers["n_fired"].sum(1), features["n_fired"])
        alive = ~features["is_dead"]
        peaks = layers["layers"][layers["n_fired"].argmax(1)]
        np.testing.assert_array_equal(features["peak_layer"][alive], peaks[alive])
        histograms = catalog.histograms(*key)
        np.testing.assert_array_equal(histograms.counts.sum(1), features["n_fired"])
        for threshold in (0.0, 1.0, 5.0, 10.0, 15.0):
            (expected,) = database.execute(
                "SELECT count(*) FROM (SELECT 1 FROM feature_token WHERE dictionary_id = ?2 AND corpus_id = ?3 AND activation_1 > ?1"
                " GROUP BY feature_index HAVING count(*) <= 32 AND count(*) + count(CASE WHEN activation_2 > ?1 THEN 1 END) >= 5)",
                (threshold, *key)).fetchone()
            found = (np.nan_to_num(features["counted_from"], nan=-np.inf) <= threshold) & (features["counted_below"] > threshold)
            self.assertEqual(int(found.sum()), expected, threshold)
        count = 0
        for feature in np.unique(np.linspace(0, dictionary.n_latents - 1, 300).astype(int)).tolist():
            for context in catalog.contexts(feature, *key):
                count += 1
                self.assertLessEqual(len(context.tokens), index.window)
                self.assertEqual(len(context.texts), len(context.tokens))
                self.assertEqual(float(context.activations[context.peak]), context.activation)
                text = "".join(context.texts)
                if "«" not in text and "»" not in text and context.texts[context.peak]:
                    self.assertEqual(context.excerpt.replace("«", "").replace("»", ""), text)
        print(f"{dictionary.name} on {index.corpus}: {dictionary.n_latents} features, {count} contexts read", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.path.isfile(sys.argv[1]):
        os.environ["ROUTESAE_CATALOG"] = os.path.abspath(sys.argv.pop(1))
    unittest.main()
