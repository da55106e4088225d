#!/usr/bin/env python3
# Made with: torch 2.15.0, transformers 5.23.0, safetensors 0.8.0, Python 3.11 (tools/requirements.txt).
"""Time the forward pass of every family at equal sizes against that of Llama, all in one run.

Makes a model of each family with random weights: width 768, 8 layers, 12 heads of 64, a vocabulary of 6144, and as
many multiplications per token as a Llama with a feed-forward layer of 2048 has (3072 where there is no gate). Then
`routesae benchmark forward` reads 2048 tokens in sequences of 256, the families taking turns. Prints a table: tokens
per second, the ratio to Llama's rate of the same turn (the median of the turns), and the peak memory over that of
Llama. With --keep FOLDER the models stay there, with the demo model's tokenizer, for other trials.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Dict

WIDTH, LAYERS, HEADS, VOCABULARY, POSITIONS = 768, 8, 12, 6144, 1024
COMMON: Dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": WIDTH, "intermediate_size": 2048, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "head_dim": WIDTH // HEADS,
    "max_position_embeddings": POSITIONS, "bos_token_id": 6142, "eos_token_id": 6143, "pad_token_id": 6143,
}
PLAIN = {k: v for k, v in COMMON.items() if k != "head_dim"} | {"intermediate_size": 3072}
OLDER = {
    "vocab_size": VOCABULARY, "n_embd": WIDTH, "n_layer": LAYERS, "n_head": HEADS, "n_inner": 3072,
    "n_positions": POSITIONS, "bos_token_id": 6142, "eos_token_id": 6143,
}
WINDOWS = {"sliding_window": 256, "query_pre_attn_scalar": WIDTH // HEADS}
FAMILIES: Dict[str, Dict[str, Any]] = {
    "llama": COMMON, "mistral": {**COMMON, "sliding_window": 256}, "qwen2": COMMON, "qwen3": COMMON, "gpt2": OLDER,
    "gpt_neo": {**{k: v for k, v in PLAIN.items() if not k.startswith("num_")}, "num_layers": LAYERS,
                "num_heads": HEADS, "attention_types": [[["global", "local"], LAYERS // 2]]},
    "gptj": {**OLDER, "rotary_dim": 32}, "gpt_neox": PLAIN, "phi": PLAIN, "phi3": COMMON, "gemma": COMMON,
    "gemma2": {**COMMON, **WINDOWS}, "gemma3_text": {**COMMON, **WINDOWS}, "olmo": COMMON, "olmo2": COMMON,
    "stablelm": COMMON, "starcoder2": PLAIN, "smollm3": COMMON,
    "granite": {**COMMON, "embedding_multiplier": 12.0, "attention_multiplier": 0.0156, "residual_multiplier": 0.22,
                "logits_scaling": 8.0},
}


def make_model(family: str, folder: Path) -> None:
    """Write a model with random weights, and the demo's tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **FAMILIES[family]))
    model.to(torch.bfloat16).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path("Demo/model") / name, folder / name)


def forward(program: str, folder: Path, tokens: int) -> Dict[str, Any]:
    """One measurement."""
    command = [program, "benchmark", "forward", "--model", str(folder), "--tokens", str(tokens), "--repeats", "3",
               "--format", "json", "--quiet"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=".build/release/routesae")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--keep", help="a folder in which the models are left")
    parser.add_argument("families", nargs="*", default=list(FAMILIES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(options.keep or temporary)
        families = ["llama"] + [name for name in options.families if name != "llama"]
        for family in families:
            if not (root / family / "config.json").exists():
                make_model(family, root / family)
        found: Dict[str, list] = {family: [] for family in families}
        for _ in range(options.turns):
            for family in families:
                found[family].append(forward(options.program, root / family, options.tokens))
        print("| family | tokens/s | rate over Llama's | peak memory over Llama's |\n|---|---|---|---|")
        for family in families:
            pairs = list(zip(found[family], found["llama"]))
            rate = median(a["tokens_per_second"] for a, _ in pairs)
            ratio = median(a["tokens_per_second"] / b["tokens_per_second"] for a, b in pairs)
            memory = median(a["peak_resident_bytes"] / b["peak_resident_bytes"] for a, b in pairs)
            print(f"| {family} | {rate:.0f} | {ratio:.2f} | {memory:.2f} |")


if __name__ == "__main__":
    main()
