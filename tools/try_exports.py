#!/usr/bin/env python3
"""Try the exports of features with the programs that they are for, and report as Markdown.

    tools/try_exports.py PROGRAM MODEL TEXT > docs/exports.md

Trains a routed and a single-layer dictionary on TEXT with PROGRAM (routesae), indexes them with delphi's cache, exports
them, and lets Neuronpedia's client, circuit-tracer and delphi read what was written. Every number is compared: with the
catalog by SQL, histograms with every firing and every logit computed here, circuit-tracer's two forms with each other.
Versions are in requirements-exports.txt; nothing is sent anywhere. Exits with 1 where something differs.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import json
import math
import platform
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

import check_neuronpedia  # noqa: E402
import routesae  # noqa: E402

USER, MODEL_ID = "clkht01d40000jv08hvalcvly", "demo"
LIBRARIES = ("neuronpedia", "circuit-tracer", "eai-delphi", "torch", "transformers", "pydantic", "numpy")


class Report:
    """Rows of the table, and whether any failed."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, bool]] = []

    def add(self, dictionary: str, what: str, found: str, is_right: bool) -> None:
        """A row; `found` says what was compared."""
        self.rows.append((dictionary, what, found, is_right))
        print(f"{'ok ' if is_right else 'NOT'} {dictionary}: {what}: {found}", file=sys.stderr)


def lines(folder: Path, table: str) -> list[dict[str, Any]]:
    """The lines of a table of one source."""
    found: list[dict[str, Any]] = []
    for path in sorted((folder / table).glob("*.gz"), key=lambda path: int(path.name.split("-")[1].split(".")[0])):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            found += map(json.loads, file)
    return found


def answer(line: dict[str, Any]) -> dict[str, Any]:
    """A row as the website answers it: with the source's own name, and no share for a strongest text."""
    share = line.get("binContains")
    return line | {"source": line["layer"], "binContains": None if share == -1 else share}


def try_neuronpedia(report: Report, name: str, folder: Path, database: sqlite3.Connection, cache: Path) -> None:
    """The importer's rules, the client's models, and the numbers."""
    from neuronpedia.np_activation import Activation
    from neuronpedia.np_explanation import Explanation
    from neuronpedia.np_feature import Feature, Logit
    from neuronpedia.requests.feature_request import MAX_FEATURES_PER_BATCH, FeatureRequest

    sources, problems = check_neuronpedia.check(folder)
    counts = {table: sum(source.counts[table] for source in sources) for table in check_neuronpedia.TABLES}
    text = ", ".join(f"{count:,} {table}" for table, count in counts.items())
    report.add(name, "the importer's rules", f"{len(sources)} sources: {text}", not problems)

    (dictionary,) = database.execute("SELECT dictionary_id FROM dictionary WHERE name = ?", (name,)).fetchone()
    (tokens,) = database.execute("SELECT n_tokens FROM indexing WHERE dictionary_id = ?", (dictionary,)).fetchone()
    payloads = texts = differing = 0
    heights: dict[int, list[int]] = {}
    logits: dict[int, list[int]] = {}
    for source in sources:
        layer = int(source.folder.name.split("-")[0])
        activations: dict[str, list[Activation]] = {}
        for line in lines(source.folder, "activations"):
            activations.setdefault(line["index"], []).append(Activation.from_np_db_json(answer(line)))
            texts += 1
        explanations: dict[str, list[Explanation]] = {}
        for line in lines(source.folder, "explanations"):
            explanations.setdefault(line["index"], []).append(Explanation.from_np_db_json(answer(line)))
        features = []
        for line in lines(source.folder, "features"):
            heights[int(line["index"])] = line["freq_hist_data_bar_heights"]
            logits[int(line["index"])] = line["logits_hist_data_bar_heights"]
            fired, largest = database.execute(
                "SELECT n_fired, max_activation FROM feature_layer"
                " WHERE dictionary_id = ? AND feature_index = ? AND layer = ?",
                (dictionary, int(line["index"]), layer),
            ).fetchone()
            rate = line["frac_nonzero"]
            if not math.isclose(rate, fired / tokens, rel_tol=1e-3) or abs(line["maxActApprox"] - largest) > 1e-4:
                differing += 1
            features.append(
                Feature(
                    modelId=line["modelId"],
                    source=line["layer"],
                    index=int(line["index"]),
                    density=rate,
                    top_logits=[Logit(*pair) for pair in zip(line["pos_str"], line["pos_values"])],
                    bottom_logits=[Logit(*pair) for pair in zip(line["neg_str"], line["neg_values"])],
                    explanations=explanations.get(line["index"], []),
                    activations=activations.get(line["index"], []),
                )
            )
        request = FeatureRequest(api_key="none")
        sent: list[Any] = []
        request.send_request = lambda **call: sent.append(json.dumps(call["json"]))  # type: ignore[method-assign]
        for first in range(0, len(features), MAX_FEATURES_PER_BATCH):
            request.upload_batch(MODEL_ID, source.folder.name, features[first : first + MAX_FEATURES_PER_BATCH])
        payloads += len(sent)
    expected = database.execute("SELECT count(*) FROM feature_layer WHERE dictionary_id = ?", (dictionary,)).fetchone()[0]
    report.add(
        name,
        "the client's `Feature`, `Activation`, `Explanation`, `upload_batch`",
        f"{counts['features']:,} features with {texts:,} texts make {payloads} requests",
        counts["features"] == expected and payloads > 0,
    )
    report.add(name, "rates and largest activations, with SQL", f"{differing} differ", differing == 0)
    wanted = database.execute(
        "SELECT count(*) FROM feature_context WHERE dictionary_id = ? AND band < 2", (dictionary,)
    ).fetchone()[0]
    report.add(name, "texts, with SQL", f"{texts:,} of {wanted:,}", texts == wanted)
    compare_histograms(report, name, heights, database, dictionary, cache)
    compare_logits(report, name, logits, database, dictionary)


