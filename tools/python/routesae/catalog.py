"""A catalog and what it tells about features."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from .contexts import BANDS, NULL, SPLITS, Contexts
from .dictionary import Dictionary
from .digests import changed_tables
from .features import features_query
from .file import CatalogFile
from .frames import Frame, frame, kind_of, table
from .histograms import Histogram, histogram, histograms
from .page import FeaturePage
from .passages import token_ids
from .records import DictionaryRecord, Index, dictionary_record, index_record, records
from .search import search
from .tables import columns_of, indexes, nullable, of_features, quoted, view

#: A dictionary or a corpus by name or id; None for the last.
Name = int | str | None
#: One feature, several, or all.
Features = int | Iterable[int] | None


class Catalog:
    """A catalog, opened for reading. It closes when used as a context.

    Tables are pandas DataFrames, or ``routesae.Columns`` of numpy where pandas is absent, and have ``to_arrow()`` and
    ``to_polars()``. A dictionary or corpus is given by its name or id; by default it is the last dictionary, and the
    corpus that it was indexed on last. Every method raises CatalogError where the file is damaged, or lacks what is
    asked for.

    >>> import routesae
    >>> c = routesae.open("demo.sqlite")
    >>> features = c.features("demo")
    >>> often = features[features["firing_rate"] > 0.001]
    >>> len(often) < len(features)
    True
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.file = CatalogFile(path)
        self.path = self.file.path

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self.file.close()

    def __repr__(self) -> str:
        return f"<catalog {self.path}: {', '.join(one.name for one in self.records()) or 'no dictionary'}>"

    def _repr_html_(self) -> str:
        from .html import catalog_html

        return catalog_html(self)

    # Dictionaries

    def records(self) -> list[DictionaryRecord]:
        """The dictionaries as they are described in the file, and the corpora that each is indexed on."""
        return records(self.file)

    def dictionaries(self) -> Frame:
        """The view ``dictionary_summary``: a row per dictionary and corpus."""
        return view(self.file, "dictionary_summary", "ORDER BY dictionary_id, corpus_id")

    def dictionary(self, dictionary: Name = None) -> Dictionary:
        """A dictionary's weights, and what it computes."""
        return Dictionary(self.file, dictionary_record(self.file, dictionary))

    def index(self, dictionary: Name = None, corpus: Name = None) -> tuple[DictionaryRecord, Index]:
        """A dictionary and its index over a corpus."""
        return index_record(self.file, dictionary, corpus)

    # Features

    def features(self, dictionary: Name = None, corpus: Name = None) -> Frame:
        """A row per feature: all columns of the table ``feature``, and its newest explanation.

        ``explanation``, ``explanation_method`` and ``promoted_tokens`` are those of the view ``feature_summary``;
        ``histogram`` is JSON (see ``histograms``); ``is_dead`` is boolean.
        """
        owner, index = self.index(dictionary, corpus)
        names, kinds, sql = features_query(self.file)
        return table(names, kinds, self.file.rows(kinds, sql, owner.dictionary_id, index.corpus_id))

    def feature(self, feature: int, dictionary: Name = None, corpus: Name = None, n_contexts: int = 10) -> FeaturePage:
        """One feature as a page: in a notebook with coloured tokens, else as text."""
        return FeaturePage(self, feature, dictionary, corpus, n_contexts)

    def contexts(
        self,
        features: Features = None,
        dictionary: Name = None,
        corpus: Name = None,
        band: str | None = None,
        ranks: int | None = None,
    ) -> Frame:
        """Contexts of one feature, several, or all, in the order of feature, band and rank.

        The columns are those of the view ``context`` and ``document``, its title. ``activations`` are those of all
        tokens of the window as float32, ``token_ids`` and ``tokens`` their ids and texts; ``peak`` is the place in the
        window of the token around which it was cut.

        Args:
            features: an index, several, or None for all.
            band: ``top``, ``sample`` or ``quiet``; None for all three.
            ranks: so many contexts of every band, the strongest first.

        >>> import routesae
        >>> top = routesae.open("demo.sqlite").contexts(7, "demo", band="top")
        >>> first = top.iloc[0]
        >>> bool(first.activations[first.peak] == first.activation)
        True
        """
        owner, index = self.index(dictionary, corpus)
        read = Contexts(self.file, owner, index, indexes(features), band, ranks)
        c, p = read.columns, read.passages
        excerpts = np.empty(len(read), object)
        excerpts[:] = read.excerpts()
        columns = {
            "context_id": c["context_id"],
            "dictionary_id": c["dictionary_id"],
            "feature_index": c["feature_index"],
            "corpus_id": c["corpus_id"],
            "band": np.array(BANDS, object)[c["band"]],
            "rank": c["rank"],
            "excerpt": excerpts,
            "activation": c["activation"],
            "layer": c["layer"],
            "router_weight": c["router_weight"],
            "split": np.array([*SPLITS, None], object)[np.where(c["split"] == NULL, 2, c["split"])],
            "n_occurrences": nullable(c["n_occurrences"]),
            "document_id": c["document_id"],
            "document": p.title[read.passage],
            "token_position": c["token_position"],
            "segment": c["segment"],
            "window_start": c["window_start"],
            "window_length": c["window_length"],
            "passage_id": c["passage_id"],
            "peak": c["peak"],
            "token_ids": read.views(p.tokens, read.first),
            "tokens": read.views(p.pieces, read.first),
            "activations": read.views(read.activations, read.windows[:-1]),
        }
        return frame(columns, "".join("I" if name == "n_occurrences" else "T" for name in columns))

    def tokens(self, features: Features = None, dictionary: Name = None, corpus: Name = None) -> Frame:
        """The table ``feature_token``: the token classes on which features fire most strongly."""
        return self._of_features("feature_token", features, dictionary, corpus, "activation_1 DESC, token_class")

    def histogram(self, feature: int, dictionary: Name = None, corpus: Name = None) -> Histogram | None:
        """How strongly a feature fired; None where no histogram was kept."""
        return histogram(self.file, *self.index(dictionary, corpus), feature)

    def histograms(self, dictionary: Name = None, corpus: Name = None) -> Histogram:
        """The histograms of all features: counts ``[features, bins]``, 0 for features without one."""
        return histograms(self.file, *self.index(dictionary, corpus))

    # Results

    def explanations(self, dictionary: Name = None, corpus: Name = None) -> Frame:
        """The view ``explanation_score``: a row per explanation, with its newest scores."""
        return self._of_index("explanation_score", dictionary, corpus, "explanation_id")

    def scores(self, dictionary: Name = None, corpus: Name = None, method: str | None = None) -> Frame:
        """The table ``score`` without its blob: a row per score, failed ones included."""
        owner, index = self.index(dictionary, corpus)
        names, kinds = columns_of(self.file, "score", leaving_out=("detail",))
        where = "" if method is None else " AND method = ?3"
        values = (owner.dictionary_id, index.corpus_id) + (() if method is None else (method,))
        sql = f"SELECT {quoted(names)} FROM score WHERE dictionary_id = ?1 AND corpus_id = ?2{where} ORDER BY score_id"
        return table(names, kinds, self.file.rows(kinds, sql, *values))

    def cofiring(self, features: Features = None, dictionary: Name = None, corpus: Name = None) -> Frame:
        """The view ``cofiring_pair``: features that fire on the same tokens."""
        return self._of_features("cofiring_pair", features, dictionary, corpus, "rank")

    def neighbors(self, features: Features = None, dictionary: Name = None) -> Frame:
        """The table ``feature_neighbor``: features with the most similar decoder vectors."""
        return of_features(
            self.file, "feature_neighbor", indexes(features), dictionary_record(self.file, dictionary), None, "rank"
        )

    def logits(self, features: Features = None, dictionary: Name = None, direction: str | None = None) -> Frame:
        """The view ``logit_token``: tokens whose logits a feature raises or lowers most.

        Args:
            direction: ``promoted`` or ``suppressed``; None for both.
        """
        if direction not in (None, "promoted", "suppressed"):
            self.file.fail(f"there is no direction {direction!r}; there are promoted, suppressed")
        return of_features(
            self.file,
            "logit_token",
            indexes(features),
            dictionary_record(self.file, dictionary),
            None,
            "direction, rank",
            where="" if direction is None else " AND direction = ?",
            values=() if direction is None else (direction,),
        )

    def layers(self, dictionary: Name = None, corpus: Name = None) -> Frame:
        """The view ``layer_profile``: a row per layer that the dictionary reads."""
        return self._of_index("layer_profile", dictionary, corpus, "layer")

    def feature_layers(self, features: Features = None, dictionary: Name = None, corpus: Name = None) -> Frame:
        """The table ``feature_layer``: firings of features by the layer that the token was read from."""
        return self._of_features("feature_layer", features, dictionary, corpus, "layer")

    def evaluation(self, dictionary: Name = None) -> Frame:
        """The table ``evaluation`` of one dictionary: a row per metric and layer, and run."""
        owner = dictionary_record(self.file, dictionary)
        return view(self.file, "evaluation", "WHERE dictionary_id = ? ORDER BY evaluation_id", owner.dictionary_id)

    def runs(self) -> Frame:
        """The table ``run``: what was done, with every setting."""
        return view(self.file, "run", "ORDER BY run_id")

    def metrics(self, run_id: int) -> Frame:
        """The table ``run_metric`` of one run: its curves."""
        return view(self.file, "run_metric", "WHERE run_id = ? ORDER BY name, step", run_id)

    def search(
        self,
        words: str,
        scope: str = "explanations",
        dictionary: Name = None,
        corpus: Name = None,
        limit: int = 100,
        is_query: bool = False,
    ) -> Frame:
        """Features by words: a row per match, with the feature and the text.

        Args:
            words: a phrase; ``*`` at its end matches any ending.
            scope: ``explanations``, ``contexts`` (one row per feature, its strongest context with these words in the
                window) or ``promoted`` (tokens whose logits features raise).
            limit: the most rows.
            is_query: whether ``words`` are in the query language of SQLite's FTS5.
        """
        return search(self.file, *self.index(dictionary, corpus), words, scope, limit, is_query)

    def sql(self, query: str, values: Sequence[Any] | dict[str, Any] = (), seconds: float = 60.0) -> Frame:
        """The rows of any read-only query, stopped after so many seconds.

        >>> import routesae
        >>> c = routesae.open("demo.sqlite")
        >>> c.sql("SELECT feature_index FROM feature WHERE feature_index = ? LIMIT 1", [5])["feature_index"].tolist()
        [5]
        """
        names, rows = self.file.query(query, values, seconds)
        columns = list(zip(*rows)) or [() for _ in names]
        kinds = "".join(map(kind_of, columns))
        return table(
            [name if names.index(name) == at else f"{name}_{at}" for at, name in enumerate(names)], kinds, rows
        )

    # Text and digests

    def token_ids(self, document_id: int) -> npt.NDArray[np.int64]:
        """The token ids of a document, ``[n_tokens]``."""
        return token_ids(self.file, document_id)

    def changed_tables(self) -> list[tuple[str, str]]:
        """The tables, and parts of tables, that do not hold what the software last wrote; see ``routesae.digests``."""
        return changed_tables(self.file)

    # Beneath

    def _of_index(self, name: str, dictionary: Name, corpus: Name, order: str) -> Frame:
        owner, index = self.index(dictionary, corpus)
        where = f"WHERE dictionary_id = ? AND corpus_id = ? ORDER BY {order}"
        return view(self.file, name, where, owner.dictionary_id, index.corpus_id)

    def _of_features(self, name: str, features: Features, dictionary: Name, corpus: Name, order: str) -> Frame:
        owner, index = self.index(dictionary, corpus)
        return of_features(self.file, name, indexes(features), owner, index, order)
