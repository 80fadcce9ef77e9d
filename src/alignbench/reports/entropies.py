"""How sure each condition was of what it drew: entropies beside temperatures, and the branching factor by position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean

from alignbench.metrics.entropy import SPANS, span_key, span_title
from alignbench.metrics.estimates import Estimate, mean_estimates, paired_differences
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.metrics.values import Value
from alignbench.reports.section import Section, metric_title, shown_difference, shown_number, shown_value
from alignbench.scoring.responses import Responses
from alignbench.scoring.score_tables import ScoreTables
from alignbench.spec import written_setting

RAW, DRAWN, FACTOR = "entropy", "sampling_entropy", "branching_factor"


@dataclass(frozen=True, slots=True)
class ConditionEntropy:
    """The entropies along a condition's responses, means over prompts.

    Attributes:
        temperature: That they were drawn at, None where it is not recorded.
        raw: Bits a token of the model's own distribution.
        drawn: Bits a token of the distribution that was drawn from.
        per_byte: The latter in bits a byte of the text, which compare between tokenizers.
        difference: Of the latter, to the reference; None for it, and without one.
        raw_difference: The same of the model's own distribution, in bits a byte. Both are tested together.
        drawn_means: Of it and of the reference, bits a token, over the prompts that `difference` is over.
    """

    temperature: float | None
    raw: Estimate
    drawn: Estimate
    per_byte: Estimate
    difference: PairedDifference | None = None
    raw_difference: PairedDifference | None = None
    drawn_means: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Entropies:
    """Of every condition; reference: name of the one that the others are compared with, None without one."""

    reference: str | None = None
    conditions: Mapping[str, ConditionEntropy] = field(default_factory=dict)


def entropies(
    responses: Responses, temperatures: Mapping[str, float | None], reference: str | None, uncertainty: Uncertainty
) -> Entropies:
    """Of all conditions of a report. temperatures: that they were drawn at, by name."""
    scores = {prompt: responses.token_scores(prompt, (RAW, DRAWN)) for prompt in responses.prompts}
    names = [*temperatures]
    values = {
        (name, metric): {prompt: of.get(name, {}).get(metric, Value(None, 0)) for prompt, of in scores.items()}
        for name in names
        for metric in (RAW, DRAWN)
    }
    per_byte = {key: {p: value.extra.get("per_byte") for p, value in of.items()} for key, of in values.items()}
    pairs = {
        (name, metric): (per_byte[name, metric], per_byte[reference, metric])
        for name in names
        for metric in (RAW, DRAWN)
        if reference and name != reference
    }
    differences = paired_differences(pairs, uncertainty)

    tokens = {key: {prompt: value.value for prompt, value in of.items()} for key, of in values.items()}
    reasons = {key: next((value.reason for value in of.values() if value.reason), "") for key, of in values.items()}
    bounds = {(name, metric): METRICS[metric].bounds for name, metric in values}
    per_token = mean_estimates(tokens, uncertainty, bounds, reasons)
    of_bytes = mean_estimates(
        {name: per_byte[name, DRAWN] for name in names}, uncertainty, dict.fromkeys(names, METRICS[DRAWN].bounds)
    )

    return Entropies(
        reference,
        {
            name: ConditionEntropy(
                temperature,
                per_token[name, RAW],
                per_token[name, DRAWN],
                of_bytes[name],
                differences.get((name, DRAWN)),
                differences.get((name, RAW)),
                _means_of_both(values[name, DRAWN], values.get((reference or "", DRAWN), {})),
            )
            for name, temperature in temperatures.items()
        },
    )


def _means_of_both(own: Mapping[str, Value], reference: Mapping[str, Value]) -> tuple[float, float] | None:
    """Over the prompts that both have."""
    pairs = [
        (value.value, other.value)
        for prompt, value in own.items()
        if value.value is not None and (other := reference.get(prompt)) is not None and other.value is not None
    ]
    return None if not pairs else (fmean(a for a, _ in pairs), fmean(b for _, b in pairs))


def entropy_section(of: Entropies) -> Section:
    """Entropies beside temperatures; empty where none is stored."""
    if all(one.drawn.value is None for one in of.conditions.values()):
        return Section("Entropy")
    own = of.conditions.get(of.reference or "")

    def per_byte(one: ConditionEntropy) -> tuple[float | None, float | None]:
        return one.per_byte.value, None if own is None else own.per_byte.value

    rows = tuple(
        (
            name, written_setting(one.temperature), shown_value(one.raw), shown_difference(one.raw_difference),
            shown_value(one.drawn), shown_value(one.per_byte), shown_difference(one.difference, per_byte(one)),
        )
        for name, one in of.conditions.items()
    )  # fmt: skip
    columns = (
        "condition", "temperature", "its own, bits a token", f"its own against {of.reference}, bits a byte",
        "drawn from, bits a token", "drawn from, bits a byte", f"against {of.reference}, bits a byte",
    )  # fmt: skip
    notes = (
        "Of the next token along each response: the model's own distribution at temperature 1, and the one that was "
        "drawn from, after temperature, truncation and penalties. Bits of a token compare between models of one "
        "tokenizer, bits of a byte between all.",
    )
    return Section("Entropy", columns, rows, notes)


def branching_curves(scores: ScoreTables) -> dict[str, dict[str, float]]:
    """By condition, the branching factor by title of a span of positions; none where none is known."""
    curves = {name: branching_curve(of[FACTOR].extra) for name, of in scores.within.items() if FACTOR in of}
    return {name: curve for name, curve in curves.items() if curve}


def branching_curve(extra: Mapping[str, float | None]) -> dict[str, float]:
    """By title of a span of positions, from what stands beside the branching factor."""
    return {span_title(*span): value for span in SPANS if (value := extra.get(span_key(*span))) is not None}


def branching_section(scores: ScoreTables) -> Section:
    """The curve of the branching factor; empty where none is known."""
    curves = branching_curves(scores)
    spans = [title for span in SPANS if any((title := span_title(*span)) in curve for curve in curves.values())]
    if not spans:
        return Section("Branching factor by position")
    rows = tuple((name, *(shown_number(curve.get(span), 2) for span in spans)) for name, curve in curves.items())
    notes = ("Later positions are of the longer responses alone.",)
    return Section(f"{metric_title(FACTOR)} by position of the token", ("condition", *spans), rows, notes)
