#!/usr/bin/env python3
# Made with: torch 2.15.0, Python 3.11 (tools/requirements.txt).
"""Time a training step in PyTorch against `routesae benchmark train`, at the same sizes in one run.

PyTorch does what the RouteSAE authors' code does (arXiv 2503.08200), eagerly: standardise every routed layer, route by
the summed layers, encode, keep k latents, scatter them into a dense array, decode it, backward, Adam, and every tenth
step the decoder's columns to unit norm; in float32 and under bf16 autocast, where the products take bf16. Here the same
system runs in f32 and in bf16. The programs take turns, each in a process of its own. Prints one JSON object: tokens a
second of each, and our rates over PyTorch's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from statistics import median


def pytorch_step(options: argparse.Namespace) -> None:
    """In a process of its own: the seconds of each step after the first, as JSON."""
    import torch
    from torch import nn

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    width, latents = options.d_model, options.latents
    router = nn.Linear(width, options.layers, bias=False)
    encoder = nn.Linear(width, latents, bias=False)
    decoder = nn.Linear(latents, width, bias=False)
    pre_bias = nn.Parameter(torch.zeros(width))
    latent_bias = nn.Parameter(torch.zeros(latents))
    decoder.weight.data /= decoder.weight.data.norm(dim=0)
    encoder.weight.data = decoder.weight.data.T.clone()
    parameters = [router.weight, encoder.weight, decoder.weight, pre_bias, latent_bias]
    adam = torch.optim.Adam(parameters, lr=5e-4)
    residuals = torch.randn(options.tokens, options.layers, width)
    rows = torch.arange(options.tokens)
    seconds = []
    for step in range(options.repeats + 1):
        start = time.perf_counter()
        narrow = torch.autocast("cpu", torch.bfloat16) if options.precision == "bf16" else contextlib.nullcontext()
        with narrow:
            deviation, mean = torch.std_mean(residuals, dim=-1, keepdim=True)
            x = (residuals - mean) / (deviation + 1e-6)
            weights = router(x.sum(1)).softmax(-1)
            layers = weights.argmax(-1)
            u = weights[rows, layers, None] * x[rows, layers]
            kept = (encoder(u - pre_bias) + latent_bias).topk(options.k, dim=-1)
            dense = torch.zeros(options.tokens, latents, dtype=kept.values.dtype).scatter(-1, kept.indices, kept.values)
            output = decoder(dense) + pre_bias
            loss = ((output - u).square().sum(-1) / u.square().sum(-1)).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        if step % 10 == 0:
            with torch.no_grad():
                decoder.weight /= decoder.weight.norm(dim=0)
        if step:
            seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=".build/release/routesae")
    parser.add_argument("--d-model", type=int, default=2048)
    parser.add_argument("--latents", type=int, default=16384)
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--layers", type=int, default=9)
    parser.add_argument("--tokens", type=int, default=8192, help="of a step")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", choices=["f32", "bf16"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.precision:
        pytorch_step(options)
        return
    sizes = []
    for name in ("d_model", "latents", "k", "layers", "tokens", "repeats", "threads"):
        sizes += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    # These would choose OpenBLAS's kernels and tiles in its place.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    found: dict = {}
    for precision in ("f32", "bf16"):
        worker = [sys.executable, __file__, *sizes, "--precision", precision]
        seconds = json.loads(subprocess.run(worker, check=True, capture_output=True, text=True).stdout)
        found["pytorch", precision] = options.tokens / median(seconds)
        program = [options.program, "benchmark", "train", *sizes, "--precision", precision, "--format", "json", "--quiet"]
        ours = subprocess.run(program, check=True, capture_output=True, text=True, env=environment).stdout
        found["routesae", precision] = json.loads(ours)["tokens_per_second"]
    print(json.dumps({
        **{f"{who}_{precision}_tokens_per_second": rate for (who, precision), rate in found.items()},
        **{f"{precision}_rate_ratio": found["routesae", precision] / found["pytorch", precision]
           for precision in ("f32", "bf16")},
        "routesae_bf16_rate_ratio_to_f32": found["routesae", "bf16"] / found["routesae", "f32"],
    }))


if __name__ == "__main__":
    main()
