"""The catalog: writing, its size, its questions, and processes that ask one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from .program import PROGRAM, ROOT, table

def catalog_bytes(path: Path) -> dict:
    """Bytes of a catalog's parts, by what they are counted in."""
    parts = {
        "contexts": ["feature_context"],
        "text": ["passage", "document"],
        "features": ["feature", "feature_layer", "feature_token", "feature_logit", "feature_neighbor", "feature_cofiring"],
        "weights": ["tensor_chunk", "dictionary_tensor"],
    }
    found = dict.fromkeys([*parts, "rest"], 0)
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        sizes = dict(database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        tables = dict(database.execute("SELECT name, tbl_name FROM sqlite_schema"))
    for name, size in sizes.items():
        table = "passage" if name.startswith("passage_text") else tables.get(name, name)
        found[next((part for part, names in parts.items() if table in names), "rest")] += size
    return found


def ask(path: Path, question: list, repeats: int) -> float:
    """Milliseconds of a question as a process, the fastest of some: the machine has other things to do."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([str(PROGRAM), question[0], str(path), *question[1:]], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def process_times(command: list) -> tuple:
    """Milliseconds of a process by the clock, and those in which it or the kernel for it computed."""
    start = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        process = os.posix_spawn(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1), (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2)])
        _, status, used = os.wait4(process, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} ended with {status}")
    return 1000 * (time.perf_counter() - start), 1000 * (used.ru_utime + used.ru_stime)


def starts(quick: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        catalog, statements, recorder, replay = (
            str(Path(folder) / name) for name in ("demo.sqlite", "statements", "recorder.so", "replay"))
        run_made = [str(PROGRAM), "benchmark", "catalog", "--features", "2048", "--contexts", "90", "--output", catalog]
        subprocess.run([*run_made, "--keep", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        source = str(ROOT / "tools/catalog_statements.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-DRECORD", "-o", recorder, source, "-lsqlite3", "-ldl"], check=True)
        subprocess.run(["cc", "-O2", "-o", replay, source, "-lsqlite3"], check=True)
        rows = []
        for question in (["features"], ["feature", "16"], ["layers"]):
            command = [str(PROGRAM), question[0], catalog, *question[1:]]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={**os.environ, "LD_PRELOAD": recorder, "STATEMENTS": statements})
            turns = [(process_times(command), process_times([replay, catalog, statements]))
                     for _ in range(20 if quick else 200)]
            figures = [median(turn[of][kind] for turn in turns) for kind in (0, 1) for of in (0, 1)]
            rows.append([f"`{' '.join(question)}`", *(f"{figure:.1f} ms" for figure in figures),
                         f"{figures[0] - figures[1]:.1f} ms"])
        version = median(process_times([str(PROGRAM), "--version"])[0] for _ in range(20 if quick else 200))
    return ("Whole processes on a catalog of 2048 made-up features, the median of 200: the program's, and that of a C program "
            "that asks the same statements of SQLite and does nothing else (`tools/catalog_statements.c`), taking turns. "
            f"`--version` takes {version:.1f} ms.\n\n"
            + table(["question", "program", "SQLite alone", "program, computing", "SQLite alone, computing", "above it"], rows))


def catalogs(quick: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        made, before, rows, again, program = (Path(folder) / name for name in ("c", "before", "rows", "again", "inserts"))
        subprocess.run(["cc", "-O2", "-o", str(program), str(ROOT / "tools/catalog_inserts.c"), "-lsqlite3"], check=True)
        pairs = []
        for _ in range(1 if quick else 3):
            for file in (made, before):
                file.unlink(missing_ok=True)
            ours = json.loads(subprocess.run(
                [str(PROGRAM), "benchmark", "catalog", "--features", "4096", "--contexts", "90", "--model",
                 str(ROOT / "Demo/model"), "--text", str(ROOT / "Demo/text/train"), "--output", str(made), "--keep",
                 "--before", str(before), "--format", "json", "--quiet"], check=True, capture_output=True, text=True).stdout)
            subprocess.run([str(program), "dump", str(made), str(rows)], check=True)
            shutil.copy(before, again)
            bare = json.loads(subprocess.run(
                [str(program), "insert", str(again), str(rows)], check=True, capture_output=True, text=True).stdout)
            pairs.append((bare["seconds"] / ours["write_seconds"], bare["processor_seconds"] / ours["processor_seconds"]))
        bytes_of = catalog_bytes(made)
        asked = [json.loads(line) for line in subprocess.run(
            [str(PROGRAM), "benchmark", "queries", str(made), "--repeats", "5", "--format", "jsonl"], check=True,
            capture_output=True, text=True).stdout.splitlines()]
        slowest: dict = {}
        for one in asked:
            verb = one["question"].split("\t")[0]
            if one["milliseconds"] > slowest.get(verb, {"milliseconds": 0})["milliseconds"]:
                slowest[verb] = one
        page = ask(made, ["feature", "16"], 20)
    contexts, features = ours["contexts"], ours["features"]
    return (
        f"Made-up features on real text: {features} × {ours['contexts_per_feature']} contexts, {ours['tokens']:,} tokens. "
        "The same rows are inserted by a C program into the catalog as it was before (`tools/catalog_inserts.c`: same "
        "schema, settings, statements and order, one transaction).\n\n"
        + table(["", "figure"], [
            ["rows per second of bare C SQLite reached, by the clock", f"{median(a for a, _ in pairs):.2f}"],
            ["the same, by processor time", f"{median(b for _, b in pairs):.2f}"],
            ["bytes a context: rows, their index and activations", f"{bytes_of['contexts'] / contexts:.1f}"],
            ["bytes a context: text and its index", f"{bytes_of['text'] / contexts:.1f}"],
            ["bytes a feature without contexts and weights", f"{bytes_of['features'] / features:.0f}"],
            ["`feature 16` as a process", f"{page:.0f} ms"],
        ])
        + "\nThe slowest question of every verb, asked within one process:\n\n"
        + table(["question", "time"], [
            ["`" + one["question"].replace("\t", " ").replace("|", "\\|") + "`", f"{one['milliseconds']:.0f} ms"]
            for one in sorted(slowest.values(), key=lambda one: -one["milliseconds"])])
        + CATALOGS_AT_SCALE)


#: What takes too long to be measured every time: `routesae benchmark catalog` and `benchmark queries`, 10 million tokens,
#: on the same machine.
CATALOGS_AT_SCALE = """
Larger ones, made once on this machine; bytes by SQLite's dbstat, a dictionary of width 64. Questions are asked within one process, warm; a row is the slowest of several.

| | 131,072 × 90 | 1,048,576 × 20, schema 5 |
| --- | --- | --- |
| contexts | 11,796,480 | 20,971,520 |
| bytes a context: rows, their index and activations | 98.0 | 77.3 |
| bytes a context: text and its index | 13.6 | 5.5 |
| bytes a feature without contexts and weights | 4530 | 3707 |
| peak memory of the process that made it | 348 MB | |
| contexts written per second of processor time | 39,300 | |
| `features`, the standard list | 15 ms | 45 ms |
| `features`, sorted by a column with an index | 17 ms | 155 ms |
| `features`, sorted by another column: the median | 44 ms | |
| the same, the slowest: by explanation | 80 ms | 365 ms |
| `features --above-chance` | 29 ms | |
| `features`, filtered | 51 ms | 369 ms |
| `features`, a token of most features, a score, sorted | 89 ms | |
| `feature N` | 24 ms | 10 ms |
| `count` | 24 ms | 201 ms |
| `count` at three thresholds, by layer | 39 ms | 319 ms |
| `search`, in explanations | 9 ms | 53 ms |
| `search`, in promoted tokens | 22 ms | 82 ms |
| `search`, in contexts | 49 ms | 63 ms |
| `search`, in all of them | 77 ms | |
| `layers`, `runs` | 4 ms | 2 ms |
"""
