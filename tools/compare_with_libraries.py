#!/usr/bin/env python3
# Made with: sae-lens 6.54.12, eai-sparsify 1.3.3, dictionary-learning 0.1.0, torch 2.13.0, Python 3.11
# (tools/requirements-exchange.txt).
"""Compare import, export and encode with the libraries whose files they read and write, and print a table.

    trained   dictionaries of every architecture, trained shortly on the demo's model, exported, loaded by SAELens and
              sparsify, and run on held-out activations; the routed ones also through the class in tools/python
    fixtures  with --fixtures, folders of other programs with a golden.safetensors (acts, recon) for input.safetensors
              beside them: imported and compared with the golden and with the library itself, then exported again and
              compared as above
    digests   every export is imported into another catalog: where the format holds the dictionary as it is, the
              tensors keep their types and SHA-256, and the rules of the dictionary are the same; a routed one comes
              back whole

    tools/compare_with_libraries.py --work /tmp/exchange --fixtures Tests/DictionaryExchangeTests/Fixtures/interchange
    tools/compare_with_libraries.py --work /tmp/exchange --only trained

With --page the largest differences by dictionary are written as a page, as docs/libraries.md is.

Differences are shares of the largest value.  A latent at the edge, of the k kept or of its threshold, may fire in one
and not in the other: the column "firing" counts such pairs of token and latent, and at most 2 in 100,000 pass.  Their
tokens are left out of the differences.

Exit status: 0 equal within the bounds; 1 something differs.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools/python"))

import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from sae_lens import SAE  # noqa: E402
from sparsify import SparseCoder  # noqa: E402
from torch import Tensor  # noqa: E402

import routesae.saelens  # noqa: E402,F401  (registers the routed dictionaries)

#: What SAELens's layer norm adds to the deviation; ours adds 1e-6.
LENS_EPSILON = 1e-5
#: Bound on differences, as a share of the largest value, where both compute the same.
SAME = 2e-5
#: The same where the epsilons differ.
OTHER_EPSILON = 5e-5
#: Share of (token, latent) pairs that may fire in one and not in the other.
EDGE = 2e-5

LAYERS = "3-7"
TRAINED = [
    {"name": "topk", "architecture": "topk", "layers": 4, "k": 16},
    {"name": "topk-reference", "architecture": "topk", "layers": 4, "k": 16, "fidelity": "reference"},
    {"name": "topk-bf16", "architecture": "topk", "layers": 4, "k": 16, "dtype": "bf16"},
    {"name": "vanilla", "architecture": "vanilla", "layers": 4},
    {"name": "vanilla-reference", "architecture": "vanilla", "layers": 4, "fidelity": "reference"},
    {"name": "gated", "architecture": "gated", "layers": 4},
    {"name": "jumprelu", "architecture": "jumprelu", "layers": 4},
    {"name": "jumprelu-reference", "architecture": "jumprelu", "layers": 4, "fidelity": "reference"},
    {"name": "route", "architecture": "route", "layers": LAYERS, "k": 16},
    {"name": "route-mean", "architecture": "route", "layers": LAYERS, "k": 16, "aggregation": "mean"},
    {"name": "route-soft", "architecture": "route", "layers": LAYERS, "k": 16, "routing": "soft"},
    {"name": "route-reference", "architecture": "route", "layers": LAYERS, "k": 16, "fidelity": "reference"},
    {"name": "mlsae", "architecture": "mlsae", "layers": LAYERS, "k": 16},
    {"name": "random", "architecture": "random", "layers": LAYERS, "k": 16},
    {"name": "crosscoder", "architecture": "crosscoder", "layers": LAYERS, "k": 16},
]
#: What the formats cannot say: (dictionary, format).
REFUSED = {
    *((name, "saelens") for name in ("topk-reference", "crosscoder")),
    *(
        (name, "sparsify")
        for name in (
            "topk-reference", "vanilla", "vanilla-reference", "gated", "jumprelu", "jumprelu-reference", "route-soft",
            "route-reference", "crosscoder",
        )
    ),
}  # fmt: skip


class Encoded(NamedTuple):
    """What `routesae encode --dense` or a library computes."""

    latents: Tensor  # [samples, m]
    reconstruction: Tensor | None  # [samples, d]


class Row(NamedTuple):
    """A row of the table."""

    dictionary: str
    compared: str
    latents: str = ""
    reconstruction: str = ""
    firing: str = ""
    failure: str = ""


#: Columns of the page, and how the rows' second column starts.
COLUMNS = {
    "golden": ("golden",),
    "its own library": ("the library", "import refuses"),
    "SAELens": ("SAELens", "layers that routed/ reads", "saelens refuses"),
    "sparsify": ("sparsify layers", "sparsify refuses"),
    "imported again": ("saelens, imported again", "sparsify, imported again"),
}
PAGE = """# Comparison with other programs

