#!/usr/bin/env python3
"""Train the demo language model and its tokenizer, or measure a model on the held-out text.

Needs the packages pinned in tools/requirements.txt.  The text is what tools/make_demo_corpus.py writes:
`TEXT/{train,heldout}/*.jsonl`, one file a source.

Training: a byte-level BPE with Llama 3's splitting rule; then a `LlamaForCausalLM` on windows of 512 tokens
taken at random places of the concatenated documents (each between a beginning and an end token); half of the
windows have their first token replaced by the beginning-of-text token, as every window has that the
catalog's program feeds.  AdamW, a rate that is warmed up, held, and taken linearly to zero.  The result is a
folder in Hugging Face layout with shards of at most 15.5 MB, and training.json with settings and figures.

    tools/make_demo_model.py --text .build-demo --out model              the committed settings: one GPU
    tools/make_demo_model.py --text .build-demo --out model --seconds 245
    tools/make_demo_model.py --smoke                                     a tiny model, ten steps, on the CPU
    tools/make_demo_model.py --figures Demo/model                        held-out figures of any model folder

Figures: nats per token and bits per byte by source; windows of the beginning-of-text token and up to
`--window` - 1 tokens of one document, the end token not counted, in float32.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

BOS, EOS = "<|begin_of_text|>", "<|end_of_text|>"
PROSE = ("bible", "jargon", "devil")
LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SHARD_BYTES = 15_500_000


class Shape(NamedTuple):
    """The model's sizes."""

    layers: int = 16
    width: int = 256
    inner: int = 640
    heads: int = 8
    key_heads: int = 2
    head: int = 32
    vocabulary: int = 6144
    window: int = 512


SMOKE = Shape(layers=2, width=64, inner=160, heads=2, key_heads=1, head=32, vocabulary=600, window=64)
EPSILON, THETA = 1e-5, 10_000.0


# --- text and tokenizer -----------------------------------------------------------------------


def read_texts(folder: Path) -> Dict[str, List[str]]:
    """The documents of one split, by source."""
    result = {}
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as stream:
            result[path.stem] = [json.loads(line)["text"] for line in stream]
    if not result:
        raise SystemExit(f"no *.jsonl in {folder}: run tools/make_demo_corpus.py first")
    return result


def train_tokenizer(documents: Sequence[str], vocabulary: int) -> Any:
    """A byte-level BPE laid out as Llama 3's tokenizer.json; the two special tokens come last."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 2, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(documents, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in (BOS, EOS)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))],
    )
    return tokenizer


def encode(tokenizer: Any, documents: Sequence[str]) -> Tensor:
    """All documents in one row of ids, each between a beginning and an end token."""
    bos, eos = tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS)
    rows = []
    for start in range(0, len(documents), 2000):
        batch = tokenizer.encode_batch(list(documents[start : start + 2000]), add_special_tokens=False)
        rows += [np.array([bos, *e.ids, eos], dtype=np.int32) for e in batch]
    return torch.from_numpy(np.concatenate(rows))


# --- model ------------------------------------------------------------------------------------


class Linear(nn.Linear):
    """A linear map without bias, drawn from a normal distribution."""

    def __init__(self, inputs: int, outputs: int, deviation: float = 0.02) -> None:
        super().__init__(inputs, outputs, bias=False)
        nn.init.normal_(self.weight, std=deviation)


class Norm(nn.Module):
    """RMS norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, EPSILON)


class Attention(nn.Module):
    """Causal attention with rotary positions and shared key and value heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.q_proj = Linear(shape.width, shape.heads * shape.head)
        self.k_proj = Linear(shape.width, shape.key_heads * shape.head)
        self.v_proj = Linear(shape.width, shape.key_heads * shape.head)
        self.o_proj = Linear(shape.heads * shape.head, shape.width, 0.02 / math.sqrt(2 * shape.layers))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = (
            projection(x).view(batch, length, heads, self.shape.head).transpose(1, 2)
            for projection, heads in (
                (self.q_proj, self.shape.heads), (self.k_proj, self.shape.key_heads),
                (self.v_proj, self.shape.key_heads),
            )
        )
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding, halves convention."""
    a, b = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat([-b, a], dim=-1) * sin.to(x.dtype)


