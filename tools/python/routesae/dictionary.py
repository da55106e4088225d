"""A dictionary's weights and what it computes: latents of residual streams, and reconstructions of them.

The formulas are those of schema/README.md, `dictionary_tensor`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .draws import draw_keys, drawn
from .errors import CatalogError
from .file import CatalogFile
from .records import DictionaryRecord
from .selection import largest, largest_of_groups
from .tensors import tensor, tensor_shapes

Floats = npt.NDArray[np.float32]

#: Tokens that are encoded at once.
_AT_ONCE = 4096


class Reading(NamedTuple):
    """What a dictionary reads of each sample; a sample is a token, of an ``mlsae`` a token at one layer."""

    #: The autoencoder's input before ``pre_bias`` is subtracted, ``[samples, D]``.
    u: Floats
    #: The place of the layer that is read in the dictionary's ``layers``, ``[samples]``; of a ``crosscoder`` 0.
    chosen: npt.NDArray[np.int64]
    #: The router's distribution, ``[tokens, layers]``; None without a router.
    probabilities: Floats | None
    #: By what the chosen stream was multiplied, ``[samples]``.
    scale: Floats
    #: Mean and deviation of every stream, ``[tokens, layers]``.
    mean: Floats
    deviation: Floats


class Dictionary:
    """A dictionary of a catalog.

    Attributes:
        record: its row: name, architecture, sizes and rules.
        weights: its tensors as float32, by name; read when first used.

    >>> import numpy, routesae
    >>> d = routesae.open("demo.sqlite").dictionary("demo")
    >>> d.encoder.shape == d.decoder.shape == (d.n_latents, d.d_model)
    True
    >>> x = numpy.ones((2, len(d.layers), d.d_model), numpy.float32)
    >>> d.encode(x).shape == (2, d.n_latents)
    True
    """

    def __init__(self, file: CatalogFile, record: DictionaryRecord) -> None:
        self.record = record
        self.name, self.architecture = record.name, record.architecture
        self.d_model, self.n_latents, self.k, self.layers = record.d_model, record.n_latents, record.k, record.layers
        self._file = file
        self._weights: dict[str, Floats] = {}

    def __repr__(self) -> str:
        k = f", k = {self.k}" if self.k is not None else ""
        return (
            f"<dictionary {self.record.dictionary_id} {self.name!r}: {self.architecture}, {self.n_latents:,} latents "
            f"of width {self.d_model}{k}, layers {', '.join(map(str, self.layers))}>"
        )

    @property
    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """The names of its weights, with the dtype and shape of each in the file."""
        return tensor_shapes(self._file, self.record)

    @property
    def weights(self) -> dict[str, Floats]:
        """All its weights."""
        return {name: self.tensor(name) for name in self.tensors}

    def tensor(self, name: str, rows: Any = None) -> Floats:
        """A weight, or some of its rows: an index, a slice or a sequence. Whole ones are read once and kept."""
        if rows is not None:
            return tensor(self._file, self.record, name, rows)
        if name not in self._weights:
            self._weights[name] = tensor(self._file, self.record, name)
            self._weights[name].flags.writeable = False
        return self._weights[name]

    @property
    def encoder(self) -> Floats:
        """``[m, D]``: D is the width of the stream, for a ``crosscoder`` times the layers."""
        return self._weight("encoder", self.n_latents, self._input_width)

    @property
    def decoder(self) -> Floats:
        """``[m, D]``, as it is in the file."""
        return self._weight("decoder", self.n_latents, self._input_width)

    @property
    def routes(self) -> bool:
        """Whether it has a router: a ``route`` of one layer has none."""
        return self.architecture == "route" and len(self.layers) > 1

    @property
    def _input_width(self) -> int:
        return self.d_model * (len(self.layers) if self.architecture == "crosscoder" else 1)

    @property
    def _keeps_negative(self) -> bool:
        return self.record.fidelity == "reference"

    def read(self, x: Any, keys: Any = None) -> Reading:
        """Normalises residual streams and chooses what is encoded.

        Args:
            x: what leaves the dictionary's ``layers``, ``[tokens, layers, d]``, or ``[tokens, d]`` for one layer.
            keys: of a ``random`` dictionary, by which layers are drawn (``draw_keys``); those of document 0 and the
                rows if they are not given.

        Raises:
            CatalogError: another shape, or a value that is not finite.
        """
        h = self._streams(x)
        normal, mean, deviation = self._normalise(h)
        tokens, layers, d = h.shape
        ones = np.ones(tokens, np.float32)
        if self.routes:
            r = normal.sum(1)
            if self.record.aggregation == "mean":
                r /= np.float32(layers)
            logits = r @ self._weight("router", layers, d).T
            p = np.exp(logits - logits.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            chosen = logits.argmax(1)
            if self.record.routing == "soft":
                return Reading(np.einsum("tl,tld->td", p, normal), chosen, p, ones, mean, deviation)
            scale = p[np.arange(tokens), chosen] if self._keeps_negative else ones
            return Reading(normal[np.arange(tokens), chosen] * scale[:, None], chosen, p, scale, mean, deviation)
        if self.architecture == "mlsae":
            chosen = np.tile(np.arange(layers), tokens)
            return Reading(normal.reshape(-1, d), chosen, None, np.ones(tokens * layers, np.float32), mean, deviation)
        chosen = np.zeros(tokens, np.int64)
        if self.architecture == "crosscoder":
            return Reading(normal.reshape(tokens, layers * d), chosen, None, ones, mean, deviation)
        if self.architecture == "random":
            chosen = drawn(draw_keys(0, np.arange(tokens)) if keys is None else np.asarray(keys, np.uint64), layers)
            if chosen.shape != (tokens,):
                raise CatalogError(f"there are {chosen.size} keys for {tokens} tokens")
        return Reading(normal[np.arange(tokens), chosen], chosen, None, ones, mean, deviation)

    def encode(self, x: Any, keys: Any = None) -> Floats:
        """The activations of all latents, ``[tokens, m]``; of an ``mlsae`` ``[tokens, layers, m]``.

        Args and errors are those of ``read``.
        """
        h = self._streams(x)
        if keys is None and self.architecture == "random":
            keys = draw_keys(0, np.arange(h.shape[0]))
        samples = len(self.layers) if self.architecture == "mlsae" else 1
        # Read first: only weights that are there prove the sizes.
        self.encoder  # noqa: B018
        z = np.empty((h.shape[0], samples, self.n_latents), np.float32)
        for start in range(0, h.shape[0], _AT_ONCE):
            piece = slice(start, start + _AT_ONCE)
            u = self.read(h[piece], None if keys is None else np.asarray(keys)[piece]).u
            z[piece] = self._latents(u).reshape(-1, samples, self.n_latents)
        return z if self.architecture == "mlsae" else z[:, 0]

    def decode(self, z: Any, x: Any = None, keys: Any = None) -> Floats:
        """Reconstructions of latents, ``[tokens, m]`` as ``encode`` returns them.

        Args:
            z: the latents.
            x: the streams that they were encoded from: the result is then in their units, which it has to be to
                replace them. Without ``x`` it is in units of the autoencoder's input.
            keys: as for ``read``.

        Returns:
            ``[tokens, d]``; ``[tokens, layers, d]`` of an ``mlsae`` and a ``crosscoder``. The mixture that soft routing
            reads belongs to no layer, so its reconstruction stays as it is.
        """
        z = np.asarray(z, np.float32)
        if z.shape[-1:] != (self.n_latents,):
            raise CatalogError(
                f"dictionary {self.name}: latents have shape {list(z.shape)}; expected [..., {self.n_latents}]"
            )
        decoder = self.decoder
        if self.record.selection == "activation_times_norm":
            norms = np.linalg.norm(decoder, axis=1, keepdims=True)
            decoder = np.divide(decoder, norms, out=np.zeros_like(decoder), where=norms > 0)
        u: Floats = z @ decoder
        if self.architecture != "crosscoder" or not self._keeps_negative:
            u += self._weight("pre_bias", self._input_width)
        if self.architecture == "crosscoder":
            u = u.reshape(*u.shape[:-1], len(self.layers), self.d_model)
        if x is None or self.routes and self.record.routing == "soft":
            return u
        reading = self.read(x, keys)
        if u.shape[0] != reading.mean.shape[0]:
            raise CatalogError(
                f"dictionary {self.name}: latents of {u.shape[0]} tokens for streams of {len(reading.mean)}"
            )
        if u.ndim == 3:
            u = u * reading.deviation[..., None] + reading.mean[..., None]
            return u
        at = np.arange(len(u)), reading.chosen
        u = u * (reading.deviation[at] / reading.scale)[:, None] + reading.mean[at][:, None]
        return u

    def reconstruct(self, x: Any, keys: Any = None) -> Floats:
        """``decode(encode(x), x)``: the reconstruction at the layers that are read, in units of the streams."""
        return self.decode(self.encode(x, keys), x, keys)

    def to_torch(self) -> Any:
        """A ``torch.nn.Module`` with the same weights: ``encode``, ``decode`` and, as ``forward``, ``reconstruct``."""
        from .torch_module import module

        return module(self)

    def to_saelens(self) -> Any:
        """A SAELens object of these weights: a ``routesae.saelens.RouteSAE`` where there is a router.

        Raises:
            CatalogError: SAELens has no dictionary that computes the same.
        """
        from .saelens_object import saelens_object

        return saelens_object(self)

    def _streams(self, x: Any) -> Floats:
        h = np.asarray(x, np.float32)
        if h.ndim == 2 and len(self.layers) == 1:
            h = h[:, None]
        if h.shape[1:] != (len(self.layers), self.d_model):
            shape = f"[tokens, {len(self.layers)}, {self.d_model}]"
            raise CatalogError(
                f"dictionary {self.name}: the streams have shape {list(np.shape(x))}; expected {shape}, "
                f"the layers {', '.join(map(str, self.layers))}"
            )
        if not np.isfinite(np.einsum("tld,tld->tl", h, h)).all():
            raise CatalogError(
                f"dictionary {self.name}: a value of the streams is not finite, or too large to be squared"
            )
        return h

    def _normalise(self, h: Floats) -> tuple[Floats, Floats, Floats]:
        """x of every stream, and what undoes it: times the deviation, plus the mean."""
        rule, one = self.record.input_normalization, np.ones(h.shape[:2], np.float32)
        if rule == "layer_norm":
            mean = h.mean(2, dtype=np.float64)
            deviation = h.std(2, ddof=1, dtype=np.float64)
            x = (h - mean[..., None]) / (deviation + (self.record.input_epsilon or 0))[..., None]
            return x.astype(np.float32), mean.astype(np.float32), deviation.astype(np.float32)
        if rule == "scale":
            scale = np.float32(self.record.input_scale or 1)
            return h * scale, 0 * one, one / scale
        if rule == "unit_norm":
            deviation = np.sqrt(np.einsum("tld,tld->tl", h, h, dtype=np.float64) / self.d_model)
            inverse = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
            return (h * inverse[..., None]).astype(np.float32), 0 * one, deviation.astype(np.float32)
        return h, 0 * one, one

    def _latents(self, u: Floats) -> Floats:
        """The activations of samples ``[samples, D]``."""
        m, r = self.n_latents, self.record
        if r.subtracts_pre_bias:
            u = u - self._weight("pre_bias", self._input_width)
        a = u @ self.encoder.T
        if self.architecture == "gated":
            gate = a + self._weight("gate_bias", m) > 0
            return np.where(gate, np.maximum(np.exp(self._weight("r_mag", m)) * a + self._weight("mag_bias", m), 0), 0)
        a += self._weight("latent_bias", m)
        if r.selection == "activation_times_norm":
            a *= np.linalg.norm(self.decoder, axis=1)
        if self.k is not None:
            kept = largest_of_groups(a, self.k) if r.selection == "group_max" else largest(a, self.k)
            return np.where(kept & ((a > 0) | self._keeps_negative), a, np.float32(0))
        if r.threshold_form is not None:
            theta = self._weight("threshold", 1 if r.threshold_form == "shared" else m)
            theta = np.exp(theta) if r.threshold_form == "log" else theta
            return np.where(a > (theta if self._keeps_negative else np.maximum(theta, 0)), a, np.float32(0))
        z: Floats = np.maximum(a, 0)
        return z

    def _weight(self, name: str, *shape: int) -> Floats:
        found = self.tensor(name)
        if found.shape != shape:
            self._file.fail(
                f"dictionary {self.name}: tensor {name} has shape {list(found.shape)}; expected {list(shape)}"
            )
        return found
