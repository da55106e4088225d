"""Which safetensors files are written and how many rows each holds, checked before anything is computed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from typing import NamedTuple

from ..activation_stream import row_bytes
from ..errors import CANNOT_WRITE, MISSING, USAGE, CollectError
from .progress import size

#: Rows that `routesae` reads from one file.
MOST_ROWS = 2**31 - 1
#: Files whose numbers have five digits.
MOST_FILES = 99_999


class Plan(NamedTuple):
    """The files to write: names and rows of each, and what all of them hold."""

    paths: list[str]
    rows: list[int]
    layers: int
    width: int
    dtype: str

    @property
    def row_bytes(self) -> int:
        """Bytes of a row with its two ids and its mark."""
        return row_bytes(self.layers, self.width, self.dtype)

    @property
    def bytes(self) -> int:
        """Bytes of all files, but for the headers."""
        return sum(self.rows) * self.row_bytes


def plan_files(output: str, rows: int, shard_rows: int | None, layers: int, width: int, dtype: str) -> Plan:
    """Divides rows among files.

    Without `shard_rows` there is one file, with the very name given; with it OUTPUT (`.safetensors` left off) is a
    prefix, as in OUTPUT-00000-of-00003.safetensors, and every file but the last has that many rows.

    Raises:
        CollectError: a file would have too many rows, or there would be too many files.
    """
    if shard_rows is None:
        if rows > MOST_ROWS:
            raise CollectError(
                f"{output}: {rows} rows are more than a file may hold; divide them with --shard-tokens", USAGE
            )
        return Plan([output], [rows], layers, width, dtype)
    if not 1 <= shard_rows <= MOST_ROWS:
        raise CollectError(f"--shard-tokens is {shard_rows}; allowed: 1 ... {MOST_ROWS}", USAGE)
    count = -(-rows // shard_rows)
    if count > MOST_FILES:
        raise CollectError(
            f"--shard-tokens {shard_rows} makes {count} files; {MOST_FILES} is the most, so take more tokens each",
            USAGE,
        )
    prefix = output[: -len(".safetensors")] if output.endswith(".safetensors") else output
    return Plan(
        [f"{prefix}-{index:05}-of-{count:05}.safetensors" for index in range(count)],
        [min(shard_rows, rows - index * shard_rows) for index in range(count)],
        layers,
        width,
        dtype,
    )


def check_folder(output: str) -> None:
    """Refuses an output in a folder that cannot be written.

    Raises:
        CollectError: the folder is not there or cannot be written.
    """
    folder = os.path.dirname(output) or "."
    if not os.path.isdir(folder):
        raise CollectError(f"{output}: its folder is not there; make it first", MISSING)
    if not os.access(folder, os.W_OK):
        raise CollectError(f"{output}: its folder cannot be written; check the permissions", CANNOT_WRITE)


def check_output(paths: list[str], force: bool, inputs: Iterable[str]) -> None:
    """Refuses to replace files without being told to, to replace what is read, or to mix with another export.

    Raises:
        CollectError: a file is there and ``force`` is not set, is a folder or one of ``inputs``, or belongs to another
            export.
    """
    read = {os.path.realpath(path) for path in inputs}
    for path in paths:
        if os.path.realpath(path) in read:
            raise CollectError(
                f"{path}: is read by this very run, so it is not replaced; name another file", CANNOT_WRITE
            )
        if os.path.isdir(path):
            raise CollectError(f"{path}: is a folder; name a file", CANNOT_WRITE)
        if os.path.lexists(path) and not force:
            raise CollectError(f"{path}: exists already; add --force to replace it", CANNOT_WRITE)
    folder, first = os.path.split(paths[0])
    numbered = re.fullmatch(r"(.*)-[0-9]{5}-of-[0-9]{5}\.safetensors", first, re.DOTALL)
    if not numbered:
        return
    own = {os.path.basename(path) for path in paths}
    for name in sorted(os.listdir(folder or ".")):
        if re.fullmatch(re.escape(numbered[1]) + r"-[0-9]{5}-of-[0-9]{5}\.safetensors", name) and name not in own:
            raise CollectError(
                f"{os.path.join(folder, name)}: belongs to an export of another number of files; remove that one first",
                CANNOT_WRITE,
            )


def check_space(plan: Plan, headers: int) -> int:
    """Refuses what does not fit the disk; returns the bytes that are free.

    Raises:
        CollectError: the files and ``headers`` bytes besides need more than is free.
    """
    folder = os.path.dirname(plan.paths[0]) or "."
    free = shutil.disk_usage(folder).free
    need = plan.bytes + headers
    if need > free:
        raise CollectError(
            f"{folder}: {size(need)} are needed and {size(free)} are free; lower --tokens, take fewer layers or "
            "name another disk",
            CANNOT_WRITE,
        )
    return free
