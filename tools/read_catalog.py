#!/usr/bin/env python3
"""Read a RouteSAE catalog in Python: feature statistics, weights, contexts and token ids as numpy arrays.

A catalog is one SQLite database; schema/README.md tells every table and blob.  This file stands alone: copy it next
to what uses it.  It needs Python 3.11, numpy and zstandard (Debian: python3-numpy and python3-zstandard).

    from read_catalog import Catalog

    with Catalog("demo.catalog") as catalog:
        features = catalog.features()                     # {"firing_rate": array, "peak_layer": array, ...}
        vectors = catalog.decoder(rows=[7, 1234])         # float32 [2, d]; reads only the chunks that hold them
        for context in catalog.contexts(7, band="top"):   # ids, texts and activations, token by token
            print(context.activation, context.excerpt)

A dictionary or corpus is given by its name or its id.  By default it is the last dictionary, and of the corpora it
was indexed on the one indexed last.

A catalog may come from anyone: it is opened read-only, and sizes, checksums and lengths are checked before anything
is used.  What is wrong with a file is said in one line, by CatalogError.

Examples:
    tools/read_catalog.py demo.catalog
    tools/read_catalog.py demo.catalog --feature 7 --band top
    tools/read_catalog.py demo.catalog --dictionary demo --corpus 1 --npz demo.npz
    tools/read_catalog.py demo.catalog --verify
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import sqlite3
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

try:
    import numpy as np
    import zstandard
except ImportError as error:
    if __name__ == "__main__":
        sys.exit(f"error: the Python package {error.name} is missing; pip install numpy zstandard, or apt's python3-{error.name}")
    raise

#: What `PRAGMA application_id` of a catalog is: "RSAE".
APPLICATION_ID = 0x52534145
#: The form of the catalog that this file reads.
USER_VERSION = 7
#: The most bytes that the content of a frame may have.
MOST_BYTES = 1 << 30
#: The most elements of an array whose size the file tells, and the most rows of a tensor.
MOST_ELEMENTS, MOST_ROWS = 1 << 33, 1 << 28
#: The longest window of a context, the most contexts of a feature in a corpus, and the most tokens of their windows.
MOST_WINDOW, MOST_CONTEXTS, MOST_TOKENS = 1 << 20, 3 << 14, 1 << 23
#: The most characters of an activation, and of all that stands for one token in a context's activations.
MOST_DIGITS, MOST_PER_TOKEN = 64, 64 + len('"1048575":,')
#: Names of the bands, by number.
BANDS = ("top", "sample", "quiet")
#: Types of a column's values, by the letters that Catalog._rows takes.
KINDS: dict[str, tuple[type, ...]] = {"i": (int,), "r": (float, int), "t": (str,), "b": (bytes,)}
#: Bytes of a value, by dtype.
WIDTHS = {"f32": 4, "f16": 2, "bf16": 2}
#: One token's activation: its place in the window, and the number as JSON writes it.
ACTIVATION = re.compile(r'"(0|[1-9][0-9]{0,6})":(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)', re.ASCII)
#: The tables that have digests, by the columns that divide their rows into parts.
PARTS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): (
        "catalog", "run", "language_model", "corpus", "passage", "packing", "dictionary", "indexing", "exchange",
        "passage_text_data", "passage_text_idx", "passage_text_docsize", "passage_text_config",
        "explanation_text_data", "explanation_text_idx", "explanation_text_docsize", "explanation_text_config"),
    ("run_id",): ("run_input", "run_metric"),
    ("language_model_id",): ("token",),
    ("corpus_id",): ("document",),
    ("tensor_id",): ("tensor_chunk",),
    ("dictionary_id",): (
        "dictionary_tensor", "layer_routing", "feature_logit", "feature_neighbor", "review", "evaluation", "intervention"),
    ("dictionary_id", "corpus_id"): (
        "feature", "feature_layer", "feature_token", "feature_cofiring", "feature_context", "explanation", "score"),
}


class CatalogError(ValueError):
    """What is wrong with a catalog, or with what was asked of it, in one line."""

    def __init__(self, reason: str) -> None:
        # Names come from the file, too: they may not break the line, nor command a terminal.
        super().__init__("".join(c if c.isprintable() else " " for c in reason))


class Index(NamedTuple):
    """A dictionary's index over a corpus."""

    corpus_id: int
    corpus: str
    run_id: int
    n_tokens: int
    n_documents: int
    window: int
    n_contexts: int


class Dictionary(NamedTuple):
    """A dictionary, and the corpora it was indexed on, in the order of their runs."""

    dictionary_id: int
    name: str
    architecture: str
    d_model: int
    n_latents: int
    k: int | None
    layers: tuple[int, ...]
    indexes: tuple[Index, ...]


class Context(NamedTuple):
    """A window of text around a token on which a feature fires, or in the band `quiet` does not.

    `tokens` (int64) are the window's token ids and `activations` (float32) the feature's activation on each.  `texts` are the pieces of the window's text, one a token: of a character
    that is divided among tokens the last has all of it, and those before it none.  `tokens[peak]` is the token the
    window was cut around, `token_position` its place in the document; `activation` is the feature's activation there.  `n_occurrences` says how
    often the window's tokens occur in the corpus; None where it was not counted.
    """

    context_id: int
    band: str
    rank: int
    document_id: int
    document: str | None
    token_position: int
    window_start: int
    peak: int
    layer: int
    router_weight: float | None
    activation: float
    split: str | None
    n_occurrences: int | None
    tokens: np.ndarray
    texts: list[str]
    activations: np.ndarray
    excerpt: str


