"""Configurations of the model fixtures of further families, one entry a folder (used by make_model_fixtures.py).

Sizes are odd on purpose: heads that do not divide the width, one key head, widths of the MLP that are no multiple of
a vector.  Each entry names the settings that must matter; the maker runs the model without each of them and fails if
the logits stay the same.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import torch
from torch import Tensor

Weights = Dict[str, Tensor]


class Fixture(NamedTuple):
    """A model to make.  The seeds were chosen so that the greedy ids vary and have a clear lead."""

    config: Dict[str, Any]
    dtype: torch.dtype
    shards: int
    without: Optional[Dict[str, Any]]  # settings whose replacement has to change the logits
    seed: int
    greedy: int = 12  # greedily chosen tokens
    norm_around: float = 1.0  # the middle of the norms' random weights; 0 where the model adds 1
    embedding: float = 0.1  # the embeddings' standard deviation, small so that tied logits do not repeat the input
    gain: float = 1.0  # factor of all matrices; more makes the greedy ids vary
    stored: Optional[Callable[[Weights], Weights]] = None  # names and tensors as the checkpoint has them
    wrapper: Optional[Dict[str, Any]] = None  # config.json around `config`, which becomes its text_config
    left_out: Tuple[str, ...] = ()  # settings that config.json leaves to the family's defaults


def new(model_type: str, architecture: str, dtype: torch.dtype, without: Dict[str, Any],
        settings: Dict[str, Any], **rest: Any) -> Fixture:
    """A fixture with 64 greedy tokens; `choose_seeds` sets the seed."""
    config = {"architectures": [architecture], "model_type": model_type, "bos_token_id": 1, "eos_token_id": 2, **settings}
    config["torch_dtype"] = str(dtype).removeprefix("torch.")
    return Fixture(config, dtype, 1, without, seed=0, greedy=64, **rest)


F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16


# GPT-2, GPT-Neo, GPT-J

def without_prefix(prefix: str, buffers: Callable[[int], Weights]) -> Callable[[Weights], Weights]:
    """Names without `prefix`, and the buffers that old checkpoints have for each layer."""

    def stored(weights: Weights) -> Weights:
        weights = {n.removeprefix(prefix): w for n, w in weights.items()}
        for layer in range(3):
            weights.update(buffers(layer))
        return weights

    return stored


def causal_mask(positions: int, dtype: torch.dtype) -> Tensor:
    """The lower triangle that old checkpoints store in every layer [1, 1, positions, positions]."""
    return torch.tril(torch.ones(positions, positions)).to(dtype)[None, None].clone()


GPT2: Dict[str, Any] = {
    "vocab_size": 97, "n_positions": 80, "n_embd": 36, "n_layer": 3, "n_head": 3, "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5, "resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1,
}

FAMILIES: Dict[str, Fixture] = {
    "gpt2": new("gpt2", "GPT2LMHeadModel", BF16, {"activation_function": "gelu", "scale_attn_weights": False}, GPT2),
    "gpt2-bare": new(
        "gpt2", "GPT2LMHeadModel", F16, {"scale_attn_by_inverse_layer_idx": False, "activation_function": "relu"},
        {**GPT2, "vocab_size": 89, "n_positions": 72, "n_embd": 40, "n_head": 5, "n_inner": 77,
         "scale_attn_by_inverse_layer_idx": True},
        stored=without_prefix("transformer.", lambda layer: {f"h.{layer}.attn.bias": causal_mask(72, F16)}),
    ),
    "gpt_neo": new("gpt_neo", "GPTNeoForCausalLM", F16, {"window_size": 64, "activation_function": "gelu"}, {
        "vocab_size": 93, "max_position_embeddings": 80, "hidden_size": 36, "num_layers": 4, "num_heads": 3,
        "intermediate_size": None, "attention_types": [[["global", "local"], 2]], "window_size": 7,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "resid_dropout": 0.0, "embed_dropout": 0.0,
    }),
    "gptj": new("gptj", "GPTJForCausalLM", F16, {"rotary_dim": 12, "activation_function": "relu"}, {
        "vocab_size": 95, "n_positions": 96, "n_embd": 36, "n_layer": 3, "n_head": 3, "rotary_dim": 8, "n_inner": None,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "tie_word_embeddings": False,
    }),
}


# GPT-NeoX and its relatives: LayerNorm, parallel residual, partial rotary embedding

NEOX: Dict[str, Any] = {
    "vocab_size": 79, "hidden_size": 32, "intermediate_size": 58, "num_hidden_layers": 3, "num_attention_heads": 2,
    "hidden_act": "gelu", "layer_norm_eps": 1e-5, "max_position_embeddings": 128, "rotary_emb_base": 10000,
}


def neox_buffers(weights: Weights) -> Weights:
    """The buffers that Pythia's checkpoints have."""
    weights = dict(weights)
    for layer in range(3):
        prefix = f"gpt_neox.layers.{layer}.attention."
        weights[prefix + "bias"] = causal_mask(64, torch.uint8)
        weights[prefix + "masked_bias"] = torch.tensor(-1e4, dtype=F16)
        weights[prefix + "rotary_emb.inv_freq"] = (1 / 10000 ** (torch.arange(0, 4, 2) / 4)).to(F16)
    return weights


