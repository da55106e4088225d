"""The dictionaries that a comparison needs, and the sweeps that train them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .presets import COSTLY, Preset
from .systems import System, systems


@dataclass(frozen=True)
class Inputs:
    """What everything is computed from."""

    model: str
    text: list[str]
    heldout: list[str]
    precision: str


@dataclass(frozen=True)
class Entry:
    """A dictionary."""

    system: System
    k: int
    seed: int

    @property
    def name(self) -> str:
        """Its name in the catalog."""
        return f"{self.system.key}-k{self.k}-s{self.seed}"

    def settings(self, knobs: dict) -> dict:
        """It as an entry of a sweep.

        `knobs` has the setting that brings L0 to k, by system and k, of systems without k.
        """
        knob = self.system.knob
        sparsity = {"k": self.k} if knob is None else {knob.key: knobs[self.system.key, self.k]}
        return {"name": self.name, "seed": self.seed, **self.system.settings, **sparsity}


class Plan:
    """A comparison, worked out before anything is made."""

    def __init__(self, preset: Preset, inputs: Inputs, depth: int, width: int) -> None:
        self.preset, self.inputs, self.depth, self.width = preset, inputs, depth, width
        # hidden_states[n/4 … 3n/4] in Hugging Face's counting: outputs of decoder layers n/4 − 1 … 3n/4 − 1.
        first = max(depth // 4 - 1, 0)
        self.layers = list(preset.layers or range(first, max(3 * depth // 4 - 1, first) + 1))
        self.middle = self.layers[len(self.layers) // 2]
        named = systems(self.layers)
        self.everywhere = [one for name in preset.every_k for one in named[name]]
        self.once = [one for name in preset.first_k for one in named[name]]
        self.costly = [one for name in COSTLY if name in preset.first_k for one in named[name]]
        self.first_k = preset.k[0]

    @property
    def systems(self) -> list[System]:
        """All systems, in the order of the tables."""
        return self.everywhere + self.once

    def entries(self) -> list[Entry]:
        """All dictionaries, the most important first."""
        return [
            Entry(system, k, seed)
            for chosen, ks in ((self.everywhere, self.preset.k), (self.once, self.preset.k[:1]))
            for k in ks for system in chosen for seed in self.seeds(system)
        ]

    def seeds(self, system: System) -> tuple[int, ...]:
        """The seeds of a system."""
        return self.preset.seeds[:self.preset.costly_seeds] if system in self.costly else self.preset.seeds

    def knobbed(self) -> list[System]:
        """Systems whose setting the pilot sweep finds."""
        return [one for one in self.systems if one.knob]

    def pilot(self) -> list[dict]:
        """The pilot sweep's dictionaries, one for each value of each knob."""
        return [
            {"name": name, "seed": 0, **one.settings, one.knob.key: value}
            for one in self.knobbed() for name, value in zip(one.pilots(), one.knob.values)
        ]

    def stream(self) -> dict:
        """What decides the batches, as keys of a sweep's file."""
        preset, inputs = self.preset, self.inputs
        return {
            "model": inputs.model, "text": inputs.text, "tokens": preset.tokens, "latents": preset.latents,
            "batchTokens": preset.batch_tokens, "context": preset.context, "streamSeed": 0, "layers": self.layers,
            "precision": inputs.precision, "dtype": "f16",
            # The reference would learn from BOS too; on one stream it learns from what the others do.
            "includesBOS": False,
        }

    def held_out(self) -> dict:
        """What decides the figures that a catalog keeps, beside the stream."""
        preset = self.preset
        return {
            "heldout": self.inputs.heldout, "indexTokens": preset.index_tokens, "measureTokens": preset.measure_tokens,
            "sample": preset.sample,
            # The census of a dictionary counts the features of all other seeds.
            "seeds": list(preset.seeds),
        }

    @property
    def model_name(self) -> str:
        """The model's folder, as the report names it."""
        return str(Path(self.inputs.model))
