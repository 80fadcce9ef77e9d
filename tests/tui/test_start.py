"""What the app opens on."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench import paths
from alignbench.config import config_of
from alignbench.errors import InputError
from alignbench.spec import Sampling
from alignbench.tui.preferences import keep_theme
from alignbench.tui.start import WHOLE, app_start
from tests.support.app import make_app, ready
from tests.support.commands import alignbench


def say(text: str) -> None:
    paths.config_dir().mkdir(exist_ok=True)
    paths.config_file().write_text(text)
    config_of.cache_clear()  # a process reads it once


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def test_a_column_a_model_with_contexts_for_base_models(db: Path) -> None:
    start = app_start(db, ["demo-smollm2", "demo-base"], "contested", ["fixed-3", "summary-first"])
    assert [each.name for each in start.conditions] == [
        "demo-smollm2",
        "demo-base + fixed-3",
        "demo-base + summary-first",
    ]
    assert [each.context.template for each in start.conditions] == ["chat", "plain", "plain"]
    assert {each.sampling for each in start.conditions} == {Sampling()}
    assert (start.prompt_set, start.prompts[0].set) == ("contested", "contested")


def test_contexts_alone_are_for_the_embedded_pair(db: Path) -> None:
    start = app_start(db, contexts=["fixed-3"])
    assert [each.name for each in start.conditions] == ["demo-aligned", "demo-base + fixed-3"]
    assert {each.sampling for each in start.conditions} == {WHOLE}


def test_where_nothing_is_named_the_file_counts(db: Path) -> None:
    assert not app_start(db).conditions
    say('models = ["demo-smollm2"]\nprompts = "contested"\ntheme = "nord"\n[keys]\nbench.sample = "F12"\n')
    start = app_start(db)
    assert [each.name for each in start.conditions] == ["demo-smollm2"]
    assert (start.prompt_set, start.theme, start.keys) == ("contested", "nord", {"bench.sample": "f12"})
    start = app_start(db, ["demo-base"], "stories")
    assert ([each.name for each in start.conditions], start.prompt_set) == (["demo-base"], "stories")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "demo-bass"], "There is no model 'demo-bass'. Did you mean demo-base"),
        (["--prompts", "contestet"], "There is no prompt set or file 'contestet'. Did you mean contested?"),
        (["--prompts", ""], "There is no prompt set or file ''"),
        (["--context", "fixed-4"], "There is no context or file 'fixed-4'. Did you mean fixed-3"),
        (["--model", "demo-smollm2", "--context", "fixed-3"], "--context is for base models, and no column is one"),
        (["--model", "demo-base", "--model", "demo-base"], "Two columns would be called 'demo-base'"),
        (["--model", "demo-aligned", "--model", "demo-sft"], "'demo-aligned' and 'demo-sft' are the same model"),
        (["--session", "1", "--model", "demo-base"], "Give either SESSION or what a new one opens on"),
        (["--model", "demo-base"], "The app needs a terminal"),
    ],
)
def test_a_bad_name_is_one_message_before_the_screen_is_taken(arguments: list[str], words: str) -> None:
    ran = alignbench("tui", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('models = ["demo-bass"]', "config.toml, field models: There is no model 'demo-bass'"),
        ('prompts = "contestet"', "config.toml, field prompts: There is no prompt set"),
        ('theme = "nrod"', "config.toml, field theme: there is no theme 'nrod'. Did you mean nord?"),
        ('embedder = "none/here"', "config.toml, field embedder: there is no folder"),
        ("[keys]\nbench.sampel = 'f5'", "config.toml, line 2, field keys.bench.sampel: there is no such action"),
    ],
)
def test_what_the_file_says_wrong_is_said_of_its_field(db: Path, text: str, words: str) -> None:
    say(text)
    with pytest.raises(InputError) as error:
        app_start(db)
    assert words in str(error.value)


async def test_the_app_opens_on_them(db: Path) -> None:
    start = app_start(db, ["demo-base"], "stories", ["fixed-3"])
    app = make_app(db, start=start)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        assert [column.name for column in bench.columns] == ["demo-base + fixed-3"]
        assert (bench.prompt_set, bench.prompt) == ("stories", start.prompts[0])


def test_the_theme_that_was_said_last_counts(db: Path) -> None:
    assert make_app(db).theme == "alignbench-dark"
    say('theme = "nord"')
    assert make_app(db, start=app_start(db)).theme == "nord"
    keep_theme("gruvbox")
    assert make_app(db, start=app_start(db)).theme == "gruvbox"
    say('theme = "dracula"')
    assert make_app(db, start=app_start(db)).theme == "dracula"
