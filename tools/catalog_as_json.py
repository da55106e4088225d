#!/usr/bin/env python3
"""Write what a catalog holds as JSON, in the manner of the published RouteSAE code, and compare the sizes.

    tools/catalog_as_json.py demo.sqlite demo.json

That code (swei2001/RouteSAEs, src/utils.py, get_context and save_json) writes one object whose latent_context_map has,
for every latent and class of tokens, a list of texts with the token between <ACTIVATED> and </ACTIVATED> and its
activation, by json.dump with indent=4 and ensure_ascii=False. OUT has this for all contexts in which the feature fires,
and under further plain keys everything else that the catalog holds: windows token by token, statistics, layers, token
classes, logits, neighbours, cofirings, explanations, scores, documents, vocabulary, runs, and the weights as numbers.

Told are the bytes of three forms: with indent=4, without any space, and without any space and with the fewest digits
that tell 32-bit numbers apart (the published code writes them as 64-bit numbers, which takes twice the digits). The
whole is in memory: this is for catalogs of the demo's size. Needs numpy and zstandard, as the package in
tools/python does.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

from routesae import Catalog  # noqa: E402

#: Tables that are written row by row, as objects of their columns. Blobs, what is told elsewhere and what follows from
#: other tables are left out.
TABLES = {
    "catalog": "SELECT * FROM catalog",
    "runs": "SELECT * FROM run",
    "run_inputs": "SELECT * FROM run_input",
    "run_metrics": "SELECT * FROM run_metric",
    "language_models": "SELECT * FROM language_model",
    "vocabulary": "SELECT language_model_id, token_id, text FROM token",
    "corpora": "SELECT * FROM corpus",
    "dictionaries": "SELECT * FROM dictionary",
    "indexings": "SELECT * FROM indexing",
    "routing": "SELECT * FROM layer_routing",
    "evaluations": "SELECT * FROM evaluation",
    "interventions": "SELECT * FROM intervention",
    "reviews": "SELECT * FROM review",
}
#: The same, of one feature: dictionary, feature, corpus.
FEATURE_TABLES = {
    "statistics": "SELECT * FROM feature WHERE dictionary_id = ?1 AND feature_index = ?2 AND corpus_id = ?3",
    "layers": "SELECT layer, n_fired, sum_activation, max_activation, sum_router_weight FROM feature_layer"
              " WHERE dictionary_id = ?1 AND feature_index = ?2 AND corpus_id = ?3 ORDER BY layer",
    "token_classes": "SELECT token_class, n_fired, activation_1, activation_2 FROM feature_token"
                     " WHERE dictionary_id = ?1 AND feature_index = ?2 AND corpus_id = ?3 ORDER BY activation_1 DESC",
    "logits": "SELECT direction, rank, token_id, value FROM feature_logit"
              " WHERE dictionary_id = ?1 AND feature_index = ?2 AND ?3 ORDER BY direction, rank",
    "neighbors": "SELECT rank, neighbor_index, cosine FROM feature_neighbor"
                 " WHERE dictionary_id = ?1 AND feature_index = ?2 AND ?3 ORDER BY rank",
    "cofirings": "SELECT rank, other_index, share, lift FROM feature_cofiring"
                 " WHERE dictionary_id = ?1 AND feature_index = ?2 AND corpus_id = ?3 ORDER BY rank",
    "explanations": "SELECT explanation_id, run_id, method, text, detail FROM explanation"
                    " WHERE dictionary_id = ?1 AND feature_index = ?2 AND corpus_id = ?3",
    "scores": "SELECT run_id, explanation_id, method, status, value, baseline_value, reason, n_contexts, n_tokens, metrics"
              " FROM score WHERE dictionary_id = ?1 AND feature_index = ?2 AND corpus_id = ?3",
}
#: Columns that hold JSON, and become what it says.
JSON_COLUMNS = {"config", "layers", "histogram", "histogram_edges", "detail", "metrics"}


def rows(catalog: Catalog, sql: str, *values: Any) -> list[dict[str, Any]]:
    """A query's rows as objects."""
    names, found = catalog.file.query(sql, values, 600)
    return [
        {name: json.loads(value) if name in JSON_COLUMNS and isinstance(value, str) else value
         for name, value in zip(names, row) if name not in ("dictionary_id", "feature_index", "corpus_id") or not values}
        for row in found
    ]


def contexts_of(catalog: Catalog, feature: int, dictionary: int, corpus: int) -> Iterator[dict[str, Any]]:
    """A feature's contexts, one after another, with None for what is missing."""
    found = catalog.contexts(feature, dictionary, corpus)
    for values in zip(*(list(found[name]) for name in found.columns)):
        yield {name: None if value is None or type(value).__name__ == "NAType" or np.ndim(value) == 0 and value != value
               else value.item() if isinstance(value, np.generic) else value
               for name, value in zip(found.columns, values)}


