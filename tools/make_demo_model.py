#!/usr/bin/env python3
"""Train the demo language model and its tokenizer on the demo corpus.

Needs the packages pinned in tools/requirements.txt (torch, transformers,
tokenizers, safetensors, numpy).  Runs on a CPU.

The tokenizer is a byte-level BPE with the splitting rule of Llama 3.  The
model is a `LlamaForCausalLM` in Hugging Face layout.  Training texts are cut
the way the analysis tool feeds them: a window is the beginning-of-text token
and up to 255 tokens of one document.  Windows of long documents start at
random places; short ones are packed into a row with block-diagonal attention.

The learning rate is warmed up over a number of steps, held, and then taken
linearly to zero.  Progress is the share of `--budget-seconds` that has
passed, or of `--steps` when that is given; training.json records the steps a
timed run made.  At every export the files are written aside and renamed, so
that the output folder always holds a complete model.  A run that was cut short
can be taken up with `--init-from`: weights and tokenizer of an exported folder,
a fresh optimizer, and a schedule of its own; the phases before are kept in
training.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SOURCES = ("bible", "sqlite", "jargon", "devil")
BOS, EOS, PAD = "<|begin_of_text|>", "<|end_of_text|>", "<|pad|>"
VOCABULARY = 4096
LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LAYERS, WIDTH, INNER, HEADS, KV_HEADS, HEAD = 8, 192, 512, 6, 2, 32
EPSILON, THETA, POSITIONS, WINDOW = 1e-5, 10_000.0, 512, 256


# --- text and tokenizer -----------------------------------------------------------------------


def read_texts(folder: Path) -> Dict[str, List[str]]:
    """The documents of one split, by source."""
    result = {}
    for source in SOURCES:
        with (folder / f"{source}.jsonl").open(encoding="utf-8") as stream:
            result[source] = [json.loads(line)["text"] for line in stream]
    return result


def train_tokenizer(texts: Dict[str, List[str]]) -> Any:
    """A byte-level BPE laid out as Llama 3's tokenizer.json; special tokens come last."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 3, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator((t for source in SOURCES for t in texts[source]), trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in (BOS, EOS, PAD)])
    bos = tokenizer.token_to_id(BOS)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(add_prefix_space=True, trim_offsets=False, use_regex=True),
        processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1", special_tokens=[(BOS, bos)]),
    ])
    assert tokenizer.get_vocab_size() == VOCABULARY, tokenizer.get_vocab_size()
    return tokenizer


def encode_all(tokenizer: Any, texts: Dict[str, List[str]]) -> Dict[str, List[np.ndarray]]:
    """Token ids of every document, without special tokens."""
    return {
        source: [np.array(e.ids, dtype=np.int64) for e in tokenizer.encode_batch(documents, add_special_tokens=False)]
        for source, documents in texts.items()
    }


class Row(NamedTuple):
    """One row of a batch: input ids, targets (-100 where none), segment numbers."""

    ids: np.ndarray
    targets: np.ndarray
    segments: np.ndarray


def cut(document: np.ndarray, bos: int, eos: int, rng: random.Random) -> Iterator[np.ndarray]:
    """Windows of one document (with its end token): BOS and up to 255 tokens, plus the last target.

    Half of the time the first window is a full one, half of the time it ends
    at a random place, so that all later windows shift from epoch to epoch.
    """
    body = np.append(document, eos)
    step = WINDOW - 1
    start = 0
    stop = step if rng.random() < 0.5 else rng.randint(1, step)
    while start < len(body):
        piece = body[start:stop]
        yield np.concatenate([[bos], piece])
        start, stop = stop, stop + step


