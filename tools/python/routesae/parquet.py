"""Catalogs as a data set of Parquet files, partitioned by dictionary and corpus.

``write`` makes DIR/TABLE/dictionary=NAME/corpus=NAME/CATALOG-D-C.parquet for the tables features, layers, tokens,
contexts, explanations, scores and evaluation, and a README with queries. Every file has the column ``catalog``, the
catalog's uuid, so that several catalogs become one data set.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from .contexts import BANDS, NULL, SPLITS, Contexts
from .errors import CANNOT_WRITE, MISSING, CatalogError, one_line
from .exclusive_folder import ExclusiveFolder
from .features import features_query
from .file import CatalogFile
from .frames import needed
from .parquet_readme import README
from .passages import Passages
from .records import DictionaryRecord, Index, records
from .tables import columns_of, quoted

#: The tables of a data set, and those of the catalog that they are read from.
TABLES = ("features", "layers", "tokens", "contexts", "explanations", "scores", "evaluation")
_SOURCES = {
    "layers": ("feature_layer", "feature_index, layer"),
    "tokens": ("feature_token", "feature_index, activation_1 DESC, token_class"),
    "explanations": ("explanation_score", "explanation_id"),
    "scores": ("score", "score_id"),
}
#: What says that a folder is such a data set. Readers of Parquet skip names that begin with an underscore.
_MARK = "_routesae.json"
#: Tokens of contexts that are in memory at once.
_TOKENS_AT_ONCE = 1 << 22
#: The longest name of a folder.
_LONGEST_NAME = 255
_WHOLE = (
    "context_id",
    "dictionary_id",
    "feature_index",
    "corpus_id",
    "rank",
    "layer",
    "document_id",
    "token_position",
    "segment",
    "window_start",
    "window_length",
    "passage_id",
    "peak",
)


@dataclass(frozen=True)
class _Part:
    """The rows of a dictionary, on a corpus where there is one, and their file below a table's folder."""

    owner: DictionaryRecord
    index: Index | None
    path: Path


def write(paths: Sequence[str], folder: str, appending: bool = False) -> dict[str, int]:
    """Writes catalogs as a data set; the whole of it appears at once, or nothing.

    Args:
        paths: of the catalogs.
        folder: is made; with ``appending`` it has to be such a data set, to which the catalogs are added.

    Returns:
        The rows written, by table.

    Raises:
        CatalogError: a catalog is damaged, is there twice, the folder is there, is none of ours, is being written by
            another process or cannot be written, or pyarrow is not installed.
    """
    needed("pyarrow.parquet")
    target = Path(folder).resolve()
    if not target.name:
        raise CatalogError(f"{folder}: exists already; name another folder", CANNOT_WRITE)
    if not target.parent.is_dir():
        raise CatalogError(f"{folder}: there is no folder {target.parent}", MISSING)
    try:
        with ExclusiveFolder(target) as place:
            kept = _kept(target, folder) if appending else {"catalogs": []}
            if not appending and os.path.lexists(target):
                raise CatalogError(f"{folder}: exists already; name another folder, or add --append", CANNOT_WRITE)
            if appending:
                _link(target, place.partial)
            rows = dict.fromkeys(TABLES, 0)
            for path in paths:
                with CatalogFile(path) as file:
                    uuid = _write_catalog(file, place.partial, rows)
                    kept["catalogs"].append({"uuid": uuid, "name": os.path.basename(path)})
            (place.partial / _MARK).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            (place.partial / "README.md").write_text(README, encoding="utf-8")
            place.finish(replacing=appending)
            return rows
    except (OSError, needed("pyarrow").ArrowException) as error:
        raise CatalogError(f"{folder}: cannot be written: {one_line(error)}", CANNOT_WRITE) from None


def _kept(target: Path, folder: str) -> dict[str, Any]:
    """What a data set says of itself."""
    if not target.is_dir():
        raise CatalogError(f"{folder}: there is no such data set to append to", MISSING)
    try:
        said = json.loads((target / _MARK).read_text(encoding="utf-8"))
        assert isinstance(said, dict) and isinstance(said["catalogs"], list)
    except (OSError, ValueError, KeyError, AssertionError, RecursionError):
        raise CatalogError(
            f"{folder}: is no data set of `python -m routesae parquet`: it lacks {_MARK}", CANNOT_WRITE
        ) from None
    return said


