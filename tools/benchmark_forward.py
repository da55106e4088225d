#!/usr/bin/env python3
# Made with: torch 2.15.0, transformers 5.23.0, safetensors 0.8.0, Python 3.11 (tools/requirements.txt).
"""Time transformers' hidden-state pass against `routesae benchmark forward`, on one model in one run.

Makes a model of Llama-3.2-1B's sizes with random weights in bf16 (2.5 GB in a temporary folder), unless one is given
with --model, and runs the same number of tokens, in sequences of the same length, through

  transformers   AutoModel in float32 or, with --precision bf16, bfloat16; hidden states of all layers, no logits
  routesae       up to the last routed layer (3n/4 - 1), as training runs it

taking turns, each in a process of its own. Prints one JSON object: the ratio of the rates, as they are and for equally many
layers, of the peak memories, and of our peak memory to the bytes of the layers' weights.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median


def make_model(folder: Path) -> None:
    """Write a Llama-3.2-1B-sized model with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
        num_key_value_heads=8, head_dim=64, max_position_embeddings=131072, tie_word_embeddings=True,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    LlamaForCausalLM(config).save_pretrained(folder)


def transformers_pass(model: str, tokens: int, context: int, repeats: int, threads: int,
                      precision: str) -> None:
    """In a process of its own: seconds of each pass and the peak of resident memory, as JSON."""
    import resource
    import torch
    from transformers import AutoModel

    torch.set_num_threads(threads)
    network = AutoModel.from_pretrained(
        model, dtype=torch.bfloat16 if precision == "bf16" else torch.float32).eval()
    torch.manual_seed(1)
    ids = torch.randint(0, network.config.vocab_size, (tokens // context, context))
    seconds = []
    with torch.no_grad():
        for repeat in range(repeats + 1):
            start = time.perf_counter()
            network(input_ids=ids, output_hidden_states=True, use_cache=False)
            if repeat:
                seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def layer_bytes(model: Path, count: int) -> int:
    """Bytes on disk of the weights of a model's first decoder layers."""
    found = 0
    for file in model.glob("*.safetensors"):
        with open(file, "rb") as opened:
            header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
        for name, tensor in header.items():
            place = re.search(r"\.layers\.(\d+)\.", name)
            if place and int(place[1]) < count:
                begin, end = tensor["data_offsets"]
                found += end - begin
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model folder; one of Llama-3.2-1B's sizes is made if not given")
    parser.add_argument("--program", default=".build/release/routesae")
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="of both")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        transformers_pass(options.model, options.tokens, options.context, options.repeats, options.threads,
                          options.precision)
        return
    with tempfile.TemporaryDirectory() as temporary:
        model = options.model
        if model is None:
            print("making a model of Llama-3.2-1B's sizes ...", file=sys.stderr)
            model = temporary
            make_model(Path(temporary))
        layers = json.loads((Path(model) / "config.json").read_text())["num_hidden_layers"]
        last = max(3 * layers // 4 - 1, 0)
        theirs, ours, peaks = [], [], [0, 0]
        for _ in range(2):
            worker = [sys.executable, __file__, "--worker", "--model", model, "--tokens", str(options.tokens),
                      "--context", str(options.context), "--repeats", str(options.repeats),
                      "--threads", str(options.threads), "--precision", options.precision]
            found = json.loads(subprocess.run(worker, check=True, capture_output=True, text=True).stdout)
            theirs += [options.tokens / s for s in found["seconds"]]
            peaks[0] = max(peaks[0], found["peak"])
            program = [options.program, "benchmark", "forward", "--model", model, "--tokens", str(options.tokens),
                       "--context", str(options.context), "--last-layer", str(last), "--repeats", str(options.repeats),
                       "--threads", str(options.threads), "--precision", options.precision, "--format", "json", "--quiet"]
            found = json.loads(subprocess.run(program, check=True, capture_output=True, text=True).stdout)
            ours.append(found["tokens_per_second"])
            peaks[1] = max(peaks[1], found["peak_resident_bytes"])
        weights = layer_bytes(Path(model), last + 1)
    print(json.dumps({
        "rate_ratio": median(ours) / median(theirs), "memory_ratio": peaks[1] / peaks[0],
        "rate_ratio_at_equal_depth": median(ours) / median(theirs) * (last + 1) / layers,
        "peak_over_weights": peaks[1] / weights,
        "transformers_tokens_per_second": median(theirs), "routesae_tokens_per_second": median(ours),
        "transformers_peak_bytes": peaks[0], "routesae_peak_bytes": peaks[1], "layers_run": last + 1,
        "layers": layers, "tokens": options.tokens, "context": options.context, "threads": options.threads,
        "precision": options.precision,
    }))


if __name__ == "__main__":
    main()
