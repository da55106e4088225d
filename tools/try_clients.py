#!/usr/bin/env python3
"""Read every table and view of a catalog with other people's SQLite clients, and report what each could not do.

The clients:

  sqlite3         Python's own: every row, named columns in foreign keys, full-text indexes
  sqlite-utils    the library (schema, keys, full-text detection) and the command line
  datasette       the real server on a free loopback port: pages, JSON, search, facets, links along foreign keys
  duckdb          its SQLite scanner, with typed columns and with sqlite_all_varchar
  pandas          read_sql over sqlite3
  polars          read_database over sqlite3, where needed with infer_schema_length=None
  polars-adbc     polars.read_database_uri with the ADBC driver, where needed in one batch
  polars-cx       polars.read_database_uri with connectorx

What sqlite3 reads is the truth. Every other client has to give the same number of rows and of NULLs, the same sums of
numbers and lengths of text and blobs, and columns of the same kind: a number is not to come out as text. The kind of a
table's column is the declared one, the kind of a view's column is that of its values. An empty column of a view is held
to what SQLite says of it, if it says anything. Of FTS5's tables, which cannot declare types, only rows and NULLs are
compared.

Every client opens the catalog read-only; those that cannot (the commands of sqlite-utils, connectorx) get a copy. The
bytes of both are compared at the end. Reading happens in memory: meant for catalogs of some 100 MB.

The clients live in an environment of their own:

    python3 -m venv clients
    clients/bin/pip install -r tools/clients-requirements.txt
    clients/bin/python tools/try_clients.py demo.sqlite --output clients.md

A client that is not installed is reported as such and fails nothing. Exit status: 0 everything worked, 1 an installed
client failed at something, 2 the arguments or the catalog are wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

#: Kinds of values, by SQLite's storage classes, and by the declared types that a STRICT table may have.
KINDS = {"integer": "integer", "real": "real", "text": "text", "blob": "blob", "int": "integer"}
#: How far a sum may be away: text forms of a REAL have 15 digits.
TOLERANCE = 1e-9
#: The most characters of an error that are shown.
MOST_CHARACTERS = 300


def size(text: str) -> float:
    """The length of a text; of JSON the sum of its numbers and keys, for clients write one number in several ways."""
    if text[:1] not in ("{", "["):
        return len(text)
    try:
        return weight(json.loads(text))
    except (ValueError, RecursionError):
        return len(text)


def weight(value: Any) -> float:
    if isinstance(value, dict):
        return sum(len(key) + weight(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(weight, value))
    return len(value) if isinstance(value, str) else abs(value or 0)



class Measure(NamedTuple):
    """What a column holds, in a form that does not depend on the order of rows.

    `kinds` are those of its values; `total` is the sum of the sizes of numbers, and of the lengths of text (characters)
    and blobs (bytes).
    """

    rows: int
    nulls: int
    kinds: frozenset[str]
    total: float

    @classmethod
    def of(cls, values: Iterable[Any], as_number: bool = False) -> Measure:
        """Measures values; text is read as numbers if `as_number`."""
        rows, nulls, total, kinds = 0, 0, 0.0, set()
        for value in values:
            rows += 1
            if value is None or value != value:
                nulls += 1
            elif isinstance(value, str):
                kinds.add("text")
                total += abs(float(value)) if as_number else size(value)
            elif isinstance(value, (bytes, bytearray, memoryview)):
                kinds.add("blob")
                total += len(value)
            else:
                kinds.add("integer" if isinstance(value, int) else "real")
                total += abs(value)
        return cls(rows, nulls, frozenset(kinds), float(total))

    def difference(self, other: Measure, totals: bool = True) -> str | None:
        """What another client read instead, if it differs."""
        if self.rows != other.rows:
            return f"{other.rows} rows instead of {self.rows}"
        if self.nulls != other.nulls:
            return f"{other.nulls} NULLs instead of {self.nulls}"
        if totals and abs(self.total - other.total) > TOLERANCE * max(self.total, 1):
            return f"values add up to {other.total:.9g} instead of {self.total:.9g}"
        return None


class Column(NamedTuple):
    """A column; `kind` is None where nothing says what it should be."""

    name: str
    kind: str | None
    truth: Measure


class Relation(NamedTuple):
    """A table or view; `type` is table, view, virtual or shadow."""

    name: str
    type: str
    columns: tuple[Column, ...]

    @property
    def rows(self) -> int:
        return self.columns[0].truth.rows


class FullText(NamedTuple):
    """A full-text index, the table or view that its text is in, a word that occurs there, and in how many rows."""

    name: str
    content: str | None
    word: str | None
    matches: int


class Catalog(NamedTuple):
    """The file, what is in it, and a copy of it for clients that cannot open a file read-only."""

    path: Path
    copy: Path
    relations: tuple[Relation, ...]
    indexes: tuple[FullText, ...]

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)


class Report:
    """What one client did."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.version = ""
        self.tried: dict[str, int] = {}
        self.failures: list[tuple[str, str, str]] = []
        self.notes: list[str] = []

    def expect(self, place: str, task: str, failure: str | None) -> None:
        """Counts a task about a table, view or page, and keeps what was wrong with it."""
        self.tried[place] = self.tried.get(place, 0) + 1
        if failure is not None:
            self.failures.append((place, task, one_line(failure)))

    @contextlib.contextmanager
    def task(self, place: str, task: str) -> Iterator[None]:
        """A task that fails if its body raises."""
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # Rust's panics arrive as BaseException.
            self.expect(place, task, f"{type(error).__name__}: {error}")
        else:
            self.expect(place, task, None)

    def compare(
        self, relation: Relation, columns: dict[str, tuple[str, Iterable[Any]]], task: str, as_text: bool = False
    ) -> None:
        """Compares the columns that a client read, each with the kind the client gives it ("" for none)."""
        for column in relation.columns:
            place = f"{task}: column {column.name}"
            if column.name not in columns:
                self.expect(relation.name, place, "is missing")
                continue
            kind, values = columns[column.name]
            with self.task(relation.name, place):
                is_number = column.kind in ("integer", "real")
                found = Measure.of(values, as_number=as_text and is_number)
                wrong = column.truth.difference(found, totals=relation.type in ("table", "view"))
                if not as_text and kind and column.kind and not is_like(kind, column.kind, column.truth):
                    wrong = "; ".join(filter(None, [f"is {kind} where {column.kind} was expected", wrong]))
                if wrong:
                    raise Difference(wrong)


