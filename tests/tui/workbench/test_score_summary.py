"""The scores of one prompt as rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alignbench.metrics.running_cell import CellScores
from alignbench.scoring.prompt_scores import Comparisons, PromptScores
from alignbench.spec import Condition, Prompt, default_context
from alignbench.store import Store
from alignbench.tui.workbench import persistence
from alignbench.tui.workbench.score_summary import score_table
from alignbench.tui.workbench.state import Bench
from tests.support.app import BASE


class Scores:
    """Scores a condition's texts as they are given."""

    def __init__(self, texts: list[str]) -> None:
        self._cell = CellScores()
        for i, text in enumerate(texts):
            self._cell.add(i, text)

    def prompt_scores(self, _: str, conditions: Iterable[str], *__: object, **___: object) -> PromptScores:
        within = {name: self._cell.within() for name in conditions}
        return PromptScores(within, Comparisons({name: {} for name in within}))


def bench(path: Path, texts: list[str]) -> Bench:
    with Store.open(path) as store:
        session = store.create_session("kept")
        cell = store.add_cell(session, Prompt("p", "Why?"), Condition("base", BASE, default_context(BASE)), len(texts))
        for sample, text in enumerate(texts):
            store.add_text(cell, sample, text, raw_text="", finish_reason="stop")
        bench, _ = persistence.restore(store, session)
    bench.prompt = bench.asked[-1]
    return bench


def test_empty_responses_have_a_row_where_there_are_any(tmp_path: Path) -> None:
    some, none = ["a cat", "a dog", "", " "], ["a cat", "a dog"]
    table = score_table(bench(tmp_path / "some.db", some), Scores(some))
    assert [metric.key for metric in table.metrics][:2] == ["empty", "words"]
    assert table.within is not None
    assert table.within["empty"][0].text == "2"
    assert table.within["jaccard"][0].text == "1.000"
    table = score_table(bench(tmp_path / "none.db", none), Scores(none))
    assert "empty" not in [metric.key for metric in table.metrics]