FAMILIES.update({
    "gpt_neox": new(
        "gpt_neox", "GPTNeoXForCausalLM", F16,
        {"use_parallel_residual": False, "rotary_pct": 0.5, "hidden_act": "relu"},
        {**NEOX, "rotary_pct": 0.25, "use_parallel_residual": True, "tie_word_embeddings": False}, stored=neox_buffers,
    ),
    "gpt_neox-serial": new(
        "gpt_neox", "GPTNeoXForCausalLM", BF16, {"use_parallel_residual": True, "rotary_pct": 0.25},
        {**NEOX, "hidden_size": 36, "num_attention_heads": 3, "intermediate_size": 58, "rotary_pct": 1.0,
         "rotary_emb_base": 500, "use_parallel_residual": False, "attention_bias": False, "tie_word_embeddings": True},
    ),
    "phi": new("phi", "PhiForCausalLM", F16, {"partial_rotary_factor": 1.0, "hidden_act": "relu"}, {
        "vocab_size": 91, "hidden_size": 36, "intermediate_size": 70, "num_hidden_layers": 3, "num_attention_heads": 3,
        "num_key_value_heads": None, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5, "partial_rotary_factor": 0.5,
        "rope_theta": 10000.0, "rope_scaling": None, "qk_layernorm": False, "max_position_embeddings": 128,
        "tie_word_embeddings": False,
    }),
    "stablelm": new(
        "stablelm", "StableLmForCausalLM", BF16, {"partial_rotary_factor": 1.0, "hidden_act": "relu"}, {
            "vocab_size": 91, "hidden_size": 48, "intermediate_size": 58, "num_hidden_layers": 3,
            "num_attention_heads": 3, "num_key_value_heads": 1, "hidden_act": "silu", "layer_norm_eps": 1e-5,
            "partial_rotary_factor": 0.25, "rope_theta": 10000, "use_qkv_bias": True, "use_parallel_residual": False,
            "max_position_embeddings": 128, "tie_word_embeddings": False,
        }),
    "starcoder2": new("starcoder2", "Starcoder2ForCausalLM", BF16, {"sliding_window": None, "hidden_act": "relu"}, {
        "vocab_size": 91, "hidden_size": 36, "intermediate_size": 58, "num_hidden_layers": 3, "num_attention_heads": 3,
        "num_key_value_heads": 1, "hidden_act": "gelu_pytorch_tanh", "norm_epsilon": 1e-5, "rope_theta": 999999.44,
        "sliding_window": 12, "use_bias": True, "max_position_embeddings": 128,
    }),
})


# Gemma