class Difference(Exception):
    """What a client gave is not what is in the file."""

    def __str__(self) -> str:
        return str(self.args[0])


def is_like(found: str, expected: str, truth: Measure) -> bool:
    """Whether a client's kind of a column will do: integers with NULLs among them may be floating point."""
    return found == expected or (expected == "integer" and found == "real" and truth.nulls > 0)


def one_line(text: str) -> str:
    """Text on one line, cut where it is long."""
    text = " ".join(text.removeprefix("Difference: ").split())
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"


def quoted(name: str) -> str:
    """An identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def version_of(package: str) -> str | None:
    """The installed version of a package, if it is there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


# The truth ----------------------------------------------------------------------------------------------------------


def read_relations(connection: sqlite3.Connection) -> tuple[Relation, ...]:
    """Every table and view, with what sqlite3 reads in each column."""
    names = connection.execute(
        "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY type, name"
    ).fetchall()
    relations = []
    for name, type_ in names:
        cursor = connection.execute(f"SELECT * FROM {quoted(name)}")
        columns = [description[0] for description in cursor.description]
        rows = cursor.fetchall()
        declared = {row[1]: KINDS.get(row[2].lower()) for row in connection.execute(f"PRAGMA table_xinfo({quoted(name)})")}
        measures = [Measure.of(row[i] for row in rows) for i in range(len(columns))]
        relations.append(Relation(name, type_, tuple(
            Column(column, kind_of(type_, declared.get(column), measure), measure)
            for column, measure in zip(columns, measures)
        )))
    return tuple(relations)


