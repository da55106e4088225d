"""What a catalog holds, in lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .contexts import BANDS, NULL, SPLITS, Contexts
from .tensors import tensor_shapes

if TYPE_CHECKING:
    from .catalog import Catalog, Name


def visible(text: str | None) -> str:
    """Text in one line, without characters that command a terminal."""
    return "".join(c if c.isprintable() else " " for c in text or "").strip()


def number(value: float | None) -> str:
    """A number for people."""
    return "-" if value is None or math.isnan(value) else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def summary(catalog: Catalog, dictionary: Name, corpus: Name) -> Iterator[str]:
    """Dictionaries, tensors and indexes, and of one index the features that fire most strongly."""
    known = catalog.records()
    for one in known:
        k = f", k = {one.k}" if one.k is not None else ""
        layers = ",".join(map(str, one.layers))
        yield (
            f"dictionary {one.dictionary_id}  {visible(one.name)}: {visible(one.architecture)}, {one.n_latents:,} "
            f"features of width {one.d_model}{k}, layers {layers}"
        )
        for name, (dtype, shape) in tensor_shapes(catalog.file, one).items():
            yield f"    tensor {visible(name)}  {dtype} {list(shape)}"
        for index in one.indexes:
            yield (
                f"    corpus {index.corpus_id}  {visible(index.corpus)}: {index.n_tokens:,} tokens of "
                f"{index.n_documents:,} documents, {index.n_contexts:,} contexts of {index.window} tokens "
                f"(run {index.run_id})"
            )
    if not known or not catalog.dictionary(dictionary).record.indexes:
        return
    owner, index = catalog.index(dictionary, corpus)
    rows = catalog.file.rows(
        "iRrITT",
        "SELECT f.feature_index, f.max_activation, f.firing_rate, f.peak_layer, f.top_token, e.text FROM feature AS f"
        " LEFT JOIN explanation AS e ON e.explanation_id = f.explanation_id"
        " WHERE f.dictionary_id = ? AND f.corpus_id = ? AND f.max_activation IS NOT NULL"
        " ORDER BY f.max_activation DESC, f.feature_index LIMIT 10",
        owner.dictionary_id,
        index.corpus_id,
    )
    yield f"strongest features of {visible(owner.name)} on {visible(index.corpus)}:"
    yield "    feature   max  firing rate  peak layer  top token, explanation"
    for feature, strongest, rate, peak, token, explanation in rows:
        words = "; ".join(filter(None, (visible(token), visible(explanation))))
        layer = "-" if peak is None else peak
        yield f"    {feature:>7}  {number(float(strongest)):>4}  {number(float(rate)):>11}  {layer:>10}  {words}"


def feature_lines(catalog: Catalog, feature: int, dictionary: Name, corpus: Name, band: str | None) -> Iterator[str]:
    """A feature's contexts, two lines each."""
    read = Contexts(catalog.file, *catalog.index(dictionary, corpus), [feature], band)
    c = read.columns
    for row, excerpt in enumerate(read.excerpts()):
        begin, end = read.windows[row : row + 2]
        firing = f", fires on {np.count_nonzero(read.activations[begin:end])} of {end - begin} tokens"
        weight = c["router_weight"][row]
        times, split = c["n_occurrences"][row], c["split"][row]
        place = read.passage[row]
        title = visible(read.passages.title[place]) or f"document {c['document_id'][row]}"
        yield (
            f"{BANDS[c['band'][row]]} {c['rank'][row]}: {number(float(c['activation'][row]))}"
            f" in layer {c['layer'][row]}"
            + ("" if math.isnan(weight) else f" (weight {number(float(weight))})")
            + f", {title}, token {c['token_position'][row]}{firing}"
            + ("" if times == NULL else f", {times} times in the corpus")
            + ("" if split == NULL else f", for {SPLITS[split]}")
        )
        yield f"    {visible(excerpt)}"
