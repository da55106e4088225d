"""Training: steps, sweeps, memory, products."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from .program import PROGRAM, ROOT, run, table

LARGE = {"d-model": 2048, "latents": 16384, "k": 64, "layers": 9, "tokens": 8192}
SMALL = {"d-model": 256, "latents": 4096, "k": 32, "layers": 5, "tokens": 8192}
# What does not have the sizes of SMALL: no k, one layer, or more samples a token.
ARCHITECTURES = [
    ("route", {}), ("topk", {"layers": 1}), ("random", {}), ("mlsae", {"tokens": 2048}), ("crosscoder", {"tokens": 2048}),
    ("crosscoder", {"tokens": 2048, "k": None}), ("vanilla", {"layers": 1, "k": None}),
    ("gated", {"layers": 1, "k": None}), ("jumprelu", {"layers": 1, "k": None}),
    # As later in training.
    ("crosscoder", {"tokens": 2048, "k": None, "l0": 64}), ("vanilla", {"layers": 1, "k": None, "l0": 64}),
    ("gated", {"layers": 1, "k": None, "l0": 64}), ("jumprelu", {"layers": 1, "k": None, "l0": 64}),
]


def shown(sizes: dict, latent: bool = True) -> str:
    names = {"d-model": "d", "latents": "m", "k": "k", "layers": "L", "tokens": "T"}
    return ", ".join(f"{names[n]} {v}" for n, v in sizes.items() if n in names and v is not None)


def sweep_seconds(latents: int, dictionaries: list, tokens: int) -> float:
    """Seconds of a sweep live from the demo model."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "sweep.json"
        config.write_text(json.dumps({
            "model": str(ROOT / "Demo/model"), "text": [str(ROOT / "Demo/text/train")], "tokens": tokens,
            "latents": latents, "context": 256, "dictionaries": dictionaries}))
        start = time.perf_counter()
        subprocess.run(
            [str(PROGRAM), "sweep", str(Path(folder) / "c.sqlite"), "--config", str(config), "--quiet"], check=True,
            stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def steps(quick: bool) -> str:
    repeats = 2 if quick else 7
    rows = []
    for sizes, count in [(LARGE, 1 if quick else 3), (SMALL, repeats)]:
        ratios = [run("train", sizes, count)["ratio"] for _ in range(1 if quick else 3)]
        rows.append(["route", shown(sizes), f"{median(ratios):.2f}"])
    return table(["system", "sizes", "ratio"], rows)


def halves(quick: bool) -> str:
    rows = []
    for sizes, count in [(LARGE, 1 if quick else 3), (SMALL, 2 if quick else 7)]:
        pairs = [(run("train", sizes, count), run("train", sizes, count, precision="bf16"))
                 for _ in range(1 if quick else 3)]
        rows.append(["route", shown(sizes), f"{median(b['ratio'] for _, b in pairs):.2f}",
                     f"{median(b['tokens_per_second'] / a['tokens_per_second'] for a, b in pairs):.2f}"])
    return ("The product is of bf16 as well. The last column: tokens a second over those of the step in f32, which takes "
            "turns.\n\n" + table(["system", "sizes", "ratio", "rate ÷ f32"], rows))


def peers(quick: bool) -> str:
    found = json.loads(subprocess.run(
        [sys.executable, str(ROOT / "tools/benchmark_step.py"), "--program", str(PROGRAM), "--repeats",
         "1" if quick else "3"], check=True, capture_output=True, text=True).stdout)
    rows = [[precision, f"{found[f'pytorch_{precision}_tokens_per_second']:.0f}",
             f"{found[f'routesae_{precision}_tokens_per_second']:.0f}", f"{found[f'{precision}_rate_ratio']:.2f}"]
            for precision in ("f32", "bf16")]
    return (f"route, {shown(LARGE)}. PyTorch, eagerly, does what the RouteSAE authors' code does, in bf16 under autocast; "
            "tokens a second.\n\n" + table(["in", "PyTorch", "here", "ratio"], rows))


def products(quick: bool) -> str:
    sizes, kernels, found = [], [], {}
    for threads in (1, 2):
        command = [str(PROGRAM), "benchmark", "products", "--format", "json", "--quiet", "--threads", str(threads),
                   "--repeats", "5" if quick else "30"]
        # These would choose OpenBLAS's kernels and tiles in its place.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        lines = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        for line in json.loads(lines):
            size = (f"{line['rows']} · {line['columns']} · {line['inner']}", threads)
            kernel = f"{line['precision']} {line['kernel']}" + (" (used)" if line["used"] else "")
            if "baseline" in kernel or "avx2" in kernel:
                continue
            sizes += [size] if size not in sizes else []
            kernels += [kernel] if kernel not in kernels else []
            found[size, kernel] = line["gflops"]
    rows = [[size, threads, *(f"{found.get(((size, threads), kernel), 0):.0f}" for kernel in kernels)]
            for size, threads in sizes]
    return ("10⁹ operations a second, the fastest of many turns: rows · columns · inner dimension. Our own round the rows to "
            "bf16 on the way, oneDNN finds them rounded; \"packed\" is with weights laid out before. OpenBLAS chooses its "
            "kernels itself.\n\n" + table(["size", "threads", *kernels], rows))


def systems(quick: bool) -> str:
    rows = []
    for name, change in ARCHITECTURES:
        sizes = {**SMALL, **change}
        found = run("train", sizes, 2 if quick else 7, architecture=name)
        rows.append([name + (" (L1)" if name == "crosscoder" and sizes["k"] is None else ""), shown(sizes),
                     f"{found['l0']:.0f}", f"{found['ratio']:.2f}"])
    return ("The product is that of the system's own samples and input width. Without k half of all latents fire at "
            "first, and five products (gated: seven) are made; later, with biases and thresholds here set to leave 64, one "
            "product and sums over what fires.\n\n"
            + table(["system", "sizes", "L0", "ratio"], rows))


def streams(quick: bool) -> str:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools/benchmark_stream.py")] + (["--repeats", "1"] if quick else []), check=True,
        capture_output=True, text=True, cwd=ROOT).stdout


