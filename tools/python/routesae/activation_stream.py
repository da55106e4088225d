"""The byte form of a stream of activations, as `routesae train --activations -` reads it (docs/activations.md).

    header   u64 length, then JSON as in safetensors, which describes one full block; padded to eight bytes
    block    frame of 32 bytes, rows, SHA-256 of frame and rows
    end      frame of 32 bytes, SHA-256 of it

A frame is `ROWS` or `DONE`, four zero bytes, and three u64: number of the block, rows, bytes of the rows.  All numbers
are little-endian.  Blocks are numbered by their first row in the whole text, so that a stream may begin in its middle.
"""

from __future__ import annotations

import array
import hashlib
import json
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

#: Bytes of an element, and its name in a safetensors header.
DTYPES: dict[str, tuple[int, str]] = {"f32": (4, "F32"), "f16": (2, "F16"), "bf16": (2, "BF16")}
#: The version of the form.
FORMAT = "routesae-activation-stream-1"
#: Bytes of a row besides its activations: two ids and a mark.
IDS_BYTES = 17
#: A frame's layout: kind, number of the block, rows, bytes.
FRAME = struct.Struct("<4s4xQQQ")
#: Limits that readers have: bytes of a header, rows of a block, bytes of its rows.
MOST_HEADER_BYTES, MOST_BLOCK_ROWS, MOST_BLOCK_BYTES = 1 << 20, 1 << 16, 1 << 30


class StreamError(Exception):
    """What is wrong with a stream, in one line."""


def row_bytes(layers: int, width: int, dtype: str) -> int:
    """Bytes of a row: its activations, its two ids and its mark."""
    return layers * width * DTYPES[dtype][0] + IDS_BYTES


def block_rows(layers: int, width: int, dtype: str) -> int:
    """Rows of a block: the largest power of two up to 4096 with which it has at most 8 MiB."""
    rows = 4096
    while rows > 1 and rows * row_bytes(layers, width, dtype) > 8 << 20:
        rows //= 2
    return rows


