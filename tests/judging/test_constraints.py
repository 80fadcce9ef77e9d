"""Ladders of constraints: made, judged and reported, with a responder that keeps to the first three."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.judging.plan import plan_judging
from alignbench.judging.replies import read_reply
from alignbench.judging.templates import judge_template
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.prompt_fields import RUNGS
from alignbench.prompt_parts import Rung
from alignbench.prompts import load_prompts
from alignbench.reports.constraint_figure import constraint_figure
from alignbench.reports.constraint_ladders import (
    NO_JUDGMENTS,
    SATISFIED,
    ConstraintLadders,
    constraint_ladders,
    constraint_section,
    read_satisfied,
)
from alignbench.reports.constraints_to_json import constraints_json
from alignbench.scoring.responses import SessionResponses
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.ladders import JUDGE, KNOWN, judge_ladders, ladder_file, ladder_session
from tests.support.samples import BASE, result


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., tuple[Store, int]]:
    def make() -> tuple[Store, int]:
        store = Store.open(tmp_path / "ladders.db")
        session = ladder_session(store, tmp_path)
        judge_ladders(store, session)
        return store, session

    return make


def ladders(store: Store, session: int) -> ConstraintLadders:
    rungs = {prompt.id: prompt.rung for prompt in store.prompts(session) if prompt.rung is not None}
    read = constraint_ladders(
        rungs, SessionResponses(store, session), read_satisfied(store, session), ("jaccard", "words"), WORKBENCH,
        None, "three", Uncertainty(resamples=100),
    )  # fmt: skip
    assert read is not None
    return read


def test_a_prompt_with_constraints_is_a_ladder_of_prompts(tmp_path: Path) -> None:
    prompts = load_prompts(str(ladder_file(tmp_path, 1)))
    assert [prompt.id for prompt in prompts] == [f"s0/{k}" for k in RUNGS]
    assert prompts[0] == Prompt("s0/0", "Write about 0.", "ladders", rung=Rung("s0"))
    assert prompts[2].text == "Write about 0.\n\nKeep to all of these constraints:\n1. says w1\n2. says w2\n3. says w3"
    assert [prompt.rung and prompt.rung.k for prompt in prompts] == [*RUNGS]
    short = tmp_path / "short.csv"
    short.write_text("id,prompt,constraints\na,Write.,one | two | three | four\n")
    assert [prompt.id for prompt in load_prompts(str(short))] == ["a/0", "a/1", "a/3"]


def test_the_stories_that_ship() -> None:
    prompts = load_prompts("stories")
    assert len(prompts) == 8 * len(RUNGS)
    tops = [prompt.rung for prompt in prompts if prompt.rung is not None and prompt.rung.k == 12]
    assert len(tops) == 8
    assert len({each for rung in tops for each in rung.constraints}) == 8 * 12


def test_a_responder_that_satisfies_the_first_three(judged: Callable[..., tuple[Store, int]]) -> None:
    store, session = judged()
    with store:
        read = ladders(store, session)
        three, none = read.conditions["three"], read.conditions["none"]
        assert [rung.k for rung in three] == [*RUNGS]
        assert [rung.scores[SATISFIED].value for rung in three] == pytest.approx(KNOWN)
        assert [rung.scores[SATISFIED].value for rung in none] == pytest.approx([1.0, 0.0, 0.0, 0.0, 0.0])
        assert [rung.scores[SATISFIED].n for rung in three] == [2] * 5
        assert all(rung.scores["jaccard"].value is not None for rung in three)
        assert none[2].differences[SATISFIED].value == pytest.approx(-1.0)
        assert SATISFIED not in none[0].differences
        section = constraint_section(read)
        assert [row[1] for row in section.rows] == [str(k) for k in RUNGS] * 2
        assert section.notes[-1] == f"Judged by {JUDGE.reference}."
        printed = constraints_json(read)
        assert [rung["scores"][SATISFIED]["value"] for rung in printed["conditions"]["three"]] == pytest.approx(KNOWN)
        figure = constraint_figure(read)
        assert figure is not None
        assert figure.panels == 3
        assert "<svg" in figure.svg()


def test_ladders_are_kept_with_the_session_and_its_export(judged: Callable[..., tuple[Store, int]]) -> None:
    from alignbench.exporting.samples import sample_rows

    store, session = judged()
    with store:
        rungs = [prompt.rung for prompt in store.prompts(session)]
        assert [rung and (rung.of, rung.k) for rung in rungs[:5]] == [("s0", k) for k in RUNGS]
        row = next(row for row in sample_rows(store, session) if row["prompt_id"] == "s0/1")
        assert row["rung"] == {"of": "s0", "constraints": ["says w1"]}


def test_the_report_has_them_as_a_table_a_figure_and_json(
    judged: Callable[..., tuple[Store, int]], tmp_path: Path
) -> None:
    store, session = judged()
    store.close()
    report = [
        "report",
        str(session),
        "--metrics",
        "jaccard,words",
        "--bootstrap",
        "100",
        "--db",
        str(tmp_path / "ladders.db"),
    ]
    ran = alignbench(*report, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    rungs = printed["constraints"]["conditions"]["three"]
    assert [rung["scores"][SATISFIED]["value"] for rung in rungs] == pytest.approx(KNOWN)
    assert printed["judged"]["constraints"]["three"]["satisfied"]["value"] == pytest.approx(sum(KNOWN[1:]) / 4)
    assert "Ladders of constraints" in alignbench(*report, "--format", "md").stdout
    drawn = alignbench(*report, "--format", "json", "--figures", str(tmp_path / "figures"))
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "figures" / "constraints.svg").exists()


def test_without_judgments_the_reason_stands_there(tmp_path: Path) -> None:
    with Store.open(tmp_path / "x.db") as store:
        session = store.create_session("x")
        for prompt in load_prompts(str(ladder_file(tmp_path, 1))):
            store.add_sample(store.add_cell(session, prompt, Condition.zero_shot(BASE), 1), result(0, "w1"))
        rungs = {prompt.id: prompt.rung for prompt in store.prompts(session) if prompt.rung is not None}
        read = constraint_ladders(
            rungs, SessionResponses(store, session), ("", {}), ("words",), WORKBENCH, None, None, Uncertainty()
        )
        assert read is not None
        (of_base,) = read.conditions.values()
        assert of_base[0].scores[SATISFIED].value == 1.0
        assert of_base[1].scores[SATISFIED].reason == NO_JUDGMENTS
        shown = constraint_section(read)
        assert [row[2] for row in shown.rows] == ["100%", "-", "-", "-", "-"], "why is said once"
        assert shown.notes[-1] == f"Constraints are {NO_JUDGMENTS}."
        alone = store.create_session("alone")
        store.add_sample(store.add_cell(alone, Prompt("a", "Why?"), Condition.zero_shot(BASE), 1), result(0, "So."))
        with pytest.raises(InputError, match="no finished samples of prompts that set constraints"):
            plan_judging(store, alone, "constraints", JUDGE)
        assert constraint_ladders(
            {}, SessionResponses(store, alone), ("", {}), (), WORKBENCH, None, None, Uncertainty()
        ) is None  # fmt: skip


def test_a_reply_on_fewer_constraints_is_invalid() -> None:
    template = judge_template("constraints")
    reply = json.dumps({"answers": [{"reason": "x", "satisfied": "yes"}, {"reason": "y", "satisfied": "no"}]})
    assert read_reply(template, reply, n=2).fields == {"satisfied": [True, False]}
    short = read_reply(template, reply, n=3)
    assert (short.status, short.reason) == ("invalid", "answers on 2 constraints; expected 3")


def test_a_judge_reads_the_constraints_of_the_rung() -> None:
    asked = judge_template("constraints").ask("Write.", ["A text."], constraints=["one", "two"])
    assert "<constraints>\n1. one\n2. two\n</constraints>" in asked
    assert replace(judge_template("constraints"), kind="quality").schema_of(3) == judge_template("constraints").schema
