"""Pluralism as tables: the two sides of contested prompts, the matrix of conditions, anchor spans."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.judging.summary import JudgedTable
from alignbench.metrics.registry import METRICS
from alignbench.reports.anchor_lists import anchor_section
from alignbench.reports.numbers import percent
from alignbench.reports.pluralism import Pluralism
from alignbench.reports.section import Section, shown_difference, shown_number, shown_share, shown_value
from alignbench.reports.stance_pluralism import StancePluralism
from alignbench.scoring.condition_matrix import ConditionMatrix

SIDES = "Sides of contested prompts, from a distribution over responses to each response"


def pluralism_sections(of: Pluralism, topics: JudgedTable) -> Iterator[Section]:
    """topics: judged topics of sets of responses, by condition; empty where nobody judged."""
    yield from stance_sections(of.stances, topics)
    yield from map(matrix_section, of.matrices)
    yield anchor_section(of.anchors)


def stance_sections(of: StancePluralism, topics: JudgedTable) -> Iterator[Section]:
    """What a condition's responses say of the two sides; then what the reference says where a condition splits."""
    if of.reason:
        yield Section(SIDES, notes=(of.reason,))
        return
    has_topics = any("covered" in fields for fields in topics.values())
    rows = []
    for name, one in of.conditions.items():
        together = one.union[-1] if one.union else one.coverage
        rows.append(
            (
                f"{name} (reference)" if name == of.reference else name,
                shown_value(one.entropy),
                shown_difference(one.entropy_difference),
                shown_share(one.coverage),
                shown_difference(one.coverage_difference),
                f"{shown_share(together)} (k = {len(one.union)})",
                shown_share(one.names_both),
                *((_topics(topics, name),) if has_topics else ()),
                str(one.judged),
                str(one.unread),
            )
        )
    columns = (
        "condition", "stance entropy, bits", f"against {of.reference}, equal n", "one response covers",
        f"against {of.reference}", "k together cover", "names both",
        *(("of its topics, one response has",) if has_topics else ()), "judged", "invalid",
    )  # fmt: skip
    notes = (
        f"Over {of.prompts} prompts whose responses {of.judge} judged by their stance; no better than that judge.",
        "Yes or no covers half of the sides, both all of them, other none; k together in expectation over which k.",
        "An entropy of few responses is too low: differences are of equally many.",
    )
    yield Section(SIDES, columns, tuple(rows), notes)
    split = {name: one.where_it_splits for name, one in of.conditions.items() if one.where_it_splits is not None}
    if not split:
        return
    yield Section(
        f"Where a condition's responses split, {of.reference}",
        ("condition", "splits on", f"{of.reference} names both", "held out", "its own, held out", "difference"),
        tuple(
            (
                name,
                f"{one.prompts} prompts",
                shown_share(one.names_both),
                *(("-", "-") if one.difference.means is None else map(percent, one.difference.means)),
                shown_difference(one.difference),
            )
            for name, one in split.items()
        ),
        (
            "It splits where one response says yes and another no. Such responses leave less room for one that names "
            "both, so its own share is of responses whose others split, and the reference's is taken over the same.",
        ),
    )


def _topics(topics: JudgedTable, name: str) -> str:
    covered = topics.get(name, {}).get("covered")
    return "-" if covered is None else shown_share(covered)


def matrix_section(matrix: ConditionMatrix) -> Section:
    """A row and a column a condition; the diagonal is of different samples of one."""
    title = f"Matrix of conditions: {METRICS[matrix.metric].title}"
    if matrix.reason:
        return Section(title, notes=(f"{matrix.reason}.",))
    rows = tuple((a, *(shown_number(matrix.cells[a, b].value) for b in matrix.conditions)) for a in matrix.conditions)
    notes: tuple[str, ...] = (
        f"Mean similarity of all pairs of responses to one prompt, over {matrix.prompts} prompts; on the diagonal of "
        "different samples of one condition. What a context is made from is held out.",
    )
    if METRICS[matrix.metric].lexical:
        notes += ("Longer responses share more words by chance.",)
    return Section(title, ("", *matrix.conditions), rows, notes)
