#!/usr/bin/env python3
# Made with: torch 2.15.0, safetensors 0.8.0, numpy 2.4.6, Python 3.11 (tools/requirements.txt); the runs with batch_k
# with torch 2.13.0.
"""Write golden training runs of every architecture, in its corrected and in its reference form.

An independent PyTorch statement of the formulas: only the forward passes are
written down, the gradients are autograd's (`detach` where a formula stops a
gradient, a `torch.autograd.Function` where it replaces one).  d = 24, 3
layers, m = 40 latents, k = 6, 25 steps of 32 tokens taken in order (mlsae: of
10 tokens, which are 30 samples), learning rate 5e-3.  The reference forms of
route and of single-layer TopK are in Tests/Fixtures/route-reference.

Files in Tests/Fixtures/dictionaries:

activations.safetensors     activations [800, 3, 24] f32 raw residuals; token_ids, document_ids and
                            draw_keys [800] i64 (the bits of the unsigned keys that draw the layers of
                            `random`); header: model, tokenizer, layers
<run>-<fidelity>.safetensors    one run; `topk-clipped` is topk with its gradient clipped

Tensors of a run (f32; D = 24, for a crosscoder the layers' widths one after another, 72):

initial.<name>              the weights given; the decoder's columns do not have unit norm yet
losses [25]                 the NormMSE part of each step, before its update
sparsity_losses [25]        the sparsity term as it is added, with its coefficient and warmup
auxiliary_losses [25]       AuxK with its coefficient; for gated the NormMSE of the gate's reconstruction
balance_losses [25]         the load-balance term with its coefficient (route)
objectives [25]             the sum of these, which is what is differentiated
l0 [25]                     mean number of nonzero z of a sample
dead_latents [25]           number of dead latents when the step starts (where there is AuxK)
grad_0.<name>, grad_12.<name>   gradients of the objective at these steps, before clipping and projection
gradient_norms [25]         their global norm (where they are clipped)
weights_3.<name>            the weights when 3 steps are done (after whatever follows the third update)
weights_25.<name>           the weights at the end, after the last normalisation or folding

<name>: router.weight [3, 24], pre_bias [D], latent_bias [40], encoder.weight [40, D], decoder.weight
[D, 40], gate_bias, mag_bias, r_mag, log_threshold, threshold [40]; those the architecture has.  With
batch_k threshold [1]: the running mean of the smallest activation that each batch keeps, with weight
max(1 / (step + 1), 1 / 20) for the newest.  A
weight the objective does not depend on has a zero gradient.

Header of a run: architecture, fidelity, width, latents, layers (of the activations' three), batch_tokens,
steps, learning_rate, normalize_every; and where they apply: routing, aggregation, load_balance, k, batch_k
(BatchTopK: of a batch of n samples the n * batch_k largest are kept), prefixes (Matryoshka: the loss is the
mean NormMSE of the reconstructions from the latents below each), lambda, sparsity_warmup, bandwidth, auxiliary_coefficient, auxiliary_k, dead_after, clip_norm.  A setting that is
missing is off.

The reference's jumprelu starts at threshold and bandwidth 1e-3; here both are near 0.2, because next to
nothing falls into a kernel of 1e-3.  Its thresholds are uneven: a few are below half the bandwidth, so that
inactive latents (z = 0) are inside the kernel, and at least one is negative.

Order of a run:

1. Decoder columns to unit norm, where they are kept there.
2. For i = 0 ... 24: forward; backward; clipping by the global norm; where the form is corrected and the
   columns are kept at unit norm, grad w_j -= <grad w_j, w_j> w_j; Adam (0.9, 0.999, 1e-8, bias correction)
   with rate 5e-3 x factor(i): factor(i) = i / W while i < W = 1, 1 until step 20, then (25 - i) / 5; if i
   is divisible by 10, decoder columns to unit norm.
3. Decoder columns to unit norm, or their norms folded into the encoder (corrected L1).

Everything is computed in float64 from the stored float32 numbers and rounded
once when stored.  The same run in float32, and once more with the tokens of
every batch in reverse, is compared with it; the header records the deviations:
`deviation.<tensor>` is the largest difference divided by the largest magnitude
of that tensor, `deviation_max` the largest of them, and `margins` the smallest
distances from an edge (k-th over next latent, routed layer over next, sign,
threshold, border of a kernel), as a share of the spread of what was compared;
`deviation_compared` is how far what was compared is off in float32, as the same
share.  Seeds were chosen (--search) so that the margins are wide, and the
float32 run has to take every decision alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

WIDTH, LAYERS, LATENTS, KEPT = 24, 3, 40, 6
STEPS, BATCH, RATE, NORMALISE_EVERY = 25, 32, 5e-3, 10
BETAS, ADAM_EPSILON, EPSILON = (0.9, 0.999), 1e-8, 1e-6
SINGLE_LAYER = 1
DATA_SEED = 7
Weights = Dict[str, Tensor]


class Run(NamedTuple):
    """The settings of one run."""

    name: str
    architecture: str
    fidelity: str
    seed: int = 0
    batch: int = BATCH
    k: Optional[int] = None
    batch_k: Optional[int] = None
    prefixes: Tuple[int, ...] = ()
    penalty: float = 0.0
    sparsity_warmup: float = 0.0
    bandwidth: float = 0.0
    routing: Optional[str] = None
    aggregation: Optional[str] = None
    load_balance: float = 0.0
    auxiliary_coefficient: float = 0.0
    auxiliary_k: int = 0
    dead_after: int = 0
    clip_norm: float = 0.0
    quiet_bias: float = 0.0

    @property
    def corrected(self) -> bool:
        """Whether it is the corrected form."""
        return self.fidelity == "corrected"

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}-{self.fidelity}"

    @property
    def crosscoder(self) -> bool:
        """Whether a sample is all layers of a token, one after another."""
        return self.architecture == "crosscoder"

    @property
    def free_norms(self) -> bool:
        """Whether the decoder's norms are free, and folded at the end."""
        return self.corrected and self.k is None and self.batch_k is None and self.architecture in ("vanilla", "crosscoder")

    @property
    def centres(self) -> bool:
        """Whether the pre-bias is subtracted before encoding."""
        return not self.crosscoder and not (self.architecture == "jumprelu" and self.corrected)