def epoch_rows(documents: Sequence[np.ndarray], bos: int, eos: int, pad: int, rng: random.Random) -> List[Row]:
    """All windows of all documents in a new order, packed into rows of `WINDOW` tokens (best fit)."""
    pieces = [p for d in documents for p in cut(d, bos, eos, rng)]
    rng.shuffle(pieces)
    order = sorted(range(len(pieces)), key=lambda i: -len(pieces[i]))
    open_rows: List[List[List[int]]] = [[] for _ in range(WINDOW + 1)]  # by free space
    done: List[List[int]] = []
    for index in order:
        size = len(pieces[index])
        fit = next((free for free in range(size, WINDOW) if open_rows[free]), None)
        row = [] if fit is None else open_rows[fit].pop()
        free = (WINDOW if fit is None else fit) - size
        row.append(index)
        (done if free < 2 else open_rows[free]).append(row)
    done.extend(r for bucket in open_rows for r in bucket)
    rng.shuffle(done)
    rows = []
    for members in done:
        ids = np.full(WINDOW, pad, dtype=np.int64)
        targets = np.full(WINDOW, -100, dtype=np.int64)
        segments = np.full(WINDOW, -1, dtype=np.int64)
        at = 0
        for number, index in enumerate(members):
            piece = pieces[index]
            ids[at : at + len(piece)] = piece
            targets[at : at + len(piece) - 1] = piece[1:]
            segments[at : at + len(piece)] = number
            at += len(piece)
        rows.append(Row(ids, targets, segments))
    return rows


def batch_of(rows: Sequence[Row]) -> Tuple[Tensor, Tensor, Tensor]:
    """Ids, targets and the attention mask [B, 1, T, T] (true where a position may look)."""
    ids = torch.from_numpy(np.stack([r.ids for r in rows]))
    targets = torch.from_numpy(np.stack([r.targets for r in rows]))
    segments = torch.from_numpy(np.stack([r.segments for r in rows]))
    causal = torch.ones(WINDOW, WINDOW, dtype=torch.bool).tril()
    mask = (segments[:, :, None] == segments[:, None, :]) & causal
    return ids, targets, mask[:, None]


# --- model ------------------------------------------------------------------------------------


class Layer(nn.Module):
    """One decoder layer; q, k, v and gate, up are fused for speed."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, (HEADS + 2 * KV_HEADS) * HEAD, bias=False)
        self.o = nn.Linear(HEADS * HEAD, WIDTH, bias=False)
        self.gate_up = nn.Linear(WIDTH, 2 * INNER, bias=False)
        self.down = nn.Linear(INNER, WIDTH, bias=False)
        self.norm1 = nn.Parameter(torch.ones(WIDTH))
        self.norm2 = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, dropout: float) -> Tensor:
        """Attention and MLP with residual connections."""
        b, t, _ = x.shape
        h = F.rms_norm(x, (WIDTH,), self.norm1, EPSILON)
        q, k, v = self.qkv(h).split([HEADS * HEAD, KV_HEADS * HEAD, KV_HEADS * HEAD], dim=-1)
        q = rotate(q.view(b, t, HEADS, HEAD).transpose(1, 2), cos, sin)
        k = rotate(k.view(b, t, KV_HEADS, HEAD).transpose(1, 2), cos, sin)
        v = v.view(b, t, KV_HEADS, HEAD).transpose(1, 2)
        repeat = HEADS // KV_HEADS
        k = k[:, :, None].expand(b, KV_HEADS, repeat, t, HEAD).reshape(b, HEADS, t, HEAD)
        v = v[:, :, None].expand(b, KV_HEADS, repeat, t, HEAD).reshape(b, HEADS, t, HEAD)
        # Plain products: on CPUs faster than the fused attention, whose backward pass is slow.
        scores = (q @ k.transpose(-1, -2)).float() * HEAD**-0.5
        a = torch.softmax(scores.masked_fill(~mask, -1e9), dim=-1).to(v.dtype) @ v
        x = x + F.dropout(self.o(a.transpose(1, 2).reshape(b, t, HEADS * HEAD)), dropout, dropout > 0)
        gate, up = self.gate_up(F.rms_norm(x, (WIDTH,), self.norm2, EPSILON)).chunk(2, dim=-1)
        return x + F.dropout(self.down(F.silu(gate) * up), dropout, dropout > 0)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding, halves convention."""
    a, b = x.chunk(2, dim=-1)
    return (x * cos + torch.cat([-b, a], dim=-1) * sin).to(x.dtype)


