"""A dictionary as an object of SAELens, as ``routesae export --to saelens`` writes it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .errors import CatalogError
from .frames import needed

if TYPE_CHECKING:
    from .dictionary import Dictionary

#: What SAELens adds to the deviation of a layer norm.
_EPSILON = 1e-5


def saelens_object(dictionary: Dictionary) -> Any:
    """A SAELens object with a dictionary's weights in float32.

    Raises:
        CatalogError: SAELens is not installed, or has no dictionary that computes the same.
    """
    torch, lens = needed("torch"), needed("sae_lens")
    r = dictionary.record
    label = f"dictionary {dictionary.name}"
    if r.architecture in ("crosscoder", "mlsae", "random") and len(r.layers) > 1:
        raise CatalogError(f"{label}: SAELens has no {r.architecture} that reads several layers; use to_torch()")
    if r.selection == "group_max":
        raise CatalogError(f"{label}: SAELens cannot keep the largest of each group of latents; use to_torch()")
    if (
        not dictionary.routes
        and r.fidelity == "reference"
        and (
            r.k is not None
            or r.architecture == "jumprelu"
            and dictionary.tensor("threshold").min() < 0
            and r.threshold_form != "log"
        )
    ):
        raise CatalogError(f"{label}: with fidelity reference it keeps activations below zero, which SAELens sets to 0")
    if r.input_normalization == "scale" and r.selection == "activation_times_norm":
        raise CatalogError(
            f"{label}: SAELens does not scale its input; use `routesae export`, which folds the scale in"
        )
    metadata = lens.saes.sae.SAEMetadata(routesae_dictionary=dictionary.name, routesae_layers=list(r.layers))
    common: dict[str, Any] = {
        "d_sae": r.n_latents,
        "dtype": "float32",
        "device": "cpu",
        "metadata": metadata,
        "apply_b_dec_to_input": bool(r.subtracts_pre_bias),
    }
    w = {name: torch.tensor(values) for name, values in dictionary.weights.items()}
    state = {"W_enc": w["encoder"].T.contiguous(), "W_dec": w["decoder"], "b_dec": w["pre_bias"]}
    if dictionary.routes:
        from . import saelens

        config = saelens.RouteSAEConfig(
            **common,
            d_in=r.d_model * len(r.layers),
            k=r.k,
            layers=list(r.layers),
            routing="soft" if r.routing == "soft" else "hard",
            aggregation="mean" if r.aggregation == "mean" else "sum",
            input_rule=cast(Any, r.input_normalization),
            input_epsilon=r.input_epsilon or 0.0,
            input_scale=r.input_scale or 1.0,
            keeps_negative=r.fidelity == "reference",
            scales_by_probability=r.fidelity == "reference" and r.routing == "hard",
        )
        state |= {"b_enc": w["latent_bias"], "router": w["router"]}
        return _loaded(saelens.RouteSAE(config), state | ({"threshold": w["threshold"]} if r.k is None else {}))
    if r.input_normalization == "scale":  # SAELens does not scale: the scale goes into the weights.
        scale = r.input_scale or 1.0
        state = {"W_enc": state["W_enc"] * scale, "W_dec": state["W_dec"] / scale, "b_dec": state["b_dec"] / scale}
    if r.input_normalization == "layer_norm" and r.input_epsilon != _EPSILON:
        warnings.warn(
            f"{label}: SAELens divides by the deviation + {_EPSILON}, this dictionary by the deviation + "
            f"{r.input_epsilon}: activations differ in about the fifth digit",
            stacklevel=3,
        )
    common |= {
        "d_in": r.d_model,
        "normalize_activations": {"layer_norm": "layer_norm", "unit_norm": "constant_norm_rescale"}.get(
            r.input_normalization, "none"
        ),
    }
    if r.architecture == "gated":
        state |= {"b_gate": w["gate_bias"], "b_mag": w["mag_bias"], "r_mag": w["r_mag"]}
        return _loaded(lens.GatedSAE(lens.GatedSAEConfig(**common)), state)
    state["b_enc"] = w["latent_bias"]
    if r.architecture == "vanilla":
        return _loaded(lens.StandardSAE(lens.StandardSAEConfig(**common)), state)
    if r.threshold_form is not None:
        theta = dictionary.tensor("threshold")
        theta = np.exp(theta) if r.threshold_form == "log" else theta
        state["threshold"] = torch.tensor(np.broadcast_to(theta, (r.n_latents,)).copy())
        return _loaded(lens.JumpReLUSAE(lens.JumpReLUSAEConfig(**common)), state)
    config = lens.TopKSAEConfig(
        **common, k=r.k or r.n_latents, rescale_acts_by_decoder_norm=r.selection == "activation_times_norm"
    )
    return _loaded(lens.TopKSAE(config), state)


def _loaded(sae: Any, state: dict[str, Any]) -> Any:
    sae.load_state_dict(state)
    return sae
