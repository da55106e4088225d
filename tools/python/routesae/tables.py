"""Tables and views of a catalog, read with the types of their columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from .contexts import NULL
from .errors import MISSING, CatalogError
from .file import CatalogFile
from .frames import Frame, table
from .records import DictionaryRecord, Index

_KINDS = {"REAL": "R", "INTEGER": "I", "TEXT": "T", "BLOB": "B"}
#: Columns of views that SQLite gives no type.
_KINDS_OF_EXPRESSIONS = {
    ("layer_profile", "token_share"): "R",
    ("layer_profile", "n_peak_features"): "I",
    ("layer_profile", "n_features"): "I",
    ("layer_profile", "n_fired"): "I",
    ("layer_profile", "mean_activation"): "R",
    ("dictionary_summary", "n_dead"): "I",
    ("dictionary_summary", "n_explained"): "I",
    ("dictionary_summary", "mean_simulation_score"): "R",
    ("dictionary_summary", "mean_simulation_baseline"): "R",
}
#: Keys, which are never missing though SQLite does not say so of a view or a primary key.
_KEYS = {"dictionary_id", "feature_index", "rank", "run_id", "score_id", "evaluation_id"}


def quoted(names: Iterable[str]) -> str:
    """Names of columns for a query."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


def columns_of(file: CatalogFile, name: str, leaving_out: Iterable[str] = ()) -> tuple[list[str], str]:
    """The names of a table's or view's columns, and their kinds as ``CatalogFile.fetch`` takes them."""
    names, kinds = [], ""
    query = 'SELECT name, type, "notnull" FROM pragma_table_xinfo(?) WHERE hidden = 0'
    for column, declared, not_null in file.rows("tti", query, name):
        if column in leaving_out:
            continue
        kind = _KINDS.get(declared) or _KINDS_OF_EXPRESSIONS.get((name, column), "T")
        names.append(column)
        is_key = column in _KEYS or (name, column) == ("explanation_score", "explanation_id")
        kinds += "i" if kind == "I" and (not_null or is_key) else kind
    return names, kinds


def view(file: CatalogFile, name: str, rest: str, *values: Any) -> Frame:
    """Rows of a table or view, with all its columns."""
    names, kinds = columns_of(file, name)
    return table(names, kinds, file.rows(kinds, f"SELECT {quoted(names)} FROM {name} {rest}", *values))


def of_features(
    file: CatalogFile,
    name: str,
    features: list[int] | None,
    owner: DictionaryRecord,
    index: Index | None,
    order: str,
    where: str = "",
    values: tuple[Any, ...] = (),
) -> Frame:
    """Rows of a table or view that belong to some features, or to all.

    Args:
        index: the corpus, for tables that have one.

    Raises:
        CatalogError: a feature does not exist.
    """
    names, kinds = columns_of(file, name)
    key = (owner.dictionary_id,) if index is None else (owner.dictionary_id, index.corpus_id)
    sql = f"SELECT {quoted(names)} FROM {name} WHERE dictionary_id = ?" + (
        "" if index is None else " AND corpus_id = ?"
    )
    sql += where
    if features is None:
        rows = file.rows(kinds, f"{sql} ORDER BY feature_index, {order}", *key, *values)
        return table(names, kinds, rows)
    rows = []
    for feature in sorted(set(features)):
        if not 0 <= feature < owner.n_latents:
            file.fail(
                f"dictionary {owner.name} has no feature {feature}; they are 0 ... {owner.n_latents - 1}", MISSING
            )
        rows += file.rows(kinds, f"{sql} AND feature_index = ? ORDER BY {order}", *key, *values, feature)
    return table(names, kinds, rows)


def indexes(features: int | Iterable[int] | None) -> list[int] | None:
    """Features as a list; None for all.

    Raises:
        CatalogError: they are no whole numbers.
    """
    if features is None:
        return None
    found = np.asarray(list(features) if isinstance(features, Iterable) else [features])
    if found.size and (found.dtype.kind not in "iu" or found.ndim != 1):
        raise CatalogError("features are given by whole numbers: an index, several, or None for all")
    return [int(one) for one in found]


def nullable(values: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Whole numbers with None for NULL."""
    found: npt.NDArray[Any] = values.astype(object)
    found[values == NULL] = None
    return found
