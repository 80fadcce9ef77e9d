"""`alignbench versions`: what the columns of a session have been, and how two of them differ."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from alignbench import paths
from alignbench.spec import Condition, Model, Prompt, Sampling
from alignbench.store import Store
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.persistence import create
from alignbench.tui.workbench.state import Bench
from tests.support.commands import alignbench
from tests.support.samples import result

BASE = Condition.zero_shot(Model("demo-base", "demo-base", "base"))
WARM = replace(BASE, name="demo-base 2", sampling=Sampling(temperature=1.0))
ALIGNED = Condition.zero_shot(Model("demo-smollm2", "demo-smollm2", "aligned"))


@pytest.fixture
def session() -> int:
    """A session of the app, with a column that was changed."""
    bench = Bench(columns=[Column(WARM, 5, (BASE, WARM)), Column(ALIGNED)], reference=ALIGNED.name)
    with Store.open(paths.default_database()) as store:
        session = create(store, bench)
        for condition, n in ((BASE, 2), (WARM, 1), (ALIGNED, 1)):
            cell = store.add_cell(session, Prompt("q", "Why?"), condition, n)
            for i in range(n):
                store.add_sample(cell, result(i, "So."))
    return session


def lines(*arguments: object) -> list[dict[str, object]]:
    ran = alignbench("versions", *map(str, arguments), "--json")
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_versions_are_listed_column_by_column(session: int) -> None:
    listed = [
        tuple(each[key] for key in ("column", "version", "condition", "current", "samples")) for each in lines(session)
    ]
    assert listed == [
        ("demo-base 2", 1, "demo-base", False, 2),
        ("demo-base 2", 2, "demo-base 2", True, 1),
        ("demo-smollm2", 1, "demo-smollm2", True, 1),
    ]
    assert "zero-shot" in alignbench("versions", str(session)).stdout


def test_two_are_compared_by_name_or_number(session: int) -> None:
    for names in (("demo-base", "demo-base 2"), ("demo-base 2:1", "demo-base 2:2")):
        (compared,) = lines(session, "--compare", names[0], "--compare", names[1])
        assert compared["differences"] == [{"what": "temperature", "before": "0.7", "after": "1"}]
        assert compared["scores"]["jaccard"].keys() == {"reference", "before", "after"}
        assert compared["scores"]["jaccard"]["reference"] == ALIGNED.name
    assert (
        "temperature"
        in alignbench("versions", str(session), "--compare", "demo-base", "--compare", "demo-base 2").stdout
    )


def test_a_session_of_the_command_line_has_one_version_of_each_condition() -> None:
    with Store.open(paths.default_database()) as store:
        session = store.create_session("bare")
        store.add_cell(session, Prompt("q", "Why?"), BASE, 1)
    assert [(each["column"], each["version"]) for each in lines(session)] == [("demo-base", 1)]


def test_a_layout_that_cannot_be_read_is_said(session: int) -> None:
    with Store.open(paths.default_database()) as store:
        store.set_layout(session, {"columns": [{"n": "many"}]})
    ran = alignbench("versions", str(session), "--json")
    assert ran.returncode == 0
    assert len(ran.stdout.splitlines()) == 3
    assert f"how session {session} was left" in ran.stderr


def test_what_cannot_be_compared_is_one_message(session: int) -> None:
    for arguments, message in (
        (("--compare", "demo-base"), "is given 1 times; expected two"),
        (("--compare", "demo-base", "--compare", "demo-bse"), "Did you mean demo-base"),
        (("--compare", "demo-base", "--compare", "demo-base 2:3"), "expected a condition or COLUMN:NUMBER"),
    ):
        ran = alignbench("versions", str(session), *arguments)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert message in ran.stderr
    assert "no session 9" in alignbench("versions", "9").stderr
