"""The Bench with a fake pool and a real database."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alignbench.engines.protocol import SampleRequest, Sink
from alignbench.prompts import load_prompts
from alignbench.scoring.model_based.alignment_gap import no_kl
from alignbench.spec import Model, Prompt, Sampling
from alignbench.store import SampleRow, Store
from alignbench.tui.app import BenchApp
from alignbench.tui.dialogs.condition import ConditionScreen
from alignbench.tui.dialogs.prompts import PromptsScreen
from alignbench.tui.widgets.inputs import PlainArea, PlainInput
from alignbench.tui.workbench import persistence
from alignbench.tui.workbench.bench_scores import BenchScores
from alignbench.tui.workbench.comparison_values import ScoreTable
from alignbench.tui.workbench.state import THIS_SESSION
from tests.support.app import SMALL, WIDE, bench_of, heads, make_app, ready, rows, sampled, screen_text, shows, until
from tests.support.fakes import FakePool
from tests.support.waiting import LIMIT


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_opens_ready_to_sample(tmp_path: Path, size: tuple[int, int]) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        assert [column.name for column in bench.columns] == ["demo-aligned", "demo-base"]
        assert bench.reference == "demo-aligned"
        assert bench.prompt.set == "open-ended"
        keys = ("F1", "F2", "F3", "F5", "F7", "F8")
        await shows(pilot, bench.prompt.text, *keys, "Scores", "demo-aligned", "demo-base")
        assert "Esc" not in screen_text(app)
        assert not db.exists(), "looking must not make a session"
        await sampled(pilot, app)
        assert {(row.condition, row.sample, row.status) for row in rows(db)} == {
            (name, i, "done") for name in ("demo-aligned", "demo-base") for i in range(5)
        }
        await until(pilot, lambda: "5/5" in screen_text(app))
        await until(pilot, lambda: app.workbench.scores().within["words"][0].value is not None)
        await until(pilot, lambda: ".000" in screen_text(app) or "±" in screen_text(app))


async def test_a_score_that_is_drawn_as_soon_as_it_is_there_is_of_all_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app draws between two steps of the thread that samples, whichever they are."""
    drawn, take, add = threading.Event(), BenchApp._take, BenchScores.add

    def take_and_tell(self: BenchApp) -> None:
        take(self)
        drawn.set()

    def add_and_wait(self: BenchScores, row: SampleRow) -> None:
        add(self, row)
        drawn.clear()
        drawn.wait(1.0)

    monkeypatch.setattr(BenchApp, "_take", take_and_tell)
    monkeypatch.setattr(BenchScores, "add", add_and_wait)
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await shows(pilot, "A* n 5", "B n 5")


async def test_cancel_keeps_what_was_generated(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(delay=0.05))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: screen.sample is not None and screen.sample.n_tokens > 1)
        await shows(pilot, "Esc")
        await pilot.press("escape")
        await until(pilot, lambda: not app.workbench.busy)
        stored = rows(db)
        assert stored
        assert {row.status for row in stored} == {"cancelled"}
        assert all(row.text for row in stored)
        await until(pilot, lambda: "cancelled at" in screen_text(app) and "Esc" not in screen_text(app))
        await sampled(pilot, app)
        assert {row.status for row in rows(db)} == {"done"}


async def test_cancel_one_sample(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(delay=0.05))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: screen.sample is not None and screen.sample.n_tokens > 1)
        await pilot.press("down", "c")
        await until(pilot, lambda: not app.workbench.busy)
        assert [(row.condition, row.sample) for row in rows(db) if row.status == "cancelled"] == [("demo-aligned", 1)]


async def test_quit_while_sampling_keeps_samples(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(delay=0.05))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: screen.sample is not None and screen.sample.n_tokens > 1)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)
    assert len(rows(db)) == 10
    assert {row.status for row in rows(db)} == {"cancelled"}


