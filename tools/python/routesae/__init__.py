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

Without pandas a table is ``Columns``: ``features["peak_layer"]`` is an array of numpy.

``routesae.saelens`` registers routed dictionaries with SAELens; it needs ``pip install routesae[saelens]``.
``routesae.collecting`` collects activations for training; it needs ``pip install routesae[collect]``.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from .errors import CatalogError

if TYPE_CHECKING:
    from .catalog import Catalog
    from .dictionary import Dictionary, Reading
    from .draws import draw_keys
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


#: The modules of names that are imported when they are first used: collecting needs neither numpy nor zstandard.
_MODULES = {
    "Catalog": "catalog",
    "Columns": "frames",
    "Dictionary": "dictionary",
    "DictionaryRecord": "records",
    "FeaturePage": "page",
    "Frame": "frames",
    "Histogram": "histograms",
    "Index": "records",
    "Reading": "dictionary",
    "draw_keys": "draws",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def open(path: str | os.PathLike[str]) -> Catalog:  # noqa: A001 - the name is the interface
    """Opens a catalog for reading.

    Raises:
        CatalogError: the file is missing, is no catalog, has another schema, or its schema was changed.
    """
    from .catalog import Catalog

    return Catalog(path)