def auxiliary(quick: bool) -> str:
    rows = []
    for share in (0.05, 0.2, 0.5):
        pairs = [(run("train", SMALL, 9)["ratio"], run("train", SMALL, 9, **{"dead-share": share})["ratio"])
                 for _ in range(1 if quick else 5)]
        rows.append([f"{100 * share:.0f} %", f"{100 * (median(b / a for a, b in pairs) - 1):+.0f} %"])
    return shown(SMALL) + "\n\n" + table(["dead latents", "extra time"], rows)


def sweeps(quick: bool) -> str:
    rows = []
    tokens = 81_920 if quick else 327_680
    eight = [{"architecture": "route", "k": [16, 32, 48, 64]}, {"architecture": "topk", "layers": [[1], [2], [3], [5]], "k": 32}]
    one = [{"architecture": "route", "k": 32}]
    for latents in (512, 1024, 2048):
        pairs = [(sweep_seconds(latents, one, tokens), sweep_seconds(latents, eight, tokens))
                 for _ in range(1 if quick else 3)]
        rows.append([latents, f"{median(b / a for a, b in pairs):.2f}"])
    return "Whole commands, four route and four topk.\n\n" + table(["latents", "time of eight ÷ time of one"], rows)


def memory(quick: bool) -> str:
    rows = []
    for name, sizes, share in [
        ("route", LARGE, 0), ("route", SMALL, 0), ("route", SMALL, 1), ("vanilla", {**SMALL, "k": None, "layers": 1}, 0),
        ("gated", {**SMALL, "k": None, "layers": 1}, 0), ("mlsae", {**SMALL, "tokens": 2048}, 0),
        ("crosscoder", {**SMALL, "tokens": 2048}, 0),
        ("topk", {"d-model": 2048, "latents": 131072, "k": 64, "layers": 1, "tokens": 2048}, 0),
    ]:
        found = run("memory", sizes, 3, architecture=name, **{"dead-share": share})
        rows.append([name, shown(sizes), f"{100 * share:.0f} %", f"{found['peak_resident_bytes'] / 2**30:.2f} GiB",
                     f"{found['ratio']:.2f}"])
    return table(["system", "sizes", "dead", "peak", "peak ÷ formula"], rows)
