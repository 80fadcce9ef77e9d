"""A report as text of a width."""

from __future__ import annotations

import pytest

from alignbench.reports.plain import plain_report, plain_table
from alignbench.store import Store
from tests.support.reported import report


@pytest.mark.parametrize("width", [76, 116])
def test_everything_is_there_whatever_the_width(store: Store, width: int) -> None:
    text = plain_report(report(store, investigation="all"), width)
    assert max(map(len, text.splitlines())) <= width + 20, "titles and notes with long words may stand out"
    assert "\x1b" not in text
    for part in ("Findings", "lexical similarity ↓", "embedding diversity ↑", "MMD²", "recovery", "Counts"):
        assert part in text, part


def test_columns_that_do_not_fit_stand_below() -> None:
    rows = [("one", "1" * 20, "2" * 20), ("", "", "more"), ("other", "3", "4")]
    assert plain_table(("name", "first", "second"), rows, 60).splitlines() == [
        "name   first                 second",
        "one    11111111111111111111  22222222222222222222",
        "                             more",
        "other  3                     4",
    ]
    assert plain_table(("name", "first", "second"), rows, 30).splitlines() == [
        "name   first",
        "one    11111111111111111111",
        "other  3",
        "",
        "name   second",
        "one    22222222222222222222",
        "       more",
        "other  4",
    ]
