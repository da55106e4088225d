"""Read catalogs of RouteSAE in Python: features, contexts, explanations, scores and weights.

>>> import routesae
>>> with routesae.open("demo.sqlite") as c:
...     features = c.features("demo")
...     vectors = c.dictionary("demo").decoder
>>> vectors.shape[0] == len(features)
True

A catalog may come from anyone: it is opened read-only, its schema is compared with the one that is known here, and
sizes, checksums and lengths are checked before anything is used. What is wrong with a file is said in one line, by
``CatalogError``.

``routesae.saelens`` registers routed dictionaries with SAELens; it needs ``pip install routesae[saelens]``.
"""

from __future__ import annotations

import os

from .catalog import Catalog
from .dictionary import Dictionary, Reading
from .draws import draw_keys
from .errors import CatalogError
from .frames import Columns, Frame
from .histograms import Histogram
from .page import FeaturePage
from .records import DictionaryRecord, Index

__version__ = "0.1.0"
__all__ = [
    "Catalog",
    "CatalogError",
    "Columns",
    "Dictionary",
    "DictionaryRecord",
    "FeaturePage",
    "Frame",
    "Histogram",
    "Index",
    "Reading",
    "draw_keys",
    "open",
]


def open(path: str | os.PathLike[str]) -> Catalog:  # noqa: A001 - the name is the interface
    """Opens a catalog for reading.

    Raises:
        CatalogError: the file is missing, is no catalog, has another schema, or its schema was changed.
    """
    return Catalog(path)
