"""How judgments look on stdout, for people."""

from __future__ import annotations

from collections.abc import Mapping

from alignbench.cli import printing
from alignbench.cli.tables import print_table
from alignbench.judging.summary import Agreement, JudgedTable, with_source_apart
from alignbench.metrics.estimates import Estimate


def print_judged(table: JudgedTable) -> None:
    """Fields as rows and conditions as columns; how many replies each column rests on stands below."""
    if not table:
        return
    fields, shown = list(next(iter(table.values()))), with_source_apart(table)
    rows = [[field.replace("_", " "), *(_value(judged[field]) for judged in shown.values())] for field in fields]
    first = [judged[fields[0]] for judged in shown.values()]
    rows.append(["judgments", *(str(one.n) for one in first)])
    rows.append(["invalid replies", *(str(one.invalid) for one in first)])
    if all(one.flipped is not None for one in first):
        rows.append(["shown the other way round", *(str(one.flipped) for one in first)])
    print_table(["", *shown], rows)


def print_agreement(agreed: Mapping[str, Agreement]) -> None:
    """Krippendorff's alpha, a field a row."""
    if not agreed:
        return
    printing.show()
    print_table(
        ["agreement of judges", "Krippendorff's alpha", "items"],
        [[field, _alpha(one.alpha), str(one.items)] for field, one in agreed.items()],
    )


def _alpha(alpha: float | None) -> str:
    return "- (fewer than two items or two different ratings)" if alpha is None else f"{alpha:.3f}"


def _value(judged: Estimate) -> str:
    if judged.value is None:
        return "-"
    return f"{judged.value:.2f}" + ("" if judged.ci is None else " [{:.2f}, {:.2f}]".format(*judged.ci))