def kind_of(type_: str, declared: str | None, truth: Measure) -> str | None:
    """What a column is expected to be."""
    if type_ == "table" and declared:
        return declared
    if type_ in ("virtual", "shadow"):
        return None
    if truth.kinds == {"integer", "real"}:
        return "real"
    if len(truth.kinds) == 1:
        kind = next(iter(truth.kinds))
        return "real" if kind == "integer" and declared == "real" else kind
    return declared if not truth.kinds and declared != "blob" else None


def read_indexes(connection: sqlite3.Connection) -> tuple[FullText, ...]:
    """Every FTS5 index, with a word to search for: the longest of the first row of its content."""
    indexes = []
    for name, sql in connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%USING fts5%'"
    ).fetchall():
        match = re.search(r"\bcontent\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|\[([^\]]*)\]|`([^`]*)`|(\w+))", sql, re.I)
        content = next(filter(None, match.groups()), None) if match else None
        text = " ".join(str(value) for value in connection.execute(f"SELECT * FROM {quoted(name)}").fetchone() or ())
        word = max(re.findall(r"[A-Za-z]+", text), key=len, default=None)
        matches = 0
        if word:
            query = f"SELECT count(*) FROM {quoted(name)} WHERE {quoted(name)} MATCH ?"
            matches = connection.execute(query, [f'"{word}"']).fetchone()[0]
        indexes.append(FullText(name, content, word, matches))
    return tuple(indexes)


# Clients ------------------------------------------------------------------------------------------------------------


def try_sqlite3(catalog: Catalog, report: Report) -> None:
    """Schema as SQLite tells it; the rows were read for the truth."""
    report.version = sqlite3.sqlite_version
    with contextlib.closing(catalog.connect()) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        for relation in catalog.relations:
            with report.task(relation.name, "SELECT *"):
                for _ in connection.execute(f"SELECT * FROM {quoted(relation.name)}"):
                    pass
            for row in connection.execute(f"PRAGMA foreign_key_list({quoted(relation.name)})").fetchall():
                _, _, other, column, other_column = row[:5]
                named = None if other_column is not None else "the referenced column is not named: `to` is NULL"
                report.expect(relation.name, f"foreign key {column} to {other}", named)
            if relation.type == "view" and sqlite3.sqlite_version_info >= (3, 41):
                for row in connection.execute(f"PRAGMA table_info({quoted(relation.name)})").fetchall():
                    untyped = None if row[2] else "PRAGMA table_info gives no type"
                    report.expect(relation.name, f"type of {row[1]}", untyped)
        for index in catalog.indexes:
            found = index.matches > 0 or index.word is None
            report.expect(index.name, f"MATCH {index.word!r}", None if found else "finds nothing, though it is in the text")
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        report.expect("(file)", "PRAGMA foreign_key_check", f"{len(broken)} rows" if broken else None)
        check = connection.execute("PRAGMA quick_check").fetchone()[0]
        report.expect("(file)", "PRAGMA quick_check", None if check == "ok" else check)


