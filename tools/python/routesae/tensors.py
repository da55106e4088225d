"""A dictionary's weights, read from their chunks."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .blobs import WIDTHS, exactly, unshuffled, widened
from .errors import MISSING
from .file import CatalogFile
from .records import DictionaryRecord

#: The most elements of an array whose size the file tells, and the most rows of a tensor.
MOST_ELEMENTS, MOST_ROWS = 1 << 33, 1 << 28


def tensor_shapes(file: CatalogFile, owner: DictionaryRecord) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The names of a dictionary's weights, with the dtype and shape of each."""
    rows = file.rows(
        "ttt",
        "SELECT name, dtype, shape FROM dictionary_tensor WHERE dictionary_id = ? ORDER BY tensor_id",
        owner.dictionary_id,
    )
    return {name: (dtype, tuple(file.numbers(shape, f"tensor {name}: shape"))) for name, dtype, shape in rows}


def tensor(file: CatalogFile, owner: DictionaryRecord, name: str, rows: Any = None) -> npt.NDArray[np.float32]:
    """A weight in its own shape, or some of its rows, for which only the chunks that hold them are read.

    Args:
        rows: an index (the result lacks the first extent), a slice or a sequence of indexes; negative ones count from
            the end. Without it the SHA-256 of the whole is checked.

    Raises:
        CatalogError: there is no such weight or row, or its chunks are damaged.
    """
    place = f"dictionary {owner.name}: tensor {name}"
    described = file.rows(
        "ittiiiti",
        "SELECT tensor_id, dtype, shape, n_rows, row_length, rows_per_chunk, sha256, is_shuffled FROM dictionary_tensor"
        " WHERE dictionary_id = ? AND name = ?",
        owner.dictionary_id,
        name,
    )
    if not described:
        file.fail(f"{place}: there is none; there are {', '.join(tensor_shapes(file, owner))}", MISSING)
    identity, dtype, shape_text, n_rows, row_length, rows_per_chunk, sha256, is_shuffled = described[0]
    shape = tuple(file.numbers(shape_text, f"{place}: shape"))
    if dtype not in WIDTHS:
        file.fail(f"{place}: is of an unknown dtype {dtype!r}")
    if min(shape, default=0) < 0 or (n_rows, row_length) != (shape[0] if shape else 1, math.prod(shape[1:])):
        file.fail(f"{place}: {n_rows} rows of {row_length} values do not make the shape {shape_text}")
    # Chunks first: only if there are all of them can the rows that the tensor claims be true.
    chunks = _chunks(file, identity, n_rows, rows_per_chunk, place)
    if n_rows > MOST_ROWS or n_rows * row_length > MOST_ELEMENTS:
        file.fail(f"{place}: {n_rows} rows of {row_length} values are too many")

    single = rows is not None and not isinstance(rows, slice) and np.ndim(rows) == 0
    wanted = np.zeros(0, np.int64) if rows is None else _wanted_rows(file, rows, n_rows, place)
    order = np.argsort(wanted, kind="stable")
    ascending = wanted[order]
    digest = hashlib.sha256() if rows is None else None
    count = n_rows if rows is None else wanted.size
    try:
        values = np.empty((count, row_length), np.float32)
    except MemoryError:
        file.fail(f"{place}: {count} rows of {row_length} values do not fit the memory")
    for chunk_id, first, n in chunks:
        begin, end = np.searchsorted(ascending, (first, first + n))
        inside = order[begin:end]
        if digest is None and not inside.size:
            continue
        (blob,) = file.row("b", 'SELECT "values" FROM tensor_chunk WHERE chunk_id = ?', chunk_id)
        raw = exactly(blob, n * row_length * WIDTHS[dtype], f"{file.path}: {place}: chunk at row {first}")
        if is_shuffled:
            raw = unshuffled(raw, WIDTHS[dtype])
        chunk = widened(raw, dtype).reshape(n, row_length)
        if digest is None:
            values[inside] = chunk[wanted[inside] - first]
        else:
            digest.update(raw)
            values[first : first + n] = chunk
    if digest and digest.hexdigest() != sha256:
        file.fail(f"{place}: does not match its SHA-256")
    if rows is None:
        return values.reshape(shape)
    return values.reshape(shape[1:] if single else (wanted.size, *shape[1:]))


def _chunks(file: CatalogFile, tensor_id: int, n_rows: int, rows_per_chunk: int, place: str) -> list[tuple[Any, ...]]:
    """Id, first row and number of rows of a tensor's chunks, which have to follow each other without a gap."""
    chunks = file.rows(
        "iii", "SELECT chunk_id, first_row, n_rows FROM tensor_chunk WHERE tensor_id = ? ORDER BY first_row", tensor_id
    )
    expected = 0
    for _, first, count in chunks:
        if first != expected or count != min(rows_per_chunk, n_rows - first):
            file.fail(
                f"{place}: the chunk at row {first} has {count} rows, which leaves a gap or an overlap at {expected}"
            )
        expected += count
    if expected != n_rows:
        file.fail(f"{place}: its chunks end at row {expected} of {n_rows}")
    return chunks


def _wanted_rows(file: CatalogFile, rows: Any, count: int, place: str) -> npt.NDArray[np.int64]:
    """The rows asked for, counted from the first."""
    if isinstance(rows, slice):
        return np.arange(*rows.indices(count))
    wanted = np.atleast_1d(np.asarray(rows))
    if wanted.size == 0:
        return np.zeros(0, np.int64)
    if wanted.dtype.kind not in "iu" or wanted.ndim != 1:
        file.fail(f"{place}: rows are asked for by whole numbers, and these are not")
    wanted = wanted.astype(np.int64)
    for row in wanted[(wanted < -count) | (wanted >= count)]:
        file.fail(f"{place}: has no row {row}; it has {count}")
    return np.where(wanted < 0, wanted + count, wanted)