def _link(target: Path, work: Path) -> None:
    """Takes the files of a data set into another folder, by hard links where they can be made."""
    for folder, _, names in os.walk(target):
        inside = work / Path(folder).relative_to(target)
        inside.mkdir(exist_ok=True)
        for name in names:
            if name.endswith(".parquet"):
                try:
                    os.link(Path(folder) / name, inside / name)
                except OSError:
                    shutil.copy2(Path(folder) / name, inside / name)


def _write_catalog(file: CatalogFile, work: Path, rows: dict[str, int]) -> str:
    """Writes a catalog's tables below a folder and counts the rows; returns its uuid."""
    pa, pq = needed("pyarrow"), needed("pyarrow.parquet")
    (uuid,) = file.row("t", "SELECT uuid FROM catalog")
    parts = [_part(file, uuid, owner, index) for owner in records(file) for index in (*owner.indexes, None)]
    for table in TABLES:
        for part in parts:
            if (part.index is None) != (table == "evaluation"):
                continue
            for path, batches in _tables(file, table, part, uuid):
                if path.exists() or (work / table / path).exists():
                    file.fail(f"is in the data set already, with {table} of dictionary {part.owner.name}", CANNOT_WRITE)
                writer = None
                try:
                    for names, arrays in batches:
                        found = pa.table([pa.array([uuid] * len(arrays[0]), pa.string()), *arrays], ["catalog", *names])
                        if writer is None:
                            (work / table / path).parent.mkdir(parents=True, exist_ok=True)
                            writer = pq.ParquetWriter(work / table / path, found.schema, compression="zstd")
                        writer.write_table(found)
                        rows[table] += found.num_rows
                finally:
                    if writer is not None:
                        writer.close()
    return str(uuid)


def _part(file: CatalogFile, uuid: str, owner: DictionaryRecord, index: Index | None) -> _Part:
    # The uuid is a stranger's text: its digest names the file.
    name = f"{hashlib.sha256(uuid.encode()).hexdigest()[:16]}-{owner.dictionary_id}"
    if index is not None:
        name += f"-{index.corpus_id}"
    return _Part(owner, index, _folder(file, owner.name, None if index is None else index.corpus) / f"{name}.parquet")


def _folder(file: CatalogFile, dictionary: str, corpus: str | None) -> Path:
    """The folders of a partition, as Hive names them."""
    found = Path(
        f"dictionary={quote(dictionary, safe=' ')}",
        "corpus=" + ("__HIVE_DEFAULT_PARTITION__" if corpus is None else quote(corpus, safe=" ")),
    )
    if max(len(part) for part in found.parts) > _LONGEST_NAME:
        file.fail(f"the name of dictionary {dictionary} or of its corpus is too long for a folder", CANNOT_WRITE)
    return found


_Batches = Iterator[tuple[list[str], list[Any]]]


def _tables(file: CatalogFile, table: str, part: _Part, uuid: str) -> Iterator[tuple[Path, _Batches]]:
    """The files of a table and the columns that go into them, in pieces."""
    owner, index = part.owner, part.index
    if index is None:
        yield from _evaluation(file, part, uuid)
    elif table == "features":
        names, kinds, sql = features_query(file)
        yield part.path, _batches(file, names, kinds, sql, owner.dictionary_id, index.corpus_id)
    elif table == "contexts":
        yield part.path, _contexts(file, owner, index)
    else:
        name, order = _SOURCES[table]
        # The names of dictionary and corpus are those of the folders.
        names, kinds = columns_of(file, name, leaving_out=("dictionary", "corpus", "detail"))
        sql = f"SELECT {quoted(names)} FROM {name} WHERE dictionary_id = ? AND corpus_id = ? ORDER BY {order}"
        yield part.path, _batches(file, names, kinds, sql, owner.dictionary_id, index.corpus_id)


