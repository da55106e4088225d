#!/usr/bin/env python3
# Made with: torch 2.15.0, transformers 5.23.0, numpy 2.4, Python 3.11 (tools/requirements.txt).
"""Compare a model's residual streams in bf16 with those in f32, after every layer, here and in transformers.

    tools/compare_precision.py Demo/model --text Demo/text/heldout

Each program is compared with itself: `routesae activations --precision bf16` with `--precision f32`, and transformers with
its weights in bfloat16 with transformers in float32, on the same tokens. A figure is the mean over tokens of
|h_bf16 - h_f32| / |h_f32|; the special token before each text is left out. Without PyTorch only the first column is
computed. Exit status: 0 if no layer is worse here than in transformers, else 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def tensors(path: Path) -> dict:
    """The tensors of a safetensors file without bf16."""
    types = {"F32": np.float32, "I32": np.int32, "I64": np.int64, "U8": np.uint8, "BOOL": np.bool_, "U32": np.uint32}
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + length])
    return {
        name: np.frombuffer(content[8 + length + at["data_offsets"][0]:8 + length + at["data_offsets"][1]],
                            types[at["dtype"]]).reshape(at["shape"])
        for name, at in header.items() if name != "__metadata__"}


def relative(halved: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """For each layer the mean relative difference of [tokens, layers, d]."""
    difference = np.linalg.norm(halved.astype(np.float64) - whole, axis=2)
    return (difference / np.linalg.norm(whole.astype(np.float64), axis=2)).mean(axis=0)


def ours(program: str, model: str, text: list, tokens: int, context: int) -> tuple:
    """Our differences, and the sequences of token ids with the rows that count."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for precision in ["f32", "bf16"]:
            path = Path(folder) / (precision + ".safetensors")
            subprocess.run(
                [program, "activations", "--model", model, "--text", *text, "--layers", "all", "--tokens", str(tokens),
                 "--context", str(context), "--dtype", "f32", "--precision", precision, "--output", str(path), "--quiet"],
                check=True, stdout=subprocess.DEVNULL)
            found[precision] = tensors(path)
    ids, prefix = found["f32"]["token_ids"], found["f32"]["is_prefix"].astype(bool)
    starts = np.flatnonzero(prefix)
    sequences = [(ids[a:b].tolist(), np.arange(a, b)) for a, b in zip(starts, [*starts[1:], len(ids)])]
    return relative(*(found[p]["activations"][~prefix] for p in ["bf16", "f32"])), sequences


def theirs(model: str, sequences: list) -> np.ndarray:
    """transformers' differences on the same sequences."""
    import torch
    from transformers import AutoModel

    streams = {}
    for dtype in [torch.float32, torch.bfloat16]:
        network = AutoModel.from_pretrained(model, dtype=dtype).eval()
        count = network.config.num_hidden_layers
        layers = next(m for m in network.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == count)
        outputs: list = []
        for layer in layers:
            layer.register_forward_hook(
                lambda _, __, out: outputs.append((out[0] if isinstance(out, tuple) else out)[0].float().numpy()))
        rows = []
        with torch.no_grad():
            for ids, _ in sequences:
                outputs.clear()
                network(input_ids=torch.tensor([ids]), use_cache=False)
                rows.append(np.stack(outputs, axis=1)[1:])
        streams[dtype] = np.concatenate(rows)
    return relative(streams[torch.bfloat16], streams[torch.float32])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--program", default=str(ROOT / ".build/release/routesae"))
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--context", type=int, default=256)
    options = parser.parse_args()
    mine, sequences = ours(options.program, options.model, options.text, options.tokens, options.context)
    other = None
    if importlib.util.find_spec("torch") and importlib.util.find_spec("transformers"):
        other = theirs(options.model, sequences)
    print("| layer | routesae |" + (" transformers |" if other is not None else ""))
    print("| --- | --- |" + (" --- |" if other is not None else ""))
    for layer, figure in enumerate(mine):
        print(f"| {layer} | {figure:.2e} |" + (f" {other[layer]:.2e} |" if other is not None else ""))
    sys.exit(1 if other is not None and (mine > other).any() else 0)


if __name__ == "__main__":
    main()
