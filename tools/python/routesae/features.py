"""The rows of ``Catalog.features``: the table ``feature`` and what its newest explanation says."""

from __future__ import annotations

from .file import CatalogFile
from .tables import columns_of


def features_query(file: CatalogFile) -> tuple[list[str], str, str]:
    """Names, kinds and SQL of the features of a dictionary and a corpus, whose ids are its two values.

    Promoted tokens are those of the view ``feature_summary``, which a table of features is faster without.
    """
    names, kinds = columns_of(file, "feature")
    columns = ", ".join(f'f."{name}"' for name in names)
    sql = (
        f"SELECT {columns}, e.text, e.method,"
        " (SELECT group_concat(text, ' ') FROM (SELECT t.text FROM feature_logit AS l JOIN token AS t"
        " ON t.language_model_id = d.language_model_id AND t.token_id = l.token_id"
        " WHERE l.dictionary_id = f.dictionary_id AND l.feature_index = f.feature_index"
        " AND l.direction = 'promoted' AND l.rank < 5 ORDER BY l.rank))"
        " FROM feature AS f JOIN dictionary AS d USING (dictionary_id)"
        " LEFT JOIN explanation AS e ON e.explanation_id = f.explanation_id"
        " WHERE f.dictionary_id = ? AND f.corpus_id = ? ORDER BY f.feature_index"
    )
    return [*names, "explanation", "explanation_method", "promoted_tokens"], kinds + "TTT", sql
