"""Encoding and decoding by every architecture and rule, against loops over single numbers, and against the program.

The formulas are written here once more, from schema/README.md. Where ROUTESAE names the program, or it has been built,
it encodes the same streams with the same catalog.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from written import ROOT, frame, packed, shuffled, written

import routesae

D, M, K, TOKENS = 6, 12, 3, 9
PROGRAM = os.environ.get("ROUTESAE") or next(
    (str(path) for path in (ROOT / ".build/release/routesae",) if path.exists()), ""
)
COLUMNS = (
    "name",
    "architecture",
    "layers",
    "k",
    "aggregation",
    "routing",
    "fidelity",
    "input_normalization",
    "input_epsilon",
    "input_scale",
    "subtracts_pre_bias",
    "selection",
    "threshold_form",
)


def cases() -> dict[str, dict[str, Any]]:
    """Rules of dictionaries by name: every architecture in both fidelities, every rule of input and selection."""
    base = {
        "layers": [1],
        "k": None,
        "aggregation": None,
        "routing": None,
        "fidelity": "corrected",
        "input_normalization": "layer_norm",
        "input_epsilon": 1e-6,
        "input_scale": None,
        "subtracts_pre_bias": 1,
        "selection": None,
        "threshold_form": None,
    }
    kept = {"k": K, "selection": "activation"}
    found = {}
    for fidelity in ("corrected", "reference"):
        several = {**base, "fidelity": fidelity, "layers": [1, 2, 4]}
        single = {**base, "fidelity": fidelity}
        for routing in ("hard", "soft"):
            for aggregation in ("sum", "mean"):
                found[f"route-{routing}-{aggregation}"] = {
                    **several,
                    **kept,
                    "architecture": "route",
                    "routing": routing,
                    "aggregation": aggregation,
                }
        found["route-of-one-layer"] = {
            **single,
            **kept,
            "architecture": "route",
            "routing": "hard",
            "aggregation": "sum",
        }
        found["topk"] = {**single, **kept, "architecture": "topk"}
        found["vanilla"] = {**single, "architecture": "vanilla"}
        found["gated"] = {**single, "architecture": "gated"}
        for form in ("log", "value", "shared"):
            found[f"jumprelu-{form}"] = {
                **single,
                "architecture": "jumprelu",
                "threshold_form": form,
                "subtracts_pre_bias": int(fidelity == "reference"),
            }
        found["crosscoder"] = {**several, "architecture": "crosscoder", "subtracts_pre_bias": 0}
        found["crosscoder-k"] = {**several, **kept, "architecture": "crosscoder", "subtracts_pre_bias": 0}
        found["mlsae"] = {**several, **kept, "architecture": "mlsae"}
        found["random"] = {**several, **kept, "architecture": "random"}
        if fidelity == "corrected":
            for architecture in ("route", "random"):
                found[f"{architecture}-threshold"] = {
                    **several,
                    "architecture": architecture,
                    "routing": "hard" if architecture == "route" else None,
                    "aggregation": "sum" if architecture == "route" else None,
                    "threshold_form": "shared",
                }
        for name in [name for name in found if "reference" not in name and "corrected" not in name]:
            found[f"{name}-{fidelity}"] = found.pop(name)
    topk = found["topk-corrected"]
    found["norms"] = {**topk, "selection": "activation_times_norm"}
    found["groups"] = {**topk, "selection": "group_max"}
    found["no-bias"] = {**topk, "subtracts_pre_bias": 0}
    none = {"input_epsilon": None}
    found["none"] = {**topk, **none, "input_normalization": "none"}
    found["unit"] = {**topk, **none, "input_normalization": "unit_norm"}
    for name in ("topk-corrected", "vanilla-corrected", "route-hard-sum-corrected", "gated-corrected"):
        found[f"scale-{name}"] = {**found[name], **none, "input_normalization": "scale", "input_scale": 0.375}
    return found


def weights(rules: dict[str, Any], chance: random.Random) -> dict[str, np.ndarray]:
    """Random weights of the shapes that a dictionary of these rules has."""

    def some(*shape: int) -> np.ndarray:
        return np.array([chance.gauss(0, 1) for _ in range(math.prod(shape))], np.float32).reshape(shape)

    width = D * len(rules["layers"]) if rules["architecture"] == "crosscoder" else D
    found = {"encoder": some(M, width), "decoder": some(M, width)}
    if rules["architecture"] != "crosscoder" or rules["fidelity"] == "corrected":
        found["pre_bias"] = some(width) / 4
    if rules["architecture"] == "gated":
        found |= {"r_mag": some(M) / 4, "mag_bias": some(M) / 4, "gate_bias": some(M) / 4}
    else:
        found["latent_bias"] = some(M) / 4
    if rules["threshold_form"]:
        found["threshold"] = some(1 if rules["threshold_form"] == "shared" else M)
    if rules["architecture"] == "route" and len(rules["layers"]) > 1:
        found["router"] = some(len(rules["layers"]), D)
    return found


class Oracle:
    """A dictionary's computation, number by number in Python's floats."""

    def __init__(self, rules: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        self.rules = rules
        self.w = {name: values.astype(float).tolist() for name, values in tensors.items()}

    def normalised(self, h: list[float]) -> tuple[list[float], float, float]:
        rule = self.rules["input_normalization"]
        if rule == "layer_norm":
            mean = sum(h) / D
            deviation = math.sqrt(sum((one - mean) ** 2 for one in h) / (D - 1))
            return [(one - mean) / (deviation + self.rules["input_epsilon"]) for one in h], mean, deviation
        if rule == "scale":
            return [one * self.rules["input_scale"] for one in h], 0, 1 / self.rules["input_scale"]
        if rule == "unit_norm":
            norm = math.sqrt(sum(one * one for one in h))
            return [one * math.sqrt(D) / norm if norm else 0 for one in h], 0, norm / math.sqrt(D)
        return h, 0, 1

    def token(self, streams: list[list[float]], row: int) -> tuple[Any, Any]:
        """Latents and reconstruction of one token, as `routesae encode` writes them."""
        rules, kind, layers = self.rules, self.rules["architecture"], len(self.rules["layers"])
        read = [self.normalised(h) for h in streams]
        if kind == "mlsae":
            pairs = [self.sample(x, mean, deviation) for x, mean, deviation in read]
            return [one for one, _ in pairs], [one for _, one in pairs]
        if kind == "crosscoder":
            z = self.latents([one for x, _, _ in read for one in x])
            u = self.decoded(z)
            return z, [[one * read[l][2] + read[l][1] for one in u[l * D : (l + 1) * D]] for l in range(layers)]
        if kind == "random":
            return self.sample(*read[mixed(mixed(mixed(0) + row)) * layers >> 64])
        if kind != "route" or layers == 1:
            return self.sample(*read[0])
        r = [sum(x[i] for x, _, _ in read) / (layers if rules["aggregation"] == "mean" else 1) for i in range(D)]
        logits = [sum(a * b for a, b in zip(router, r)) for router in self.w["router"]]
        powers = [math.exp(one - max(logits)) for one in logits]
        p = [one / sum(powers) for one in powers]
        if rules["routing"] == "soft":
            z = self.latents([sum(p[l] * read[l][0][i] for l in range(layers)) for i in range(D)])
            return z, self.decoded(z)
        best = logits.index(max(logits))
        scale = p[best] if rules["fidelity"] == "reference" else 1
        x, mean, deviation = read[best]
        return self.sample([one * scale for one in x], mean, deviation / scale)

    def sample(self, u: list[float], mean: float, deviation: float) -> tuple[list[float], list[float]]:
        z = self.latents(u)
        return z, [one * deviation + mean for one in self.decoded(z)]

    def norms(self) -> list[float]:
        return [math.sqrt(sum(one * one for one in row)) for row in self.w["decoder"]]

    def latents(self, u: list[float]) -> list[float]:
        rules, w = self.rules, self.w
        reference = rules["fidelity"] == "reference"
        if rules["subtracts_pre_bias"]:
            u = [a - b for a, b in zip(u, w["pre_bias"])]
        product = [sum(a * b for a, b in zip(row, u)) for row in w["encoder"]]
        if rules["architecture"] == "gated":
            return [
                max(math.exp(r) * a + b, 0) if a + g > 0 else 0.0
                for a, r, b, g in zip(product, w["r_mag"], w["mag_bias"], w["gate_bias"])
            ]
        a = [one + b for one, b in zip(product, w["latent_bias"])]
        if rules["selection"] == "activation_times_norm":
            a = [one * norm for one, norm in zip(a, self.norms())]
        if rules["k"] is not None:
            order = sorted(range(M), key=lambda j: -a[j])[:K]
            if rules["selection"] == "group_max":
                order = [max(range(g, g + M // K), key=lambda j: a[j]) for g in range(0, M, M // K)]
            return [a[j] if j in order and (reference or a[j] > 0) else 0.0 for j in range(M)]
        if rules["threshold_form"]:
            theta = w["threshold"] * M if rules["threshold_form"] == "shared" else w["threshold"]
            theta = [math.exp(one) for one in theta] if rules["threshold_form"] == "log" else theta
            return [one if one > t and (reference or one > 0) else 0.0 for one, t in zip(a, theta)]
        return [max(one, 0) for one in a]

    def decoded(self, z: list[float]) -> list[float]:
        rows = self.w["decoder"]
        if self.rules["selection"] == "activation_times_norm":
            rows = [[one / norm for one in row] for row, norm in zip(rows, self.norms())]
        bias = self.w.get("pre_bias") or [0.0] * len(rows[0])
        return [sum(z[j] * rows[j][i] for j in range(M)) + bias[i] for i in range(len(rows[0]))]


def mixed(value: int) -> int:
    """The output function of SplitMix64."""
    value &= 2**64 - 1
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def safetensors(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Writes float32 tensors."""
    header: dict[str, Any] = {"__metadata__": metadata}
    at = 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(values.tobytes() for values in tensors.values()))


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    kinds = {"F32": np.float32, "I32": np.int32}
    return {
        name: np.frombuffer(content[8 + length :][slice(*one["data_offsets"])], kinds[one["dtype"]]).reshape(
            one["shape"]
        )
        for name, one in header.items()
    }