`tools/compare_with_libraries.py` wrote this page ([how](../CONTRIBUTING.md#checks-against-the-real-programs)). It
ran {count} comparisons in {seconds} seconds; {failures} failed. `routesae` {program}, Python {python} and

| package | version |
|---|---|
{versions}
Each cell has the largest difference of a latent and that of a reconstruction, as shares of the largest value. Up to
{same} counts as equal, and {other} where SAELens's epsilon of the layer norm differs from the dictionary's. In {edges}
of the comparisons some latent at the edge fires in one program only; at most 2 in 100,000 may.

- **golden**: activations that the program that wrote a file computed, stored beside it.
- **its own library**: the library that wrote the file, on the same tokens.
- **SAELens**, **sparsify**: the export of the dictionary, loaded there; `routed` by the class in `tools/python`.
- **imported again**: the export of either format, imported. "same": tensors of the same types and SHA-256 and the
  same rules, where the format holds them; values that it holds otherwise (thresholds, folded scales and norms) aside.
- "refused": what a format cannot say is refused in one line that names the dictionary.

Dictionaries with a plain name were trained on `Demo/model` for this page; the others are those of
`Tests/DictionaryExchangeTests/Fixtures/interchange`.

| dictionary | {titles} |
{line}|
{table}
"""


class Program:
    """The program and the folder it works in."""

    def __init__(self, binary: Path, work: Path) -> None:
        self.binary, self.work, self.files = binary, work, 0

    def run(self, *arguments: str | Path) -> str:
        """Runs a command and returns its standard error; raises RuntimeError with the last line where it fails."""
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, cwd=ROOT)
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip()).splitlines() or [f"status {done.returncode}"]
            raise RuntimeError(lines[-1])
        return done.stderr

    def new(self, name: str) -> Path:
        """A path that nothing has."""
        self.files += 1
        return self.work / f"{self.files:03d}-{name}"

    def encode(self, catalog: Path, dictionary: str, activations: Path) -> dict[str, Tensor]:
        output = self.new("encoded.safetensors")
        self.run(
            "encode", catalog, "--dictionary", dictionary, "--activations", activations, "--output", output, "--dense",
            "--quiet",
        )  # fmt: skip
        return load_file(output)


class Comparison:
    """The table as it grows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, dictionary: str, compared: str, ours: Encoded, theirs: Encoded, bound: float = SAME) -> None:
        """Compares latents and reconstructions of the same samples."""
        a, b = ours.latents.double(), theirs.latents.double()
        if a.shape != b.shape:
            self.fail(dictionary, compared, f"latents {list(a.shape)} and {list(b.shape)}")
            return
        largest = max(float(a.abs().max()), 1e-30)
        # One fires, the other does not, and not because it is about 0.
        edge = ((a != 0) != (b != 0)) & ((a - b).abs() > bound * largest)
        clear = ~edge.any(dim=-1)
        difference = float((a - b)[clear].abs().max()) / largest if clear.any() else float("inf")
        second = 0.0
        if ours.reconstruction is not None and theirs.reconstruction is not None:
            x, y = ours.reconstruction.double()[clear], theirs.reconstruction.double()[clear]
            second = float((x - y).abs().max() / x.abs().max())
        edges, pairs = int(edge.sum()), edge.numel()
        unequal = "" if difference <= bound and second <= bound else "beyond the bound"
        if not (difference == difference and second == second):
            unequal = "NaN"
        if edges > EDGE * pairs:
            unequal = "other latents fire"
        firing = "equal" if not edges else f"{edges} of {pairs}"
        self.rows.append(Row(dictionary, compared, f"{difference:.1e}", f"{second:.1e}", firing, unequal))

    def expect(self, dictionary: str, compared: str, holds: bool, otherwise: str) -> None:
        """Adds a row for something that is true or not."""
        latents, failure = ("as it should be", "") if holds else ("", otherwise)
        self.rows.append(Row(dictionary, compared, latents, failure=failure))

    def fail(self, dictionary: str, compared: str, why: str) -> None:
        """Adds a failure."""
        self.rows.append(Row(dictionary, compared, failure=why))

    def attempt(self, dictionary: str, compared: str, body: Callable[[], None]) -> None:
        """Runs a part; what it raises is a failure of that part."""
        try:
            body()
        except Exception as error:  # whatever a library raises
            self.fail(dictionary, compared, f"{type(error).__name__}: {error}".splitlines()[0])

    def print(self) -> int:
        """Prints the table and returns the exit status."""
        table = [Row("dictionary", "compared with", "latents", "recon", "firing", "")] + self.rows
        table = [row._replace(failure=f"FAILED: {row.failure}" if row.failure else "") for row in table]
        widths = [max(len(row[column]) for row in table) for column in range(5)] + [0]
        for row in table:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        print(f"{len(self.rows)} comparisons, {self.failures} failures")
        return 1 if self.failures else 0

    @property
    def failures(self) -> int:
        """Rows that failed."""
        return sum(bool(row.failure) for row in self.rows)

    def page(self, program: str, seconds: float) -> str:
        """The largest differences by dictionary, as Markdown."""
        cells: dict[str, dict[str, list[Row]]] = {}
        for row in self.rows:
            column = next((title for title, starts in COLUMNS.items() if row.compared.startswith(starts)), None)
            if column:
                cells.setdefault(row.dictionary, {}).setdefault(column, []).append(row)
        packages = ["sae-lens", "eai-sparsify", "dictionary-learning", "torch", "transformers"]
        found = {name for names in packages_distributions().values() for name in names}
        versions = "".join(f"| {package} | {version(package)} |\n" for package in packages if package in found)
        lines = [
            f"| {name} | " + " | ".join(cell(row.get(title, [])) for title in COLUMNS) + " |"
            for name, row in cells.items()
        ]
        return PAGE.format(
            program=program, python=platform.python_version(), versions=versions, titles=" | ".join(COLUMNS),
            line="|---" * (len(COLUMNS) + 1), table="\n".join(lines), count=len(self.rows), failures=self.failures,
            edges=sum(" of " in row.firing for row in self.rows), seconds=round(seconds),
            same=f"{SAME:.0e}", other=f"{OTHER_EPSILON:.0e}",
        )  # fmt: skip


def cell(rows: list[Row]) -> str:
    """Of some rows: the largest differences of latents and reconstruction, or what is true of them."""
    if any(row.failure for row in rows):
        return "**failed**"
    if any("refuses" in row.compared for row in rows):
        return "refused"
    numbers = [(float(row.latents), float(row.reconstruction)) for row in rows if row.reconstruction]
    if numbers:
        return f"{max(a for a, _ in numbers):.1e}, {max(b for _, b in numbers):.1e}"
    return "same" if rows else ""


def lens(sae: SAE, x: Tensor) -> Encoded:
    """What a SAELens dictionary computes of x [n, d]."""
    latents = sae.encode(x)
    return Encoded(latents, sae.decode(latents))


def coder(sparse: SparseCoder, x: Tensor) -> Encoded:
    """What a sparsify dictionary computes of x [n, d], in 32 bits."""
    sparse = sparse.float()
    found = sparse.encode(x)
    latents = torch.zeros(len(x), sparse.num_latents).scatter_(1, found.top_indices, found.top_acts)
    return Encoded(latents, sparse.decode(found.top_acts, found.top_indices))


def through_normalisation(sparse: SparseCoder, h: Tensor, rules: dict[str, object]) -> Encoded:
    """sparsify on a dictionary's normalised input, and its reconstruction turned back, as the export's README says."""
    if rules["input"] == "layer_norm":
        mean, deviation = h.mean(-1, keepdim=True), h.std(-1, keepdim=True)
        x = (h - mean) / (deviation + rules["input_epsilon"])
    elif rules["input"] == "unit_norm":
        mean, deviation = 0.0, h.norm(dim=-1, keepdim=True) / h.shape[-1] ** 0.5
        x = h / deviation
    else:  # a scale is in the weights
        x, mean, deviation = h, 0.0, 1.0
    found = coder(sparse, x)
    return found._replace(reconstruction=found.reconstruction * deviation + mean)


def samples(streams: Tensor, layers: list[int], encoded: dict[str, Tensor], layer: int) -> tuple[Tensor, Encoded]:
    """The streams [n, d] that were read at a layer, and what `routesae encode` made of them."""
    place = layers.index(layer)
    latents, reconstruction = encoded["latents"], encoded["reconstruction"]
    if latents.ndim == 3:  # every layer of a token
        return streams[:, place], Encoded(latents[:, place], reconstruction[:, place])
    if "layers" in encoded:
        here = encoded["layers"] == layer
        return streams[here, place], Encoded(latents[here], reconstruction[here])
    return streams[:, place], Encoded(latents, reconstruction)


def row_of(catalog: Path, dictionary: str) -> tuple[dict[str, object], list[tuple[str, str, str]]]:
    """A dictionary's row, and its tensors: name, type and SHA-256."""
    with sqlite3.connect(f"file:{catalog}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM dictionary WHERE name = ?", [dictionary]).fetchone())
        tensors = connection.execute(
            "SELECT name, dtype, sha256 FROM dictionary_tensor WHERE dictionary_id = ? ORDER BY name",
            [row["dictionary_id"]],
        ).fetchall()
    return row, [tuple(tensor) for tensor in tensors]


