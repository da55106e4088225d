"""The language model: its pass, decoding, and what runs on its residual streams."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from math import prod
from pathlib import Path
from statistics import median

from .program import PROGRAM, ROOT, run, table
from .training import LARGE, SMALL, shown

def forward(quick: bool) -> str:
    rows = []
    for precision, tokens in [("f32", 512), ("bf16", 512), ("bf16", 2048)]:
        found = json.loads(subprocess.run(
            [sys.executable, str(ROOT / "tools/benchmark_forward.py"), "--program", str(PROGRAM), "--precision", precision,
             "--tokens", str(tokens)], check=True, capture_output=True, text=True).stdout)
        figures = ("rate_ratio", "rate_ratio_at_equal_depth", "memory_ratio", "peak_over_weights")
        rows.append([precision, tokens, *(f"{found[figure]:.2f}" for figure in figures)])
    return ("A model of Llama-3.2-1B's sizes with random weights in bf16, sequences of 512 tokens. transformers: hidden "
            f"states of all layers, no logits. Here: up to the last routed layer, {found['layers_run']} of "
            f"{found['layers']}, in f32 with weights widened layer by layer, in bf16 with weights where they lie in the "
            "file. The last column: peak memory over the bytes of those layers' weights on disk.\n\n"
            + table(["both in", "tokens", "rate", "rate at equal depth", "peak memory", "peak ÷ weights"], rows))


def precisions(quick: bool) -> str:
    errors = {}
    with tempfile.TemporaryDirectory() as folder:
        for precision in ("f32", "bf16"):
            catalog, config = Path(folder) / f"{precision}.sqlite", Path(folder) / "sweep.json"
            config.write_text(json.dumps({
                "model": str(ROOT / "Demo/model"), "text": [str(ROOT / "Demo/text/train")], "latents": 2048,
                "tokens": 81_920 if quick else 409_600, "context": 256, "precision": precision,
                "dictionaries": [{"architecture": "route", "k": 32, "seed": [0, 1, 2]}]}))
            for command in (
                ["sweep", catalog, "--config", config],
                ["evaluate", catalog, "--dictionary", 1, 2, 3, "--model", ROOT / "Demo/model", "--text",
                 ROOT / "Demo/text/heldout", "--tokens", 16_384],
            ):
                subprocess.run([str(PROGRAM), *map(str, command), "--quiet"], check=True, stdout=subprocess.DEVNULL)
            with contextlib.closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as database:
                errors[precision] = [value for value, in database.execute(
                    "SELECT value FROM evaluation WHERE metric = 'norm_mse' AND layer IS NULL ORDER BY dictionary_id")]
    rows = [[seed, f"{whole:.4f}", f"{half:.4f}", f"{100 * (half / whole - 1):+.2f} %"]
            for seed, (whole, half) in enumerate(zip(errors["f32"], errors["bf16"], strict=True))]
    whole, half = (sum(errors[precision]) / len(errors[precision]) for precision in ("f32", "bf16"))
    rows.append(["mean", f"{whole:.4f}", f"{half:.4f}", f"{100 * (half / whole - 1):+.2f} %"])
    return ("RouteSAE of 2048 latents, k 32, on the demo model, model and dictionary in either precision, equal tokens; "
            "NormMSE on held-out text, evaluated in f32. Rounding sends a training along another path, so one seed's two "
            "results differ as those of two seeds do, if by less.\n\n" + table(["seed", "f32", "bf16", "difference"], rows))


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
        for name, path, tokens, precision in [
            (name, path, tokens, precision) for name, path, tokens in [
                ("the demo model (in the cache)", ROOT / "Demo/model", 200), ("random", folder, 16)]
            for precision in ("f32", "bf16")
        ]:
            found = [run("decode", {}, 5, model=path, tokens=tokens, precision=precision) for _ in range(1 if quick else 3)]
            rows.append([name, precision, f"{found[0]['weight_bytes'] / 1e6:.0f} MB",
                         f"{median(f['read_bytes_per_second'] for f in found) / 1e9:.0f} GB/s",
                         f"{median(f['tokens_per_second'] for f in found):.0f}",
                         f"{median(f['ratio'] for f in found):.2f}"])
    return ("Token by token after a prompt of 16, bf16 weights in memory. The time of a token over that of reading an "
            "array as large as the weights it needs once, with all threads, in the same run.\n\n"
            + table(["model", "products in", "weights", "reading", "tokens per second", "ratio"], rows))


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