SEEDS = {
    "topk-corrected": 80, "topk-clipped-corrected": 231, "random-corrected": 383, "random-reference": 174,
    "mlsae-corrected": 326, "mlsae-reference": 113, "crosscoder-topk-corrected": 343,
    "crosscoder-topk-reference": 14, "vanilla-corrected": 292, "vanilla-reference": 171,
    "gated-corrected": 207, "gated-reference": 225, "jumprelu-corrected": 86, "jumprelu-reference": 420,
    "crosscoder-l1-corrected": 219, "crosscoder-l1-reference": 28, "route-hard-sum-corrected": 12,
    "route-hard-mean-corrected": 69, "route-soft-sum-corrected": 91, "route-soft-mean-corrected": 259,
    "batchtopk-corrected": 51, "matryoshka-corrected": 18, "route-batchtopk-corrected": 7,
    "route-matryoshka-corrected": 6,
}


def all_runs() -> List[Run]:
    """The committed runs."""
    aux = dict(k=KEPT, auxiliary_coefficient=1 / 32, auxiliary_k=12)
    topk = dict(dead_after=96, quiet_bias=0.05, **aux)
    rectified = dict(dead_after=96, quiet_bias=-0.1, **aux)
    mlsae = dict(dead_after=40, quiet_bias=-0.1, batch=10, **aux)
    warm = dict(sparsity_warmup=0.2)
    runs = [
        Run("topk", "topk", "corrected", **topk),
        Run("topk-clipped", "topk", "corrected", clip_norm=0.2, **rectified),
        Run("random", "random", "corrected", **topk),
        Run("random", "random", "reference", k=KEPT),
        Run("mlsae", "mlsae", "corrected", **mlsae),
        Run("mlsae", "mlsae", "reference", k=KEPT, batch=10),
        Run("crosscoder-topk", "crosscoder", "corrected", **topk),
        Run("crosscoder-topk", "crosscoder", "reference", k=KEPT),
        Run("vanilla", "vanilla", "corrected", penalty=1.0, **warm),
        Run("vanilla", "vanilla", "reference", penalty=1.0),
        Run("gated", "gated", "corrected", penalty=1.0, **warm),
        Run("gated", "gated", "reference", penalty=1.0),
        Run("jumprelu", "jumprelu", "corrected", penalty=0.03, bandwidth=0.3, **warm),
        Run("jumprelu", "jumprelu", "reference", penalty=0.03, bandwidth=0.2),
        Run("crosscoder-l1", "crosscoder", "corrected", penalty=1.0, **warm),
        Run("crosscoder-l1", "crosscoder", "reference", penalty=1.0),
    ]
    for routing in ("hard", "soft"):
        for aggregation in ("sum", "mean"):
            latents = topk if aggregation == "sum" else rectified
            if routing == "soft" and aggregation == "mean":
                latents = {**latents, "quiet_bias": -0.06}  # a mixture of layers is shorter
            runs.append(Run(
                f"route-{routing}-{aggregation}", "route", "corrected", routing=routing, aggregation=aggregation,
                load_balance=0.05, **latents,
            ))
    batch = {**topk, "k": None, "batch_k": KEPT}
    nested = {**batch, "prefixes": (6, 18, LATENTS)}
    hard = dict(routing="hard", aggregation="sum", load_balance=0.05)
    runs += [
        Run("batchtopk", "topk", "corrected", **batch),
        Run("matryoshka", "topk", "corrected", **nested),
        Run("route-batchtopk", "route", "corrected", **hard, **batch),
        Run("route-matryoshka", "route", "corrected", **hard, **nested),
    ]
    return [run._replace(seed=SEEDS.get(run.file, 0)) for run in runs]


class Edges:
    """What a run decided, and how far from deciding otherwise it was."""

    def __init__(self) -> None:
        self.margins: Dict[str, float] = {}
        self.decisions: List[Tensor] = []
        self.compared: List[Tensor] = []

    def note(self, kind: str, distances: Tensor, values: Tensor) -> None:
        """Takes note of the `distances` from an edge that a comparison of `values` rested on."""
        spread = values.detach().std()
        self.compared.append(values.detach() / spread)
        if distances.numel():
            margin = float(distances.detach().abs().min() / spread)
            self.margins[kind] = min(margin, self.margins.get(kind, float("inf")))

    def decide(self, decision: Tensor) -> None:
        """Takes note of a decision."""
        self.decisions.append(decision.detach().clone())


