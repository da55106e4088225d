"""What the figures are called, and whether more of them is better."""

from __future__ import annotations

from dataclasses import dataclass

#: The paper's thresholds 10, 15 and 20 at width 2048, as shares of the square root of the width.
THRESHOLDS = tuple(threshold / 2048 ** 0.5 for threshold in (10, 15, 20))
#: What a score has to reach to count as a good explanation.
GOOD_SCORE = 0.7


@dataclass(frozen=True)
class Measure:
    """A figure of a dictionary."""

    #: Its metric in the catalog's table `evaluation`, or a figure of figures.py.
    key: str
    label: str
    #: 1 where more is better, −1 where less is, 0 where neither is.
    sign: int
    #: The table of the report that shows it, a key of TABLES.
    table: str
    #: Whether the first screen has it.
    is_first: bool = False
    unit: str = ""
    #: The metric that a system without any skill reaches, where the measure says nothing below it.
    floor: str = ""

    @property
    def title(self) -> str:
        """The label and unit, with an arrow towards what is better."""
        return self.label + (f", {self.unit}" if self.unit else "") + {1: " ↑", -1: " ↓", 0: ""}[self.sign]


TABLES = {
    "span": "Features that span layers",
    "probe": "Labels told by a few latents",
    "explained": "Features that can be explained",
    "cost": "Reconstruction and its cost to the model",
    "shape": "Density and shape",
}

#: Labels that are probed, as metrics and sentences name them.
LABELS = (("source", "the source"), ("part", "the part of a document"), ("token_class", "the token"))

MEASURES = [
    Measure("census", "census", 1, "span", True),
    Measure("census_with_own", "census with a TopK's own layer", 1, "span", True),
    Measure("census_by_cosine", "census by decoder cosine", 1, "span", True),
    Measure("census_cosine", "decoder cosine alone", 1, "span"),
    Measure("census_baseline", "baseline", 0, "span"),
    Measure("coverage", "mean coverage of the layers", 1, "span", True),
    Measure("coverage_min", "coverage of the least covered layer", 1, "span", True),
    Measure("coverage_baseline", "by the token alone", 0, "span"),
    Measure("coherence", "coherence across layers", 1, "span", True),
    Measure("coherence_baseline", "baseline", 0, "span"),
    Measure("spanning_share", "read at two layers or more", 0, "span"),
    *(
        Measure(
            f"probe_{label}_k{size}", f"F1 of {name} from {size} latent{'s' if size > 1 else ''}", 1, "probe", size == 1,
            floor=f"probe_{label}_baseline")
        for label, name in LABELS for size in (1, 2, 5)
    ),
    *(Measure(f"probe_{label}_baseline", f"{name}: baseline", 0, "probe") for label, name in LABELS),
    Measure("score", "simulation score", 1, "explained", True),
    Measure("chance", "baseline", 0, "explained"),
    Measure("above_chance", "features explained above chance", 1, "explained", True),
    Measure("well_explained", f"features with a score ≥ {GOOD_SCORE}", 1, "explained", True),
    Measure("count_1", f"features by the paper's count at {THRESHOLDS[1]:.3f}·√D", 1, "explained", True),
    Measure("count_0", f"features by the paper's count at {THRESHOLDS[0]:.3f}·√D", 1, "explained", True),
    Measure("count_2", f"features by the paper's count at {THRESHOLDS[2]:.3f}·√D", 1, "explained"),
    Measure("l0", "L0", 0, "cost"),
    Measure("norm_mse", "NormMSE", -1, "cost", True),
    Measure("explained_variance", "explained variance", 1, "cost"),
    Measure("kl", "KL", -1, "cost", True, "nats"),
    Measure("delta_ce", "ΔCE", -1, "cost", True, "nats"),
    Measure("recovered", "loss recovered", 1, "cost"),
    Measure("l2_ratio", "‖reconstruction‖ / ‖input‖", 0, "cost"),
    Measure("relative_reconstruction_bias", "relative reconstruction bias", 0, "cost"),
    Measure("alive", "features that fire", 1, "shape"),
    Measure("freq_over_1_percent", "on over 1 % of tokens", 0, "shape"),
    Measure("freq_over_10_percent", "on over 10 % of tokens", 0, "shape"),
    Measure("average_max_encoder_cosine_sim", "largest encoder cosine", 0, "shape"),
    Measure("average_max_decoder_cosine_sim", "largest decoder cosine", 0, "shape"),
]
BY_KEY = {one.key: one for one in MEASURES}
