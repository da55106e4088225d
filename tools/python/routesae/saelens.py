"""Routed dictionaries in SAELens.

Importing this module registers the architecture ``routesae``, so that SAELens loads what
``routesae export --to saelens`` writes into ``routed``::

    import routesae.saelens
    from sae_lens import SAE

    sae = SAE.load_from_disk("export/routed")
    outputs = model(**tokens, output_hidden_states=True)
    x = routesae.saelens.concatenate(outputs.hidden_states, sae.cfg.layers)
    latents = sae.encode(x)

The input of the dictionary is what leaves each of its decoder layers, one after another on the last axis.  Its output
has the same shape: with hard routing the chosen layer's part is the reconstruction and the others are as they were;
with soft routing, where no single layer is read, every layer takes a share of the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from sae_lens.registry import SAE_CLASS_REGISTRY, register_sae_class
from sae_lens.saes.sae import SAE, SAEConfig
from torch import Tensor, nn

__all__ = ["ARCHITECTURE", "Reading", "RouteSAE", "RouteSAEConfig", "concatenate"]

ARCHITECTURE = "routesae"


def concatenate(hidden_states: Sequence[Tensor], layers: Sequence[int]) -> Tensor:
    """Returns the streams of some decoder layers, ``[..., layers * d]``.

    Args:
        hidden_states: as transformers returns them: the embeddings, then what leaves each decoder layer, ``[..., d]``.
        layers: decoder layers, counted from 0, such as ``sae.cfg.layers``.

    Raises:
        ValueError: for a layer that the model lacks, and for its last one, whose entry transformers has normalised.
    """
    last = len(hidden_states) - 2
    for layer in layers:
        if not 0 <= layer < last:
            raise ValueError(
                f"layer {layer} is not among 0 ... {last - 1}: hidden_states holds {last + 1} decoder layers, and the "
                "last one's entry has been through the final norm"
            )
    return torch.cat([hidden_states[layer + 1] for layer in layers], dim=-1)


@dataclass
class RouteSAEConfig(SAEConfig):
    """Configuration of a routed dictionary; ``d_in`` is the number of layers times the width of the stream.

    Attributes:
        k: latents kept for a token; None where those above one threshold are.
        layers: the decoder layers it reads, counted from 0, ascending.
        routing: ``hard`` reads the most probable layer, ``soft`` the mean of all under the router's distribution.
        aggregation: whether the router reads the ``sum`` of the layers' normalised streams or their ``mean``.
        input_rule: what is done to each stream: ``none``, ``layer_norm``, ``scale`` or ``unit_norm``.
        input_epsilon: what a ``layer_norm`` adds to the deviation.
        input_scale: by what ``scale`` multiplies.
        keeps_negative: whether kept latents below zero stay, as in the authors' code.
        scales_by_probability: whether hard routing multiplies by the layer's probability, as in the authors' code.
    """

    k: int | None = 100
    layers: list[int] = field(default_factory=list)
    routing: Literal["hard", "soft"] = "hard"
    aggregation: Literal["sum", "mean"] = "sum"
    input_rule: Literal["none", "layer_norm", "scale", "unit_norm"] = "layer_norm"
    input_epsilon: float = 1e-6
    input_scale: float = 1.0
    keeps_negative: bool = False
    scales_by_probability: bool = False

    @classmethod
    def architecture(cls) -> str:
        return ARCHITECTURE

    @property
    def d_model(self) -> int:
        """The width of the residual stream."""
        return self.d_in // len(self.layers)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in (
            ("normalize_activations", ("none",)),
            ("reshape_activations", ("none",)),
            ("routing", ("hard", "soft")),
            ("aggregation", ("sum", "mean")),
            ("input_rule", ("none", "layer_norm", "scale", "unit_norm")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed: {', '.join(allowed)}")
        if not self.layers or self.d_in % len(self.layers):
            raise ValueError(f"d_in is {self.d_in}, which is no multiple of the number of layers, {len(self.layers)}")
        if self.k is not None and not 1 <= self.k <= self.d_sae:
            raise ValueError(f"k is {self.k}; allowed: 1 ... {self.d_sae}, the number of latents")


class Reading(NamedTuple):
    """What a dictionary reads of each token."""

    u: Tensor
    """The autoencoder's input ``[..., d]``, before ``b_dec`` is subtracted."""
    probabilities: Tensor
    """The router's distribution ``[..., layers]``."""
    chosen: Tensor
    """The position of the most probable layer in ``cfg.layers``, ``[...]``."""
    scale: Tensor
    """The factor of the chosen stream ``[..., 1]``: 1, or its probability with ``scales_by_probability``."""
    mean: Tensor
    """The mean of each stream ``[..., layers, 1]``."""
    deviation: Tensor
    """Its deviation likewise: by this a reconstruction is multiplied."""
    divisor: Tensor
    """By what the stream was divided, likewise: the deviation, in a layer norm plus its epsilon."""


