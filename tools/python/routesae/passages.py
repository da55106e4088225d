"""Passages of text and their tokens, and the token ids of documents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .blobs import exactly, unshuffled
from .errors import MISSING, CatalogError
from .file import CatalogFile

Ints = npt.NDArray[np.int64]


def token_ids(file: CatalogFile, document_id: int) -> Ints:
    """The token ids of a document, ``[n_tokens]``."""
    found = file.rows("iib", "SELECT n_tokens, is_shuffled, token_ids FROM document WHERE document_id = ?", document_id)
    if not found:
        file.fail(f"has no document {document_id}", MISSING)
    n_tokens, is_shuffled, blob = found[0]
    raw = exactly(blob, 4 * n_tokens, f"{file.path}: document {document_id}: token ids")
    return np.frombuffer(unshuffled(raw, 4) if is_shuffled else raw, "<u4").astype(np.int64)


class Passages:
    """Some passages, one after another in flat arrays.

    Attributes:
        ids: of the passages, ascending ``[passages]``.
        first: the place of each one's first token in ``tokens`` and ``pieces``.
        n_tokens, document, first_token, segment: columns of the table ``passage``.
        title: of the document, or None.
        tokens: token ids of all passages.
        pieces: the text of each token: of a character that is divided among tokens the last has all of it.
        starts: where each token starts in its passage's text. A passage has one more than it has tokens, so passage p
            begins at ``first[p] + p``.
        texts: of the passages.
    """

    def __init__(self, file: CatalogFile, ids: Ints, place: str) -> None:
        """Reads passages.

        Args:
            ids: of the passages, ascending.
            place: names what needs them in errors.

        Raises:
            CatalogError: one is missing, or does not fit its text and document.
        """
        self.ids = ids
        self.texts: list[str] = []
        self.title = np.empty(ids.size, object)
        columns: list[tuple[int, int, int, int]] = []
        tokens, starts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        pieces: list[str] = []
        documents: dict[int, tuple[Ints, str | None]] = {}
        pool: dict[str, str] = {}
        for number, identity in enumerate(ids.tolist()):
            rows = file.rows(
                "iiiitt",
                "SELECT document_id, segment, first_token, n_tokens, text, token_starts FROM passage"
                " WHERE passage_id = ?",
                identity,
            )
            if not rows:
                file.fail(f"{place}: its contexts lack their passage {identity}")
            document_id, segment, first, n_tokens, text, digits = rows[0]
            if document_id not in documents:
                title = file.rows("T", "SELECT title FROM document WHERE document_id = ?", document_id)
                if not title:
                    file.fail(f"{place}: its contexts lack their passage's document {document_id}")
                documents[document_id] = token_ids(file, document_id), title[0][0]
            document, self.title[number] = documents[document_id]
            if not (0 <= first and 0 < n_tokens <= document.size - first):
                file.fail(f"{place}: passage {identity} is not within its document {document_id}")
            place_of_each = self._starts(file, digits, n_tokens, f"{place}: passage {identity}")
            if (np.diff(place_of_each) < 0).any() or place_of_each[-1] > len(text):
                file.fail(f"{place}: the token starts of its passage {identity} do not ascend within its text")
            at = place_of_each.tolist()
            pieces += [pool.setdefault(piece, piece) for piece in map(text.__getitem__, map(slice, at, at[1:]))]
            tokens.append(document[first : first + n_tokens])
            starts.append(place_of_each)
            columns.append((n_tokens, document_id, first, segment))
            self.texts.append(text)
        found = np.array(columns, np.int64).reshape(-1, 4)
        self.n_tokens, self.document, self.first_token, self.segment = found.T
        self.first = np.cumsum(self.n_tokens) - self.n_tokens
        self.tokens, self.starts = np.concatenate(tokens), np.concatenate(starts)
        self.pieces = np.empty(len(pieces), object)
        self.pieces[:] = pieces

    def find(self, ids: Ints) -> Ints:
        """The places of passages among these.

        Raises:
            CatalogError: one is not among them.
        """
        places = np.searchsorted(self.ids, ids)
        if ids.size and (self.ids.size == 0 or (self.ids[np.minimum(places, self.ids.size - 1)] != ids).any()):
            raise CatalogError("a context lacks its passage")
        return places

    @staticmethod
    def _starts(file: CatalogFile, digits: str, n_tokens: int, place: str) -> Ints:
        """The decimals of a passage's ``token_starts`` as numbers."""
        width, rest = divmod(len(digits), n_tokens + 1)
        if rest or not 0 < width <= 18 or not (digits.isascii() and digits.isdecimal()):
            file.fail(f"{place}: its token starts are not {n_tokens + 1} decimals of equal width")
        values = np.frombuffer(digits.encode(), np.uint8).reshape(n_tokens + 1, width).astype(np.int64) - ord("0")
        return values @ (10 ** np.arange(width - 1, -1, -1, dtype=np.int64))