class Model(nn.Module):
    """The same function as transformers' LlamaForCausalLM with the demo's configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.Parameter(torch.ones(WIDTH))
        angles = torch.outer(torch.arange(WINDOW).float(), THETA ** (-torch.arange(0, HEAD, 2).float() / HEAD))
        self.register_buffer("cos", torch.cat([angles.cos()] * 2, dim=-1), persistent=False)
        self.register_buffer("sin", torch.cat([angles.sin()] * 2, dim=-1), persistent=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        for layer in self.layers:  # residual branches start small
            nn.init.normal_(layer.o.weight, std=0.02 / math.sqrt(2 * LAYERS))
            nn.init.normal_(layer.down.weight, std=0.02 / math.sqrt(2 * LAYERS))

    def forward(self, ids: Tensor, targets: Tensor, mask: Tensor, dropout: float = 0.0) -> Tensor:
        """Cross-entropy of every position (0 where there is no target)."""
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin, mask, dropout)
        x = F.rms_norm(x, (WIDTH,), self.norm, EPSILON)
        logits = F.linear(x, self.embed.weight)
        return F.cross_entropy(logits.float().view(-1, VOCABULARY), targets.view(-1), ignore_index=-100, reduction="none")

    def hugging_face_state(self) -> Dict[str, Tensor]:
        """The weights under transformers' names."""
        state = {"model.embed_tokens.weight": self.embed.weight, "model.norm.weight": self.norm}
        for i, layer in enumerate(self.layers):
            p = f"model.layers.{i}."
            q, k, v = layer.qkv.weight.split([HEADS * HEAD, KV_HEADS * HEAD, KV_HEADS * HEAD])
            gate, up = layer.gate_up.weight.chunk(2)
            state.update({
                p + "self_attn.q_proj.weight": q, p + "self_attn.k_proj.weight": k, p + "self_attn.v_proj.weight": v,
                p + "self_attn.o_proj.weight": layer.o.weight, p + "mlp.gate_proj.weight": gate,
                p + "mlp.up_proj.weight": up, p + "mlp.down_proj.weight": layer.down.weight,
                p + "input_layernorm.weight": layer.norm1, p + "post_attention_layernorm.weight": layer.norm2,
            })
        return {name: tensor.detach().clone() for name, tensor in state.items()}

    @torch.no_grad()
    def load_hugging_face(self, state: Dict[str, Tensor]) -> None:
        """Set the weights from transformers' names."""
        self.embed.weight.copy_(state["model.embed_tokens.weight"])
        self.norm.copy_(state["model.norm.weight"])
        for i, layer in enumerate(self.layers):
            p = f"model.layers.{i}."
            layer.qkv.weight.copy_(torch.cat([state[p + f"self_attn.{n}_proj.weight"] for n in "qkv"]))
            layer.o.weight.copy_(state[p + "self_attn.o_proj.weight"])
            layer.gate_up.weight.copy_(torch.cat([state[p + f"mlp.{n}_proj.weight"] for n in ("gate", "up")]))
            layer.down.weight.copy_(state[p + "mlp.down_proj.weight"])
            layer.norm1.copy_(state[p + "input_layernorm.weight"])
            layer.norm2.copy_(state[p + "post_attention_layernorm.weight"])


# --- export and evaluation --------------------------------------------------------------------


def write_atomically(folder: Path, name: str, text: str) -> None:
    """Write a text file aside, then rename it."""
    aside = folder / f".{name}.part"
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, folder / name)