class Histogram(NamedTuple):
    """How often a feature fired how strongly: `counts[i]` times from `edges[i]` to below `edges[i + 1]`."""

    edges: np.ndarray
    counts: np.ndarray


# Blobs --------------------------------------------------------------------------------------------------------------


def decompress(frame: bytes, limit: int, place: str) -> bytes:
    """The content of a blob: exactly one zstd frame, with content size and checksum, of at most `limit` bytes.

    The size that the frame claims is looked at before any memory is taken for it.
    """
    try:
        parameters = zstandard.get_frame_parameters(frame)
    except zstandard.ZstdError:
        raise CatalogError(f"{place}: is not a zstd frame") from None
    if not parameters.has_checksum:
        raise CatalogError(f"{place}: its zstd frame has no checksum")
    claimed = zstandard.frame_content_size(frame)
    if claimed < 0:
        raise CatalogError(f"{place}: its zstd frame does not tell its content's size")
    if claimed > min(limit, MOST_BYTES):
        raise CatalogError(f"{place}: its zstd frame claims {claimed} bytes, where at most {min(limit, MOST_BYTES)} belong")
    if parameters.dict_id:
        raise CatalogError(f"{place}: its zstd frame needs dictionary {parameters.dict_id}, and a catalog has none")
    try:
        content = zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError) as error:
        raise CatalogError(f"{place}: its zstd frame is damaged ({one_line(error)})") from None
    if len(content) != claimed:
        raise CatalogError(f"{place}: its zstd frame claims {claimed} bytes and has {len(content)}")
    return content


def exactly(frame: bytes, length: int, place: str) -> bytes:
    """The content of a frame that has to have so many bytes."""
    content = decompress(frame, length, place)
    if len(content) != length:
        raise CatalogError(f"{place}: has {len(content)} bytes, where {length} belong")
    return content


def unshuffled(content: bytes, width: int) -> bytes:
    """Puts the bytes of each value together again, of which all first ones come first, then all second ones ..."""
    return np.frombuffer(content, np.uint8).reshape(width, -1).T.tobytes() if content else content


def widened(raw: bytes, dtype: str) -> np.ndarray:
    """Little-endian values of a dtype as float32; exact for all of them."""
    if dtype == "bf16":
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(raw, {"f32": "<f4", "f16": "<f2"}[dtype]).astype(np.float32)


# Activations --------------------------------------------------------------------------------------------------------


def window_activations(text: str | None, peak: int, activation: float, length: int, place: str) -> np.ndarray:
    """The activations on the tokens of a window, float32 [length], from `feature_context.other_activations`.

    That is a JSON object of the other tokens that fire, `{"12":1.23,"27":2.6}`: the place in the window, which ascends,
    and the activation.  None stands for no such token.  `activation` is that of the token at `peak`.
    """
    if not 0 <= peak < length <= MOST_WINDOW:
        raise CatalogError(f"{place}: token {peak} is the peak of a window of {length}")
    if text is not None and len(text) > 2 + length * MOST_PER_TOKEN:
        raise CatalogError(f"{place}: {len(text)} characters are too many for the activations of {length} tokens")
    if text is not None and (len(text) < 2 or text[0] != "{" or text[-1] != "}"):
        raise CatalogError(f"{place}: its activations are not a JSON object of places and numbers")
    last = -1
    places, values = [peak], [activation]
    for item in () if text is None else text[1:-1].split(","):
        found = ACTIVATION.fullmatch(item)
        if not found or len(found[2]) > MOST_DIGITS:
            raise CatalogError(f"{place}: its activations are not a JSON object of places and numbers")
        token = int(found[1])
        if token >= length:
            raise CatalogError(f"{place}: has an activation at token {token} of a window of {length}")
        if token == peak:
            raise CatalogError(f"{place}: has the peak, token {token}, among its other activations")
        if token <= last:
            raise CatalogError(f"{place}: the places of its activations do not ascend at token {token}")
        places.append(token)
        values.append(float(found[2]))
        last = token
    with np.errstate(over="ignore"):
        singles = np.array(values, np.float64).astype(np.float32)
    for token, value in zip(places, singles):
        if not np.isfinite(value) or value == 0 and token != peak:
            raise CatalogError(f"{place}: the activation of token {token} is {'zero' if value == 0 else 'not a finite number'}")
    result = np.zeros(length, np.float32)
    result[places] = singles
    return result


# Digests ------------------------------------------------------------------------------------------------------------


class _Text(bytes):
    """A text's bytes in UTF-8, which may be damaged."""


