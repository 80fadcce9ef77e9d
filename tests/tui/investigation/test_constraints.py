"""The seventh view of the investigation: ladders of constraints, by condition and how many a prompt sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignbench.progress import silent
from alignbench.prompt_parts import Rung
from alignbench.spec import Prompt
from alignbench.store import Store
from alignbench.tui.dialogs.base import LineScreen
from alignbench.tui.investigation.constraints_view import constraint_lines
from alignbench.tui.investigation.study import Subject, judged_prompts, study
from alignbench.tui.investigation.view_model import InvestigationViewModel
from alignbench.tui.workbench.backends import Backends
from tests.support.app import SMALL, WIDE, line_with, make_app, ready, sampled, screen_text, shows, until
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.ladders import JUDGE, judge_ladders, ladder_session

CONDITIONS = ("three", "none")


def drawn(db: Path, session: int, width: int) -> list[str]:
    """The view of these two columns, with what is stored."""
    what = Subject(session, CONDITIONS, "three", None, (), (), (("all", 40),))
    found = study(Backends(db, FakePool(), None), what, None, "quality", silent)  # type: ignore[arg-type]
    return [line.plain for line in constraint_lines(InvestigationViewModel(found, CONDITIONS, width))]


@pytest.mark.parametrize("width", [79, 119])
def test_a_responder_that_keeps_to_the_first_three(tmp_path: Path, width: int) -> None:
    with Store.open(tmp_path / "x.db") as store:
        session = ladder_session(store, tmp_path)
    lines = drawn(tmp_path / "x.db", session, width)
    assert any("J has a model do it" in line for line in lines)
    assert not any("share of the constraints" in line for line in lines), "no curve of what is not known"
    with Store.open(tmp_path / "x.db") as store:
        judge_ladders(store, session)
    lines = drawn(tmp_path / "x.db", session, width)
    first, second = (next(i for i, line in enumerate(lines) if line.strip().startswith(sign)) for sign in ("A*", "B "))
    shares = [[line.split()[:2] for line in lines[at + 1 : at + 6]] for at in (first, second)]
    ks = ("0", "1", "3", "6", "12")
    assert shares[0] == [[k, share] for k, share in zip(ks, ("100%", "100%", "100%", "50%", "25%"), strict=True)]
    assert shares[1] == [[k, share] for k, share in zip(ks, ("100%", "0%", "0%", "0%", "0%"), strict=True)]
    assert any("lexical diversity ↑" in line for line in lines)
    assert any(f"As {JUDGE.reference} judged" in line for line in lines)
    plotted = lines[next(i for i, line in enumerate(lines) if "share of the constraints" in line) :]
    assert "A*" in plotted[1]
    assert "B" in next(line for line in plotted if line.startswith("     0 │"))
    assert all(len(line) <= width for line in lines)
    assert any("-1.000" in line for line in lines) == (width > 100), "the difference, where there is room for it"


def test_what_a_judge_is_asked(tmp_path: Path) -> None:
    with Store.open(tmp_path / "x.db") as store:
        session = ladder_session(store, tmp_path)
        asked = judged_prompts(store, session, CONDITIONS)
        assert [*asked] == ["quality", "constraints"], "no prompt is contested"
        assert asked["quality"] == asked["constraints"] | {"s0/0", "s1/0"}


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_session_without_ladders(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("I", "7")
        await shows(pilot, "No prompt of this session is part of a ladder: F2 on the Bench has stories")
        titles = line_with(app, "1 findings")
        assert "6 pluralism" in titles
        assert ("7 constraints" if size == WIDE else "7 ladders") in titles


async def test_a_model_judges_what_the_view_is_of_first(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    reply = json.dumps({"answers": [{"reason": "It does.", "satisfied": "yes"}]})
    app = make_app(db, FakePool(texts={"demo-aligned": [reply]}), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.prompt = Prompt("s/1", "Write. It rains.", rung=Rung("s", ("It rains.",)))
        app.workbench.changed()
        await sampled(pilot, app)
        await pilot.press("I", "7")
        await shows(pilot, "Nobody has judged which constraints responses keep to: J has a model do it")
        await pilot.press("J")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("enter")
        await shows(pilot, "judged; no better than that judge", "100%")
        assert "Ladders of constraints" in screen_text(app), "the view stays"
    with Store.read(db) as store:
        kinds = [row.judgment.kind for row in store.judgments(1)]
        assert kinds == ["constraints"] * 10 + ["quality"] * 10
