"""The Bench as plain values."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.experiments.versions import rebuilt
from alignbench.spec import (
    Condition,
    Context,
    Examples,
    Hint,
    Prefill,
    Prompt,
    Sampling,
    content_hash,
    made_id,
)
from alignbench.store import Store
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.column import Column, free_name, letter
from alignbench.tui.workbench.persistence import create, restore
from alignbench.tui.workbench.state import THIS_SESSION, Bench, SamplePlace
from alignbench.tui.workbench.token_rate import TokenRate
from tests.support.app import ALIGNED, BASE

PROMPTS = [Prompt(f"p{i}", f"question {i}", "set") for i in range(3)]


def a_bench() -> Bench:
    return Bench.ready([ALIGNED, BASE], PROMPTS, "set")


def with_sample(bench: Bench) -> Bench:
    """The selected column has a finished sample."""
    bench.cell(bench.columns[bench.selected]).samples[0] = BenchSample(0, "done")
    return bench


def warmer(column: Column, **fields: float) -> Column:
    sampling = replace(column.condition.sampling, **(fields or {"temperature": 1.0}))  # type: ignore[arg-type]
    return Column(replace(column.condition, sampling=sampling), column.n)


def test_ready() -> None:
    bench = a_bench()
    assert [column.name for column in bench.columns] == ["demo-aligned", "demo-base"]
    assert (bench.reference, bench.selected, bench.prompt, bench.position) == ("demo-aligned", 0, PROMPTS[0], 0)


def test_a_column_without_samples_changes_under_its_name() -> None:
    bench = a_bench()
    assert bench.change(bench.columns[0], warmer(bench.columns[0])) == ""
    assert bench.columns[0].name == "demo-aligned"
    assert bench.columns[0].condition.sampling.temperature == 1.0


def test_a_column_with_samples_gets_the_next_name_and_its_old_one_back() -> None:
    bench = with_sample(a_bench())
    cold = bench.columns[0]
    assert "demo-aligned 2" in bench.change(cold, warmer(cold))
    assert bench.reference == "demo-aligned 2"
    bench.change(bench.columns[0], Column(replace(cold.condition, name="demo-aligned 2")))
    assert bench.columns[0].name == "demo-aligned"


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize(
    "context",
    [
        Context("plain", hint=Hint("summary", condition="demo-aligned")),
        Context("plain", hint=Hint("summary", "A written one.", "demo-aligned")),
        Context("plain", prefill=Prefill(condition="demo-aligned", tokens=3)),
        Context("plain", examples=Examples(condition="demo-aligned")),
        Context("plain", examples=Examples(select="nearest-response", teacher="demo-aligned")),
    ],
)
def test_a_column_that_contexts_are_made_from_keeps_its_name(context: Context, sampled: bool) -> None:
    bench = with_sample(a_bench()) if sampled else a_bench()
    aligned, base = bench.columns
    bench.change(base, Column(replace(base.condition, context=context)))
    named = Column(replace(aligned.condition, name="teacher"))
    with pytest.raises(InputError, match="demo-aligned keeps its name: the context of demo-base is made from its"):
        bench.change(aligned, named)
    assert [column.name for column in bench.columns] == ["demo-aligned", "demo-base"]
    bench.change(bench.columns[1], base)
    bench.check_name(aligned, named)


def test_errors_do_not_keep_a_name() -> None:
    bench = a_bench()
    bench.cell(bench.columns[0]).samples[0] = BenchSample(0, "error")
    assert bench.change(bench.columns[0], warmer(bench.columns[0])) == ""
    assert bench.columns[0].name == "demo-aligned"


def test_the_same_condition_stands_on_the_bench_once() -> None:
    bench = a_bench()
    assert "already" in bench.change(None, Column(replace(bench.columns[1].condition, name="other")))
    assert len(bench.columns) == 2


def test_more_samples_change_nothing_else() -> None:
    bench = with_sample(a_bench())
    assert bench.change(bench.columns[0], replace(bench.columns[0], n=9)) == ""
    assert (bench.columns[0].name, bench.columns[0].n) == ("demo-aligned", 9)


def test_a_copy_that_differs_in_something_else_has_its_originals_seed() -> None:
    """Else two columns that differ in their context differ in what is not under study too."""
    bench = a_bench()
    bench.add(bench.reseeded(bench.columns[1]))
    copy = bench.columns[2]
    assert copy.condition.seed == 5
    bench.change(copy, warmer(copy))
    assert (bench.columns[2].condition.seed, bench.columns[2].condition.sampling.temperature) == (0, 1.0)
    bench.change(bench.columns[2], Column(replace(bench.columns[2].condition, seed=9)))
    assert bench.columns[2].condition.seed == 9  # as it was asked for


def test_a_copy_that_has_samples_keeps_its_seed() -> None:
    bench = a_bench()
    bench.add(bench.reseeded(bench.columns[1]))
    bench.change(with_sample(bench).columns[2], warmer(bench.columns[2]))
    assert bench.columns[2].condition.seed == 5


def test_reseeded_seeds_follow_and_never_repeat() -> None:
    bench = a_bench()
    seeds = []
    for _ in range(3):
        bench.add(bench.reseeded(bench.columns[0]))
        seeds.append(bench.columns[-1].condition.seed)
    assert seeds == [5, 10, 15]
    assert len({column.name for column in bench.columns}) == 5
    bench.columns[0] = replace(bench.columns[0], n=12)
    assert bench.reseeded(bench.columns[0]).condition.seed == 12


def test_a_duplicate_has_no_versions() -> None:
    bench = with_sample(a_bench())
    bench.change(bench.columns[0], warmer(bench.columns[0]))
    assert len(bench.columns[0].versions) == 2
    bench.add(bench.reseeded(bench.columns[0]))
    assert (bench.columns[-1].versions, bench.columns[-1].version) == ((), 0)


def test_remove_the_reference() -> None:
    bench = a_bench()
    bench.remove()
    assert (bench.reference, bench.selected) == ("demo-base", 0)
    bench.remove()
    assert (bench.reference, bench.column) == (None, None)


def test_prompts_go_round() -> None:
    bench = a_bench()
    for expected in (1, 2, 0):
        bench.step_prompt(1)
        assert bench.position == expected
    bench.prompt = Prompt.typed("mine")
    assert bench.position is None
    bench.step_prompt(1)
    assert bench.position == 0


def test_a_set_with_a_text_that_the_session_has_goes_round_too() -> None:
    unnamed = [Prompt(made_id(content_hash(text), "set"), text, "set") for text in ("one", "two", "three")]
    bench = Bench.ready([BASE], unnamed, "set")
    bench.asked = [Prompt("mine", "two")]
    seen = []
    for _ in range(4):
        seen.append((bench.prompt.id, bench.position))
        bench.step_prompt(1)
    assert [place for _, place in seen] == [0, 1, 2, 0]
    assert seen[1][0] == "mine"


def test_a_condition_survives_json() -> None:
    condition = Condition.zero_shot(BASE, sampling=Sampling(stop=("\n", "User:")), seed=3)
    assert rebuilt(Condition, {**asdict(condition), "unknown": 1}) == condition


def test_names_and_letters() -> None:
    assert free_name("a", []) == "a"
    assert free_name("a", ["a"]) == "a 2"
    assert free_name("a 2", ["a", "a 2"]) == "a 3"
    assert [letter(i) for i in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]


def test_rate() -> None:
    now = [100.0]
    rate = TokenRate(clock=lambda: now[0])
    for _ in range(20):
        now[0] += 0.1
        rate.add(5)
    assert 45 <= rate.per_second() <= 60
    now[0] += 10
    assert rate.per_second() == 0
    assert rate.total == 100


def test_a_place_is_found_whatever_became_of_its_column() -> None:
    bench = with_sample(a_bench())
    bench.asked = [PROMPTS[0], own := Prompt.typed("own question")]
    cold = bench.columns[0]
    bench.change(cold, warmer(cold))
    bench.ask(PROMPTS[2])
    bench.select(1)
    bench.go_to(SamplePlace("p0", cold.name, 3))
    assert (bench.prompt, bench.selected, bench.cursor) == (PROMPTS[0], 0, 3)
    assert (bench.columns[0].condition, bench.columns[0].version) == (cold.condition, 0), "the older version"
    bench.go_to(SamplePlace("p0", "demo-base", 0))
    assert bench.selected == 1
    bench.select(0)
    bench.remove()
    bench.go_to(SamplePlace(own.id, cold.name, 1))
    assert bench.columns[bench.selected].condition == cold.condition, "a column that was removed comes back"
    assert (bench.prompt, bench.prompt_set, bench.prompts) == (own, THIS_SESSION, bench.asked)


def test_a_place_in_another_version_of_a_column_that_is_being_sampled() -> None:
    bench = with_sample(a_bench())
    cold = bench.columns[0]
    bench.change(cold, warmer(cold))
    bench.cell(bench.columns[0]).status = "sampling"
    bench.go_to(SamplePlace("p0", cold.name, 0))
    assert [column.name for column in bench.columns] == ["demo-aligned 2", "demo-base", "demo-aligned"]
    assert (bench.selected, bench.columns[0].version) == (2, 1)


def test_opening_a_session_asks_no_hub_for_its_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        "alignbench.prompt_files.datasets.read_dataset", lambda source: asked.append(source) or iter(())
    )
    (tmp_path / "more.csv").write_text("question\nWhy?\n")
    local = f"{tmp_path / 'more.csv'}?field=question"
    with Store.open(tmp_path / "a.db") as store:
        for name in ("dataset:org/name?split=test", local):
            session = create(store, Bench.ready([ALIGNED], PROMPTS, name))
            restored, _ = restore(store, session)
            assert restored.prompt_set == name
            assert [prompt.text for prompt in restored.prompts] == ["Why?"] * (name == local)
    assert not asked