class JumpReLU(torch.autograd.Function):
    """a where a > θ; the threshold's gradient through a rectangle of width ε."""

    @staticmethod
    def forward(ctx, a: Tensor, theta: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(a, theta)
        ctx.bandwidth = bandwidth
        return a * (a > theta)

    @staticmethod
    def backward(ctx, upstream: Tensor) -> Tuple[Tensor, Tensor, None]:
        a, theta = ctx.saved_tensors
        inside = ((a - theta).abs() < ctx.bandwidth / 2).to(a.dtype)
        return upstream * (a > theta), (upstream * -(theta / ctx.bandwidth) * inside).sum(0), None


class Heaviside(torch.autograd.Function):
    """1 where v > θ; the threshold's gradient through a rectangle of width ε, none for v."""

    @staticmethod
    def forward(ctx, v: Tensor, theta: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(v, theta)
        ctx.bandwidth = bandwidth
        return (v > theta).to(v.dtype)

    @staticmethod
    def backward(ctx, upstream: Tensor) -> Tuple[None, Tensor, None]:
        v, theta = ctx.saved_tensors
        inside = ((v - theta).abs() < ctx.bandwidth / 2).to(v.dtype)
        return None, (upstream * -(1 / ctx.bandwidth) * inside).sum(0), None


class Terms(NamedTuple):
    """The parts of the objective, and the latents z [samples, latents]."""

    loss: Tensor
    sparsity: Tensor
    auxiliary: Tensor
    balance: Tensor
    latents: Tensor

    @property
    def objective(self) -> Tensor:
        """What is differentiated."""
        return self.loss + self.sparsity + self.auxiliary + self.balance


# Inputs


def standardise(h: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 over the width, per token and layer."""
    mean = h.mean(-1, keepdim=True)
    deviation = ((h - mean).square().sum(-1, keepdim=True) / (h.shape[-1] - 1)).sqrt()
    return (h - mean) / (deviation + EPSILON)


def drawn_layer(key: int, layers: int) -> int:
    """The layer that a token's key draws: the high half of mix(key) · layers."""
    mask = (1 << 64) - 1
    z = key & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    z ^= z >> 31
    return (z * layers) >> 64


def samples(run: Run, w: Weights, h: Tensor, keys: Tensor, edges: Edges) -> Tuple[Tensor, Tensor]:
    """What the autoencoder reads, u [samples, D], and the load-balance term."""
    x = standardise(h)
    none = x.new_zeros(())
    rows = torch.arange(len(x))
    if run.architecture == "random":
        return x[rows, torch.tensor([drawn_layer(int(key), x.shape[1]) for key in keys])], none
    if run.architecture == "mlsae":
        return x.reshape(-1, x.shape[-1]), none
    if run.crosscoder:
        return x.reshape(len(x), -1), none
    if run.architecture != "route":
        return x[:, SINGLE_LAYER], none
    pooled = x.sum(1) if run.aggregation == "sum" else x.mean(1)
    logits = pooled @ w["router.weight"].T
    p = logits.softmax(-1)
    chosen = p.argmax(-1)
    mixture = torch.einsum("tl,tld->td", p, x)
    if run.routing == "soft":
        u = mixture
    elif run.corrected:
        u = x[rows, chosen] + (mixture - mixture.detach())
    else:
        u = p[rows, chosen, None] * x[rows, chosen]
    if run.routing == "hard" or run.load_balance > 0:
        best = logits.sort(-1, descending=True).values
        edges.note("layers", best[:, 0] - best[:, 1], logits)
        edges.decide(chosen)
    share = torch.bincount(chosen, minlength=x.shape[1]).to(p.dtype) / len(x)
    return u, run.load_balance * x.shape[1] * (share * p.mean(0)).sum()


# Autoencoders


def norm_mse(output: Tensor, u: Tensor, layers: int) -> Tensor:
    """Mean over samples, and over the layers side by side in one, of ‖û − u‖² / ‖u‖²."""
    error, target = (output - u).unflatten(1, (layers, -1)), u.unflatten(1, (layers, -1))
    return (error.square().sum(-1) / target.square().sum(-1)).mean()


def encode(run: Run, w: Weights, u: Tensor) -> Tensor:
    """W_enc u or W_enc (u − b_pre), without another bias."""
    return (u - w["pre_bias"] if run.centres else u) @ w["encoder.weight"].T


def decode(w: Weights, z: Tensor) -> Tensor:
    """The reconstruction of latents z."""
    output = z @ w["decoder.weight"].T
    return output + w["pre_bias"] if "pre_bias" in w else output


def strongest(a: Tensor, k: int, rectified: bool, kind: str, edges: Edges) -> Tensor:
    """`a` with all but the k largest of a row at zero, and negative ones too if `rectified`."""
    order = a.sort(-1, descending=True)
    kept = torch.zeros_like(a).scatter(1, order.indices[:, :k], 1)
    if rectified:
        kept = kept * (a > 0)
        edges.note(f"{kind} signs", order.values[:, :k], a)
    if k < a.shape[1]:
        last, following = order.values[:, k - 1], order.values[:, k]
        edges.note(kind, (last - following)[last > 0] if rectified else last - following, a)
    edges.decide(kept)
    return a * kept


def strongest_of_batch(a: Tensor, count: int, edges: Edges) -> Tensor:
    """`a` with all but the `count` largest of the batch at zero, and negative ones too."""
    order = a.flatten().sort(descending=True)
    kept = torch.zeros_like(order.values).scatter(0, order.indices[:count], 1).view_as(a) * (a > 0)
    edges.note("latents", order.values[count - 1 : count] - order.values[count : count + 1], a)
    edges.note("latents signs", order.values[:count], a)
    edges.decide(kept)
    return a * kept


def dead_reconstruction(run: Run, w: Weights, u: Tensor, residual: Tensor, dead: Tensor, edges: Edges) -> Tensor:
    """AuxK: how well the dead latents explain what is left, for constant `u` and `residual`."""
    count = int(dead.sum())
    if count == 0:
        return u.new_zeros(())
    a = (encode(run, w, u) + w["latent_bias"])[:, dead]
    z = strongest(a, min(run.auxiliary_k, count), True, "dead latents", edges)
    estimate = z @ w["decoder.weight"][:, dead].T
    unexplained = (estimate - residual).square().sum() / (residual - residual.mean(0)).square().sum()
    return run.auxiliary_coefficient * min(count / run.auxiliary_k, 1) * unexplained


def topk_terms(run: Run, w: Weights, u: Tensor, layers: int, dead: Tensor, edges: Edges) -> Terms:
    """The TopK family."""
    a = encode(run, w, u) + w["latent_bias"]
    if run.batch_k is not None:
        z = strongest_of_batch(a, run.batch_k * len(a), edges)
    else:
        z = strongest(a, run.k, run.corrected, "latents", edges)
    output = decode(w, z)
    none = u.new_zeros(())
    auxiliary = none
    if run.auxiliary_coefficient > 0:
        auxiliary = dead_reconstruction(run, w, u.detach(), (u - output).detach(), dead, edges)
    loss = norm_mse(output, u, layers)
    if run.prefixes:
        nested = [decode(w, z * (torch.arange(LATENTS) < prefix)) for prefix in run.prefixes]
        loss = torch.stack([norm_mse(partial, u, layers) for partial in nested]).mean()
    return Terms(loss, none, auxiliary, none, z)


def relu(a: Tensor, kind: str, edges: Edges) -> Tensor:
    """ReLU, with its edge."""
    edges.note(kind, a, a)
    edges.decide(a > 0)
    return a.relu()


def l1_terms(run: Run, w: Weights, u: Tensor, layers: int, weight: float, edges: Edges) -> Terms:
    """vanilla, and the crosscoder with an L1 penalty."""
    z = relu(encode(run, w, u) + w["latent_bias"], "signs", edges)
    if run.corrected:
        norms = w["decoder.weight"].unflatten(0, (layers, -1)).norm(dim=1).sum(0)
        sparsity = weight / (u.shape[1] - layers) * (z * norms).sum(-1).mean()
    else:
        sparsity = weight * z.mean()
    none = u.new_zeros(())
    return Terms(norm_mse(decode(w, z), u, layers), sparsity, none, none, z)


def gated_terms(run: Run, w: Weights, u: Tensor, weight: float, edges: Edges) -> Terms:
    """gated."""
    pi = encode(run, w, u)
    gate = relu(pi + w["gate_bias"], "gates", edges)
    magnitude = relu(w["r_mag"].exp() * pi + w["mag_bias"], "magnitudes", edges)
    z = (gate > 0) * magnitude
    none = u.new_zeros(())
    auxiliary = none
    if run.corrected:
        sparsity = weight / (u.shape[1] - 1) * gate.sum(-1).mean()
        auxiliary = norm_mse(gate @ w["decoder.weight"].detach().T + w["pre_bias"].detach(), u, 1)
    else:
        sparsity = weight * z.mean()
    return Terms(norm_mse(decode(w, z), u, 1), sparsity, auxiliary, none, z)


def jumprelu_terms(run: Run, w: Weights, u: Tensor, weight: float, edges: Edges) -> Terms:
    """jumprelu."""
    a = encode(run, w, u) + w["latent_bias"]
    theta = w["log_threshold"].exp() if run.corrected else w["threshold"]
    z = JumpReLU.apply(a, theta, run.bandwidth)
    counted = a if run.corrected else z
    active = Heaviside.apply(counted, theta, run.bandwidth)
    edges.note("thresholds", counted - theta, a - theta)
    edges.note("thresholds", a - theta, a - theta)
    edges.decide(a > theta)
    edges.decide(active)
    for values in (a, counted):
        distance = (values - theta).abs()
        edges.note("kernels", distance - run.bandwidth / 2, a - theta)
        edges.decide(distance < run.bandwidth / 2)
    none = u.new_zeros(())
    return Terms(norm_mse(decode(w, z), u, 1), weight * active.sum(-1).mean(), none, none, z)


def forward(run: Run, w: Weights, h: Tensor, keys: Tensor, step: int, dead: Tensor, edges: Edges) -> Terms:
    """The objective's parts of a batch `h` [tokens, layers, width]."""
    u, balance = samples(run, w, h, keys, edges)
    layers = h.shape[1] if run.crosscoder else 1
    warmup = int(run.sparsity_warmup * STEPS)
    weight = run.penalty * (min(1.0, step / warmup) if warmup else 1.0)
    if run.k is not None or run.batch_k is not None:
        return topk_terms(run, w, u, layers, dead, edges)._replace(balance=balance)
    if run.architecture == "gated":
        return gated_terms(run, w, u, weight, edges)
    if run.architecture == "jumprelu":
        return jumprelu_terms(run, w, u, weight, edges)
    return l1_terms(run, w, u, layers, weight, edges)


# Training


def factor(step: int) -> float:
    """The learning rate's factor at a step."""
    warmup, decay = int(0.05 * STEPS), STEPS // 5
    if step < warmup:
        return step / warmup
    return 1.0 if step < STEPS - decay else (STEPS - step) / decay


@torch.no_grad()
def normalise(run: Run, w: Weights) -> None:
    """Decoder columns to unit norm; in the reference's crosscoder those of every layer."""
    parts = LAYERS if run.crosscoder and not run.corrected else 1
    columns = w["decoder.weight"].unflatten(0, (parts, -1))
    columns /= columns.norm(dim=1, keepdim=True)


@torch.no_grad()
def fold(w: Weights) -> None:
    """Decoder columns to unit norm, the function unchanged."""
    norms = w["decoder.weight"].norm(dim=0)
    w["decoder.weight"] /= norms
    w["encoder.weight"] *= norms[:, None]
    w["latent_bias"] *= norms


def differentiate(objective: Tensor, w: Weights) -> Weights:
    """Gradients of all weights; zero where the objective does not depend on one."""
    gradients = torch.autograd.grad(objective, list(w.values()), allow_unused=True)
    return {n: torch.zeros_like(w[n]) if g is None else g for n, g in zip(w, gradients)}


def train(run: Run, initial: Weights, data: Dict[str, Tensor], dtype: torch.dtype) -> Tuple[Dict[str, Tensor], Edges]:
    """One run: its golden tensors, and its edges."""
    w: Weights = {n: t.to(dtype).clone().requires_grad_() for n, t in initial.items()}
    first: Weights = {n: torch.zeros_like(t) for n, t in w.items()}
    second: Weights = {n: torch.zeros_like(t) for n, t in w.items()}
    golden: Dict[str, Tensor] = {f"initial.{n}": t.to(dtype) for n, t in initial.items()}
    series: Dict[str, List[Tensor]] = {}
    edges = Edges()
    silent = torch.zeros(w["encoder.weight"].shape[0], dtype=torch.long)  # tokens since a latent fired

    if not run.free_norms:
        normalise(run, w)
    for step in range(STEPS):
        batch = slice(step * run.batch, (step + 1) * run.batch)
        dead = silent >= run.dead_after
        terms = forward(run, w, data["activations"][batch].to(dtype), data["draw_keys"][batch], step, dead, edges)
        gradients = differentiate(terms.objective, w)
        fired = (terms.latents.detach() != 0).any(0)
        silent = torch.where(fired, 0, silent + run.batch)
        norm = torch.stack([g.square().sum() for g in gradients.values()]).sum().sqrt()
        found = {
            "losses": terms.loss, "objectives": terms.objective, "auxiliary_losses": terms.auxiliary,
            "sparsity_losses": terms.sparsity, "l0": (terms.latents != 0).to(dtype).sum(-1).mean(),
        }
        if run.load_balance > 0:
            found["balance_losses"] = terms.balance
        if run.auxiliary_coefficient > 0:
            found["dead_latents"] = dead.sum().to(dtype)
        if run.clip_norm > 0:
            found["gradient_norms"] = norm
        for name, value in found.items():
            series.setdefault(name, []).append(value.detach())
        if step in (0, 12):
            golden.update({f"grad_{step}.{n}": g.clone() for n, g in gradients.items()})
        with torch.no_grad():
            if run.clip_norm > 0:
                gradients = {n: g * min(1.0, run.clip_norm / (norm + 1e-6)) for n, g in gradients.items()}
            if run.corrected and not run.free_norms:
                columns, slope = w["decoder.weight"], gradients["decoder.weight"]
                gradients["decoder.weight"] = slope - (slope * columns).sum(0) * columns
            for n in w:
                first[n].mul_(BETAS[0]).add_(gradients[n], alpha=1 - BETAS[0])
                second[n].mul_(BETAS[1]).addcmul_(gradients[n], gradients[n], value=1 - BETAS[1])
                mean = first[n] / (1 - BETAS[0] ** (step + 1))
                root = (second[n] / (1 - BETAS[1] ** (step + 1))).sqrt()
                w[n] -= RATE * factor(step) * mean / (root + ADAM_EPSILON)
            if run.batch_k is not None:
                z = terms.latents.detach()
                share = max(1 / (step + 1), 1 / 20)
                w["threshold"] += share * (z[z > 0].min() - w["threshold"])
        if step % NORMALISE_EVERY == 0 and not run.free_norms:
            normalise(run, w)
        if step + 1 == 3:
            golden.update({f"weights_3.{n}": t.detach().clone() for n, t in w.items()})
    if run.free_norms:
        fold(w)
    else:
        normalise(run, w)
    golden.update({f"weights_25.{n}": t.detach().clone() for n, t in w.items()})
    golden.update({name: torch.stack(values) for name, values in series.items()})
    return golden, edges


# Fixtures


def make_data(seed: int) -> Dict[str, Tensor]:
    """Raw residuals with offsets and a scale of their own per layer, and the keys of the tokens."""
    g = torch.Generator().manual_seed(seed)
    tokens = STEPS * BATCH
    directions = torch.randn(36, WIDTH, generator=g)
    codes = torch.randn(tokens, LAYERS, 36, generator=g).relu() * (torch.rand(tokens, LAYERS, 36, generator=g) < 0.15)
    shared = torch.randn(tokens, 1, WIDTH, generator=g)
    scale = torch.tensor([0.7, 3.0, 11.0])[None, :, None]
    offset = torch.randn(1, LAYERS, WIDTH, generator=g) * 0.5 + torch.tensor([0.4, -0.8, 1.5])[None, :, None]
    noise = 0.3 * torch.randn(tokens, LAYERS, WIDTH, generator=g)
    return {
        "activations": (scale * (codes @ directions + 0.5 * shared + noise + offset)).float().contiguous(),
        "token_ids": torch.randint(0, 500, (tokens,), generator=g),
        "document_ids": torch.arange(tokens) // 50,
        "draw_keys": torch.randint(-(2**63), 2**63 - 1, (tokens,), generator=g),
    }


def make_weights(run: Run) -> Weights:
    """Initial weights: no bias is zero, no decoder column has unit norm.

    In reference runs with k the latent biases are so low that some kept
    pre-activations are negative, which a ReLU would show.  In runs with AuxK every other
    latent is quiet and hardly fires.  If its bias is positive, more than k_aux
    dead latents have positive pre-activations, so that AuxK has to select; if
    it is negative (and the others' too), fewer than k pre-activations of some
    samples are positive, so that the ReLU matters.
    """
    g = torch.Generator().manual_seed(run.seed)
    width = WIDTH * (LAYERS if run.crosscoder else 1)
    bound = width**-0.5

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=g)

    encoder = (torch.rand(LATENTS, width, generator=g) * 2 - 1) * bound
    latent_bias = 0.05 * normal(LATENTS)
    if run.k is not None and not run.corrected:
        latent_bias = latent_bias - 0.6
    if run.quiet_bias:
        quiet = torch.arange(LATENTS) % 2 == 1
        encoder = torch.where(quiet[:, None], 0.1 * encoder, encoder)
        latent_bias = torch.where(quiet, 0.5 * latent_bias + run.quiet_bias, latent_bias + min(2.5 * run.quiet_bias, 0))
    weights = {
        "pre_bias": 0.1 * normal(width), "latent_bias": latent_bias, "encoder.weight": encoder,
        "decoder.weight": (encoder.T + 0.05 * normal(width, LATENTS)).contiguous(),
        "router.weight": (torch.rand(LAYERS, WIDTH, generator=g) * 2 - 1) * bound,
        "gate_bias": 0.1 * normal(LATENTS), "mag_bias": 0.1 * normal(LATENTS), "r_mag": 0.2 * normal(LATENTS),
        "log_threshold": (0.25 * (0.3 * normal(LATENTS)).exp()).log(), "threshold": 0.2 + 0.1 * normal(LATENTS),
    }
    names = ["encoder.weight", "decoder.weight"]
    if run.corrected or not run.crosscoder:
        names.append("pre_bias")
    if run.architecture == "route":
        names.append("router.weight")
    if run.architecture == "gated":
        names += ["gate_bias", "mag_bias", "r_mag"]
    else:
        names.append("latent_bias")
    if run.batch_k is not None:
        weights["threshold"] = torch.zeros(1)
        names.append("threshold")
    if run.architecture == "jumprelu":
        names.append("log_threshold" if run.corrected else "threshold")
    return {n: weights[n].float().contiguous() for n in names}


def reversed_batches(run: Run, data: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """The tokens of every batch in reverse: the same run, summed in another order."""
    used = {n: data[n][: STEPS * run.batch] for n in ("activations", "draw_keys")}
    return {n: t.unflatten(0, (STEPS, run.batch)).flip(1).flatten(0, 1) for n, t in used.items()}


def deviations(run: Run, data: Dict[str, Tensor], double: Dict[str, Tensor], edges: Edges) -> Tuple[Dict[str, float], float]:
    """How far float32 is off: each tensor's largest difference, relative to its largest magnitude, in the plain run
    or in that with reversed batches, whichever is greater; and the largest difference of what decisions rested on
    (infinite if one differs)."""
    weights = make_weights(run)
    plain, others = train(run, weights, data, torch.float32)
    turned, _ = train(run, weights, reversed_batches(run, data), torch.float32)
    off = {}
    for name, value in double.items():
        if not name.startswith("initial.") and value.abs().max() > 0:
            difference = max(float((single[name].double() - value).abs().max()) for single in (plain, turned))
            off[name] = difference / float(value.abs().max())
    decisions = list(zip(others.decisions, edges.decisions))
    if len(others.decisions) != len(edges.decisions) or not all(torch.equal(a.double(), b.double()) for a, b in decisions):
        return off, float("inf")
    return off, max(float((a.double() - b).abs().max()) for a, b in zip(others.compared, edges.compared))


def settings(run: Run) -> Dict[str, str]:
    """The header's settings of a run."""
    single = run.architecture in ("topk", "vanilla", "gated", "jumprelu")
    result = {
        "architecture": run.architecture, "fidelity": run.fidelity, "width": str(WIDTH), "latents": str(LATENTS),
        "layers": "[2]" if single else "[1,2,3]", "batch_tokens": str(run.batch), "steps": str(STEPS),
        "learning_rate": str(RATE), "normalize_every": str(NORMALISE_EVERY), "seed": str(run.seed),
    }
    optional = {
        "routing": run.routing, "aggregation": run.aggregation, "load_balance": run.load_balance, "k": run.k,
        "lambda": run.penalty, "sparsity_warmup": run.sparsity_warmup, "bandwidth": run.bandwidth,
        "auxiliary_coefficient": run.auxiliary_coefficient, "auxiliary_k": run.auxiliary_k,
        "dead_after": run.dead_after, "clip_norm": run.clip_norm, "batch_k": run.batch_k,
        "prefixes": ",".join(map(str, run.prefixes)),
    }
    return {**result, **{key: str(value) for key, value in optional.items() if value}}


def worthwhile(run: Run, golden: Dict[str, Tensor], edges: Edges) -> bool:
    """Whether a run shows what it is there for."""
    if run.auxiliary_coefficient > 0:
        dead, auxiliary = golden["dead_latents"], golden["auxiliary_losses"]
        above, below = (dead > run.auxiliary_k).any(), ((dead > 0) & (dead < run.auxiliary_k)).any()
        if int((auxiliary > 0).sum()) < 8 or not above or not below:
            return False
        if not ("dead latents" in edges.margins if run.quiet_bias > 0 else golden["l0"].min() < run.k):
            return False
        return run.clip_norm == 0 or 13 <= int((golden["gradient_norms"] > run.clip_norm).sum()) < STEPS
    if run.architecture == "jumprelu" and not run.corrected and not (golden["initial.threshold"] < 0).any():
        return False
    if run.k is None and run.batch_k is None:
        return bool(3 <= golden["l0"][-1] <= 0.6 * LATENTS)
    return True


def search(runs: List[Run], data: Dict[str, Tensor], seeds: int) -> None:
    """Print for every run the seed with the widest margins, among the ten widest that with the smallest deviation."""
    for run in runs:
        found = []
        for seed in range(seeds):
            trial = run._replace(seed=seed)
            golden, edges = train(trial, make_weights(trial), data, torch.float64)
            if worthwhile(trial, golden, edges):
                found.append((min(edges.margins.values()), seed))
        best = []
        for margin, seed in sorted(found, reverse=True)[:10]:
            trial = run._replace(seed=seed)
            double, edges = train(trial, make_weights(trial), data, torch.float64)
            off, compared = deviations(trial, data, double, edges)
            if compared < margin / 3:
                best.append((max(off.values()), seed, margin))
        print(f'    "{run.file}": {min(best)[1]},' if best else f"# {run.file}: none", end="  ")
        print(f"# {len(found)} usable, " + (f"margin {min(best)[2]:.1e}, deviation {min(best)[0]:.1e}" if best else ""),
              flush=True)


def write(runs: List[Run], data: Dict[str, Tensor], folder: Path) -> None:
    """Write all fixtures."""
    folder.mkdir(parents=True, exist_ok=True)

    def save(name: str, tensors: Dict[str, Tensor], metadata: Dict[str, str]) -> None:
        path = folder / f"{name}.safetensors"
        save_file({k: t.contiguous() for k, t in tensors.items()}, path, metadata=metadata)
        path.chmod(0o644)

    save("activations", data, {"model": "fixture", "tokenizer": "fixture", "layers": "[1,2,3]"})
    for run in runs:
        double, edges = train(run, make_weights(run), data, torch.float64)
        off, compared = deviations(run, data, double, edges)
        assert compared < float("inf"), f"{run.file}: float32 decides otherwise"
        assert worthwhile(run, double, edges), f"{run.file} does not show what it should"
        margins = ", ".join(f"{kind} {margin:.1e}" for kind, margin in edges.margins.items())
        save(run.file, {k: t.float() for k, t in double.items()}, {
            **settings(run), "precision": "float64, stored as float32", "margins": margins,
            "deviation_compared": f"{compared:.1e}", "deviation_max": f"{max(off.values()):.1e}",
            **{f"deviation.{k}": f"{v:.1e}" for k, v in sorted(off.items())},
        })
        worst = max(off, key=lambda name: off[name])
        print(f"{run.file:26} loss {float(double['losses'][0]):.3f} -> {float(double['losses'][-1]):.3f}  l0 "
              f"{float(double['l0'][0]):.1f} -> {float(double['l0'][-1]):.1f}  sparsity "
              f"{float(double['sparsity_losses'][-1]):.3f}  deviation {worst} {off[worst]:.1e}, compared {compared:.1e}"
              f"  margins {margins}")
        for name in ("dead_latents", "gradient_norms", "auxiliary_losses"):
            if name in double and run.auxiliary_coefficient > 0:
                print(f"{'':26} {name} {[round(float(v), 4) for v in double[name]]}")


# Checks


def check_against_route_reference(folder: Path) -> None:
    """Fed the fixtures of make_route_goldens.py, the reference form of route and topk gives their tensors."""
    data = load_file(folder / "activations.safetensors")
    data["draw_keys"] = torch.zeros(len(data["activations"]), dtype=torch.long)
    initial = {n.removeprefix("sae."): t for n, t in load_file(folder / "initial.safetensors").items()}
    files = {
        "golden": ("hard", "sum"), "golden-hard-mean": ("hard", "mean"), "golden-soft-sum": ("soft", "sum"),
        "golden-soft-mean": ("soft", "mean"), "golden-topk": (None, None),
    }
    for name, (routing, aggregation) in files.items():
        architecture = "route" if routing else "topk"
        run = Run(name, architecture, "reference", k=4, routing=routing, aggregation=aggregation)
        weights = {n: t for n, t in initial.items() if routing or n != "router.weight"}
        golden, _ = train(run, weights, data, torch.float64)
        expected = load_file(folder / f"{name}.safetensors")
        worst = 0.0
        for key, value in expected.items():
            label, _, weight = key.partition(".")
            if label in ("grad", "weights_3", "weights_25"):
                found = golden[f"{'grad_0' if label == 'grad' else label}.{weight.removeprefix('sae.')}"]
            elif key == "losses":
                found = golden["losses"]
            else:
                continue
            worst = max(worst, float((found.float() - value).abs().max() / value.abs().max()))
        assert worst < 1e-6, f"{name}: {worst}"
        print(f"{name:18} as in {folder.name}: largest difference {worst:.1e}")


def constant_parts(run: Run) -> List[str]:
    """Weights whose gradient is not the slope of the objective: stopped or replaced somewhere."""
    if run.architecture == "jumprelu":
        return ["threshold", "log_threshold"]
    if run.architecture == "gated" and run.corrected:
        return ["pre_bias", "decoder.weight"]
    return ["router.weight"] if run.routing == "hard" else []


def check_slopes(runs: List[Run], data: Dict[str, Tensor]) -> None:
    """Autograd's gradients against finite differences along a random direction of every weight."""
    step, h = 6, 1e-7
    for run in runs:
        g = torch.Generator().manual_seed(1)
        run = run._replace(auxiliary_coefficient=0.0)
        w = {n: t.double().clone().requires_grad_() for n, t in make_weights(run).items()}
        nothing = torch.zeros(LATENTS, dtype=torch.bool)
        batch = slice(step * run.batch, (step + 1) * run.batch)

        def objective(weights: Weights) -> Tensor:
            activations = data["activations"][batch].double()
            return forward(run, weights, activations, data["draw_keys"][batch], step, nothing, Edges()).objective

        gradients = differentiate(objective(w), w)
        worst = 0.0
        for n in w:
            if n in constant_parts(run):
                continue
            direction = torch.randn(w[n].shape, generator=g, dtype=torch.float64)
            ahead, behind = ({**w, n: w[n] + side * h * direction} for side in (1, -1))
            slope = float((objective(ahead) - objective(behind)).detach()) / (2 * h)
            expected = float((gradients[n] * direction).sum())
            worst = max(worst, abs(slope - expected) / max(float(gradients[n].norm()), 1e-3))
        assert worst < 1e-6, f"{run.file}: {worst}"
        print(f"{run.file:26} finite differences: {worst:.1e}")


def check_dead_latents(data: Dict[str, Tensor]) -> None:
    """AuxK's gradients against finite differences, its target and input constant."""
    g = torch.Generator().manual_seed(2)
    h = 1e-7
    for run in all_runs():
        if run.name not in ("topk", "crosscoder-topk") or not run.corrected:
            continue
        w = {n: t.double().clone().requires_grad_() for n, t in make_weights(run).items()}
        u, _ = samples(run, w, data["activations"][:BATCH].double(), data["draw_keys"][:BATCH], Edges())
        residual = torch.randn(u.shape, generator=g, dtype=torch.float64)
        for count in (7, 20):
            dead = torch.arange(LATENTS) % 2 == 1
            dead &= dead.cumsum(0) <= count

            def objective(weights: Weights) -> Tensor:
                return dead_reconstruction(run, weights, u, residual, dead, Edges())

            gradients = differentiate(objective(w), w)
            for n in w:
                direction = torch.randn(w[n].shape, generator=g, dtype=torch.float64)
                ahead, behind = ({**w, n: w[n] + side * h * direction} for side in (1, -1))
                slope = float((objective(ahead) - objective(behind)).detach()) / (2 * h)
                error = abs(slope - float((gradients[n] * direction).sum())) / max(float(gradients[n].norm()), 1e-3)
                assert error < 1e-6, f"AuxK of {run.file}, {n}: {error}"
    print("AuxK: finite differences agree")


def check_thresholds(data: Dict[str, Tensor]) -> None:
    """The thresholds' replaced gradients against their formulas, entry by entry."""
    for run in all_runs():
        if run.architecture != "jumprelu":
            continue
        w = {n: t.double().clone().requires_grad_() for n, t in make_weights(run).items()}
        h, step = data["activations"][:BATCH].double(), 6
        gradients = differentiate(forward(run, w, h, data["draw_keys"][:BATCH], step, torch.zeros(0), Edges()).objective, w)
        u = standardise(h)[:, SINGLE_LAYER]
        theta = (w["log_threshold"].exp() if run.corrected else w["threshold"]).detach()
        a = ((u if run.corrected else u - w["pre_bias"]) @ w["encoder.weight"].T + w["latent_bias"]).detach()
        z = (a * (a > theta)).requires_grad_()
        (slopes,) = torch.autograd.grad(norm_mse(z @ w["decoder.weight"].T + w["pre_bias"], u, 1), z)
        weight, counted = run.penalty, a if run.corrected else z.detach()
        expected = torch.zeros(LATENTS, dtype=torch.float64)
        inside = 0
        for t in range(BATCH):
            for j in range(LATENTS):
                if abs(a[t, j] - theta[j]) < run.bandwidth / 2:
                    expected[j] -= theta[j] / run.bandwidth * slopes[t, j]
                    inside += 1
                if abs(counted[t, j] - theta[j]) < run.bandwidth / 2:
                    expected[j] -= weight / run.bandwidth / BATCH
        if run.corrected:
            expected *= theta
        error = float((expected - gradients["log_threshold" if run.corrected else "threshold"]).abs().max())
        assert inside > 0 and error < 1e-12, f"{run.file}: {error}"
        print(f"{run.file:26} thresholds' gradients: {error:.1e}, {inside} entries inside the kernel")


def main() -> None:
    """Write the fixtures, search for seeds, or check the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("Tests/Fixtures/dictionaries"), help="output folder (default: %(default)s)")
    parser.add_argument("--search", type=int, default=0, help="try this many seeds for every run and print the best")
    parser.add_argument("--only", help="only the runs whose file name starts with this")
    parser.add_argument("--self-check", action="store_true", help="check the gradients, and compare with the route goldens")
    parser.add_argument(
        "--route-reference", type=Path, default=Path("Tests/Fixtures/route-reference"),
        help="the route goldens, for --self-check (default: %(default)s)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    data = make_data(DATA_SEED)
    runs = [run for run in all_runs() if run.file.startswith(arguments.only or "")]
    if arguments.self_check:
        check_against_route_reference(arguments.route_reference)
        check_slopes(runs, data)
        check_dead_latents(data)
        check_thresholds(data)
    elif arguments.search:
        search(runs, data, arguments.search)
    else:
        write(runs, data, arguments.out)


if __name__ == "__main__":
    main()
