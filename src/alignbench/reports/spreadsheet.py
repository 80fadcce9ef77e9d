"""A report's numbers as CSV, a line each, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from alignbench.display import spreadsheet_cell

COLUMNS = ("table", "condition", "metric", "value", "ci_low", "ci_high", "n", "reason", "ceiling", "floor", "null",
           "mmd2", "recovery", "recovery_low", "recovery_high", "difference", "p_holm", "held_out",
           "source")  # fmt: skip


def spreadsheet(report: Mapping[str, Any]) -> str:
    """One line for each condition and score, judged field, or point of a coverage curve."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for table, condition, metric, entry in _entries(report):
        writer.writerow(
            [spreadsheet_cell(table), spreadsheet_cell(condition), spreadsheet_cell(metric), *_values(entry)]
        )
    return out.getvalue()


def _entries(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for table in ("within", "cross"):
        for condition, metrics in report[table].items():
            for metric, entry in metrics.items():
                yield table, condition, metric, entry
    for kind, groups in report["judged"].items():
        for name, fields in groups.items():
            for field, entry in fields.items():
                yield f"judged {kind}", name, field, entry
    investigation = report.get("investigation", {})
    for condition, gated in investigation.get("gate", {}).get("conditions", {}).items():
        for metric, change in gated["metrics"].items():
            for when in ("before", "after"):
                yield f"{when} the gate", condition, metric, change[when]
    for condition, curves in investigation.get("coverage", {}).get("conditions", {}).items():
        for way in ("of_reference", "by_reference"):
            for point in curves[way]:
                yield f"coverage {way}", condition, f"k={point['k']}", point


def _values(entry: Mapping[str, Any]) -> Iterator[object]:
    low, high = entry.get("ci") or ("", "")
    recovery_low, recovery_high = entry.get("recovery_ci") or ("", "")
    difference = entry.get("difference") or {}
    found = (
        entry.get("value"), low, high, entry.get("n"), spreadsheet_cell(entry.get("reason") or ""),
        entry.get("ceiling"), entry.get("floor"), entry.get("null"), entry.get("mmd2"), entry.get("recovery"),
        recovery_low, recovery_high, difference.get("value"), difference.get("p_holm"),
        entry.get("held_out"), entry.get("source"),
    )  # fmt: skip
    return ("" if value is None else value for value in found)
