#!/usr/bin/env python3
"""Check a folder of `routesae export --to neuronpedia` against the rules of Neuronpedia's importer.

    tools/check_neuronpedia.py FOLDER

For every MODEL/LAYER-SET in it: the files that are read; release, model, source set and source with known keys only,
the needed ones, and references to each other; for features, activations and explanations the columns of the first line
in every line, types, lengths, ids and uniqueness, references to a feature and to the user; that files are no larger than
one insert takes. Prints a line for each source, then every problem. Exits with 1 where there is one. Needs Python alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

LINES, BYTES = 65_000, 200_000_000
#: The columns of the tables that lines go to as they are: needed ones, and the others.
PLAIN: dict[str, tuple[set[str], set[str]]] = {
    "release": (
        {"name", "description", "creatorName", "creatorId"},
        set(
            "descriptionShort creatorNameShort creatorEmail urls visibility isNewUi featured defaultSourceSetName"
            " defaultSourceId defaultUmapSourceIds createdAt".split()
        ),
    ),
    "model": (
        {"id", "creatorId", "displayName", "layers", "neuronsPerLayer", "owner"},
        set(
            "instruct displayNameShort tlensId dimension visibility defaultSourceSetName defaultSourceId"
            " inferenceEnabled website createdAt updatedAt".split()
        ),
    ),
    "sourceset": (
        {"modelId", "name", "creatorId", "creatorName", "description", "type", "releaseName"},
        set(
            "creatorEmail urls visibility hasDashboards allowInferenceSearch defaultRange defaultShowBreaks showDfa"
            " showCorrelated showHeadAttribution showUmap createdAt".split()
        ),
    ),
    "source": (
        {"id", "modelId", "setName", "creatorId"},
        set(
            "hasDashboards inferenceEnabled saelensConfig saelensRelease saelensSaeId hfRepoId hfFolderId visibility"
            " hasUmap hasUmapLogSparsity hasUmapClusters num_prompts num_tokens_in_prompt dataset notes"
            " createdAt".split()
        ),
    ),
}


def is_number(value: Any) -> bool:
    """Whether a value is a number that a column of floats takes."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")