def header(rows: int, layers: int, width: int, dtype: str, metadata: dict[str, str]) -> bytes:
    """A safetensors header for these rows: its length and its JSON, padded so that all data is aligned.

    The ids come first, having the largest elements.
    """
    ids, end = 8 * rows, 16 * rows
    marks = end + rows * layers * width * DTYPES[dtype][0]
    entries: dict[str, Any] = {
        "__metadata__": dict(sorted(metadata.items())),
        "token_ids": {"dtype": "I64", "shape": [rows], "data_offsets": [0, ids]},
        "document_ids": {"dtype": "I64", "shape": [rows], "data_offsets": [ids, end]},
        "activations": {"dtype": DTYPES[dtype][1], "shape": [rows, layers, width], "data_offsets": [end, marks]},
        "is_prefix": {"dtype": "U8", "shape": [rows], "data_offsets": [marks, marks + rows]},
    }
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def little_endian(numbers: Sequence[int]) -> bytes:
    """Whole numbers as i64."""
    values = array.array("q", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _whole_numbers(found: Any) -> list[int]:
    """A list from JSON that has to be of whole numbers from 0."""
    if not isinstance(found, list) or not all(type(one) is int and one >= 0 for one in found):
        raise ValueError("expected whole numbers from 0")
    return found


class StreamWriter:
    """Writes rows to an open file descriptor: full blocks as soon as their rows are there.

    A pipe makes it wait for its reader.  `BrokenPipeError` where the reader has gone.
    """

    def __init__(
        self,
        descriptor: int,
        metadata: dict[str, str],
        layers: Sequence[int],
        width: int,
        dtype: str,
        first_row: int = 0,
        rows_of_block: int | None = None,
    ) -> None:
        self.block_rows = rows_of_block or block_rows(len(layers), width, dtype)
        #: The row that comes next, counted from the beginning of the text; at first a block's first row.
        self.row = first_row // self.block_rows * self.block_rows
        self._descriptor = descriptor
        self._row_bytes = row_bytes(len(layers), width, dtype)
        self._block = self.row // self.block_rows
        self._tokens: list[int] = []
        self._documents: list[int] = []
        self._marks = bytearray()
        self._activations = bytearray()
        metadata = {
            **metadata,
            "format": FORMAT,
            "layers": "[" + ",".join(map(str, layers)) + "]",
            "first_row": str(self.row),
        }
        self._write([header(self.block_rows, len(layers), width, dtype, metadata)])

    def append(
        self, token_ids: Sequence[int], document_ids: Sequence[int], is_prefix: Sequence[int], activations: Any
    ) -> None:
        """Adds rows.  `activations` is a buffer of their elements in the stored type, [rows, layers, width]."""
        elements = memoryview(activations).cast("B")
        size = self._row_bytes - IDS_BYTES
        if not len(token_ids) == len(document_ids) == len(is_prefix) or len(elements) != len(token_ids) * size:
            raise ValueError("ids and activations differ in their number of rows")
        start = 0
        while start < len(token_ids):
            end = min(len(token_ids), start + self.block_rows - len(self._tokens))
            self._tokens += token_ids[start:end]
            self._documents += document_ids[start:end]
            self._marks += bytes(is_prefix[start:end])
            self._activations += elements[start * size : end * size]
            self.row += end - start
            start = end
            if len(self._tokens) == self.block_rows:
                self._write_block()

    def finish(self) -> None:
        """Writes what is left, and the end, by which a reader knows that the stream is whole."""
        if self._tokens:
            self._write_block()
        frame = FRAME.pack(b"DONE", self._block, self.row, 0)
        self._write([frame, hashlib.sha256(frame).digest()])

    def _write_block(self) -> None:
        rows = len(self._tokens)
        pieces: list[Any] = [
            FRAME.pack(b"ROWS", self._block, rows, rows * self._row_bytes),
            little_endian(self._tokens),
            little_endian(self._documents),
            self._activations,
            self._marks,
        ]
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        self._write(pieces + [digest.digest()])
        self._block += 1
        self._tokens, self._documents = [], []
        self._marks, self._activations = bytearray(), bytearray()

    def _write(self, pieces: list[Any]) -> None:
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


class Block(NamedTuple):
    """Rows of a stream; `activations` are the stored bytes, [rows, layers, width]."""

    first_row: int
    token_ids: list[int]
    document_ids: list[int]
    is_prefix: bytes
    activations: memoryview


class StreamReader:
    """Reads a stream from an open binary file: `header` first, then `blocks()`; nothing is trusted."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        (length,) = struct.unpack("<Q", self._exactly(8))
        if not 0 < length <= MOST_HEADER_BYTES:
            raise StreamError(f"a header of {length} bytes; allowed: up to {MOST_HEADER_BYTES}")
        text = self._exactly(length)
        try:
            entries = json.loads(text)
            self.metadata: dict[str, str] = entries.pop("__metadata__")
            activations = entries["activations"]
            self.block_rows, self.layer_count, self.width = _whole_numbers(activations["shape"])
            self.dtype = {name: key for key, (_, name) in DTYPES.items()}[activations["dtype"]]
            self.layers = _whole_numbers(json.loads(self.metadata["layers"]))
            self.first_row = int(self.metadata.get("first_row", "0"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StreamError(f"the header is damaged ({type(error).__name__}: {error})") from None
        if self.metadata.get("format") != FORMAT:
            raise StreamError(f"format is {self.metadata.get('format')!r}; expected {FORMAT!r}")
        again = header(self.block_rows, self.layer_count, self.width, self.dtype, self.metadata)[8:]
        if json.loads(again) != json.loads(text) or len(self.layers) != self.layer_count:
            raise StreamError("the header does not describe a block of a stream")
        self._row_bytes = row_bytes(self.layer_count, self.width, self.dtype)
        if not 0 < self.block_rows <= MOST_BLOCK_ROWS or self.block_rows * self._row_bytes > MOST_BLOCK_BYTES:
            raise StreamError(f"a block of {self.block_rows} rows of {self._row_bytes} bytes is too large")
        if self.first_row < 0 or self.first_row % self.block_rows:
            raise StreamError(f"first_row is {self.first_row}; expected a multiple of {self.block_rows}")
        #: Rows of the whole text, once the end has been read.
        self.rows: int | None = None

    def blocks(self) -> Iterator[Block]:
        """The blocks in order, each checked; `StreamError` unless the stream is whole and right."""
        number, row = self.first_row // self.block_rows, self.first_row
        while True:
            frame = self._exactly(FRAME.size)
            kind, sequence, rows, size = FRAME.unpack(frame)
            if kind not in (b"ROWS", b"DONE") or any(frame[4:8]):
                raise StreamError(f"after row {row} comes neither a block nor the end")
            if sequence != number:
                raise StreamError(f"block {sequence} follows, expected block {number}")
            if kind == b"ROWS" and (
                not 0 < rows <= self.block_rows or size != rows * self._row_bytes or row % self.block_rows
            ):
                raise StreamError(f"block {sequence} has {rows} rows in {size} bytes")
            data = memoryview(self._exactly(size if kind == b"ROWS" else 0))
            if hashlib.sha256(frame + data).digest() != self._exactly(32):
                raise StreamError(f"block {sequence} does not match its checksum")
            if kind == b"DONE":
                if rows != row or size:
                    raise StreamError(f"it ends after {rows} rows by its own account; {row} came")
                self.rows = rows
                return
            ids = [value for (value,) in struct.iter_unpack("<q", data[: 16 * rows])]
            yield Block(row, ids[:rows], ids[rows:], bytes(data[size - rows :]), data[16 * rows : size - rows])
            number, row = number + 1, row + rows

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise StreamError("the stream was cut off")
        return data
