from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.metrics import registry
from alignbench.metrics.metric import Metric
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import WordMode
from alignbench.metrics.words import VERSION
from alignbench.tui.workbench.metric_rows import rows


def test_the_registry_names_what_a_cell_computes() -> None:
    cell = CellScores()
    assert {*registry.WITHIN, "duplicates", "empty"} == set(cell.within())
    assert set(registry.CROSS) == set(CellPair(cell, cell).cross())


def test_a_cell_runs_every_live_score() -> None:
    cell = CellScores(registry.live())
    assert {*registry.within(registry.live()), "duplicates", "empty"} == set(cell.within())
    assert set(registry.cross(registry.live())) == set(CellPair(cell, cell).cross())


def test_a_version_names_the_tokenizer_of_its_mode() -> None:
    mode = WordMode("other", "other7", lambda text: tuple(text), frozenset())
    assert registry.metric("rouge_l").version_in(mode) == "1+other7"
    assert registry.metric("compression_ratio").version_in(mode) == "1"


@pytest.mark.parametrize("metric", registry.METRICS.values(), ids=registry.METRICS)
def test_every_score_is_described(metric: Metric) -> None:
    assert registry.METRICS[metric.name] is metric
    assert metric.title
    assert metric.meaning.endswith(".")
    assert metric.source
    assert metric.scope
    assert metric.needs
    assert metric.min_samples >= 1
    assert metric.low is None or metric.high is None or metric.low < metric.high
    assert metric.version in ("1", f"1+words{VERSION}")


def test_the_docs_have_the_scores_as_they_are_registered() -> None:
    written = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "score_table.py"))
    text = written["PAGE"].read_text()
    assert text == written["page"](text), "python tools/score_table.py writes the tables"


def test_no_name_is_registered_twice() -> None:
    names = [metric.name for metric in registry.discovered()]
    assert sorted(names) == sorted(set(names)) == sorted(registry.METRICS)


def test_an_unknown_score_names_its_nearest() -> None:
    assert registry.metric("jaccard").more_diverse == "lower"
    with pytest.raises(InputError, match=r"no score named 'jacard'\. Did you mean jaccard or"):
        registry.metric("jacard")


def test_what_is_stored_for_every_token_is_known() -> None:
    stored = {name for name, metric in registry.METRICS.items() if metric.stored}
    assert stored == {
        "surprisal",
        "entropy",
        "sampling_entropy",
        "branching_factor",
        "branching_by_logprobs",
    }
    judged = [row.metric for row in rows() if row.judged]
    assert not any(metric.stored for metric in judged), "what needs nothing is stored nowhere"
