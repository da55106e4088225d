"""Features by words: in explanations, in the text they fire on, and in tokens they promote."""

from __future__ import annotations

import re

from .errors import CatalogError
from .file import CatalogFile
from .frames import Frame, table
from .records import DictionaryRecord, Index

#: Where words are looked for.
SCOPES = ("explanations", "contexts", "promoted")
_SQL = {
    "explanations": "SELECT e.feature_index, e.explanation_id, e.method, e.text FROM explanation_text AS t"
    " JOIN explanation AS e ON e.explanation_id = t.rowid"
    " WHERE explanation_text MATCH ?1 AND e.dictionary_id = ?2 AND e.corpus_id = ?3"
    " ORDER BY t.rank, e.explanation_id LIMIT ?4",
    # Passages first: their contexts are found by the index of contexts by passage.
    "contexts": "SELECT feature_index, band, rank, activation, excerpt FROM ("
    " SELECT c.feature_index, c.band, c.rank, c.activation, c.excerpt,"
    " row_number() OVER (PARTITION BY c.feature_index ORDER BY c.activation DESC, c.context_id) AS place"
    " FROM passage_text AS t JOIN context AS c ON c.passage_id = t.rowid"
    " WHERE passage_text MATCH ?1 AND c.dictionary_id = ?2 AND c.corpus_id = ?3 AND c.activation > 0"
    " AND (?5 = '' OR replace(replace(c.excerpt, '«', ''), '»', '') LIKE ?5 ESCAPE '\\')"
    ") WHERE place = 1 ORDER BY activation DESC, feature_index LIMIT ?4",
    "promoted": "SELECT feature_index, rank, value, token FROM logit_token"
    " WHERE dictionary_id = ?2 AND direction = 'promoted' AND ?3 IS NOT NULL AND trim(token) LIKE ?1 ESCAPE '\\'"
    " ORDER BY value DESC, feature_index LIMIT ?4",
}
_COLUMNS = {
    "explanations": (("feature_index", "explanation_id", "method", "text"), "iitt"),
    "contexts": (("feature_index", "band", "rank", "activation", "excerpt"), "itirt"),
    "promoted": (("feature_index", "rank", "value", "token"), "iirT"),
}


def search(
    file: CatalogFile, owner: DictionaryRecord, index: Index, words: str, scope: str, limit: int, is_query: bool
) -> Frame:
    """Rows of features that match; see ``Catalog.search``.

    Raises:
        CatalogError: there is no such scope, or the words are no query.
    """
    if scope not in SCOPES:
        raise CatalogError(f"there is no scope {scope!r}; there are {', '.join(SCOPES)}")
    plain = words.rstrip("*").strip()
    if not plain:
        raise CatalogError("there are no words to search for")
    match = words if is_query else '"' + plain.replace('"', '""') + '"' + (" *" if words.endswith("*") else "")
    pattern = re.sub(r"([\\%_])", r"\\\1", plain)
    names, kinds = _COLUMNS[scope]
    values = (owner.dictionary_id, index.corpus_id, limit)
    if scope == "promoted":
        rows = file.rows(kinds, _SQL[scope], pattern + ("%" if words.endswith("*") else ""), *values)
    elif scope == "contexts":
        # The words have to be in the window, not only in its passage.
        rows = file.rows(kinds, _SQL[scope], match, *values, "" if is_query else f"%{pattern}%")
    else:
        rows = file.rows(kinds, _SQL[scope], match, *values)
    return table(names, kinds, rows)