def shares_apart(one: list[int], two: np.ndarray) -> float:
    """The share of values that would have to move to another bin."""
    return float(np.abs(np.asarray(one) - two).sum() / 2 / max(two.sum(), 1))


def compare_histograms(
    report: Report, name: str, heights: dict[int, list[int]], database: sqlite3.Connection, dictionary: int, cache: Path
) -> None:
    """The bins of activations with those of every firing in delphi's cache."""
    apart, sums = [], 0
    for latent, values in cached(cache).items():
        low, high, fired = database.execute(
            "SELECT min_activation, max_activation, n_fired FROM feature WHERE dictionary_id = ? AND feature_index = ?",
            (dictionary, latent),
        ).fetchone()
        sums += sum(heights[latent]) != fired
        if len(values) > 50:
            apart.append(shares_apart(heights[latent], np.histogram(values, 50, (low, high))[0]))
    report.add(
        name,
        "50 bins of activations, with numpy's of every firing in delphi's cache",
        f"{sums} sums differ; {np.median(apart):.1%} of firings lie in another bin (median), {max(apart):.1%} at most",
        sums == 0 and float(np.median(apart)) < 0.1,
    )


def compare_logits(
    report: Report, name: str, heights: dict[int, list[int]], database: sqlite3.Connection, dictionary: int
) -> None:
    """The bins of changes of logits with those of a product computed here."""
    decoder = routesae.open(database.execute("PRAGMA database_list").fetchone()[2]).dictionary(name).weights["decoder"]
    from safetensors.torch import load_file as load_tensors

    tensors: dict[str, np.ndarray] = {}
    for path in sorted(arguments.model.glob("*.safetensors")):
        tensors |= {key: value.float().numpy() for key, value in load_tensors(path).items()}
    norm = next(value for key, value in tensors.items() if key.endswith("model.norm.weight"))
    unembedding = tensors.get("lm_head.weight", tensors.get("model.embed_tokens.weight"))
    changes = (decoder * norm) @ unembedding.T
    apart = [shares_apart(heights[latent], np.histogram(changes[latent], 50)[0]) for latent in heights]
    sums = sum(sum(heights[latent]) != changes.shape[1] for latent in heights)
    report.add(
        name,
        "50 bins of logits, with numpy's of the product with the unembedding",
        f"{sums} sums differ; {np.median(apart):.1%} of tokens lie in another bin (median), {max(apart):.1%} at most",
        sums == 0 and float(np.median(apart)) < 0.1,
    )


def cached(cache: Path) -> dict[int, np.ndarray]:
    """Every activation in delphi's cache, by latent, read without delphi."""
    found: dict[int, np.ndarray] = {}
    for path in (path for hook in cache.iterdir() for path in hook.glob("*.safetensors")):
        data = load_file(path)
        latents = data["locations"][:, 2].astype(np.int64) + int(path.stem.split("_")[0])
        for latent in np.unique(latents):
            found[int(latent)] = data["activations"][latents == latent].astype(np.float32)
    return found


