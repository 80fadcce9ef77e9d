"""What users' functions said of a session is kept with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alignbench.metrics.registry import METRICS
from alignbench.own_metrics.declaration import Declaration
from alignbench.own_metrics.registration import forget, registered
from alignbench.reports.options import session_options
from alignbench.scoring.own_scores import OTHER_SAMPLES, kept_scores
from alignbench.store import CellScore, Store
from alignbench.tui.scores.screen import ScoresScreen
from tests.support.app import WIDE, make_app, ready, sampled, screen_text, shows, until
from tests.support.commands import alignbench
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.judged import fill
from tests.support.samples import result

Written = Callable[..., Path]

MINE = """
import alignbench

@alignbench.metric(title="letters used", direction="more is more diverse")
def letters(texts):
    return len(set("".join(texts)))

def same_length(a, b):
    return float(len(a) == len(b))
"""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "runs.db"
    with Store.open(path) as store:
        fill(store)
    return path


def report(db: Path, *more: str) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    ran = alignbench("report", "1", "--db", str(db), "--format", "json", "--bootstrap", "50", *more)
    assert ran.returncode == 0, ran.stderr
    tables: dict[str, dict[str, dict[str, dict[str, object]]]] = json.loads(ran.stdout)
    return tables


def test_a_report_has_them_without_the_function(db: Path, written: Written) -> None:
    mine = written(MINE)
    asked = f"{mine}:letters,{mine}:same_length"
    ran = alignbench("score", "--session", "1", "--db", str(db), "--metrics", asked, "--bootstrap", "50", "--json")
    scored = json.loads(ran.stdout)
    forget()
    mine.unlink()
    told = report(db)
    for name in ("demo-base", "demo-smollm2"):
        for metric in ("letters", "same_length"):
            own = {key: scored["within"][name][metric][key] for key in ("value", "ci", "n")}
            assert {key: told["within"][name][metric][key] for key in own} == own
    for key in ("value", "ceiling", "mmd2", "null", "n"):
        assert told["cross"]["demo-base"]["same_length"][key] == scored["cross"]["demo-base"]["same_length"][key], key
    notes = " ".join(map(str, told["meta"]["notes"]))
    assert "letters: kept from 20" in notes
    assert f"{mine} is gone" in notes
    assert METRICS["letters"].title == "letters used"
    page = alignbench("report", "1", "--db", str(db), "--format", "md", "--bootstrap", "50").stdout
    assert "letters used ↑" in page


def test_scored_again_the_new_version_takes_their_place(db: Path, written: Written) -> None:
    for text in (MINE, MINE.replace("return len(set", "return 100 + len(set")):
        mine = written(text)
        ran = alignbench(
            "score", "--session", "1", "--db", str(db), "--metrics", f"{mine}:letters", "--bootstrap", "50"
        )
        assert ran.returncode == 0, ran.stderr
    with Store.read(db) as store:
        kept = kept_scores(store, 1)
    assert {score.version for score in kept.scores} == {METRICS["letters"].version}
    assert all(score.value is not None and score.value > 100 for score in kept.scores)
    assert kept.metrics["letters"].state == ""
    mine.write_text(MINE)
    assert kept.metrics["letters"].state == f"{mine} has changed since"


def test_values_of_other_samples_are_not_shown(db: Path, written: Written) -> None:
    mine = written(MINE)
    alignbench("score", "--session", "1", "--db", str(db), "--metrics", f"{mine}:letters", "--bootstrap", "50")
    forget()
    with Store.open(db) as store:
        for cell in store.cells(1):
            if cell.condition == "demo-base":
                store.add_sample(cell.id, result(7, "more"))
    told = report(db)
    assert told["within"]["demo-base"]["letters"]["value"] is None
    assert told["within"]["demo-base"]["letters"]["reason"] == OTHER_SAMPLES
    assert told["within"]["demo-smollm2"]["letters"]["value"] is not None


async def test_the_app_adds_a_function_runs_it_and_keeps_what_it_says(tmp_path: Path, written: Written) -> None:
    mine = written(MINE)
    texts = {"demo-smollm2": ["abc", "abd"], "demo-base": ["x", "xyz"]}
    app = make_app(tmp_path / "x.db", FakePool(texts=texts), LetterEmbedder())
    async with app.run_test(size=(WIDE[0], 70), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen))
        await pilot.press("n", *f"{mine}:nothing", "enter")
        await until(pilot, lambda: "no function 'nothing'" in " ".join(note.message for note in app._notifications))
        await pilot.press("n", *f"{mine}:letters", "enter")
        await until(pilot, lambda: "letters used ↑" in screen_text(app))
        await shows(pilot, "others", "letters used ↑")

        def kept() -> int:
            with Store.read(tmp_path / "x.db") as store:
                return len(store.cell_scores(1))

        await until(pilot, lambda: kept() == 2)


def test_a_function_of_an_experiment_that_is_gone_is_null_with_that_reason(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with Store.open(path) as store:
        fill(store)
        store.set_manifest(1, {"experiment": {"metrics": ["words", f"{tmp_path}/gone.py:letters"]}})
    told = report(path)
    assert [*told["within"]["demo-base"]][:2] == ["words", "letters"]
    assert told["within"]["demo-base"]["letters"]["value"] is None
    assert f"there is no file {tmp_path}/gone.py" in str(told["within"]["demo-base"]["letters"]["reason"])


def test_a_file_that_a_database_alone_names_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = tmp_path / "ran"
    theirs = tmp_path / "theirs.py"
    theirs.write_text(f"open({str(ran)!r}, 'w')\ndef letters(texts):\n    return 1.0\n")
    path = tmp_path / "runs.db"
    with Store.open(path) as store:
        fill(store)
        store.set_manifest(1, {"experiment": {"metrics": ["words", f"{theirs}:letters"]}})
    told = report(path)
    assert told["within"]["demo-base"]["letters"]["value"] is None
    assert "was never named by you" in str(told["within"]["demo-base"]["letters"]["reason"])
    monkeypatch.setenv("HOME", str(tmp_path))
    with Store.open(path) as store:
        for metric in ("~/theirs.py:letters", f"{'x' * 300}.py:letters", "nul\0.py:letters"):
            store.set_manifest(1, {"experiment": {"metrics": [metric]}})
            assert session_options(store, 1).metrics == ("letters",)
            del METRICS["letters"]
        store.set_manifest(1, {"experiment": {"metrics": ["words", f"{theirs}:letters"]}})
    assert not ran.exists()
    registered([f"{theirs}:letters"])
    METRICS.pop("letters")
    assert report(path)["within"]["demo-base"]["letters"]["value"] == 1.0


@pytest.mark.parametrize(
    "wrong",
    [{"direction": "up"}, {"low": "a"}, {"needs": ["all"]}, {"title": 3}, {"of": "all"}, {"seconds": None}, {"no": 1}],
    ids=repr,
)
def test_what_no_declaration_can_say_is_left_out(db: Path, wrong: dict[str, object]) -> None:
    facts = {"origin": "/nowhere/mine.py:letters", "declared": {**Declaration("letters").facts(), **wrong}}
    with Store.open(db) as store:
        for name, given in (("whole", {**facts, "declared": Declaration("whole").facts()}), ("letters", facts)):
            store.keep_cell_scores(1, [CellScore(name, "1", "q0", "demo-base", None, "", 1.0, 2)], given)
        kept = kept_scores(store, 1)
    assert [*kept.metrics] == ["whole"]
    kept.register()
