#!/usr/bin/env python3
"""Kills the program at random moments of writing, and looks at what is left: `tools/kill_test.py --kills 60`.

Half of the kills come at any moment of a command, half of them about the time in which it writes most.  After each of
them the catalog has to open, pass SQLite's checks and `routesae verify`, hold what it held before or what the command
makes of it, and nothing between; and the same command, run again, has to succeed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Set, Tuple

REPOSITORY = Path(__file__).resolve().parent.parent
MODEL = str(REPOSITORY / "Demo" / "model")
TEXT = str(REPOSITORY / "Demo" / "text" / "heldout" / "devil.jsonl")
FROZEN = REPOSITORY / "Tests" / "Fixtures" / "catalogs"
# Catalogs of former versions.
VERSIONS = ("version-1", "version-5")

# {catalog} is a copy of what the operation starts from, {base} and {other} are catalogs that it only reads, and
# {output} is a file that is not there yet.
INDEX = ["--model", MODEL, "--text", TEXT, "--quiet", "--tokens"]


@dataclass
class Operation:
    """A command that is killed."""

    name: str
    command: List[str]
    start: Optional[str] = None  # what {catalog} is a copy of; None: the command makes {output}


OPERATIONS = [
    Operation("index", ["index", "{catalog}", *INDEX, "3000", "--corpus", "killed"], "base"),
    Operation("replace", ["index", "{catalog}", *INDEX, "2000", "--corpus", "first", "--seed", "9", "--force"], "base"),
    *(Operation(f"migrate-{version}", ["migrate", "{catalog}"], version) for version in VERSIONS),
    Operation("merge", ["merge", "{output}", "{base}", "{other}"]),
    Operation("pack", ["pack", "{base}", "{output}"]),
]

# What belongs to text and is written as it is read: a command that was killed may leave some of it, in whole rows.
TEXT_TABLES = {"language_model", "token", "corpus", "document", "passage"}
# What tells of runs, hosts and times, or sums up what does; `verify` looks at the latter.
LEDGER_TABLES = {"catalog", "run", "run_input", "run_metric", "packing", "table_digest"}
# What migration 2 leaves for migration 3 to drop.
LEFT_BY_MIGRATION = {"old_context"}
# Tables of which migration 6, the last step, fills columns that follow from others.
FILLED_LAST = {"indexing", "layer_routing"}
JOURNALS = ("-wal", "-journal")


class Failure(Exception):
    """What should not be there after a kill."""


class State:
    """What a catalog holds."""

    def __init__(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        try:
            self.version = connection.execute("PRAGMA user_version").fetchone()[0]
            problems = [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
            if problems:
                raise Failure(f"integrity_check: {problems[0]}")
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            if broken:
                raise Failure(f"foreign_key_check: a row of {broken[0]} refers to one that is not in {broken[2]}")
            self.complete = [
                run for (run,) in connection.execute("SELECT run_id FROM run WHERE status = 'complete' ORDER BY run_id")
            ]
            tables = connection.execute(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            names = {name for (name,) in tables} - LEDGER_TABLES - LEFT_BY_MIGRATION
            self.columns: Dict[str, List[str]] = {}
            self.rows = {name: self.read(connection, name) for name in names}
            if self.version > 1:
                self.check_counts(connection)
        finally:
            connection.close()

    def read(self, connection: sqlite3.Connection, table: str) -> Set[bytes]:
        """Digests of a table's rows; of runs, only whether they are complete."""
        columns = sorted(name for (name,) in connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", (table,)))
        self.columns[table] = columns
        # In an order that versions have in common.
        cursor = connection.execute("SELECT {} FROM \"{}\"".format(", ".join(f'"{column}"' for column in columns), table))
        run = columns.index("run_id") if "run_id" in columns else None
        rows = set()
        for row in cursor:
            if run is not None:
                row = (*row[:run], row[run] in self.complete, *row[run + 1 :])
            rows.add(hashlib.sha256(repr(row).encode()).digest())
        return rows

    def check_counts(self, connection: sqlite3.Connection) -> None:
        """An index is there with all of its features or not at all."""
        for dictionary, corpus, latents, features, contexts, counted in connection.execute(
            """
            SELECT i.dictionary_id, i.corpus_id, d.n_latents,
                (SELECT count(*) FROM feature AS f
                    WHERE f.dictionary_id = i.dictionary_id AND f.corpus_id = i.corpus_id),
                i.n_contexts,
                (SELECT count(*) FROM feature_context AS c
                    WHERE c.dictionary_id = i.dictionary_id AND c.corpus_id = i.corpus_id)
            FROM indexing AS i JOIN dictionary AS d USING (dictionary_id)
            """
        ):
            is_counted = contexts is not None or self.version > 5
            if features != latents or is_counted and contexts != counted:
                raise Failure(
                    f"the index of dictionary {dictionary} on corpus {corpus} has {features} of {latents} features and "
                    f"{counted} of {contexts} contexts"
                )

    def results(self) -> Dict[str, Set[bytes]]:
        return {name: rows for name, rows in self.rows.items() if name not in TEXT_TABLES and "_text" not in name}

    def text(self) -> Dict[str, Set[bytes]]:
        return {name: rows for name, rows in self.rows.items() if name in TEXT_TABLES}


def different(one: Dict[str, Set[bytes]], two: Dict[str, Set[bytes]]) -> str:
    """The first table that differs."""
    for name in sorted(set(one) | set(two)):
        if one.get(name) != two.get(name):
            return f"{name} ({len(one.get(name, ()))} rows, {len(two.get(name, ()))} rows)"
    return ""


class Killer:
    def __init__(self, program: Path, folder: Path, generator: random.Random) -> None:
        self.program = program
        self.folder = folder
        self.generator = generator

    def run(self, arguments: Iterable[str]) -> None:
        result = subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise Failure(f"{' '.join(arguments)}: exit {result.returncode}: {result.stderr.strip()}")

    def knows(self, verb: str) -> bool:
        text = subprocess.run([self.program, "--help"], capture_output=True, text=True, check=True).stdout
        return any(line.startswith(f"  {verb} ") for line in text.splitlines())

    def prepare(self) -> None:
        """Makes what operations start from."""
        base, other = self.folder / "base", self.folder / "other"
        training = ["--model", MODEL, "--text", TEXT, "--latents", "128", "--k", "4", "--batch-tokens", "1024"]
        for path, seed in ((base, "1"), (other, "2")):
            self.run(["train", str(path), *training, "--tokens", "2048", "--name", path.name, "--seed", seed, "--quiet"])
            self.run(["index", str(path), *INDEX, "2000", "--corpus", "first"])
        for version in VERSIONS:
            subprocess.run(["zstd", "-dqf", FROZEN / f"{version}.sqlite.zst", "-o", self.folder / version], check=True)

    def files(self, operation: Operation, name: str) -> Tuple[Path, List[str]]:
        """The file that an operation writes, and its command."""
        path = self.folder / name / "file.sqlite"
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        if operation.start:
            shutil.copy(self.folder / operation.start, path)
        places = {"catalog": path, "output": path, "base": self.folder / "base", "other": self.folder / "other"}
        return path, [part.format(**places) for part in operation.command]

    def kill(self, path: Path, command: List[str], duration: float, writing: Tuple[float, float], number: int) -> str:
        """Starts a command and kills it: at any moment, or while it writes. Says what it was at."""
        earliest, latest = writing if number % 2 else (0.0, duration)
        delay = self.generator.uniform(earliest, latest)
        start = time.monotonic()
        process = subprocess.Popen([self.program, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(max(0.0, start + delay - time.monotonic()))
        is_over = process.poll() is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        return "too late" if is_over else "with a journal or a draft" if self.written(path) else "with nothing written"

    @staticmethod
    def written(path: Path) -> int:
        """Bytes in journals and in files made aside."""
        total = 0
        for entry in os.scandir(path.parent):
            if entry.name != path.name and not entry.name.endswith("-shm"):
                try:
                    total += entry.stat().st_size
                except FileNotFoundError:
                    pass  # it was there when the folder was read
        return total

    def measure(self, path: Path, command: List[str]) -> Tuple[float, Tuple[float, float]]:
        """How long a command takes, and from when until when it writes most."""
        start = time.monotonic()
        process = subprocess.Popen([self.program, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        sizes = []
        while process.poll() is None:
            sizes.append((time.monotonic() - start, self.written(path)))
            time.sleep(0.0005)
        duration = time.monotonic() - start
        if process.returncode != 0:
            raise Failure(f"{' '.join(command)}: exit {process.returncode}: {process.stderr.read().strip()}")
        most = max(size for _, size in sizes)
        first = min((at for at, size in sizes if size > most / 2), default=0.0)
        return duration, (max(0.0, first - 0.02), duration)

    def look(self, path: Path) -> Optional[State]:
        """The state of a copy, so that nothing is put in order before the program itself gets to see it."""
        if not path.exists():
            return None
        copy = self.folder / "copy" / path.name
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir()
        for suffix in ("", *JOURNALS):
            if Path(f"{path}{suffix}").exists():
                shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
        return State(copy)

    def torture(self, operation: Operation, kills: int, verbose: bool) -> Counter:
        path, command = self.files(operation, "whole")
        before = State(self.folder / operation.start) if operation.start else None
        reads = {name: digest(self.folder / name) for name in ("base", "other")}
        duration, writing = self.measure(path, command)
        self.run(["verify", str(path)])
        after = State(path)
        counts: Counter = Counter()
        number = 0
        while number < kills:
            path, command = self.files(operation, "killed")
            moment = self.kill(path, command, duration, writing, number)
            if moment == "too late":
                counts["came too late, not counted"] += 1
                continue
            number += 1
            counts[f"killed: {moment}"] += 1
            left = ", ".join(sorted(os.listdir(path.parent)))
            try:
                counts[f"left: {self.judge(operation, path, before, after)}"] += 1
                if not operation.start:
                    path.unlink(missing_ok=True)
                if operation.name != "index" or self.is_missing(path, before):
                    self.run(command)
                self.run(["verify", str(path)])
                if difference := different(State(path).results(), after.results()):
                    raise Failure(f"run again it makes something else: {difference}")
                if reads != {name: digest(self.folder / name) for name in reads}:
                    raise Failure("it wrote into a catalog that it should only read")
            except (Failure, sqlite3.Error) as problem:
                counts["FAILED"] += 1
                print(f"{operation.name}, kill {number} ({moment}; {left}): {problem}")
            if verbose:
                print(f"{operation.name} {number}: {moment}")
        return counts

    def is_missing(self, path: Path, before: Optional[State]) -> bool:
        """Whether an index has still to be written."""
        state = self.look(path)
        return not (state and before) or not different(state.results(), before.results())

    def judge(self, operation: Operation, path: Path, before: Optional[State], after: State) -> str:
        """What a kill has left: `before` or `after`."""
        state = self.look(path)
        if state is None or before is None:
            if state is None and before is None:
                return "before"
            if state and not different(state.rows, after.rows):
                return "after"
            raise Failure("a file that is not whole")
        if state.version != before.version and state.version != after.version:
            return self.judge_step(state, after)
        for name, rows in state.text().items():
            if state.version == after.version and not rows <= after.text()[name]:
                raise Failure(f"{name} has rows that the whole run does not make")
            if state.version == before.version and not rows >= before.text()[name]:
                raise Failure(f"{name} has lost rows")
        if not different(state.results(), before.results()):
            if state.complete != before.complete:
                raise Failure("a run counts as complete, and its results are missing")
            return "before"
        return "after" if not different(state.results(), after.results()) else self.between(state, after)

    @staticmethod
    def judge_step(state: State, after: State) -> str:
        """Between versions: all tables that have their last form already hold what they hold in the end."""
        alike = [name for name, columns in state.columns.items() if columns == after.columns.get(name)]
        alike = [name for name in alike if name in state.results() and name not in FILLED_LAST]
        if not alike:
            raise Failure("no table has the form that it has in the end")
        for name in alike:
            if state.rows[name] != after.rows[name]:
                raise Failure(f"half a step is visible: {name}")
        return "after a step"

    @staticmethod
    def between(state: State, after: State) -> str:
        raise Failure(f"half a run is visible: {different(state.results(), after.results())}")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=REPOSITORY / ".build" / "release" / "routesae")
    parser.add_argument("--kills", type=int, default=60, help="of every operation (default: 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("operations", nargs="*", help=", ".join(operation.name for operation in OPERATIONS))
    options = parser.parse_args()
    # In memory where there is such a folder: it is the process that dies here, not the machine.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    failed = 0
    with tempfile.TemporaryDirectory(prefix="routesae-kill-", dir=memory) as folder:
        program = Path(shutil.copy(options.program, Path(folder) / "routesae"))
        killer = Killer(program, Path(folder), random.Random(options.seed))
        killer.prepare()
        for operation in OPERATIONS:
            if options.operations and operation.name not in options.operations:
                continue
            if not killer.knows(operation.command[0]):
                print(f"{operation.name}: the program has no such command; left out")
                continue
            counts = killer.torture(operation, options.kills, options.verbose)
            failed += counts["FAILED"]
            print(f"{operation.name}: {options.kills} kills; " + "; ".join(f"{k} {v}" for k, v in sorted(counts.items())))
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
