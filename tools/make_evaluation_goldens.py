#!/usr/bin/env python3
# Made with: torch 2.15.0, transformers 5.23.0, safetensors 0.8.0, numpy 2.4.6, Python 3.11 (tools/requirements.txt).
"""Write what `routesae evaluate` has to find on a small model, computed with PyTorch and transformers in float64.

The model is Tests/Fixtures/models/llama3 (4 layers, width 64), the dictionaries are random: 32 latents, layers 0 to 2
or layer 1, k = 6. Nothing of the program is used: streams come from transformers' `hidden_states`, replacements go in
by forward hooks, Kullback-Leibler divergence and cross-entropy are torch's own.

Files in Tests/Fixtures/evaluation:

goldens.json         documents (token ids, BOS not among them), context, and for each case its configuration and figures
                     [metric, layer or null, value, tokens]
weights.safetensors  <case>.<tensor> f32, named as in state dicts
"""
import argparse
import json
import math
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "Tests/Fixtures/models/llama3"
CONTEXT, BOS, LATENTS, KEPT, WIDTH = 24, 1, 32, 6, 64
LAYERS = [0, 1, 2]
MASK = (1 << 64) - 1

CASES = [
    dict(name="topk", architecture="topk"),
    dict(name="route-hard", architecture="route", routing="hard", aggregation="sum"),
    dict(name="route-hard-reference", architecture="route", routing="hard", aggregation="mean", fidelity="reference"),
    dict(name="route-soft", architecture="route", routing="soft", aggregation="mean"),
    dict(name="random", architecture="random"),
    dict(name="mlsae", architecture="mlsae"),
    dict(name="crosscoder", architecture="crosscoder"),
    dict(name="vanilla", architecture="vanilla"),
    dict(name="gated", architecture="gated"),
    dict(name="jumprelu", architecture="jumprelu"),
]


def mix(z: int) -> int:
    """SplitMix64's finaliser."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def drawn(document: int, position: int, layers: int) -> int:
    """The layer that a token of a document draws."""
    key = mix((mix(document) + position) & MASK)
    return (mix(key) * layers) >> 64


def make_weights(case: Dict, g: torch.Generator) -> Dict[str, Tensor]:
    """Random weights that rebuild a little: the decoder is near the encoder's transpose."""
    layers = len(case["layers"])
    width = WIDTH * layers if case["architecture"] == "crosscoder" else WIDTH

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=g)

    encoder = normal(LATENTS, width) / math.sqrt(width)
    weights = {
        "encoder.weight": encoder, "decoder.weight": (encoder.T * 1.5 + 0.02 * normal(width, LATENTS)).contiguous(),
        "pre_bias": 0.1 * normal(width),
    }
    if case["architecture"] == "gated":
        weights |= {"gate_bias": 0.1 * normal(LATENTS), "mag_bias": 0.1 * normal(LATENTS), "r_mag": 0.2 * normal(LATENTS)}
    else:
        weights["latent_bias"] = 0.1 * normal(LATENTS)
    if case["architecture"] == "jumprelu":
        weights["log_threshold"] = (0.4 * (0.3 * normal(LATENTS)).exp()).log()
    if case["architecture"] == "route":
        weights["router.weight"] = normal(layers, WIDTH) / WIDTH
    return {name: value.float().contiguous() for name, value in weights.items()}


def latents(case: Dict, w: Dict[str, Tensor], u: Tensor) -> Tensor:
    """z of samples u [samples, D]."""
    kind = case["architecture"]
    centred = u if kind in ("crosscoder", "jumprelu") else u - w["pre_bias"]
    a = centred @ w["encoder.weight"].T
    if kind == "gated":
        return (a + w["gate_bias"] > 0) * (w["r_mag"].exp() * a + w["mag_bias"]).relu()
    a = a + w["latent_bias"]
    if kind == "vanilla":
        return a.relu()
    if kind == "jumprelu":
        return a * (a > w["log_threshold"].exp())
    kept = torch.zeros_like(a).scatter(1, a.topk(KEPT, dim=1).indices, 1)
    return a * kept if case["fidelity"] == "reference" else a.relu() * kept


