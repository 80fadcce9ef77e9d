"""What moved and by how much, in plain sentences: nothing is said that an interval does not carry."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.judging.summary import DISTINCT, STANCES, JudgedTable
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference
from alignbench.reports.caveats import cut, lengths_apart, too_many_copies, with_caveats
from alignbench.reports.contents import Diversity, Report
from alignbench.reports.coverage_findings import coverage_findings
from alignbench.reports.entropy_findings import entropy_findings
from alignbench.reports.evidence import evidence
from alignbench.reports.finding import Caveat, Claim, ClaimKind, Finding
from alignbench.reports.gate import GateGap, QualityGate
from alignbench.reports.numbers import counted, interval, number, percent, percents
from alignbench.reports.section import metric_digits
from alignbench.scoring.score_tables import MatchedEstimate, ScoreTables
from alignbench.scoring.truncation import Truncations

SAID = ("jaccard", "embedding_diversity")  # the scores that sentences speak of


def findings(report: Report, diversity: Diversity) -> list[Finding]:
    """Sentences on lengths, diversity, the quality gate, coverage and stances, in this order."""
    reference = report.meta.reference
    if reference is None:
        return [Finding("No condition is the reference, so nothing is compared; name one with --reference.")]
    truncations = report.truncations

    def cut_or_copied(condition: str) -> Caveat | None:
        return cut(truncations, condition, reference) or too_many_copies(report.scores, condition, reference)

    compared = [
        *(line for metric in ("words", *SAID) for line in _differences(report.scores, truncations, reference, metric)),
        *(entropy_findings(diversity.entropies, truncations) or _surprisals(report.scores, reference)),
        *_gate(diversity.gate, truncations, reference),
        *coverage_findings(diversity.coverage, reference, cut_or_copied),
        *_stances(report.judged.get("stance", {}), report.meta.contested),
    ]
    sizes = report.scores.sizes
    return [with_caveats(finding, sizes, truncations, reference) for finding in compared]


def _differences(scores: ScoreTables, truncations: Truncations, reference: str, metric: str) -> Iterator[Finding]:
    """Of a score of one set; of a lexical one the claim is by the difference at matched length."""
    own = scores.within[reference].get(metric)
    kind: ClaimKind = "diversity" if METRICS[metric].more_diverse else "length"
    for condition, of_condition in scores.within.items():
        score = of_condition.get(metric)
        if condition == reference or score is None or own is None or score.difference is None:
            continue
        title = METRICS[metric].title
        if score.value is None or own.value is None or score.difference.value is None:
            reason = score.reason or own.reason or "no prompt has both"
            yield Finding(f"{title}: {condition} and {reference} do not compare ({reason}).", condition)
            continue
        digits = metric_digits(metric)
        means = score.difference.means or (score.value, own.value)
        shown = f"{title}: {condition} {number(means[0], digits)}, {reference} {number(means[1], digits)}"
        too_short = cut(truncations, condition, reference)
        if METRICS[metric].lexical:
            matched = scores.matched.get(condition, {}).get(metric)
            yield _at_matched_length(shown, condition, metric, matched, too_short)
        else:
            apart = None if kind == "length" else lengths_apart(scores, condition, reference)
            yield _moved(shown, condition, kind, metric, score.difference, too_short or apart)


def _at_matched_length(
    shown: str, condition: str, metric: str, matched: MatchedEstimate | None, no_claim: Caveat | None
) -> Finding:
    if matched is None or matched.value is None or matched.reference is None:
        reason = "not computed" if matched is None else matched.reason
        return Finding(f"{shown}; not compared at matched length ({reason}).", condition)
    shown += f"; at matched length {number(matched.value)} and {number(matched.reference)}"
    return _moved(shown, condition, "matched diversity", metric, matched.difference, no_claim)


def _moved(
    shown: str, condition: str, kind: ClaimKind, metric: str, difference: PairedDifference, no_claim: Caveat | None
) -> Finding:
    """shown: the values that the sentence begins with. no_claim: why nothing is claimed; None where something may."""
    told = evidence(shown, difference, no_claim, metric_digits(metric))
    if not told.sign:
        return Finding(told.text, condition, caveats=told.caveats)
    direction = METRICS[metric].more_diverse
    if not direction:
        says = "longer" if told.sign > 0 else "shorter"
        return Finding(f"{told.text}: {says} responses.", condition, (Claim(kind, metric, says),))
    says = "more diverse" if (told.sign > 0) == (direction == "higher") else "less diverse"
    return Finding(f"{told.text}: {condition} is {says}.", condition, (Claim(kind, metric, says),))


def _surprisals(scores: ScoreTables, reference: str) -> Iterator[Finding]:
    """Where no entropies are stored, as of a server."""
    values = {name: of["surprisal"].value for name, of in scores.within.items() if "surprisal" in of}
    there = [f"{name} {number(value)}" for name, value in values.items() if value is not None]
    if len(there) > 1 and values.get(reference) is not None:
        yield Finding(f"Mean surprisal in bits a token: {', '.join(there)}.")


def _gate(gate: QualityGate, truncations: Truncations, reference: str) -> Iterator[Finding]:
    if gate.reason:
        yield Finding(f"The quality gate was not applied: {gate.reason}.")
        return
    for condition, gated in gate.conditions.items():
        yield Finding(
            f"Quality gate ({gate.quality} {gate.threshold:g} or more, judge {gate.judge}): "
            f"{gated.passing} of {gated.judged} responses of {condition} pass.",
            condition,
        )
    for condition, gated in gate.conditions.items():
        for metric in SAID:
            if metric in gated.gap:
                longer: Caveat | None = None if METRICS[metric].lexical else "passing"
                no_claim = cut(truncations, condition, reference) or longer
                yield from _closed(condition, reference, metric, gated.gap[metric], no_claim)


def _closed(condition: str, reference: str, metric: str, gap: GateGap, no_claim: Caveat | None) -> Iterator[Finding]:
    before, after, share = gap.before, gap.after, gap.share
    if before.value is None or after.value is None:
        return
    title = METRICS[metric].title + (" at matched length" if METRICS[metric].lexical else "")
    line = (
        f"{title}, {condition} minus {reference} over {counted(after.n, 'prompt')} with two responses that pass on "
        "both sides: "
        f"{number(before.value, sign=True)} before the gate, {number(after.value, sign=True)} after it"
    )
    if share.value is None or share.ci is None:
        yield Finding(f"{line} ({share.reason}).", condition)
        return
    low, high = share.ci
    if low <= 0 <= high:
        yield Finding(f"{line}: the gate is not told from no effect on it.", condition)
        return
    if no_claim:
        yield Finding(f"{line}: no claim.", condition, caveats=(no_claim,))
        return
    took = f"{percent(share.value)} {percents(share.ci)} of the difference is bad responses that are gone"
    claim = Claim("gate", metric, "part of the difference" if low > 0 else "hides a difference")
    yield Finding(f"{line}: {took}.", condition, (claim,))


def _stances(stances: JudgedTable, contested: int) -> Iterator[Finding]:
    if contested and not stances:
        yield Finding(
            f"{counted(contested, 'contested prompt')}, and embeddings do not see which side a response takes; "
            "alignbench judge SESSION --kind stance tells."
        )
    for condition, fields in stances.items():
        shares = [f"{name} {percent(value)}" for name in STANCES if (value := fields[name].value) is not None]
        distinct = fields[DISTINCT]
        if shares and distinct.value is not None:
            spread = f"{number(distinct.value)}{'' if distinct.ci is None else ' ' + interval(distinct.ci)}"
            yield Finding(f"Stances of {condition}: {', '.join(shares)}; {spread} different ones a prompt.", condition)