def try_sqlite_utils(catalog: Catalog, report: Report) -> None:
    """The library on the file, read-only, and the command line on a copy."""
    from sqlite_utils import Database

    with contextlib.closing(catalog.connect()) as connection:
        database = Database(connection)
        tables = {table.name for table in database.tables}
        views = {view.name for view in database.views}
        for relation in catalog.relations:
            is_view = relation.type == "view"
            listed = relation.name in (views if is_view else tables)
            report.expect(relation.name, "listed", None if listed else "is not listed")
            handle = database[relation.name]
            with report.task(relation.name, "count, columns, schema"):
                assert handle.schema and handle.columns_dict is not None
                if handle.count != relation.rows:
                    raise Difference(f"{handle.count} rows instead of {relation.rows}")
            with report.task(relation.name, "rows"):
                rows = list(handle.rows)
            report.compare(
                relation, {column.name: ("", [row[column.name] for row in rows]) for column in relation.columns}, "rows")
            if is_view:
                continue
            with report.task(relation.name, "pks, indexes, triggers, default_values"):
                assert handle.pks is not None and handle.indexes is not None and handle.xindexes is not None
                assert handle.triggers is not None and handle.default_values is not None
            with report.task(relation.name, "foreign_keys"):
                for key in handle.foreign_keys:
                    if not key.other_columns or None in key.other_columns:
                        raise Difference(f"{'/'.join(key.columns)} to {key.other_table}: the other column is not known")
            with report.task(relation.name, "detect_fts"):
                handle.detect_fts()
        for index in catalog.indexes:
            if index.content is None:
                continue
            with report.task(index.content, "detect_fts"):
                handle = database.table(index.content)
                if (detected := handle.detect_fts()) != index.name:
                    raise Difference(f"gives {detected} although {index.name} indexes it")
            if detected is not None and index.word:
                with report.task(index.content, f"search {index.word!r}"):
                    found = len(list(handle.search(index.word)))
                    if found != index.matches:
                        raise Difference(f"{found} rows instead of {index.matches}")
    for place, arguments in sqlite_utils_commands(catalog):
        with report.task(place, "sqlite-utils " + " ".join(arguments[:1] + arguments[2:])):
            outcome = subprocess.run(
                [sys.executable, "-P", "-m", "sqlite_utils", *arguments], capture_output=True, text=True, timeout=300)
            if outcome.returncode:
                raise Difference(outcome.stderr or outcome.stdout or f"exit status {outcome.returncode}")


def sqlite_utils_commands(catalog: Catalog) -> Iterator[tuple[str, list[str]]]:
    """What the command line is asked, and about which table or view."""
    path = str(catalog.copy)
    yield "(file)", ["tables", path, "--counts", "--schema", "--columns"]
    yield "(file)", ["views", path, "--counts", "--schema", "--columns"]
    for command in ("schema", "indexes", "triggers"):
        yield "(file)", [command, path]
    for relation in catalog.relations:
        if relation.type != "shadow":
            yield relation.name, ["rows", path, relation.name, "--limit", "100"]
    for index in catalog.indexes:
        if index.content and index.word:
            yield index.content, ["search", path, index.content, index.word, "--limit", "3"]
    small = [r.name for r in catalog.relations if r.type == "table" and 0 < r.rows <= 5000][:5]
    for name in small:
        yield name, ["analyze-tables", path, name]


