"""The release's layout out and in again: the same session."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignbench.errors import InputError
from alignbench.importing.save import save_import
from alignbench.overton.read import read_dataset
from alignbench.overton.write import export_overton
from alignbench.prompt_parts import Turn
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.judged import fill, judgment
from tests.support.paper_data import OVERTON, needs_paper_data
from tests.support.samples import BASE, result


def everything(store: Store, session: int) -> dict[str, Any]:
    """All that a session holds, without numbers of rows and times."""
    return {
        "prompts": store.prompts(session),
        "reference": store.session(session).reference,
        "conditions": store.conditions(session),
        "samples": [
            (r.condition, r.prompt_id, r.sample, r.status, r.text, r.raw_text, r.finish_reason, r.error)
            for r in store.samples(session)
        ],
        "rendered": [store.rendered(cell.id) for cell in store.cells(session)],
        "judgments": {
            (r.condition, r.prompt_id, r.sample, r.reference, r.reference_sample, r.judgment.kind, r.judgment.judge,
             r.judgment.template_hash, r.judgment.status, str(r.judgment.fields), r.judgment.reply)
            for r in store.judgments(session)
        },
        "pairs": store.pair_scores(session, "bertscore_f1"),
        "hints": {(h.prompt_hash, h.level, h.text, h.maker, h.source_condition) for h in store.hints(session)},
        "hinted": [bool(store.cell_hint(cell.id)) for cell in store.cells(session)],
        "facts": store.manifest(session)["imported"]["conditions"],
    }  # fmt: skip


@needs_paper_data
def test_the_release_comes_back_the_same(tmp_path: Path) -> None:
    with Store.open(tmp_path / "runs.db") as store:
        first = save_import(store, read_dataset(OVERTON / "LIMA-OE")).session
        made = export_overton(store, first, tmp_path / "out")
        again = save_import(store, read_dataset(made)).session
        before, after = everything(store, first), everything(store, again)
    for part, value in before.items():
        assert after[part] == value, part


def test_a_session_of_our_own_can_go_out_too(tmp_path: Path) -> None:
    with Store.open(tmp_path / "runs.db") as store:
        samples = fill(store)
        for cell in store.cells(1):
            store.set_rendered(cell.id, f"[INST] {cell.prompt_id} [/INST]")
        store.add_judgments(1, [judgment("stance", row, stance="yes") for row in samples.values()])
        imported = save_import(store, read_dataset(export_overton(store, 1, tmp_path / "out")))
        assert (imported.dataset, imported.samples, imported.errors) == ("judged", 8, 0)
        texts = {(r.prompt, r.condition, r.sample): r.text for r in store.samples(1)}
        assert {(r.prompt, r.condition, r.sample): r.text for r in store.samples(imported.session)} == texts
        assert [r.status for r in store.samples(imported.session)] == ["done"] * 8
        with pytest.raises(InputError, match="is there already"):
            export_overton(store, 1, tmp_path / "out")


def test_a_conversation_has_no_place_in_it(tmp_path: Path) -> None:
    with Store.open(tmp_path / "runs.db") as store:
        session = store.create_session("own")
        prompt = Prompt("q", "Why?", earlier=(Turn("system", "Be brief."),))
        store.add_sample(store.add_cell(session, prompt, Condition.zero_shot(BASE), 1), result(0, "So."))
        with pytest.raises(InputError, match="The prompt 'q' comes after other messages"):
            export_overton(store, session, tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("of_base", [True, False])
def test_samples_come_back_under_their_index_and_as_they_ended(tmp_path: Path, of_base: bool) -> None:
    with Store.open(tmp_path / "runs.db") as store:
        session = store.create_session("own", reference="demo-base")
        cell = store.add_cell(session, Prompt("q", "Why?"), Condition.zero_shot(BASE), 6)
        store.set_rendered(cell, "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n" if of_base else "[INST] Why? [/INST]")
        for i, (text, raw, finish) in enumerate(
            (
                ("stopped", "stopped```", "stop"),
                ("ended", "ended", "stop"),
                ("cut", "cut", "length"),
                ("x", "x", "cancelled"),
            )
        ):
            store.add_sample(cell, result(i, text, finish, raw_text=raw))
        store.add_sample(cell, result(5, "after a gap", raw_text="after a gap```"))
        rows = {row.sample: row for row in store.samples(session)}
        judged = judgment("stance", rows[2].id, stance="no")
        store.add_judgments(session, [replace(judged, reply=json.dumps({"rationale": "", "stance": "no"}))])
        again = save_import(store, read_dataset(export_overton(store, session, tmp_path / "out"))).session
        assert [(r.sample, r.status, r.text, r.finish_reason, r.error) for r in store.samples(again)] == [
            (0, "done", "stopped", "stop", None),
            (1, "done", "ended", "stop", None),
            (2, "done", "cut", "length", None),
            (3, "error", "", "error", "cancelled"),
            (4, "error", "", "error", "not sampled"),
            (5, "done", "after a gap", "stop", None),
        ]
        assert [(r.sample, dict(r.judgment.fields)) for r in store.judgments(again)] == [(2, {"stance": "no"})]


def test_a_name_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path / "runs.db") as store:
        session = store.create_session("s")
        store.add_cell(session, Prompt("q", "Why?"), Condition.zero_shot(BASE, name="../x"), 1)
        with pytest.raises(InputError, match="cannot be the name of a folder"):
            export_overton(store, session, tmp_path / "out")
        assert not (tmp_path / "out").exists()