def export(model: Model, tokenizer: Any, out: Path) -> None:
    """Write the complete Hugging Face folder, each file by renaming."""
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    bos, eos, pad = (tokenizer.token_to_id(t) for t in (BOS, EOS, PAD))
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD, hidden_act="silu",
        max_position_embeddings=POSITIONS, rms_norm_eps=EPSILON, rope_theta=THETA, tie_word_embeddings=True,
        attention_bias=False, mlp_bias=False, bos_token_id=bos, eos_token_id=eos, pad_token_id=pad,
    )
    hf = LlamaForCausalLM(config)
    missing, unexpected = hf.load_state_dict(model.hugging_face_state(), strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    hf.tie_weights()
    hf = hf.to(torch.bfloat16)
    hf.generation_config = GenerationConfig(bos_token_id=bos, eos_token_id=eos, pad_token_id=pad, do_sample=True, temperature=0.8, top_p=0.95)
    aside = out / ".part"
    hf.save_pretrained(aside)
    settings = json.loads((aside / "config.json").read_text())
    settings.pop("dtype", None)
    settings.pop("rope_parameters", None)
    settings.update(torch_dtype="bfloat16", rope_theta=THETA, rope_scaling=None)
    (aside / "config.json").write_text(json.dumps(dict(sorted(settings.items())), indent=2) + "\n")
    tokenizer.save(str(aside / "tokenizer.json"), pretty=True)
    names = {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD}
    special = {
        k: {"content": v, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False} for k, v in names.items()
    }
    (aside / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    (aside / "tokenizer_config.json").write_text(json.dumps({
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(v)): {**special[k], "special": True} for k, v in names.items()
        },
        **names, "clean_up_tokenization_spaces": False, "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": POSITIONS, "tokenizer_class": "PreTrainedTokenizerFast",
    }, indent=2) + "\n")
    for path in sorted(aside.iterdir()):
        path.chmod(0o644)
        os.replace(path, out / path.name)
    aside.rmdir()


def evaluate(model: Model, tokenizer: Any, texts: Dict[str, List[str]], rows_per_batch: int = 32) -> Dict[str, Any]:
    """Held-out loss with bf16-rounded weights in fp32: nats per token and bits per byte.

    Every document is cut into windows of BOS and at most 255 of its tokens;
    each text token is predicted once; the end token is not counted.
    """
    kept = {n: p.detach().clone() for n, p in model.named_parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(torch.bfloat16).float())
    bos, pad = tokenizer.token_to_id(BOS), tokenizer.token_to_id(PAD)
    nats, tokens, size = {}, {}, {}
    for source, documents in texts.items():
        rows = []
        for ids in encode_all(tokenizer, {source: documents})[source]:
            for start in range(0, len(ids), WINDOW - 1):
                piece = ids[start : start + WINDOW - 1]
                row = Row(np.full(WINDOW, pad), np.full(WINDOW, -100), np.full(WINDOW, -1))
                row.ids[0], row.ids[1 : 1 + len(piece)] = bos, piece
                row.targets[: len(piece)] = piece
                row.segments[: 1 + len(piece)] = 0
                rows.append(row)
        total = 0.0
        with torch.no_grad():
            for start in range(0, len(rows), rows_per_batch):
                total += model(*batch_of(rows[start : start + rows_per_batch])).double().sum().item()
        nats[source] = total
        tokens[source] = int(sum((r.targets >= 0).sum() for r in rows))
        size[source] = sum(len(d.encode()) for d in documents)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(kept[name])
    every = sum(nats.values())
    return {
        "loss_nats_per_token": every / sum(tokens.values()),
        "bits_per_byte": every / math.log(2) / sum(size.values()),
        "tokens": sum(tokens.values()),
        "bytes": sum(size.values()),
        "by_source": {
            s: {
                "loss_nats_per_token": nats[s] / tokens[s], "bits_per_byte": nats[s] / math.log(2) / size[s],
                "tokens": tokens[s], "bytes": size[s],
            } for s in texts
        },
    }


