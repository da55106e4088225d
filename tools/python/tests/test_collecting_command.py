"""`python -m routesae collect`: what its command line refuses, and what it does without torch."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import unittest

from activation_files import InFolder
from written import ROOT

from routesae.__main__ import main

PACKAGE = ROOT / "tools" / "python"


class Command(InFolder):
    def setUp(self) -> None:
        super().setUp()
        self.text = self.write("a.txt", "a few words")

    def refused(self, status: int, words: str, *arguments: str) -> None:
        """One line on standard error, and this status."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.suppress(SystemExit):
            self.assertEqual(main(["collect", *arguments]), status)
        self.assertEqual(errors.getvalue().count("\n"), 1, errors.getvalue())
        self.assertTrue(errors.getvalue().startswith("error: "), errors.getvalue())
        self.assertIn(words, errors.getvalue())

    def test_options(self) -> None:
        output = ("--output", self.path("out"))
        for words, *options in (
            ("--layers is 5-3; allowed", "--layers", "5-3", *output),
            ("--tokens is 0; allowed: from 1", "--layers", "1", "--tokens", "0", *output),
            ("--batch-size is 0", "--layers", "1", "--batch-size", "0", *output),
            ("--shard-tokens is -1", "--layers", "1", "--shard-tokens", "-1", *output),
            ("files are written whole", "--layers", "1", "--from-token", "0", *output),
            ("--shard-tokens goes with files", "--layers", "1", "--shard-tokens", "5"),
            ("--force goes with files", "--layers", "1", "--force"),
            ("--dry-run goes with files", "--layers", "1", "--dry-run"),
            ("--from-token is -1; allowed: from 0", "--layers", "1", "--from-token", "-1"),
        ):
            self.refused(64, words, "model", "--text", self.text, *options)
        with self.assertRaises(SystemExit) as stopped, contextlib.redirect_stderr(io.StringIO()):
            main(["collect", "model", "--text", self.text])
        self.assertEqual(stopped.exception.code, 64)

    def test_inputs_and_outputs(self) -> None:
        options = ("--layers", "1", "--output")
        out = self.path("out")
        self.refused(66, "no such file or folder of text", "m", "--text", self.path("none"), *options, out)
        self.refused(66, "its folder is not there", "m", "--text", self.text, *options, self.path("none/out"))
        self.write("out", "precious")
        self.refused(73, "exists already; add --force", "m", "--text", self.text, *options, out)
        self.refused(66, "no such model folder", "./m", "--text", self.text, *options, out, "--force")

    def run_without(self, absent: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the command where some modules cannot be imported, and says at the end which were."""
        code = (
            "import runpy, sys\n"
            f"sys.modules.update(dict.fromkeys({absent.split()}))\n"
            "sys.argv[0] = 'routesae'\n"
            "try:\n    runpy.run_module('routesae', run_name='__main__')\n"
            "finally:\n    print('torch' in sys.modules and sys.modules['torch'] is not None)\n"
        )
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        )

    def test_the_help_lists_it_and_does_not_import_torch(self) -> None:
        result = self.run_without("", "--help")
        self.assertRegex(result.stdout, r"\n +collect +collect a Hugging Face model's activations")
        self.assertEqual((result.returncode, result.stdout.splitlines()[-1]), (0, "False"), result.stderr)
        result = self.run_without("torch", "collect", "--help")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("python -m routesae collect ./gpt2 --text books/", result.stdout)

    def test_without_torch_it_says_what_to_install(self) -> None:
        os.mkdir(self.path("m"))
        result = self.run_without("torch", "collect", "m", "--text", "a.txt", "--layers", "1", "--output", "out")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (66, 1), result.stderr)
        self.assertIn("pip install torch transformers", result.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.txt", "m"])


if __name__ == "__main__":
    unittest.main()
