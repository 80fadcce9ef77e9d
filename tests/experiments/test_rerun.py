"""Sampling a session again, on the deterministic pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench import paths
from alignbench.experiments.manifest import manifest
from alignbench.experiments.plan import make_plan
from alignbench.experiments.rerun import (
    Redrawn,
    compared,
    other_arithmetic,
    other_weights,
    plan_rerun,
    replay_of_servers,
)
from alignbench.experiments.runner import Run, SampleStored, TextArrived
from alignbench.experiments.staged import StagedRun
from alignbench.spec import Condition, Context, Examples, Hint, LoadOptions, Model, Prefill, Prompt
from alignbench.store import Store
from tests.support import fakes
from tests.support.fakes import FakePool

GOOD, RAW = Model("good", "demo-smollm2", "aligned"), Model("raw", "demo-base", "base")
TAUGHT = Context(
    "plain",
    examples=Examples(condition="good", select="random", k=1),
    hint=Hint("summary", condition="good", maker="good", template="{prompt} {response}"),
    prefill=Prefill(condition="good", tokens=2),
)
CONDITIONS = (Condition.zero_shot(GOOD), Condition("taught", RAW, TAUGHT))
PROMPTS = [Prompt(f"p{i}", f"Question {i}?") for i in range(3)]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """A database with session 1, and an empty one."""
    with Store.open(tmp_path / "runs.db") as store, Store.open(tmp_path / "scratch.db") as scratch:
        session = store.create_session("t", reference="good")
        list(StagedRun(make_plan(store, session, PROMPTS, CONDITIONS, 2), FakePool(), store, None))
        yield store, scratch


def redrawn(store: Store, scratch: Store, pool: FakePool) -> tuple[list[Redrawn], list[str]]:
    again = plan_rerun(store, 1, scratch)
    rows = (event.row for event in Run(again.plan, pool, scratch) if isinstance(event, SampleStored))
    return list(compared(store, scratch, again, rows)), list(other_weights(scratch, again))


def test_a_session_comes_out_the_same_with_its_own_examples_hints_and_beginnings(stores: tuple[Store, Store]) -> None:
    store, scratch = stores
    before = list(store.samples(1))
    pool = FakePool()
    samples, weights = redrawn(store, scratch, pool)
    assert len(samples) == len(before) == 12
    assert all(each.identical and each.same_prompt and not each.error for each in samples)
    assert len(pool.requests) == 6  # no hint was made anew
    assert weights == []
    assert list(store.samples(1)) == before


def test_what_is_not_the_same_is_said(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    store, scratch = stores
    store.set_model_file_hash(1, "demo-base", "aaaa")
    monkeypatch.setitem(fakes.CAPABILITIES, "base", replace(fakes.CAPABILITIES["base"], file_hash="bbbb"))
    first = next(row.raw_text for row in store.samples(1) if row.condition == "taught")
    samples, weights = redrawn(
        store, scratch, FakePool(texts={"raw": [first[:3] + "#"]}, fail={"good": "no such file"})
    )
    assert {each.error for each in samples if each.condition == "good"} == {"no such file"}
    assert not any(each.identical for each in samples)
    assert next(each.same for each in samples if each.condition == "taught") == 3
    assert weights == ["demo-base has other weights now: SHA-256 bbbb; the session was drawn with aaaa"]


def test_no_program_is_started_because_a_database_says_so(tmp_path: Path) -> None:
    options = LoadOptions(
        dtype="float32", command=("curl", "x"), args=("--y",), env=(("Z", "z"),), trust_remote_code=True
    )
    big = Model("big", "vllm:org/big", "aligned", options)
    with Store.open(tmp_path / "runs.db") as store, Store.open(tmp_path / "scratch.db") as scratch:
        session = store.create_session("t")
        list(Run(make_plan(store, session, PROMPTS, [Condition.zero_shot(big)], 1), FakePool(), store))
        store.set_manifest(session, manifest([Condition.zero_shot(big)], 1))
        (loaded,) = {cell.condition.model.options for cell in plan_rerun(store, session, scratch).plan.cells}
        assert loaded == LoadOptions(dtype="float32")
        file = paths.models_file()
        file.parent.mkdir(parents=True)
        file.write_text('[models.b]\nreference = "vllm:org/big"\nargs = ["--mine"]\n', "utf-8")
        (loaded,) = {cell.condition.model.options for cell in plan_rerun(store, session, scratch).plan.cells}
        assert loaded == LoadOptions(dtype="float32", args=("--mine",))


def test_another_build_is_said(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    store, scratch = stores
    store.note_loaded(1, "demo-base", {"arithmetic": "AVX512"})
    store.note_loaded(1, "demo-smollm2", {"arithmetic": ""})
    for name, capabilities in fakes.CAPABILITIES.items():
        monkeypatch.setitem(fakes.CAPABILITIES, name, replace(capabilities, arithmetic="AVX2"))
    again = plan_rerun(store, 1, scratch)
    list(Run(again.plan, FakePool(), scratch))
    assert list(other_arithmetic(store, scratch, again)) == [
        "demo-base is computed by AVX2; the session was drawn with AVX512: texts may differ"
    ]


def test_what_was_measured_of_a_servers_seeds_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served, other = Model("s", "openai:http://h/v1#s", "base"), Model("o", "openai:http://h/v1#o", "aligned")
    monkeypatch.setitem(fakes.CAPABILITIES, "base", replace(fakes.CAPABILITIES["base"], replay="alone"))
    with Store.open(tmp_path / "runs.db") as store, Store.open(tmp_path / "scratch.db") as scratch:
        session = store.create_session("t")
        conditions = [Condition.zero_shot(model) for model in (served, other, GOOD)]
        list(Run(make_plan(store, session, PROMPTS, conditions, 1), FakePool(), store))
        assert store.manifest(session)["loaded"][served.reference]["replay"] == "alone"
        again = plan_rerun(store, session, scratch)
        list(Run(again.plan, FakePool(), scratch))
        owns = "is behind a server, which owns its randomness"
        assert list(replay_of_servers(scratch, again)) == [
            f"{served.reference} {owns}: a seed gave the same 12 tokens alone, and others among other requests",
            f"{other.reference} {owns}: not measured",
        ]


def test_samples_that_were_cancelled_are_not_compared(stores: tuple[Store, Store]) -> None:
    store, scratch = stores
    again = plan_rerun(store, 1, scratch)
    run = Run(again.plan, FakePool(delay=0.01), scratch)
    rows = []
    for event in run:
        rows += [event.row] if isinstance(event, SampleStored) else []
        if isinstance(event, TextArrived):
            run.cancel()
    assert {row.status for row in rows} == {"cancelled"}
    assert list(compared(store, scratch, again, rows)) == []


def test_imported_and_unfinished_samples_are_not_drawn_again(stores: tuple[Store, Store]) -> None:
    store, scratch = stores
    old = store.add_cell(1, PROMPTS[0], Condition.zero_shot(Model("old", "imported:old", "aligned")), 1)
    store.add_text(old, 0, "text", raw_text="text", finish_reason="stop")
    store.add_error(store.add_cell(1, PROMPTS[0], Condition.zero_shot(GOOD, name="other", seed=5), 2), 1, "late")
    samples, _ = redrawn(store, scratch, FakePool())
    assert {each.condition for each in samples} == {"good", "taught"}


def test_prompts_of_one_text_are_drawn_again_each_in_its_own_cell(tmp_path: Path) -> None:
    prompts = [Prompt("a", "Why?"), Prompt.typed("Why?"), Prompt("b", "Why?")]
    with Store.open(tmp_path / "runs.db") as store, Store.open(tmp_path / "scratch.db") as scratch:
        session = store.create_session("t")
        store.add_prompts(session, prompts)
        list(StagedRun(make_plan(store, session, prompts, CONDITIONS[:1], 2), FakePool(), store, None))
        samples, _ = redrawn(store, scratch, FakePool())
        assert sorted((each.prompt_id, each.sample) for each in samples) == sorted(
            (prompt.id, i) for prompt in prompts for i in (0, 1)
        )
        assert all(each.identical and each.same_prompt for each in samples)