GEMMA: Dict[str, Any] = {
    "vocab_size": 72, "hidden_size": 36, "intermediate_size": 62, "num_hidden_layers": 3, "num_attention_heads": 3,
    "num_key_value_heads": 1, "head_dim": 10, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "attention_bias": False,
    "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1,
}
GEMMA3: Dict[str, Any] = {
    **GEMMA, "num_hidden_layers": 4, "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 17,
    "sliding_window": 9,
}
del GEMMA3["rope_theta"]
WRAPPED: Dict[str, Any] = {
    **GEMMA3, "hidden_size": 32, "num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 4,
    "head_dim": 6, "intermediate_size": 30, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
}
VISION: Dict[str, Any] = {
    "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "boi_token_index": 66,
    "eoi_token_index": 67, "image_token_index": 68, "mm_tokens_per_image": 4, "eos_token_id": [1, 71],
    "vision_config": {
        "hidden_size": 8, "image_size": 8, "intermediate_size": 8, "model_type": "siglip_vision_model",
        "num_attention_heads": 1, "num_hidden_layers": 1, "patch_size": 4, "vision_use_head": False,
    },
    "torch_dtype": "bfloat16",
}


def beside_vision(text: str, vision: str, projector: str) -> Callable[[Weights], Weights]:
    """The text model's tensors under `text`, and two of those for images."""

    def stored(weights: Weights) -> Weights:
        weights = {text + n.removeprefix("model."): w for n, w in weights.items()}
        weights[vision + "vision_model.post_layernorm.weight"] = torch.ones(8, dtype=BF16)
        weights[projector + "mm_input_projection_weight"] = torch.zeros(8, 32, dtype=BF16)
        return weights

    return stored


FAMILIES.update({
    "gemma": new("gemma", "GemmaForCausalLM", BF16, {"hidden_act": "relu", "rope_theta": 100.0},
                 {**GEMMA, "hidden_act": "gelu"}, norm_around=0.0),
    "gemma2": new(
        "gemma2", "Gemma2ForCausalLM", BF16,
        {"attn_logit_softcapping": None, "final_logit_softcapping": None, "sliding_window": 64,
         "query_pre_attn_scalar": 10},
        {**GEMMA, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
         "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 23, "attn_logit_softcapping": 0.7,
         "final_logit_softcapping": 1.5, "sliding_window": 8},
        norm_around=0.0,
    ),
    "gemma3_text": new(
        "gemma3_text", "Gemma3ForCausalLM", BF16,
        {"sliding_window": 64, "layer_types": ["sliding_attention"] * 4, "query_pre_attn_scalar": 10,
         "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                             "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}},
        {**GEMMA3, "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
         "rope_parameters": {
             "full_attention": {"factor": 4.0, "rope_theta": 50000.0, "rope_type": "linear"},
             "sliding_attention": {"rope_theta": 300.0, "rope_type": "default"}}},
        norm_around=0.0,
    ),
    "gemma3_text-pattern": new(
        "gemma3_text", "Gemma3ForCausalLM", BF16,
        {"sliding_window": 64, "rope_scaling": None, "rope_local_base_freq": 500.0, "sliding_window_pattern": 2},
        {**GEMMA3, "sliding_window_pattern": 3, "rope_theta": 20000.0, "rope_local_base_freq": 100.0,
         "rope_scaling": {"factor": 8.0, "rope_type": "linear"}},
        norm_around=0.0,
    ),
    # Like Gemma 3 4B's config.json, these leave heads, base frequencies and pattern to the defaults.
    "gemma3": new(
        "gemma3_text", "Gemma3ForCausalLM", BF16, {"rope_scaling": None, "sliding_window": 64}, WRAPPED,
        norm_around=0.0, wrapper=VISION, left_out=("num_attention_heads", "num_key_value_heads", "hidden_activation"),
        stored=beside_vision("language_model.model.", "vision_tower.", "multi_modal_projector."),
    ),
    "gemma3-nested": new(
        "gemma3_text", "Gemma3ForCausalLM", BF16, {"rope_scaling": None, "sliding_window": 64}, WRAPPED,
        norm_around=0.0, wrapper=VISION, left_out=("bos_token_id", "eos_token_id", "rms_norm_eps"),
        stored=beside_vision("model.language_model.", "model.vision_tower.", "model.multi_modal_projector."),
    ),
})


# Llama with small differences

LLAMA: Dict[str, Any] = {
    "vocab_size": 63, "hidden_size": 32, "intermediate_size": 44, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "hidden_act": "silu", "rms_norm_eps": 1e-5, "max_position_embeddings": 128,
    "tie_word_embeddings": True,
}
LONG = {"short_factor": [1.0, 1.3, 1.7, 2.1, 2.9], "long_factor": [1.1, 2.5, 5.0, 11.0, 23.0]}

