"""What a comparison needs, as a table of texts and as what has to be said beside it."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.metrics.power import POWER, PilotSpread, prompts_needed
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.numbers import interval, number
from alignbench.reports.section import Section
from alignbench.scoring.pilot import ComparisonPlan, PilotComparison

SAMPLES = (3, 5, 10, 20, 50)  # a prompt and condition
DIGITS = 4


def plan_section(plan: ComparisonPlan) -> Section:
    """A row for each condition and score: the pilot's difference, its spread and prompts; then the prompts that are
    needed with as many samples as the pilot has, and with others."""
    columns = ("condition", "score", "difference", "sd over prompts", "of", "prompts", *(f"n = {n}" for n in SAMPLES))
    rows = tuple((one.condition, plan_title(one), *_cells(one, plan.effect)) for one in plan.comparisons)
    return Section("", columns, rows)


def plan_title(comparison: PilotComparison) -> str:
    """What the score is called."""
    metric = METRICS[comparison.metric]
    how = (" at matched length" if comparison.matched else ", raw") if metric.lexical else ""
    return f"{metric.title}{how}"


def prompts_by_samples(spread: PilotSpread, effect: float) -> dict[int, int] | None:
    """Prompts needed by samples of each; None where the pilot cannot tell what samples give."""
    if spread.of_samples is None:
        return None
    return {n: prompts_needed(spread.sd_at(n), effect) for n in SAMPLES}


def plan_remarks(plan: ComparisonPlan) -> Iterator[str]:
    """How to read the numbers."""
    yield (
        f"Prompts on which a difference of {plan.effect:g} is found with {POWER:.0%} power at p = 0.05, by the normal "
        "approximation: Student's t takes about two more, and a correction for many comparisons more again."
    )
    yield f"Findings carry no claim under {MIN_PROMPTS} prompts, however few it says here."
    spreads = [one.spread for one in plan.comparisons if one.spread is not None]
    if any(spread.of_samples is None for spread in spreads):
        yield "Without 3 samples a prompt on both sides a pilot cannot tell what more samples would give."
    if fewest := min((spread.n_prompts for spread in spreads if spread.n_prompts < MIN_PROMPTS), default=0):
        yield f"A pilot of {fewest} prompts knows the sd roughly; its interval stands behind it."


def _cells(comparison: PilotComparison, effect: float) -> Iterator[str]:
    spread = comparison.spread
    if spread is None:
        yield from (f"- ({comparison.reason})", *("-",) * (3 + len(SAMPLES)))
        return
    yield number(spread.difference, DIGITS, sign=True)
    yield f"{number(spread.sd, DIGITS)} {interval(spread.sd_ci, DIGITS)}"
    yield str(spread.n_prompts)
    yield str(prompts_needed(spread.sd, effect))
    by_samples = prompts_by_samples(spread, effect)
    yield from ("-" if by_samples is None else str(by_samples[n]) for n in SAMPLES)
