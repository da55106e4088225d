"""The first screen of the report: what may be claimed, what not, and where RouteSAE loses."""

from __future__ import annotations

from statistics import mean

from .claims import Duel, Row, Verdict, first_rows, is_without_skill
from .figures import Figures
from .measures import MEASURES
from .plan import Plan
from .systems import OURS
from .tables import listed, significant, table

TOPK = "TopK at its best layer"
RANDOM = "Random"
#: How far a mean L0 may be from another, as a share, to be called equal.
EQUAL_L0 = 0.05


def screen(figures: Figures, plan: Plan) -> str:
    """Sentences and tables, Markdown."""
    ks = [k for k in plan.preset.k if figures.of(OURS.label, k)]
    rows = {k: first_rows(figures, k) for k in ks}
    if not any(rows.values()):
        return "No figures of RouteSAE yet: nothing may be claimed.\n"
    parts = [sentences(rows), "\n", rows_table(figures, rows[ks[0]], ks[0]), "\n", noise_note(figures, ks)]
    for k in ks[1:]:
        parts += [f"\n## The same at k = {k}\n\n", rows_table(figures, rows[k], k)]
    return "".join(parts)


def sentences(rows: dict[int, list[Row]]) -> str:
    """What the tables of all k say: three paragraphs of a sentence each."""
    ks = list(rows)
    at = f"at k = {listed([str(k) for k in ks])}"
    if all(verdict is Verdict.ONE_SEED for _, _, verdicts in verdicts_by_measure(rows) for verdict in verdicts.values()):
        return "**May be claimed.** Nothing: without a second seed there is no noise to set differences against.\n"
    #: By verdict and rival: the measures with it at every k, or with the k at which they have it.
    found: dict[Verdict, dict[str, list[str]]] = {verdict: {} for verdict in Verdict}
    partly: dict[str, list[str]] = {}
    for rival, label, verdicts in verdicts_by_measure(rows):
        for verdict in dict.fromkeys(verdicts.values()):
            where = [str(k) for k, one in verdicts.items() if one is verdict]
            named = label if len(where) == len(rows) else f"{label} (k = {listed(where)})"
            place = partly if verdict is Verdict.BETTER and len(where) < len(rows) else found[verdict]
            place.setdefault(rival, []).append(named)

    def against(measures: dict[str, list[str]], words: str) -> str:
        return "; ".join(f"{words} {rival} in {listed(labels)}" for rival, labels in measures.items())

    claimed = (
        f"RouteSAE is {against(found[Verdict.BETTER], 'better than')}: in every seed, {at}, and by more than the reseed "
        "noise." if found[Verdict.BETTER] else
        f"Nothing: {at}, RouteSAE is better than neither {TOPK} nor {RANDOM} in any measure, in every seed and by more "
        "than the reseed noise.")
    unclaimed = (
        f"That RouteSAE differs {against(found[Verdict.SAME], 'from')}: the seeds disagree, or the difference is within the "
        "reseed noise." if found[Verdict.SAME] else "Every difference in the table counts.")
    if partly:
        unclaimed += f" Nor, since it holds at one k and not at another, that it is {against(partly, 'better than')}."
    lost = (
        f"RouteSAE is {against(found[Verdict.WORSE], 'worse than')}, in every seed and by more than the reseed noise."
        if found[Verdict.WORSE] else f"In no measure, against neither {TOPK} nor {RANDOM}.")
    return f"**May be claimed.** {claimed}\n\n**May not be claimed.** {unclaimed}\n\n**Where it loses.** {lost}\n"


def verdicts_by_measure(rows: dict[int, list[Row]]) -> list[tuple[str, str, dict[int, Verdict]]]:
    """Rival, measure, and the verdict at each k."""
    found: dict[tuple[str, str], dict[int, Verdict]] = {}
    for rival, of in ((TOPK, lambda row: row.topk), (RANDOM, lambda row: row.random)):
        for k, own in rows.items():
            for row in own:
                if of(row) is not None:
                    found.setdefault((rival, row.measure.label), {})[k] = of(row).verdict
    return [(rival, label, verdicts) for (rival, label), verdicts in found.items()]


def rows_table(figures: Figures, rows: list[Row], k: int) -> str:
    """A row for each measure."""
    lines = []
    levels = {label: figures.values(label, k, "l0") for label in (OURS.label, "Random")}
    if all(levels.values()):
        ours, random = (mean(values.values()) for values in levels.values())
        tops = [mean(found.values()) for label in figures.labels
                if label.startswith("TopK layer") and (found := figures.values(label, k, "l0"))]
        top = max(tops, key=lambda value: abs(value - ours)) if tops else ours
        lines.append(["L0 (has to be equal)", significant(ours), significant(top), "", equality(ours, top),
                      significant(random), "", equality(ours, random)])
    for row in rows:
        lines.append([row.measure.title, significant(row.ours), *cells(row.topk, True), *cells(row.random, False)])
    return table(
        [f"k = {k}", "RouteSAE", "best TopK", "difference (noise), seeds won", "verdict", "Random",
         "difference (noise), seeds won", "verdict"], lines)


def equality(one: float, other: float) -> str:
    """Whether two L0 are close enough to compare their systems."""
    return "equal" if abs(one - other) <= EQUAL_L0 * other else "**not equal**"


def cells(duel: Duel | None, names_rival: bool) -> list[str]:
    """The rival's mean, the difference with its noise, and the verdict."""
    if duel is None:
        return ["–", "", ""]
    rival = significant(mean(duel.theirs.values()))
    if names_rival:
        rival += f" ({duel.rival.removeprefix('TopK ')})"
    noise = "–" if duel.noise is None else significant(duel.noise, 2)
    won, seeds = duel.wins
    words = f"**{duel.verdict.value}**" if duel.verdict in (Verdict.BETTER, Verdict.WORSE) else duel.verdict.value
    return [rival, f"{'+' if duel.difference > 0 else ''}{significant(duel.difference)} ({noise}), {won}/{seeds}", words]


def noise_note(figures: Figures, ks: list[int]) -> str:
    """What the noise is, and what it does not cover."""
    apart = [
        f"{label} ({significant(level)} at k = {k})" for k in ks for label in figures.labels
        if (found := figures.values(label, k, "l0")) and abs((level := mean(found.values())) - k) > EQUAL_L0 * k
    ]
    blind = dict.fromkeys(
        measure.label for k in ks for measure in MEASURES if measure.is_first and is_without_skill(figures, measure, k))
    skill = f" Left out, since no system is above the baseline: {listed(list(blind))}." if blind else ""
    unequal = f" L0 is more than 5 % from k, so that rows are not at equal sparsity, of {listed(apart)}." if apart else ""
    return (
        "**Noise** is the smallest difference of two means over seeds that may be claimed, t(0.975, n₁ + n₂ − 2) · s · "
        "√(1/n₁ + 1/n₂) with s the deviation of both about their means (Student 1908): systems that do not differ exceed "
        "it in one draw of the seeds in twenty, so one of twenty rows may count by chance; half the range of three seeds "
        "they exceed in one draw of three. Counts have at least the noise of rounding. Seeds change initial weights and "
        "what a system draws; the text and its order are the same for all, and what other text would change is not in it. "
        f"The best TopK is chosen for each measure after the fact, which favours it.{skill}{unequal}\n")