FAMILIES.update({
    "olmo": new("olmo", "OlmoForCausalLM", F16, {"clip_qkv": None, "rope_theta": 100.0}, {
        **LLAMA, "vocab_size": 65, "clip_qkv": 1.25, "rope_theta": 10000.0, "rope_scaling": None, "pad_token_id": 1,
    }),
    "olmo2": new("olmo2", "Olmo2ForCausalLM", F32, {"rope_theta": 100.0, "hidden_act": "relu"}, {
        **LLAMA, "vocab_size": 65, "hidden_size": 30, "num_attention_heads": 3, "num_key_value_heads": 1,
        "rms_norm_eps": 1e-6, "rope_theta": 500000.0, "rope_scaling": None, "attention_bias": False,
        "tie_word_embeddings": False,
    }),
    "smollm3": new(
        "smollm3", "SmolLM3ForCausalLM", BF16, {"no_rope_layers": [1, 1, 1, 1]}, {
            **LLAMA, "num_hidden_layers": 4, "num_key_value_heads": 1, "rope_theta": 5000.0, "rope_scaling": None,
            "no_rope_layers": [1, 0, 1, 0], "no_rope_layer_interval": 4, "use_sliding_window": False,
            "sliding_window": None, "layer_types": ["full_attention"] * 4, "pad_token_id": 0,
        }),
    "granite": new(
        "granite", "GraniteForCausalLM", BF16,
        {"embedding_multiplier": 1.0, "logits_scaling": 1.0, "residual_multiplier": 1.0, "attention_multiplier": 0.3535},
        {**LLAMA, "num_key_value_heads": 1, "rope_theta": 10000.0, "rope_scaling": None, "attention_bias": False,
         "mlp_bias": False, "embedding_multiplier": 3.0, "logits_scaling": 8.0, "residual_multiplier": 0.22,
         "attention_multiplier": 0.6},
    ),
    # The first sequence is longer than original_max_position_embeddings, the second is not.
    "phi3": new(
        "phi3", "Phi3ForCausalLM", BF16,
        {"rope_scaling": None, "max_position_embeddings": 4096, "original_max_position_embeddings": 64},
        {**LLAMA, "hidden_size": 40, "vocab_size": 66, "rope_theta": 10000.0, "original_max_position_embeddings": 32,
         "rope_scaling": {**LONG, "type": "longrope"}, "sliding_window": 100, "tie_word_embeddings": False,
         "pad_token_id": 0},
    ),
    "phi3-partial": new(
        "phi3", "Phi3ForCausalLM", F16, {"partial_rotary_factor": 1.0, "sliding_window": None},
        {**LLAMA, "hidden_size": 36, "num_attention_heads": 3, "num_key_value_heads": 1, "rope_theta": 10000.0,
         "original_max_position_embeddings": 128, "rope_scaling": None, "partial_rotary_factor": 0.5,
         "sliding_window": 16, "pad_token_id": 0},
    ),
    "phi3-partial-long": new(
        "phi3", "Phi3ForCausalLM", BF16, {"original_max_position_embeddings": 64},
        {**LLAMA, "hidden_size": 40, "num_attention_heads": 2, "num_key_value_heads": 1,
         "original_max_position_embeddings": 32, "pad_token_id": 0,
         "rope_parameters": {"short_factor": [1.0, 1.1, 1.2, 1.4, 1.5, 1.9, 2.5],
                             "long_factor": [1.0, 1.5, 2.5, 4.0, 9.0, 17.0, 31.0], "rope_type": "longrope",
                             "rope_theta": 10000.0, "partial_rotary_factor": 0.7}},
    ),
    "llama-gelu": new("llama", "LlamaForCausalLM", BF16, {"hidden_act": "relu"}, {**LLAMA, "hidden_act": "gelu"}),
    "llama-gelu-tanh": new("llama", "LlamaForCausalLM", BF16, {"hidden_act": "gelu"},
                           {**LLAMA, "hidden_act": "gelu_pytorch_tanh"}),
    "llama-relu": new("llama", "LlamaForCausalLM", BF16, {"hidden_act": "gelu"}, {**LLAMA, "hidden_act": "relu"}),
})

