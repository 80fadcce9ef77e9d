"""Pluralism in sentences: what is claimed has an interval over prompts without 0 and a small corrected p."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.metrics.registry import METRICS
from alignbench.reports.caveats import cut, lengths_apart, with_caveats
from alignbench.reports.contents import Report
from alignbench.reports.evidence import evidence
from alignbench.reports.finding import Caveat, Claim, ClaimKind, Finding
from alignbench.reports.numbers import counted, number, percent, percents
from alignbench.reports.pluralism import Pluralism
from alignbench.reports.stance_pluralism import ConditionStances, StancePluralism
from alignbench.scoring.condition_matrix import ConditionMatrix
from alignbench.scoring.model_based.stances import BOTH, COVERAGE, ENTROPY
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.truncation import Truncations

ANCHORS = "anchor_share"
BRANCHING = ("branching_factor", "branching_by_logprobs")


def pluralism_findings(report: Report, of: Pluralism) -> list[Finding]:
    """Sentences on the sides of contested prompts, on anchor spans, on branching factors and on the matrix."""
    reference = report.meta.reference
    if reference is None:
        return [Finding("No condition is the reference, so nothing is compared; name one with --reference.")]
    truncations, sizes = report.truncations, report.scores.sizes
    compared = [
        *stance_findings(of.stances, truncations),
        *_anchors(report.scores, truncations, reference),
        *_branching(report.scores),
        *(line for matrix in of.matrices for line in _matrix(matrix)),
    ]
    return [with_caveats(finding, sizes, truncations, reference) for finding in compared]


def stance_findings(of: StancePluralism, truncations: Truncations) -> Iterator[Finding]:
    """Of each condition beside the reference: spread over stances, sides a response covers, and where it splits."""
    if of.reason:
        yield Finding(f"Nothing is said of sides: {of.reason}.")
        return
    own = of.conditions.get(of.reference or "")
    if own is None or of.reference is None:
        return
    for name, one in of.conditions.items():
        if name != of.reference:
            yield from _compared(name, one, of.reference, truncations)
            yield from _where_it_splits(name, one, of, truncations)


def _compared(name: str, one: ConditionStances, reference: str, truncations: Truncations) -> Iterator[Finding]:
    no_claim = cut(truncations, name, reference)
    kinds: tuple[ClaimKind, ClaimKind] = ("stance spread", "sides")
    for kind, difference in zip(kinds, (one.entropy_difference, one.coverage_difference), strict=True):
        if difference is None or difference.value is None or difference.means is None:
            continue
        first, second = difference.means
        if kind == "stance spread":
            shown = f"Stance entropy in bits, at equal n: {name} {number(first)}, {reference} {number(second)}"
            ends = {1: "are spread over stances more evenly", -1: "are more of one stance"}
            says = {1: "more even", -1: "less even"}
        else:
            shown = (
                f"Of the sides of contested prompts one response of {name} covers {percent(first)}, "
                f"of {reference} {percent(second)}"
            )
            ends = {1: "cover more of the sides", -1: "cover less of the sides"}
            says = {1: "more", -1: "less"}
        told = evidence(shown, difference, no_claim)
        if not told.sign:
            yield Finding(told.text, name, caveats=told.caveats)
            continue
        claim = Claim(kind, ENTROPY if kind == "stance spread" else COVERAGE, says[told.sign])
        yield Finding(f"{told.text}: responses of {name} {ends[told.sign]}.", name, (claim,))


def _where_it_splits(
    name: str, one: ConditionStances, of: StancePluralism, truncations: Truncations
) -> Iterator[Finding]:
    where, reference = one.where_it_splits, of.reference or ""
    share = None if where is None else where.names_both
    if where is None or share is None or share.value is None:
        return
    around = "" if share.ci is None else f" {percents(share.ci)}"
    shown = (
        f"Where {name} splits, on {where.prompts} of {counted(of.prompts, 'contested prompt')}, "
        f"{percent(share.value)}{around} of responses of {reference} name both sides"
    )
    difference = where.difference
    if difference.value is None or difference.means is None:
        yield Finding(f"{shown}.", name)
        return
    theirs, own = difference.means
    shown += f" (held out {percent(theirs)}, {name} itself {percent(own)})"
    told = evidence(shown, difference, cut(truncations, name, reference))
    if not told.sign:
        yield Finding(told.text, name, caveats=told.caveats)
        return
    says = "the reference" if told.sign > 0 else "itself"
    who = reference if told.sign > 0 else name
    yield Finding(f"{told.text}: {who} names both sides more often.", name, (Claim("both sides", BOTH, says),))


def _anchors(scores: ScoreTables, truncations: Truncations, reference: str) -> Iterator[Finding]:
    own = scores.within[reference].get(ANCHORS)
    for name, of in scores.within.items():
        score = of.get(ANCHORS)
        if name == reference or own is None or score is None or score.difference is None:
            continue
        difference = score.difference
        if difference.value is None or difference.means is None:
            continue
        first, second = difference.means
        shown = f"{METRICS[ANCHORS].title.capitalize()}: {name} {percent(first)}, {reference} {percent(second)}"
        apart: Caveat | None = "anchor lengths" if lengths_apart(scores, name, reference) else None
        told = evidence(shown, difference, cut(truncations, name, reference) or apart)
        if not told.sign:
            yield Finding(told.text, name, caveats=told.caveats)
            continue
        says = "more" if told.sign > 0 else "fewer"
        text = f"{told.text}: {name} writes around {says} common phrases."
        yield Finding(text, name, (Claim("anchors", ANCHORS, says),))


def _branching(scores: ScoreTables) -> Iterator[Finding]:
    """Numbers: of a token each, so they compare between models of one tokenizer alone."""
    for metric, how in zip(BRANCHING, ("of what was drawn from", "of log-probs at temperature 1"), strict=True):
        values = {name: of[metric].value for name, of in scores.within.items() if metric in of}
        there = {name: value for name, value in values.items() if value is not None}
        if metric == BRANCHING[1]:  # where the first is not known
            there = {n: v for n, v in there.items() if scores.value_within(n, BRANCHING[0]) is None}
        if there:
            shown = ", ".join(f"{name} {number(value, 2)}" for name, value in there.items())
            yield Finding(f"Branching factor, {how}, in tokens of each model's own: {shown}.")


def _matrix(matrix: ConditionMatrix) -> Iterator[Finding]:
    """Numbers: which two conditions are most alike, beside each with itself."""
    pairs = {
        (a, b): value
        for i, a in enumerate(matrix.conditions)
        for b in matrix.conditions[i + 1 :]
        if (value := matrix.cells[a, b].value) is not None
    }
    if not pairs:
        return
    a, b = max(pairs, key=lambda pair: pairs[pair])
    alone = ", ".join(
        f"{name} with itself {number(value)}"
        for name in (a, b)
        if (value := matrix.cells[name, name].value) is not None
    )
    title = METRICS[matrix.metric].title.capitalize()
    highest = "" if len(pairs) == 1 else f", the highest mean of {len(pairs)} pairs of conditions"
    beside = f" ({alone})" if alone else ""
    yield Finding(f"{title} of {a} and {b}{highest}: {number(pairs[a, b])}{beside}.")
