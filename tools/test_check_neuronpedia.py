#!/usr/bin/env python3
"""Test check_neuronpedia.py: a folder of its own making passes, and every way of breaking a rule is found."""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).resolve().parent))

import check_neuronpedia  # noqa: E402

USER = "clkht01d40000jv08hvalcvly"
KEY = {"modelId": "m", "layer": "3-set", "index": "7"}
Tables = dict[str, list[dict[str, Any]]]


def tables() -> Tables:
    """A source that keeps every rule."""
    bins = {"heights": [1] * 50, "values": [float(n) for n in range(50)]}
    feature = KEY | {
        "creatorId": USER,
        "maxActApprox": 2.0,
        "frac_nonzero": 0.5,
        "topkCosSimIndices": [1],
        "topkCosSimValues": [0.5],
        "pos_str": ["a", "b"],
        "pos_values": [2.0, 1.0],
        "neg_str": ["c"],
        "neg_values": [-1.0],
    }
    feature |= {f"{of}_hist_data_bar_{name}": list(bins[name]) for of in ("freq", "logits") for name in bins}
    activation = KEY | {
        "id": "c" + "0" * 24,
        "creatorId": USER,
        "tokens": [" a", "b"],
        "values": [0, 2.0],
        "maxValue": 2.0,
        "maxValueTokenIndex": 1,
        "minValue": 0,
        "binMin": 1.6,
        "binMax": 2.0,
        "binContains": 0.1,
        "qualifyingTokenIndex": 1,
    }
    return {
        "release": [{"name": "rel", "description": "", "creatorName": "x", "creatorId": USER}],
        "model": [
            {"id": "m", "creatorId": USER, "displayName": "m", "layers": 4, "neuronsPerLayer": 8, "owner": ""}
        ],
        "sourceset": [
            {
                "modelId": "m",
                "name": "set",
                "creatorId": USER,
                "creatorName": "x",
                "description": "",
                "type": "",
                "releaseName": "rel",
            }
        ],
        "source": [{"id": "3-set", "modelId": "m", "setName": "set", "creatorId": USER}],
        "features": [feature, feature | {"index": "8"}],
        "activations": [activation, activation | {"id": "c" + "1" * 24, "index": "8"}],
        "explanations": [KEY | {"id": "c" + "2" * 24, "description": "kings", "authorId": USER}],
    }


def problems(content: Tables) -> list[str]:
    """What is found in such a source."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory) / "m" / "3-set"
        for name, lines in content.items():
            text = "".join(json.dumps(line) + "\n" for line in lines)
            if name in check_neuronpedia.PLAIN:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
            else:
                (folder / name).mkdir(parents=True)
                (folder / name / "batch-0.jsonl.gz").write_bytes(gzip.compress(text.encode()))
        return check_neuronpedia.check(Path(directory))[1]


def set_to(table: str, key: str, value: Any, line: int = 0) -> Callable[[Tables], Any]:
    """An edit of one value."""
    return lambda content: content[table][line].__setitem__(key, value)


BROKEN: list[tuple[str, Callable[[Tables], Any]]] = [
    ("is missing", lambda content: content.pop("model")),
    ("is no column", set_to("release", "colour", 1)),
    ("lacks owner", lambda content: content["model"][0].pop("owner")),
    ("is null", set_to("source", "notes", None)),
    ("refers to", set_to("sourceset", "releaseName", "other")),
    ("is refused", set_to("model", "id", "M/x")),
    ("several users", set_to("source", "creatorId", "other")),
    ("other keys than the first line", lambda content: content["features"][1].pop("pos_str")),
    ("vector is", set_to("features", "vector", [None])),
    ("index is '7'", set_to("features", "index", 7)),
    ("comes twice", set_to("features", "index", "7", 1)),
    ("no histogram", set_to("features", "freq_hist_data_bar_heights", [0] * 50)),
    ("pos_values 1", set_to("features", "pos_values", [1.0])),
    ("order of their values", set_to("features", "pos_values", [1.0, 2.0])),
    ("frac_nonzero is", set_to("features", "frac_nonzero", 2)),
    ("belongs to m/4-set", set_to("features", "layer", "4-set")),
    ("there is no feature 9", set_to("activations", "index", "9")),
    ("id is", set_to("activations", "id", "x")),
    ("comes twice", set_to("activations", "id", "c" + "0" * 24, 1)),
    ("values 1", set_to("activations", "values", [2.0])),
    ("maxValue is not", set_to("activations", "maxValue", 1.0)),
    ("minValue is not", set_to("activations", "minValue", 1.0)),
    ("not in its bin", set_to("activations", "binMax", 1.7)),
    ("tokens is", set_to("activations", "tokens", ["\0", "b"])),
    ("belongs to another user", set_to("explanations", "authorId", "other")),
    ("typeName is", set_to("explanations", "typeName", "n2g")),
    ("there are no lines", lambda content: content["activations"].clear()),
]


class CheckTest(unittest.TestCase):
    """The checks."""

    def test_a_good_folder_passes(self) -> None:
        """Nothing is found in it."""
        self.assertEqual(problems(tables()), [])

    def test_every_broken_rule_is_found(self) -> None:
        """Each edit is found, by a line that says so."""
        for expected, edit in BROKEN:
            content = tables()
            edit(content)
            found = problems(content)
            self.assertTrue(any(expected in line for line in found), f"{expected}: {found}")


if __name__ == "__main__":
    unittest.main()