def compare_saelens(
    table: Comparison, name: str, folder: Path, streams: Tensor, layers: list[int], encoded: dict[str, Tensor],
    bound: float,
) -> None:  # fmt: skip
    """Loads an export with SAELens, layer by layer and as a whole, and compares."""
    if (folder / "cfg.json").exists():
        x, ours = samples(streams, layers, encoded, layers[0])
        table.add(name, "SAELens", ours, lens(SAE.load_from_disk(folder), x), bound)
    for layer in layers:
        path = folder / f"layer_{layer}"
        x, ours = samples(streams, layers, encoded, layer)
        if path.exists() and len(x):
            sae = SAE.load_from_disk(path)
            if sae.cfg.metadata.hook_name != f"blocks.{layer}.hook_resid_post":
                table.fail(name, f"SAELens layer_{layer}", f"hook {sae.cfg.metadata.hook_name}")
            table.add(name, f"SAELens layer_{layer}, {len(x)} tokens", ours, lens(sae, x), bound)
    if (folder / "routed").exists():
        sae = SAE.load_from_disk(folder / "routed")
        x = streams.flatten(1)
        latents = sae.encode(x)
        if sae.cfg.routing == "soft":
            theirs = Encoded(latents, latents @ sae.W_dec + sae.b_dec)
        else:
            theirs = Encoded(latents, sae.reconstruct(x)[0])
            same = bool((sae.layers_read(x) == encoded["layers"]).all())
            table.expect(name, "layers that routed/ reads", same, "other layers")
        # The class has the dictionary's own epsilon.
        table.add(name, "SAELens routed/", Encoded(encoded["latents"], encoded["reconstruction"]), theirs)