async def test_a_model_that_fails_leaves_the_other_column_alone(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    pool = FakePool(fail={"demo-base": "weights.gguf is no GGUF file. Download it again."})
    app = make_app(db, pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        by_name = {name: [r.status for r in rows(db) if r.condition == name] for name in ("demo-aligned", "demo-base")}
        assert by_name == {"demo-aligned": ["done"] * 5, "demo-base": ["error"] * 5}
        await shows(pilot, "Download it again.", "failed")
        pool.fail.clear()
        await sampled(pilot, app)
        assert {row.status for row in rows(db)} == {"done"}
        await until(pilot, lambda: "Download it again." not in screen_text(app))


async def test_resample_and_more(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right", "r")
        await until(pilot, lambda: len(rows(db)) == 15 and not app.workbench.busy)
        bench = app.workbench.bench
        assert [column.name for column in bench.columns] == ["demo-aligned", "demo-base 2"]
        assert sorted(row.seed for row in rows(db) if row.condition == "demo-base 2") == [5, 6, 7, 8, 9]
        await pilot.press("plus")
        await sampled(pilot, app)
        assert sorted(row.sample for row in rows(db) if row.condition == "demo-base 2") == list(range(10))
        await pilot.press("left", "r")
        await until(pilot, lambda: len(rows(db)) == 25 and not app.workbench.busy)
        assert bench.reference == "demo-aligned 2", "the mark stays with the column"


async def test_columns(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        await pilot.press("d")
        await until(pilot, lambda: len(bench.columns) == 3)
        assert bench.column.name == "demo-aligned 2"
        assert bench.column.condition.seed == 5
        await pilot.press("asterisk")
        assert bench.reference == "demo-aligned 2"
        await pilot.press("x")
        await until(pilot, lambda: len(bench.columns) == 2)
        assert bench.reference == "demo-aligned"
        await pilot.press("x", "x")
        await until(pilot, lambda: not bench.columns)
        await until(pilot, lambda: "Press a to add one" in screen_text(app))
        await pilot.press("f5", "d", "x", "f3", "r", "enter", "y", "c", "m", "left", "up")
        assert app.screen is bench_of(app)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ConditionScreen))
        screen = app.screen
        await until(pilot, lambda: screen.query_one("#model", PlainInput).value != "")
        await pilot.press("enter")
        await until(pilot, lambda: len(bench.columns) == 1)
        assert bench.reference == bench.columns[0].name


async def test_next_and_previous_prompt(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        first = bench.prompt
        await pilot.press("right_square_bracket")
        assert bench.position == 1
        await until(pilot, lambda: bench.prompts[1].text in screen_text(app))
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert bench.position == len(bench.prompts) - 1
        await pilot.press("right_square_bracket")
        assert bench.prompt == first


async def test_the_prompt_that_runs_may_be_left(tmp_path: Path) -> None:
    """Samples go to the prompt they were asked for, whichever is on the screen."""
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(delay=0.03))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        first, second = app.workbench.bench.prompts[:2]
        await pilot.press("f5")
        await until(pilot, lambda: app.workbench.bench.session is not None)
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        assert {(row.prompt, row.status) for row in rows(db)} == {(first.text, "done"), (second.text, "done")}
        assert len(rows(db)) == 20


async def test_write_a_prompt(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        await pilot.press("e")
        await until(pilot, lambda: len(app.screen.query(PlainArea)) == 1)
        app.screen.query_one(PlainArea).text = "  "
        await pilot.press("f10")
        await until(pilot, lambda: "The prompt is empty" in screen_text(app))
        app.screen.query_one(PlainArea).text = "What is a [/] good name for a cat?\nSay why."
        await pilot.press("f10")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert bench.prompt.text == "What is a [/] good name for a cat?\nSay why."
        assert bench.prompt.id.startswith("typed-")
        await until(pilot, lambda: "[/] good name" in screen_text(app) and "own prompt" in screen_text(app))


async def test_more_columns_than_fit(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press(*"dddd")
        await until(pilot, lambda: [head[0] for head in heads(app)] == ["A", "E", "F"])
        await pilot.press("tab", "tab")
        await until(pilot, lambda: [head[0] for head in heads(app)] == ["A", "B", "C"])


def texts(table: ScoreTable) -> list[str]:
    """Every number of a table as it is shown."""
    within = [score.text for scores in table.within.values() for score in scores]
    return within + [(score or row.ceiling).text for row in table.cross.values() for score in row.scores]


async def test_reopen_shows_the_same(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("right_square_bracket", "d", "plus", "asterisk")
        await sampled(pilot, app)
        before = app.workbench.bench
        await until(pilot, lambda: "not arrived" not in str(app.workbench.scores()))
        scores = texts(app.workbench.scores())
        await shows(pilot, "matched  floor")  # computed last, on a thread of its own
        app.clear_notifications()
        await until(pilot, lambda: not app.screen.query("Toast"))
        shown = screen_text(app).splitlines()[3:-1]
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)
    with Store.open(db) as store:
        (info,) = store.sessions()
        assert info.n_samples == 20
    again = make_app(db, session=info.id)
    async with again.run_test(size=WIDE, notifications=True) as pilot:
        await until(pilot, lambda: again.workbench.bench.session == info.id)
        await until(pilot, lambda: texts(again.workbench.scores()) == scores)
        after = again.workbench.bench
        assert (after.columns, after.prompt, after.reference) == (before.columns, before.prompt, before.reference)
        for key, cell in before.cells.items():
            if cell.samples:
                assert {i: s.text for i, s in after.cells[key].samples.items()} == {
                    i: s.text for i, s in cell.samples.items()
                }
        await until(pilot, lambda: screen_text(again).splitlines()[3:-1] == shown)


async def test_the_embedded_pair_is_drawn_from_the_whole_distribution(tmp_path: Path) -> None:
    """So what the ledger and the gap say of it is a KL divergence. Models of a user have the usual settings."""
    app = make_app(tmp_path / "x.db")
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert not any(no_kl(column.condition, one_tokenizer=True) for column in app.workbench.bench.columns)
    own = make_app(tmp_path / "own.db", models=[Model("mine", "hf:org/mine", "base")])
    async with own.run_test() as pilot:
        await ready(pilot, own)
        assert own.workbench.bench.columns[0].condition.sampling == Sampling()


@pytest.mark.usefixtures("toasts_stay")
async def test_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    db.write_text("this is no database, and nothing may be written into it")
    app = make_app(db)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: any("x.db is not" in each.message for each in app._notifications))
        assert not app.workbench.busy
        assert db.read_text().startswith("this is no database")


async def test_rename_a_column_with_samples(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        bench = app.workbench.bench
        for name, expected in (("demo-base", "demo-aligned"), ("teacher", "teacher")):
            await pilot.press("f3")
            await until(pilot, lambda: isinstance(app.screen, ConditionScreen))
            app.screen.query_one("#name", PlainInput).value = name
            await pilot.press("enter")
            await until(pilot, lambda: app.screen is bench_of(app))
            await until(pilot, lambda expected=expected: bench.columns[0].name == expected)
        assert bench.reference == "teacher"
        assert {row.condition for row in rows(db)} == {"teacher", "demo-base"}
        await until(pilot, lambda: app.workbench.scores().within["words"][0].value is not None)
        await sampled(pilot, app)
        assert len(rows(db)) == 10


@dataclass
class _HeldPool(FakePool):
    """Answers a model's requests once they are let go, by name and how many came before."""

    let_go: dict[tuple[str, int], threading.Event] = field(default_factory=dict)

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        before = sum(name == model.name for name, _ in self.requests)
        self.requests.append((model.name, request))
        gate = self.let_go.get((model.name, before))

        def answer() -> None:
            assert gate is None or gate.wait(LIMIT)
            self._answer(model, request, sink)

        threading.Thread(target=answer, daemon=True).start()


async def test_a_second_run_outlives_the_end_of_the_first(tmp_path: Path) -> None:
    """A column that goes on sampling is not stopped by the end of the run that it was in before."""
    db = tmp_path / "x.db"
    base, again = threading.Event(), threading.Event()
    pool = _HeldPool(let_go={("demo-base", 0): base, ("demo-aligned", 1): again})
    app = make_app(db, pool)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        aligned = bench.columns[0]
        await pilot.press("f5")
        await until(pilot, lambda: bench.cell(aligned).done == 5 and not bench.cell(aligned).busy)
        assert app.workbench.busy
        await pilot.press("r")
        first = bench.cell(bench.columns[1]).plan
        await until(pilot, lambda: bench.cell(bench.columns[0]).busy and bench.cell(bench.columns[0]).plan is not first)
        base.set()
        await until(pilot, lambda: not bench.cell(bench.columns[1]).busy)
        again.set()
        await until(pilot, lambda: not app.workbench.busy)
        assert {row.status for row in rows(db)} == {"done"}
        assert len(rows(db)) == 15


async def test_prompts_of_the_session_are_a_set(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("e")
        await until(pilot, lambda: len(app.screen.query(PlainArea)) == 1)
        app.screen.query_one(PlainArea).text = "my own question"
        await pilot.press("f10")
        await until(pilot, lambda: app.screen is bench_of(app))
        await sampled(pilot, app)
        await pilot.press("right_square_bracket", "f2")
        await until(pilot, lambda: "this session" in screen_text(app))
        assert isinstance(app.screen, PromptsScreen)
        while app.screen._chosen != THIS_SESSION:
            await pilot.press("tab")
            await pilot.pause()
        await until(pilot, lambda: "my own question" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert app.workbench.bench.prompt.text == "my own question"
        await until(pilot, lambda: "this session 1/1" in screen_text(app))


async def test_prompts_of_one_text_have_samples_of_their_own(tmp_path: Path) -> None:
    db, file = tmp_path / "x.db", tmp_path / "eq.jsonl"
    file.write_text("".join(json.dumps({"id": id, "prompt": "Why?"}) + "\n" for id in ("first", "second")))
    app = make_app(db)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        bench.prompts, bench.prompt_set = load_prompts(str(file)), str(file)
        bench.ask(bench.prompts[0])
        await sampled(pilot, app)
        await pilot.press("right_square_bracket")
        assert (bench.prompt.id, bench.position) == ("second", 1)
        assert not any(bench.cell(column).samples for column in bench.columns)
        await sampled(pilot, app)
        assert {row.prompt_id for row in rows(db)} == {"first", "second"}
        assert len(rows(db)) == 20
        await pilot.press("f2")
        await shows(pilot, "first  Why?", "second  Why?")
        await pilot.press("escape")
        bench.ask(Prompt.typed("Why?"))
        assert bench.prompt.id == "first"
        session = bench.session
    with Store.open(db) as store:
        assert session is not None
        restored, _ = persistence.restore(store, session)
        assert [prompt.id for prompt in restored.asked] == ["first", "second"]
        for prompt in restored.asked:
            cells = [restored.cell(column, prompt) for column in restored.columns]
            assert [cell.done for cell in cells] == [5, 5]
            assert {s.row.prompt_id for cell in cells for s in cell.samples.values() if s.row} == {prompt.id}


async def test_escape_right_after_f5(tmp_path: Path) -> None:
    """A cancel that comes before the run is there is not lost."""
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(delay=0.05))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        asked = asyncio.create_task(app.workbench.sample(list(app.workbench.bench.columns)))
        await asyncio.sleep(0)
        assert app.workbench.bench.session is None, "still on its way to the database"
        app.workbench.cancel()
        await asked
        await until(pilot, lambda: app.workbench.bench.session is not None and not app.workbench.busy)
        assert "done" not in {row.status for row in rows(db)}
        await sampled(pilot, app)
        assert {row.status for row in rows(db)} == {"done"}