def try_datasette(catalog: Catalog, report: Report) -> None:
    """The server on a free loopback port; everything is asked over HTTP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "datasette", "serve", str(catalog.path), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        site = Datasette(f"http://127.0.0.1:{port}", catalog, report)
        site.wait(server)
        site.visit()
    finally:
        server.terminate()
        server.wait()
    report.notes.append(f"{site.answered} of {site.asked} requests answered with HTTP 200")


class Datasette:
    """Visits the pages of a server."""

    def __init__(self, address: str, catalog: Catalog, report: Report) -> None:
        self.address = address
        self.catalog = catalog
        self.report = report
        self.asked = self.answered = 0
        self.database = urllib.parse.quote(catalog.path.stem)

    def wait(self, server: subprocess.Popen[bytes]) -> None:
        """Waits until the server answers."""
        end = time.monotonic() + 60
        while time.monotonic() < end and server.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/-/versions.json", timeout=10).close()
                return
            time.sleep(0.1)
        raise Difference("the server does not start")

    def get(self, place: str, path: str) -> str | None:
        """The body of a page, or None if it is not there."""
        self.asked += 1
        body = None
        try:
            with urllib.request.urlopen(self.address + path, timeout=120) as reply:
                body = reply.read().decode()
                status = None if reply.status == 200 else f"HTTP {reply.status}"
        except urllib.error.HTTPError as error:
            text = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", error.read().decode(errors="replace"), flags=re.S)
            status = f"HTTP {error.code}: {text}"
        except OSError as error:
            status = str(error)
        self.answered += status is None
        self.report.expect(place, f"GET {path}", status)
        return body if status is None else None

    def get_json(self, place: str, path: str) -> Any:
        """The JSON of a page, or None if it is not there."""
        body = self.get(place, path)
        return None if body is None else json.loads(body)

    def visit(self) -> None:
        """Every page of a file."""
        for path in ("/", "/.json", f"/{self.database}", f"/{self.database}.json"):
            self.get("(file)", path)
        searchable = set()
        for relation in self.catalog.relations:
            page = f"/{self.database}/{urllib.parse.quote(relation.name)}"
            html = self.get(relation.name, page)
            if html and 'name="_search"' in html:
                searchable.add(relation.name)
            self.visit_rows(relation, page, html or "")
        for index in self.catalog.indexes:
            for name in filter(None, (index.content, index.name)):
                found = None if name in searchable else f"no search box although {index.name} indexes it"
                self.report.expect(name, "search box", found)
                if index.word and name in searchable:
                    self.search(index, name)

    def visit_rows(self, relation: Relation, page: str, html: str) -> None:
        """A table's rows as JSON, its first row's page, facets and links."""
        name = relation.name
        for shape in ("", "?_shape=objects", "?_shape=array&_size=max"):
            reply = self.get_json(name, f"{page}.json{shape}")
        if isinstance(reply, list):
            want = min(relation.rows, 1000)
            self.report.expect(name, "rows", None if len(reply) == want else f"{len(reply)} rows instead of {want}")
        if relation.type not in ("table", "view") or not relation.rows:
            return
        if row := re.search(rf'href="({re.escape(page)}/[^"?]+)"', html):
            self.get(name, row.group(1))
        facets = [c.name for c in relation.columns if c.kind in ("integer", "text")][:2]
        for facet in facets:
            reply = self.get_json(name, f"{page}.json?_size=1&_facet={urllib.parse.quote(facet)}")
            if reply and (late := reply.get("facets_timed_out")):
                self.report.expect(name, f"facet {facet}", f"timed out: {late}")
        for column, other, other_column in self.keys(relation):
            self.follow(relation, page, column, other, other_column)

    def keys(self, relation: Relation) -> list[tuple[str, str, str | None]]:
        """Foreign keys of one column that has values: these become links."""
        with contextlib.closing(self.catalog.connect()) as connection:
            rows = connection.execute(f"PRAGMA foreign_key_list({quoted(relation.name)})").fetchall()
        single = [row for row in rows if sum(other[0] == row[0] for other in rows) == 1]
        filled = {c.name for c in relation.columns if c.truth.nulls < c.truth.rows}
        return [(row[3], row[2], row[4]) for row in single if row[3] in filled]

    def follow(self, relation: Relation, page: str, column: str, other: str, other_column: str | None) -> None:
        """A foreign key's value is shown as a link to a page that exists."""
        task = f"link {column} to {other}"
        condition = f"_size=1&{urllib.parse.quote(column)}__notnull=1"
        reply = self.get_json(relation.name, f"{page}.json?_labels=on&_shape=objects&{condition}")
        value = reply["rows"][0][column] if reply and reply["rows"] else None
        expanded = isinstance(value, dict) and "label" in value
        self.report.expect(relation.name, task, None if expanded else f"_labels=on leaves {value!r}")
        html = self.get(relation.name, f"{page}?{condition}") or ""
        link = re.search(rf'href="(/{self.database}/{re.escape(urllib.parse.quote(other))}/[^"?]+)"', html)
        self.report.expect(relation.name, task, None if link else "the page shows no link")
        if link:
            self.get(other, link.group(1))
            back = f"/{self.database}/{urllib.parse.quote(relation.name)}?{urllib.parse.quote(column)}="
            target = self.get(other, link.group(1)) or ""
            self.report.expect(
                other, f"link back to {relation.name}.{column}", None if back in target else "the row's page shows no link")

    def search(self, index: FullText, name: str) -> None:
        """A search finds what the index finds, as a page and as JSON."""
        page = f"/{self.database}/{urllib.parse.quote(name)}"
        self.get(name, f"{page}?_search={index.word}")
        reply = self.get_json(name, f"{page}.json?_search={index.word}&_shape=array&_size=max")
        if reply is not None:
            want = min(index.matches, 1000)
            self.report.expect(
                name, f"search {index.word!r}", None if len(reply) == want else f"{len(reply)} rows instead of {want}")