def compare_sparsify(
    table: Comparison, name: str, folder: Path, streams: Tensor, layers: list[int], encoded: dict[str, Tensor],
    rules: dict[str, object],
) -> None:  # fmt: skip
    """Loads an export with sparsify and compares."""
    coders = SparseCoder.load_many(str(folder), local=True)
    if sorted(coders) != sorted(f"layers.{layer}" for layer in layers):
        table.fail(name, "sparsify", f"hookpoints {sorted(coders)}")
        return
    for layer in layers:
        x, ours = samples(streams, layers, encoded, layer)
        if len(x):
            theirs = through_normalisation(coders[f"layers.{layer}"], x, rules)
            table.add(name, f"sparsify layers.{layer}, {len(x)} tokens", ours, theirs)


def rules_of(row: dict[str, object]) -> dict[str, object]:
    """What is done to the input, and the epsilon of a layer norm."""
    return {"input": row["input_normalization"], "input_epsilon": row["input_epsilon"]}


def compare_exports(
    program: Program, table: Comparison, catalog: Path, name: str, activations: Path, streams: Tensor,
    refused: Callable[[str], bool],
) -> None:  # fmt: skip
    """Exports a dictionary to every format, compares it there, and imports it again."""
    row, tensors = row_of(catalog, name)
    layers = json.loads(row["layers"])
    rules = rules_of(row)
    encoded = program.encode(catalog, name, activations)
    other_epsilon = rules["input"] == "layer_norm" and rules["input_epsilon"] != LENS_EPSILON
    for to in ("saelens", "sparsify"):
        folder = program.new(f"{name}-{to}")
        try:
            program.run("export", catalog, folder, "--to", to, "--dictionary", name, "--quiet")
        except RuntimeError as error:
            holds = refused(to) and not folder.exists() and f'"{name}"' in str(error)
            table.expect(name, f"{to} refuses", holds, str(error))
            continue
        if refused(to):
            table.fail(name, to, "was not refused")
            continue

        def with_library(to: str = to, folder: Path = folder) -> None:
            if to == "saelens":
                bound = OTHER_EPSILON if other_epsilon else SAME
                compare_saelens(table, name, folder, streams, layers, encoded, bound)
            else:
                compare_sparsify(table, name, folder, streams, layers, encoded, rules)

        def again(to: str = to, folder: Path = folder) -> None:
            compare_again(program, table, catalog, name, to, folder)

        table.attempt(name, to, with_library)
        table.attempt(name, f"{to}, imported again", again)


