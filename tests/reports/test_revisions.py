"""Conditions of one model at several revisions, and the table and the figure along them."""

from __future__ import annotations

from dataclasses import replace

from alignbench.reports.figures import figures
from alignbench.reports.revisions import ladder_section, revision_ladders
from alignbench.reports.sections import sections
from alignbench.spec import Condition, Context, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support.reported import report
from tests.support.samples import result


def stage(name: str, revision: str, kind: str = "aligned", **changes: object) -> Condition:
    model = Model(name, f"hf:org/model{revision}", kind)  # type: ignore[arg-type]
    return replace(Condition.zero_shot(model, name=name), **changes)  # type: ignore[arg-type]


LADDER = [stage("base", "", "base"), stage("sft", "@sft"), stage("dpo", "@dpo")]


def test_revisions_of_one_model_that_differ_in_nothing_else_are_a_ladder() -> None:
    warm = [
        stage(f"{name} warm", at, sampling=Sampling(temperature=1.0)) for name, at in (("sft", "@sft"), ("x", "@x"))
    ]
    alone = stage("in context", "@sft", "base", context=Context("plain", name="c", instruction="Be nice."))
    other = Condition.zero_shot(Model("file", "llama:/x@1.gguf", "base"), name="file")
    again = stage("sft again", "@sft", seed=7)
    ladders = revision_ladders([LADDER[0], other, *warm, alone, *LADDER[1:], again])
    assert ladders == (("base", "sft", "dpo"), ("sft warm", "x warm"))
    assert revision_ladders([LADDER[0], other, alone]) == ()


def test_the_revisions_of_an_adapter_are_a_ladder_and_those_of_its_base_are_not() -> None:
    first, last, scaled = (stage(name, f"@v1+org/lora@{name}") for name in ("s100", "s200", "s200*0.5"))
    assert revision_ladders([*LADDER, first, last, scaled]) == (("base", "sft", "dpo"), ("s100", "s200"))


def test_an_experiment_file_may_name_its_ladders() -> None:
    apart = Condition.zero_shot(Model("rl", "hf:org/model-rl", "aligned"), name="rl")
    named = [["base", "sft", "gone", "rl"]]
    assert revision_ladders([*LADDER, apart], named) == (("base", "sft", "rl"),)


def test_the_table_and_the_figure_go_from_stage_to_stage(store: Store) -> None:
    for p in range(3):
        for condition in LADDER:
            cell = store.add_cell(1, Prompt(f"q{p}", f"Why {p}?"), condition, 2)
            for i in range(2):
                store.add_sample(cell, result(i, f"{condition.name} sun{i}. Moon {p}."))
    session_report = report(store)
    assert session_report.meta.ladders == (("base", "sft", "dpo"),)
    section = ladder_section(session_report, session_report.meta.ladders[0])
    assert [row[:2] for row in section.rows] == [
        ("base", "hf:org/model"),
        ("sft", "hf:org/model@sft"),
        ("dpo", "hf:org/model@dpo"),
    ]
    assert all(len(row) == len(section.columns) for row in section.rows)
    assert "similarity to chat" in " ".join(section.columns)
    assert section in sections(session_report)
    (drawn,) = (figure for figure in figures(session_report) if figure.name == "ladder")
    assert drawn.svg().startswith("<svg")
    assert drawn.panels == 5
