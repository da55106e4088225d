#!/usr/bin/env python3
"""Measure speed and memory, and write them as a table of ratios: docs/benchmarks.md.

Standard library only. Ratios are taken within one run of the program (a step against the encode product, a peak against
its formula) or between runs that take turns (a sweep of eight against one), so that they mean something on a noisy
machine; the median of several. --quick does each once. The comparison with transformers needs PyTorch
(tools/requirements.txt) in the Python that runs this, and is left out where it is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from math import prod
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".build" / "release" / "routesae"
LARGE = {"d-model": 2048, "latents": 16384, "k": 64, "layers": 9, "tokens": 8192}
SMALL = {"d-model": 256, "latents": 4096, "k": 32, "layers": 5, "tokens": 8192}
# What does not have the sizes of SMALL: no k, one layer, or more samples a token.
ARCHITECTURES = [
    ("route", {}), ("topk", {"layers": 1}), ("random", {}), ("mlsae", {"tokens": 2048}), ("crosscoder", {"tokens": 2048}),
    ("crosscoder", {"tokens": 2048, "k": None}), ("vanilla", {"layers": 1, "k": None}),
    ("gated", {"layers": 1, "k": None}), ("jumprelu", {"layers": 1, "k": None}),
    # As later in training.
    ("crosscoder", {"tokens": 2048, "k": None, "l0": 64}), ("vanilla", {"layers": 1, "k": None, "l0": 64}),
    ("gated", {"layers": 1, "k": None, "l0": 64}), ("jumprelu", {"layers": 1, "k": None, "l0": 64}),
]


def run(kind: str, sizes: dict, repeats: int, **more: object) -> dict:
    """One benchmark of the program, as its JSON."""
    command = [str(PROGRAM), "benchmark", kind, "--format", "json", "--quiet", "--repeats", str(repeats)]
    for name, value in {**sizes, **more}.items():
        if value is not None:
            command += [f"--{name}", str(value)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def machine() -> str:
    """The processor and how much of it there is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    flags = next((line for line in lines if line.startswith("flags")), "")
    width = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "baseline x86-64"
    memory = int(next(l for l in Path("/proc/meminfo").read_text().splitlines() if l.startswith("MemTotal")).split()[1])
    return f"{', '.join(sorted(names))}, {os.cpu_count()} cores, {width}, {memory / 2**20:.0f} GiB"


