"""Which tables hold what was last written to them: the digests of schema/README.md, `table_digest`."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Sequence
from typing import Any

from .errors import one_line
from .file import CatalogFile

#: The tables that have digests, by the columns that divide their rows into parts.
PARTS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): (
        "catalog",
        "run",
        "language_model",
        "corpus",
        "passage",
        "packing",
        "dictionary",
        "indexing",
        "exchange",
        "passage_text_data",
        "passage_text_idx",
        "passage_text_docsize",
        "passage_text_config",
        "explanation_text_data",
        "explanation_text_idx",
        "explanation_text_docsize",
        "explanation_text_config",
    ),
    ("run_id",): ("run_input", "run_metric"),
    ("language_model_id",): ("token",),
    ("corpus_id",): ("document",),
    ("tensor_id",): ("tensor_chunk",),
    ("dictionary_id",): (
        "dictionary_tensor",
        "layer_routing",
        "feature_logit",
        "feature_logit_histogram",
        "feature_neighbor",
        "review",
        "evaluation",
        "intervention",
    ),
    ("dictionary_id", "corpus_id"): (
        "feature",
        "feature_layer",
        "feature_token",
        "feature_linear_histogram",
        "feature_cofiring",
        "feature_context",
        "explanation",
        "score",
    ),
}


class _Text(bytes):
    """A text's bytes in UTF-8, which may be damaged."""


def changed_tables(file: CatalogFile) -> list[tuple[str, str]]:
    """The tables, and parts of tables, that do not hold what they held when the software last wrote to them.

    Computes the digests of all rows, a few microseconds each, and compares them with ``table_digest``. A part is given
    by a condition that holds for its rows, ``dictionary_id = 1 AND corpus_id = 1``; it is empty for a table that is one
    part.
    """
    said = {
        (table, part): (count, digest)
        for table, part, count, digest in file.rows("ttit", "SELECT table_name, part, n_rows, digest FROM table_digest")
    }
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for columns, tables in PARTS.items():
        for table in tables:
            found.update(_digests(file, table, columns))
    return sorted(key for key in {*said, *found} if said.get(key) != found.get(key))


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


def _digests(file: CatalogFile, table: str, part_columns: tuple[str, ...]) -> dict[tuple[str, str], tuple[int, str]]:
    """The parts of a table that have rows, with the number of the rows and the sum of their SHA-256."""
    columns = file.rows("tt", "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", table)
    names = [name for name, _ in columns]
    if not set(part_columns) < set(names):
        file.fail(f"table {table}: is not there, or lacks {' and '.join(part_columns) or 'its columns'}")
    are_real = [kind == "REAL" for _, kind in columns]
    places = [names.index(column) for column in part_columns]
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    start = table.encode() + b"\0"
    sums: dict[tuple[Any, ...], list[int]] = {}
    factory, file.connection.text_factory = file.connection.text_factory, _Text
    try:
        for row in file.connection.execute(f'SELECT {quoted} FROM "{table}"'):
            one = sums.setdefault(tuple(row[place] for place in places), [0, 0])
            one[0] += 1
            one[1] += int.from_bytes(hashlib.sha256(start + row_bytes(row, are_real)).digest(), "little")
    except (sqlite3.Error, OverflowError, MemoryError) as error:
        file.fail(f"table {table}: {one_line(error)}")
    finally:
        file.connection.text_factory = factory
    return {
        (table, " AND ".join(f"{column} = {value}" for column, value in zip(part_columns, part))): (
            count,
            f"{total % (1 << 256):064x}",
        )
        for part, (count, total) in sums.items()
    }
