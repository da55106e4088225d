"""A dictionary as a PyTorch module, with gradients for its weights and its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .draws import draw_keys, drawn
from .errors import CatalogError
from .frames import needed

if TYPE_CHECKING:
    from .dictionary import Dictionary

torch: Any = needed("torch")


class Reading(tuple[Any, ...]):
    """``u``, ``chosen``, ``scale``, ``mean``, ``deviation``, as in ``routesae.dictionary.Reading``."""


class DictionaryModule(torch.nn.Module):  # type: ignore[misc]
    """The weights of a dictionary as parameters, under the names of the catalog, and what it computes.

    ``encode(x)`` takes streams ``[tokens, layers, d]`` (``[tokens, d]`` for one layer), ``decode(z, x)`` latents, and
    the module itself is ``decode(encode(x), x)``; shapes and units are those of ``routesae.Dictionary``.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        super().__init__()
        self.rules = dictionary.record
        self.routes = dictionary.routes
        for name, values in dictionary.weights.items():
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(values)))

    def read(self, x: Any, keys: Any = None) -> Reading:
        """The autoencoder's input, with what undoes its normalisation."""
        layers = len(self.rules.layers)
        h = x.unsqueeze(1) if x.dim() == 2 and layers == 1 else x
        if tuple(h.shape[1:]) != (layers, self.rules.d_model):
            raise CatalogError(
                f"the streams have shape {list(x.shape)}; expected [tokens, {layers}, {self.rules.d_model}]"
            )
        normal, mean, deviation = self._normalise(h)
        rows, kind = torch.arange(len(h), device=h.device), self.rules.architecture
        scale = torch.ones_like(mean[:, 0])
        if self.routes:
            r = normal.sum(1) / (layers if self.rules.aggregation == "mean" else 1)
            p = torch.softmax(r @ self.router.T, 1)
            chosen = p.argmax(1)
            if self.rules.routing == "soft":
                return Reading(((p.unsqueeze(-1) * normal).sum(1), chosen, scale, mean, deviation))
            if self.rules.fidelity == "reference":
                scale = p[rows, chosen]
            return Reading((normal[rows, chosen] * scale.unsqueeze(1), chosen, scale, mean, deviation))
        chosen = torch.zeros_like(rows)
        if kind in ("mlsae", "crosscoder"):
            u = normal.flatten(0, 1) if kind == "mlsae" else normal.flatten(1)
            return Reading((u, chosen, scale, mean, deviation))
        if kind == "random":
            import numpy as np

            found = draw_keys(0, np.arange(len(h))) if keys is None else np.asarray(keys, np.uint64)
            chosen = torch.as_tensor(drawn(found, layers), device=h.device)
        return Reading((normal[rows, chosen], chosen, scale, mean, deviation))

    def encode(self, x: Any, keys: Any = None) -> Any:
        """The activations of all latents, ``[tokens, m]``; of an ``mlsae`` ``[tokens, layers, m]``."""
        rules, reference = self.rules, self.rules.fidelity == "reference"
        u = self.read(x, keys)[0]
        if rules.subtracts_pre_bias:
            u = u - self.pre_bias
        a = u @ self.encoder.T
        if rules.architecture == "gated":
            z = torch.relu(torch.exp(self.r_mag) * a + self.mag_bias) * (a + self.gate_bias > 0)
        else:
            a = a + self.latent_bias
            if rules.selection == "activation_times_norm":
                a = a * self.decoder.norm(dim=1)
            if rules.selection == "group_max":
                groups = a.unflatten(1, (rules.k, -1))
                values, places = groups.max(2, keepdim=True)
                z = torch.zeros_like(groups).scatter(2, places, values).flatten(1)
            elif rules.k is not None:
                z = torch.where(_largest(a, rules.k), a, 0)
            elif rules.threshold_form is not None:
                theta = self.threshold.exp() if rules.threshold_form == "log" else self.threshold
                z = a * (a > (theta if reference else theta.clamp(min=0)))
            else:
                z = torch.relu(a)
            if rules.k is not None and not reference:
                z = torch.relu(z)
        return z.unflatten(0, (-1, len(rules.layers))) if rules.architecture == "mlsae" else z

    def decode(self, z: Any, x: Any = None, keys: Any = None) -> Any:
        """Reconstructions; in units of the streams if ``x`` is given."""
        rules = self.rules
        decoder = self.decoder
        if rules.selection == "activation_times_norm":
            decoder = torch.nn.functional.normalize(decoder, dim=1, eps=1e-30)
        u = z @ decoder
        if rules.architecture != "crosscoder" or rules.fidelity != "reference":
            u = u + self.pre_bias
        if rules.architecture == "crosscoder":
            u = u.unflatten(-1, (len(rules.layers), rules.d_model))
        if x is None or self.routes and rules.routing == "soft":
            return u
        _, chosen, scale, mean, deviation = self.read(x, keys)
        if u.dim() == 3:
            return u * deviation.unsqueeze(-1) + mean.unsqueeze(-1)
        at = torch.arange(len(u), device=u.device), chosen
        return u * (deviation[at] / scale).unsqueeze(1) + mean[at].unsqueeze(1)

    def forward(self, x: Any, keys: Any = None) -> Any:
        """The reconstruction of streams, in their units."""
        return self.decode(self.encode(x, keys), x, keys)

    def _normalise(self, h: Any) -> tuple[Any, Any, Any]:
        rule = self.rules.input_normalization
        one = torch.ones_like(h[..., 0])
        if rule == "layer_norm":
            mean, deviation = h.mean(2), h.std(2)
            return (h - mean.unsqueeze(2)) / (deviation + self.rules.input_epsilon).unsqueeze(2), mean, deviation
        if rule == "scale":
            return h * self.rules.input_scale, 0 * one, one / self.rules.input_scale
        if rule == "unit_norm":
            deviation = h.norm(dim=2) / self.rules.d_model**0.5
            inverse = torch.where(deviation > 0, 1 / deviation.clamp(min=1e-30), 0 * one)
            return h * inverse.unsqueeze(2), 0 * one, deviation
        return h, 0 * one, one


def _largest(a: Any, k: int) -> Any:
    """Which are among the k largest of each row; of equal ones those of lower index."""
    least = torch.topk(a, k, dim=1).values[:, -1:]
    kept, equal = a > least, a == least
    return kept | equal & (equal.cumsum(1) <= k - kept.sum(1, keepdim=True))


def module(dictionary: Dictionary) -> DictionaryModule:
    """A module of a dictionary's weights."""
    return DictionaryModule(dictionary)