def compare_again(
    program: Program, table: Comparison, catalog: Path, name: str, to: str, folder: Path
) -> None:
    """Imports an export: a routed dictionary whole, of others of several layers the first layer."""
    row, tensors = row_of(catalog, name)
    layers = json.loads(row["layers"])
    whole = (folder / "routed").exists()
    source = folder
    if not whole and to == "saelens" and len(layers) > 1:
        source = folder / f"layer_{layers[0]}"
    elif to == "sparsify":
        source = folder / f"layers.{layers[0]}"
    second = program.new(f"{name}-{to}.sqlite")
    program.run("import", second, source, "--from", to, "--name", "again", "--quiet")
    again, found = row_of(second, "again")
    kept = {tensor for tensor in tensors if whole or tensor[0] != "router"}
    allowed = set() if whole else changed_by(to, row)
    changed = {tensor[0] for tensor in kept - set(found)}
    lost = {tensor[0] for tensor in kept} - {tensor[0] for tensor in found}
    table.expect(
        name, f"{to}, imported again: tensors", changed <= allowed and not lost,
        f"other {', '.join(sorted(changed - allowed | lost))}",
    )  # fmt: skip
    rules = ["d_model", "n_latents", "k", "input_normalization", "input_epsilon", "input_scale"]
    if whole:
        rules += ["architecture", "layers", "routing", "aggregation", "fidelity", "subtracts_pre_bias", "selection"]
    elif row["input_normalization"] == "scale":
        rules = rules[:3]  # it is in the weights
    others = [rule for rule in rules if row[rule] != again[rule]]
    table.expect(name, f"{to}, imported again: rules", not others, f"other {', '.join(others)}")


