"""``python -m routesae``: its verbs, its messages and its exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from . import Catalog
from . import open as open_catalog
from .collecting.command import DESCRIPTION, EXAMPLES_OF_FILES, EXAMPLES_OF_STREAMS, add_options
from .collecting.command import run as collect
from .contexts import BANDS
from .errors import CANNOT_WRITE, INTERRUPTED, USAGE, CatalogError, one_line
from .report import feature_lines, summary, visible


#: What it does, as `--help` says it.
WHAT = "Read a catalog, write it for numpy or as Parquet, and collect activations for training."


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and end with status 64."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"error: {message}; `{self.prog} --help` tells more\n")


def parser() -> argparse.ArgumentParser:
    """The options."""
    result = _Parser(prog="python -m routesae", description=WHAT)
    verbs = result.add_subparsers(dest="verb", required=True, metavar="VERB")
    catalog = _Parser(add_help=False)
    catalog.add_argument("catalog", metavar="CATALOG")
    index = _Parser(add_help=False)
    index.add_argument("--dictionary", type=_name, help="a dictionary's name or id (default: the last)")
    index.add_argument("--corpus", type=_name, help="a corpus's name or id (default: the one indexed last)")
    verbs.add_parser("summary", parents=[catalog, index], help="print what a catalog holds and its strongest features")
    feature = verbs.add_parser("feature", parents=[catalog, index], help="print the contexts of a feature")
    feature.add_argument("feature", type=int, metavar="FEATURE")
    feature.add_argument("--band", choices=BANDS, help="contexts of this band only")
    npz = verbs.add_parser(
        "npz", parents=[catalog, index], help="write decoder, encoder and statistics to a file for numpy.load"
    )
    npz.add_argument("output", metavar="OUT")
    npz.add_argument("--force", action="store_true", help="replace an existing OUT")
    verbs.add_parser("verify", parents=[catalog], help="compute the tables' digests again and name those that changed")
    parquet = verbs.add_parser("parquet", help="write catalogs as a data set of Parquet files")
    parquet.add_argument("catalogs", nargs="+", metavar="CATALOG")
    parquet.add_argument("folder", metavar="DIR")
    parquet.add_argument("--append", action="store_true", help="add to the data set in DIR")
    collecting = verbs.add_parser(
        "collect",
        help="collect a Hugging Face model's activations for `routesae train --activations`",
        description=DESCRIPTION
        + (EXAMPLES_OF_STREAMS + EXAMPLES_OF_FILES).format(program="python -m routesae collect"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(collecting, streams=True)
    return result


def run(options: argparse.Namespace) -> int:
    """Runs a verb and returns the exit status."""
    if options.verb == "collect":
        return collect(options)
    if options.verb == "parquet":
        from .parquet import write

        begin = time.monotonic()
        rows = write(options.catalogs, options.folder, options.append)
        print(
            f"{options.folder}: {', '.join(f'{count:,} {table}' for table, count in rows.items())} "
            f"in {time.monotonic() - begin:.1f} s",
            file=sys.stderr,
        )
        return 0
    with open_catalog(options.catalog) as catalog:
        if options.verb == "verify":
            changed = catalog.changed_tables()
            for table, part in changed:
                print(f"changed: {visible(table)}{', ' if part else ''}{visible(part)}")
            if not changed:
                print("all tables hold what they held when they were last written to")
            return 1 if changed else 0
        if options.verb == "npz":
            save_npz(catalog, options)
        elif options.verb == "feature":
            print(*feature_lines(catalog, options.feature, options.dictionary, options.corpus, options.band), sep="\n")
        else:
            print(*summary(catalog, options.dictionary, options.corpus), sep="\n")
    sys.stdout.flush()
    return 0


def save_npz(catalog: Catalog, options: argparse.Namespace) -> None:
    """Writes decoder, encoder and the features' statistics; complete, or not at all.

    Text is stored as strings of fixed width, empty where there is none, so that no pickle is needed. Whole numbers that
    may be missing are float64 with NaN.
    """
    path = options.output
    if os.path.lexists(path) and not options.force:
        raise CatalogError(f"{path}: exists already; add --force to replace it", CANNOT_WRITE)
    owner, index = catalog.index(options.dictionary, options.corpus)
    dictionary = catalog.dictionary(owner.dictionary_id)
    arrays: dict[str, Any] = {"decoder": dictionary.tensor("decoder"), "encoder": dictionary.tensor("encoder")}
    features = catalog.features(owner.dictionary_id, index.corpus_id)
    for name in features.columns:
        if name != "histogram":
            arrays[name] = _plain(features[name].tolist())
    arrays["histogram_edges"], arrays["histogram"] = catalog.histograms(owner.dictionary_id, index.corpus_id)
    layers = catalog.feature_layers(None, owner.dictionary_id, index.corpus_id)
    for name in layers.columns:
        arrays[f"layers_{name}"] = _plain(layers[name].tolist())
    try:
        handle, partial = tempfile.mkstemp(prefix=os.path.basename(path) + ".", dir=os.path.dirname(path) or ".")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, **arrays)
            os.chmod(partial, 0o644)
            os.replace(partial, path)
        finally:
            if os.path.exists(partial):
                os.unlink(partial)
    except OSError as error:
        raise CatalogError(f"{path}: cannot be written: {error.strerror or one_line(error)}", CANNOT_WRITE) from None
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
    print(f"{path}: {os.path.getsize(path):,} bytes; {shapes}", file=sys.stderr)


def _plain(values: list[Any]) -> npt.NDArray[Any]:
    """A column without objects."""
    missing = [value is None or type(value).__name__ == "NAType" or value != value for value in values]
    if any(isinstance(value, str) for value in values):
        return np.array(["" if none else value for value, none in zip(values, missing)], np.str_)
    if not values or all(missing):
        return np.full(len(values), np.nan)
    return np.array([np.nan if none else value for value, none in zip(values, missing)] if any(missing) else values)


def _name(text: str) -> int | str:
    """An id if it is a number, else a name."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else text


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; every error is one line on standard error."""
    options = parser().parse_args(arguments)
    try:
        return run(options)
    except BrokenPipeError:  # A pager was closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CatalogError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