class Sums:
    """Sums over tokens by layer, and over all of them (None)."""

    def __init__(self) -> None:
        self.values: Dict[Tuple[str, Optional[int]], float] = {}

    def add(self, name: str, layer: Optional[int], value: float) -> None:
        self.values[name, layer] = self.values.get((name, layer), 0.0) + float(value)

    def __call__(self, name: str, layer: Optional[int] = None) -> float:
        return self.values.get((name, layer), 0.0)


def evaluate(case: Dict, w: Dict[str, Tensor], model: torch.nn.Module, documents: List[List[int]]) -> List[List]:
    """All figures of a case."""
    kind, layers = case["architecture"], case["layers"]
    sums = Sums()
    inputs: Dict[Optional[int], List[Tensor]] = {}
    fired = torch.zeros(LATENTS, dtype=torch.float64)
    split = kind in ("route", "random") and case["routing"] != "soft" and len(layers) > 1

    def run(ids: List[int], replacement: Dict[int, Dict[int, Tensor]]) -> Tensor:
        hooks = []
        for layer, rows in replacement.items():
            def hook(_module, _arguments, output, rows=rows):
                hidden = (output[0] if isinstance(output, tuple) else output).clone()
                for row, value in rows.items():
                    # A share of a soft mixture comes on top of what is there.
                    hidden[0, row] = hidden[0, row] + value if case["routing"] == "soft" else value
                return (hidden, *output[1:]) if isinstance(output, tuple) else hidden
            hooks.append(model.model.layers[layer].register_forward_hook(hook))
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
        for hook in hooks:
            hook.remove()
        return logits

    for document, tokens in enumerate(documents):
        for start in range(0, len(tokens), CONTEXT - 1):
            piece = tokens[start:start + CONTEXT - 1]
            ids = [BOS] + piece
            with torch.no_grad():
                hidden = model.model(torch.tensor([ids]), output_hidden_states=True).hidden_states
            h = torch.stack([hidden[layer + 1][0] for layer in layers], 1)[1:]  # [tokens, layers, d]
            mean = h.mean(-1, keepdim=True)
            scale = ((h - mean).square().sum(-1, keepdim=True) / (WIDTH - 1)).sqrt() + 1e-6
            x = (h - mean) / scale
            count = len(piece)
            chosen = torch.zeros(count, dtype=torch.long)
            p = torch.ones(count, len(layers), dtype=torch.float64)
            if kind == "route":
                pooled = x.sum(1) if case["aggregation"] == "sum" else x.mean(1)
                p = (pooled @ w["router.weight"].T).softmax(-1)
                chosen = p.argmax(-1)
            elif kind == "random":
                chosen = torch.tensor([drawn(document, start + place, len(layers)) for place in range(count)])
                p = F.one_hot(chosen, len(layers)).double()
            rows = torch.arange(count)
            factor = torch.ones(count, 1, dtype=torch.float64)
            if kind == "mlsae":
                u = x.reshape(-1, WIDTH)
            elif kind == "crosscoder":
                u = x.reshape(count, -1)
            elif kind == "route" and case["routing"] == "soft":
                u = torch.einsum("tl,tld->td", p, x)
            else:
                if kind == "route" and case["fidelity"] == "reference":
                    factor = p[rows, chosen, None]
                u = factor * x[rows, chosen]
            z = latents(case, w, u)
            fired += (z != 0).sum(0)
            output = z @ w["decoder.weight"].T + w["pre_bias"]
            error = output - u

            # What stands in the stream instead.
            replacement: Dict[int, Dict[int, Tensor]] = {layer: {} for layer in layers}
            zeros: Dict[int, Dict[int, Tensor]] = {layer: {} for layer in layers}
            for row in range(count):
                for place, layer in enumerate(layers):
                    if kind == "mlsae":
                        change = error[row * len(layers) + place]
                    elif kind == "crosscoder":
                        change = error[row, place * WIDTH:(place + 1) * WIDTH]
                    elif kind == "route" and case["routing"] == "soft":
                        change = error[row] * p[row, place] / p[row].square().sum()
                    elif place == chosen[row]:
                        change = error[row] / factor[row]
                    else:
                        continue
                    soft = kind == "route" and case["routing"] == "soft"
                    replacement[layer][row + 1] = scale[row, place] * change + (0 if soft else h[row, place])
                    if kind == "route" and case["routing"] == "soft":
                        # A mixture that is rebuilt as nothing at all.
                        share = p[row, place] / p[row].square().sum()
                        zeros[layer][row + 1] = -scale[row, place] * share * u[row]
                    else:
                        zeros[layer][row + 1] = torch.zeros_like(h[row, place])

            clean, changed, zeroed = run(ids, {}), run(ids, replacement), run(ids, zeros)
            divergence = F.kl_div(
                changed.log_softmax(-1), clean.log_softmax(-1), log_target=True, reduction="none").sum(-1)
            sums.add("segments", None, 1)
            for row in range(count):
                place = int(chosen[row])
                groups = [None] + ([layers[place]] if split else [])
                if kind == "mlsae":
                    readings = [(row * len(layers) + i, [None, layer]) for i, layer in enumerate(layers)]
                else:
                    readings = [(row, groups)]
                for sample, where in readings:
                    for group in where:
                        inputs.setdefault(group, []).append(u[sample])
                        sums.add("samples", group, 1)
                        sums.add("error", group, error[sample].square().sum())
                        pieces = (error[sample].view(-1, WIDTH).square().sum(-1)
                                  / u[sample].view(-1, WIDTH).square().sum(-1))
                        sums.add("relative", group, pieces.mean())
                        ratio = (output[sample].view(-1, WIDTH).norm(dim=-1)
                                 / u[sample].view(-1, WIDTH).norm(dim=-1))
                        sums.add("ratio", group, ratio.mean())
                        sums.add("square", group, output[sample].square().sum())
                        sums.add("product", group, output[sample] @ u[sample])
                        sums.add("active", group, (z[sample] != 0).sum())
                if kind == "crosscoder":
                    for i, layer in enumerate(layers):
                        part = slice(i * WIDTH, (i + 1) * WIDTH)
                        inputs.setdefault(layer, []).append(u[row, part])
                        sums.add("samples", layer, 1)
                        sums.add("error", layer, error[row, part].square().sum())
                        sums.add("relative", layer, error[row, part].square().sum() / u[row, part].square().sum())
                        sums.add("active", layer, (z[row] != 0).sum())
                        sums.add("ratio", layer, output[row, part].norm() / u[row, part].norm())
                        sums.add("square", layer, output[row, part].square().sum())
                        sums.add("product", layer, output[row, part] @ u[row, part])
                if kind in ("mlsae", "crosscoder"):
                    for layer in layers:
                        sums.add("tokens", layer, 1)
                elif kind == "route" and case["routing"] == "soft":
                    sums.add("tokens", layers[place], 1)
                elif split:
                    sums.add("tokens", layers[place], 1)
                sums.add("tokens", None, 1)
                for group in groups:
                    sums.add("kl", group, divergence[row + 1])
                    if row + 1 < count:
                        target = torch.tensor(ids[row + 2])
                        sums.add("predicted", group, 1)
                        sums.add("ce", group, F.cross_entropy(clean[row + 1], target))
                        sums.add("ce_substituted", group, F.cross_entropy(changed[row + 1], target))
                        if group is None:
                            sums.add("ce_zero", None, F.cross_entropy(zeroed[row + 1], target))
                if kind in ("route", "random"):
                    for i, layer in enumerate(layers):
                        sums.add("weight", layer, p[row, i])
                    sums.add("entropy", None, torch.special.entr(p[row]).sum())
                    sums.add("chosen", None, p[row, place])

    figures: List[List] = []

    def figure(metric: str, layer: Optional[int], value: Optional[float], tokens: float) -> None:
        figures.append([metric, layer, value, int(tokens)])

    def reading(group: Optional[int]) -> None:
        stacked = torch.stack(inputs[group]) if group in inputs else torch.zeros(0, 1)
        variance = float((stacked - stacked.mean(0)).square().sum()) if len(stacked) else 0.0
        samples, tokens = sums("samples", group), sums("tokens", group)
        figure("norm_mse", group, sums("relative", group) / samples if samples else None, tokens)
        figure("explained_variance", group, 1 - sums("error", group) / variance if variance > 0 else None, tokens)
        figure("l0", group, sums("active", group) / samples if samples else None, tokens)
        figure("l2_ratio", group, sums("ratio", group) / samples if samples else None, tokens)
        figure("relative_reconstruction_bias", group,
               sums("square", group) / sums("product", group) if samples else None, tokens)

    def effect(group: Optional[int]) -> None:
        tokens, predicted = sums("tokens", group), sums("predicted", group)
        figure("kl", group, sums("kl", group) / tokens if tokens else None, tokens)
        for name in ("ce", "ce_substituted"):
            figure(name, group, sums(name, group) / predicted if predicted else None, predicted)
        figure("delta_ce", group,
               (sums("ce_substituted", group) - sums("ce", group)) / predicted if predicted else None, predicted)

    reading(None)
    effect(None)
    tokens, predicted = sums("tokens"), sums("predicted")
    figure("kl_batchmean", None, sums("kl") / sums("segments"), tokens)
    figure("ce_zero", None, sums("ce_zero") / predicted, predicted)
    figure("recovered", None, 1 - (sums("ce_substituted") - sums("ce")) / (sums("ce_zero") - sums("ce")), predicted)
    figure("dead_share", None, float((fired == 0).double().mean()), tokens)
    density = fired / sums("samples")
    figure("freq_over_1_percent", None, float((density > 0.01).double().mean()), tokens)
    figure("freq_over_10_percent", None, float((density > 0.1).double().mean()), tokens)
    for name, rows in (("encoder", w["encoder.weight"]), ("decoder", w["decoder.weight"].T)):
        unit = rows / rows.norm(dim=1, keepdim=True)
        largest = (unit @ unit.T).fill_diagonal_(-2).max(1).values
        figure(f"average_max_{name}_cosine_sim", None, float(largest.mean()), tokens)
    if len(layers) > 1:
        for layer in layers:
            if split or kind in ("mlsae", "crosscoder"):
                reading(layer)
            if split:
                effect(layer)
            if kind in ("route", "random"):
                figure("routing_share", layer, sums("tokens", layer) / tokens, tokens)
                figure("router_weight", layer, sums("weight", layer) / tokens, tokens)
        if kind in ("route", "random"):
            shares = torch.tensor([sums("tokens", layer) / tokens for layer in layers])
            figure("routing_entropy", None, float(torch.special.entr(shares).sum()), tokens)
        if kind == "route":
            figure("token_entropy", None, sums("entropy") / tokens, tokens)
            figure("chosen_weight", None, sums("chosen") / tokens, tokens)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "Tests/Fixtures/evaluation")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    g = torch.Generator().manual_seed(6)
    documents = [torch.randint(3, 128, (count,), generator=g).tolist() for count in (61, 23, 8, 40)]
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float64, attn_implementation="eager").eval()
    tensors: Dict[str, Tensor] = {}
    cases = []
    for case in CASES:
        single = case["architecture"] in ("topk", "vanilla", "gated", "jumprelu")
        case = dict(fidelity="corrected", routing="hard", aggregation="sum", layers=[1] if single else LAYERS) | case
        weights = make_weights(case, g)
        tensors |= {f"{case['name']}.{name}": value for name, value in weights.items()}
        figures = evaluate(case, {name: value.double() for name, value in weights.items()}, model, documents)
        case["k"] = None if case["architecture"] in ("vanilla", "gated", "jumprelu") else KEPT
        cases.append(case | dict(latents=LATENTS, figures=figures))
    save_file(tensors, folder / "weights.safetensors")
    text = json.dumps(dict(model="llama3", context=CONTEXT, bos=BOS, documents=documents, cases=cases))
    (folder / "goldens.json").write_text(text.replace('{"fidelity"', '\n{"fidelity"') + "\n")


if __name__ == "__main__":
    main()
