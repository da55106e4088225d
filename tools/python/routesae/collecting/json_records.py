"""The text of a record: key ``text`` of an object on a line of a .jsonl file, of which nothing else is judged."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import CollectError

#: A mark, a string, a number or word, or the end of a line, after white space.
_TOKEN = re.compile(r'[ \t\n\v\f\r]*(?:([{}\[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|([A-Za-z0-9+\-._]+)|($))', re.DOTALL)


def _text_of(line: str) -> Any:
    """What key `text` of an object holds: a string's own spelling, or something else.

    Nothing else is judged: other keys may hold NaN, numbers beyond all bounds, half surrogates, values nested to any
    depth.  Of repeated keys the last one counts.
    """
    text: Any = None
    open_: list[str] = []
    place, expected, key = 0, "value", ""
    while True:
        token = _TOKEN.match(line, place)
        if not token:
            raise ValueError(line)
        place = token.end()
        mark, string, word, end = token.groups()
        if end is not None:
            if expected == "end":
                return text
            raise ValueError(line)
        if expected == "value" and (string or word) and open_:
            if open_ == ["{"] and json.loads(key, strict=False) == "text":
                text = string
            expected = "next"
        elif expected in ("value", "value or end") and mark in ("{", "["):
            if open_ == ["{"] and json.loads(key, strict=False) == "text":
                text = None
            if not open_ and mark == "[":
                raise ValueError(line)
            open_.append(mark)
            expected = "key or end" if mark == "{" else "value or end"
        elif expected == "value or end" and (string or word):
            expected = "next"
        elif expected in ("key", "key or end") and string:
            key, expected = (string if len(open_) == 1 else '""'), "colon"
        elif expected == "colon" and mark == ":":
            expected = "value"
        elif expected == "next" and mark == ",":
            expected = "key" if open_[-1] == "{" else "value"
        elif expected in ("next", "key or end", "value or end") and mark and mark == {"{": "}", "[": "]"}[open_[-1]]:
            open_.pop()
            expected = "next" if open_ else "end"
        else:
            raise ValueError(line)


def record_text(line: bytes, place: str, encoding: str = "utf-8") -> tuple[str, int]:
    """The text of a line of a .jsonl file, and how many of its bytes are no text and became U+FFFD.

    Args:
        place: names the line in errors.
        encoding: of the line, by its file's byte-order mark.

    Raises:
        CollectError: the line is no object with such a string.
    """
    problem = CollectError(f"{place}: is not a JSON object with a string named 'text'")
    # What is not UTF-8 stays until it is known to be in the text.
    decoded = line.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace").lstrip("\ufeff")
    try:
        record = json.loads(decoded, parse_int=float, strict=False)
        text = record.get("text") if isinstance(record, dict) else None
    except (ValueError, RecursionError):
        try:
            text = _text_of(decoded)
            text = json.loads(text, strict=False) if text else None
        except ValueError:
            raise problem from None
    if not isinstance(text, str):
        raise problem
    faults = 0

    def repaired(run: re.Match[str]) -> str:
        nonlocal faults
        faults += len(run[0])
        return run[0].encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    text = re.sub("[\udc80-\udcff]+", repaired, text)
    text, halves = re.subn("[\ud800-\udfff]", "\ufffd", text)
    return text, faults + halves
