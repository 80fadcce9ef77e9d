"""Coverage as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alignbench.metrics.estimates import Estimate
from alignbench.reports.coverage_curves import Coverage, EqualCoverage
from alignbench.reports.section import Section, shown_difference, shown_number, shown_value


def coverage_sections(coverage: Coverage, reference: str | None) -> Iterator[Section]:
    """The curves of each way with the self-curve beside them, then both in equally many sentences."""
    if coverage.reason or reference is None:
        yield Section("Coverage", notes=(coverage.reason,))
        return
    conditions = coverage.conditions
    curves = [
        coverage.reference,
        *(curve for of in conditions.values() for curve in (of.of_reference, of.by_reference)),
    ]
    longest = max(map(len, curves), default=0)
    columns = tuple(f"k = {k}" for k in range(1, longest + 1))
    chance = coverage.false_matches
    against = "" if chance is None else f"; {chance:.1%} of sentences find one in an answer to another prompt"
    said = f"A sentence is said from a best match of cosine {coverage.threshold:.3f} on{against}."

    def cells(curve: Sequence[Estimate]) -> tuple[str, ...]:
        return (*map(shown_value, curve), *[""] * (longest - len(curve)))

    yield Section(
        f"Share of a response of {reference} that k responses say together",
        ("said by", *columns, "responses covered"),
        (
            (f"{reference}, others", *cells(coverage.reference), ""),
            *((name, *cells(of.of_reference), shown_value(of.responses_covered)) for name, of in conditions.items()),
        ),
        (
            said,
            f"Responses covered: how many of the condition's one of {reference} covers, {coverage.share:.0%} of their "
            "sentences or more.",
        ),
    )
    yield Section(
        "Share of a response of the condition that k responses say together",
        ("condition", "said by", *columns),
        tuple(
            row
            for name, of in conditions.items()
            for row in ((name, reference, *cells(of.by_reference)), ("", f"{name}, others", *cells(of.of_itself)))
        ),
        (said, "A response never covers itself."),
    )
    yield _in_equal_sentences(
        "Share of a response of the condition, said in equally many sentences",
        (f"by {reference}", "by others of the condition"),
        {name: of.equal_by_reference for name, of in conditions.items()},
        f"Aggregation is where {reference} says clearly more than the condition's other responses do.",
    )
    yield _in_equal_sentences(
        f"Share of a response of {reference}, said in equally many sentences",
        ("by the condition", f"by others of {reference}"),
        {name: of.equal_of_reference for name, of in conditions.items()},
    )


def _in_equal_sentences(title: str, sides: tuple[str, str], equal: Mapping[str, EqualCoverage], *notes: str) -> Section:
    rows = tuple(
        (
            name,
            shown_number(one.sentences),
            shown_value(one.by_other),
            shown_value(one.by_itself),
            shown_difference(one.difference, (one.by_other.value, one.by_itself.value)),
            str(one.difference.n),
        )
        for name, one in equal.items()
    )
    columns = ("condition", "sentences", *sides, "difference", "prompts")
    return Section(title, columns, rows, notes)
