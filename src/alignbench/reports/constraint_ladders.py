"""Ladders of constraints: how satisfaction, diversity and length change as a prompt sets more of them.

Atmakuru, Nainani, Bheemreddy, Lakkaraju, Yao, Zamani and Chang 2024, "CS4: Measuring the Creativity of Large Language
Models Automatically by Controlling the Number of Story-Writing Constraints", arXiv 2410.04197. With many constraints a
model cannot say again what it has read, so what stays diverse and satisfied is its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from alignbench.judging.qualities import SampleKey
from alignbench.judging.summary import judgments_of
from alignbench.metrics.estimates import Estimate, mean_estimates, paired_differences
from alignbench.metrics.intervals import UNIT
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.metrics.values import WordMode
from alignbench.prompt_parts import Rung
from alignbench.reports.cells import cell_values
from alignbench.reports.numbers import DIGITS
from alignbench.reports.section import Section, metric_digits, metric_title, shown_difference, shown_share, shown_value
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import Responses
from alignbench.store import Store

KIND = "constraints"  # of judgment
SATISFIED = "satisfied"
SCORES = ("jaccard", "embedding_diversity", "words")
NO_JUDGMENTS = "not judged: alignbench judge SESSION --kind constraints has a model do it"

_Key = tuple[str, int, str]  # condition, k, score


@dataclass(frozen=True, slots=True)
class RungScores:
    """A condition on the rungs of one k, over the prompts that ladders are made of.

    Attributes:
        k: how many constraints a prompt has.
        scores: `SATISFIED`, the share of the constraints that a response keeps to (1 where there are none to keep to),
            and those of `SCORES` that were asked for.
        differences: of the same to the reference; none of it, and without one.
    """

    k: int
    scores: Mapping[str, Estimate]
    differences: Mapping[str, PairedDifference]


@dataclass(frozen=True, slots=True)
class ConstraintLadders:
    """judge: whose judgments these are, empty without one. conditions: by name, from the lowest rung up."""

    judge: str
    reference: str | None
    conditions: Mapping[str, tuple[RungScores, ...]]


def read_satisfied(store: Store, session: int, judge: str | None = None) -> tuple[str, dict[SampleKey, float]]:
    """Who judged, the one with the most judgments if none is named, and the share of its constraints that each sample
    keeps to."""
    judges = store.judges(session, KIND)
    chosen = judge if judge is not None else next(iter(judges), "")
    rows = judgments_of(store, session, KIND, chosen) if chosen else []
    shares = {
        (row.condition, row.prompt_id, row.sample): fmean(row.judgment.fields[SATISFIED])
        for row in rows
        if row.judgment.status == "valid"
    }
    return chosen if shares else "", shares


def constraint_ladders(
    rungs: Mapping[str, Rung],
    responses: Responses,
    satisfied: tuple[str, Mapping[SampleKey, float]],
    metrics: Sequence[str],
    mode: WordMode,
    embeddings: Embeddings | None,
    reference: str | None,
    uncertainty: Uncertainty,
) -> ConstraintLadders | None:
    """Of all conditions; None where no prompt is a rung.

    Args:
        rungs: by id of a prompt.
        responses: those of the session.
        satisfied: as `read_satisfied` gives it.
        metrics: names of the scores that were asked for.
        mode: how texts become words.
        embeddings: those that are kept; None without any.
        reference: name of the condition that the others are compared with.
        uncertainty: over the prompts that ladders are made of.
    """
    there = [prompt for prompt in responses.prompts if prompt in rungs]
    if not there:
        return None
    judge, shares = satisfied
    chosen = [name for name in SCORES if name in metrics]
    columns: dict[_Key, dict[str, float | None]] = {}
    reasons: dict[_Key, str] = {}
    for prompt in there:
        rung = rungs[prompt]
        for condition, texts in responses.cells(prompt).items():
            values = cell_values(texts, chosen, mode, embeddings)
            for name in chosen:
                columns.setdefault((condition, rung.k, name), {})[rung.of] = values[name].value
                reasons.setdefault((condition, rung.k, name), values[name].reason)
            judged = [shares[key] for sample in texts if (key := (condition, prompt, sample)) in shares]
            share = 1.0 if rung.k == 0 and texts else fmean(judged) if judged else None
            columns.setdefault((condition, rung.k, SATISFIED), {})[rung.of] = share
            reasons[condition, rung.k, SATISFIED] = NO_JUDGMENTS
    bounds = {key: UNIT if key[2] == SATISFIED else METRICS[key[2]].bounds for key in columns}
    estimates = mean_estimates(columns, uncertainty, bounds, reasons)
    pairs = {
        (condition, k, name): (column, columns[reference, k, name])
        for (condition, k, name), column in columns.items()
        if reference is not None and condition != reference and (reference, k, name) in columns
        if not (name == SATISFIED and k == 0)
    }
    differences = paired_differences(pairs, uncertainty, bounds)
    return ConstraintLadders(
        judge,
        reference,
        {
            condition: tuple(
                RungScores(
                    k,
                    {n: estimates[condition, k, n] for n in (SATISFIED, *chosen) if (condition, k, n) in estimates},
                    {n: differences[condition, k, n] for n in (SATISFIED, *chosen) if (condition, k, n) in differences},
                )
                for k in sorted({key[1] for key in columns if key[0] == condition})
            )
            for condition in responses.conditions
            if any(key[0] == condition for key in columns)
        },
    )


def constraint_section(ladders: ConstraintLadders | None) -> Section:
    """A row a condition and rung; empty without ladders."""
    title = "Ladders of constraints"
    if ladders is None or not ladders.conditions:
        return Section(title)
    names = [*dict.fromkeys(name for rungs in ladders.conditions.values() for rung in rungs for name in rung.scores)]
    against = [*dict.fromkeys(n for rungs in ladders.conditions.values() for rung in rungs for n in rung.differences)]
    rows = tuple(
        (
            condition,
            str(rung.k),
            *(_cell(ladders, rung, name) for name in names),
            *(shown_difference(rung.differences.get(name), digits=_digits(name)) for name in against),
        )
        for condition, rungs in ladders.conditions.items()
        for rung in rungs
    )
    columns = (
        "condition",
        "k",
        *(_called(name) for name in names),
        *(f"{_called(name)}, against {ladders.reference}" for name in against),
    )
    notes = (
        "k: how many constraints a prompt sets. satisfied: the share of them that a response keeps to, all "
        "where there are none; means over the prompts that the ladders are made of.",
        f"Judged by {ladders.judge}." if ladders.judge else f"Constraints are {NO_JUDGMENTS}.",
    )
    return Section(title, columns, rows, notes)


def _cell(ladders: ConstraintLadders, rung: RungScores, name: str) -> str:
    """The number with its interval. What nobody judged is said once, below the table."""
    if name not in rung.scores:
        return ""
    if name == SATISFIED and not ladders.judge and rung.k:
        return "-"
    return shown_share(rung.scores[name]) if name == SATISFIED else shown_value(rung.scores[name], metric_digits(name))


def _digits(name: str) -> int:
    return DIGITS if name == SATISFIED else metric_digits(name)


def _called(name: str) -> str:
    return name if name == SATISFIED else metric_title(name)
