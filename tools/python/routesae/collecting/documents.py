"""The documents of text files, in order, decoded by byte-order mark or else as UTF-8."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from ..errors import MISSING, CollectError
from .json_records import record_text
from .progress import silent

#: Byte-order marks and what they name.  UTF-32's little-endian mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
#: Bytes that are no text and are passed over with a warning: so many in any file, and one in so many bytes.
FEW_FAULTS, FAULT_SHARE = 8, 10_000
_SPACE = b" \t\n\v\f\r"


class Document(NamedTuple):
    """One document: its number among all that are read, where it lies, and its text."""

    number: int
    place: str
    text: str


class _Faults:
    """Bytes of files that are no text of their encoding."""

    def __init__(self) -> None:
        self.count = self.of = 0

    def check(self, path: str | None = None) -> None:
        """Refuses text of which more than a few bytes are none."""
        if self.count <= max(FEW_FAULTS, self.of // FAULT_SHARE):
            return
        if path is None:
            raise CollectError(
                f"{self.count} bytes of the text are no text of their files' encodings; save the files as UTF-8"
            )
        raise CollectError(f"{path}: {self.count} bytes of {self.of} are no text of its encoding; save it as UTF-8")


def documents(files: Iterable[str], say: Callable[[str], None] = silent) -> Iterator[Document]:
    """Reads the documents of text files, in order.

    Blank lines of a .jsonl file are no documents; a blank .txt file is one, if one without a token.  ``say`` is told of
    bytes that were no text and became U+FFFD.

    Raises:
        CollectError: a file cannot be read, holds a record without text, or has many bytes that are no text.
    """
    number = 0
    all_faults = _Faults()
    for path in files:
        faults = _Faults()
        read = _records if path.lower().endswith(".jsonl") else _whole
        try:
            for place, text in read(path, faults):
                yield Document(number, place, text)
                number += 1
        except OSError as error:
            raise CollectError(f"{path}: cannot be read ({error.strerror})", MISSING) from None
        faults.check(path)
        if faults.count:
            say(
                f"warning: {path}: {faults.count} of its bytes are no text of its encoding and became U+FFFD; "
                "save it as UTF-8"
            )
        all_faults.count += faults.count
        all_faults.of += faults.of
    all_faults.check()


def _whole(path: str, faults: _Faults) -> Iterator[tuple[str, str]]:
    """The one document of a .txt file, with its place."""
    with open(path, "rb") as file:
        data = file.read()
    faults.of = len(data)
    text, faults.count = _decoded(data, path)
    faults.check(path)
    yield path, text


def _records(path: str, faults: _Faults) -> Iterator[tuple[str, str]]:
    """The documents of a .jsonl file, each with its place."""
    with open(path, "rb") as file:
        faults.of = os.fstat(file.fileno()).st_size
        mark, encoding = _mark(file.read(4))
        file.seek(len(mark))
        lines: Iterable[bytes] = file
        if encoding != "utf-8":
            lines = (line.encode(encoding) for line in _lines(file, encoding))
        for count, line in enumerate(lines, 1):
            bare = line if encoding == "utf-8" else line.decode(encoding, "replace").encode()
            if bare.strip(_SPACE):
                text, more = record_text(line, f"{path}:{count}", encoding)
                faults.count += more
                yield f"{path}:{count}", text


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The lines of a file in an encoding of several bytes a character."""
    with io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="\n") as text:
        yield from text


def _mark(start: bytes) -> tuple[bytes, str]:
    """The byte-order mark with which text begins, and the encoding that it names; UTF-8 without one."""
    return next((m for m in MARKS if start.startswith(m[0])), (b"", "utf-8"))


def _decoded(data: bytes, path: str) -> tuple[str, int]:
    """The text of a .txt file, by its byte-order mark or else UTF-8, and how many bytes of it are none."""
    mark, encoding = _mark(data)
    faults = 0

    def replace(error: UnicodeError) -> tuple[str, int]:
        nonlocal faults
        assert isinstance(error, UnicodeDecodeError)
        faults += error.end - error.start
        return "\ufffd", error.end

    codecs.register_error("routesae", replace)
    text = data[len(mark) :].decode(encoding, "routesae")
    zeros = data.count(0)
    if encoding == "utf-8" and zeros > max(FEW_FAULTS, len(data) // FAULT_SHARE):
        raise CollectError(
            f"{path}: holds {zeros} zero bytes; it is either no text, or UTF-16 without a byte-order mark, which is "
            "read once it is saved as UTF-8"
        )
    return text, faults
