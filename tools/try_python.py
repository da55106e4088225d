#!/usr/bin/env python3
"""Try the Python package and the Parquet data set with the programs that people use, and report as Markdown.

    tools/try_python.py demo.sqlite more.sqlite > docs/python-clients.md

Writes the catalogs as one data set, runs the DuckDB, polars and pandas queries of its README and compares their answers
with what SQLite reads from the catalogs; converts every table of the package to Arrow and polars and compares values;
and times contexts() and parquet. Needs pip install ./tools/python pandas polars pyarrow duckdb; what is missing is
reported as not tried. Exits with 1 where an answer differs.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

import routesae  # noqa: E402
from routesae import parquet  # noqa: E402

LIBRARIES = ("numpy", "pandas", "polars", "pyarrow", "duckdb")
TABLES = (
    "features",
    "contexts",
    "tokens",
    "feature_layers",
    "layers",
    "explanations",
    "scores",
    "cofiring",
    "neighbors",
    "logits",
    "evaluation",
    "runs",
    "dictionaries",
)
#: Prints contexts, seconds, and the peak of memory in MB.
TIMED = r"""
import json, re, sys, time
import pandas, routesae
begin = time.monotonic()
count = len(routesae.open(sys.argv[1]).contexts())
seconds = time.monotonic() - begin
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps([count, seconds, peak]))
"""
#: Names by which the README's headings call programs, and what they need.
PROGRAMS = {"DuckDB": "duckdb", "polars": "polars", "pandas": "pandas"}


def version(name: str) -> str | None:
    """The version of an installed library."""
    try:
        return str(importlib.import_module(name).__version__)
    except ImportError:
        return None


def plain(value: Any) -> Any:
    """A value of any library as Python has it."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or isinstance(value, float) and value != value:
        return None
    if isinstance(value, (list, np.ndarray)) or type(value).__name__ == "Series":
        return [plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def queries(readme: str) -> Iterator[tuple[str, str, str]]:
    """The README's queries: heading, program and code."""
    for section in re.split(r"^## ", readme, flags=re.MULTILINE)[1:]:
        heading = section.split("\n")[0]
        for program, code in re.findall(r"^(\w+):\n\n```\w+\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL):
            yield heading, program, code


def answer(program: str, code: str, names: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a query finds, run in the data set's folder."""
    if program == "DuckDB":
        duckdb = importlib.import_module("duckdb")
        return [tuple(map(plain, row)) for row in duckdb.sql(code).fetchall()]
    exec(compile(code, program, "exec"), names)
    found = names["found"]
    if program == "polars":
        return [tuple(map(plain, row)) for row in found.rows()]
    rows = [tuple(map(plain, row)) for row in found.reset_index().itertuples(index=False)]
    return sorted(rows, key=lambda row: (-row[1], row[0])) if len(rows[0]) == 2 else rows


def expected(heading: str, paths: list[str]) -> list[tuple[Any, ...]]:
    """The same by SQL from the catalogs."""
    count: collections.Counter[Any] = collections.Counter()
    strongest: dict[Any, float] = {}
    for path in paths:
        database = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
        if heading.startswith("Features"):
            sql = "SELECT peak_layer, max_activation FROM feature WHERE firing_rate < 0.01 AND NOT is_dead"
            for layer, activation in database.execute(sql):
                count[layer] += 1
                strongest[layer] = max(strongest.get(layer, 0.0), activation)
        else:
            sql = (
                "SELECT c.activations, c.activation, c.window_start - p.first_token, c.window_length, p.text,"
                " p.token_starts, length(p.token_starts) / (p.n_tokens + 1) FROM context AS c"
                " JOIN passage AS p USING (passage_id) WHERE c.feature_index = 7 AND c.band = 'top'"
            )
            for activations, peak, first, length, text, starts, width in database.execute(sql):
                at = [int(starts[(first + i) * width : (first + i + 1) * width]) for i in range(length + 1)]
                for token, value in json.loads(activations).items():
                    if float(np.float32(value)) > peak / 2:
                        count[text[at[int(token)] : at[int(token) + 1]]] += 1
        database.close()
    if heading.startswith("Features"):
        return [(layer, count[layer], strongest[layer]) for layer in sorted(count)]
    return sorted(count.items(), key=lambda row: (-row[1], row[0]))


def check_queries(
    folder: Path, paths: list[str], only: tuple[str, ...] = tuple(PROGRAMS)
) -> list[tuple[str, str, int, str]]:
    """Runs the README's queries: heading, program, rows, and what came of it."""
    found = []
    names: dict[str, dict[str, Any]] = {program: {} for program in PROGRAMS}
    before = os.getcwd()
    os.chdir(folder)
    try:
        for heading, program, code in queries(Path("README.md").read_text(encoding="utf-8")):
            if program not in only:
                continue
            if not version(PROGRAMS[program]):
                found.append((heading, program, 0, "not tried: not installed"))
                continue
            rows = answer(program, code, names[program])
            same = rows == expected(heading, paths)
            found.append((heading, program, len(rows), "as SQLite" if same else "DIFFERS from SQLite"))
    finally:
        os.chdir(before)
    return found


def check_tables(path: str) -> list[tuple[str, int, str]]:
    """Converts every table of the package: its name, rows, and what came of it."""
    found = []
    with routesae.open(path) as catalog:
        for name in TABLES:
            table = getattr(catalog, name)()
            columns = {column: [plain(value) for value in list(table[column])] for column in table.columns}
            n_rows = len(next(iter(columns.values())))
            said = []
            for form, library in (("to_arrow", "pyarrow"), ("to_polars", "polars")):
                if not version(library):
                    said.append(f"{form}: not tried")
                    continue
                other = getattr(table, form)()
                values = other.to_pydict() if form == "to_arrow" else other.to_dict(as_series=False)
                same = {column: [plain(value) for value in one] for column, one in values.items()} == columns
                said.append(f"{form}: {'the same' if same else 'DIFFERS'}")
            found.append((name, n_rows, ", ".join(said)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogs", nargs="+", metavar="CATALOG")
    options = parser.parse_args()
    paths = [os.path.abspath(path) for path in options.catalogs]
    how = "[how](../CONTRIBUTING.md#checks-against-the-real-programs)"
    print(f"# The Python package and Parquet with other programs\n\nWritten by `tools/try_python.py` ({how}).\n")
    print("| library | version |\n|---|---|")
    print(f"| Python | {platform.python_version()} |")
    for name in LIBRARIES:
        print(f"| {name} | {version(name) or 'not installed'} |")
    bad = False
    print(
        "\n## Tables to Arrow and polars\n\nOf the first catalog, every value compared.\n\n"
        "| function | rows | |\n|---|---|---|"
    )
    for name, rows, said in check_tables(paths[0]):
        print(f"| `{name}()` | {rows} | {said} |")
        bad = bad or "DIFFERS" in said
    print(
        "\n## Speed\n\n| catalog | contexts | contexts() | peak memory of contexts() | parquet |\n|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as work:
        for path in paths:
            # In a process of its own, whose peak of memory is that of contexts() alone.
            result = subprocess.run(
                [sys.executable, "-c", TIMED, path],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent / "python")},
                capture_output=True,
                text=True,
                check=True,
            )
            count, seconds, memory = json.loads(result.stdout)
            begin = time.monotonic()
            parquet.write([path], f"{work}/speed")
            print(
                f"| {os.path.basename(path)} | {count:,} | {seconds:.1f} s, {count / seconds:,.0f} a second |"
                f" {memory:,.0f} MB |"
                f" {time.monotonic() - begin:.1f} s |"
            )
            shutil.rmtree(f"{work}/speed")
        folder = Path(work, "set")
        counts = parquet.write(paths, str(folder))
        rows = ", ".join(f"{count:,} {table}" for table, count in counts.items())
        print(f"\n## Queries of the data set's README\n\n{len(paths)} catalogs as one data set: {rows}.\n")
        print("| query | program | rows | |\n|---|---|---|---|")
        for heading, program, n_rows, said in check_queries(folder, paths):
            print(f"| {heading} | {program} | {n_rows} | {said} |")
            bad = bad or "DIFFERS" in said
    print("\nThe README's Spark queries are not run here.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