def changed_by(to: str, row: dict[str, object]) -> set[str]:
    """The tensors that a format cannot hold as they are."""
    changed: set[str] = set()
    rules = rules_of(row)
    if row["architecture"] == "jumprelu" and row["threshold_form"] != "value":
        changed |= {"threshold"}  # it has θ, one for each latent
    if rules["input"] == "scale":
        changed |= {"encoder", "decoder", "pre_bias"}
    if to == "sparsify":
        if row["selection"] == "activation_times_norm":
            changed |= {"encoder", "decoder", "latent_bias"}
        if not row["subtracts_pre_bias"]:
            changed |= {"latent_bias"}
        if changed:
            changed |= {"encoder", "decoder", "latent_bias", "pre_bias"}  # all in one type
    return changed


def compare_trained(program: Program, table: Comparison, model: Path, text: Path, tokens: int) -> None:
    """Trains dictionaries on the model, and compares their exports."""
    settings = {
        "model": str(model), "text": [str(text / "train")], "tokens": tokens, "latents": 512,
        "batchTokens": 1024, "includesBOS": False,
        "dictionaries": [
            {**each, "layers": list(range(3, 8)) if each["layers"] == LAYERS else each["layers"]} for each in TRAINED
        ],
    }  # fmt: skip
    config = program.new("sweep.json")
    config.write_text(json.dumps(settings))
    catalog = program.new("trained.sqlite")
    program.run("sweep", catalog, "--config", config, "--quiet")
    activations = program.new("activations.safetensors")
    program.run(
        "activations", "--model", model, "--text", text / "heldout", "--layers", LAYERS, "--dtype", "f32", "--tokens",
        "512", "--output", activations, "--quiet",
    )  # fmt: skip
    streams = load_file(activations)["activations"]
    for each in TRAINED:
        layers = list(range(3, 8)) if each["layers"] == LAYERS else [each["layers"]]
        own = streams[:, [layer - 3 for layer in layers]]
        compare_exports(
            program, table, catalog, each["name"], activations, own, lambda to, name=each["name"]: (name, to) in REFUSED
        )


def library_of(folder: Path) -> Callable[[Tensor], Encoded] | None:
    """The library's own dictionary of a fixture, where it reads it from the folder alone."""
    if (folder / "sae_weights.safetensors").exists():
        sae = SAE.load_from_disk(folder, dtype="float32")
        return lambda x: lens(sae, x)
    hookpoints = sorted(folder.glob("layers.*/sae.safetensors"))
    if hookpoints:
        sparse = SparseCoder.load_from_disk(hookpoints[0].parent)
        return lambda x: coder(sparse, x)
    if (folder / "ae.pt").exists():
        dictionary = dictionary_learning(folder)

        def run(x: Tensor) -> Encoded:
            latents = dictionary.encode(x)
            return Encoded(latents, dictionary.decode(latents))

        return run
    return None


def dictionary_learning(folder: Path) -> torch.nn.Module:
    """A dictionary of the library dictionary_learning, without nnsight, which it imports and does not need here."""
    if "nnsight" not in sys.modules:
        stub = types.ModuleType("nnsight")
        stub.__spec__ = importlib.machinery.ModuleSpec("nnsight", None)
        stub.LanguageModel = object
        sys.modules["nnsight"] = stub
        sys.modules["nnsight.tracing"] = types.ModuleType("nnsight.tracing")
    from dictionary_learning import dictionary as classes
    from dictionary_learning.trainers import batch_top_k, matryoshka_batch_top_k, top_k

    trainer = json.loads((folder / "config.json").read_text())["trainer"]
    name = trainer["dict_class"]
    cls = next(getattr(module, name) for module in (classes, top_k, batch_top_k, matryoshka_batch_top_k)
               if hasattr(module, name))  # fmt: skip
    state = torch.load(folder / "ae.pt", weights_only=True)
    sizes = [trainer["activation_dim"], trainer["dict_size"]]
    if "k" in trainer:
        sizes.append(trainer["k"])
    if name.startswith("Matryoshka"):
        sizes.append(state["group_sizes"].tolist())
    made = cls(*sizes)
    made.load_state_dict(state)
    return made


