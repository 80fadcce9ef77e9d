from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.metrics import registry
from alignbench.metrics.metric import Metric
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import WordMode
from alignbench.metrics.words import VERSION


def test_the_registry_names_what_the_scoreboard_computes() -> None:
    cell = CellScores()
    assert {*registry.WITHIN, "duplicates", "empty"} == set(cell.within())
    assert set(registry.CROSS) == set(CellPair(cell, cell).cross())


def test_the_scoreboard_runs_every_live_score() -> None:
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


def test_every_score_has_a_line_in_the_docs() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "scores.md").read_text()
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert not [name for name in registry.METRICS if not any(f"`{name}`" in line for line in table)]


def test_an_unknown_score_names_its_nearest() -> None:
    assert registry.metric("jaccard").more_diverse == "lower"
    with pytest.raises(InputError, match=r"no score named 'jacard'\. Did you mean jaccard or"):
        registry.metric("jacard")
