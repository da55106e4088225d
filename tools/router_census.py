#!/usr/bin/env python3
"""Compares routers by what their dictionaries find of the features of every routed layer.

    python3 tools/router_census.py FOLDER [--tokens N] [--latents M] [--k K] [--seeds N] [--only NAME ...]

Trains on one stream, for every seed, a TopK dictionary of each routed layer, Random, and RouteSAE with each of the
settings below; evaluates all on the same held-out text; and prints a table. What a catalog in FOLDER has already is not
made again.

Census: a feature of a TopK dictionary of one layer is found by a dictionary if one of its decoder vectors has a cosine
of at least 0.7 with it. The share found is the mean over the layers; of a TopK dictionary over the other layers. Only
TopK dictionaries of other seeds count: those of the same seed start from the same weights, and after a short training
latent i of one still resembles latent i of another, whatever either has learned. The column `same seed` shows how much
that would add. `best cosine` is the mean of each feature's largest cosine, which tells dictionaries apart before any
pass 0.7, and `reseed` what a TopK of another seed reaches at the same layer: the ceiling.

Needs numpy and zstandard (tools/requirements-python.txt).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools/python"))
import routesae  # noqa: E402

# The settings that are compared, as keys of a training run.
ROUTERS = {
    "default": {},
    "explore .5": {"exploration": 0.5},
    "explore 1 to .25": {"exploration": 1, "finalExploration": 0.25},
    "no exploration": {"exploration": 0},
    "balance 0": {"loadBalance": 0},
    "own errors": {"routerErrors": "own", "exploration": 0},
    "own errors, explore 1 to .25": {"routerErrors": "own", "exploration": 1, "finalExploration": 0.25},
    "batch": {"sparsity": "batchtopk"},
}
COSINE = 0.7


def run(program: pathlib.Path, *arguments: object) -> str:
    """Runs the program; its standard output."""
    return subprocess.run([str(program), *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def sweep(options: argparse.Namespace, layers: list[int], seeds: range) -> dict:
    """The dictionaries, as the verb `sweep` takes them."""
    found = []
    for seed in seeds:
        found += [{"architecture": "topk", "layers": [layer], "seed": seed, "name": f"topk {layer}|{seed}"} for layer in layers]
        found.append({"architecture": "random", "seed": seed, "name": f"random|{seed}"})
        found += [
            {"architecture": "route", "seed": seed, "name": f"{name}|{seed}", **settings}
            for name, settings in ROUTERS.items() if not options.only or name in options.only
        ]
    return {
        "model": str(options.model), "text": [str(options.text)], "tokens": options.tokens, "latents": options.latents,
        "k": options.k, "batchTokens": options.batch_tokens, "streamSeed": 0, "dtype": "f16", "dictionaries": [
            {"layers": layers, **one} for one in found],
    }


def directions(dictionary: routesae.Dictionary) -> np.ndarray:
    """Decoder vectors of unit norm."""
    vectors = dictionary.decoder.astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def main() -> None:
    """Trains, evaluates, compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / ".build/release/routesae")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "Demo/model")
    parser.add_argument("--text", type=pathlib.Path, default=ROOT / "Demo/text/train")
    parser.add_argument("--heldout", type=pathlib.Path, default=ROOT / "Demo/text/heldout")
    parser.add_argument("--tokens", type=int, default=300_000)
    parser.add_argument("--heldout-tokens", type=int, default=20_000)
    parser.add_argument("--latents", type=int, default=2048)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    catalog = options.folder / "routers.sqlite"
    layers = list(range(3, 12))
    if not catalog.exists() or catalog.with_name(catalog.name + ".checkpoint").exists():
        configuration = options.folder / "sweep.json"
        configuration.write_text(json.dumps(sweep(options, layers, range(options.seeds))))
        run(options.program, "sweep", catalog, "--config", configuration, "--resume")
    if run(options.program, "sql", catalog, "SELECT count(*) FROM evaluation", "--format", "csv").split()[-1] == "0":
        run(options.program, "evaluate", catalog, "--model", options.model, "--text", options.heldout,
            "--tokens", options.heldout_tokens, "--all-dictionaries")
    figures = {}
    rows = json.loads(run(
        options.program, "sql", catalog,
        "SELECT d.name, e.metric, e.layer, e.value FROM evaluation e JOIN dictionary d USING (dictionary_id)"
        " WHERE e.metric IN ('norm_mse', 'kl', 'l0', 'routing_share')", "--format", "json", "--limit", 0))
    for row in rows:
        figures[row["name"], row["metric"], row["layer"]] = row["value"]

    with routesae.open(str(catalog)) as file:
        vectors = {name: directions(file.dictionary(name)) for name in dict.fromkeys(file.dictionaries()["dictionary"])}
    census: dict = {}
    cosines: dict = {}
    reseeded: dict = {}
    for name, own in vectors.items():
        kind, seed = name.split("|")
        for other, features in vectors.items():
            of, of_seed = other.split("|")
            if not of.startswith("topk") or name == other:
                continue
            best = (features @ own.T).max(axis=1)
            if of == kind:
                reseeded.setdefault(kind, []).append((float((best >= COSINE).mean()), float(best.mean())))
                continue
            census.setdefault((kind, seed, of_seed != seed), []).append(float((best >= COSINE).mean()))
            if of_seed != seed:
                cosines.setdefault(kind, []).append(float(best.mean()))
    kinds = list(dict.fromkeys(name.split("|")[0] for name in vectors))
    seeds = list(dict.fromkeys(name.split("|")[1] for name in vectors))
    print("| dictionary | NormMSE | KL | census | range | best cosine | same seed | layers read, % |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in kinds:
        def mean(metric: str, layer: int | None = None) -> float:
            return statistics.mean(figures.get((f"{kind}|{seed}", metric, layer), 0) for seed in seeds)

        found = [statistics.mean(census[kind, seed, len(seeds) > 1]) for seed in seeds]
        same = statistics.mean(statistics.mean(census[kind, seed, False]) for seed in seeds)
        shares = " ".join(f"{100 * mean('routing_share', layer):.0f}" for layer in layers) if not kind.startswith("topk") else kind[5:]
        print(f"| {kind} | {mean('norm_mse'):.4f} | {mean('kl'):.4f} | {statistics.mean(found):.3f} "
              f"| {min(found):.3f} … {max(found):.3f} | {statistics.mean(cosines.get(kind, [0])):.3f} | {same:.3f} "
              f"| {shares} |")
    every = [pair for pairs in reseeded.values() for pair in pairs]
    if every:
        share, cosine = (statistics.mean(values) for values in zip(*every))
        print(f"| reseed | | | {share:.3f} | | {cosine:.3f} | | |")


if __name__ == "__main__":
    main()
