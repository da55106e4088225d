"""How strongly features fire: the column ``feature.histogram``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import MISSING
from .file import CatalogFile
from .records import DictionaryRecord, Index


class Histogram(NamedTuple):
    """``counts[..., i]`` firings from ``edges[i]`` to below ``edges[i + 1]``."""

    edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]


def histogram(file: CatalogFile, owner: DictionaryRecord, index: Index, feature: int) -> Histogram | None:
    """The histogram of a feature, counts ``[bins]``; None where none was kept."""
    edges = _edges(file, owner, index)
    rows = file.rows(
        "T",
        "SELECT histogram FROM feature WHERE dictionary_id = ? AND corpus_id = ? AND feature_index = ?",
        owner.dictionary_id,
        index.corpus_id,
        feature,
    )
    if not rows:
        last = owner.n_latents - 1
        file.fail(
            f"dictionary {owner.name} has no feature {feature} on corpus {index.corpus}; they are 0 ... {last}", MISSING
        )
    return None if rows[0][0] is None else Histogram(edges, _counts(file, rows[0][0], edges, feature))


def histograms(file: CatalogFile, owner: DictionaryRecord, index: Index) -> Histogram:
    """The histograms of all features, counts ``[features, bins]``; 0 for features without one."""
    edges = _edges(file, owner, index)
    rows = file.rows(
        "iT",
        "SELECT feature_index, histogram FROM feature WHERE dictionary_id = ? AND corpus_id = ? ORDER BY feature_index",
        owner.dictionary_id,
        index.corpus_id,
    )
    counts = np.zeros((len(rows), max(edges.size - 1, 0)), np.int64)
    for place, (feature, text) in enumerate(rows):
        if text is not None:
            counts[place] = _counts(file, text, edges, feature)
    return Histogram(edges, counts)


def _edges(file: CatalogFile, owner: DictionaryRecord, index: Index) -> npt.NDArray[np.float64]:
    (text,) = file.row(
        "t",
        "SELECT histogram_edges FROM indexing WHERE dictionary_id = ? AND corpus_id = ?",
        owner.dictionary_id,
        index.corpus_id,
    )
    return np.array(file.numbers(text, "histogram_edges", whole=False), np.float64)


def _counts(file: CatalogFile, text: str, edges: npt.NDArray[np.float64], feature: int) -> npt.NDArray[np.int64]:
    counts = np.array(file.numbers(text, f"feature {feature}: histogram"), np.int64)
    if edges.size != counts.size + 1:
        file.fail(f"feature {feature}: histogram: has {counts.size} bins between {edges.size} edges")
    return counts