def contents(catalog: Catalog, name: str | None, corpus: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the published code would write, and everything else."""
    owner, index = catalog.index(name, corpus)
    plain: dict[str, Any] = {}
    features: dict[str, Any] = {}
    longest = 0
    for feature in range(owner.n_latents):
        classes: dict[str, list[dict[str, Any]]] = {}
        windows = []
        for context in contexts_of(catalog, feature, owner.dictionary_id, index.corpus_id):
            texts = context["tokens"].tolist()
            token = texts[context["peak"]]
            texts[context["peak"]] = f"<ACTIVATED>{token}</ACTIVATED>"
            if context["band"] != "quiet":
                classes.setdefault(token.strip().lower(), []).append(
                    {"context": "".join(texts), "activation": context["activation"]})
            same = ("band", "rank", "token_position", "layer", "router_weight", "activation", "split", "n_occurrences")
            windows.append({
                "context": "".join(texts), "document": context["document_id"], **{name: context[name] for name in same},
                "tokens": context["tokens"].tolist(), "activations": context["activations"].astype(float).tolist(),
            })
        for entries in classes.values():
            entries.sort(key=lambda entry: -entry["activation"])
            longest = max(longest, len(entries))
        if classes:
            plain[str(feature)] = dict(sorted(classes.items()))
        features[str(feature)] = {
            key: rows(catalog, sql, owner.dictionary_id, feature, index.corpus_id) for key, sql in FEATURE_TABLES.items()
        } | {"contexts": windows}
    threshold = rows(catalog, "SELECT activation_threshold FROM dictionary WHERE dictionary_id = ?", owner.dictionary_id)
    reference = {
        "total_latents": len(plain), "threshold": threshold[0]["activation_threshold"], "max_length": index.window,
        "max_per_token": longest, "lines": 0, "latent_context_map": plain,
    }
    documents = [
        {"document_id": number, "corpus_id": corpus_id, "title": title, "source": source, "sha256": digest,
         "tokens": catalog.token_ids(number).tolist()}
        for number, corpus_id, title, source, digest in catalog.file.rows(
            "iiTTt", "SELECT document_id, corpus_id, title, source, sha256 FROM document ORDER BY document_id")
    ]
    rest = {key: rows(catalog, sql) for key, sql in TABLES.items()}
    rest |= {
        "features": features, "documents": documents,
        "weights": {name: values.astype(float).tolist()
                    for name, values in catalog.dictionary(owner.dictionary_id).weights.items()},
    }
    return reference, rest


def shortest(value: Any) -> Any:
    """The same with the fewest digits for 32-bit numbers."""
    if isinstance(value, dict):
        return {key: shortest(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shortest(part) for part in value]
    if isinstance(value, float) and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value


def size(value: Any, **form: Any) -> int:
    """The bytes of a value as JSON."""
    parts: Iterable[str] = json.JSONEncoder(ensure_ascii=False, **form).iterencode(value)
    return sum(len(part.encode()) for part in parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalog")
    parser.add_argument("out", metavar="OUT", help="the JSON, with indent=4; '-' for none")
    parser.add_argument("--dictionary", help="a dictionary's name (default: the last)")
    parser.add_argument("--corpus", help="a corpus's name (default: the one indexed last)")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    options = parser.parse_args()
    with Catalog(options.catalog) as catalog:
        reference, rest = contents(catalog, options.dictionary, options.corpus)
    whole = reference | rest
    if options.out != "-":
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(whole, file, ensure_ascii=False, indent=4)
    compact = {"separators": (",", ":")}
    parts = {
        "contexts as the published code writes them": reference,
        "everything but weights": {key: value for key, value in whole.items() if key != "weights"},
        "everything": whole,
    }
    bytes_of_catalog = os.path.getsize(options.catalog)
    sizes = {
        name: {"indent 4": size(part, indent=4), "no spaces": size(part, **compact),
               "no spaces, fewest digits": size(shortest(part), **compact)}
        for name, part in parts.items()
    }
    if options.format == "json":
        print(json.dumps({"catalog": bytes_of_catalog, "sizes": sizes}))
        return 0
    print(f"catalog: {bytes_of_catalog:,} bytes")
    for name, forms in sizes.items():
        for form, count in forms.items():
            print(f"{name}, {form}: {count:,} bytes, {count / bytes_of_catalog:.2f} × the catalog")
    return 0


if __name__ == "__main__":
    sys.exit(main())
