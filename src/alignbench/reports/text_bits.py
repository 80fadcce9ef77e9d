"""Bits per byte of given texts: tables and JSON. Every key of the JSON is public."""

from __future__ import annotations

from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.json_values import JsonObject
from alignbench.reports.numbers import counted, number
from alignbench.reports.section import Section, shown_difference, shown_value
from alignbench.scoring.text_bits import ConditionBits, TextBits


def text_bits_sections(bits: TextBits) -> list[Section]:
    """A row a condition; then a row for each two of them."""
    rows = [_row(name, each) for name, each in bits.conditions.items()]
    columns = ("condition", "bits per byte", "texts", "bytes", "tokens", "bits of the end", "read after")
    sections = [Section("Bits per byte", columns, tuple(rows))]
    if bits.differences:
        compared = [
            (f"{a} minus {b}", shown_difference(each) or "-", str(each.n)) for (a, b), each in bits.differences.items()
        ]
        unit = "prompts" if bits.units < len(bits.texts) else "texts"
        sections.append(Section("Differences", ("bits per byte", "difference", unit), tuple(compared)))
    return sections


def _row(name: str, bits: ConditionBits) -> tuple[str, ...]:
    end = "-" if bits.end is None else f"{number(bits.end)} (of {counted(bits.n_ends, 'text')})"
    counts = (f"{bits.n_texts}", f"{bits.n_bytes}", f"{bits.n_tokens}")
    return name, shown_value(bits.estimate), *counts, end, bits.before or "-"


def text_bits_remarks(bits: TextBits, empty: int) -> list[str]:
    """What a reader of the tables has to know of the texts."""
    remarks = []
    if empty:
        remarks.append(f"{counted(empty, 'empty text')} left out")
    if bits.cut:
        left = sum(bits.whole_bytes) - sum(bits.n_bytes)
        remarks.append(
            f"{counted(bits.cut, 'text')} cut to the smallest context window, {left} of {sum(bits.whole_bytes)} bytes "
            "left out: all conditions read the same bytes, and the end of a cut text is not counted"
        )
    if bits.units < len(bits.texts):
        remarks.append(f"texts of one prompt count as one in intervals: {counted(bits.units, 'prompt')}")
    if bits.units < MIN_PROMPTS:
        remarks.append(f"no difference is called one under {MIN_PROMPTS} texts or prompts; these are {bits.units}")
    for name, each in bits.conditions.items():
        failed = [cost.reason for cost in each.costs if cost.reason]
        if failed and each.n_texts:
            remarks.append(f"{name}: {counted(len(failed), 'text')} not read: {failed[0]}")
    return remarks


def text_bits_json(bits: TextBits, file: str, empty: int) -> JsonObject:
    """{"file", "texts", "conditions", "differences", "meta"}."""
    return {
        "file": file,
        "texts": [
            {
                "id": text.id,
                "bytes": bits.n_bytes[i],
                "whole_bytes": bits.whole_bytes[i],
                "bits": {name: each.costs[i].bits for name, each in bits.conditions.items()},
            }
            for i, text in enumerate(bits.texts)
        ],
        "conditions": {
            name: {
                "bits_per_byte": each.estimate.value,
                "ci": each.estimate.ci,
                "n": each.estimate.n,
                "reason": each.estimate.reason or None,
                "texts": each.n_texts,
                "bytes": each.n_bytes,
                "tokens": each.n_tokens,
                "end_bits": each.end,
                "ends": each.n_ends,
                "read_after": each.before or None,
            }
            for name, each in bits.conditions.items()
        },
        "differences": [
            {
                "first": a,
                "second": b,
                "value": each.value,
                "ci": each.ci,
                "p": each.p,
                "p_holm": each.p_holm,
                "n": each.n,
            }
            for (a, b), each in bits.differences.items()
        ],
        "meta": {"empty": empty, "cut": bits.cut, "units": bits.units},
    }
