"""How judgments look on stdout, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignbench.cli.tables import print_table

Entry = Mapping[str, Any]


def print_judged(table: Mapping[str, Mapping[str, Entry]]) -> None:
    """Fields as rows and conditions as columns; how many replies each column rests on stands below."""
    if not table:
        return
    conditions = list(table)
    fields = list(next(iter(table.values())))
    rows = [
        [field.replace("_", " "), *(_value(table[condition][field]) for condition in conditions)] for field in fields
    ]
    first = {condition: table[condition][fields[0]] for condition in conditions}
    for count, title in (("n", "judgments"), ("invalid", "invalid replies"), ("flipped", "shown the other way round")):
        if all(count in entry for entry in first.values()):
            rows.append([title, *(str(first[condition][count]) for condition in conditions)])
    print_table(["", *conditions], rows)


def print_agreement(agreed: Mapping[str, Entry]) -> None:
    """Krippendorff's alpha, a field a row."""
    if not agreed:
        return
    print()
    print_table(
        ["agreement of judges", "Krippendorff's alpha", "items"],
        [[field, _alpha(entry["alpha"]), str(entry["items"])] for field, entry in agreed.items()],
    )


def _alpha(alpha: float | None) -> str:
    return "- (fewer than two items or two different ratings)" if alpha is None else f"{alpha:.3f}"


def _value(entry: Entry) -> str:
    if entry["value"] is None:
        return "-"
    text = f"{entry['value']:.2f}"
    return text if entry["ci"] is None else f"{text} [{entry['ci'][0]:.2f}, {entry['ci'][1]:.2f}]"
