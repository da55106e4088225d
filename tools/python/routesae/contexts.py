"""Contexts in bulk: windows of text around tokens on which features fire, with their tokens and activations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .activations import MOST_PER_TOKEN, MOST_WINDOW, other_activations, window_activations
from .file import CatalogFile
from .passages import Ints, Passages
from .records import DictionaryRecord, Index

#: Names of the bands, by number.
BANDS = ("top", "sample", "quiet")
#: Uses of a context, by number.
SPLITS = ("explain", "score")
#: What stands for NULL among whole numbers.
NULL = np.iinfo(np.int64).min
#: The most contexts of a feature in a corpus, and the most tokens of all windows that are read at once.
MOST_CONTEXTS, MOST_TOKENS = 3 << 14, 1 << 28

#: More ranks than any band has.
_ALL_RANKS = 1 << 62
_COLUMNS = (
    "SELECT feature_index, band, rank, passage_id, position, layer, router_weight, activation, split, n_occurrences,"
    " length(CAST(other_activations AS BLOB)),"
    " CASE WHEN length(CAST(other_activations AS BLOB)) <= ?4 THEN other_activations END FROM feature_context"
    " WHERE dictionary_id = ?1 AND corpus_id = ?2 AND rank < ?3"
)


class Contexts:
    """Contexts of one dictionary's features on one corpus, in the order of feature, band and rank.

    Attributes:
        columns: numbers of every context by name, ``[contexts]``.
        windows: where each window starts in ``activations``, and the end ``[contexts + 1]``.
        first: where each window starts in ``passages.tokens`` and ``passages.pieces``.
        passage: the place of each context's passage in ``passages``.
        activations: of all windows' tokens, one window after another.
        passages: their text and tokens.
    """

    def __init__(
        self,
        file: CatalogFile,
        owner: DictionaryRecord,
        index: Index,
        features: Sequence[int] | None = None,
        band: str | None = None,
        ranks: int | None = None,
        passages: Passages | None = None,
    ) -> None:
        """Reads contexts.

        Args:
            features: whose contexts; None for all features.
            band: the only band to read.
            ranks: so many of every band, from the strongest on.
            passages: all passages that the contexts are in, where they have been read before.

        Raises:
            CatalogError: the band or a feature does not exist, or the file is damaged.
        """
        self.place = f"dictionary {owner.name} on corpus {index.corpus}"
        self._file, self._window = file, index.window
        if not 0 < index.window <= MOST_WINDOW:
            file.fail(f"{self.place}: its window is {index.window} tokens; allowed: 1 ... {MOST_WINDOW}")
        if band is not None and band not in BANDS:
            file.fail(f"there is no band {band!r}; there are {', '.join(BANDS)}")
        if ranks is not None and (not isinstance(ranks, (int, np.integer)) or not 0 <= ranks <= _ALL_RANKS):
            file.fail(f"ranks is {str(ranks)[:80]}; expected how many contexts of each band to read, such as 10")
        key = owner.dictionary_id, index.corpus_id
        self._texts: list[str | None] = []
        parts = [self._part(rows) for rows in self._rows(owner, index, features, band, ranks)]
        names = (
            "feature_index",
            "band",
            "rank",
            "passage_id",
            "position",
            "layer",
            "router_weight",
            "activation",
            "split",
            "n_occurrences",
            "_bytes",
        )
        self.columns: dict[str, npt.NDArray[Any]] = {
            name: np.concatenate([part[place] for part in parts]) if parts else np.zeros(0, np.int64)
            for place, name in enumerate(names)
        }
        self.columns["dictionary_id"], self.columns["corpus_id"] = (np.full(len(self), one) for one in key)
        self._check_keys()
        self.passages = passages or Passages(file, np.unique(self.columns["passage_id"]), self.place)
        self.passage = self.passages.find(self.columns["passage_id"])
        self._cut()
        self._fill()

    def __len__(self) -> int:
        return int(self.columns["feature_index"].size)

    def _rows(
        self, owner: DictionaryRecord, index: Index, features: Sequence[int] | None, band: str | None, ranks: int | None
    ) -> Iterator[list[tuple[Any, ...]]]:
        where = "" if band is None else f" AND band = {BANDS.index(band)}"
        order = " ORDER BY feature_index, band, rank"
        values = (
            owner.dictionary_id,
            index.corpus_id,
            _ALL_RANKS if ranks is None else int(ranks),
            2 + index.window * MOST_PER_TOKEN,
        )
        kinds = "iiiiiiRrIIIT"
        count = "SELECT count(*) FROM feature_context WHERE dictionary_id = ? AND corpus_id = ?"
        if features is None:
            (found,) = self._file.row("i", count, *values[:2])
            if found > owner.n_latents * MOST_CONTEXTS:
                self._file.fail(f"{self.place}: {found} contexts of {owner.n_latents} features are too many")
            yield from self._file.fetch(kinds, _COLUMNS + where + order, *values)
            return
        for feature in sorted(set(features)):
            if not 0 <= feature < owner.n_latents:
                last = owner.n_latents - 1
                self._file.fail(
                    f"dictionary {owner.name} has no feature {feature} on corpus {index.corpus}; they are 0 ... {last}"
                )
            (found,) = self._file.row("i", f"{count} AND feature_index = ?", *values[:2], feature)
            if found > MOST_CONTEXTS:
                self._file.fail(f"{self.place}: {found} contexts of feature {feature} are too many")
            yield from self._file.fetch(kinds, f"{_COLUMNS} AND feature_index = ?5{where}{order}", *values, feature)

    def _part(self, rows: list[tuple[Any, ...]]) -> list[npt.NDArray[Any]]:
        *numbers, texts = zip(*rows)
        self._texts += texts
        reals = {6, 7}  # router_weight, activation
        return [
            np.array([np.nan if one is None else one for one in column], np.float64)
            if place in reals
            else np.array([NULL if one is None else one for one in column], np.int64)
            for place, column in enumerate(numbers)
        ]

    def _check_keys(self) -> None:
        c = self.columns
        split, times = c["split"], c["n_occurrences"]
        if (
            (c["band"] < 0) | (c["band"] >= len(BANDS)) | ((split != NULL) & (split < 0)) | (split >= len(SPLITS))
        ).any():
            self._file.fail(f"{self.place}: a context is of an unknown band or split")
        for row in np.flatnonzero((times != NULL) & (times < 1)):
            self._file.fail(f"{self.name(row)}: its window occurs {times[row]} times")
        features, counts = np.unique(c["feature_index"], return_counts=True)
        for feature in features[counts > MOST_CONTEXTS]:
            self._file.fail(f"{self.place}: the contexts of feature {feature} are too many")

    def _cut(self) -> None:
        """Cuts each window out of its passage, as schema/README.md defines it."""
        c, p = self.columns, self.passages
        n = p.n_tokens[self.passage]
        position = c["position"]
        for row in np.flatnonzero((position < 0) | (position >= n)):
            self._file.fail(f"{self.name(row)}: token {position[row]} is not within its passage and document")
        end = np.minimum(np.maximum(position + 1 + self._window // 4, self._window), n)
        first = np.maximum(end - self._window, 0)
        length = end - first
        total = int(length.sum())
        if total > MOST_TOKENS:
            self._file.fail(
                f"{self.place}: its contexts have more than {MOST_TOKENS} tokens; read fewer features at once"
            )
        c["document_id"] = p.document[self.passage]
        c["segment"] = p.segment[self.passage]
        c["token_position"] = p.first_token[self.passage] + position
        c["window_start"] = p.first_token[self.passage] + first
        c["window_length"] = length
        c["peak"] = position - first
        key = (c["dictionary_id"] << 10 | c["corpus_id"]) << 24 | c["feature_index"]
        c["context_id"] = (key << 2 | c["band"]) << 14 | c["rank"]
        self.first = p.first[self.passage] + first
        self.windows = np.concatenate([np.zeros(1, np.int64), np.cumsum(length)])

    def _fill(self) -> None:
        """Reads the activations of all windows."""
        c = self.columns
        bytes_ = c.pop("_bytes")
        for row in np.flatnonzero(bytes_ > 2 + c["window_length"] * MOST_PER_TOKEN):
            self._file.fail(
                f"{self.name(row)}: {bytes_[row]} bytes are too many for the activations of "
                f"{c['window_length'][row]} tokens"
            )
        with np.errstate(over="ignore"):
            peaks = c["activation"].astype(np.float32)
        for row in np.flatnonzero(~np.isfinite(peaks)):
            self._file.fail(f"{self.name(row)}: the activation of token {c['peak'][row]} is not a finite number")
        try:
            self.activations = np.zeros(int(self.windows[-1]), np.float32)
        except MemoryError:
            self._file.fail(f"{self.place}: the windows of {len(self)} contexts do not fit the memory")
        self.activations[self.windows[:-1] + c["peak"]] = peaks
        have = np.array([row for row, text in enumerate(self._texts) if text is not None], np.int64)
        for rows in np.array_split(have, have.size // 20_000 + 1):
            texts = [self._texts[row] or "" for row in rows.tolist()]
            found = other_activations(texts, c["peak"][rows], c["window_length"][rows])
            if found is None:
                self._say_what_is_wrong(rows)
            else:
                window, places, values = found
                self.activations[self.windows[:-1][rows][window] + places] = values
        self._texts = []

    def _say_what_is_wrong(self, rows: Ints) -> None:
        c = self.columns
        for row in rows.tolist():
            values = window_activations(
                self._texts[row],
                int(c["peak"][row]),
                float(c["activation"][row]),
                int(c["window_length"][row]),
                f"{self._file.path}: {self.name(row)}",
            )
            self.activations[self.windows[row] : self.windows[row + 1]] = values

    def name(self, row: int | np.integer[Any]) -> str:
        """A context in words, for errors."""
        c = self.columns
        return f"{self.place}: feature {c['feature_index'][row]}: context {BANDS[c['band'][row]]} {c['rank'][row]}"

    def excerpts(self) -> list[str]:
        """The text of every window, the peak token between « and », as in the view ``context``."""
        p = self.passages
        begin = self.first + self.passage  # A passage has one start more than it has tokens.
        peak = begin + self.columns["peak"]
        first_at, peak_at, next_at = p.starts[begin], p.starts[peak], p.starts[peak + 1]
        last_at = p.starts[begin + self.columns["window_length"]]
        peak_end = np.where(next_at > peak_at, next_at, peak_at + 1)
        last_at = np.maximum(last_at, peak_end)
        texts = p.texts
        return [
            f"{texts[number][a:b]}«{texts[number][b:c]}»{texts[number][c:d]}"
            for number, a, b, c, d in zip(
                self.passage.tolist(), first_at.tolist(), peak_at.tolist(), peak_end.tolist(), last_at.tolist()
            )
        ]

    def views(self, flat: npt.NDArray[Any], starts: Ints) -> npt.NDArray[Any]:
        """The window of each context in a flat array, as an array of arrays that share its memory."""
        ends = starts + self.columns["window_length"]
        return np.fromiter((flat[a:b] for a, b in zip(starts.tolist(), ends.tolist())), object, len(self))

    def gathered(self) -> Ints:
        """Where every token of every window is in ``passages.tokens``, ``[tokens of all windows]``."""
        shift = np.repeat(self.first - self.windows[:-1], self.columns["window_length"])
        return shift + np.arange(shift.size)
