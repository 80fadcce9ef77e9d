"""`alignbench.sample` and `alignbench.score`: what the commands do, from Python."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import alignbench
from alignbench.errors import InputError
from alignbench.experiments.runner import RunEvent, SampleStored
from alignbench.reports.to_json import scored_json
from alignbench.spec import Condition, Prompt, Sampling
from alignbench.store import Store
from tests.support.commands import alignbench as run_command
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.samples import BASE


class Workers(FakePool, LetterEmbedder):
    """Samples and embeds."""


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    pool = Workers()
    monkeypatch.setattr("alignbench.engines.workers.pool.WorkerPool", lambda **_: pool)
    return pool


def test_samples_are_stored_and_scored(workers: Workers, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    result = alignbench.sample(
        ["Why do people keep diaries?", Prompt("city", "What makes a good city?")],
        ["demo-base", "demo-smollm2"],
        n=2,
        sampling=Sampling(max_tokens=8),
        db=tmp_path / "runs.db",
        progress=lambda *progress: steps.append(progress),
    )
    assert steps == [("sampling", done, 8) for done in range(1, 9)]
    assert {(row.condition, row.prompt_id, row.sample, row.status) for row in result.samples} == {
        (name, prompt, i, "done")
        for name in ("demo-base", "demo-smollm2")
        for prompt in (
            result.samples[0].prompt_id,
            "city",
        )
        for i in (0, 1)
    }
    assert (result.failures, result.session) == ((), 1)
    assert all(request.sampling.max_tokens == 8 for _, request in workers.requests)
    with Store.open(result.db) as store:
        assert store.session(1).reference == "demo-smollm2"
        assert sorted(row.text for row in store.samples(1)) == sorted(row.text for row in result.samples)


def test_a_condition_is_a_value_or_has_a_name(workers: Workers, tmp_path: Path) -> None:
    cold = Condition.zero_shot(BASE, name="cold", sampling=Sampling(temperature=0.0, max_tokens=4))
    result = alignbench.sample("Why?", conditions=["warm=demo-base", cold], n=1, db=tmp_path / "runs.db")
    assert [row.condition for row in result.samples] == ["warm", "cold"]
    assert {request.sampling.temperature for _, request in workers.requests} == {0.0, 0.7}
    with pytest.raises(InputError, match="would be called 'cold'"):
        alignbench.sample("Why?", conditions=[cold, cold], db=tmp_path / "runs.db")


def test_a_cell_that_fails_is_a_failure_and_raises_nothing(workers: Workers, tmp_path: Path) -> None:
    workers.fail["demo-base"] = "no room"
    result = alignbench.sample("Why?", ["demo-base", "demo-smollm2"], n=1, db=tmp_path / "runs.db")
    assert [(each.condition, each.message) for each in result.failures] == [("demo-base", "no room")]
    assert {row.condition: row.status for row in result.samples} == {"demo-base": "error", "demo-smollm2": "done"}


def test_sampling_stops_where_it_is_told_to(workers: Workers, tmp_path: Path) -> None:
    workers.delay = 0.01
    stop = threading.Event()

    def after_the_first(event: RunEvent) -> None:
        if isinstance(event, SampleStored):
            stop.set()

    prompts = [f"Why {i}?" for i in range(20)]
    result = alignbench.sample(
        prompts, ["demo-smollm2"], n=1, db=tmp_path / "runs.db", on_event=after_the_first, stop=stop
    )
    statuses = [row.status for row in result.samples]
    assert statuses[0] == "done"
    assert statuses.count("done") < len(prompts)


def test_nothing_is_stored_where_a_name_means_nothing(tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    for arguments, message in (
        ({"models": ["demo-bse"]}, "demo-base"),
        ({"models": ["demo-base"], "n": 0}, "-n is 0"),
        ({"models": ["demo-base"], "reference": "gpt"}, "no condition of this run"),
        ({"models": []}, "No --model given"),
        ({"models": ["demo-smollm2"], "contexts": ["instruction"]}, "for base models"),
    ):
        with pytest.raises(InputError, match=message):
            alignbench.sample("Why?", db=db, **arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--prompt is empty"):
        alignbench.sample(" ", ["demo-base"], db=db)
    assert not db.exists()


RESPONSES = [
    {"prompt_id": f"q{p}", "condition": condition, "text": f"{word} sun{i} moon{p}"}
    for p in range(3)
    for condition, word in (("A", "warm"), ("B", "cold"))
    for i in range(2)
]


@pytest.fixture
def responses(tmp_path: Path) -> Path:
    path = tmp_path / "responses.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in RESPONSES), encoding="utf-8")
    return path


def test_a_file_is_scored_as_the_command_does_it(responses: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    scored = alignbench.score(
        file=responses, metrics=("words", "jaccard"), reference="A", resamples=100,
        progress=lambda *progress: steps.append(progress),
    )  # fmt: skip
    assert steps[-1] == ("scoring", 3, 3)
    assert (scored.source, scored.prompts, scored.samples, scored.interrupted) == (responses, 3, 12, False)
    assert scored.tables.within["A"]["words"].value == 3
    assert scored.tables.cross["B"]["jaccard"].floor is None
    assert scored.floor.reason
    options = ("--metrics", "words,jaccard", "--reference", "A", "--bootstrap", "100", "--json")
    command = run_command("score", "--file", str(responses), *options)
    assert json.loads(command.stdout) == json.loads(json.dumps(scored_json(scored)))


def test_scoring_refuses_names_that_mean_nothing(responses: Path, tmp_path: Path) -> None:
    for arguments, message in (
        ({}, "either SESSION"),
        ({"file": responses, "session": 1}, "either SESSION"),
        ({"file": responses, "metrics": ["rouge_1"]}, "rouge_l"),
        ({"file": responses, "reference": "C"}, "no condition named 'C'"),
        ({"file": responses, "mode": "papers"}, "workbench or paper"),
        ({"file": responses, "judge": "demo-smollm2"}, "--judge needs SESSION"),
        ({"session": 1, "db": tmp_path / "none.db"}, "no database"),
    ):
        with pytest.raises(InputError, match=message):
            alignbench.score(**arguments)


@pytest.mark.models
def test_a_session_of_real_models_is_sampled_and_scored(tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    drawn = alignbench.sample("Why?", ["demo-base", "demo-smollm2"], n=2, sampling=Sampling(max_tokens=6), db=db)
    assert [row.status for row in drawn.samples] == ["done"] * 4
    scored = alignbench.score(drawn.session, metrics=("jaccard", "response_logprob"), resamples=100, db=db)
    assert scored.base == "demo-base"
    assert scored.tables.within["demo-smollm2"]["response_logprob"].value is not None
    assert scored.tables.cross["demo-base"]["jaccard"].value == drawn.scores.cross["demo-base"]["jaccard"].value