def try_circuit_tracer(report: Report, name: str, packed: Path, loose: Path) -> None:
    """Both forms as the viewer reads them."""
    from circuit_tracer.frontend.feature_models import Model
    from circuit_tracer.frontend.graph_models import Node
    from circuit_tracer.frontend.local_server import serve

    index = json.loads(gzip.decompress((packed / "features/index.json.gz").read_bytes()))
    read = examples = differing = 0
    for layer, entry in index.items():
        data = (packed / "features" / entry["filename"]).read_bytes()
        for feature, (start, end) in enumerate(zip(entry["offsets"], entry["offsets"][1:])):
            # The viewer asks for one byte more, since ranges in HTTP hold their end.
            piece = data[start : end + 1]
            (length,) = struct.unpack("<I", piece[:4])
            text = zlib.decompress(piece[4 : 4 + length], wbits=47)
            model = Model.model_validate_json(text, strict=True)
            number = Node.feature_node(int(layer), 0, feature).feature
            differing += (loose / f"{number}.json").read_bytes() != text or model.index != feature
            for quantile in model.examples_quantiles:
                for example in quantile.examples:
                    examples += 1
                    differing += len(example.tokens) != len(example.tokens_acts_list)
                    differing += not 0 <= example.train_token_ind < len(example.tokens)
            read += 1
    report.add(
        name,
        "circuit-tracer's `Model`, `Node.feature_node`; packed and loose files",
        f"{read:,} pages with {examples:,} examples; {differing} differ",
        differing == 0 and read > 0 and read == len(list(loose.iterdir())),
    )
    server = serve(loose, port=0)
    try:
        port = server.httpd.server_address[1]
        first = sorted(loose.iterdir())[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/{first.name}") as answer:
            served = answer.read()
    finally:
        threading.Thread(target=server.stop).start()
    report.add(name, "circuit-tracer's local server", f"{len(served):,} bytes of {first.name}", served == first.read_bytes())


def try_delphi(report: Report, name: str, cache: Path, database: sqlite3.Connection) -> None:
    """The cache as delphi's loader reads it."""
    from delphi.config import ConstructorConfig, SamplerConfig
    from delphi.latents.loader import LatentDataset
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    dataset = LatentDataset(
        cache,
        SamplerConfig(n_examples_train=10, n_examples_test=10, n_quantiles=5),
        ConstructorConfig(min_examples=20, n_non_activating=10),
        tokenizer=tokenizer,
    )
    (dictionary,) = database.execute("SELECT dictionary_id FROM dictionary WHERE name = ?", (name,)).fetchone()
    tokens = dataset.tokens
    records = examples = wrong = left_out = 0
    for record in dataset:
        records += 1
        fired, largest = database.execute(
            "SELECT n_fired, max_activation FROM feature WHERE dictionary_id = ? AND feature_index = ?",
            (dictionary, record.latent.latent_index),
        ).fetchone()
        count = round(record.per_token_frequency * tokens.numel())
        wrong += count > fired
        left_out += fired - count
        for example in record.train:
            examples += 1
            wrong += float(example.activations.max()) > largest * (1 + 1e-3) or float(example.activations.max()) <= 0
    alive = database.execute(
        "SELECT count(*) FROM feature WHERE dictionary_id = ? AND n_fired > 0", (dictionary,)
    ).fetchone()[0]
    report.add(
        name,
        "delphi's `LatentDataset`",
        f"{records} of {alive} latents, {examples:,} examples; {wrong} beyond the catalog's; {left_out} firings in the"
        " shorter last sequence",
        wrong == 0 and records > 0.9 * alive,
    )


def run(*words: Any) -> None:
    """Runs the program."""
    subprocess.run([arguments.program, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Makes catalogs and exports and tries all."""
    report = Report()
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        catalog = folder / "c.sqlite"
        for number, (name, options) in enumerate(
            {"route": [], "topk": ["--architecture", "topk", "--layers", 3]}.items()
        ):
            append = ["--append"] if number else []
            sizes = ["--latents", 512, "--k", 16, "--tokens", 60_000, "--quiet"]
            model = ["--model", arguments.model, "--text", arguments.text]
            run("train", catalog, *append, *model, *sizes, *options, "--name", name)
            cache = folder / f"{name}-latents"
            run("index", catalog, "--dictionary", name, *model, "--tokens", 100_000, "--delphi-cache", cache, "--quiet")
            run("score", catalog, "--dictionary", name, "--quiet")
            for kind in (["neuronpedia", "--model-id", MODEL_ID, "--creator-id", USER], ["circuit-tracer"]):
                run("export", catalog, folder / f"{name}-{kind[0]}", "--dictionary", name, "--quiet", "--to", *kind)
            loose = folder / f"{name}-loose"
            run("export", catalog, loose, "--dictionary", name, "--quiet", "--to", "circuit-tracer", "--json-files")
            database = sqlite3.connect(catalog)
            try_neuronpedia(report, name, folder / f"{name}-neuronpedia", database, cache)
            try_circuit_tracer(report, name, folder / f"{name}-circuit-tracer", loose)
            try_delphi(report, name, cache, database)
            database.close()
    versions = ", ".join(f"{library} {importlib.metadata.version(library)}" for library in LIBRARIES)
    print("# Exports of features, tried with the programs that they are for\n")
    print("Written by `tools/try_exports.py` ([how](../CONTRIBUTING.md#checks-against-the-real-programs)).")
    print(f"Python {platform.python_version()}, {versions}.\n")
    print("| dictionary | tried | found | |\n|---|---|---|---|")
    for dictionary, what, found, is_right in report.rows:
        print(f"| {dictionary} | {what} | {found} | {'as expected' if is_right else '**differs**'} |")
    return 0 if all(row[3] for row in report.rows) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("program", type=Path, help="routesae")
    parser.add_argument("model", type=Path, help="a model folder")
    parser.add_argument("text", type=Path, help="a folder of text")
    arguments = parser.parse_args()
    sys.exit(main())