def _evaluation(file: CatalogFile, part: _Part, uuid: str) -> Iterator[tuple[Path, _Batches]]:
    """Evaluations by the corpus that they are about, which need not be indexed."""
    names, kinds = columns_of(file, "evaluation")
    corpora = file.rows(
        "IT",
        "SELECT DISTINCT e.corpus_id, c.name FROM evaluation AS e LEFT JOIN corpus AS c USING (corpus_id)"
        " WHERE e.dictionary_id = ? ORDER BY 1",
        part.owner.dictionary_id,
    )
    for corpus_id, corpus in corpora:
        sql = (
            f"SELECT {quoted(names)} FROM evaluation WHERE dictionary_id = ? AND corpus_id IS ? ORDER BY evaluation_id"
        )
        name = f"{part.path.stem}-{'none' if corpus_id is None else corpus_id}.parquet"
        yield (
            _folder(file, part.owner.name, corpus) / name,
            _batches(file, names, kinds, sql, part.owner.dictionary_id, corpus_id),
        )


def _batches(file: CatalogFile, names: list[str], kinds: str, sql: str, *values: Any) -> _Batches:
    """The rows of a query as columns of Arrow whose types do not depend on what is in them."""
    pa = needed("pyarrow")
    types = {"i": pa.int64(), "r": pa.float64(), "t": pa.string(), "b": pa.binary()}
    for rows in file.fetch(kinds, sql, *values):
        arrays = []
        for name, kind, column in zip(names, kinds, zip(*rows)):
            values_of = pa.array(column, types[kind.lower()])
            arrays.append(values_of.cast(pa.bool_()) if name.startswith("is_") else values_of)
        yield names, arrays


def _contexts(file: CatalogFile, owner: DictionaryRecord, index: Index) -> _Batches:
    """Contexts with the ids, texts and activations of all their tokens, some features at a time."""
    pa = needed("pyarrow")
    place = f"dictionary {owner.name} on corpus {index.corpus}"
    ids = file.rows(
        "i",
        "SELECT DISTINCT passage_id FROM feature_context WHERE dictionary_id = ? AND corpus_id = ? ORDER BY 1",
        owner.dictionary_id,
        index.corpus_id,
    )
    passages = Passages(file, np.array(ids, np.int64).reshape(-1), place)
    if passages.tokens.size and int(passages.tokens.max()) > 2**31 - 1:
        file.fail(f"{place}: a token id is larger than 2147483647")
    pieces = pa.array(passages.pieces, pa.string())
    (count,) = file.row(
        "i",
        "SELECT count(*) FROM feature_context WHERE dictionary_id = ? AND corpus_id = ?",
        owner.dictionary_id,
        index.corpus_id,
    )
    each = max(count // max(owner.n_latents, 1) * max(index.window, 1), 1)
    step = max(_TOKENS_AT_ONCE // each, 1)
    for start in range(0, owner.n_latents, step):
        features = range(start, min(start + step, owner.n_latents))
        read = Contexts(file, owner, index, features, passages=passages)
        if not len(read):
            continue
        c = read.columns
        offsets = pa.array(read.windows, pa.int32())
        at = read.gathered()
        found = {name: pa.array(c[name]) for name in _WHOLE}
        found |= {
            "band": pa.array(np.array(BANDS, object)[c["band"]], pa.string()),
            "split": pa.array([None if one == NULL else SPLITS[one] for one in c["split"].tolist()], pa.string()),
            "n_occurrences": pa.array(c["n_occurrences"], mask=c["n_occurrences"] == NULL),
            "activation": pa.array(c["activation"]),
            "router_weight": pa.array(c["router_weight"], mask=np.isnan(c["router_weight"])),
            "document": pa.array(passages.title[read.passage], pa.string()),
            "excerpt": pa.array(read.excerpts(), pa.string()),
            "token_ids": pa.ListArray.from_arrays(offsets, pa.array(passages.tokens[at].astype(np.int32))),
            "tokens": pa.ListArray.from_arrays(offsets, pieces.take(pa.array(at))),
            "activations": pa.ListArray.from_arrays(offsets, pa.array(read.activations)),
        }
        yield list(found), list(found.values())