def check_reload(model: Model, out: Path) -> float:
    """Reload with transformers and return the largest difference of the losses."""
    from transformers import AutoModelForCausalLM

    hf = AutoModelForCausalLM.from_pretrained(out, dtype=torch.bfloat16).float().eval()
    mine = Model()
    mine.load_state_dict({n: p.to(torch.bfloat16).float() for n, p in model.state_dict().items()})
    ids = torch.randint(0, VOCABULARY, (2, WINDOW), generator=torch.Generator().manual_seed(1))
    targets = ids.roll(-1, dims=1)
    mask = torch.ones(WINDOW, WINDOW, dtype=torch.bool).tril()[None, None].expand(2, 1, -1, -1)
    with torch.no_grad():
        theirs = F.cross_entropy(hf(ids).logits.view(-1, VOCABULARY), targets.view(-1), reduction="none")
        return float((mine(ids, targets, mask) - theirs).abs().max())


def record(
    phases: List[Dict[str, Any]], heldout: Dict[str, Any], model: Model, out: Path, documents: Sequence[np.ndarray],
) -> Dict[str, Any]:
    """What training.json holds: the totals, the held-out figures of the exported weights, every phase."""
    import safetensors
    import tokenizers
    import transformers

    return {
        "seed": phases[0]["seed"], "steps": sum(p["steps"] for p in phases),
        "tokens_seen": sum(p["tokens_seen"] for p in phases), "wall_seconds": sum(p["wall_seconds"] for p in phases),
        "final_train_loss": phases[-1]["train_loss"], "train_tokens": int(sum(map(len, documents))),
        "parameters": sum(p.numel() for p in model.parameters()), "heldout": heldout,
        "reload_max_loss_difference": check_reload(model, out),
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__, "safetensors": safetensors.__version__, "numpy": np.__version__,
        },
        "phases": phases,
    }


# --- training ---------------------------------------------------------------------------------


def rate_factor(step: int, progress: float, warmup: int, decay_from: float) -> float:
    """Warm-up over `warmup` steps; 1; linear to 0 after the share `decay_from` of the run."""
    decay = 1.0 if progress < decay_from else max(0.0, (1.0 - progress) / (1.0 - decay_from))
    return min(1.0, (step + 1) / warmup) * decay


