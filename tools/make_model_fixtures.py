#!/usr/bin/env python3
# Made with: torch 2.15.0, transformers 5.23.0, safetensors 0.8.0, numpy 2.4.6, Python 3.11 (tools/requirements.txt).
"""Write tiny random language models in Hugging Face layout, with golden outputs.

Each folder of Tests/Fixtures/models holds `config.json`, the weights, and
`golden.safetensors`:

    token_ids   [T]        int64    T = 48
    residual    [layers, T, d] f32  output of every decoder layer (forward hooks)
    logits      [T, V]     f32
    token_ids_2, residual_2, logits_2    the same for a second sequence, T = 7
    greedy_ids  [12 or 64] int64    greedy continuation of the first 5 of token_ids

The stored weights are widened to float32 and run with eager attention.  Every
greedy step is a whole forward pass, which for rotary embeddings that depend on
the sequence's length differs from decoding with a cache of rotated keys.  The
header of golden.safetensors records how far a float64 run is away
(`max_deviation_float64`, relative to the largest value), what a forward
without the features under test would have given (`feature_effect`), and the
smallest lead of the greedy choice over the runner-up (`greedy_margin`).

    llama3        rope scaling of Llama 3.1 (all three frequency zones), GQA, tied, bf16
    llama-untied  own lm_head, biases in attention and MLP, f32, three shards with an index
    mistral       sliding window of 16, head_dim other than hidden / heads, f16
    qwen2         biases on q, k, v; tied; bf16; a sliding_window that use_sliding_window turns off
    qwen3         q and k norms, explicit head_dim, f32; config.json in the layout of transformers 5

and the further families of model_fixture_families.py, whose greedy ids are 64:

    gpt2, gpt_neo, gptj      learned positions, local attention, rotation of neighbouring pairs; gpt2-bare has names
                             without a prefix, mask buffers and scale_attn_by_inverse_layer_idx
    gpt_neox, phi, stablelm, starcoder2             LayerNorm; parallel and serial residual, partial rotation
    gemma, gemma2, gemma3_text   norms around 0, soft caps, windows; gemma3 and gemma3-nested lie beside tensors for
                             images, under the names of older and newer checkpoints
    olmo, olmo2, smollm3, granite, phi3     what sets each apart; phi3 with long and short factors
    llama-…                  other activations; rope scaling linear, dynamic, yarn in the layouts of transformers 4 and 5

All norm weights and biases are random, so that leaving one out shows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
from safetensors.torch import save_file
from torch import Tensor

from model_fixture_families import FAMILIES, Fixture

COMMON: Dict[str, Any] = {
    "attention_dropout": 0.0, "hidden_act": "silu", "initializer_range": 0.02, "max_position_embeddings": 256,
    "bos_token_id": 1, "eos_token_id": 2, "use_cache": True,
}


FIXTURES: Dict[str, Fixture] = {
    "llama3": Fixture({
        **COMMON, "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128, "hidden_size": 64,
        "intermediate_size": 112, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 16, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
        "attention_bias": False, "mlp_bias": False, "torch_dtype": "bfloat16",
        "rope_scaling": {
            "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 32, "rope_type": "llama3",
        },
    }, torch.bfloat16, 1, {"rope_scaling": None}, 11),
    "llama-untied": Fixture({
        **COMMON, "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 97, "hidden_size": 40,
        "intermediate_size": 72, "num_hidden_layers": 3, "num_attention_heads": 5, "num_key_value_heads": 5,
        "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "rope_scaling": None, "tie_word_embeddings": False,
        "attention_bias": True, "mlp_bias": True, "torch_dtype": "float32",
    }, torch.float32, 3, None, 12),
    "mistral": Fixture({
        **COMMON, "architectures": ["MistralForCausalLM"], "model_type": "mistral", "vocab_size": 120,
        "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 20, "rms_norm_eps": 1e-5, "rope_theta": 1000000.0,
        "sliding_window": 16, "tie_word_embeddings": False, "torch_dtype": "float16",
    }, torch.float16, 1, {"sliding_window": None}, 12),
    "qwen2": Fixture({
        **COMMON, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 151, "hidden_size": 56,
        "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 7, "num_key_value_heads": 1,
        "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "sliding_window": 8, "use_sliding_window": False,
        "max_window_layers": 2, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
    }, torch.bfloat16, 1, None, 13),
    "qwen3": Fixture({
        **COMMON, "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 110, "hidden_size": 32,
        "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 16, "rms_norm_eps": 1e-6, "sliding_window": None, "use_sliding_window": False,
        "max_window_layers": 4, "attention_bias": False, "tie_word_embeddings": True, "dtype": "float32",
        "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"},
        "layer_types": ["full_attention"] * 4,
    }, torch.float32, 1, None, 13),
}


EMBEDDINGS = ("embed_tokens", "embed_in", "wte", "wpe")


def random_weights(names: Dict[str, Tuple[int, ...]], fixture: Fixture) -> Dict[str, Tensor]:
    """Random values for every parameter; norms around 1 (or 0) but never 1, biases not zero."""
    generator = torch.Generator().manual_seed(fixture.seed)
    weights = {}
    for name in sorted(names):
        shape = names[name]
        if name.endswith("bias"):
            weights[name] = 0.3 * torch.randn(shape, generator=generator)
        elif "norm" in name or len(shape) == 1:
            weights[name] = fixture.norm_around - 0.5 + torch.rand(shape, generator=generator)
        elif any(part in name for part in EMBEDDINGS):
            weights[name] = fixture.embedding * torch.randn(shape, generator=generator)
        else:
            weights[name] = fixture.gain * torch.randn(shape, generator=generator) * shape[-1] ** -0.5
    return weights


def save_weights(folder: Path, weights: Dict[str, Tensor], shards: int) -> None:
    """One safetensors file, or several with an index."""
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return
    # Round robin, so that a layer's tensors lie in different files.
    index: Dict[str, Any] = {
        "metadata": {"total_size": sum(w.numel() * w.element_size() for w in weights.values())}, "weight_map": {},
    }
    for number in range(shards):
        name = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        part = {k: w for i, (k, w) in enumerate(sorted(weights.items())) if i % shards == number}
        save_file(part, folder / name, metadata={"format": "pt"})
        index["weight_map"].update({k: name for k in part})
    index["weight_map"] = dict(sorted(index["weight_map"].items()))
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def load(folder: Path, dtype: torch.dtype, changes: Optional[Dict[str, Any]] = None) -> Any:
    """The model of a folder, with eager attention, widened to `dtype`."""
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = json.loads((folder / "config.json").read_text())
    settings.update(changes or {})
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=dtype, attn_implementation="eager", output_loading_info=True,
    )
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], info
    return model.eval()


def decoder_layers(model: Any) -> Any:
    """The decoder layers, whose outputs are the residual stream."""
    base = getattr(model, model.base_model_prefix)
    base = getattr(base, "language_model", base)
    return base.h if hasattr(base, "h") else base.layers


@torch.no_grad()
def run(model: Any, ids: Tensor) -> Tuple[Tensor, Tensor]:
    """Residual stream after every decoder layer [layers, T, d], and logits [T, V]."""
    outputs: List[Tensor] = []

    def hook(_module: Any, _inputs: Any, output: Any) -> None:
        outputs.append((output[0] if isinstance(output, tuple) else output)[0].clone())

    handles = [layer.register_forward_hook(hook) for layer in decoder_layers(model)]
    logits = model(ids[None], use_cache=False).logits[0]
    for handle in handles:
        handle.remove()
    return torch.stack(outputs), logits


@torch.no_grad()
def greedy(model: Any, prompt: Tensor, count: int) -> Tuple[Tensor, float]:
    """Greedy ids after `prompt`, every step a whole forward pass, and the smallest lead."""
    ids, margin = prompt.clone(), float("inf")
    for _ in range(count):
        best = model(ids[None], use_cache=False).logits[0, -1].topk(2)
        margin = min(margin, float(best.values[0] - best.values[1]))
        ids = torch.cat([ids, best.indices[:1]])
    return ids[len(prompt) :], margin


def deviation(a: Tensor, b: Tensor) -> float:
    """Largest difference, relative to the largest value."""
    return float((a.double() - b.double()).abs().max() / b.double().abs().max())


def parameter_shapes(config: Dict[str, Any]) -> Dict[str, Tuple[int, ...]]:
    """The parameters of a configuration; a tied lm_head is not listed."""
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = dict(config)
    skeleton = AutoModelForCausalLM.from_config(AutoConfig.for_model(settings.pop("model_type"), **settings))
    return {n: tuple(p.shape) for n, p in skeleton.named_parameters()}


def write_model(folder: Path, fixture: Fixture, plain: bool = False) -> int:
    """Write config.json and the weights, `plain` without wrapper and renaming, and count the parameters' tensors."""
    config = fixture.config
    if fixture.wrapper is not None and not plain:
        text = {k: v for k, v in config.items() if k not in (*fixture.left_out, "architectures", "torch_dtype")}
        config = {**fixture.wrapper, "text_config": text}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    shapes = parameter_shapes(fixture.config)
    weights = random_weights(shapes, fixture)
    weights = {n: w.to(fixture.dtype) for n, w in weights.items()}
    if fixture.stored is not None and not plain:
        weights = fixture.stored(weights)
    save_weights(folder, weights, fixture.shards)
    return len(shapes)


