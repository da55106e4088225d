#!/usr/bin/env python3
"""Write a Hugging Face model's residual streams over text to safetensors files for `routesae train --activations`.

This is `python -m routesae collect`, run from the repository, with an --output that has to be given.
"""

# Made with: torch 2.15.0, transformers 5.23.0, tokenizers 0.23.3, numpy 2.4.6, Python 3.11 (tools/requirements.txt).
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

from routesae.collecting.command import DESCRIPTION, EXAMPLES_OF_FILES, add_options, run  # noqa: E402
from routesae.errors import INTERRUPTED  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the script; its exit status is 130 when it was interrupted and 1 after any other error."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION + EXAMPLES_OF_FILES.format(program="tools/export_activations.py"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser, streams=False)
    return {0: 0, INTERRUPTED: 130}.get(run(parser.parse_args(arguments)), 1)


if __name__ == "__main__":
    sys.exit(main())