def main() -> None:
    """Train and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=Path("Demo/text"), help="the corpus (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("Demo/model"), help="output folder (default: %(default)s)")
    parser.add_argument("--init-from", type=Path, default=None, help="go on from this exported folder")
    parser.add_argument("--budget-seconds", type=float, default=4500, help="wall-clock budget (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=None, help="run exactly this many steps instead")
    parser.add_argument("--export-seconds", type=float, default=480, help="time between exports (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=16, help="rows of 256 tokens a batch (default: %(default)s)")
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate (default: %(default)s)")
    parser.add_argument("--weight-decay", type=float, default=0.1, help="for matrices (default: %(default)s)")
    parser.add_argument("--beta2", type=float, default=0.98, help="AdamW's second beta (default: %(default)s)")
    parser.add_argument("--dropout", type=float, default=0.0, help="on the residual branches (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=150, help="warm-up steps (default: %(default)s)")
    parser.add_argument("--decay-from", type=float, default=0.4, help="share of the run where the decay starts")
    parser.add_argument("--clip", type=float, default=1.0, help="largest gradient norm (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads (default: %(default)s)")
    parser.add_argument("--bf16", action="store_true", help="bf16 autocast")
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--measure", action="store_true", help="only measure the speed of a few steps; writes nothing")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    train_texts, heldout_texts = read_texts(options.text / "train"), read_texts(options.text / "heldout")
    phases: List[Dict[str, Any]] = []
    if options.init_from is None:
        tokenizer = train_tokenizer(train_texts)
    else:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(options.init_from / "tokenizer.json"))
        if (options.init_from / "training.json").exists():
            phases = json.loads((options.init_from / "training.json").read_text(encoding="utf-8"))["phases"]
    encoded = encode_all(tokenizer, train_texts)
    for source in SOURCES:
        n = sum(map(len, encoded[source]))
        print(f"{source}: {n} tokens, {sum(len(t.encode()) for t in train_texts[source]) / n:.3f} bytes a token", flush=True)
    documents = [d for source in SOURCES for d in encoded[source]]
    bos, eos, pad = (tokenizer.token_to_id(t) for t in (BOS, EOS, PAD))
    if not options.measure:
        options.out.mkdir(parents=True, exist_ok=True)

    model = Model()
    if options.init_from is not None:
        from safetensors.torch import load_file

        model.load_hugging_face(load_file(options.init_from / "model.safetensors"))
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": options.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=options.lr, betas=(0.9, options.beta2), eps=1e-8, fused=True,
    )
    forward = torch.compile(model, dynamic=False) if options.compile else model

    def save() -> None:
        """Export, measure, and record, so that a run cut short leaves a record too."""
        export(model, tokenizer, options.out)
        result = evaluate(model, tokenizer, heldout_texts)
        wall = time.monotonic() - start
        log.append({
            "step": step, "seconds": round(wall), "tokens": tokens_seen,
            "heldout_bits_per_byte": result["bits_per_byte"],
        })
        phase = {
            "seed": options.seed, "steps": step, "tokens_seen": tokens_seen, "epochs_started": epoch,
            "wall_seconds": round(wall), "train_loss": sum(recent[-200:]) / len(recent[-200:]), "exports": list(log),
            "hyperparameters": {
                "optimizer": "AdamW", "lr": options.lr, "betas": [0.9, options.beta2], "eps": 1e-8,
                "weight_decay_matrices": options.weight_decay, "dropout": options.dropout,
                "warmup_steps": options.warmup, "decay_from": options.decay_from, "gradient_clip": options.clip,
                "rows": options.rows, "window": WINDOW, "schedule_by": "steps" if options.steps else "wall clock",
                "budget_seconds": options.budget_seconds, "bf16_autocast": options.bf16,
                "compiled": options.compile, "threads": options.threads,
            },
        }
        every = phases + [phase]
        write_atomically(options.out, "training.json", json.dumps(record(every, result, model, options.out, documents), indent=2) + "\n")
        print("export", json.dumps(log[-1]), flush=True)

    start = last_export = time.monotonic()
    step = tokens_seen = epoch = 0
    recent: List[float] = []
    rows: List[Row] = []
    log: List[Dict[str, Any]] = []
    while True:
        now = time.monotonic()
        progress = step / options.steps if options.steps else (now - start) / options.budget_seconds
        if progress >= 1 or (options.measure and step >= 12):
            break
        if len(rows) < options.rows:
            rows = epoch_rows(documents, bos, eos, pad, rng)
            epoch += 1
            print(f"epoch {epoch}: {len(rows)} rows", flush=True)
        chosen, rows = rows[: options.rows], rows[options.rows :]
        ids, targets, mask = batch_of(chosen)
        factor = rate_factor(step, progress, options.warmup, options.decay_from)
        for group in optimizer.param_groups:
            group["lr"] = options.lr * factor
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bf16):
            losses = forward(ids, targets, mask, options.dropout)
        count = int((targets >= 0).sum())
        loss = losses.sum() / count
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
        optimizer.step()
        step += 1
        tokens_seen += count
        recent.append(float(loss.detach()))
        if options.measure:
            print(f"step {step} {options.rows * WINDOW / (time.monotonic() - now):.0f} positions/s loss {recent[-1]:.4f}", flush=True)
            continue
        if step % 50 == 0:
            mean = sum(recent[-50:]) / len(recent[-50:])
            print(f"step {step} progress {progress:.3f} lr {options.lr * factor:.2e} loss {mean:.4f} "
                  f"{tokens_seen / (time.monotonic() - start):.0f} tokens/s", flush=True)
        if time.monotonic() - last_export > options.export_seconds:
            save()
            last_export = time.monotonic()
    if options.measure:
        return

    save()

if __name__ == "__main__":
    main()