def sequences(fixture: Fixture) -> Tuple[Tensor, Tensor]:
    """The two sequences of token ids that a fixture is run on."""
    generator = torch.Generator().manual_seed(fixture.seed + 1)
    vocabulary = fixture.config["vocab_size"]
    first = torch.randint(0, vocabulary, (48,), generator=generator)
    return first, torch.randint(0, vocabulary, (7,), generator=generator)


def check_stored(folder: Path, ids: Tensor, expected: Tensor) -> None:
    """Check that transformers reads the wrapped checkpoint as the same text model."""
    from transformers import AutoConfig, Gemma3ForConditionalGeneration

    config = AutoConfig.from_pretrained(folder)
    model, info = Gemma3ForConditionalGeneration.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager", output_loading_info=True,
    )
    # Most of the tensors for images are left out of the fixture.
    strays = [n for n in info["missing_keys"] if "vision_tower" not in n and "multi_modal" not in n]
    assert not strays and not info["unexpected_keys"], (strays, info["unexpected_keys"])
    with torch.no_grad():
        logits = model.eval()(ids[None], use_cache=False).logits[0]
    assert deviation(logits, expected) < 1e-6, deviation(logits, expected)


def make(name: str, fixture: Fixture, root: Path) -> None:
    """Write one fixture folder."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    count = write_model(folder, fixture)
    with tempfile.TemporaryDirectory() as scratch:
        plain = folder
        if fixture.wrapper is not None:
            plain = Path(scratch)
            write_model(plain, fixture, plain=True)
        tensors, metadata = goldens(plain, fixture)
    if fixture.wrapper is not None:
        check_stored(folder, tensors["token_ids"], tensors["logits"])
    save_file(tensors, folder / "golden.safetensors", metadata=metadata)
    for path in folder.iterdir():
        path.chmod(0o644)
    size = sum(p.stat().st_size for p in folder.iterdir())
    print(f"{name:19} {size / 1e3:6.0f} kB  {count:3} tensors  {metadata}", flush=True)


def goldens(folder: Path, fixture: Fixture) -> Tuple[Dict[str, Tensor], Dict[str, str]]:
    """The outputs of the model in `folder`, and what their header records."""
    first, second = sequences(fixture)
    single, double = load(folder, torch.float32), load(folder, torch.float64)
    residual, logits = run(single, first)
    residual_2, logits_2 = run(single, second)
    residual_64, logits_64 = run(double, first)
    greedy_ids, margin = greedy(single, first[:5], fixture.greedy)
    metadata = {
        "max_deviation_float64": f"residual {deviation(residual, residual_64):.2e}, logits {deviation(logits, logits_64):.2e}",
        "greedy_margin": f"{margin:.4f} of {float(logits.std()):.4f} (standard deviation of the logits)",
        "seed": str(fixture.seed),
    }
    effects = []
    for setting, value in (fixture.without or {}).items():
        effect = deviation(run(load(folder, torch.float32, {setting: value}), first)[1], logits)
        assert effect > 1e-4, f"{setting} has no effect: {effect:.2e}"
        effects.append(f"logits {effect:{'.3f' if effect >= 1e-3 else '.0e'}} without {setting}")
    if effects:
        metadata["feature_effect"] = "; ".join(effects)
    return {
        "token_ids": first, "residual": residual.contiguous(), "logits": logits.contiguous(), "token_ids_2": second,
        "residual_2": residual_2.contiguous(), "logits_2": logits_2.contiguous(), "greedy_ids": greedy_ids,
    }, metadata


def search(name: str, fixture: Fixture, count: int) -> None:
    """Print the seed below `count` whose greedy ids have the clearest lead among those that vary."""
    found = []
    for seed in range(1, count):
        candidate = fixture._replace(seed=seed)
        with tempfile.TemporaryDirectory() as scratch:
            write_model(Path(scratch), candidate, plain=True)
            model = load(Path(scratch), torch.float32)
        first = sequences(candidate)[0]
        ids, margin = greedy(model, first[:5], fixture.greedy)
        varied = len(set(ids.tolist())) >= fixture.greedy // 4
        found.append((varied, margin / float(run(model, first)[1].std()), seed, len(set(ids.tolist()))))
    varied, lead, seed, different = max(found)
    print(f"{name:19} seed {seed}: lead {lead:.4f} standard deviations, {different} different ids", flush=True)


def main() -> None:
    """Write all fixtures."""
    from transformers.utils import logging

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("Tests/Fixtures/models"), help="output folder (default: %(default)s)")
    parser.add_argument("--search", type=int, metavar="COUNT", help="write nothing; look for a good seed below COUNT")
    parser.add_argument("names", nargs="*", help="fixtures to make (default: all)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    for name, fixture in {**FIXTURES, **FAMILIES}.items():
        if arguments.names and name not in arguments.names:
            continue
        if arguments.search is not None:
            search(name, fixture, arguments.search)
        else:
            make(name, fixture, arguments.out)


if __name__ == "__main__":
    main()
