"""Opening a catalog's file read-only, checking whose it is, and reading typed rows from it."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from .errors import BAD_DATA, MISSING, CatalogError, one_line

#: ``PRAGMA application_id`` of a catalog: "RSAE".
APPLICATION_ID = 0x52534145
#: Types of a column's values, by the letters that ``rows`` takes.
KINDS: dict[str, set[type]] = {"i": {int}, "r": {float, int}, "t": {str}, "b": {bytes}}
#: Rows that are fetched at once.
ROWS_AT_ONCE = 1 << 16
_SHADOWS = tuple(
    f"{index}_text_{part}" for index in ("passage", "explanation") for part in ("data", "idx", "docsize", "config")
)


@functools.cache
def known_schema() -> tuple[int, dict[str, str]]:
    """The schema that this version reads: its number, and the SHA-256 of every object's SQL by ``type name``."""
    content = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
    return content["version"], content["objects"]


def schema_objects(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Every object of a database's schema: ``type name``, its table, and the SHA-256 of its SQL.

    Tables that SQLite makes for full-text indexes have their names hashed: versions of SQLite quote them differently.
    """
    query = "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema"
    for kind, name, table, sql in connection.execute(query):
        text = name if name in _SHADOWS else sql
        yield f"{kind} {name}", table, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class CatalogFile:
    """A catalog's file, open for reading. It closes when used as a context."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens a file and checks that it is a catalog with the schema that is known here.

        Raises:
            CatalogError: the file is missing, is no catalog, has another schema, or the schema was changed.
        """
        self.path = os.fspath(path)
        wal = self._check_header()
        uri = Path(self.path).resolve().as_uri() + "?mode=ro"
        # SQLite would make files beside one in WAL mode, even to read it, and leave them there.
        if wal and not os.path.exists(self.path + "-wal"):
            uri += "&immutable=1"
        try:
            self.connection = sqlite3.connect(uri, uri=True)
        except sqlite3.Error as error:
            self.fail(one_line(error))
        try:
            # A stranger's schema may call only harmless functions, and nothing is written.
            for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
                self.rows("" if "mmap" not in pragma else "i", f"PRAGMA {pragma}")
            self._check_schema()
        except CatalogError:
            self.connection.close()
            raise

    def __enter__(self) -> CatalogFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self.connection.close()

    def _check_header(self) -> bool:
        """Refuses what is no catalog before SQLite sees it; true if the file is in WAL mode."""
        if not os.path.isfile(self.path):
            self.fail("is not a file" if os.path.exists(self.path) else "no such file", MISSING)
        for beside in ("-wal", "-shm", "-journal"):
            if os.path.lexists(self.path + beside) and not _is_plain(self.path + beside):
                self.fail(f"is refused: {self.path}{beside} beside it is no plain file")
        try:
            with open(self.path, "rb") as file:
                header = file.read(100)
        except OSError as error:
            self.fail(error.strerror or one_line(error), MISSING)
        if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
            self.fail("is not a catalog: it is not a database of SQLite")
        application = int.from_bytes(header[68:72], "big")
        return header[18] == 2 if application == APPLICATION_ID else self._no_wal_yet(header)

    def _no_wal_yet(self, header: bytes) -> bool:
        # In WAL mode the header in the file may lag behind the log.
        if header[18] == 2 and os.path.exists(self.path + "-wal"):
            return True
        application = int.from_bytes(header[68:72], "big")
        self.fail(f"is not a catalog: its application id is {application:#010x}, a catalog's {APPLICATION_ID:#010x}")

    def _check_schema(self) -> None:
        (application,), (version,) = self.row("i", "PRAGMA application_id"), self.row("i", "PRAGMA user_version")
        known, objects = known_schema()
        if application != APPLICATION_ID:
            self.fail(f"is not a catalog: its application id is {application:#010x}")
        if version != known:
            advice = "upgrade it with `routesae migrate`" if version < known else "install a newer routesae"
            self.fail(f"has schema {version}, and schema {known} is read here; {advice}")
        try:
            found = list(schema_objects(self.connection))
        except (sqlite3.Error, UnicodeError, MemoryError) as error:
            self.fail(one_line(error))
        digests = {key: digest for key, _, digest in found}
        for key, digest in objects.items():
            if key not in digests:
                self.fail(f"is damaged: its schema lacks {key}")
            if digests[key] != digest:
                self.fail(f"is refused: its {key} is not as `routesae` makes it")
        tables = {key.partition(" ")[2] for key in objects}
        for key, table, _ in found:
            if key.startswith("trigger ") and key not in objects and table in tables:
                self.fail(f"is refused: its {key} is added to the catalog's own table {table}")

    def fetch(self, kinds: str, sql: str, *values: Any) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query in pieces; every column has to be of its kind, where a capital letter allows NULL.

        ``i`` is a whole number, ``r`` a number, ``t`` text, ``b`` a blob.
        """
        allowed = [KINDS[kind.lower()] | ({type(None)} if kind.isupper() else set()) for kind in kinds]
        try:
            cursor = self.connection.execute(sql, values)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                for column, types in zip(zip(*rows), allowed):
                    if not types.issuperset(map(type, column)):
                        self.fail(f"a value is not of its column's type, in what `{_start(sql)}` reads")
                yield rows
        except (sqlite3.Error, UnicodeError, OverflowError, MemoryError) as error:
            self.fail(one_line(error))

    def rows(self, kinds: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query; see ``fetch``."""
        return [row for rows in self.fetch(kinds, sql, *values) for row in rows]

    def row(self, kinds: str, sql: str, *values: Any) -> tuple[Any, ...]:
        """The first row of a query that has to have one."""
        rows = self.rows(kinds, sql, *values)
        if not rows:
            self.fail(f"nothing is found by `{_start(sql)}`")
        return rows[0]

    def query(self, sql: str, values: Any, seconds: float) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The names and rows of any read-only query, which has to end within so many seconds."""
        end = time.monotonic() + seconds
        self.connection.set_progress_handler(lambda: int(time.monotonic() > end), 10_000)
        self.connection.set_authorizer(_without_other_files)
        try:
            cursor = self.connection.execute(sql, values)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning, UnicodeError, OverflowError, MemoryError, ValueError) as error:
            if time.monotonic() > end:
                self.fail(f"the query was stopped after {seconds:g} seconds; give `seconds=` a larger number")
            self.fail(one_line(error))
        finally:
            self.connection.set_progress_handler(None, 0)
            if sys.version_info >= (3, 11):
                self.connection.set_authorizer(None)
            else:
                self.connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)

    def numbers(self, text: str, place: str, whole: bool = True) -> list[Any]:
        """A JSON array of numbers: of whole ones within 64 bits, or of any that are finite."""
        kinds, most = (int, 2**63 - 1) if whole else ((int, float), sys.float_info.max)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list) or not all(
            isinstance(one, kinds) and not isinstance(one, bool) and abs(one) <= most for one in found
        ):
            self.fail(f"{place}: is not a JSON array of {'whole ' if whole else ''}numbers")
        return found

    def fail(self, reason: str, status: int = BAD_DATA) -> NoReturn:
        """Raises a CatalogError that names the file."""
        raise CatalogError(f"{self.path}: {reason}", status) from None


def _is_plain(path: str) -> bool:
    """Whether a file is neither a link nor a pipe, which SQLite would wait for."""
    return os.path.isfile(path) and not os.path.islink(path)


def _start(sql: str) -> str:
    return " ".join(sql.split())[:60] + " ..."


def _without_other_files(action: int, *_: object) -> int:
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
