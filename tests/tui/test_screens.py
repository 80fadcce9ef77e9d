"""The other screens: condition, prompts, sessions, notes, help, palette."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import weakref
from pathlib import Path

import pytest
from textual.app import SystemCommand
from textual.widgets import OptionList
from textual.widgets._footer import FooterKey

import alignbench.tui
from alignbench.errors import InputError
from alignbench.prompts import shipped_sets
from alignbench.spec import Model
from alignbench.store import Store
from alignbench.tui.action import APP, SCOPES, of_screen
from alignbench.tui.bench.actions import BENCH
from alignbench.tui.dialogs.base import ConfirmScreen, LineScreen
from alignbench.tui.dialogs.condition import ConditionScreen, read_stops, write_stops
from alignbench.tui.dialogs.prompts import PromptsScreen
from alignbench.tui.dialogs.save import SaveScreen
from alignbench.tui.sessions.screen import SessionsScreen
from alignbench.tui.widgets.inputs import PlainInput
from tests.support.app import (
    SMALL,
    WIDE,
    bench_of,
    burst,
    make_app,
    ready,
    rows,
    sampled,
    screen_text,
    shows,
    still,
    until,
)
from tests.support.fakes import FakePool


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_condition_errors_stand_beside_their_fields(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, ConditionScreen))
        screen = app.screen
        wrong = {"n": "0", "temperature": "warm", "top_p": "2", "top_k": "1.5", "stop": "User:", "mode": "slow"}
        for key, value in {**wrong, "model": "demo-bas"}.items():
            screen.query_one(f"#{key}", PlainInput).value = value
        await pilot.press("enter")
        await until(pilot, lambda: "demo-base" in screen_text(app) and "Did you mean" in screen_text(app))
        for key, value in wrong.items():
            assert screen.query_one(f"#field-{key}").has_class("-wrong"), key
            assert screen.query_one(f"#{key}", PlainInput).value == value, "nothing that was typed is lost"
        await shows(pilot, "expected a number")
        for key, value in {"n": "3", "temperature": "1", "top_p": "0.9", "top_k": "40", "stop": '"\\n"'}.items():
            screen.query_one(f"#{key}", PlainInput).value = value
        screen.query_one("#mode", PlainInput).value = "fast"
        screen.query_one("#model", PlainInput).value = "demo-base"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is bench_of(app))
        column = bench.columns[0]
        assert (column.n, column.condition.mode, column.condition.model.name) == (3, "fast", "demo-base")
        assert column.condition.context.template == "plain"
        sampling = column.condition.sampling
        assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.stop) == (1.0, 0.9, 40, ("\n",))
        assert column.name == "demo-base 2", "the name is taken by the other column"
        assert bench.reference == "demo-base 2"
        await until(pilot, lambda: "top-p 0.9" in screen_text(app))


async def test_a_column_is_named_after_its_model_until_it_has_a_name(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, ConditionScreen))
        model, name = (app.screen.query_one(f"#{key}", PlainInput) for key in ("model", "name"))
        for written, called in (
            ("hf:org/some-model@v2", "some-model"),
            ("llama:/weights/a.Q8_0.gguf", "a.Q8_0"),
            ("openai:http://127.0.0.1:8000/v1#served", "served"),
            ("nonsense:", "nonsense:"),
        ):
            model.value = written
            await until(pilot, lambda called=called: name.value == called)
        name.value = "mine"
        model.value = "demo-base"
        await still(pilot)
        assert name.value == "mine"


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (Model("demo-aligned", "demo-aligned", "aligned"), "demo-smollm2"),  # of a session that knew it by that name
        (Model("ours", "llama:/b.gguf+/a.gguf*0.5", "base"), "llama:/b.gguf+/a.gguf*0.5"),
        (Model("demo-sft*0.5", "demo-base+demo-sft*0.5", "aligned"), "demo-sft*0.5"),
    ],
)
async def test_a_column_keeps_its_name_while_its_model_is_looked_at(tmp_path: Path, model: Model, written: str) -> None:
    app = make_app(tmp_path / "x.db", models=[model])
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        before = list(app.workbench.bench.columns)
        await burst(pilot, app, "f3")
        fields = app.screen.query_one("#model", PlainInput), app.screen.query_one("#name", PlainInput)
        await still(pilot)
        assert [field.value for field in fields] == [written, model.name]
        fields[0].value = "demo-base"
        await until(pilot, lambda: fields[1].value == "demo-base")
        fields[0].value = written
        await until(pilot, lambda: fields[1].value == model.name)
        await burst(pilot, app, "f10")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert app.workbench.bench.columns == before


async def test_escape_leaves_the_condition_alone(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        before = app.workbench.bench.columns[0]
        await pilot.press("f3", "f2", "down", "down", "9", "escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert app.workbench.bench.columns[0] == before


def test_stop_strings() -> None:
    for stops in ((), ("\n\n",), ("User:", ' "quoted", ', "漢")):
        assert read_stops(write_stops(stops)) == stops
    for text in ("User:", '""', '"a" "b"', "1"):
        with pytest.raises(InputError):
            read_stops(text)


async def test_pick_a_prompt(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        await pilot.press("f2")
        await until(pilot, lambda: app.screen.query(OptionList) and app.screen.query_one(OptionList).option_count == 60)
        for _ in shipped_sets():  # round to where it began
            await pilot.press("tab")
            await until(pilot, lambda: app.screen.query_one(OptionList).get_option_at_index(0) is not None)
        await until(pilot, lambda: isinstance(app.screen, PromptsScreen) and app.screen._chosen == "open-ended")
        word = max(bench.prompts[7].text.split(), key=len).strip(".,?!")
        app.screen.query_one(PlainInput).value = word
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count < 60)
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert word in bench.prompt.text
        assert bench.position == bench.prompts.index(bench.prompt)


async def test_a_broken_prompt_file_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"prompt": "one"}\n{"prompt": }\n')
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f2", "f2")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        app.screen.query_one(PlainInput).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: "line 2" in screen_text(app))
        assert isinstance(app.screen, PromptsScreen)


async def test_a_file_of_prompts_whose_fields_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("question,key\nWhy tea?,a\n")
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f2", "f2")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        app.screen.query_one(PlainInput).value = f"{path}?field=question&id=key"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query(OptionList) and app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is bench_of(app))
        assert app.workbench.bench.prompt.id == "a"
        await until(pilot, lambda: "mine 1/1" in screen_text(app))


async def test_copy_and_save_keep_every_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "a\x1b[31m\r\nb [/] \u202e"
    app = make_app(tmp_path / "x.db", FakePool(texts={"demo-aligned": [text]}))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("y")
        assert app.clipboard == text
        for n in (1, 2):
            await pilot.press("w")
            await until(pilot, lambda: isinstance(app.screen, SaveScreen))
            await pilot.press("enter")
            await until(pilot, lambda n=n: len(list(tmp_path.glob("*.txt"))) == n)
            await until(pilot, lambda: app.screen is bench_of(app))
        assert {path.read_bytes() for path in tmp_path.glob("*.txt")} == {text.encode()}
        assert (tmp_path / "demo-aligned-sample-1.txt").exists()


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_sessions(tmp_path: Path, size: tuple[int, int]) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        first = app.workbench.bench.session
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.workbench.bench.session is None)
        assert not any(cell.samples for cell in app.workbench.bench.cells.values())
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        second = app.workbench.bench.session
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(app.screen._listed) == 2)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        app.screen.query_one(PlainInput).value = "renamed [/]"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and "renamed [/]" in screen_text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.workbench.bench.session == first and app.screen is bench_of(app))
        assert app.workbench.bench.position == 0
        await until(pilot, lambda: "5/5" in screen_text(app))
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(app.screen._listed) == 2)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n", "d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(app.screen._listed) == 1)
        assert app.workbench.bench.session is None, "the one that was open is gone; its columns stay"
        assert len(app.workbench.bench.columns) == 2
        with Store.open(db) as store:
            assert [(info.id, info.name) for info in store.sessions()] == [(second, "renamed [/]")]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is bench_of(app))
        await sampled(pilot, app)
        assert len(rows(db)) == 20


async def test_a_session_is_not_left_while_it_is_sampled(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(delay=0.05))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: app.workbench.bench.session is not None)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Sampling is going on" in screen_text(app))
        assert app.workbench.bench.session is not None


async def test_notes(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db)
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("n")
        await until(pilot, lambda: "No notes yet" in screen_text(app))
        assert not db.exists()
        await pilot.press(*"odd", "enter")
        await until(pilot, lambda: "odd" in screen_text(app) and app.screen.query_one(PlainInput).value == "")
        await pilot.press("escape")
        with Store.open(db) as store:
            assert [note.text for note in store.notes(app.workbench.bench.session or 0)] == ["odd"]


async def test_a_session_of_the_command_line_opens(tmp_path: Path) -> None:
    """It has no layout of the app's: a column per condition."""
    from alignbench.experiments.plan import make_plan
    from alignbench.experiments.runner import Run
    from alignbench.spec import Condition, Prompt
    from tests.support.app import ALIGNED, BASE

    db = tmp_path / "x.db"
    prompts = [Prompt("p1", "first"), Prompt("p2", "second")]
    with Store.open(db) as store:
        session = store.create_session("from the shell", reference="aligned")
        conditions = [Condition.zero_shot(ALIGNED, name="aligned"), Condition.zero_shot(BASE, name="base", seed=7)]
        list(Run(make_plan(store, session, prompts, conditions, 3), FakePool(), store))
    app = make_app(db, session=session)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until(pilot, lambda: app.workbench.bench.session == session)
        bench = app.workbench.bench
        assert [(column.name, column.n) for column in bench.columns] == [("aligned", 3), ("base", 3)]
        await until(pilot, lambda: "3/3 done" in screen_text(app) and "first" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "second" in screen_text(app))
        assert len(rows(db)) == 12