class Feedforward(nn.Module):
    """The gated MLP."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = Linear(shape.width, shape.inner)
        self.up_proj = Linear(shape.width, shape.inner)
        self.down_proj = Linear(shape.inner, shape.width, 0.02 / math.sqrt(2 * shape.layers))

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = Feedforward(shape)
        self.input_layernorm = Norm(shape.width)
        self.post_attention_layernorm = Norm(shape.width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    """The same function as transformers' LlamaForCausalLM; parameters have its names less the `model.`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embed_tokens.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width)
        frequencies = THETA ** (-torch.arange(0, shape.head, 2).float() / shape.head)
        angles = torch.outer(torch.arange(shape.window).float(), frequencies)
        self.register_buffer("cos", torch.cat([angles.cos()] * 2, dim=-1), persistent=False)
        self.register_buffer("sin", torch.cat([angles.sin()] * 2, dim=-1), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [batch × length × vocabulary]."""
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, self.cos[: ids.shape[1]], self.sin[: ids.shape[1]])
        return self.norm(x) @ self.embed_tokens.weight.to(x.dtype).T


# --- training ---------------------------------------------------------------------------------


def rate_factor(step: int, progress: float, warmup: int, decay: float) -> float:
    """Warm-up over `warmup` steps; 1; linear to 0 over the last share `decay` of the run."""
    return min(1.0, (step + 1) / warmup) * min(1.0, max(0.0, (1.0 - progress) / decay))


def train(model: Model, shape: Shape, ids: Tensor, bos: int, options: argparse.Namespace) -> Dict[str, Any]:
    """Train in place; returns steps, tokens, seconds and the mean loss of the last hundred steps."""
    device = options.device
    model.to(device)
    ids = ids.to(device)
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": options.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=options.lr, betas=(0.9, 0.95), fused=device == "cuda",
    )
    forward = torch.compile(model) if device == "cuda" else model
    draw = torch.Generator().manual_seed(options.seed + 1)
    within = torch.arange(shape.window, device=device)
    losses: List[float] = []
    step, start = 0, time.monotonic()
    while True:
        seconds = time.monotonic() - start
        progress = seconds / options.seconds if options.seconds else step / options.steps
        if progress >= 1:
            break
        starts = torch.randint(0, len(ids) - shape.window - 1, (options.rows,), generator=draw).to(device)
        batch = ids[starts[:, None] + within].long()
        batch[(torch.rand(options.rows, generator=draw) < 0.5).to(device), 0] = bos
        rate = options.lr * rate_factor(step, progress, options.warmup, options.decay)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device, torch.bfloat16):
            logits = forward(batch)
        loss = F.cross_entropy(logits[:, :-1].float().flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 100 == 0 or options.smoke:
            losses.append(loss.item())
            print(f"step {step} progress {progress:.3f} loss {losses[-1]:.4f} rate {rate:.2e}", flush=True)
    return {
        "steps": step, "tokens": step * options.rows * shape.window, "seconds": round(time.monotonic() - start, 1),
        "last_losses": losses[-5:],
    }


# --- export and figures -----------------------------------------------------------------------


def export(model: Model, shape: Shape, tokenizer: Any, out: Path) -> None:
    """Write the Hugging Face folder: bf16 weights in shards, configuration, tokenizer."""
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    shards: List[Dict[str, Tensor]] = [{}]
    total = size = 0
    for name, tensor in model.state_dict().items():
        stored = tensor.detach().to(torch.bfloat16).cpu().contiguous()
        if size + stored.numel() * 2 > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1]["model." + name] = stored
        size += stored.numel() * 2
        total += stored.numel() * 2
    weight_map = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, out / file, metadata={"format": "pt"})
        weight_map.update({name: file for name in shard})
    bos, eos = tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS)
    write_json(out / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})
    write_json(out / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": shape.width,
        "intermediate_size": shape.inner, "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_heads, "head_dim": shape.head, "hidden_act": "silu",
        "max_position_embeddings": shape.window, "rms_norm_eps": EPSILON, "rope_theta": THETA, "rope_scaling": None,
        "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False, "vocab_size": shape.vocabulary,
        "bos_token_id": bos, "eos_token_id": eos, "torch_dtype": "bfloat16",
    })
    write_json(out / "generation_config.json", {
        "bos_token_id": bos, "eos_token_id": eos, "do_sample": True, "temperature": 0.8, "top_p": 0.95,
    })
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    write_json(out / "tokenizer_config.json", {
        "bos_token": BOS, "eos_token": EOS, "model_max_length": shape.window,
        "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
    })


def write_json(path: Path, value: Any) -> None:
    """Indented by one, as the committed files are."""
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def figures(folder: Path, texts: Dict[str, List[str]], window: int) -> Dict[str, Dict[str, float]]:
    """Held-out figures of a model folder by source, in float32 on the CPU."""
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).float().eval()
    bos = model.config.bos_token_id
    window = min(window, model.config.max_position_embeddings)
    result = {}
    for source, documents in texts.items():
        nats, tokens, size = 0.0, 0, 0
        for document in documents:
            ids = tokenizer.encode(document, add_special_tokens=False).ids
            size += len(document.encode())
            for start in range(0, len(ids), window - 1):
                row = torch.tensor([[bos, *ids[start : start + window - 1]]])
                with torch.no_grad():
                    logits = model(row).logits[0, :-1]
                nats += F.cross_entropy(logits, row[0, 1:], reduction="sum").item()
                tokens += row.shape[1] - 1
        result[source] = {
            "nats_per_token": round(nats / tokens, 4), "bits_per_byte": round(nats / math.log(2) / size, 4),
            "tokens": tokens, "bytes": size, "documents": len(documents),
        }
        print(f"{source:12} {result[source]}", flush=True)
    nats, tokens, size = (
        sum(r["nats_per_token"] * r["tokens"] for r in result.values()), sum(r["tokens"] for r in result.values()),
        sum(r["bytes"] for r in result.values()),
    )
    result["all"] = {
        "nats_per_token": round(nats / tokens, 4), "bits_per_byte": round(nats / math.log(2) / size, 4),
        "tokens": tokens, "bytes": size, "documents": sum(r["documents"] for r in result.values()),
    }
    print(f"{'all':12} {result['all']}", flush=True)
    return result


def make(options: argparse.Namespace, shape: Shape, out: Path) -> None:
    """Train tokenizer and model, export, measure, record."""
    import safetensors
    import tokenizers
    import transformers

    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")
    rng = random.Random(options.seed + 5)
    texts, heldout = read_texts(options.text / "train"), read_texts(options.text / "heldout")
    if options.smoke:
        texts, heldout = ({s: d[:20] for s, d in t.items()} for t in (texts, heldout))
        heldout = {s: d[:1] for s, d in heldout.items()}
    documents = [d for s, ds in texts.items() for d in ds for _ in range(options.repeat if s in PROSE else 1)]
    rng.shuffle(documents)
    sample = [d[:20_000] for d in rng.sample(documents, min(len(documents), 6000))]
    tokenizer = train_tokenizer(sample, shape.vocabulary)
    ids = encode(tokenizer, documents)
    model = Model(shape)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{len(documents)} documents, {len(ids)} tokens, {parameters} parameters on {options.device}", flush=True)
    record = train(model, shape, ids, tokenizer.token_to_id(BOS), options)
    export(model, shape, tokenizer, out)
    record.update({
        "train_tokens": len(ids), "parameters": parameters, "device": options.device,
        "settings": {
            k: getattr(options, k)
            for k in ("rows", "lr", "warmup", "decay", "weight_decay", "repeat", "seed", "steps", "seconds")
        },
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__, "safetensors": safetensors.__version__,
        },
        "heldout": figures(out, heldout, shape.window),
    })
    write_json(out / "training.json", record)


def main() -> None:
    """Measure, try out, or train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=Path("Demo/text"), help="the corpus (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=None, help="output folder; needed for training")
    parser.add_argument(
        "--figures", type=Path, default=None, metavar="FOLDER", help="measure this model folder, train nothing"
    )
    parser.add_argument("--sources", nargs="+", default=None, help="with --figures: only these sources")
    parser.add_argument(
        "--window", type=int, default=512, help="with --figures: window in tokens (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, default=None, help="with --figures: write the figures to this file too")
    parser.add_argument(
        "--smoke", action="store_true", help="ten steps of a tiny model on the CPU, in a temporary folder"
    )
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=2799, help="steps (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=None, help="train for this time instead of a number of steps")
    parser.add_argument("--rows", type=int, default=256, help="windows a step (default: %(default)s)")
    parser.add_argument("--lr", type=float, default=3e-3, help="peak rate (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=200, help="warm-up steps (default: %(default)s)")
    parser.add_argument(
        "--decay", type=float, default=0.55, help="last share of the run, where the rate falls (default: %(default)s)"
    )
    parser.add_argument(
        "--weight-decay", type=float, default=0.1, help="for matrices, embedding excepted (default: %(default)s)"
    )
    parser.add_argument(
        "--repeat", type=int, default=1, help="times that the three prose texts are seen a pass (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads on the CPU (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() and not options.smoke else "cpu"
    if options.figures is not None:
        texts = read_texts(options.text / "heldout")
        wanted = {s: d for s, d in texts.items() if options.sources is None or s in options.sources}
        result = figures(options.figures, wanted, options.window)
        if options.json is not None:
            write_json(options.json, result)
    elif options.smoke:
        options.steps, options.rows, options.warmup, options.seconds = 10, 8, 2, None
        with tempfile.TemporaryDirectory() as folder:
            make(options, SMOKE, Path(folder))
    elif options.out is None:
        parser.error("training needs --out")
    else:
        make(options, Shape(), options.out)


if __name__ == "__main__":
    sys.exit(main())
