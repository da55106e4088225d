#!/usr/bin/env python3
"""Tests of export_activations.py: `python3 tools/test_export_activations.py`.

The script is a few lines around the Python package, whose tests are tools/python/tests/test_collecting_*.py.  What runs
a model is left out where torch and transformers are not installed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "export_activations.py"
PACKAGE = SCRIPT.parent / "python"
sys.path[:0] = [str(PACKAGE), str(PACKAGE / "tests")]
from activation_files import InFolder, integers, read_safetensors, widened  # noqa: E402
from tiny_models import HAS_TORCH, WithModels  # noqa: E402

from routesae.collecting.weights_digest import weights_digest  # noqa: E402

FIXTURES = SCRIPT.parent.parent / "Tests" / "Fixtures"


class Fixtures(unittest.TestCase):
    """The committed files are what they should be (tools/make_activation_fixtures.py)."""

    def test_files_hold_what_is_expected(self) -> None:
        folder = FIXTURES / "activations"
        expected = json.loads((folder / "expected.json").read_text())
        names = {
            "decoder": ["decoder-00000-of-00002.safetensors", "decoder-00001-of-00002.safetensors"],
            "encoder": ["encoder.safetensors"],
        }
        for kind, files in names.items():
            parts = [read_safetensors(folder / name) for name in files]
            joined = {name: b"".join(tensors[name][2] for _, tensors in parts) for name in parts[0][1]}
            self.assertEqual(integers(joined["token_ids"]), expected[kind]["token_ids"])
            self.assertEqual(integers(joined["document_ids"]), expected[kind]["document_ids"])
            values = widened("BF16", joined["activations"])
            width = len(expected[kind]["rows"][0][1][0])
            count = width * len(expected[kind]["layers"])
            self.assertEqual(len(values), count * len(expected[kind]["token_ids"]))
            for row, layers in expected[kind]["rows"]:
                for stored, exact in zip(values[row * count : (row + 1) * count], sum(layers, [])):
                    self.assertLessEqual(abs(stored - exact), abs(exact) / 256 + 1e-5)
            for index, (metadata, _) in enumerate(parts):
                self.assertEqual(metadata["format"], "routesae-activations-1")
                self.assertEqual(json.loads(metadata["layers"]), expected[kind]["layers"])
                self.assertEqual(metadata.get("shard"), str(index) if kind == "decoder" else None)
                self.assertEqual(metadata.get("bos_token_id"), "1" if kind == "decoder" else None)
                if kind == "decoder":
                    digest = weights_digest(str(FIXTURES / "models/llama-untied"))
                    self.assertEqual(metadata["model_sha256"], digest)
                    self.assertEqual((metadata["model"], metadata["tokenizer"]), ("llama-untied", "llama-untied"))


class Script(InFolder):
    """What the script does before it opens a model."""

    def run_script(self, *arguments: str, without: str = "") -> "subprocess.CompletedProcess[str]":
        """Runs it where some modules cannot be imported."""
        code = (
            f"import runpy, sys; sys.modules.update(dict.fromkeys({without.split()})); "
            f"sys.argv[0] = {str(SCRIPT)!r}; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
        )
        return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)

    def test_its_help_needs_the_standard_library_only(self) -> None:
        result = self.run_script("--help", without="numpy pandas zstandard torch transformers")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("tools/export_activations.py bert-base-uncased --text books/", result.stdout)

    def test_exit_statuses(self) -> None:
        text = self.write("a.txt", "a few words")
        for status, words, *arguments in (
            (2, "--output", "m", "--text", text, "--layers", "1"),
            (1, "--layers is x", "m", "--text", text, "--layers", "x", "--output", self.path("out")),
            (1, "no such model folder", "./m", "--text", text, "--layers", "1", "--output", self.path("out")),
            (1, "no such file or folder", "m", "--text", "./none", "--layers", "1", "--output", self.path("out")),
        ):
            result = self.run_script(*arguments)
            self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
            self.assertIn(words, result.stderr)
        self.assertEqual(os.listdir(self.folder), ["a.txt"])


@unittest.skipUnless(HAS_TORCH, "torch and transformers are not installed")
class Models(WithModels):
    """The whole script on tiny random models."""

    def start(self, *arguments: str, program: tuple = (str(SCRIPT),)) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *program, *arguments], stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(PACKAGE)})

    def test_it_writes_what_the_package_writes(self) -> None:
        folder = self.model("llama")
        text = self.write("t.jsonl", "\n".join(json.dumps({"text": text}) for text in ("hello", "", "many words " * 9)))
        options = (folder, "--text", text, "--layers", "0,2", "--context", "12", "--output")
        for name, program in (("a", (str(SCRIPT),)), ("b", ("-m", "routesae", "collect"))):
            process = self.start(*options, self.path(name), program=program)
            errors = process.communicate()[1]
            self.assertEqual(process.returncode, 0, errors)
            self.assertRegex(errors.splitlines()[-1], r": activations \[114, 2, 16\] bf16, [0-9,]+ tokens a second$")
        self.assertEqual(Path(self.path("a")).read_bytes(), Path(self.path("b")).read_bytes())
        process = self.start(*options, self.path("a"))
        self.assertIn("exists already; add --force", process.communicate()[1])
        self.assertEqual(process.returncode, 1)

    def test_a_signal_leaves_nothing(self) -> None:
        self.write("t.jsonl", json.dumps({"text": "many words " * 50_000}))
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start(
                self.model("llama"), "--text", self.path("t.jsonl"), "--layers", "all", "--batch-size", "1",
                "--output", self.path("out"), "--shard-tokens", "2000", "--context", "9")
            while process.poll() is None and not any(name.startswith("out-00001") for name in os.listdir(self.folder)):
                time.sleep(0.05)
            process.send_signal(number)
            errors = process.communicate()[1]
            left = [name for name in os.listdir(self.folder) if name.startswith("out")]
            self.assertEqual((process.returncode, left), (130, []), errors)
            self.assertIn("nothing was written", errors)


if __name__ == "__main__":
    unittest.main()