async def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", session=99)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until(pilot, lambda: "99" in screen_text(app))
        assert len(app.workbench.bench.columns) == 2


def test_actions_are_complete() -> None:
    from alignbench.tui.app import BenchApp
    from alignbench.tui.bench.screen import BenchScreen

    keys = [key for action in (*BENCH, *APP) for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert not {"ctrl+b", "ctrl+s", "ctrl+h", "ctrl+i", "ctrl+m", "ctrl+enter"} & set(keys)
    for action in BENCH:
        assert hasattr(BenchScreen, f"action_{action.name}"), action.name
    for action in APP:
        assert hasattr(BenchApp, f"action_{action.name}"), action.name
    for module in pkgutil.walk_packages(alignbench.tui.__path__, "alignbench.tui."):
        importlib.import_module(module.name)
    assert len(SCOPES) >= 25, "the keys of every screen"
    for scope in SCOPES.values():
        assert all(action.help and action.label and action.shown for action in scope)


async def test_help_and_palette_name_every_action(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=(120, 64), notifications=True) as pilot:
        screen = await ready(pilot, app)
        await sampled(pilot, app)
        commands: list[SystemCommand] = list(app.get_system_commands(screen))
        titles = " ".join(command.title for command in commands)
        for action in of_screen(screen):
            offered = screen.check_action(action.name, ()) is not False and action.name != "command_palette"
            assert (f"{action.called}  ({action.shown})" in titles) == offered, action
        await pilot.press("f1")
        await until(pilot, lambda: "What the keys" in screen_text(app))
        for action in of_screen(screen):
            await shows(pilot, action.called)
        await pilot.press("f1")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press(*"duplicate", "enter")
        await until(pilot, lambda: len(app.workbench.bench.columns) == 3)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_keys_at_the_foot_can_be_read_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(delay=0.05))
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)

        def keys() -> list[str]:
            return [f"{key.key_display} {key.description}" for key in app.screen.query(FooterKey)]

        def fits() -> bool:
            return all(key.region.right <= size[0] for key in app.screen.query(FooterKey))

        await until(pilot, lambda: {"F1 help", "F5 sample", "F8 sessions", "^Q quit"} <= {*keys()} and fits())
        await until(pilot, lambda: ("g ledger" in keys()) == (size == WIDE))
        await pilot.press("f5")
        await until(pilot, lambda: {"F1 help", "Esc stop", "^Q quit"} <= {*keys()} and fits())
        await pilot.press("escape")
        await until(pilot, lambda: not app.workbench.busy)
        await pilot.press("right", "f6")
        await until(pilot, lambda: {"F1 help", "F10 accept", "^Q quit"} <= {*keys()} and fits())


async def test_a_screen_that_was_left_is_forgotten(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        for key in ("f2", "f3", "f7", "f8", "f9", "f1"):
            await pilot.press(key)
            await until(pilot, lambda: app.screen is not bench_of(app))
            drawn = [weakref.ref(widget._styles_cache) for widget in app.screen.query("*")]
            assert drawn
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is bench_of(app))

            def forgotten(drawn: list[weakref.ref[object]] = drawn) -> bool:
                gc.collect()
                return not any(each() for each in drawn)

            await until(pilot, forgotten)


async def test_words_that_find_nothing_are_cleared_by_esc(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=SMALL) as pilot:
        await ready(pilot, app)
        await pilot.press("f2", *"qqq")
        await shows(pilot, "No prompt of this set has these words: Esc clears them.")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count > 0)
        assert isinstance(app.screen, PromptsScreen)
        await pilot.press(*"diaries", "escape")
        await until(pilot, lambda: app.screen is bench_of(app))
