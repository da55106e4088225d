"""What is compared: every system as keys of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Trainings that the search for a knob's setting (knobs.py) makes after the pilot sweep, at most.
ROUNDS = 4


@dataclass(frozen=True)
class Knob:
    """Of a system without k, the setting that decides L0.

    Adam moves log θ by about its rate at every step whatever the penalty, so in a short training a JumpReLU's L0 is
    decided by the threshold that it begins with.
    """

    key: str
    #: Values that the pilot sweep tries, ascending; L0 falls along them.
    values: tuple[float, ...]


@dataclass(frozen=True)
class System:
    """A row of the tables, trained at one or several k with every seed."""

    #: Part of its dictionaries' names.
    key: str
    #: What the report calls it.
    label: str
    #: Keys of a training run, but for k, seed and name.
    settings: dict = field(default_factory=dict)
    #: What decides its L0; None if k does.
    knob: Knob | None = None
    #: Training time of a dictionary, in that of a TopK dictionary (cost.py).
    weight: float = 1.0

    def pilots(self) -> list[str]:
        """Names of its dictionaries in the pilot sweep, one for each value of its knob."""
        return [f"{self.key}-{value:g}" for value in self.knob.values] if self.knob else []


#: RouteSAE as it is by default: all claims are about it.
OURS = System("route", "RouteSAE", {"architecture": "route"}, weight=1.15)
RANDOM = System("random", "Random", {"architecture": "random"}, weight=1.1)


def topk(layer: int) -> System:
    """TopK of one layer."""
    return System(f"topk-l{layer}", f"TopK layer {layer}", {"architecture": "topk", "layers": [layer]})


def variant(key: str, label: str, weight: float = 1.15, **settings: object) -> System:
    """RouteSAE with settings that are not its default."""
    return System(f"route-{key}", f"RouteSAE, {label}", {"architecture": "route", **settings}, weight=weight)


VARIANTS = [
    variant("hard-mean", "hard mean", routing="hard", aggregation="mean"),
    variant("soft-sum", "soft sum", 1.4, routing="soft", aggregation="sum"),
    variant("soft-mean", "soft mean", 1.4, routing="soft", aggregation="mean"),
    variant("balance-0", "balance 0", loadBalance=0),
    variant("straight-through", "straight-through", routerGradient="straightThrough"),
    variant("reference", "reference", fidelity="reference"),
    variant("no-exploration", "no exploration", exploration=0),
    variant("own-errors", "own errors, no exploration", routerErrors="own", exploration=0),
    variant("batchtopk", "BatchTopK", sparsity="batchtopk"),
    variant("batchtopk-balance-0", "BatchTopK, balance 0", sparsity="batchtopk", loadBalance=0),
]


def systems(layers: list[int]) -> dict[str, list[System]]:
    """All systems over some routed layers, by the names that presets use; `topk` is one for each layer."""
    middle = layers[len(layers) // 2]

    def at_middle(architecture: str, label: str, knob: Knob | None = None, weight: float = 1.0, **more: object) -> System:
        return System(f"{architecture}-l{middle}", f"{label} layer {middle}",
                      {"architecture": architecture, "layers": [middle], **more}, knob, weight)

    named = {
        "topk": [topk(layer) for layer in layers],
        "route": [OURS],
        "random": [RANDOM],
        "batchtopk": [at_middle("batchtopk", "BatchTopK", weight=1.15)],
        "matryoshka": [at_middle("matryoshka", "Matryoshka", weight=1.4)],
        "mlsae": [System("mlsae", "MLSAE", {"architecture": "mlsae"}, weight=0.65 * len(layers))],
        "crosscoder": [System("crosscoder", "Crosscoder", {"architecture": "crosscoder"}, weight=len(layers))],
        "vanilla": [at_middle("vanilla", "Vanilla", Knob("lambda", (0.6, 1.5, 3, 5)), 2.5)],
        "gated": [at_middle("gated", "Gated", Knob("lambda", (2, 4, 6.5, 10)), 3)],
        "jumprelu": [at_middle("jumprelu", "JumpReLU", Knob("initialThreshold", (0.25, 0.5, 1, 2)), 2.3,
                               **{"lambda": 0.001, "bandwidth": 0.3})],
    }
    return named | {one.key: [one] for one in VARIANTS}
