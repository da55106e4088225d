#!/usr/bin/env python3
"""Runs the tests of the Python package.

    python3 tools/python/tests/run.py                          (all)
    python3 tools/python/tests/run.py test_contexts ...        (those whose names contain a word)

ROUTESAE_CATALOG names a catalog to read as well, ROUTESAE the program to compare encodings with.
"""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent
#: What the tests use, and what is left out without it.
OPTIONAL = {
    "pandas": "DataFrames and the notebook",
    "pyarrow": "Parquet",
    "polars": "conversion to polars",
    "torch": "the PyTorch module",
    "transformers": "collecting activations from models",
    "sae_lens": "routesae.saelens and the SAELens object",
    "mypy": "the check of types",
}
#: Modules that cannot be imported without a package.
NEEDED = {"test_saelens": "sae_lens"}


def main() -> int:
    for name in ("numpy", "zstandard"):
        if not importlib.util.find_spec(name):
            print(f"error: the Python package {name} is missing; tools/bootstrap installs it", file=sys.stderr)
            return 1
    sys.path[:0] = [str(TESTS.parent), str(TESTS)]
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]] or None
    modules = [
        path.stem
        for path in sorted(TESTS.glob("test_*.py"))
        if path.stem not in NEEDED or importlib.util.find_spec(NEEDED[path.stem])
    ]
    result = unittest.TextTestRunner().run(loader.loadTestsFromNames(modules))
    for name, what in OPTIONAL.items():
        if not importlib.util.find_spec(name):
            print(f"skipped without {name}: {what}", file=sys.stderr)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
