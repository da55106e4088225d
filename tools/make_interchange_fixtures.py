#!/usr/bin/env python3
# Made with: sae-lens 6.54.12, eai-sparsify 1.3.3, dictionary-learning 0.1.0, torch 2.13.0, numpy 2.4.6,
# safetensors 0.8.0, Python 3.11 (tools/requirements-exchange.txt).
"""Write small dictionaries with the save methods of other programs, and what these compute from them.

    python tools/make_interchange_fixtures.py [--output FOLDER]

Tests/DictionaryExchangeTests/Fixtures/interchange gets

input.safetensors    input [24, 48]: random residual streams whose mean is not 0
NAME/                what the program saved: 48 dimensions, 40 latents, k = 6 (8 for groupmax, which divides 40)
NAME/golden.safetensors
                     acts [24, 40] and recon [24, 48] as the program computes them from the input; its metadata says
                     which program and class, how many latents fire, and how far they are from the edge of firing
NAME-refuse/         a transcoder
routesae-pytorch/    state dicts in the names of the RouteSAE authors' models, of 3 latents, width 4 and 2 layers

All weights are random numbers of fixed seeds.  A seed is passed over while any latent of any token is within 2e-4 of
its edge (the k-th largest value, a threshold, zero), so that rounding cannot change which latents fire.  Rows of the
decoder have norms from 0.6 to 1.4 where the program allows it.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import inspect
import json
import shutil
import sys
import types
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

warnings.filterwarnings("ignore")

import sae_lens  # noqa: E402
from sae_lens import SAE, saes  # noqa: E402
from sae_lens.loading import pretrained_sae_loaders as loaders  # noqa: E402
from sae_lens.registry import get_sae_class  # noqa: E402
from sae_lens.saes.sae import SAEMetadata  # noqa: E402
from sparsify import SparseCoder, SparseCoderConfig  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "Tests/DictionaryExchangeTests/Fixtures/interchange"
D, M, K, TOKENS = 48, 40, 6, 24
GROUPS = 8
#: The least distance of a latent from its edge.
LEAST = 2e-4
#: Mean norm of the residual streams that Llama Scope's hyperparams.json states.
NORM = 9.0
LENS = f"sae-lens {sae_lens.__version__}"

Weights = dict[str, Tensor]
Edge = Callable[[Weights], Tensor]


def streams() -> Tensor:
    """Residual streams [24, 48] of norm about 40, each token with a scale of its own, around a mean."""
    generator = torch.Generator().manual_seed(2026)
    scale = 2 + 4 * torch.rand(TOKENS, 1, generator=generator)
    return scale * torch.randn(TOKENS, D, generator=generator) + 1.5 + 2 * torch.randn(D, generator=generator)


X = streams()


def random_weights(seed: int, unit_rows: bool) -> Weights:
    """An encoder near the decoder's transpose; threshold, gate and magnitude for those that have them."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    rows = torch.nn.functional.normalize(normal(M, D), dim=1)
    norms = torch.ones(M, 1) if unit_rows else 0.6 + 0.8 * torch.rand(M, 1, generator=generator)
    return {
        "W_enc": ((rows + 0.02 * normal(M, D)).T * 0.1).contiguous(),
        "W_dec": rows * norms,
        "b_enc": 0.05 * normal(M),
        "b_dec": X.mean(0) + 0.1 * normal(D),
        "threshold": 0.3 + 0.5 * torch.rand(M, generator=generator),
        "b_gate": 0.1 * normal(M) - 0.2,
        "b_mag": 0.1 * normal(M),
        "r_mag": 0.2 * normal(M),
    }


# How far each latent of each token is from the edge of firing, from its pre-activation.


def pre(w: Weights, x: Tensor = X, centered: bool = True) -> Tensor:
    """Pre-activations [24, 40], with or without b_dec subtracted from x."""
    return (x - w["b_dec"] if centered else x) @ w["W_enc"] + w["b_enc"]


def around_k(values: Tensor) -> Tensor:
    """The distance of the k-th and the next value of each token."""
    top = values.topk(K + 1, dim=-1).values
    return top[:, K - 1] - top[:, K]


def around_groups(values: Tensor) -> Tensor:
    """The distance of the largest and the next value of each group; 1 where none fires."""
    top = values.relu().unflatten(-1, (GROUPS, -1)).topk(2, dim=-1).values
    return torch.where(top[..., 0] > 0, top[..., 0] - top[..., 1], 1.0)


