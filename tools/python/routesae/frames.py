"""Tables as pandas DataFrames, or as columns of numpy where pandas is absent."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import MISSING, CatalogError

if TYPE_CHECKING:
    import pandas as pd

    has_pandas = True
else:
    try:
        import pandas as pd
    except ImportError:
        pd = None
    has_pandas = pd is not None

#: Columns by name, all of one length; objects with None for missing text.
Column = npt.NDArray[Any]


class Columns(Mapping[str, Column]):
    """A table where pandas is absent: ``table["name"]`` is a numpy array.

    Text is of dtype object, None where it is missing; missing numbers are NaN. ``len(table)`` is the number of its
    columns, as of any mapping; ``table.n_rows`` that of its rows.
    """

    def __init__(self, columns: dict[str, Column]) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> Column:
        if not isinstance(name, str):
            raise TypeError(f"a table without pandas has columns by name, one at a time: {self._hint(name)}")
        return self._columns[name]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a table without pandas has no attribute {name!r}: {self._hint(name)}")

    def _hint(self, name: object) -> str:
        columns: dict[str, Column] = self.__dict__.get("_columns", {})
        example = name if isinstance(name, str) and name in columns else next(iter(columns), "name")
        return f"write table[{example!r}], or pip install pandas for DataFrames"

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def columns(self) -> list[str]:
        """The names."""
        return list(self._columns)

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self._columns.values()))) if self._columns else 0

    def __repr__(self) -> str:
        return f"Columns({self.n_rows} rows: {', '.join(self._columns)})"

    def _repr_html_(self) -> str:
        shown = min(self.n_rows, 20)
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self._columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(column[row]))}</td>" for column in self._columns.values()) + "</tr>"
            for row in range(shown)
        )
        return f"<table><tr>{head}</tr>{body}</table><p>{self.n_rows} rows, {len(self)} columns</p>"

    def to_arrow(self) -> Any:
        """The table as a ``pyarrow.Table``."""
        pa = needed("pyarrow")
        return pa.table(
            {
                name: pa.array(column if column.dtype != object else column.tolist())
                for name, column in self._columns.items()
            }
        )

    def to_polars(self) -> Any:
        """The table as a ``polars.DataFrame``."""
        return needed("polars").from_arrow(self.to_arrow())


if has_pandas:

    class Frame(pd.DataFrame):
        """A DataFrame that also goes to Arrow and polars."""

        @property
        def _constructor(self) -> type[Frame]:
            return Frame

        def to_arrow(self) -> Any:
            """The table as a ``pyarrow.Table``, without the index."""
            return needed("pyarrow").Table.from_pandas(pd.DataFrame(self), preserve_index=False)

        def to_polars(self) -> Any:
            """The table as a ``polars.DataFrame``, without the index."""
            return needed("polars").from_arrow(self.to_arrow())

else:
    Frame = Columns  # type: ignore[misc, assignment]


def frame(columns: dict[str, Column], kinds: str = "") -> Frame:
    """A table of columns; of the kind ``I`` are whole numbers that may be missing, with None for them."""
    if not has_pandas:
        return Frame({name: _plain(column, kind) for (name, column), kind in _with_kinds(columns, kinds)})
    found: dict[str, Any] = {}
    for (name, column), kind in _with_kinds(columns, kinds):
        found[name] = pd.array(column.tolist(), dtype="Int64") if kind == "I" else column
    return Frame(found, copy=False)


def table(names: Sequence[str], kinds: str, rows: Sequence[tuple[Any, ...]]) -> Frame:
    """A table of rows, whose columns are of these kinds; see ``CatalogFile.fetch``."""
    columns = {}
    for place, (name, kind) in enumerate(zip(names, kinds)):
        column = typed([row[place] for row in rows], kind)
        columns[name] = column.astype(bool) if kind == "i" and name.startswith("is_") else column
    return frame(columns, kinds)


def typed(values: list[Any], kind: str) -> Column:
    """A column of one kind: int64, float64 with NaN for NULL, or objects."""
    if kind == "i":
        return np.array(values, np.int64)
    if kind in "rR":
        return np.array([np.nan if value is None else value for value in values], np.float64)
    column = np.empty(len(values), object)
    column[:] = values
    return column


def kind_of(values: Sequence[Any]) -> str:
    """The kind of a column of any query: that of all its values, or objects."""
    types = {type(value) for value in values}
    has_null = type(None) in types
    types.discard(type(None))
    if types == {int}:
        return "I" if has_null else "i"
    if types and types <= {int, float}:
        return "R"
    return "b" if types == {bytes} else "T"


def needed(name: str) -> Any:
    """An optional package.

    Raises:
        CatalogError: it is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = {"pyarrow.parquet": "pyarrow", "sae_lens": "sae-lens"}.get(name, name)
        raise CatalogError(f"needs the Python package {package} ({error}); pip install {package}", MISSING) from None


def _with_kinds(columns: dict[str, Column], kinds: str) -> Iterator[tuple[tuple[str, Column], str]]:
    return zip(columns.items(), kinds.ljust(len(columns), "T"))


def _plain(column: Column, kind: str) -> Column:
    """A column of numpy alone: whole numbers with missing ones become float64, unless they are too large for it."""
    if kind != "I":
        return column
    if all(value is not None for value in column):
        return column.astype(np.int64)
    if all(value is None or abs(value) < 1 << 53 for value in column):
        return np.array([np.nan if value is None else value for value in column], np.float64)
    return column
