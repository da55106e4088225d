"""Writing the safetensors files of a plan: all of them appear when all are complete."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from typing import Any

from ..activation_stream import IDS_BYTES, header, little_endian
from ..errors import CANNOT_WRITE, CollectError
from .shard_plan import Plan


def shard_header(rows: int, plan: Plan, metadata: dict[str, str]) -> bytes:
    """The beginning of a file: the header's length and its JSON, padded so that all data is aligned."""
    return header(rows, plan.layers, plan.width, plan.dtype, metadata)


class ShardFiles:
    """Writes the files of a plan, row after row, each under FILE.partial until `finish` gives all of them their names.

    Used as a context: leaving it unfinished removes whatever was written.
    """

    def __init__(self, plan: Plan, metadata: dict[str, str]) -> None:
        self.plan = plan
        self.done = 0
        self._metadata = metadata
        self._index = -1
        self._file = -1
        self._first = -1  # The first file, which stays open: its lock is that of all files.
        self._row = 0  # Rows written to the file at hand.
        self._start = 0  # Where its data begins.
        self._mine: list[str] = []

    def __enter__(self) -> ShardFiles:
        return self

    def __exit__(self, *_: Any) -> None:
        # Removed while they are locked, so that no other writer takes them up.
        for path in self._mine:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
        for file in {self._file, self._first} - {-1}:
            os.close(file)

    def metadata(self, index: int) -> dict[str, str]:
        """A file's part of the header that is free text."""
        if len(self.plan.paths) == 1:
            return self._metadata
        return {**self._metadata, "shard": str(index), "shards": str(len(self.plan.paths))}

    def header_bytes(self) -> int:
        """Bytes of all headers."""
        return sum(len(shard_header(r, self.plan, self.metadata(i))) for i, r in enumerate(self.plan.rows))

    def append(
        self, token_ids: Sequence[int], document_ids: Sequence[int], is_prefix: Sequence[int], activations: Any
    ) -> None:
        """Adds rows.

        Args:
            activations: a buffer of their elements in the plan's type, [rows, layers, width].

        Raises:
            CollectError: they are more than planned, or another process writes the same files.
            ValueError: the arguments differ in their number of rows.
        """
        elements = memoryview(activations).cast("B")
        row_bytes = self.plan.row_bytes - IDS_BYTES
        if not len(token_ids) == len(document_ids) == len(is_prefix) or len(elements) != len(token_ids) * row_bytes:
            raise ValueError("ids and activations differ in their number of rows")
        start = 0
        while start < len(token_ids):
            if self._file < 0:
                self._open(self._index + 1)
            rows = self.plan.rows[self._index]
            end = min(len(token_ids), start + rows - self._row)
            self._write(8 * self._row, little_endian(token_ids[start:end]))
            self._write(8 * (rows + self._row), little_endian(document_ids[start:end]))
            self._write(16 * rows + self._row * row_bytes, elements[start * row_bytes : end * row_bytes])
            self._write((16 + row_bytes) * rows + self._row, bytes(is_prefix[start:end]))
            self._row += end - start
            self.done += end - start
            start = end
            if self._row == rows:
                self._close()

    def finish(self) -> None:
        """Gives all files their names.

        Raises:
            CollectError: fewer rows were added than planned.
        """
        if self.done != sum(self.plan.rows):
            raise CollectError(f"only {self.done} of {sum(self.plan.rows)} rows were computed; was the text changed?")
        for path in self.plan.paths:
            replaced = os.path.lexists(path)
            os.replace(path + ".partial", path)
            self._mine.remove(path + ".partial")
            if not replaced:  # Taken back should a later one fail.
                self._mine.append(path)
        self._mine = []
        folder = os.open(os.path.dirname(self.plan.paths[0]) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        except OSError:
            pass  # Not every file system can.
        finally:
            os.close(folder)

    def _open(self, index: int) -> None:
        if index == len(self.plan.paths):
            raise CollectError(f"more than {self.done} rows were computed; was the text changed?")
        path = self.plan.paths[index] + ".partial"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            self._file = -1
            raise CollectError(f"{path}: another writer is at work on it", CANNOT_WRITE) from None
        self._mine.append(path)
        self._index, self._row = index, 0
        beginning = shard_header(self.plan.rows[index], self.plan, self.metadata(index))
        self._start = len(beginning)
        os.ftruncate(self._file, 0)
        os.ftruncate(self._file, len(beginning) + self.plan.rows[index] * self.plan.row_bytes)
        self._write(-len(beginning), beginning)

    def _write(self, offset: int, piece: Any) -> None:
        rest, offset = memoryview(piece), offset + self._start
        while rest:
            count = os.pwrite(self._file, rest, offset)
            rest, offset = rest[count:], offset + count

    def _close(self) -> None:
        os.fsync(self._file)
        if self._index == 0:
            self._first = self._file
        else:
            os.close(self._file)
        self._file = -1