def table(columns: list, rows: list) -> str:
    """Rows as Markdown."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def shown(sizes: dict, latent: bool = True) -> str:
    names = {"d-model": "d", "latents": "m", "k": "k", "layers": "L", "tokens": "T"}
    return ", ".join(f"{names[n]} {v}" for n, v in sizes.items() if n in names and v is not None)


def sweep_seconds(latents: int, dictionaries: list, tokens: int) -> float:
    """Seconds of a sweep live from the demo model."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "sweep.json"
        config.write_text(json.dumps({
            "model": str(ROOT / "Demo/model"), "text": [str(ROOT / "Demo/text/train")], "tokens": tokens,
            "latents": latents, "context": 256, "dictionaries": dictionaries}))
        start = time.perf_counter()
        subprocess.run(
            [str(PROGRAM), "sweep", str(Path(folder) / "c.sqlite"), "--config", str(config), "--quiet"], check=True,
            stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def steps(quick: bool) -> str:
    repeats = 2 if quick else 7
    rows = []
    for sizes, count in [(LARGE, 1 if quick else 3), (SMALL, repeats)]:
        ratios = [run("train", sizes, count)["ratio"] for _ in range(1 if quick else 3)]
        rows.append(["route", shown(sizes), f"{median(ratios):.2f}"])
    return table(["system", "sizes", "ratio"], rows)


def halves(quick: bool) -> str:
    rows = []
    for sizes, count in [(LARGE, 1 if quick else 3), (SMALL, 2 if quick else 7)]:
        pairs = [(run("train", sizes, count), run("train", sizes, count, precision="bf16"))
                 for _ in range(1 if quick else 3)]
        rows.append(["route", shown(sizes), f"{median(b['ratio'] for _, b in pairs):.2f}",
                     f"{median(b['tokens_per_second'] / a['tokens_per_second'] for a, b in pairs):.2f}"])
    return ("The product is of bf16 as well. The last column: tokens a second over those of the step in f32, which takes "
            "turns.\n\n" + table(["system", "sizes", "ratio", "rate ÷ f32"], rows))


def peers(quick: bool) -> str:
    found = json.loads(subprocess.run(
        [sys.executable, str(ROOT / "tools/benchmark_step.py"), "--program", str(PROGRAM), "--repeats",
         "1" if quick else "3"], check=True, capture_output=True, text=True).stdout)
    rows = [[precision, f"{found[f'pytorch_{precision}_tokens_per_second']:.0f}",
             f"{found[f'routesae_{precision}_tokens_per_second']:.0f}", f"{found[f'{precision}_rate_ratio']:.2f}"]
            for precision in ("f32", "bf16")]
    return (f"route, {shown(LARGE)}. PyTorch, eagerly, does what the RouteSAE authors' code does, in bf16 under autocast; "
            "tokens a second.\n\n" + table(["in", "PyTorch", "here", "ratio"], rows))


def products(quick: bool) -> str:
    sizes, kernels, found = [], [], {}
    for threads in (1, 2):
        command = [str(PROGRAM), "benchmark", "products", "--format", "json", "--quiet", "--threads", str(threads),
                   "--repeats", "5" if quick else "30"]
        # These would choose OpenBLAS's kernels and tiles in its place.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        lines = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        for line in json.loads(lines):
            size = (f"{line['rows']} · {line['columns']} · {line['inner']}", threads)
            kernel = f"{line['precision']} {line['kernel']}" + (" (used)" if line["used"] else "")
            if "baseline" in kernel or "avx2" in kernel:
                continue
            sizes += [size] if size not in sizes else []
            kernels += [kernel] if kernel not in kernels else []
            found[size, kernel] = line["gflops"]
    rows = [[size, threads, *(f"{found.get(((size, threads), kernel), 0):.0f}" for kernel in kernels)]
            for size, threads in sizes]
    return ("10⁹ operations a second, the fastest of many turns: rows · columns · inner dimension. Our own round the rows to "
            "bf16 on the way, oneDNN finds them rounded; \"packed\" is with weights laid out before. OpenBLAS chooses its "
            "kernels itself.\n\n" + table(["size", "threads", *kernels], rows))


def systems(quick: bool) -> str:
    rows = []
    for name, change in ARCHITECTURES:
        sizes = {**SMALL, **change}
        found = run("train", sizes, 2 if quick else 7, architecture=name)
        rows.append([name + (" (L1)" if name == "crosscoder" and sizes["k"] is None else ""), shown(sizes),
                     f"{found['l0']:.0f}", f"{found['ratio']:.2f}"])
    return ("The product is that of the system's own samples and input width. Without k half of all latents fire at "
            "first, and five products (gated: seven) are made; later, with biases and thresholds here set to leave 64, one "
            "product and sums over what fires.\n\n"
            + table(["system", "sizes", "L0", "ratio"], rows))


def auxiliary(quick: bool) -> str:
    rows = []
    for share in (0.05, 0.2, 0.5):
        pairs = [(run("train", SMALL, 9)["ratio"], run("train", SMALL, 9, **{"dead-share": share})["ratio"])
                 for _ in range(1 if quick else 5)]
        rows.append([f"{100 * share:.0f} %", f"{100 * (median(b / a for a, b in pairs) - 1):+.0f} %"])
    return shown(SMALL) + "\n\n" + table(["dead latents", "extra time"], rows)


def sweeps(quick: bool) -> str:
    rows = []
    tokens = 81_920 if quick else 327_680
    eight = [{"architecture": "route", "k": [16, 32, 48, 64]}, {"architecture": "topk", "layers": [[1], [2], [3], [5]], "k": 32}]
    one = [{"architecture": "route", "k": 32}]
    for latents in (512, 1024, 2048):
        pairs = [(sweep_seconds(latents, one, tokens), sweep_seconds(latents, eight, tokens))
                 for _ in range(1 if quick else 3)]
        rows.append([latents, f"{median(b / a for a, b in pairs):.2f}"])
    return "Whole commands, four route and four topk.\n\n" + table(["latents", "time of eight ÷ time of one"], rows)


def memory(quick: bool) -> str:
    rows = []
    for name, sizes, share in [
        ("route", LARGE, 0), ("route", SMALL, 0), ("route", SMALL, 1), ("vanilla", {**SMALL, "k": None, "layers": 1}, 0),
        ("gated", {**SMALL, "k": None, "layers": 1}, 0), ("mlsae", {**SMALL, "tokens": 2048}, 0),
        ("crosscoder", {**SMALL, "tokens": 2048}, 0),
        ("topk", {"d-model": 2048, "latents": 131072, "k": 64, "layers": 1, "tokens": 2048}, 0),
    ]:
        found = run("memory", sizes, 3, architecture=name, **{"dead-share": share})
        rows.append([name, shown(sizes), f"{100 * share:.0f} %", f"{found['peak_resident_bytes'] / 2**30:.2f} GiB",
                     f"{found['ratio']:.2f}"])
    return table(["system", "sizes", "dead", "peak", "peak ÷ formula"], rows)


def forward(quick: bool) -> str:
    rows = []
    for precision in ("f32", "bf16"):
        found = json.loads(subprocess.run(
            [sys.executable, str(ROOT / "tools/benchmark_forward.py"), "--program", str(PROGRAM), "--precision", precision],
            check=True, capture_output=True, text=True).stdout)
        rows.append([precision, f"{found['rate_ratio']:.2f}", f"{found['memory_ratio']:.2f}"])
    return ("A model of Llama-3.2-1B's sizes with random weights in bf16, "
            f"{found['tokens']} tokens. transformers: hidden states of all layers, no logits. Here: up to the last routed "
            f"layer, {found['layers_run']} of {found['layers']}, in f32 with weights widened layer by layer, in bf16 with "
            "weights where they lie in the file.\n\n" + table(["both in", "rate", "peak memory"], rows))


def families(quick: bool) -> str:
    found = subprocess.run(
        [sys.executable, str(ROOT / "tools/benchmark_families.py"), "--program", str(PROGRAM)]
        + (["--turns", "1"] if quick else []), check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return ("Width 768, 8 layers, 12 heads, random weights in bf16, as many multiplications per token as Llama (but for "
            "rounding): 2048 tokens in sequences of 256, the families taking turns.\n\n" + found)


def random_model(folder: Path) -> None:
    """A Llama of 199 million weights in bf16, each between 2^-7 and 2^-6 in size, in Hugging Face layout."""
    d, hidden, layers, vocabulary, heads, key_heads = 1024, 4096, 12, 16384, 16, 4
    (folder / "config.json").write_text(json.dumps({
        "model_type": "llama", "vocab_size": vocabulary, "hidden_size": d, "intermediate_size": hidden,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": key_heads,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": 2048, "tie_word_embeddings": True}))
    keys = key_heads * d // heads
    shapes = {"model.embed_tokens.weight": [vocabulary, d], "model.norm.weight": [d]}
    for layer in range(layers):
        for name, shape in {
            "input_layernorm": [d], "post_attention_layernorm": [d], "self_attn.q_proj": [d, d],
            "self_attn.k_proj": [keys, d], "self_attn.v_proj": [keys, d], "self_attn.o_proj": [d, d],
            "mlp.gate_proj": [hidden, d], "mlp.up_proj": [hidden, d], "mlp.down_proj": [d, hidden],
        }.items():
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    generator = random.Random(0)
    sign_and_exponent = bytes(0xBC if byte & 1 else 0x3C for byte in range(256))
    with open(folder / "model.safetensors", "wb") as file:
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        file.write(len(text).to_bytes(8, "little") + text)
        for shape in shapes.values():
            elements = bytearray(generator.randbytes(2 * prod(shape)))
            elements[1::2] = elements[1::2].translate(sign_and_exponent)
            file.write(elements)


def decoding(quick: bool) -> str:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        random_model(Path(folder))
        for name, path, tokens in [("the demo model (in the cache)", ROOT / "Demo/model", 200), ("random", folder, 16)]:
            found = [run("decode", {}, 5, model=path, tokens=tokens) for _ in range(1 if quick else 3)]
            rows.append([name, f"{found[0]['weight_bytes'] / 1e6:.0f} MB",
                         f"{median(f['read_bytes_per_second'] for f in found) / 1e9:.0f} GB/s",
                         f"{median(f['tokens_per_second'] for f in found):.0f}",
                         f"{median(f['ratio'] for f in found):.2f}"])
    return ("Token by token after a prompt of 16, bf16 weights in memory. The time of a token over that of reading an "
            "array as large as the weights it needs once, with all threads, in the same run.\n\n"
            + table(["model", "weights", "reading", "tokens per second", "ratio"], rows))


def streams(quick: bool) -> str:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools/benchmark_stream.py")] + (["--repeats", "1"] if quick else []), check=True,
        capture_output=True, text=True, cwd=ROOT).stdout


def evaluating(quick: bool) -> str:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        random_model(Path(folder))
        for name, path, latents, tokens in [
            ("the demo model, d 256", ROOT / "Demo/model", 2048, 4096), ("random, d 1024", folder, 8192, 1024),
        ]:
            found = [run("evaluate", {}, 3, model=path, latents=latents, tokens=tokens) for _ in range(1 if quick else 3)]
            rows.append([name, latents, f"{median(f['ratio'] for f in found):.2f}"])
    return ("Evaluating one RouteSAE (the model as it is, with reconstructions, and a sixteenth of it with zeros; routing, "
            "encoding, all figures) in passes of the model to its logits, same tokens, same run.\n\n"
            + table(["model", "latents", "passes"], rows))


def indexing(quick: bool) -> str:
    rows = []
    for name, sizes, repeats in [
        ("route", {**LARGE, "tokens": 4096}, 3),
        ("topk", {"d-model": 768, "latents": 24576, "k": 32, "layers": 1, "tokens": 4096}, 5), ("route", SMALL, 9),
        ("route", {"d-model": 256, "latents": 4096, "k": 32, "layers": 9, "tokens": 8192}, 9),
    ]:
        ratios = [run("index", sizes, repeats, architecture=name)["ratio"] for _ in range(1 if quick else 3)]
        rows.append([name, shown(sizes), f"{median(ratios):.2f}"])
    return ("From the residual streams on: routing, encoding, reconstruction errors, all statistics and contexts.\n\n"
            + table(["system", "sizes", "ratio"], rows))


def scoring(quick: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo.sqlite"
        subprocess.run([str(PROGRAM), "demo", "--output", str(demo)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        found = [json.loads(subprocess.run(
            [str(PROGRAM), "benchmark", "score", str(demo), "--model", str(ROOT / "Demo/model"), "--sample", "50",
             "--format", "json"], check=True, capture_output=True, text=True).stdout) for _ in range(1 if quick else 3)]
    return ("On the demo catalog, 50 features. The model is asked about every shortened context: gathered, each once, in "
            "few runs; against one run for each.\n\n"
            + table(["", "figure"], [
                ["features explained and scored per second", f"{median(one['features_per_second'] for one in found):.0f}"],
                ["one run for each ÷ gathered", f"{median(one['ratio'] for one in found):.1f}"]]))


def catalog_bytes(path: Path) -> dict:
    """Bytes of a catalog's parts, by what they are counted in."""
    parts = {
        "contexts": ["feature_context"],
        "text": ["passage", "document"],
        "features": ["feature", "feature_layer", "feature_token", "feature_logit", "feature_neighbor", "feature_cofiring"],
        "weights": ["tensor_chunk", "dictionary_tensor"],
    }
    found = dict.fromkeys([*parts, "rest"], 0)
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        sizes = dict(database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        tables = dict(database.execute("SELECT name, tbl_name FROM sqlite_schema"))
    for name, size in sizes.items():
        table = "passage" if name.startswith("passage_text") else tables.get(name, name)
        found[next((part for part, names in parts.items() if table in names), "rest")] += size
    return found


def ask(path: Path, question: list, repeats: int) -> float:
    """Milliseconds of a question as a process, the fastest of some: the machine has other things to do."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([str(PROGRAM), question[0], str(path), *question[1:]], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def process_times(command: list) -> tuple:
    """Milliseconds of a process by the clock, and those in which it or the kernel for it computed."""
    start = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        process = os.posix_spawn(command[0], command, os.environ, file_actions=[
            (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1), (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2)])
        _, status, used = os.wait4(process, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} ended with {status}")
    return 1000 * (time.perf_counter() - start), 1000 * (used.ru_utime + used.ru_stime)


def starts(quick: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        catalog, statements, recorder, replay = (
            str(Path(folder) / name) for name in ("demo.sqlite", "statements", "recorder.so", "replay"))
        run_made = [str(PROGRAM), "benchmark", "catalog", "--features", "2048", "--contexts", "90", "--output", catalog]
        subprocess.run([*run_made, "--keep", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        source = str(ROOT / "tools/catalog_statements.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-DRECORD", "-o", recorder, source, "-lsqlite3", "-ldl"], check=True)
        subprocess.run(["cc", "-O2", "-o", replay, source, "-lsqlite3"], check=True)
        rows = []
        for question in (["features"], ["feature", "16"], ["layers"]):
            command = [str(PROGRAM), question[0], catalog, *question[1:]]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={**os.environ, "LD_PRELOAD": recorder, "STATEMENTS": statements})
            turns = [(process_times(command), process_times([replay, catalog, statements]))
                     for _ in range(20 if quick else 200)]
            figures = [median(turn[of][kind] for turn in turns) for kind in (0, 1) for of in (0, 1)]
            rows.append([f"`{' '.join(question)}`", *(f"{figure:.1f} ms" for figure in figures),
                         f"{figures[0] - figures[1]:.1f} ms"])
        version = median(process_times([str(PROGRAM), "--version"])[0] for _ in range(20 if quick else 200))
    return ("Whole processes on a catalog of 2048 made-up features, the median of 200: the program's, and that of a C program "
            "that asks the same statements of SQLite and does nothing else (`tools/catalog_statements.c`), taking turns. "
            f"`--version` takes {version:.1f} ms.\n\n"
            + table(["question", "program", "SQLite alone", "program, computing", "SQLite alone, computing", "above it"], rows))


def catalogs(quick: bool) -> str:
    with tempfile.TemporaryDirectory() as folder:
        made, before, rows, again, program = (Path(folder) / name for name in ("c", "before", "rows", "again", "inserts"))
        subprocess.run(["cc", "-O2", "-o", str(program), str(ROOT / "tools/catalog_inserts.c"), "-lsqlite3"], check=True)
        pairs = []
        for _ in range(1 if quick else 3):
            for file in (made, before):
                file.unlink(missing_ok=True)
            ours = json.loads(subprocess.run(
                [str(PROGRAM), "benchmark", "catalog", "--features", "4096", "--contexts", "90", "--model",
                 str(ROOT / "Demo/model"), "--text", str(ROOT / "Demo/text/train"), "--output", str(made), "--keep",
                 "--before", str(before), "--format", "json", "--quiet"], check=True, capture_output=True, text=True).stdout)
            subprocess.run([str(program), "dump", str(made), str(rows)], check=True)
            shutil.copy(before, again)
            bare = json.loads(subprocess.run(
                [str(program), "insert", str(again), str(rows)], check=True, capture_output=True, text=True).stdout)
            pairs.append((bare["seconds"] / ours["write_seconds"], bare["processor_seconds"] / ours["processor_seconds"]))
        bytes_of = catalog_bytes(made)
        asked = [json.loads(line) for line in subprocess.run(
            [str(PROGRAM), "benchmark", "queries", str(made), "--repeats", "5", "--format", "jsonl"], check=True,
            capture_output=True, text=True).stdout.splitlines()]
        slowest: dict = {}
        for one in asked:
            verb = one["question"].split("\t")[0]
            if one["milliseconds"] > slowest.get(verb, {"milliseconds": 0})["milliseconds"]:
                slowest[verb] = one
        page = ask(made, ["feature", "16"], 20)
    contexts, features = ours["contexts"], ours["features"]
    return (
        f"Made-up features on real text: {features} × {ours['contexts_per_feature']} contexts, {ours['tokens']:,} tokens. "
        "The same rows are inserted by a C program into the catalog as it was before (`tools/catalog_inserts.c`: same "
        "schema, settings, statements and order, one transaction).\n\n"
        + table(["", "figure"], [
            ["rows per second of bare C SQLite reached, by the clock", f"{median(a for a, _ in pairs):.2f}"],
            ["the same, by processor time", f"{median(b for _, b in pairs):.2f}"],
            ["bytes a context: rows, their index and activations", f"{bytes_of['contexts'] / contexts:.1f}"],
            ["bytes a context: text and its index", f"{bytes_of['text'] / contexts:.1f}"],
            ["bytes a feature without contexts and weights", f"{bytes_of['features'] / features:.0f}"],
            ["`feature 16` as a process", f"{page:.0f} ms"],
        ])
        + "\nThe slowest question of every verb, asked within one process:\n\n"
        + table(["question", "time"], [
            ["`" + one["question"].replace("\t", " ").replace("|", "\\|") + "`", f"{one['milliseconds']:.0f} ms"]
            for one in sorted(slowest.values(), key=lambda one: -one["milliseconds"])])
        + CATALOGS_AT_SCALE)


#: What takes too long to be measured every time: `routesae benchmark catalog` and `benchmark queries`, 10 million tokens,
#: on the same machine.
CATALOGS_AT_SCALE = """
Larger ones, made once on this machine; bytes by SQLite's dbstat, a dictionary of width 64. Questions are asked within one process, warm; a row is the slowest of several.

| | 131,072 × 90 | 1,048,576 × 20, schema 5 |
| --- | --- | --- |
| contexts | 11,796,480 | 20,971,520 |
| bytes a context: rows, their index and activations | 98.0 | 77.3 |
| bytes a context: text and its index | 13.6 | 5.5 |
| bytes a feature without contexts and weights | 4530 | 3707 |
| peak memory of the process that made it | 348 MB | |
| contexts written per second of processor time | 39,300 | |
| `features`, the standard list | 15 ms | 45 ms |
| `features`, sorted by a column with an index | 17 ms | 155 ms |
| `features`, sorted by another column: the median | 44 ms | |
| the same, the slowest: by explanation | 80 ms | 365 ms |
| `features --above-chance` | 29 ms | |
| `features`, filtered | 51 ms | 369 ms |
| `features`, a token of most features, a score, sorted | 89 ms | |
| `feature N` | 24 ms | 10 ms |
| `count` | 24 ms | 201 ms |
| `count` at three thresholds, by layer | 39 ms | 319 ms |
| `search`, in explanations | 9 ms | 53 ms |
| `search`, in promoted tokens | 22 ms | 82 ms |
| `search`, in contexts | 49 ms | 63 ms |
| `search`, in all of them | 77 ms | |
| `layers`, `runs` | 4 ms | 2 ms |
"""


SECTIONS = {
    "A training step against its encode product": steps,
    "A training step in bf16 against its encode product": halves,
    "A training step against PyTorch's": peers,
    "Products by our kernels and by other libraries": products,
    "Every system": systems,
    "Reading a stream against reading files": streams,
    "What AuxK adds to a step": auxiliary,
    "A sweep of eight dictionaries against one, live from the demo model": sweeps,
    "Peak memory of training against its formula (`TrainingMemory`)": memory,
    "The forward pass against transformers": forward,
    "Families against Llama": families,
    "Decoding against reading the weights": decoding,
    "Evaluating in passes of the model": evaluating,
    "Indexing against its encode product": indexing,
    "Explaining and scoring offline": scoring,
    "Catalog": catalogs,
    "The start of a process": starts,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a first look")
    parser.add_argument("--only", metavar="TEXT", help="measure only the sections whose title holds this; keep the others")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    earlier = {}
    if options.only and options.output.exists():
        for part in options.output.read_text().split("\n## ")[1:]:
            title, _, text = part.partition("\n\n")
            earlier[title] = text.strip("\n") + "\n"
    has_torch = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
    parts = []
    for title, measure in SECTIONS.items():
        if options.only and options.only.lower() not in title.lower():
            text = earlier.get(title)
        elif measure in (forward, families, peers) and not has_torch:
            text = None
        else:
            text = measure(options.quick)
        if text:
            parts.append(f"## {title}\n\n{text}")
    text = ("# Benchmarks\n\nRatios, measured by `make benchmark` (`tools/benchmark.py`) on: " + machine() + ".\n\n"
            + "\n".join(parts))
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