def layer_norm(x: Tensor) -> Tensor:
    x = x - x.mean(-1, keepdim=True)
    return x / (x.std(-1, keepdim=True) + 1e-5)


def unit_norm(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True) * D**0.5


def clear(
    seed: int, edge: Edge, change: Callable[[Weights], None] = lambda w: None, unit_rows: bool = False
) -> Weights:
    """Weights of the first of seed, seed + 100 ... that keeps its distance."""
    while True:
        w = random_weights(seed, unit_rows)
        change(w)
        if edge(w).abs().min() >= LEAST:
            return w
        seed += 100


def shifted(b_enc: float = 0.0, w_enc: float = 1.0, b_dec: float = 1.0) -> Callable[[Weights], None]:
    """Adds to a bias and scales two tensors, as a normalised input or a sparser dictionary needs it."""

    def change(w: Weights) -> None:
        w["b_enc"] += b_enc
        w["W_enc"] *= w_enc
        w["b_dec"] *= b_dec

    return change


class Fixtures:
    """The folder that is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str, inner: str = "") -> Path:
        """A new folder, NAME or one inside it."""
        path = self.root / name / inner
        path.mkdir(parents=True)
        return path

    def golden(self, name: str, acts: Tensor, recon: Tensor, edge: Tensor, **about: object) -> None:
        """Writes golden.safetensors, and checks that the dictionary fires."""
        acts = acts.to_dense() if acts.is_sparse else acts
        assert acts.shape == (TOKENS, M) and recon.shape == (TOKENS, D) and acts.isfinite().all(), name
        firing = float((acts != 0).sum(-1).float().mean())
        assert 1 <= firing <= 30, (name, firing)
        about |= {"l0": f"{firing:.4g}", "distance_from_edge": f"{float(edge.abs().min()):.2g}"}
        save_file(
            {"acts": acts.float().contiguous(), "recon": recon.float().contiguous()},
            self.root / name / "golden.safetensors", metadata={key: str(value) for key, value in about.items()},
        )  # fmt: skip
        print(f"{name:36} fires {firing:5.2f}  edge {about['distance_from_edge']}")


# SAELens


def lens_metadata() -> SAEMetadata:
    return SAEMetadata(
        model_name="Demo/model", hook_name="blocks.3.hook_resid_post", hf_hook_name="model.layers.3", context_size=256,
        prepend_bos=False, dataset_path="Demo/text/train",
    )  # fmt: skip


def write_lens(
    out: Fixtures, name: str, kind: str, w: Weights, edge: Edge, save: str = "save_model", **settings: Any
) -> None:
    """Saves one with SAELens and computes with what SAELens loads again."""
    cls, config = getattr(saes, f"{kind}SAE"), getattr(saes, f"{kind}SAEConfig")
    sae = cls(config(d_in=D, d_sae=M, metadata=lens_metadata(), **settings))
    sae.load_state_dict({key: w[key].to(value.dtype) for key, value in sae.state_dict().items()})
    path = out.folder(name)
    getattr(sae, save)(path)
    # Weights of 16 bits are widened, and computed with in 32.
    loaded = SAE.load_from_disk(path, dtype="float32")
    acts = loaded.encode(X)
    stored = load_file(path / "sae_weights.safetensors")
    wide = w | {key: value.float() for key, value in stored.items()}
    out.golden(name, acts, loaded.decode(acts), edge(wide), library=LENS, cls=type(loaded).__name__,
               made_with=f"{cls.__name__}.{save}")  # fmt: skip


def all_of_lens(out: Fixtures) -> None:
    def topk(w: Weights) -> Tensor:
        return around_k(pre(w))

    def rescaled(w: Weights) -> Tensor:
        return around_k(pre(w) * w["W_dec"].norm(dim=-1))

    def over_threshold(w: Weights) -> Tensor:
        p = pre(w)
        return torch.minimum((p - w["threshold"]).abs(), p.abs())

    def gate(w: Weights) -> Tensor:
        product = (X - w["b_dec"]) @ w["W_enc"]
        on, magnitude = product + w["b_gate"], product * w["r_mag"].exp() + w["b_mag"]
        return torch.minimum(on.abs(), magnitude.abs())

    write_lens(out, "saelens-topk", "TopK", clear(1, topk), topk, k=K)
    write_lens(
        out, "saelens-topk-rescale", "TopK", clear(2, rescaled), rescaled, k=K, rescale_acts_by_decoder_norm=True
    )
    small = shifted(w_enc=6.0, b_dec=0.02)

    def normal(w: Weights) -> Tensor:
        return around_k(pre(w, layer_norm(X)))

    write_lens(
        out, "saelens-topk-layernorm", "TopK", clear(3, normal, small), normal, k=K, normalize_activations="layer_norm"
    )
    # Norms are folded, so the file's rows are of norm 1 and its pre-activations are the products.
    write_lens(
        out, "saelens-topk-trained", "TopKTraining", clear(4, rescaled), rescaled, save="save_inference_model", k=K
    )
    write_lens(out, "saelens-standard", "Standard", clear(5, pre, shifted(-0.3)), pre)

    def raw(w: Weights) -> Tensor:
        return pre(w, centered=False)

    write_lens(
        out, "saelens-standard-nobdec", "Standard", clear(6, raw, shifted(-0.5)), raw, apply_b_dec_to_input=False
    )

    def normal_raw(w: Weights) -> Tensor:
        return pre(w, layer_norm(X), centered=False)

    write_lens(
        out, "saelens-standard-layernorm", "Standard", clear(7, normal_raw, shifted(-0.4, 6.0, 0.02)), normal_raw,
        normalize_activations="layer_norm", apply_b_dec_to_input=False,
    )  # fmt: skip

    def constant(w: Weights) -> Tensor:
        return pre(w, unit_norm(X))

    write_lens(
        out, "saelens-standard-constantnorm", "Standard", clear(8, constant, shifted(-0.3, 5.0, 0.2)), constant,
        normalize_activations="constant_norm_rescale",
    )  # fmt: skip
    write_lens(
        out, "saelens-standard-expectedaverage", "Standard", clear(9, pre, shifted(-0.3)), pre,
        normalize_activations="expected_average_only_in",
    )  # fmt: skip
    write_lens(out, "saelens-gated", "Gated", clear(10, gate), gate)

    def low(w: Weights) -> None:
        w["threshold"][0], w["threshold"][1] = 0.0, -0.2

    write_lens(out, "saelens-jumprelu", "JumpReLU", clear(11, over_threshold, low), over_threshold)

    def short(w: Weights) -> None:
        for key, value in w.items():
            w[key] = value.bfloat16().float()

    def over_raw(w: Weights) -> Tensor:
        p = pre(w, centered=False)
        return torch.minimum((p - w["threshold"]).abs(), p.abs())

    write_lens(
        out, "saelens-jumprelu-bf16", "JumpReLU", clear(12, over_raw, short), over_raw, dtype="bfloat16",
        apply_b_dec_to_input=False,
    )  # fmt: skip

    def shared(w: Weights) -> None:
        w["topk_threshold"] = torch.tensor(0.45, dtype=torch.float64)

    def over_shared(w: Weights) -> Tensor:
        # Saved weights have norms folded in: what is compared with the threshold is the product.
        return pre(w) * w["W_dec"].norm(dim=-1) - 0.45

    write_lens(
        out, "saelens-batchtopk-trained", "BatchTopKTraining", clear(13, over_shared, shared), over_shared,
        save="save_inference_model", k=float(K),
    )  # fmt: skip
    refused = out.folder("saelens-transcoder-refuse")
    transcoder = saes.TranscoderConfig(d_in=D, d_sae=M, d_out=D, apply_b_dec_to_input=False, metadata=lens_metadata())
    saes.Transcoder(transcoder).save_model(refused)
    (refused / "sae_weights.safetensors").unlink()  # the configuration is enough
    for name, seed, edge, change, function, arguments in (
        ("saelens5-standard", 16, pre, shifted(-0.3), "relu", {}),
        ("saelens5-topk", 15, topk, shifted(), "topk", {"k": K}),
    ):
        w = clear(seed, edge, change)
        path = out.folder(name)
        save_file({key: w[key] for key in ("W_enc", "W_dec", "b_enc", "b_dec")}, path / "sae_weights.safetensors")
        (path / "cfg.json").write_text(json.dumps(flat_configuration(function, arguments)))
        loaded = SAE.load_from_disk(path)
        acts = loaded.encode(X)
        out.golden(name, acts, loaded.decode(acts), edge(w), library=f"{LENS}, configuration of version 5 by hand",
                   cls=type(loaded).__name__)  # fmt: skip


def flat_configuration(function: str, arguments: dict[str, int]) -> dict[str, object]:
    """cfg.json as SAELens 3 to 5 wrote it: everything at the top."""
    return {
        "architecture": "standard", "d_in": D, "d_sae": M, "dtype": "torch.float32", "device": "cpu",
        "activation_fn_str": function, "activation_fn_kwargs": arguments, "apply_b_dec_to_input": True,
        "normalize_activations": "none", "finetuning_scaling_factor": False, "model_name": "Demo/model",
        "hook_name": "blocks.3.hook_resid_post", "hook_layer": 3, "hook_head_index": None, "context_size": 256,
        "prepend_bos": False, "dataset_path": "Demo/text/train", "dataset_trust_remote_code": True,
        "seqpos_slice": [None], "neuronpedia_id": None, "model_from_pretrained_kwargs": {},
        "sae_lens_training_version": "5.3.0",
    }  # fmt: skip


# sparsify


def all_of_sparsify(out: Fixtures) -> None:
    def topk(w: Weights) -> Tensor:
        return around_k(pre(w).relu())

    def groups(w: Weights) -> Tensor:
        return around_groups(pre(w))

    for name, seed, edge, settings in (
        ("sparsify-topk", 20, topk, {}),
        ("sparsify-groupmax", 21, groups, {"activation": "groupmax", "k": GROUPS}),
        ("sparsify-transcoder-skip-refuse", 22, topk, {"transcode": True, "skip_connection": True}),
    ):
        w = clear(seed, edge, unit_rows=True)
        coder = SparseCoder(D, SparseCoderConfig(**({"num_latents": M, "k": K} | settings)))
        coder.encoder.weight.data, coder.encoder.bias.data = w["W_enc"].T.contiguous(), w["b_enc"]
        coder.W_dec.data, coder.b_dec.data = w["W_dec"], w["b_dec"]
        path = out.folder(name) / "layers.3"
        coder.save_to_disk(path)
        if name.endswith("-refuse"):
            continue
        loaded = SparseCoder.load_from_disk(path)
        found = loaded.encode(X)
        acts = torch.zeros(TOKENS, M).scatter_(1, found.top_indices, found.top_acts)
        recon = loaded.decode(found.top_acts, found.top_indices)
        out.golden(name, acts, recon, edge(w), library=f"eai-sparsify {version('eai-sparsify')}", cls="SparseCoder")


# dictionary_learning


def without_nnsight() -> None:
    """dictionary_learning imports nnsight, which these classes do not need."""
    stub = types.ModuleType("nnsight")
    stub.__spec__ = importlib.machinery.ModuleSpec("nnsight", None)
    stub.LanguageModel = object  # type: ignore[attr-defined]
    sys.modules["nnsight"], sys.modules["nnsight.tracing"] = stub, types.ModuleType("nnsight.tracing")


def all_of_dictionary_learning(out: Fixtures) -> None:
    without_nnsight()
    from dictionary_learning.trainers import batch_top_k, gdm, jumprelu, matryoshka_batch_top_k, standard, top_k

    def over(value: float) -> Edge:
        return lambda w: torch.minimum((pre(w) - value).abs(), pre(w).abs())

    def gate(w: Weights) -> Tensor:
        product = (X - w["b_dec"]) @ w["W_enc"]
        return torch.minimum((product + w["b_gate"]).abs(), (product * w["r_mag"].exp() + w["b_mag"]).abs())

    def over_own(w: Weights) -> Tensor:
        p = pre(w, centered=False)
        return torch.minimum((p - w["threshold"]).abs(), p.abs())

    makers: list[tuple[str, type, dict[str, Any], Edge]] = [
        ("standard", standard.StandardTrainer, {"lr": 1e-3}, pre),
        ("gated", gdm.GatedSAETrainer, {}, gate),
        ("topk", top_k.TopKTrainer, {"k": K}, lambda w: around_k(pre(w).relu())),
        ("batchtopk", batch_top_k.BatchTopKTrainer, {"k": K}, over(0.5)),
        ("jumprelu", jumprelu.JumpReluTrainer, {}, over_own),
        ("matryoshka", matryoshka_batch_top_k.MatryoshkaBatchTopKTrainer,
         {"k": K, "group_fractions": [0.25, 0.75]}, over(0.5)),
    ]  # fmt: skip
    common = {
        "activation_dim": D, "dict_size": M, "layer": 3, "lm_name": "Demo/model", "device": "cpu", "seed": 0,
        "steps": 10_000, "submodule_name": "resid_post_layer_3", "wandb_name": "fixture",
    }  # fmt: skip
    buffer = {
        "d_submodule": D, "io": "out", "n_ctxs": 1000, "ctx_len": 256, "refresh_batch_size": 32,
        "out_batch_size": 2048, "device": "cpu",
    }  # fmt: skip
    for number, (kind, cls, more, edge) in enumerate(makers):
        name = f"dictionary_learning-{kind}"
        w = clear(30 + number, edge, shifted(-0.3 if kind == "standard" else 0), unit_rows=True)
        known = inspect.signature(cls.__init__).parameters
        with torch.enable_grad():
            trainer = cls(**{key: value for key, value in (common | more).items() if key in known})
        state = trainer.ae.state_dict()
        trainer.ae.load_state_dict({key: parameter(key, value, w, kind) for key, value in state.items()})
        path = out.folder(name)
        torch.save({key: value.cpu() for key, value in trainer.ae.state_dict().items()}, path / "ae.pt")
        config = {"trainer": dict(trainer.config), "buffer": buffer}
        (path / "config.json").write_text(json.dumps(config, indent=4, default=str))
        acts = trainer.ae.encode(X)
        out.golden(name, acts, trainer.ae.decode(acts), edge(w), cls=type(trainer.ae).__name__,
                   library=f"dictionary-learning {version('dictionary-learning')}")  # fmt: skip


def parameter(key: str, value: Tensor, w: Weights, kind: str) -> Tensor:
    """The weight that a state dict of dictionary_learning has under a name."""
    if key in ("encoder.weight", "decoder.weight"):
        return w["W_enc" if key.startswith("enc") else "W_dec"].T.contiguous()
    if key == "threshold" and not value.shape:
        return torch.tensor(-1.0 if kind == "topk" else 0.5)  # a TopK that was never given one has -1
    names = {
        "W_enc": "W_enc", "W_dec": "W_dec", "bias": "b_dec", "b_dec": "b_dec", "decoder_bias": "b_dec",
        "encoder.bias": "b_enc", "b_enc": "b_enc", "threshold": "threshold", "gate_bias": "b_gate",
        "mag_bias": "b_mag", "r_mag": "r_mag",
    }  # fmt: skip
    return w[names[key]] if key in names else value


# Published suites: files in their layouts, read by SAELens's loaders


def load_published(loader: Callable[..., Any], root: Path, repository: str, folder: str, **arguments: Any) -> SAE:
    def local(repo_id: str | None = None, filename: str = "", subfolder: str | None = None, **_: Any) -> str:
        return str(root / (subfolder or "") / filename)

    loaders.hf_hub_download = local
    config, state, _ = loader(repo_id=repository, folder_name=folder, device="cpu", **arguments)
    config = loaders.handle_config_defaulting(config)
    cls, config_class = get_sae_class(config["architecture"])
    sae = cls(config_class.from_dict(config))
    sae.load_state_dict({key: value.contiguous() for key, value in state.items()})
    return sae.float()


def all_of_published(out: Fixtures) -> None:
    def over_own(w: Weights) -> Tensor:
        p = pre(w, centered=False)
        return torch.minimum((p - w["threshold"]).abs(), p.abs())

    sizes = {"d_in": D, "d_sae": M}

    def golden(name: str, sae: SAE, edge: Tensor, reader: str) -> None:
        acts = sae.encode(X)
        out.golden(name, acts, sae.decode(acts), edge, library=f"{LENS}: {reader}", cls=type(sae).__name__)

    w, inner = clear(40, over_own), "layer_3/width_16k/average_l0_20"
    path = out.folder("gemma-scope", inner)
    names = ("W_enc", "W_dec", "b_enc", "b_dec", "threshold")
    np.savez(path / "params.npz", **{name: w[name].numpy() for name in names})
    sae = load_published(
        loaders.gemma_2_sae_huggingface_loader, out.root / "gemma-scope", "google/gemma-scope-2b-pt-res", inner,
        cfg_overrides=sizes,
    )  # fmt: skip
    golden("gemma-scope", sae, over_own(w), "gemma_2_sae_huggingface_loader, width overridden")

    w, inner = clear(41, over_own), "resid_post/layer_3_width_16k_l0_small"
    path = out.folder("gemma-scope-2", inner)
    save_file({name.lower(): w[name] for name in names}, path / "params.safetensors")
    config = {
        "architecture": "jump_relu", "model_name": "gemma-v3-270m-pt", "hf_hook_point_in": "model.layers.3.output",
        "hf_hook_point_out": "model.layers.3.output", "width": M, "l0": 20, "affine_connection": False, "type": "sae",
    }  # fmt: skip
    (path / "config.json").write_text(json.dumps(config))
    loaders.get_safetensors_tensor_shapes = lambda *_: {"w_enc": [D, M], "w_dec": [M, D]}
    sae = load_published(
        loaders.gemma_3_sae_huggingface_loader, out.root / "gemma-scope-2", "google/gemma-scope-2-270m-pt", inner
    )
    golden("gemma-scope-2", sae, over_own(w), "gemma_3_sae_huggingface_loader")

    def topk(w: Weights) -> Tensor:
        return around_k(pre(w, centered=False))

    w, file = clear(42, topk), "layer3.sae.pt"
    state = {"W_enc": w["W_enc"].T, "W_dec": w["W_dec"].T, "b_enc": w["b_enc"], "b_dec": w["b_dec"]}
    torch.save({key: value.contiguous() for key, value in state.items()}, out.folder("qwen-scope") / file)
    sae = load_published(
        loaders.qwen_scope_sae_huggingface_loader, out.root / "qwen-scope", "Qwen/SAE-Res-Qwen3-1.7B-Base-W32K-L0_50",
        file, cfg_overrides=sizes | {"activation_fn_kwargs": {"k": K}},
    )  # fmt: skip
    golden("qwen-scope", sae, topk(w), f"qwen_scope_sae_huggingface_loader, width and k ({K}) overridden")

    scale = D**0.5 / NORM

    def over_scaled(w: Weights) -> Tensor:
        return pre(w, X * scale, centered=False) - 0.5 * scale

    w, inner = clear(43, over_scaled), "Llama3_1-8B-Base-L3R-8x"
    path = out.folder("llama-scope", inner + "/checkpoints")
    state = {
        "encoder.weight": w["W_enc"].T, "encoder.bias": w["b_enc"], "decoder.weight": w["W_dec"].T,
        "decoder.bias": w["b_dec"],
    }  # fmt: skip
    save_file({key: value.contiguous() for key, value in state.items()}, path / "final.safetensors")
    config = {
        "d_model": D, "d_sae": M, "hook_point_in": "blocks.3.hook_resid_post", "jump_relu_threshold": 0.5,
        "dataset_average_activation_norm": {"in": NORM, "out": NORM},
    }  # fmt: skip
    (path.parent / "hyperparams.json").write_text(json.dumps(config))
    sae = load_published(
        loaders.llama_scope_sae_huggingface_loader, out.root / "llama-scope", "fnlp/Llama3_1-8B-Base-LXR-8x", inner,
        cfg_overrides={"dtype": "float32"},
    )  # fmt: skip
    sae.fold_activation_norm_scaling_factor(scale)
    golden("llama-scope", sae, over_scaled(w), "llama_scope_sae_huggingface_loader, scale folded")


# State dicts in the names of the RouteSAE authors' models


def all_of_routesae(out: Fixtures) -> None:
    """Element i of a tensor is ((37 i + 11 j) mod 29 - 14) / 16, with j the tensor's number in its file."""

    def state(shapes: dict[str, list[int]]) -> Weights:
        made = {}
        for j, (name, shape) in enumerate(shapes.items()):
            count = int(np.prod(shape))
            made[name] = torch.tensor([((37 * i + 11 * j) % 29 - 14) / 16 for i in range(count)]).reshape(shape)
        return made

    path = out.folder("routesae-pytorch")
    route = state({
        "sae.pre_bias": [4], "sae.latent_bias": [3], "sae.encoder.weight": [3, 4], "sae.decoder.weight": [4, 3],
        "router.weight": [2, 4],
    })  # fmt: skip
    torch.save({"model": route, "step": 7}, path / "route.pt")
    crosscoder = state({
        "latent_bias": [3], "encoder.0.weight": [3, 4], "encoder.1.weight": [3, 4], "decoder.0.weight": [4, 3],
        "decoder.1.weight": [4, 3],
    })  # fmt: skip
    torch.save(crosscoder, path / "crosscoder.pt")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=TARGET, help="folder whose fixtures are replaced")
    root = parser.parse_args().output
    torch.set_grad_enabled(False)
    root.mkdir(parents=True, exist_ok=True)
    for entry in root.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
    save_file({"input": X}, root / "input.safetensors")
    out = Fixtures(root)
    for write in (all_of_lens, all_of_sparsify, all_of_dictionary_learning, all_of_published, all_of_routesae):
        write(out)
    files = [path for path in root.rglob("*") if path.is_file()]
    for path in files:
        path.chmod(0o644)
    total = sum(path.stat().st_size for path in files)
    print(f"{total / 1000:.0f} kB in {root}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
