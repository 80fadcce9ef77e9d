"""Lexical scores as they come and at matched length, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.metrics.length_matched import MIN_WORDS
from alignbench.reports.section import Section, metric_digits, metric_title, shown_difference, shown_number, shown_value
from alignbench.scoring.score_tables import MatchedEstimate, ScoreTables


def matched_sections(scores: ScoreTables, reference: str | None) -> Iterator[Section]:
    """One table, none where nothing is compared."""
    rows = []
    for condition, of_metrics in scores.matched.items():
        for i, (metric, matched) in enumerate(of_metrics.items()):
            raw, digits = scores.within[condition][metric], metric_digits(metric)
            own = scores.value_within(reference, metric)
            row = (
                "" if i else condition,
                metric_title(metric),
                shown_value(raw, digits),
                shown_difference(raw.difference, (raw.value, own), digits),
            )
            rows.append((*row, *_matched(matched, digits), str(matched.difference.n), str(matched.skipped)))
    if rows:
        against = f"against {reference}"
        columns = ("condition", "score", "as they come", against, "matched length", f"of {reference}", against,
                   "prompts", "skipped")  # fmt: skip
        notes = (
            "Longer responses share more words by chance. At matched length every two responses of a condition and "
            f"every two of {reference} are cut to the words of the shortest of the four, by sentences drawn at random.",
            f"Skipped: fours with a response under {MIN_WORDS} words.",
        )
        yield Section("Lexical similarity, as it comes and at matched length", columns, tuple(rows), notes)


def _matched(matched: MatchedEstimate, digits: int) -> tuple[str, str, str]:
    """Of the condition, of the reference, and the difference; a dash and why where there is none."""
    if matched.value is None:
        return f"- ({matched.reason})", "-", ""
    own, others = shown_number(matched.value, digits), shown_number(matched.reference, digits)
    return own, others, shown_difference(matched.difference, digits=digits)
