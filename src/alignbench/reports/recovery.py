"""Investigation 2: how much of the aligned behaviour context brings out of the base model, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alignbench.metrics.recovery import no_gap
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS, SMALL_P
from alignbench.reports.caveats import too_many_copies, with_caveats
from alignbench.reports.contents import Report
from alignbench.reports.finding import Caveat, Claim, Finding
from alignbench.reports.numbers import interval, number, percent, percents
from alignbench.reports.recovery_text import share
from alignbench.scoring.score_tables import CrossEstimate

SAID = ("jaccard", "embedding_similarity")  # the similarities that sentences speak of


def recovery_findings(report: Report, roles: Mapping[str, str]) -> list[Finding]:
    """A sentence for each condition but reference and floor and each similarity, with what to read beside it."""
    reference, floor = report.meta.reference, report.meta.floor
    if reference is None:
        return [Finding("No condition is the reference, so nothing is recovered; name one with --reference.")]
    sentences: list[Finding] = []
    for metric in SAID:
        for condition, scores in report.scores.cross.items():
            if metric in scores and condition not in (reference, floor):
                copies = too_many_copies(report.scores, condition, reference)
                sentences.append(_sentence(condition, roles[condition], reference, metric, scores[metric], copies))
    return [with_caveats(sentence, report.scores.sizes, report.truncations, reference) for sentence in sentences]


def _sentence(
    condition: str, role: str, reference: str, metric: str, score: CrossEstimate, copies: Caveat | None
) -> Finding:
    """copies: why MMD² claims nothing; None where it may."""
    title = METRICS[metric].title
    if score.value is None:
        return Finding(f"{title} of {condition} to {reference}: none ({score.reason}).", condition)
    held_out = "" if score.with_source is None else ", held out"
    shown = f"{title} of {condition} ({role}) to {reference}{held_out}: {number(score.value)}, of a ceiling of "
    shown += "none" if score.ceiling is None else number(score.ceiling)
    if score.null is not None:
        shown += f" and {number(score.null)} for answers to other prompts"
    text = f"{shown}; {_recovered(score)}{_beside(metric, score, copies)}."
    return Finding(text, condition, tuple(_claims(metric, score, copies)), tuple(_caveats(score, copies)))


def _alike(metric: str, score: CrossEstimate, copies: Caveat | None) -> tuple[str, bool]:
    """What MMD² tells of the two sets, and whether that is a claim; under 0 it is by chance."""
    if score.mmd2_ci is None or score.n < MIN_PROMPTS:
        return "", False
    another, alike = (
        ("another mean", "means not told apart")
        if METRICS[metric].compares_means
        else ("another distribution", "not told from the same distribution")
    )
    if score.mmd2_ci[0] <= 0 or (score.mmd2_p is not None and score.mmd2_p > SMALL_P):
        return f", {alike}", False
    return (", no claim", False) if copies else (f", {another}", True)


def _caveats(score: CrossEstimate, copies: Caveat | None) -> Iterator[Caveat]:
    if score.recovery is not None and score.n < MIN_PROMPTS:
        yield "few prompts"
    if copies is not None and score.mmd2_ci is not None:
        yield copies


def _claims(metric: str, score: CrossEstimate, copies: Caveat | None) -> Iterator[Claim]:
    if score.recovery_ci is not None and score.recovery_ci[0] > 0:
        yield Claim("recovery", metric, "some")
    if _alike(metric, score, copies)[1]:
        yield Claim("distribution", metric, "another")


def _recovered(score: CrossEstimate) -> str:
    if score.recovery is None:
        return f"no recovery ({score.recovery_reason})"
    if score.recovery_ci is None:
        return f"no recovery ({score.recovery_reason})" if no_gap(score.gap_ci) else f"recovery {share(score)}"
    claim = "" if score.recovery_ci[0] > 0 else ", not told from none"
    return f"recovery {percent(score.recovery)} {percents(score.recovery_ci)}{claim}"


def _beside(metric: str, score: CrossEstimate, copies: Caveat | None) -> str:
    text = ""
    if score.mmd2 is not None and score.mmd2_ci is not None:
        text += f"; MMD² {number(score.mmd2)} {interval(score.mmd2_ci)}{_alike(metric, score, copies)[0]}"
    if score.warning and not no_gap(score.gap_ci):
        text += f"; the recovery is {score.warning}"
    if (whole := score.with_source) is not None and whole.value is not None:
        also = "" if whole.recovery is None else f", recovery {share(whole)}"
        text += f"; with the source of its context it would be {number(whole.value)}{also}"
    return text
