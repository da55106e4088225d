#!/usr/bin/env python3
"""Writes Tests/Fixtures/streams: small streams of activations, from which the Swift reader and writer are tested.

    python3 tools/make_stream_fixture.py            writes them
    python3 tools/make_stream_fixture.py --check    exits with 1 where the files are not what this writes

Row r, layer l, column c holds r + l / 4 + c / 16, exact in bfloat16. Needs the standard library only.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "python"))

from routesae.activation_stream import StreamWriter  # noqa: E402

FOLDER = ROOT / "Tests" / "Fixtures" / "streams"
ROWS, LAYERS, WIDTH, BLOCK_ROWS = 10, [1, 4], 3, 4
METADATA = {"model": "tiny", "model_sha256": "ab" * 32, "tokenizer": "t\u00efny", "context": "5", "bos_token_id": "100"}


def row(number: int) -> bytes:
    """The bf16 of a row."""
    values = [number + layer / 4 + column / 16 for layer in range(len(LAYERS)) for column in range(WIDTH)]
    return b"".join(struct.pack("<f", value)[2:] for value in values)


def stream(first_row: int) -> bytes:
    """A stream from a row on."""
    with tempfile.TemporaryFile() as file:
        writer = StreamWriter(file.fileno(), METADATA, LAYERS, WIDTH, "bf16", first_row, rows_of_block=BLOCK_ROWS)
        for number in range(writer.row, ROWS):
            writer.append([100 + number], [(1 << 40) + number // 5], [int(number % 5 == 0)], row(number))
        writer.finish()
        file.seek(0)
        return file.read()


def main() -> int:
    """Writes or compares the files."""
    files = {"tiny.stream": stream(0), "tiny-from-8.stream": stream(9)}
    if "--check" in sys.argv[1:]:
        wrong = [name for name, data in files.items() if (FOLDER / name).read_bytes() != data]
        print("\n".join(f"{name}: is not what this script writes" for name in wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
