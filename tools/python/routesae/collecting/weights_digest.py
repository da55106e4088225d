"""The digest that identifies a model by its weights, however they are divided among files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from typing import Any

#: The longest header of a safetensors file, as the format has it.
MOST_HEADER_BYTES = 100_000_000
#: What is read of a layer of the models that `routesae` runs itself, by the flag of config.json that asks for it.
LAYER_TENSORS: dict[str, str] = {
    "": r"(input_layernorm|post_attention_layernorm|self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)\.weight",
    "qwen2": r"self_attn\.[qkv]_proj\.bias",
    "qwen3": r"self_attn\.[qk]_norm\.weight",
    "attention_bias": r"self_attn\.[qkvo]_proj\.bias",
    "mlp_bias": r"mlp\.(gate|up|down)_proj\.bias",
}


def weight_files(folder: str) -> list[str]:
    """The weight files of a model's folder, by name."""
    return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith(".safetensors")]


def is_read(name: str, config: dict[str, Any]) -> bool:
    """Whether `routesae` reads a tensor of a model with this config.json; of models that it does not run, all count.

    Args:
        name: of the tensor, without `model.` in front.
    """
    family = config.get("model_type")
    if family not in ("llama", "mistral", "qwen2", "qwen3"):
        return True
    if name == "lm_head.weight":
        return not config.get("tie_word_embeddings", False)
    if not (layer := re.fullmatch(r"layers\.(\d+)\.(.*)", name)):
        return name in ("embed_tokens.weight", "norm.weight")
    flags = ["", family]
    if family in ("llama", "qwen3") and config.get("attention_bias"):
        flags.append("attention_bias")
    if family == "llama" and config.get("mlp_bias"):
        flags.append("mlp_bias")
    known = any(re.fullmatch(LAYER_TENSORS[flag], layer[2]) for flag in flags if flag in LAYER_TENSORS)
    return known and int(layer[1]) < int(config.get("num_hidden_layers", 0))


def weights_digest(folder: str) -> str | None:
    """SHA-256 of a line `name dtype [shape] sha256` for every tensor that is read, in the order of their names.

    Names go without `model.` in front, so that a model has the digest of its inner one. None where there is no
    safetensors file, or one that is damaged.
    """
    try:
        with open(f"{folder}/config.json", encoding="utf-8") as file:
            config = json.load(file)
        paths = [f"{folder}/model.safetensors"]
        if not os.path.isfile(paths[0]):
            with open(f"{folder}/model.safetensors.index.json", encoding="utf-8") as file:
                paths = [f"{folder}/{name}" for name in sorted(set(json.load(file)["weight_map"].values()))]
        lines = []
        for path in paths:
            with open(path, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                if length > MOST_HEADER_BYTES:
                    return None
                raw = file.read(length)
                if len(raw) < length:
                    return None
                header = json.loads(raw)
                for name, entry in header.items():
                    short = name.removeprefix("model.")
                    if name == "__metadata__" or not is_read(short, config):
                        continue
                    begin, end = entry["data_offsets"]
                    file.seek(8 + length + begin)
                    digest = hashlib.sha256()
                    while begin < end and (piece := file.read(min(1 << 22, end - begin))):
                        digest.update(piece)
                        begin += len(piece)
                    if begin < end:
                        return None
                    shape = ",".join(map(str, entry["shape"]))
                    lines.append((short.encode(), f"{short} {entry['dtype']} [{shape}] {digest.hexdigest()}\n"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError):
        return None
    return hashlib.sha256("".join(line for _, line in sorted(lines)).encode()).hexdigest()
