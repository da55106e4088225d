"""A catalog that the tests write themselves, from the migrations' SQL and the definitions in schema/README.md.

With the standard library alone but for zstd itself: what the package reads is compared with what was put in.
"""

from __future__ import annotations

import atexit
import bisect
import hashlib
import json
import random
import shutil
import sqlite3
import struct
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

ROOT = Path(__file__).resolve().parents[3]
MIGRATIONS = sorted((ROOT / "migrations").glob("[0-9]*.sql"))
DIGEST = "0" * 64
WIDTHS = {"f32": 4, "f16": 2, "bf16": 2}


def frame(content: bytes, **options: Any) -> bytes:
    """A zstd frame with content size and checksum."""
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
    columns = database.execute(
        "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", (table,)
    ).fetchall()
    values = ", ".join(
        f"CASE WHEN typeof(\"{name}\") = 'integer' AND {kind == 'REAL':d} THEN 'real'"
        f' ELSE typeof("{name}") END, "{name}"'
        for name, kind in columns
    )
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
    b"the",
    b" lord",
    b" God",
    b" burning",
    b" bush",
    b" was",
    b" not",
    b" consumed",
    b".",
    b"\n",
    b" caf",
    b"\xc3",
    b"\xa9",
    b" \xe2",
    b"\x98",
    b"\x95",
    b"\xf0\x9f",
    b"\x98\x80",
    b"x\xc3",
    b"\xa9y",
    "naïve".encode(),
    "日本".encode(),
    b" and",
    "«".encode(),
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
            "run_metric": ["run_id"],
            "token": ["language_model_id"],
            "document": ["corpus_id"],
            "tensor_chunk": ["tensor_id"],
            **dict.fromkeys(
                ("dictionary_tensor", "layer_routing", "feature_logit", "feature_logit_histogram"), ["dictionary_id"]
            ),
            **dict.fromkeys(
                (
                    "feature",
                    "feature_layer",
                    "feature_token",
                    "feature_linear_histogram",
                    "feature_cofiring",
                    "feature_context",
                    "explanation",
                    "score",
                ),
                ["dictionary_id", "corpus_id"],
            ),
        }
        tables = self.database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name <> 'table_digest'"
            " AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        for (table,) in tables:
            columns = divided.get(table, [])
            for values in self.database.execute(f"SELECT DISTINCT {', '.join(columns) or 1} FROM {table}").fetchall():
                part = " AND ".join(f"{column} = {value}" for column, value in zip(columns, values))
                self.insert("table_digest", (table, part, *sum_of_rows(self.database, table, part or "1")))

    def runs_and_text(self) -> None:
        self.insert("catalog", (1, "u", "2025-01-01T00:00:00Z", "test"))
        for run_id, kind in enumerate(("train", "index", "index", "explain", "score"), 1):
            self.insert(
                "run", (run_id, kind, "complete", "t", "t", None, 1, "{}", "1", None, "h", 1, 1, "b", f"r{run_id}")
            )
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
            1: ENDS * 3 + MENU * 2 + [1, 2, 20, 21],
            2: [0, 1, 22, 2, 8],
            3: MENU + ENDS + [23, 3, 4, 23],
            4: [self.random.randrange(len(VOCABULARY)) for _ in range(300)],
        }
        for document_id, ids in texts.items():
            self.documents[document_id] = ids
            is_shuffled = document_id != 2
            raw = struct.pack(f"<{len(ids)}I", *ids)
            self.insert(
                "document",
                (
                    document_id,
                    2 if document_id == 3 else 1,
                    document_id,
                    f"Document {document_id}",
                    None,
                    len(ids),
                    DIGEST,
                    int(is_shuffled),
                    frame(shuffled(raw, 4) if is_shuffled else raw),
                ),
            )
            for segment, first in enumerate(range(0, len(ids), 13)):
                passage_id = len(self.passages) + 1
                piece = ids[first : first + 13]
                self.passages[passage_id] = (document_id, first, piece)
                columns = passage_text([VOCABULARY[token] for token in piece])
                self.insert("passage", (passage_id, document_id, segment, first, len(piece), *columns))

    def weights(self) -> None:
        for identity, name, latents in ((1, "demo", 1300), (2, "weights", 10)):
            self.insert(
                "dictionary",
                (
                    identity,
                    name,
                    "route",
                    "[1,2,3,4,5]",
                    4,
                    latents,
                    2,
                    "sum",
                    "hard",
                    "corrected",
                    "layer_norm",
                    1e-6,
                    None,
                    1,
                    "activation",
                    None,
                    1000,
                    10.0,
                    5.0,
                    1,
                    1,
                    "{}",
                ),
            )
        for name, shape, per_chunk in (
            ("encoder", [1300, 4], 1300),
            ("decoder", [1300, 4], 100),
            ("pre_bias", [4], 3),
            ("latent_bias", [1300], 700),
            ("router", [5, 4], 5),
        ):
            self.tensor(1, name, "f32", shape, per_chunk, name != "encoder")
        for dtype in WIDTHS:
            for is_shuffled in (False, True):
                for shape, per_chunk in (
                    ([10, 3], 4),
                    ([10, 3], 5),
                    ([10, 3], 100),
                    ([7], 2),
                    ([2, 3, 5], 1),
                    ([], 1),
                    ([0, 4], 3),
                ):
                    self.tensor(2, f"{dtype} {is_shuffled} {shape} {per_chunk}", dtype, shape, per_chunk, is_shuffled)

    def tensor(
        self, dictionary_id: int, name: str, dtype: str, shape: list[int], per_chunk: int, is_shuffled: bool
    ) -> None:
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
        self.insert(
            "dictionary_tensor",
            (
                tensor_id,
                dictionary_id,
                name,
                dtype,
                json.dumps(shape),
                n_rows,
                length,
                per_chunk,
                int(is_shuffled),
                hashlib.sha256(raw).hexdigest(),
            ),
        )
        for first in range(0, n_rows, per_chunk):
            rows = min(per_chunk, n_rows - first)
            piece = raw[first * length * WIDTHS[dtype] : (first + rows) * length * WIDTHS[dtype]]
            self.insert(
                "tensor_chunk",
                (None, tensor_id, first, rows, frame(shuffled(piece, WIDTHS[dtype]) if is_shuffled else piece)),
            )

    def index(self, corpus_id: int, run_id: int) -> None:
        here = {identity: p for identity, p in self.passages.items() if (p[0] == 3) == (corpus_id == 2)}
        self.insert("indexing", (1, corpus_id, run_id, 10_000, 3, WINDOW, 1290, 5, 2.0, 0.5, json.dumps(EDGES)))
        columns = (
            "dictionary_id, feature_index, corpus_id, n_fired, firing_rate, mean_activation, std_activation,"
            " min_activation, max_activation, sum_activation, sum_square, decoder_norm, is_dead, n_documents,"
            " histogram, peak_layer, peak_layer_share, layer_entropy, top_token, strongest_token, counted_from,"
            " counted_below"
        )
        for feature in range(1300):
            fired = fired_on(feature, corpus_id)
            classes = []
            for number in range(min(fired, self.random.choice((1, 3, 6, 33)))):
                first = float(self.random.randrange(1, 30))
                classes.append((first, self.random.choice((None, first, first / 2))))
            self.classes[feature, corpus_id] = classes
            firsts = sorted((first for first, _ in classes), reverse=True)
            both = sorted(firsts + [second for _, second in classes if second is not None], reverse=True)
            self.insert(
                f"feature ({columns})",
                (
                    1,
                    feature,
                    corpus_id,
                    fired,
                    fired / 10_000,
                    *((2.5, 0.5, 0.25, 3.0 + feature) if fired else (None,) * 4),
                    2.5 * fired,
                    7.0 * fired,
                    1.0,
                    int(fired == 0),
                    min(fired, 3),
                    json.dumps([fired, 0, 1, 0]),
                    feature % 5 + 1 if fired else None,
                    1.0 if fired else None,
                    0.0 if fired else None,
                    *("lord" if fired else None,) * 2,
                    firsts[32] if len(firsts) >= 33 else None,
                    both[4] if len(both) >= 5 else None,
                ),
            )
            if fired:
                self.insert(
                    "feature_layer (dictionary_id, feature_index, corpus_id, layer, n_fired, sum_activation,"
                    " max_activation, sum_router_weight, mean_router_weight)",
                    (1, feature, corpus_id, feature % 5 + 1, fired, 2.5 * fired, 3.0, 0.5 * fired, 0.5),
                )
            for number, (first, second) in enumerate(classes):
                self.insert(
                    "feature_token", (1, feature, corpus_id, "lord" if number == 0 else f"t{number}", 1, first, second)
                )
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
                wanted = sorted(
                    {
                        (identity, self.random.randrange(len(here[identity][2])))
                        for identity in self.random.choices(list(here), k=feature)
                    }
                )
                self.random.shuffle(wanted)
            for number, (identity, position) in enumerate(wanted):
                band = 3 * number // len(wanted)
                rank = number - -(-band * len(wanted) // 3)
                tokens = window_of(position, len(here[identity][2]), WINDOW)
                window = [
                    0.0
                    if self.random.random() < 0.7 or band == 2 and token == position
                    else self.random.randrange(1, 99) / 8
                    if feature % 2
                    else single(self.random.random() * 9)
                    for token in tokens
                ]
                if band < 2:
                    window[position - tokens.start] = window[position - tokens.start] or 1.5
                places.append(Place(band, rank, identity, position, window))
                split = taken.setdefault(identity, self.random.choice((None, 0, 1)))
                self.insert(
                    "feature_context",
                    (
                        1,
                        feature,
                        corpus_id,
                        band,
                        rank,
                        identity,
                        position,
                        4,
                        0.5 if feature % 3 else None,
                        window[position - tokens.start],
                        split,
                        number + 1 if feature % 2 else None,
                        others(window, position - tokens.start),
                    ),
                )
            self.contexts[feature, corpus_id] = places

    def results(self) -> None:
        self.insert(
            "feature_logit",
            (1, 7, "promoted", 0, 2, 1.5),
            (1, 7, "promoted", 1, 1, 1.25),
            (1, 7, "suppressed", 0, 3, -1.0),
        )
        self.insert(
            "explanation", (1, 1, 7, 1, "n2g", "what burns", 4, None), (2, 1, 7, 2, "n2g", "what is drunk", 4, None)
        )
        self.insert(
            "score", (1, 1, 7, 1, 1, "simulation", "ok", 0.75, 0.1, None, None, 5, 40, 5, None, frame(b'{"a":1}'))
        )


_written: dict[str, Written] = {}


def written() -> Written:
    """The catalog that all tests read, written once."""
    if not _written:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)
        _written["demo"] = Written(Path(folder) / "demo.catalog")
    return _written["demo"]