def try_duckdb(catalog: Catalog, report: Report) -> None:
    """DuckDB's SQLite scanner, with typed columns and with text only."""
    import duckdb

    extension = duckdb_extension()
    if extension is None:
        raise Difference("the package duckdb-extension-sqlite-scanner has no extension for this version of duckdb")
    for as_text in (False, True):
        connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
        connection.execute(f"LOAD '{extension}'")
        if as_text:
            connection.execute("SET GLOBAL sqlite_all_varchar = true")
        path = str(catalog.path).replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS catalog_file (TYPE sqlite, READ_ONLY)")
        for query in (
            "SHOW ALL TABLES", "SELECT * FROM duckdb_views()", "SELECT * FROM duckdb_columns()",
            "SELECT * FROM information_schema.columns",
        ):
            with report.task("(file)", query + (" (all varchar)" if as_text else "")):
                connection.execute(query).fetchall()
        for relation in catalog.relations:
            duckdb_rows(connection, relation, as_text, report)
        connection.close()


def duckdb_extension() -> Path | None:
    """The extension file that the package carries for the installed version of DuckDB."""
    import duckdb

    spec = importlib.util.find_spec("duckdb_extension_sqlite_scanner")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "extensions" / f"v{duckdb.__version__}"
    return next(folder.rglob("sqlite_scanner.duckdb_extension"), None)


def duckdb_rows(connection: Any, relation: Relation, as_text: bool, report: Report) -> None:
    """Types and rows of a table or view. Where everything is read as text, blobs, which are none, are left out."""
    left_out = [c.name for c in relation.columns if as_text and (c.kind == "blob" or "blob" in c.truth.kinds)]
    columns = [c for c in relation.columns if c.name not in left_out]
    if not columns:
        return
    names = f"* EXCLUDE ({', '.join(map(quoted, left_out))})" if left_out else "*"
    query = f"SELECT {names} FROM catalog_file.{quoted(relation.name)}"
    task = "all varchar" if as_text else "SELECT *"
    types: dict[str, str] = {}
    with report.task(relation.name, "DESCRIBE" + (" (all varchar)" if as_text else "")):
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {query}").fetchall()}
    if not as_text:  # The types alone, too: rows may fail although the types are known.
        for column in columns:
            type_ = types.get(column.name)
            if type_ and column.kind and duckdb_kind(type_) != column.kind:
                report.expect(relation.name, f"DESCRIBE: column {column.name}", f"is {type_} where {column.kind} was expected")
    if not types:
        return
    rows: list[tuple[Any, ...]] | None = None
    with report.task(relation.name, task):
        rows = connection.execute(query).fetchall()
    if rows is not None:
        found = {name: ("", [row[i] for row in rows]) for i, name in enumerate(types)}
        report.compare(relation._replace(columns=tuple(columns)), found, task, as_text)


def duckdb_kind(type_: str) -> str:
    """SQLite's kind for a type of DuckDB. FLOAT is none: it has 24 bits where a REAL has 53."""
    if type_ in ("BIGINT", "INTEGER", "HUGEINT", "UBIGINT"):
        return "integer"
    return {"DOUBLE": "real", "VARCHAR": "text", "BLOB": "blob"}.get(type_, type_.lower())


def try_pandas(catalog: Catalog, report: Report) -> None:
    """pandas.read_sql; a column without values has no type there and is held to none."""
    import pandas

    with contextlib.closing(catalog.connect()) as connection:
        for relation in catalog.relations:
            with report.task(relation.name, "read_sql"):
                frame = pandas.read_sql(f"SELECT * FROM {quoted(relation.name)}", connection)
                columns = {}
                for name in frame.columns:
                    series = frame[name]
                    values = series.astype(object).where(series.notna(), None).tolist()
                    columns[name] = (pandas_kind(series, values), values)
                report.compare(relation, columns, "read_sql")


