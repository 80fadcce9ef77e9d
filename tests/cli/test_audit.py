"""`alignbench audit`: what differs between conditions beside what is under study."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignbench import paths
from alignbench.spec import NOT_RECORDED, Condition, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.samples import result

HUMAN = Condition.zero_shot(Model("people", "imported:people", "aligned"))
MACHINE = Condition.zero_shot(Model("machine", "imported:machine", "aligned"), sampling=Sampling(temperature=1.0))
WARM = replace(HUMAN, name="warm", sampling=Sampling(temperature=1.0), seed=3)


@pytest.fixture
def session() -> int:
    """Two prompts under three conditions of models that cannot be loaded."""
    with Store.open(paths.default_database()) as store:
        session = store.create_session("texts", reference="people")
        for prompt in (Prompt("q1", "Why?"), Prompt("q2", "How?")):
            for condition, end in ((HUMAN, "stop"), (MACHINE, "length"), (WARM, "stop")):
                cell = store.add_cell(session, prompt, condition, 2)
                for i in range(2):
                    store.add_sample(cell, result(i, "So.", end))
    return session


def audited(*arguments: object) -> dict[str, Any]:
    ran = alignbench("audit", *map(str, arguments), "--json")
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def of_kind(audit: dict[str, Any], condition: str, kind: str) -> dict[str, tuple[str, str]]:
    return {
        row["what"]: (row["condition"], row["reference"])
        for row in audit["conditions"][condition]["differences"]
        if row["kind"] == kind
    }


def test_conditions_are_compared_with_the_reference(session: int) -> None:
    audit = audited(session)
    assert (audit["reference"], audit["prompt"], audit["over"]) == ("people", "q1", None)
    assert [*audit["conditions"]] == ["machine", "warm"]
    assert audit["conditions"]["machine"]["study"] == ["model"]
    assert of_kind(audit, "machine", "confound") == {
        "temperature": ("1", "0.7"),
        "cut by length": ("4 of 4 (100%)", "0 of 4 (0%)"),
    }
    assert of_kind(audit, "machine", "studied") == {"model": ("imported:machine", "imported:people")}
    assert of_kind(audit, "warm", "studied") == {"temperature": ("1", "0.7")}
    assert of_kind(audit, "warm", "confound") == {"seed": ("3", "0")}
    assert of_kind(audit, "warm", "same")["samples"] == ("4", "4")
    assert any("imported" in problem for problem in audit["conditions"]["warm"]["problems"])


def test_what_nobody_recorded_is_not_called_the_same(session: int, tmp_path: Path) -> None:
    rows = [{"prompt_id": "q", "prompt": "Why?", "condition": name, "text": "So."} for name in ("one", "two")]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert alignbench("import", "jsonl", str(file)).returncode == 0
    audit = audited(session + 1)
    unknown = of_kind(audit, "two", "unknown")
    assert {"temperature", "max tokens", "cut by length"} <= set(unknown)
    assert set(unknown.values()) == {(NOT_RECORDED, NOT_RECORDED)}
    assert set(of_kind(audit, "two", "same")) == {"n", "samples"}
    said = alignbench("audit", str(session + 1)).stdout
    assert "two against one. Not recorded of either: each may differ" in said
    assert "No difference" not in said


def test_one_condition_another_reference_and_one_prompt_may_be_named(session: int) -> None:
    audit = audited(session, "--condition", "people", "--reference", "machine", "--prompt", "q2")
    assert (audit["reference"], audit["prompt"], audit["over"], [*audit["conditions"]]) == (
        "machine",
        "q2",
        "q2",
        ["people"],
    )
    assert of_kind(audit, "people", "confound")["cut by length"] == ("0 of 2 (0%)", "2 of 2 (100%)")


def test_for_people_it_is_titled_and_says_what_was_not_compared(session: int) -> None:
    ran = alignbench("audit", str(session), "--condition", "machine")
    assert "machine against people. Differences that are not under study: each may explain" in ran.stdout
    assert "machine against people. Under study: model" in ran.stdout
    assert "prompt and weights are not compared: machine: " in ran.stderr


def test_what_cannot_be_compared_is_one_message(session: int) -> None:
    for arguments, message in (
        ((session, "--condition", "machin"), "Did you mean machine?"),
        ((session, "--reference", "nobody"), "no condition named 'nobody'"),
        ((session, "--condition", "people"), "people is the reference itself"),
        ((session, "--prompt", "q3"), "has no prompt 'q3'"),
        ((9,), "no session 9"),
    ):
        ran = alignbench("audit", *map(str, arguments))
        assert (ran.returncode, ran.stdout) == (2, "")
        assert message in ran.stderr
        assert ran.stderr.count("\n") == 1
    with Store.open(paths.default_database()) as store:
        store.create_session("empty")
    assert "compares two or more" in alignbench("audit", "2").stderr


@pytest.mark.models
def test_prompts_are_compared_as_models_get_them() -> None:
    base = Condition.zero_shot(Model("demo-base", "demo-base", "base"))
    aligned = Condition.zero_shot(Model("demo-smollm2", "demo-smollm2", "aligned"))
    with Store.open(paths.default_database()) as store:
        session = store.create_session("models", reference="demo-smollm2")
        for condition in (base, aligned):
            store.add_cell(session, Prompt("q", "Why do people keep diaries?"), condition, 1)
    audit = audited(session)
    compared = audit["conditions"]["demo-base"]
    assert compared["problems"] == []
    assert "template" in of_kind(audit, "demo-base", "confound")
    assert {"weights", "prompt tokens"} <= of_kind(audit, "demo-base", "studied").keys()
