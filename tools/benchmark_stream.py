#!/usr/bin/env python3
"""Measure reading a stream of activations against reading the same rows from a file, and print a table.

    python3 tools/benchmark_stream.py [--rows 32768] [--repeats 3]

Trains a dictionary so small that reading is most of the work, on rows of 9 layers of width 2048 in bf16, 36.9 kB each: from
a file shuffled as a whole, from the file in a buffer, and from a stream of the same rows that `cat` writes into a pipe.
The three take turns; the median of the repeats, with the peak memory of the trainer. Standard library only.
"""

from __future__ import annotations

import argparse
import array
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "python"))

from routesae import activation_stream as st  # noqa: E402

PROGRAM = ROOT / ".build" / "release" / "routesae"
LAYERS, WIDTH, BATCH = list(range(3, 12)), 2048, 2048


def write(folder: Path, rows: int) -> None:
    """The same rows as a file and as a stream: bf16 of 2^-3 to 2 with random signs and mantissas."""
    metadata = {"model": "random", "layers": str(LAYERS).replace(" ", "")}
    size = len(LAYERS) * WIDTH * 2
    source = random.Random(1)
    part = 1024
    numbers = array.array("H", ((source.getrandbits(1) << 15) | 0x3E00 + source.getrandbits(9) for _ in range(part * size // 2)))
    values = numbers.tobytes()
    with open(folder / "a.stream", "wb") as stream, open(folder / "a.safetensors", "wb") as file:
        writer = st.StreamWriter(stream.fileno(), metadata, LAYERS, WIDTH, "bf16")
        file.write(st.header(rows, len(LAYERS), WIDTH, "bf16", {**metadata, "format": "routesae-activations-1"}))
        file.write(st.little_endian(range(rows)) + st.little_endian([row // 512 for row in range(rows)]))
        for start in range(0, rows, part):
            ids = range(start, start + part)
            writer.append(ids, [row // 512 for row in ids], [0] * part, values)
            file.write(values)
        file.write(bytes(rows))
        writer.finish()


def measure(folder: Path, source: str, rows: int, *options: str) -> tuple[float, int]:
    """Seconds of a training over all rows, and the trainer's peak memory in bytes."""
    catalog = folder / "c.sqlite"
    catalog.unlink(missing_ok=True)
    command = [
        str(PROGRAM), "train", str(catalog), "--activations", source, "--architecture", "topk", "--layers", "7",
        "--latents", "16", "--k", "1", "--batch-tokens", str(BATCH), "--tokens", str(rows), "--quiet", *options,
    ]
    producer = subprocess.Popen(["cat", str(folder / "a.stream")], stdout=subprocess.PIPE) if source == "-" else None
    begun = time.monotonic()
    trainer = subprocess.Popen(command, stdin=producer.stdout if producer else subprocess.DEVNULL)
    _, status, usage = os.wait4(trainer.pid, 0)
    seconds = time.monotonic() - begun
    if producer and producer.stdout:
        producer.stdout.close()
        producer.wait()
    if status:
        raise SystemExit(f"routesae train ended with status {status}")
    return seconds, usage.ru_maxrss * 1024


def main() -> int:
    """Measures and prints."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=32768)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    rows = given.rows // BATCH * BATCH
    ways = {
        "file, shuffled as a whole": ("a.safetensors", ()), "file, a buffer of 8192": ("a.safetensors", ("--shuffle-buffer", "8192")),
        "stream, a buffer of 8192": ("-", ("--shuffle-buffer", "8192")), "file, in order": ("a.safetensors", ("--no-shuffle",)),
        "stream, in order": ("-", ("--no-shuffle",)),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows)
        figures: dict = {way: [] for way in ways}
        for _ in range(given.repeats):
            for way, (source, more) in ways.items():
                path = source if source == "-" else str(folder / source)
                figures[way].append(measure(folder, path, rows, *more))
        print(
            "A dictionary so small that reading is most of the work, on rows of 9 layers of width 2048 in bf16 (36.9 kB), "
            "the ways taking turns.\n")
        print("| rows from | rows a second | MB a second | peak memory |\n| --- | --- | --- | --- |")
        for way, measured in figures.items():
            rate = rows / median(seconds for seconds, _ in measured)
            peak = median(peak for _, peak in measured)
            size = st.row_bytes(len(LAYERS), WIDTH, "bf16")
            print(f"| {way} | {rate:,.0f} | {rate * size / 1e6:,.0f} | {peak / 2**30:.2f} GiB |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
