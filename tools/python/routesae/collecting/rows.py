"""The rows of the text: ids, marks and activations of its tokens, batch after batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..errors import USAGE, CollectError
from .documents import Document, documents
from .opening import Opened
from .progress import silent
from .request import Request
from .windows import Window, limited, windows

#: Characters and documents of text that are tokenized at once.
CHARACTERS_AT_ONCE, DOCUMENTS_AT_ONCE = 1 << 20, 256


class Part(NamedTuple):
    """Rows that were computed together; ``activations`` are the bytes of [rows, layers, width] in the stored type."""

    token_ids: list[int]
    document_ids: list[int]
    is_prefix: list[int]
    activations: memoryview


def all_windows(files: Sequence[str], opened: Opened, say: Callable[[str], None] = silent) -> Iterator[Window]:
    """The windows of all documents, in order.

    Raises:
        CollectError: text cannot be read, or the tokenizer has tokens that the model lacks.
    """
    waiting: list[Document] = []
    characters = 0
    for document in documents(files, say):
        waiting.append(document)
        characters += len(document.text)
        if characters > CHARACTERS_AT_ONCE or len(waiting) == DOCUMENTS_AT_ONCE:
            yield from _tokenized(waiting, opened)
            waiting, characters = [], 0
    if waiting:
        yield from _tokenized(waiting, opened)


def _tokenized(waiting: list[Document], opened: Opened) -> Iterator[Window]:
    """The windows of some documents."""
    model = opened.model
    for document, ids in zip(waiting, model.encode([document.text for document in waiting])):
        if ids and max(ids) >= model.streams.vocabulary:
            raise CollectError(
                f"{model.path}: the tokenizer has more tokens than the model; they do not belong together"
            )
        yield from windows(ids, document.number, opened.context, opened.around)


def computed(
    request: Request,
    files: Sequence[str],
    opened: Opened,
    first_row: int = 0,
    say: Callable[[str], None] = silent,
) -> Iterator[Part]:
    """The rows of the text from ``first_row`` on, batch after batch.

    Batches before are passed over without running the model; none is divided otherwise, so that its bits are the same.

    Raises:
        CollectError: text cannot be read or has no tokens, or activations cannot be stored.
    """
    row = 0
    for batch in _batches(limited(all_windows(files, opened, say), request.tokens), request.batch_size):
        rows = sum(window.rows for window in batch)
        if row + rows > first_row:
            yield _part(batch, max(first_row - row, 0), request, opened)
        row += rows
    if row == 0:
        raise CollectError(f"{', '.join(request.text)}: the text holds no tokens")
    if row < first_row:
        raise CollectError(f"--from-token is {request.from_token}; the text has {row} tokens", USAGE)


def _batches(source: Iterator[Window], count: int) -> Iterator[list[Window]]:
    """Windows in batches of so many; the last one may be smaller."""
    batch: list[Window] = []
    for window in source:
        batch.append(window)
        if len(batch) == count:
            yield batch
            batch = []
    if batch:
        yield batch


def _part(batch: list[Window], skipped: int, request: Request, opened: Opened) -> Part:
    """The rows of a batch but for the first ``skipped``."""
    tokens = [token for window in batch for token in window.ids[window.first : window.end]]
    owners = [window.document for window in batch for _ in range(window.rows)]
    before = len(opened.around.prefix)
    marks = [int(place < before) for window in batch for place in range(window.first, window.end)]
    values = opened.model.rows(batch, opened.layers, request.dtype)
    start = len(values) // len(tokens) * skipped
    return Part(tokens[skipped:], owners[skipped:], marks[skipped:], values[start:])
