"""The tables of a report in LaTeX."""

from __future__ import annotations

import re

from alignbench.reports.latex import latex
from alignbench.store import Store
from tests.support.reported import grade, report


def test_every_table_has_its_rows_and_every_name_is_text(store: Store) -> None:
    grade(store)
    store.rename_condition(1, "raw", r"50% $a_b$ & #{x} \input{y} -- [1] \u202e".replace(r"\u202e", "\u202e"))
    text = latex(report(store, investigation="all", floor=None))
    assert r"50\% \$a\_b\$ \& \#\{x\} \textbackslash{}input\{y\} -{}- [1] \textbackslash{}u202e" in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") > 3
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\begin{tabular}")
    assert text.isascii() or not re.search(r"[\u2400-\u2426\u202e↑↓²]", text)
    for table in text.split(r"\toprule")[1:]:
        lines = [line for line in table.split(r"\bottomrule")[0].splitlines() if line.endswith(r"\\")]
        assert len({len(re.findall(r"(?<!\\)&", line)) for line in lines}) == 1
    assert r"\item " in text
    assert "$-$" in text
