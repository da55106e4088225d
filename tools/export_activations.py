#!/usr/bin/env python3
"""Write a Hugging Face model's residual streams over text to safetensors files for `routesae train --activations`.

This is `python -m routesae collect`, run from the repository, with an --output that has to be given.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

from routesae.collect import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(streams=False))