class RouteSAE(SAE[RouteSAEConfig]):
    """A router over layers and a TopK autoencoder that reads what it picks (arXiv 2503.08200).

    Weights: ``router [layers, d]``, ``W_enc [d, latents]``, ``b_enc [latents]``, ``W_dec [latents, d]``, ``b_dec [d]``,
    and without ``k`` ``threshold [1]``.
    """

    router: nn.Parameter
    b_enc: nn.Parameter
    threshold: nn.Parameter

    def __init__(self, cfg: RouteSAEConfig, use_error_term: bool = False) -> None:
        super().__init__(cfg, use_error_term)
        self._last: tuple[Tensor, Reading] | None = None

    def initialize_weights(self) -> None:
        d, m = self.cfg.d_model, self.cfg.d_sae

        def zeros(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape, dtype=self.dtype, device=self.device))

        self.router = zeros(len(self.cfg.layers), d)
        self.W_enc, self.b_enc = zeros(d, m), zeros(m)
        self.W_dec, self.b_dec = zeros(m, d), zeros(d)
        if self.cfg.k is None:
            self.threshold = zeros(1)

    def read(self, x: Tensor) -> Reading:
        """Routes tokens, ``x [..., layers * d]``."""
        h = x.to(self.dtype).unflatten(-1, (len(self.cfg.layers), self.cfg.d_model))
        normal, mean, deviation, divisor = self._normalise(h)
        r = normal.sum(dim=-2)
        if self.cfg.aggregation == "mean":
            r = r / len(self.cfg.layers)
        p = torch.softmax(r @ self.router.T, dim=-1)
        chosen = p.argmax(dim=-1)
        scale = torch.ones_like(p[..., :1])
        if self.cfg.routing == "soft":
            u = (p.unsqueeze(-1) * normal).sum(dim=-2)
        else:
            if self.cfg.scales_by_probability:
                scale = p.gather(-1, chosen.unsqueeze(-1))
            u = scale * _pick(normal, chosen)
        return Reading(u, p, chosen, scale, mean, deviation, divisor)

    def layers_read(self, x: Tensor) -> Tensor:
        """The decoder layer at which each token is read, ``[...]``; with soft routing the most probable one."""
        layers = torch.tensor(self.cfg.layers, device=x.device)
        return layers[self.read(x).chosen]

    def encode(self, x: Tensor) -> Tensor:
        """Latents ``[..., latents]`` of streams ``[..., layers * d]``."""
        x = self.hook_sae_input(x.to(self.dtype))
        reading = self.read(x)
        self._last = (x, reading)
        centered = reading.u - self.b_dec * self.cfg.apply_b_dec_to_input
        pre = self.hook_sae_acts_pre(centered @ self.W_enc + self.b_enc)
        if self.cfg.k is None:
            return self.hook_sae_acts_post(torch.where(pre > self.threshold.clamp(min=0), pre, 0))
        values, indices = torch.topk(pre, self.cfg.k, dim=-1, sorted=False)
        if not self.cfg.keeps_negative:
            values = values.relu()
        return self.hook_sae_acts_post(torch.zeros_like(pre).scatter(-1, indices, values))

    def decode(self, feature_acts: Tensor) -> Tensor:
        """Streams ``[..., layers * d]`` with the reconstruction in them, for the tokens last encoded.

        Raises:
            RuntimeError: if no tokens of that shape were encoded before.
        """
        if self._last is None or self._last[0].shape[:-1] != feature_acts.shape[:-1]:
            raise RuntimeError("encode the same tokens first: their streams are the rest of the output")
        x, reading = self._last
        h = x.unflatten(-1, (len(self.cfg.layers), self.cfg.d_model))
        recon = self.hook_sae_recons(feature_acts @ self.W_dec + self.b_dec)
        if self.cfg.routing == "soft":
            # The smallest change of the layers' streams that makes their mixture the reconstruction.
            p = reading.probabilities.unsqueeze(-1)
            share = p / p.square().sum(dim=-2, keepdim=True)
            return (h + reading.divisor * share * (recon - reading.u).unsqueeze(-2)).flatten(-2)
        new = (recon / reading.scale).unsqueeze(-2) * reading.deviation + reading.mean
        here = nn.functional.one_hot(reading.chosen, len(self.cfg.layers)).bool().unsqueeze(-1)
        return torch.where(here, new, h).flatten(-2)

    def reconstruct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Each token's reconstruction at the layer it is read at ``[..., d]``, and that layer ``[...]``.

        Raises:
            ValueError: with soft routing, which reads no single layer.
        """
        if self.cfg.routing == "soft":
            raise ValueError("soft routing mixes its layers: there is no reconstruction at any of them")
        out = self.decode(self.encode(x)).unflatten(-1, (len(self.cfg.layers), self.cfg.d_model))
        chosen = self.read(x).chosen
        return _pick(out, chosen), torch.tensor(self.cfg.layers, device=chosen.device)[chosen]

    def fold_W_dec_norm(self) -> None:
        """Not for this dictionary: other norms would keep other latents."""
        raise NotImplementedError("this dictionary would keep other latents with its decoder's norms folded in")

    def _normalise(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The normalised streams, their means, deviations and divisors."""
        one = torch.ones_like(h[..., :1])
        rule = self.cfg.input_rule
        if rule == "layer_norm":
            mean, deviation = h.mean(dim=-1, keepdim=True), h.std(dim=-1, keepdim=True)
            divisor = deviation + self.cfg.input_epsilon
            return (h - mean) / divisor, mean, deviation, divisor
        if rule == "unit_norm":
            deviation = h.norm(dim=-1, keepdim=True) / self.cfg.d_model**0.5
            return torch.where(deviation > 0, h / deviation, h), 0 * one, deviation, deviation
        deviation = one / self.cfg.input_scale if rule == "scale" else one
        return h / deviation, 0 * one, deviation, deviation


def _pick(streams: Tensor, chosen: Tensor) -> Tensor:
    """The chosen one of ``streams [..., layers, d]``, ``[..., d]``."""
    index = chosen[..., None, None].expand(*chosen.shape, 1, streams.shape[-1])
    return streams.gather(-2, index).squeeze(-2)


if ARCHITECTURE not in SAE_CLASS_REGISTRY:
    register_sae_class(ARCHITECTURE, RouteSAE, RouteSAEConfig)