def import_options(fixture: Path) -> list[str]:
    """What the files of a fixture do not say: k of Qwen-Scope, which is how many latents its golden has at most."""
    if fixture.name != "qwen-scope":
        return []
    firing = (load_file(fixture / "golden.safetensors")["acts"] != 0).sum(-1)
    return ["--k", str(int(firing.max()))]


def compare_fixtures(program: Program, table: Comparison, folder: Path) -> None:
    """Imports fixtures, compares them with their goldens and libraries, and exports them again."""
    activations = folder / "input.safetensors"
    x = load_file(activations)["input"]
    own = program.new("input.safetensors")
    save_file({"input": x}, own)
    for fixture in sorted(path.parent for path in folder.glob("*/golden.safetensors")):
        name = fixture.name
        catalog = program.new(f"{name}.sqlite")

        def run(fixture: Path = fixture, name: str = name, catalog: Path = catalog) -> None:
            program.run("import", catalog, fixture, "--name", name, "--quiet", *import_options(fixture))
            encoded = program.encode(catalog, name, own)
            ours = Encoded(encoded["latents"], encoded["reconstruction"])
            golden = load_file(fixture / "golden.safetensors")
            table.add(name, "golden", ours, Encoded(golden["acts"], golden["recon"]))
            library = library_of(fixture)
            if library:
                table.add(name, "the library on its file", ours, library(x))
            row, _ = row_of(catalog, name)
            groups = row["selection"] == "group_max"
            compare_exports(
                program, table, catalog, name, own, x[:, None],
                lambda to: groups if to == "saelens" else row["architecture"] != "topk",
            )  # fmt: skip

        table.attempt(name, "import", run)
    for fixture in sorted(folder.glob("*-refuse")):
        try:
            program.run("import", program.new(f"{fixture.name}.sqlite"), fixture, "--quiet")
            table.fail(fixture.name, "import refuses", "was not refused")
        except RuntimeError as error:
            table.expect(fixture.name, "import refuses", "transcod" in str(error), str(error))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routesae", type=Path, default=ROOT / ".build/release/routesae", help="the program")
    parser.add_argument("--work", type=Path, required=True, help="a folder for all files; made, must be empty")
    parser.add_argument("--fixtures", type=Path, help="folder of other programs' files with goldens")
    parser.add_argument("--model", type=Path, default=ROOT / "Demo/model", help="language model to train on")
    parser.add_argument("--text", type=Path, default=ROOT / "Demo/text", help="folder with train and heldout")
    parser.add_argument("--tokens", type=int, default=60_000, help="training tokens of each dictionary")
    parser.add_argument("--page", type=Path, help="write the largest differences by dictionary to this file")
    parser.add_argument("--only", choices=["trained", "fixtures"], help="one of the two parts")
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    if any(work.iterdir()):
        parser.error(f"{work} is not empty; name a new folder")
    if options.only == "fixtures" and not options.fixtures:
        parser.error("--only fixtures needs --fixtures FOLDER")

    torch.set_grad_enabled(False)
    started = time.monotonic()
    program, table = Program(options.routesae.resolve(), work), Comparison()
    if options.only != "fixtures":
        table.attempt(
            "trained", "sweep",
            lambda: compare_trained(program, table, options.model, options.text, options.tokens),
        )  # fmt: skip
    if options.fixtures and options.only != "trained":
        compare_fixtures(program, table, options.fixtures.resolve())
    if options.page:
        release = subprocess.run([program.binary, "--version"], capture_output=True, text=True).stdout.strip()
        options.page.write_text(table.page(release, time.monotonic() - started))
    return table.print()


if __name__ == "__main__":
    sys.exit(main())
