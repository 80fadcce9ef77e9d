"""How tables of scores look on stdout: for people, or as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from alignbench.cli.tables import print_table

Entry = Mapping[str, Any]
Tables = Mapping[str, Mapping[str, Mapping[str, Entry]]]

_CSV_FIELDS = ("value", "ci", "n", "samples", "sd", "reason", "max_matched", "mmd2", "mmd2_ci", "ceiling", "floor",
               "null", "recovery", "recovery_ci", "recovery_reason", "warning", "held_out", "source")  # fmt: skip


def print_csv(tables: Tables) -> None:
    """One line for each condition and metric; an interval is two columns, what there is none of is empty."""
    columns = [c for name in _CSV_FIELDS for c in ((f"{name}_low", f"{name}_high") if _is_interval(name) else (name,))]
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["table", "condition", "metric", *columns])
    for table, conditions in tables.items():
        for condition, metrics in conditions.items():
            for metric, entry in metrics.items():
                name = condition.encode("utf-8", "backslashreplace").decode()
                out.writerow([table, name, metric, *_csv_values(entry)])


def print_tables(tables: Tables, meta: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    """Metrics as rows and conditions as columns; then, for each similarity to the reference, conditions as rows.

    titles: what metrics are called.
    """
    conditions = list(tables["within"])
    metrics = list(next(iter(tables["within"].values()), {}))
    print_table(
        [f"mean over {_count(meta['prompts'], 'prompt')}", *conditions],
        [
            [titles.get(metric, metric), *(_value(tables["within"][c][metric]) for c in conditions)]
            for metric in metrics
        ],
    )
    reference = meta["reference"]
    for metric in next(iter(tables["cross"].values()), {}):
        print()
        entries = {condition: tables["cross"][condition][metric] for condition in conditions}
        print_table(
            [f"{titles.get(metric, metric)} to {reference}", "mean", "maximum", "MMD²", "recovery"],
            [*_rows(entries, reference, meta["floor"]), ["(answers to other prompts)", _null(entries), "", "", ""]],
        )
    for line in _remarks(tables, meta):
        print(line, file=sys.stderr)


def _rows(entries: Mapping[str, Entry], reference: str, floor: str | None) -> Iterator[list[str]]:
    for condition, entry in entries.items():
        role = " (ceiling)" if condition == reference else " (floor)" if condition == floor else ""
        yield [
            condition + role,
            _value(entry),
            _number(entry["max_matched"]),
            _number(entry["mmd2"]),
            "" if role or entry["value"] is None or floor is None else _recovery(entry),
        ]


def _null(entries: Mapping[str, Entry]) -> str:
    return next((_number(entry["null"]) for entry in entries.values() if entry["null"] is not None), "-")


def _recovery(entry: Entry) -> str:
    if entry["recovery"] is None:
        return f"- ({entry['recovery_reason']})"
    text = f"{entry['recovery']:.0%}"
    if entry["recovery_ci"] is not None:
        low, high = entry["recovery_ci"]
        text += f" [{low:.0%}, {high:.0%}]"
    return f"{text} !" if entry["warning"] else text


def _remarks(tables: Tables, meta: Mapping[str, Any]) -> Iterator[str]:
    """What has to be said beside the numbers, each thing once."""
    if meta["reference"] is None:
        yield f"no similarities: {meta['reason']}"
    yield from meta["notes"]
    entries = [entry for metrics in tables["cross"].values() for entry in metrics.values()]
    for warning in dict.fromkeys(entry["warning"] for entry in entries if entry["warning"]):
        yield f"! recovery {warning}"
    if entries and meta["floor"] is None:
        yield f"no recovery: {meta['floor_reason']}"
    for reason in dict.fromkeys(e["recovery_reason"] for e in entries if e["recovery"] is not None):
        if reason:
            yield f"recovery: {reason}"


def _value(entry: Entry) -> str:
    """The value with its interval, or a dash and why there is none."""
    if entry["value"] is None:
        return f"- ({entry['reason']})" if entry["reason"] else "-"
    text = _number(entry["value"])
    if entry["ci"] is not None:
        text += f" [{_number(entry['ci'][0])}, {_number(entry['ci'][1])}]"
    return f"{text} sd {entry['sd']:.1f}" if entry.get("sd") is not None else text


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _is_interval(name: str) -> bool:
    return name.endswith("ci")


def _csv_values(entry: Entry) -> Iterator[object]:
    for name in _CSV_FIELDS:
        value = entry.get(name)
        if _is_interval(name):
            yield from value or ("", "")
        else:
            yield "" if value is None else value
