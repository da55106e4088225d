"""The report's last section: how it was made, and what the figures mean."""

from __future__ import annotations

from .cost import estimate
from .figures import Figures
from .journal import Journal
from .measures import GOOD_SCORE, THRESHOLDS
from .plan import Plan
from .systems import ROUNDS
from .tables import duration


def method(plan: Plan, figures: Figures, journal: Journal) -> str:
    """Paragraphs, Markdown."""
    paragraphs = [
        setting(plan),
        "**Census**: the share of the features of TopK dictionaries of all routed layers, of the same k and other seeds, "
        "that a dictionary has; of a TopK dictionary over the other layers, and once more with its own, of which it has what "
        "another seed finds again. " + census(figures),
        "**Coverage**: the share of the variance of every routed layer that is linear in the latents of the token. "
        "**Probing**: F1 of labels that the text has, from that many latents. **Coherence**: whether a feature's "
        "strongest contexts are the same at all layers where it is read; of systems that read several. Coverage and "
        f"probes are fitted on some documents and measured on others, {plan.preset.measure_tokens:,} tokens in all. A "
        "measure that no table has was not made.",
        "**Features by the paper's count** are those of its protocol, the threshold a share of √D with D the width that "
        "is read, L·d for a crosscoder; its 10, 15 and 20 at width 2048 are "
        f"{', '.join(f'{one:.3f}' for one in THRESHOLDS)}. **Above chance**: features whose explanation predicts held-out "
        "activations better than 95 % of wrong explanations do, estimated from the sample for all features that fire 20 "
        f"times; with a score ≥ {GOOD_SCORE}: those among them that reach it.",
        "NormMSE and explained variance are of what each system reads: standardised activations of one layer, of the "
        "routed one, of a mixture, or of all layers. KL and ΔCE are of the whole model with the reconstruction in the "
        "place of what was read; crosscoder and MLSAE replace every routed layer, so in effect the last. A soft mixture's "
        "error is shared among the layers by their weights, as the smallest changes that add up to it, and what earlier "
        "layers were changed by is carried along. A replacement in a late layer costs more than one in an early layer: KL "
        "over the layers that RouteSAE reads is set against TopK's at those layers, by their shares of the tokens.",
    ]
    if journal.missing_labels:
        paragraphs.append(
            f"Not probed, since the text has fewer than two classes of it: {', '.join(journal.missing_labels)}.")
    if journal.diverged:
        paragraphs.append(f"Diverged and missing: {', '.join(journal.diverged)}.")
    if journal.seconds:
        stages = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in journal.seconds.items())
        paragraphs.append(
            f"It took {duration(sum(journal.seconds.values()))}: {stages}. Estimated for two idle cores: "
            f"{duration(sum(estimate(plan).values()))}.")
    return "\n\n".join(paragraphs) + "\n"


def setting(plan: Plan) -> str:
    """Batches, text and sizes."""
    preset, inputs = plan.preset, plan.inputs
    knobbed = ", ".join(one.label for one in plan.knobbed())
    several = preset.costly_seeds < len(preset.seeds) and plan.costly
    fewer = f" ({', '.join(one.label for one in plan.costly)}: the first {preset.costly_seeds})" if several else ""
    return (
        "Made by `make paper` ([tools/paper.py](../tools/paper.py)). All systems learn from the same batches of "
        f"{preset.batch_tokens:,} tokens, context {preset.context}, precision {inputs.precision}; seeds "
        f"{', '.join(map(str, preset.seeds))}{fewer}. Indexing and the evaluation with reconstructions: {preset.index_tokens:,} "
        f"tokens of {', '.join(inputs.heldout)}; scores: Neuron to Graph on {preset.sample} features of each dictionary "
        "that fire 20 times or more, drawn by the same seed."
        + (f" {knobbed}: the settings that bring L0 to k were searched for with one seed, in {ROUNDS} trainings at most."
           if knobbed else ""))


def census(figures: Figures) -> str:
    """How the census was taken."""
    if figures.has("census"):
        return ("A feature is found if the dictionary has one with a decoder cosine of at least 0.7 and a correlation of "
                "activations of at least 0.5; the baseline exchanges the activations.")
    if figures.has("census_by_cosine"):
        return ("Here a feature is found by decoder cosine alone, 0.7 or more: activations were not compared, so that "
                "latents that never fire count as well. A crosscoder has none.")
    return "It was not taken."
