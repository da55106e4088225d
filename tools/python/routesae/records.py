"""The dictionaries of a catalog and the corpora they are indexed on."""

from __future__ import annotations

from typing import NamedTuple

from .errors import MISSING
from .file import CatalogFile


class Index(NamedTuple):
    """An index of a dictionary: the statistics of its features on a corpus."""

    corpus_id: int
    corpus: str
    run_id: int
    n_tokens: int
    n_documents: int
    window: int
    n_contexts: int


class DictionaryRecord(NamedTuple):
    """The columns of a dictionary, as in the table of that name, and its indexes in the order of their runs.

    ``threshold_form`` is ``shared`` also for a ``route`` or ``random`` without ``k``, which has one threshold instead.
    """

    dictionary_id: int
    name: str
    architecture: str
    d_model: int
    n_latents: int
    k: int | None
    aggregation: str | None
    routing: str | None
    fidelity: str
    input_normalization: str
    input_epsilon: float | None
    input_scale: float | None
    subtracts_pre_bias: int
    selection: str | None
    threshold_form: str | None
    layers: tuple[int, ...]
    indexes: tuple[Index, ...]


def records(file: CatalogFile) -> list[DictionaryRecord]:
    """All dictionaries in the order in which they came."""
    found = []
    columns = ", ".join((*DictionaryRecord._fields[:-2], "layers"))
    for row in file.rows("ittiiITTttRRiTTt", f"SELECT {columns} FROM dictionary ORDER BY dictionary_id"):
        indexes = file.rows(
            "itiiiii",
            "SELECT i.corpus_id, c.name, i.run_id, i.n_tokens, i.n_documents, i.window, ifnull(i.n_contexts, 0)"
            " FROM indexing AS i JOIN corpus AS c ON c.corpus_id = i.corpus_id"
            " WHERE i.dictionary_id = ? ORDER BY i.run_id, i.corpus_id",
            row[0],
        )
        layers = tuple(file.numbers(row[-1], f"dictionary {row[0]}: layers"))
        record = DictionaryRecord._make((*row[:-1], layers, tuple(map(Index._make, indexes))))
        if record.k is None and record.architecture in ("route", "random"):
            record = record._replace(threshold_form="shared")
        found.append(record)
    return found


def dictionary_record(file: CatalogFile, dictionary: int | str | None) -> DictionaryRecord:
    """A dictionary by name or id; None for the last.

    Raises:
        CatalogError: there is none of that name or id.
    """
    known = records(file)
    if not known:
        file.fail("holds no dictionary", MISSING)
    if dictionary is None:
        return known[-1]
    for one in known:
        if dictionary == (one.name if isinstance(dictionary, str) else one.dictionary_id):
            return one
    names = ", ".join(f"{one.dictionary_id} ({one.name})" for one in known)
    file.fail(f"has no dictionary {dictionary!r}; it has {names}", MISSING)


def index_record(
    file: CatalogFile, dictionary: int | str | None, corpus: int | str | None
) -> tuple[DictionaryRecord, Index]:
    """A dictionary and its index over a corpus, by name or id; None for the one made last.

    Raises:
        CatalogError: there is none, or several of that name.
    """
    chosen = dictionary_record(file, dictionary)
    if not chosen.indexes:
        file.fail(f"dictionary {chosen.name} is not indexed; index it with `routesae index`", MISSING)
    if corpus is None:
        return chosen, chosen.indexes[-1]
    found = [one for one in chosen.indexes if corpus == (one.corpus if isinstance(corpus, str) else one.corpus_id)]
    known = ", ".join(f"{one.corpus_id} ({one.corpus})" for one in chosen.indexes)
    if not found:
        file.fail(f"dictionary {chosen.name} is not indexed on corpus {corpus!r}; it is on {known}", MISSING)
    if len(found) > 1:
        file.fail(f"dictionary {chosen.name} is indexed on several corpora named {corpus!r}; take an id: {known}")
    return chosen, found[0]