def is_list(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A check of arrays."""
    return lambda value: isinstance(value, list) and all(map(of, value))


def is_text(value: Any) -> bool:
    """Whether a value is text without the character that the importer replaces."""
    return isinstance(value, str) and "\0" not in value


def is_whole(value: Any) -> bool:
    """Whether a value is an integer of 32 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def is_time(value: Any) -> bool:
    """Whether a value is a time in ISO 8601."""
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


def is_absent(value: Any) -> bool:
    """Whether a value is null."""
    return value is None


def is_cuid(value: Any) -> bool:
    """Whether a value looks like the keys that Neuronpedia makes."""
    return isinstance(value, str) and re.fullmatch(r"c[a-z0-9]{24}", value) is not None


def either(*checks: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A check that one of several passes."""
    return lambda value: any(check(value) for check in checks)


NUMBERS, WHOLES, TEXTS = is_list(is_number), is_list(is_whole), is_list(is_text)
KEY = {"modelId": is_text, "layer": is_text, "index": is_text}
#: The columns of the tables that lines go to by the first line's keys.
TABLES: dict[str, tuple[dict[str, Callable[[Any], bool]], dict[str, Callable[[Any], bool]]]] = {
    "features": (
        KEY | {"maxActApprox": is_number, "frac_nonzero": is_number},
        {
            "sourceSetName": either(is_text, is_absent),
            "creatorId": is_text,
            "createdAt": is_time,
            "hasVector": lambda value: isinstance(value, bool),
            "vector": NUMBERS,
            "vectorLabel": either(is_text, is_absent),
            "hookName": either(is_text, is_absent),
            "vectorDefaultSteerStrength": is_number,
            "topkCosSimIndices": WHOLES,
            "topkCosSimValues": NUMBERS,
            "pos_str": TEXTS,
            "pos_values": NUMBERS,
            "neg_str": TEXTS,
            "neg_values": NUMBERS,
            "freq_hist_data_bar_heights": NUMBERS,
            "freq_hist_data_bar_values": NUMBERS,
            "logits_hist_data_bar_heights": NUMBERS,
            "logits_hist_data_bar_values": NUMBERS,
            "decoder_weights_dist": NUMBERS,
        }
        | {f"neuron_alignment_{name}": NUMBERS for name in ("indices", "values", "l1")}
        | {f"correlated_neurons_{name}": NUMBERS for name in ("indices", "pearson", "l1")}
        | {f"correlated_features_{name}": NUMBERS for name in ("indices", "pearson", "l1")},
    ),
    "activations": (
        KEY
        | {
            "id": is_cuid,
            "creatorId": is_text,
            "tokens": TEXTS,
            "values": NUMBERS,
            "maxValue": is_number,
            "maxValueTokenIndex": is_whole,
            "minValue": is_number,
        },
        {
            "createdAt": is_time,
            "dataIndex": is_text,
            "dataSource": is_text,
            "binMin": is_number,
            "binMax": is_number,
            "binContains": is_number,
            "qualifyingTokenIndex": is_whole,
        },
    ),
    "explanations": (
        KEY | {"id": is_cuid, "description": is_text, "authorId": is_text},
        {
            "typeName": is_absent,
            "explanationModelName": is_absent,
            "notes": is_text,
            "createdAt": is_time,
            "updatedAt": is_time,
        },
    ),
}
SAME_LENGTH = [
    ("topkCosSimIndices", "topkCosSimValues"),
    ("pos_str", "pos_values"),
    ("neg_str", "neg_values"),
    ("freq_hist_data_bar_heights", "freq_hist_data_bar_values"),
    ("logits_hist_data_bar_heights", "logits_hist_data_bar_values"),
    ("tokens", "values"),
]


class Source:
    """One source with what is wrong in it."""

    def __init__(self, folder: Path, ids: set[str]) -> None:
        """Reads a folder; `ids` are the keys of rows in other sources."""
        self.folder = folder
        self.ids = ids
        self.problems: list[str] = []
        self.counts = dict.fromkeys(TABLES, 0)
        self.features: set[str] = set()
        self.users: set[str] = set()
        self.plain = {name: self.read_plain(name) for name in PLAIN}
        if not self.problems:
            self.check_references()
            for table in TABLES:
                self.check_table(table)

    def wrong(self, where: str, what: str) -> None:
        """Notes a problem."""
        self.problems.append(f"{self.folder.name}/{where}: {what}")

    def read_plain(self, name: str) -> dict[str, Any]:
        """The one line on a release, model, source set or source."""
        path = self.folder / f"{name}.jsonl"
        if not path.is_file():
            self.wrong(path.name, "is missing")
            return {}
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) != 1:
            self.wrong(path.name, f"has {len(lines)} lines")
        line: dict[str, Any] = json.loads(lines[0])
        needed, others = PLAIN[name]
        for key in sorted(needed - line.keys()):
            self.wrong(path.name, f"lacks {key}")
        for key in sorted(line.keys() - needed - others):
            self.wrong(path.name, f"{key} is no column")
        for key, value in line.items():
            if value is None:
                self.wrong(path.name, f"{key} is null; leave it out")
        return line

    def check_references(self) -> None:
        """Whether the four lines refer to each other, and names are such as are taken."""
        release, model, group, source = (self.plain[name] for name in PLAIN)
        self.users = {line["creatorId"] for line in self.plain.values()}
        if len(self.users) != 1:
            self.wrong("source.jsonl", f"several users: {sorted(self.users)}")
        if not re.fullmatch(r"[a-z0-9_-]{1,128}", model["id"]):
            self.wrong("model.jsonl", f"id {model['id']!r} is refused")
        for name, text in [("release", release["name"]), ("sourceset", group["name"])]:
            if not re.fullmatch(r"[A-Za-z0-9-]+", text):
                self.wrong(f"{name}.jsonl", f"name {text!r} is refused")
        found = (group["modelId"], group["releaseName"], source["modelId"], source["setName"])
        if found != (model["id"], release["name"], model["id"], group["name"]):
            self.wrong("source.jsonl", f"refers to {found}")
        if not re.fullmatch(rf"\d+-{re.escape(group['name'])}(__.+)?", source["id"]):
            self.wrong("source.jsonl", f"id {source['id']!r} is not that of a layer of the set")
        if (self.folder.parent.name, self.folder.name) != (model["id"], source["id"]):
            self.wrong("source.jsonl", "lies in a folder of another name")

    def lines(self, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The lines of a table with where they stand."""
        first: list[str] = []
        for path in sorted((self.folder / table).glob("*.jsonl.gz")):
            if not re.fullmatch(r"batch-\d+\.jsonl\.gz", path.name):
                self.wrong(f"{table}/{path.name}", "is not named like a batch")
            count = size = 0
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
                for count, text in enumerate(file, 1):
                    size += len(text.encode())
                    where = f"{table}/{path.name}:{count}"
                    line = json.loads(text)
                    # The importer takes the columns from the first line of what it inserts at once.
                    if count == 1:
                        first = sorted(line)
                    if sorted(line) != first:
                        self.wrong(where, f"has other keys than the first line: {sorted(set(line) ^ set(first))}")
                    else:
                        yield where, line
            if not count or count > LINES or size > BYTES:
                self.wrong(f"{table}/{path.name}", f"has {count} lines, {size} bytes")

    def check_table(self, table: str) -> None:
        """The lines of a table."""
        needed, others = TABLES[table]
        for where, line in self.lines(table):
            self.counts[table] += 1
            before = len(self.problems)
            for key in sorted(needed.keys() - line.keys()):
                self.wrong(where, f"lacks {key}")
            for key, value in line.items():
                check = needed.get(key) or others.get(key)
                if not check:
                    self.wrong(where, f"{key} is no column")
                elif not check(value):
                    self.wrong(where, f"{key} is {str(value)[:60]!r}")
            if len(self.problems) > before:
                continue
            for one, two in SAME_LENGTH:
                if one in line and len(line[one]) != len(line[two]):
                    self.wrong(where, f"{one} has {len(line[one])} values and {two} {len(line[two])}")
            if (line["modelId"], line["layer"]) != (self.plain["model"]["id"], self.plain["source"]["id"]):
                self.wrong(where, f"belongs to {line['modelId']}/{line['layer']}")
            if (line.get("creatorId") or line.get("authorId")) not in self.users:
                self.wrong(where, "belongs to another user")
            if not re.fullmatch(r"0|[1-9]\d*", line["index"]):
                self.wrong(where, f"index is {line['index']!r}")
            if table == "features":
                if line["index"] in self.features:
                    self.wrong(where, f"feature {line['index']} comes twice")
                self.features.add(line["index"])
                self.check_feature(where, line)
            else:
                if line["index"] not in self.features:
                    self.wrong(where, f"there is no feature {line['index']}")
                if line["id"] in self.ids:
                    self.wrong(where, f"id {line['id']} comes twice")
                self.ids.add(line["id"])
            if table == "activations":
                self.check_activation(where, line)
        if table != "explanations" and not self.counts[table]:
            self.wrong(table, "there are no lines")

    def check_feature(self, where: str, line: dict[str, Any]) -> None:
        """Ranges and orders of a feature."""
        if not 0 < line["frac_nonzero"] <= 1:
            self.wrong(where, f"frac_nonzero is {line['frac_nonzero']}")
        for name in ("freq", "logits"):
            values = line[f"{name}_hist_data_bar_values"]
            heights = line[f"{name}_hist_data_bar_heights"]
            if name == "logits" and not values:
                continue
            if len(values) != 50 or values != sorted(values) or min(heights) < 0 or not sum(heights):
                self.wrong(where, f"{name}_hist_data_bar is no histogram of 50 bins")
        promoted, suppressed = line["pos_values"], line["neg_values"]
        if promoted != sorted(promoted, reverse=True) or suppressed != sorted(suppressed):
            self.wrong(where, "tokens are not in the order of their values")

    def check_activation(self, where: str, line: dict[str, Any]) -> None:
        """Ranges of a text."""
        values = line["values"]
        place = line["maxValueTokenIndex"]
        if not 0 <= place < len(values) or values[place] != line["maxValue"] or line["maxValue"] != max(values):
            self.wrong(where, "maxValue is not that of the values")
        if not values or line["minValue"] != min(values):
            self.wrong(where, "minValue is not that of the values")
        if not 0 <= line["qualifyingTokenIndex"] < len(values):
            self.wrong(where, f"qualifyingTokenIndex is {line['qualifyingTokenIndex']}")
            return
        peak = values[line["qualifyingTokenIndex"]]
        if line["binMin"] == -1:
            if line["binContains"] != -1:
                self.wrong(where, "binContains is not -1 for a strongest text")
        elif not 0 <= line["binContains"] <= 1:
            self.wrong(where, f"binContains is {line['binContains']}")
        elif not line["binMin"] - 1e-3 <= peak <= line["binMax"] + 1e-3:
            self.wrong(where, f"its peak {peak} is not in its bin")


def check(folder: Path) -> tuple[list[Source], list[str]]:
    """All sources of an export, and what is wrong."""
    ids: set[str] = set()
    sources = [Source(path, ids) for path in sorted(folder.glob("*/*")) if path.is_dir()]
    problems = [problem for source in sources for problem in source.problems]
    return sources, problems or ([] if sources else [f"{folder}: holds no MODEL/SOURCE"])


def main() -> int:
    """Prints sources and problems."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="what was exported")
    sources, problems = check(parser.parse_args().folder)
    for source in sources:
        counts = ", ".join(f"{count} {table}" for table, count in source.counts.items())
        print(f"{source.folder.parent.name}/{source.folder.name}: {counts}")
    for problem in problems[:50]:
        print(problem, file=sys.stderr)
    if len(problems) > 50:
        print(f"and {len(problems) - 50} more", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
