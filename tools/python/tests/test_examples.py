"""The examples run: those in docstrings, the notebook, and those of docs/python.md; types are strict."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import importlib.util
import io
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path

from written import ROOT, written

import routesae
from routesae.frames import has_pandas

PACKAGE = ROOT / "tools" / "python"
#: Modules that import what need not be there.
OPTIONAL = {"routesae.saelens": "sae_lens", "routesae.torch_module": "torch"}


@contextlib.contextmanager
def folder_with_demo() -> Iterator[Path]:
    """A folder that holds demo.sqlite, as the current one: ROUTESAE_CATALOG, or the catalog that the tests write."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(written().path, f"{folder}/demo.sqlite")
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


class Examples(unittest.TestCase):
    @unittest.skipUnless(has_pandas, "pandas is not installed")
    def test_docstrings(self) -> None:
        tried = 0
        with folder_with_demo():
            for module in pkgutil.walk_packages(routesae.__path__, "routesae."):
                needed = OPTIONAL.get(module.name)
                if module.name == "routesae.__main__" or needed and not importlib.util.find_spec(needed):
                    continue
                result = doctest.testmod(importlib.import_module(module.name), verbose=False)
                self.assertEqual(result.failed, 0, module.name)
                tried += result.attempted
            result = doctest.testmod(routesae)
            self.assertEqual(result.failed, 0)
        self.assertGreater(tried + result.attempted, 10)

    @unittest.skipUnless(has_pandas, "pandas is not installed")
    def test_the_notebook_runs_without_a_browser(self) -> None:
        cells = json.loads((PACKAGE / "example.ipynb").read_text())["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        self.assertGreater(len(code), 5)
        names: dict[str, object] = {}
        shown = []
        with folder_with_demo(), contextlib.redirect_stdout(io.StringIO()) as printed:
            for number, cell in enumerate(code):
                body = ast.parse(cell).body
                last = body.pop() if isinstance(body[-1], ast.Expr) else None
                exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)
                if last is not None:
                    value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
                    shown.append(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
        self.assertTrue(any("rgba(" in page for page in shown))
        self.assertGreater(sum("<table" in page for page in shown), 3, printed.getvalue())

    @unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
    def test_types_are_strict(self) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "routesae"], cwd=PACKAGE, capture_output=True, text=True
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_modules_are_short_and_lines_fit(self) -> None:
        for path in sorted((PACKAGE / "routesae").rglob("*.py")):
            lines = path.read_text().split("\n")
            self.assertLessEqual(len(lines), 301, path.name)
            self.assertLessEqual(max(map(len, lines)), 120, path.name)
            self.assertTrue(re.match(r'"""', lines[0]), path.name)


if __name__ == "__main__":
    unittest.main()