def row_bytes(row: Sequence[Any], are_real: Sequence[bool]) -> bytes:
    """A row as its digest takes it: of every value its type and its bits, numbers little-endian.

    A whole number in a REAL column counts as the double.
    """
    parts = []
    for value, is_real in zip(row, are_real):
        if value is None:
            parts.append(b"\0")
        elif isinstance(value, (bytes, str)):
            content = value.encode() if isinstance(value, str) else value
            parts.append(struct.pack("<Bq", 3 if isinstance(value, (_Text, str)) else 4, len(content)) + content)
        elif is_real or isinstance(value, float):
            parts.append(struct.pack("<Bd", 2, value))
        else:
            parts.append(struct.pack("<Bq", 1, value))
    return b"".join(parts)


# The catalog --------------------------------------------------------------------------------------------------------


class Catalog:
    """A catalog, opened for reading.  Used as a context it closes the file.

    Every method raises CatalogError where the file is damaged, or has not got what is asked for.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens a file, and checks that it is a catalog of the form that is known here."""
        self.path = os.fspath(path)
        if not os.path.isfile(self.path):
            raise CatalogError(f"{self.path}: no such file")
        try:
            self._connection = sqlite3.connect(Path(self.path).resolve().as_uri() + "?mode=ro", uri=True)
        except sqlite3.Error as error:
            self._fail(one_line(error))
        try:
            # A stranger's schema may call nothing but what is harmless, and nothing is written.
            for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
                self._rows("", f"PRAGMA {pragma}")
            (application,), (version,) = self._row("i", "PRAGMA application_id"), self._row("i", "PRAGMA user_version")
            if application != APPLICATION_ID:
                self._fail(f"is not a catalog (its application id is {application:#010x}, a catalog's {APPLICATION_ID:#010x})")
            if version != USER_VERSION:
                advice = "upgrade it with `routesae migrate`" if version < USER_VERSION else "take a newer read_catalog.py"
                self._fail(f"is a catalog of form {version}, and form {USER_VERSION} is read here; {advice}")
        except CatalogError:
            self._connection.close()
            raise

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    # What there is

    def dictionaries(self) -> list[Dictionary]:
        """All dictionaries, in the order in which they came, with the corpora each was indexed on."""
        found = []
        for row in self._rows(
            "ittiiIt",
            "SELECT dictionary_id, name, architecture, d_model, n_latents, k, layers FROM dictionary ORDER BY dictionary_id",
        ):
            indexes = self._rows(
                "itiiiii",
                "SELECT i.corpus_id, c.name, i.run_id, i.n_tokens, i.n_documents, i.window, ifnull(i.n_contexts, 0)"
                " FROM indexing AS i JOIN corpus AS c ON c.corpus_id = i.corpus_id"
                " WHERE i.dictionary_id = ? ORDER BY i.run_id, i.corpus_id",
                row[0],
            )
            layers = tuple(self._json(row[6], f"dictionary {row[0]}: layers"))
            found.append(Dictionary(*row[:6], layers, tuple(Index(*index) for index in indexes)))
        return found

    def dictionary(self, dictionary: int | str | None = None) -> Dictionary:
        """A dictionary by its name or id; by default the last."""
        known = self.dictionaries()
        if not known:
            self._fail("holds no dictionary")
        if dictionary is None:
            return known[-1]
        for one in known:
            if dictionary == (one.name if isinstance(dictionary, str) else one.dictionary_id):
                return one
        self._fail(f"has no dictionary {dictionary!r}; it has {', '.join(f'{d.dictionary_id} ({d.name})' for d in known)}")

    def index(self, dictionary: int | str | None = None, corpus: int | str | None = None) -> tuple[Dictionary, Index]:
        """A dictionary and its index over a corpus, given by its name or id; by default the one made last."""
        chosen = self.dictionary(dictionary)
        if not chosen.indexes:
            self._fail(f"dictionary {chosen.name} is not indexed; index it with `routesae index`")
        if corpus is None:
            return chosen, chosen.indexes[-1]
        found = [one for one in chosen.indexes if corpus == (one.corpus if isinstance(corpus, str) else one.corpus_id)]
        known = ", ".join(f"{one.corpus_id} ({one.corpus})" for one in chosen.indexes)
        if not found:
            self._fail(f"dictionary {chosen.name} is not indexed on corpus {corpus!r}; it is on {known}")
        if len(found) > 1:
            self._fail(f"dictionary {chosen.name} is indexed on several corpora named {corpus!r}; take an id: {known}")
        return chosen, found[0]

    # Weights

    def decoder(self, dictionary: int | str | None = None, rows: Any = None) -> np.ndarray:
        """Decoder vectors, float32 [rows, D]: those of all features, or of `rows` (an index, a slice, a sequence)."""
        return self.tensor("decoder", dictionary, rows)

    def encoder(self, dictionary: int | str | None = None, rows: Any = None) -> np.ndarray:
        """Encoder vectors, float32 [rows, D]: those of all features, or of `rows` (an index, a slice, a sequence)."""
        return self.tensor("encoder", dictionary, rows)

    def tensors(self, dictionary: int | str | None = None) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The names of a dictionary's weights, with the dtype and shape of each."""
        identity = self.dictionary(dictionary).dictionary_id
        rows = self._rows(
            "ttt", "SELECT name, dtype, shape FROM dictionary_tensor WHERE dictionary_id = ? ORDER BY tensor_id", identity
        )
        return {name: (dtype, tuple(self._json(shape, f"tensor {name}: shape"))) for name, dtype, shape in rows}

    def tensor(self, name: str, dictionary: int | str | None = None, rows: Any = None) -> np.ndarray:
        """A weight as float32 in its own shape, or some of its rows, for which only the chunks that hold them are read.

        `rows` is an index (the result lacks the first extent), a slice or a sequence of indexes; negative ones count
        from the end.  Of a whole tensor the SHA-256 is checked as well.
        """
        owner = self.dictionary(dictionary)
        place = f"dictionary {owner.name}: tensor {name}"
        described = self._rows(
            "ittiiiti",
            "SELECT tensor_id, dtype, shape, n_rows, row_length, rows_per_chunk, sha256, is_shuffled FROM dictionary_tensor"
            " WHERE dictionary_id = ? AND name = ?",
            owner.dictionary_id, name,
        )
        if not described:
            self._fail(f"{place}: there is none; there are {', '.join(self.tensors(owner.dictionary_id))}")
        identity, dtype, shape_text, n_rows, row_length, rows_per_chunk, sha256, is_shuffled = described[0]
        shape = tuple(self._json(shape_text, f"{place}: shape"))
        if dtype not in WIDTHS:
            self._fail(f"{place}: is of an unknown dtype {dtype!r}")
        if min(shape, default=0) < 0 or (n_rows, row_length) != (shape[0] if shape else 1, math.prod(shape[1:])):
            self._fail(f"{place}: {n_rows} rows of {row_length} values do not make the shape {shape_text}")
        # Chunks first: only if there are all of them can the rows that the tensor claims be true.
        chunks = self._rows(
            "iii", "SELECT chunk_id, first_row, n_rows FROM tensor_chunk WHERE tensor_id = ? ORDER BY first_row", identity
        )
        expected = 0
        for _, first, count in chunks:
            if first != expected or count != min(rows_per_chunk, n_rows - first):
                self._fail(f"{place}: the chunk at row {first} has {count} rows, which leaves a gap or an overlap at {expected}")
            expected += count
        if expected != n_rows:
            self._fail(f"{place}: its chunks end at row {expected} of {n_rows}")

        if n_rows > MOST_ROWS or n_rows * row_length > MOST_ELEMENTS:
            self._fail(f"{place}: {n_rows} rows of {row_length} values are too many")

        single = rows is not None and not isinstance(rows, slice) and np.ndim(rows) == 0
        wanted = np.zeros(0, np.int64) if rows is None else self._wanted_rows(rows, n_rows, place)
        order = np.argsort(wanted, kind="stable")
        ascending = wanted[order]
        digest = hashlib.sha256() if rows is None else None
        try:
            values = np.empty((n_rows if rows is None else wanted.size, row_length), np.float32)
        except MemoryError:
            self._fail(f"{place}: {n_rows if rows is None else wanted.size} rows of {row_length} values do not fit the memory")
        for chunk_id, first, count in chunks:
            inside = order[slice(*np.searchsorted(ascending, (first, first + count)))]
            if digest is None and not inside.size:
                continue
            here = f"{self.path}: {place}: chunk at row {first}"
            (frame,) = self._row("b", 'SELECT "values" FROM tensor_chunk WHERE chunk_id = ?', chunk_id)
            raw = exactly(frame, count * row_length * WIDTHS[dtype], here)
            if is_shuffled:
                raw = unshuffled(raw, WIDTHS[dtype])
            chunk = widened(raw, dtype).reshape(count, row_length)
            if digest is None:
                values[inside] = chunk[wanted[inside] - first]
            else:
                digest.update(raw)
                values[first : first + count] = chunk
        if digest and digest.hexdigest() != sha256:
            self._fail(f"{place}: does not match its SHA-256")
        if rows is None:
            return values.reshape(shape)
        return values.reshape(shape[1:] if single else (wanted.size, *shape[1:]))

    # Features

    def features(self, dictionary: int | str | None = None, corpus: int | str | None = None) -> dict[str, np.ndarray]:
        """All columns of the table `feature`, in the order of feature_index, and `explanation`, the newest one's text.

        Numbers with a fraction are float64, NaN where the file has NULL; whole numbers are int64, -1 where it has
        NULL; `is_dead` is bool; text is of dtype object, None where it has NULL.
        """
        owner, index = self.index(dictionary, corpus)
        types = {name: kind for name, kind in self._rows("tt", "SELECT name, type FROM pragma_table_xinfo('feature')")}
        names = [*types, "explanation"]
        # A column of another type than those in the schema is refused here.
        kinds = "".join({"REAL": "R", "INTEGER": "I", "TEXT": "T"}.get(kind, "b") for kind in types.values())
        columns = ", ".join('f."' + name.replace('"', '""') + '"' for name in types)
        rows = self._rows(
            kinds + "T",
            f"SELECT {columns}, (SELECT e.text FROM explanation AS e WHERE e.explanation_id = f.explanation_id)"
            " FROM feature AS f WHERE f.dictionary_id = ? AND f.corpus_id = ? ORDER BY f.feature_index",
            owner.dictionary_id, index.corpus_id,
        )
        result = {}
        for place, name in enumerate(names):
            column = [row[place] for row in rows]
            if types.get(name) == "REAL":
                result[name] = np.array([math.nan if value is None else value for value in column], np.float64)
            elif types.get(name) == "INTEGER":
                whole = np.array([-1 if value is None else value for value in column], np.int64)
                result[name] = whole.astype(bool) if name.startswith("is_") else whole
            else:
                result[name] = np.array(column + [None], object)[:-1]
        return result

    def layers(self, dictionary: int | str | None = None, corpus: int | str | None = None) -> dict[str, np.ndarray]:
        """Where features fire: `layers` [L], and of each feature and layer `n_fired` (int64 [m, L]), `sum_activation`,
        `max_activation` and `mean_router_weight` (float64 [m, L]).

        m is the dictionary's number of latents.  Where a feature did not fire in a layer, its sum is 0 and the others
        are NaN; without a router so are all its weights.
        """
        owner, index = self.index(dictionary, corpus)
        shape = (owner.n_latents, len(owner.layers))
        if owner.n_latents > 1 << 24 or math.prod(shape) > MOST_ELEMENTS >> 3:
            self._fail(f"dictionary {owner.name}: {shape[0]} latents in {shape[1]} layers are too many")
        result = {
            "layers": np.array(owner.layers, np.int64), "n_fired": np.zeros(shape, np.int64), "sum_activation": np.zeros(shape),
            "max_activation": np.full(shape, math.nan), "mean_router_weight": np.full(shape, math.nan),
        }
        columns = {layer: place for place, layer in enumerate(owner.layers)}
        for feature, layer, n_fired, total, largest, weight in self._rows(
            "iiirrR",
            "SELECT feature_index, layer, n_fired, sum_activation, max_activation, mean_router_weight FROM feature_layer"
            " WHERE dictionary_id = ? AND corpus_id = ?",
            owner.dictionary_id, index.corpus_id,
        ):
            if not 0 <= feature < owner.n_latents or layer not in columns:
                self._fail(f"dictionary {owner.name}: feature {feature} fires in layer {layer}; one of the two does not exist")
            at = feature, columns[layer]
            result["n_fired"][at], result["sum_activation"][at], result["max_activation"][at] = n_fired, total, largest
            if weight is not None:
                result["mean_router_weight"][at] = weight
        return result

    def histogram(self, feature: int, dictionary: int | str | None = None, corpus: int | str | None = None) -> Histogram | None:
        """How strongly a feature fired: float64 edges [bins + 1] and int64 counts [bins]; None where none was kept."""
        owner, index = self.index(dictionary, corpus)
        self._feature(owner, index, feature)
        edges, counts = self._row(
            "tT",
            "SELECT i.histogram_edges, f.histogram FROM feature AS f JOIN indexing AS i USING (dictionary_id, corpus_id)"
            " WHERE f.dictionary_id = ? AND f.corpus_id = ? AND f.feature_index = ?",
            owner.dictionary_id, index.corpus_id, feature,
        )
        return None if counts is None else self._histogram(edges, counts, f"feature {feature}: histogram")

    def histograms(self, dictionary: int | str | None = None, corpus: int | str | None = None) -> Histogram:
        """The histograms of all features: counts are int64 [features, bins], 0 for features without one."""
        owner, index = self.index(dictionary, corpus)
        (edges,) = self._row(
            "t", "SELECT histogram_edges FROM indexing WHERE dictionary_id = ? AND corpus_id = ?",
            owner.dictionary_id, index.corpus_id,
        )
        rows = self._rows(
            "iT",
            "SELECT feature_index, histogram FROM feature WHERE dictionary_id = ? AND corpus_id = ? ORDER BY feature_index",
            owner.dictionary_id, index.corpus_id,
        )
        bounds = np.array(self._json(edges, "histogram_edges", whole=False), np.float64)
        counts = np.zeros((len(rows), max(bounds.size - 1, 0)), np.int64)
        for place, (feature, text) in enumerate(rows):
            if text is not None:
                counts[place] = self._histogram(edges, text, f"feature {feature}: histogram").counts
        return Histogram(bounds, counts)

    def _histogram(self, edges: str, counts: str, place: str) -> Histogram:
        bounds = np.array(self._json(edges, "histogram_edges", whole=False), np.float64)
        result = Histogram(bounds, np.array(self._json(counts, place), np.int64))
        if result.edges.size != result.counts.size + 1:
            self._fail(f"{place}: has {result.counts.size} bins between {result.edges.size} edges")
        return result

    # Contexts

    def contexts(
        self, feature: int, dictionary: int | str | None = None, corpus: int | str | None = None, band: str | None = None
    ) -> list[Context]:
        """A feature's contexts in the order of band (top, sample, quiet) and rank; of one band if it is named."""
        if band is not None and band not in BANDS:
            self._fail(f"there is no band {band!r}; there are {', '.join(BANDS)}")
        owner, index = self.index(dictionary, corpus)
        self._feature(owner, index, feature)
        key = owner.dictionary_id, feature, index.corpus_id
        place = f"dictionary {owner.name}: feature {feature} on corpus {index.corpus}"
        of_key = "WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ?"
        (count,) = self._row("i", f"SELECT count(*) FROM feature_context {of_key}", *key)
        if count > MOST_CONTEXTS:
            self._fail(f"{place}: {count} contexts are too many")
        # The order of context_id is that of the bands' numbers; the view has their names.
        rows = self._rows(
            "itiiTiiiiRrTItIiitt",
            "SELECT v.context_id, v.band, v.rank, v.document_id, d.title, v.token_position, v.window_start, v.window_length,"
            " v.layer, v.router_weight, v.activation, v.split, v.n_occurrences, v.excerpt,"
            " length(CAST(c.other_activations AS BLOB)), p.first_token, p.n_tokens, p.text, p.token_starts"
            " FROM context AS v JOIN passage AS p ON p.passage_id = v.passage_id"
            " JOIN document AS d ON d.document_id = p.document_id"
            " JOIN feature_context AS c ON c.dictionary_id = v.dictionary_id AND c.feature_index = v.feature_index"
            " AND c.corpus_id = v.corpus_id AND c.rank = v.rank"
            " AND c.band = CASE v.band WHEN 'top' THEN 0 WHEN 'sample' THEN 1 WHEN 'quiet' THEN 2 END"
            " WHERE v.dictionary_id = ? AND v.feature_index = ? AND v.corpus_id = ? ORDER BY v.context_id",
            *key,
        )
        if len(rows) != count:
            self._fail(f"{place}: {count - len(rows)} of its contexts lack their passage or document")
        if sum(row[7] for row in rows) > MOST_TOKENS:
            self._fail(f"{place}: its contexts have more than {MOST_TOKENS} tokens")
        documents: dict[int, np.ndarray] = {}
        result = []
        for row in rows:
            if band in (None, row[1]):
                if row[3] not in documents:
                    documents[row[3]] = self.token_ids(row[3])
                result.append(self._context(key, row, documents[row[3]], f"{place}: context {row[1]} {row[2]}"))
        return result

    def _context(self, key: tuple[int, int, int], row: tuple[Any, ...], document: np.ndarray, place: str) -> Context:
        (identity, band, rank, document_id, title, position, start, length, layer, weight, activation, split, occurrences,
         excerpt, text_length, first, n_tokens, text, token_starts) = row
        if not first <= start <= position < start + length <= first + n_tokens <= document.size:
            self._fail(f"{place}: token {position} in {length} tokens from {start} is not within its passage and document")
        width, rest = divmod(len(token_starts), n_tokens + 1)
        if rest or not width or not (token_starts.isascii() and token_starts.isdecimal()):
            self._fail(f"{place}: the token starts of its passage are not {n_tokens + 1} decimals of equal width")
        inside = range(start - first, start - first + length + 1)
        starts = [int(token_starts[token * width : (token + 1) * width]) for token in inside]
        if starts != sorted(starts) or starts[-1] > len(text):
            self._fail(f"{place}: the token starts of its passage do not ascend within its text")
        if occurrences is not None and occurrences < 1:
            self._fail(f"{place}: its window occurs {occurrences} times")
        # No text is read before its length is known to be right.
        if (text_length or 0) > 2 + length * MOST_PER_TOKEN:
            self._fail(f"{place}: {text_length} bytes are too many for the activations of {length} tokens")
        (others,) = (None,) if text_length is None else self._row(
            "t",
            "SELECT other_activations FROM feature_context"
            " WHERE dictionary_id = ? AND feature_index = ? AND corpus_id = ? AND band = ? AND rank = ?",
            *key, BANDS.index(band), rank,
        )
        values = window_activations(others, position - start, activation, length, f"{self.path}: {place}")
        return Context(
            identity, band, rank, document_id, title, position, start, position - start, layer, weight, activation, split,
            occurrences, document[start : start + length], [text[a:b] for a, b in zip(starts, starts[1:])], values, excerpt,
        )

    def token_ids(self, document_id: int) -> np.ndarray:
        """The token ids of a document, int64 [n_tokens]."""
        found = self._rows("iib", "SELECT n_tokens, is_shuffled, token_ids FROM document WHERE document_id = ?", document_id)
        if not found:
            self._fail(f"has no document {document_id}")
        n_tokens, is_shuffled, frame = found[0]
        raw = exactly(frame, 4 * n_tokens, f"{self.path}: document {document_id}: token ids")
        return np.frombuffer(unshuffled(raw, 4) if is_shuffled else raw, "<u4").astype(np.int64)

    # Digests

    def changed_tables(self) -> list[tuple[str, str]]:
        """The tables, and parts of tables, that do not hold what they held when the software last wrote to them.

        Works out the digests of all rows again, which takes a few microseconds a row, and compares them with those in
        `table_digest`.  A part is given by a condition that holds for its rows, `dictionary_id = 1 AND corpus_id = 1`;
        it is empty for a table that is one part.
        """
        said = {
            (table, part): (count, digest)
            for table, part, count, digest in self._rows("ttit", "SELECT table_name, part, n_rows, digest FROM table_digest")
        }
        found = {}
        for columns, tables in PARTS.items():
            for table in tables:
                found.update(self._digests(table, columns))
        return sorted(key for key in {*said, *found} if said.get(key) != found.get(key))

    def _digests(self, table: str, part_columns: tuple[str, ...]) -> dict[tuple[str, str], tuple[int, str]]:
        """The parts of a table that have rows, with the number of the rows and the sum of their SHA-256."""
        columns = self._rows("tt", "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", table)
        names = [name for name, _ in columns]
        if not set(part_columns) < set(names):
            self._fail(f"table {table}: is not there, or lacks {' and '.join(part_columns) or 'its columns'}")
        are_real = [kind == "REAL" for _, kind in columns]
        places = [names.index(column) for column in part_columns]
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        start = table.encode() + b"\0"
        sums: dict[tuple[Any, ...], list[int]] = {}
        factory, self._connection.text_factory = self._connection.text_factory, _Text
        try:
            for row in self._connection.execute(f'SELECT {quoted} FROM "{table}"'):
                one = sums.setdefault(tuple(row[place] for place in places), [0, 0])
                one[0] += 1
                one[1] += int.from_bytes(hashlib.sha256(start + row_bytes(row, are_real)).digest(), "little")
        except (sqlite3.Error, OverflowError, MemoryError) as error:
            self._fail(f"table {table}: {one_line(error)}")
        finally:
            self._connection.text_factory = factory
        return {
            (table, " AND ".join(f"{column} = {value}" for column, value in zip(part_columns, part))):
                (count, f"{total % (1 << 256):064x}")
            for part, (count, total) in sums.items()
        }

    # Beneath

    def _feature(self, owner: Dictionary, index: Index, feature: int) -> None:
        """Refuses a feature that does not exist."""
        found = self._rows(
            "i",
            "SELECT 1 FROM feature WHERE dictionary_id = ? AND corpus_id = ? AND feature_index = ?",
            owner.dictionary_id, index.corpus_id, feature,
        )
        if not found:
            last = owner.n_latents - 1
            self._fail(f"dictionary {owner.name} has no feature {feature} on corpus {index.corpus}; they are 0 ... {last}")

    def _wanted_rows(self, rows: Any, count: int, place: str) -> np.ndarray:
        """The rows asked for, counted from the first."""
        if isinstance(rows, slice):
            return np.arange(*rows.indices(count))
        wanted = np.atleast_1d(np.asarray(rows))
        if wanted.size == 0:
            return np.zeros(0, np.int64)
        if wanted.dtype.kind not in "iu" or wanted.ndim != 1:
            self._fail(f"{place}: rows are asked for by whole numbers, and these are not")
        wanted = wanted.astype(np.int64)
        for row in wanted[(wanted < -count) | (wanted >= count)]:
            self._fail(f"{place}: has no row {row}; it has {count}")
        return np.where(wanted < 0, wanted + count, wanted)

    def _json(self, text: str, place: str, whole: bool = True) -> list[Any]:
        """A JSON array of numbers: of whole ones within 64 bits, or of any that are finite."""
        kinds, most = (int, 2**63 - 1) if whole else ((int, float), sys.float_info.max)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list) or not all(
            isinstance(one, kinds) and not isinstance(one, bool) and abs(one) <= most for one in found
        ):
            self._fail(f"{place}: is not a JSON array of {'whole ' if whole else ''}numbers")
        return found

    def _rows(self, kinds: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, whose columns have to be of these kinds; a capital letter allows NULL.

        i is a whole number, r a number, t text, b a blob.
        """
        types = [KINDS[kind.lower()] + ((type(None),) if kind.isupper() else ()) for kind in kinds]
        try:
            rows = self._connection.execute(sql, values).fetchall()
        except (sqlite3.Error, UnicodeError, OverflowError, MemoryError) as error:
            self._fail(one_line(error))
        for row in rows:
            if not all(map(isinstance, row, types)):
                self._fail(f"a value is not of its column's type, in what `{' '.join(sql.split())[:60]} ...` reads")
        return rows

    def _row(self, kinds: str, sql: str, *values: Any) -> tuple[Any, ...]:
        rows = self._rows(kinds, sql, *values)
        if not rows:
            self._fail(f"nothing is found by `{' '.join(sql.split())[:60]} ...`")
        return rows[0]

    def _fail(self, reason: str) -> NoReturn:
        raise CatalogError(f"{self.path}: {reason}") from None


# The command --------------------------------------------------------------------------------------------------------


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def visible(text: str | None) -> str:
    """Text in one line, without characters that command a terminal."""
    return "".join(c if c.isprintable() else " " for c in text or "").strip()


def number(value: float | None) -> str:
    """A number for people."""
    return "-" if value is None or math.isnan(value) else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def summary(catalog: Catalog, dictionary: int | str | None, corpus: int | str | None) -> Iterator[str]:
    """What a catalog holds, and of one index the features that fire most strongly."""
    known = catalog.dictionaries()
    for one in known:
        k = f", k = {one.k}" if one.k is not None else ""
        layers = ",".join(map(str, one.layers))
        yield (f"dictionary {one.dictionary_id}  {visible(one.name)}: {one.architecture}, {one.n_latents:,} features of width "
               f"{one.d_model}{k}, layers {layers}")
        for name, (dtype, shape) in catalog.tensors(one.dictionary_id).items():
            yield f"    tensor {visible(name)}  {dtype} {list(shape)}"
        for index in one.indexes:
            yield (f"    corpus {index.corpus_id}  {visible(index.corpus)}: {index.n_tokens:,} tokens of "
                   f"{index.n_documents:,} documents, {index.n_contexts:,} contexts of {index.window} tokens (run {index.run_id})")
    if not known or not catalog.dictionary(dictionary).indexes:
        return
    owner, index = catalog.index(dictionary, corpus)
    features = catalog.features(owner.dictionary_id, index.corpus_id)
    strength = np.nan_to_num(features["max_activation"], nan=-math.inf)
    yield f"strongest features of {visible(owner.name)} on {visible(index.corpus)}:"
    yield "    feature   max  firing rate  peak layer  top token, explanation"
    for place in np.argsort(-strength, kind="stable")[:10]:
        if not features["is_dead"][place]:
            peak = int(features["peak_layer"][place])
            words = "; ".join(filter(None, (visible(features[name][place]) for name in ("top_token", "explanation"))))
            yield (f"    {features['feature_index'][place]:>7}  {number(float(strength[place])):>4}  "
                   f"{number(float(features['firing_rate'][place])):>11}  {peak if peak >= 0 else '-':>10}  {words}")


def feature_lines(catalog: Catalog, feature: int, options: argparse.Namespace) -> Iterator[str]:
    """A feature's contexts."""
    for context in catalog.contexts(feature, options.dictionary, options.corpus, options.band):
        firing = f", fires on {np.count_nonzero(context.activations)} of {context.activations.size} tokens"
        times = "" if context.n_occurrences is None else f", {context.n_occurrences} times in the corpus"
        weight = "" if context.router_weight is None else f" (weight {number(context.router_weight)})"
        yield (f"{context.band} {context.rank}: {number(context.activation)} in layer {context.layer}{weight}, "
               f"{visible(context.document) or f'document {context.document_id}'}, token {context.token_position}{firing}{times}"
               + (f", for {context.split}" if context.split else ""))
        yield f"    {visible(context.excerpt)}"


def verify(catalog: Catalog) -> int:
    """Says which tables changed; 1 if any did."""
    changed = catalog.changed_tables()
    for table, part in changed:
        print(f"changed: {visible(table)}{', ' if part else ''}{visible(part)}")
    if not changed:
        print("all tables hold what they held when they were last written to")
    return 1 if changed else 0


def save_npz(catalog: Catalog, path: str, options: argparse.Namespace) -> None:
    """Writes decoder, encoder and the features' statistics to a file for numpy.load; complete, or not at all.

    Text is stored as strings of fixed width, empty where there is none, so that no pickle is needed.
    """
    if os.path.lexists(path) and not options.force:
        raise CatalogError(f"{path}: exists already; add --force to replace it")
    owner, index = catalog.index(options.dictionary, options.corpus)
    arrays = {"decoder": catalog.decoder(owner.dictionary_id), "encoder": catalog.encoder(owner.dictionary_id)}
    for name, column in catalog.features(owner.dictionary_id, index.corpus_id).items():
        if name != "histogram":
            arrays[name] = np.array([value or "" for value in column], np.str_) if column.dtype == object else column
    arrays["histogram_edges"], arrays["histogram"] = catalog.histograms(owner.dictionary_id, index.corpus_id)
    for name, column in catalog.layers(owner.dictionary_id, index.corpus_id).items():
        arrays[name if name == "layers" else f"layer_{name}"] = column
    partial = path + ".partial"
    try:
        with open(partial, "wb") as file:
            np.savez_compressed(file, **arrays)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
    size = os.path.getsize(path)
    print(f"{path}: {size:,} bytes; {', '.join(f'{name} {list(a.shape)}' for name, a in arrays.items())}", file=sys.stderr)


def identity(text: str) -> int | str:
    """An id if it is a number, else a name."""
    return int(text) if text.isascii() and text.isdecimal() else text


def parser() -> argparse.ArgumentParser:
    """The options."""
    result = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("file", help="a catalog")
    result.add_argument("--dictionary", type=identity, help="a dictionary's name or id (default: the last)")
    result.add_argument("--corpus", type=identity, help="a corpus's name or id (default: the one indexed last)")
    result.add_argument("--feature", type=int, help="print this feature's contexts instead of a summary")
    result.add_argument("--band", choices=BANDS, help="with --feature: contexts of this band only")
    result.add_argument("--npz", metavar="OUT", help="write decoder, encoder and feature statistics to a file for numpy.load")
    result.add_argument("--verify", action="store_true", help="work out the tables' digests again, and name those that changed")
    result.add_argument("--force", action="store_true", help="replace an existing OUT")
    return result


def main() -> int:
    """Runs the command; every error is one line."""
    options = parser().parse_args()
    try:
        status = 0
        with Catalog(options.file) as catalog:
            if options.verify:
                status = verify(catalog)
            elif options.npz:
                save_npz(catalog, options.npz, options)
            elif options.feature is not None:
                print(*feature_lines(catalog, options.feature, options), sep="\n")
            else:
                print(*summary(catalog, options.dictionary, options.corpus), sep="\n")
            sys.stdout.flush()
        return status
    except BrokenPipeError:  # a pager that was left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.filename or options.file}: {error.strerror or one_line(error)}", file=sys.stderr)
    except CatalogError as error:
        print(f"error: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
