"""Running the program, and tables of what it prints."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / ".build" / "release" / "routesae"


def run(kind: str, sizes: dict, repeats: int, **more: object) -> dict:
    """One benchmark of the program, as its JSON."""
    command = [str(PROGRAM), "benchmark", kind, "--format", "json", "--quiet", "--repeats", str(repeats)]
    for name, value in {**sizes, **more}.items():
        if value is not None:
            command += [f"--{name}", str(value)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def machine() -> str:
    """The processor and how much of it there is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    families = {line.split(":", 1)[1].strip() for line in lines if line.startswith("cpu family")}
    flags = next((line for line in lines if line.startswith("flags")), "")
    width = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "baseline x86-64"
    memory = int(next(l for l in Path("/proc/meminfo").read_text().splitlines() if l.startswith("MemTotal")).split()[1])
    return f"{', '.join(sorted(names))} of family {', '.join(sorted(families))}, {os.cpu_count()} cores, {width}, {memory / 2**20:.0f} GiB"


def table(columns: list, rows: list) -> str:
    """Rows as Markdown."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"