def pandas_kind(series: Any, values: list[Any]) -> str:
    """SQLite's kind for the type of a column; "" where it has no values."""
    from pandas.api import types

    if all(value is None for value in values):
        return ""
    if types.is_integer_dtype(series.dtype):
        return "integer"
    if types.is_float_dtype(series.dtype):
        return "real"
    kinds = Measure.of(values).kinds
    return next(iter(kinds)) if kinds in ({"text"}, {"blob"}) else str(series.dtype)


def try_polars(catalog: Catalog, report: Report) -> None:
    """polars.read_database over sqlite3."""
    import polars

    with contextlib.closing(catalog.connect()) as connection:
        read_with_polars(
            catalog, report, "read_database", lambda query: polars.read_database(query, connection),
            "infer_schema_length=None",
            lambda query: polars.read_database(query, connection, infer_schema_length=None))


def try_polars_adbc(catalog: Catalog, report: Report) -> None:
    """polars.read_database_uri with the ADBC driver."""
    import polars

    uri = f"sqlite:file:{urllib.parse.quote(str(catalog.path))}?mode=ro"
    def read_in_one_batch(query: str) -> Any:
        import adbc_driver_sqlite.dbapi

        with adbc_driver_sqlite.dbapi.connect(uri.removeprefix("sqlite:")) as connection, connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "1000000"})
            cursor.execute(query)
            return polars.from_arrow(cursor.fetch_arrow_table())

    read_with_polars(
        catalog, report, "read_database_uri", lambda query: polars.read_database_uri(query, uri, engine="adbc"),
        "adbc.sqlite.query.batch_rows", read_in_one_batch)


def try_polars_connectorx(catalog: Catalog, report: Report) -> None:
    """polars.read_database_uri with connectorx, on the copy."""
    import polars

    uri = f"sqlite://{urllib.parse.quote(str(catalog.copy))}"
    read_with_polars(
        catalog, report, "read_database_uri", lambda query: polars.read_database_uri(query, uri, engine="connectorx"))


def read_with_polars(
    catalog: Catalog, report: Report, task: str, read: Callable[[str], Any],
    option: str = "", read_with_option: Callable[[str], Any] | None = None,
) -> None:
    """Reads all tables and views with one of the ways that polars has.

    These infer types from the first rows and fail where they are all NULL, whatever the schema says. An option looks at
    more rows; where it is needed, a note says so.
    """
    for relation in catalog.relations:
        query = f"SELECT * FROM {quoted(relation.name)}"
        with report.task(relation.name, task):
            try:
                frame = read(query)
            except Exception:
                if read_with_option is None:
                    raise
                frame = read_with_option(query)
                report.notes.append(f"{relation.name} needs {option}")
            columns = {}
            for name in frame.columns:
                values = frame[name].to_list()
                columns[name] = (polars_kind(frame[name].dtype, values), values)
            report.compare(relation, columns, task)


def polars_kind(dtype: Any, values: list[Any]) -> str:
    """SQLite's kind for the type of a column; "" where it has no values."""
    import polars

    if all(value is None for value in values):
        return ""
    if dtype.is_integer():
        return "integer"
    known = {polars.Float64: "real", polars.String: "text", polars.Binary: "blob"}
    return known.get(dtype, str(dtype))


class Client(NamedTuple):
    """How a client is tried, and the packages it needs; the first gives the version."""

    run: Callable[[Catalog, Report], None]
    packages: tuple[str, ...]