YARN = {"factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 4.0, "beta_slow": 0.6}
DYNAMIC = {**LLAMA, "max_position_embeddings": 32}
DEFAULT = {"rope_type": "default", "rope_theta": 10000.0}


def scaled(name: str, settings: Dict[str, Any], scaling: Dict[str, Any], base: float = 10000.0, **more: Any) -> None:
    """Two Llamas, with `rope_scaling` as in transformers 4 and with `rope_parameters` as in transformers 5."""
    old = {**settings, "rope_theta": base, "rope_scaling": {"type" if name == "linear" else "rope_type": name, **scaling}}
    FAMILIES["llama-" + name] = new("llama", "LlamaForCausalLM", BF16, {"rope_scaling": None}, old)
    nested = {**settings, "rope_parameters": {"rope_type": name, "rope_theta": base / 4, **scaling, **more}}
    FAMILIES[f"llama-{name}-5"] = new("llama", "LlamaForCausalLM", BF16, {"rope_parameters": DEFAULT}, nested)


scaled("linear", LLAMA, {"factor": 4.0})
scaled("dynamic", DYNAMIC, {"factor": 3.0})
scaled("yarn", {**LLAMA, "head_dim": 12}, YARN, mscale=0.8, mscale_all_dim=0.3)
FAMILIES["llama-yarn-factor"] = new(
    "llama", "LlamaForCausalLM", BF16, {"rope_scaling": {**YARN, "rope_type": "yarn"}},
    {**LLAMA, "head_dim": 12, "rope_theta": 10000.0,
     "rope_scaling": {**YARN, "rope_type": "yarn", "attention_factor": 1.3, "truncate": False}},
)


# Seed, gain and the embeddings' standard deviation, with which 64 greedy tokens have at least 12 different ids and each
# a lead of about 0.01 standard deviations of the logits or more (`--search` of make_model_fixtures.py finds seeds).
SEEDS: Dict[str, Tuple[int, float, float]] = {
    "gpt2": (34, 2.5, 0.1), "gpt2-bare": (34, 2.5, 0.1), "gpt_neo": (13, 1.0, 0.1), "gptj": (8, 1.5, 0.1),
    "gpt_neox": (32, 1.5, 0.1), "gpt_neox-serial": (23, 1.5, 0.05), "phi": (9, 1.5, 0.1), "stablelm": (6, 1.5, 0.1),
    "starcoder2": (19, 1.5, 0.1), "gemma": (31, 1.0, 0.05), "gemma2": (8, 1.0, 0.05),
    "gemma3_text": (24, 1.0, 0.05), "gemma3_text-pattern": (15, 1.0, 0.05), "gemma3": (17, 1.0, 0.1),
    "gemma3-nested": (17, 1.0, 0.1), "olmo": (17, 1.0, 0.1), "olmo2": (7, 1.0, 0.05), "smollm3": (12, 1.0, 0.05),
    "granite": (24, 1.5, 0.1), "phi3": (7, 1.5, 0.05), "phi3-partial": (6, 1.0, 0.1),
    "phi3-partial-long": (19, 1.0, 0.1), "llama-gelu": (25, 1.0, 0.1), "llama-gelu-tanh": (25, 1.0, 0.1),
    "llama-relu": (5, 1.0, 0.1), "llama-linear": (25, 1.0, 0.1), "llama-linear-5": (17, 1.0, 0.1),
    "llama-dynamic": (25, 1.0, 0.1), "llama-dynamic-5": (21, 1.0, 0.05), "llama-yarn": (7, 1.0, 0.1),
    "llama-yarn-5": (24, 1.0, 0.05), "llama-yarn-factor": (9, 1.0, 0.1),
}


def choose_seeds() -> None:
    """Give every fixture its seed."""
    for name, (seed, gain, embedding) in SEEDS.items():
        FAMILIES[name] = FAMILIES[name]._replace(seed=seed, gain=gain, embedding=embedding)


choose_seeds()
