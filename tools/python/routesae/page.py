"""One feature as a page: statistics, explanation, layers, logits and contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .contexts import BANDS, Contexts
from .tables import columns_of

if TYPE_CHECKING:
    from .catalog import Catalog, Name


class FeaturePage:
    """What a catalog tells about one feature.

    Attributes:
        statistics: its row of the table ``feature``, with its newest explanation.
        contexts, logits, layers: rows of ``Catalog.contexts``, ``Catalog.logits`` and ``Catalog.feature_layers`` as
            dictionaries of column to value.
    """

    def __init__(self, catalog: Catalog, feature: int, dictionary: Name, corpus: Name, n_contexts: int) -> None:
        owner, index = catalog.index(dictionary, corpus)
        self.feature_index, self.dictionary, self.corpus = feature, owner.name, index.corpus
        key = owner.dictionary_id, index.corpus_id
        read = Contexts(catalog.file, owner, index, [feature], None, n_contexts)
        names, kinds = columns_of(catalog.file, "feature")
        columns = ", ".join(f"f.{name}" for name in names)
        values = catalog.file.row(
            kinds + "TT",
            f"SELECT {columns}, e.text, e.method FROM feature AS f"
            " LEFT JOIN explanation AS e ON e.explanation_id = f.explanation_id"
            " WHERE f.dictionary_id = ? AND f.corpus_id = ? AND f.feature_index = ?",
            *key,
            feature,
        )
        self.statistics: dict[str, Any] = dict(zip([*names, "explanation", "explanation_method"], values))
        logits = catalog.file.rows(
            "tiTr",
            "SELECT direction, rank, token, value FROM logit_token WHERE dictionary_id = ? AND feature_index = ?"
            " ORDER BY direction, rank",
            key[0],
            feature,
        )
        self.logits = [dict(zip(("direction", "rank", "token", "value"), row)) for row in logits]
        layers = catalog.file.rows(
            "ii",
            "SELECT layer, n_fired FROM feature_layer WHERE dictionary_id = ? AND corpus_id = ?"
            " AND feature_index = ? ORDER BY layer",
            *key,
            feature,
        )
        self.layers = [{"layer": layer, "n_fired": n_fired} for layer, n_fired in layers]
        c, p = read.columns, read.passages
        pieces = read.views(p.pieces, read.first)
        activations = read.views(read.activations, read.windows[:-1])
        self.contexts = [
            {
                "band": BANDS[c["band"][row]],
                "rank": int(c["rank"][row]),
                "activation": float(c["activation"][row]),
                "layer": int(c["layer"][row]),
                "document": p.title[read.passage[row]],
                "peak": int(c["peak"][row]),
                "tokens": pieces[row].tolist(),
                "activations": np.asarray(activations[row]),
            }
            for row in range(len(read))
        ]

    def __repr__(self) -> str:
        return f"<feature {self.feature_index} of {self.dictionary} on {self.corpus}: {len(self.contexts)} contexts>"

    def __str__(self) -> str:
        s = self.statistics
        lines = [f"feature {self.feature_index} of {self.dictionary} on {self.corpus}"]
        if s.get("explanation"):
            lines.append(f"  {s['explanation']}")
        lines.append(f"  fires on {s['n_fired']} tokens ({100 * float(s['firing_rate']):.4g} %)")
        for context in self.contexts:
            peak, tokens = context["peak"], context["tokens"]
            text = "".join(tokens[:peak]) + f"«{tokens[peak]}»" + "".join(tokens[peak + 1 :])
            lines.append(f"  {context['band']:6} {context['activation']:8.4g}  {_visible(text)}")
        return "\n".join(_visible(line, keep_start=True) for line in lines)

    def _repr_html_(self) -> str:
        from .html import feature_html

        return feature_html(self)


def _visible(text: str, keep_start: bool = False) -> str:
    """Text in one line, without characters that command a terminal."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown.rstrip() if keep_start else shown.strip()