CLIENTS = {
    "sqlite3": Client(try_sqlite3, ()),
    "sqlite-utils": Client(try_sqlite_utils, ("sqlite-utils",)),
    "datasette": Client(try_datasette, ("datasette",)),
    "duckdb": Client(try_duckdb, ("duckdb", "duckdb-extension-sqlite-scanner")),
    "pandas": Client(try_pandas, ("pandas",)),
    "polars": Client(try_polars, ("polars",)),
    "polars-adbc": Client(try_polars_adbc, ("polars", "adbc-driver-sqlite", "pyarrow")),
    "polars-cx": Client(try_polars_connectorx, ("polars", "connectorx", "pyarrow")),
}


def try_client(name: str, catalog: Catalog) -> Report:
    """Runs a client, if all its packages are there."""
    client, report = CLIENTS[name], Report(name)
    versions = [version_of(package) for package in client.packages]
    if None in versions:
        report.version = "not installed"
        return report
    report.version = versions[0] if versions else ""
    with report.task("(file)", "run"):
        client.run(catalog, report)
    return report


# Output -------------------------------------------------------------------------------------------------------------


def cell(text: object) -> str:
    """Text for a cell of a markdown table."""
    return str(text).replace("|", "\\|")


def table(head: list[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Lines of a markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows]


def markdown(catalog: Catalog, reports: list[Report]) -> str:
    """Everything there is to tell."""
    lines = [f"# Clients on {catalog.path.name}", ""]
    lines += table(["client", "version", "tasks", "failed", ""], (
        [r.client, r.version, sum(r.tried.values()), len(r.failures), "; ".join(r.notes)] for r in reports))
    ran = [report for report in reports if report.tried]
    lines += ["", "## By table and view", "", "Tasks that failed; ok: none; empty: not tried.", ""]
    places = ["(file)"] + [relation.name for relation in catalog.relations]
    types = {relation.name: (relation.type, relation.rows) for relation in catalog.relations}
    lines += table(["name", "type", "rows"] + [report.client for report in ran], (
        [place, *types.get(place, ("", ""))] + [outcome(report, place) for report in ran] for place in places))
    for report in ran:
        if report.failures:
            lines += ["", f"## Failures of {report.client}", ""]
            lines += table(["where", "task", "failure"], report.failures)
    return "\n".join(lines) + "\n"


def outcome(report: Report, place: str) -> object:
    """How often a client failed at a place."""
    if place not in report.tried:
        return ""
    return sum(failure[0] == place for failure in report.failures) or "ok"


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def try_all(path: Path, names: list[str]) -> tuple[Catalog, list[Report]]:
    """Tries clients on a catalog, and looks whether one changed it or left files beside it."""
    with tempfile.TemporaryDirectory(prefix="try-clients-") as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(path.read_bytes())
        before = digest(copy)
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            catalog = Catalog(path, copy, read_relations(connection), read_indexes(connection))
        beside = sorted(path.parent.glob(path.name + "-*"))
        reports = []
        for name in names:
            print(f"{name} …", file=sys.stderr, flush=True)
            report = try_client(name, catalog)
            if report.tried:
                for file, what in ((path, "the catalog"), (copy, "the copy")):
                    changed = digest(file) != before
                    report.expect("(file)", "leaves the file alone", f"{what} was changed" if changed else None)
                left = sorted(set(path.parent.glob(path.name + "-*")) - set(beside))
                report.expect("(file)", "leaves no files", f"left {[file.name for file in left]}" if left else None)
            reports.append(report)
    return catalog, reports


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalog", type=Path, help="the catalog to read")
    parser.add_argument(
        "--only", metavar="NAMES", default=",".join(CLIENTS), help="try only these clients, with commas between")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the report there instead of printing it")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := [name for name in names if name not in CLIENTS]:
        parser.error(f"no client is called {unknown[0]!r}; there are {', '.join(CLIENTS)}")
    if not arguments.catalog.is_file():
        parser.error(f"{arguments.catalog} is not a file")
    try:
        catalog, reports = try_all(arguments.catalog.resolve(), names)
    except sqlite3.Error as error:
        parser.error(f"{arguments.catalog} cannot be read: {error}")
    text = markdown(catalog, reports)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 1 if any(report.failures for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