class Encoding(unittest.TestCase):
    folder: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.path = cls.folder / "rules.sqlite"
        shutil.copy(written().path, cls.path)
        chance = random.Random(7)
        database = sqlite3.connect(cls.path, isolation_level=None)
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("BEGIN")
        (tensor_id,) = database.execute("SELECT max(tensor_id) FROM dictionary_tensor").fetchone()
        cls.tensors = {}
        for number, (name, rules) in enumerate(cases().items(), 10):
            row = {**rules, "name": name, "layers": json.dumps(rules["layers"])}
            if rules["architecture"] != "jumprelu":
                row["threshold_form"] = None  # of the others those without a k have one threshold
            database.execute(
                f"INSERT INTO dictionary (dictionary_id, d_model, n_latents, activation_threshold, relative_threshold, "
                f"run_id, config, "
                f"{', '.join(COLUMNS)}) VALUES (?, ?, ?, 1.0, 1.0, 1, '{{}}'{', ?' * len(COLUMNS)})",
                (number, D, M, *(row[column] for column in COLUMNS)),
            )
            cls.tensors[name] = weights(rules, chance)
            for tensor, values in cls.tensors[name].items():
                tensor_id += 1
                raw = packed(values.reshape(-1).tolist(), "f32")
                length = math.prod(values.shape[1:])
                database.execute(
                    "INSERT INTO dictionary_tensor VALUES (?, ?, ?, 'f32', ?, ?, ?, ?, 1, ?)",
                    (
                        tensor_id,
                        number,
                        tensor,
                        json.dumps(list(values.shape)),
                        values.shape[0],
                        length,
                        values.shape[0],
                        hashlib.sha256(raw).hexdigest(),
                    ),
                )
                database.execute(
                    "INSERT INTO tensor_chunk VALUES (NULL, ?, 0, ?, ?)",
                    (tensor_id, values.shape[0], frame(shuffled(raw, 4))),
                )
        database.execute("COMMIT")
        database.close()
        cls.catalog = routesae.open(cls.path)
        cls.addClassCleanup(cls.catalog.close)
        cls.streams = np.array([chance.gauss(0.5, 2) for _ in range(TOKENS * 5 * D)], np.float32).reshape(TOKENS, 5, D)

    def streams_of(self, name: str) -> np.ndarray:
        return self.streams[:, cases()[name]["layers"]]

    def test_latents_and_reconstructions_are_those_of_loops(self) -> None:
        self.assertEqual(len(cases()), 2 * 15 + 9 + 2)
        for name, rules in cases().items():
            with self.subTest(name=name):
                dictionary, x = self.catalog.dictionary(name), self.streams_of(name)
                oracle = Oracle(rules, self.tensors[name])
                pairs = [oracle.token(token, row) for row, token in enumerate(x.astype(float).tolist())]
                z = dictionary.encode(x)
                np.testing.assert_allclose(z, np.array([one for one, _ in pairs]), rtol=1e-5, atol=1e-5)
                self.assertEqual(z.dtype, np.float32)
                self.assertTrue((z != 0).any())
                np.testing.assert_allclose(
                    dictionary.decode(z, x), np.array([one for _, one in pairs]), rtol=1e-4, atol=1e-4
                )
                np.testing.assert_array_equal(dictionary.reconstruct(x), dictionary.decode(z, x))

    @unittest.skipUnless(PROGRAM, "the program is not built; ROUTESAE can name it")
    def test_latents_and_reconstructions_are_those_of_the_program(self) -> None:
        for name in cases():
            with self.subTest(name=name):
                dictionary, x = self.catalog.dictionary(name), self.streams_of(name)
                source, output = self.folder / "x.safetensors", self.folder / "y.safetensors"
                layers = json.dumps(list(dictionary.layers))
                safetensors(source, {"activations": np.ascontiguousarray(x)}, {"layers": layers})
                subprocess.run(
                    [
                        PROGRAM,
                        "encode",
                        self.path,
                        "--dictionary",
                        name,
                        "--activations",
                        source,
                        "--output",
                        output,
                        "--dense",
                        "--force",
                        "-q",
                    ],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                expected = read_safetensors(output)
                np.testing.assert_allclose(dictionary.encode(x), expected["latents"], rtol=1e-5, atol=1e-5)
                np.testing.assert_allclose(dictionary.reconstruct(x), expected["reconstruction"], rtol=1e-5, atol=2e-5)

    def test_many_tokens_are_encoded_as_few_are(self) -> None:
        many = np.repeat(self.streams, 1000, axis=0)
        for name in ("route-hard-sum-corrected", "mlsae-corrected", "random-corrected"):
            layers = cases()[name]["layers"]
            dictionary = self.catalog.dictionary(name)
            keys = np.repeat(routesae.draw_keys(0, np.arange(TOKENS)), 1000)
            np.testing.assert_allclose(
                dictionary.encode(many[:, layers], keys)[::1000],
                dictionary.encode(self.streams[:, layers]),
                rtol=1e-5,
                atol=1e-6,
            )

    def test_equal_activations_are_kept_by_index(self) -> None:
        from routesae.selection import largest, largest_of_groups

        a = np.array([[1, 3, 3, 2, 3, 0], [0, 0, 0, 0, 0, 0]], np.float32)
        self.assertEqual(largest(a, 2).tolist(), [[False, True, True, False, False, False], [True, True] + [False] * 4])
        self.assertEqual(largest(a, 6).all(), True)
        self.assertEqual(np.flatnonzero(largest_of_groups(a, 2)[0]).tolist(), [1, 4])

    def test_streams_that_do_not_fit(self) -> None:
        dictionary = self.catalog.dictionary("topk-corrected")
        for words, x in (
            ("expected [tokens, 1, 6]", np.zeros((3, 7))),
            ("expected [tokens, 1, 6]", np.zeros((3, 2, 6))),
            ("not finite", np.full((3, 6), np.nan)),
            ("not finite", np.full((3, 6), 1e30)),
        ):
            with self.assertRaises(routesae.CatalogError) as caught:
                dictionary.encode(x)
            self.assertIn(words, str(caught.exception))
        with self.assertRaises(routesae.CatalogError):
            dictionary.decode(np.zeros((3, 5)))
        with self.assertRaises(routesae.CatalogError):
            dictionary.decode(np.zeros((3, M)), np.zeros((2, 6)))
        self.assertEqual(dictionary.encode(np.zeros((0, D))).shape, (0, M))

    @unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not installed")
    def test_a_torch_module_computes_the_same_and_has_gradients(self) -> None:
        import torch

        for name in cases():
            with self.subTest(name=name):
                dictionary, x = self.catalog.dictionary(name), self.streams_of(name)
                module = dictionary.to_torch()
                streams = torch.tensor(np.ascontiguousarray(x), requires_grad=True)
                z = module.encode(streams)
                np.testing.assert_allclose(z.detach().numpy(), dictionary.encode(x), rtol=1e-5, atol=1e-5)
                out = module(streams)
                np.testing.assert_allclose(out.detach().numpy(), dictionary.reconstruct(x), rtol=1e-4, atol=1e-4)
                out.square().sum().backward()
                self.assertGreater(float(module.encoder.grad.abs().sum()), 0)

    @unittest.skipUnless(importlib.util.find_spec("sae_lens"), "SAELens is not installed")
    def test_a_saelens_object_computes_the_same_or_says_why_there_is_none(self) -> None:
        import warnings

        import torch

        made = 0
        for name in cases():
            with self.subTest(name=name):
                dictionary, x = self.catalog.dictionary(name), self.streams_of(name)
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        sae = dictionary.to_saelens()
                except routesae.CatalogError as error:
                    self.assertIn("SAELens", str(error))
                    continue
                made += 1
                with torch.no_grad():
                    z = sae.encode(torch.tensor(np.ascontiguousarray(x)).flatten(1))
                # The epsilon of SAELens's layer norm is 1e-5.
                np.testing.assert_allclose(z.numpy(), dictionary.encode(x), rtol=1e-4, atol=1e-4)
        self.assertGreater(made, 18)


if __name__ == "__main__":
    unittest.main()
