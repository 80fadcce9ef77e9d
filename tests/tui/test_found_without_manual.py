"""What tells a stranger which keys there are: the table of keys in docs, the palette, the footer, the words in help."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest
from textual.widgets._footer import FooterKey

import alignbench.tui
from alignbench.tui.action import APP, SCOPES, of_screen
from alignbench.tui.action_groups import MOVES, ON_BENCH, group_of
from alignbench.tui.bench.actions import BENCH
from alignbench.tui.glossary import GLOSSARY, words_in
from tests.support.app import (
    SMALL,
    WIDE,
    hint_second_column,
    make_app,
    ready,
    sampled,
    screen_text,
    shows,
    still,
    until,
)
from tests.support.fakes import FakePool, LetterEmbedder

KEYS = Path(__file__).parents[2] / "docs" / "app.md"
BESIDE = {"?", "j", "k", "F10", "mouse", "theme"}  # second keys of an action, and what is no key
# What screens say without explaining it there.
WORDS = (
    "near_duplicate",
    "overflow",
    "verbalized",
    "floor",
    "ceiling",
    "held out",
    "matched",
    "gap",
    "entropy",
    "coverage",
    "teacher",
    "strict",
    "fast",
    "recovery",
    "confounds",
    "bits",
    "leakage",
    "token shift",
    "frontier",
    "quality gate",
    "mmr",
    "Top-p",
    "Top-k",
    "seed",
    "stance",
    "reference",
    "hint",
    "source",
    "jaccard",
    "cut",
    "under study",
)


def listed_keys() -> set[str]:
    """The first column of the table of keys."""
    rows = KEYS.read_text("utf-8").split("| key | |")[1].split("\n\n")[0].splitlines()
    listed = " ".join(row.split("|")[1] for row in rows if row).replace("Ctrl+", "^")
    return {key.strip("`,;") for key in listed.split()} - {"---", ""}


def test_the_page_lists_every_key_of_the_bench_and_no_other() -> None:
    for module in pkgutil.walk_packages(alignbench.tui.__path__, "alignbench.tui."):
        importlib.import_module(module.name)  # fills SCOPES
    there = {action.shown for action in (*BENCH, *APP) if action.name not in MOVES}
    every = {action.shown for actions in SCOPES.values() for action in actions}
    assert there <= listed_keys()
    assert listed_keys() <= every | BESIDE


def test_every_action_of_the_bench_is_in_one_group() -> None:
    grouped = [name for names in ON_BENCH.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert {*grouped} == {action.name for action in BENCH if action.name not in MOVES}
    for actions in SCOPES.values():
        assert all(group_of(action) for action in actions)


async def test_the_palette_is_grouped_with_each_key_beside_its_command(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=(120, 60)) as pilot:
        await ready(pilot, app)
        await pilot.press("ctrl+p")
        await shows(pilot, "app: theme", "columns: add column  (a)", "contexts: hint  (F6)")
        text = screen_text(app)
        assert (
            text.index("app: undo")
            < text.index("columns: add")
            < text.index("columns: versions")
            < text.index("contexts: ")
        )


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_footer_is_in_order_of_use_and_follows_the_focus(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)

        def at_foot() -> list[str]:
            return [key.key_display for key in app.screen.query(FooterKey)]

        await until(pilot, lambda: at_foot()[:3] == ["F1", "F5", "F2"] and "Enter" not in at_foot())
        await sampled(pilot, app)
        await until(pilot, lambda: at_foot()[:4] == ["F1", "F5", "F2", "Enter"] and at_foot()[-1] == "^Q")
        await pilot.press("f8")
        await until(pilot, lambda: {"Enter", "o"} <= {*at_foot()})
        await pilot.press("f")  # its words take letters
        await until(pilot, lambda: at_foot() and not {"Enter", "o", "x"} & {*at_foot()})
        order = [action.shown for action in of_screen(app.screen)]
        assert at_foot()[1:-1] == sorted(at_foot()[1:-1], key=order.index)


def test_the_words_of_the_glossary_are_those_that_screens_use() -> None:
    sources = [path for path in Path(alignbench.tui.__file__).parent.rglob("*.py") if path.name != "glossary.py"]
    used = words_in("\n".join(path.read_text("utf-8") for path in sources))
    assert used == sorted(GLOSSARY)
    for word in WORDS:
        assert words_in(word), word


async def test_help_explains_the_words_of_the_screen_below(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        app.workbench.bench.select(1)
        hint_second_column(app)
        for key, word in (("f7", "matched"), ("f4", "overflow"), ("f3", "strict")):
            await pilot.press(key)
            await shows(pilot, word)
            await still(pilot, 4)
            await pilot.press("f1")
            await shows(pilot, "Help")
            await pilot.press("end")
            await shows(pilot, "Words on that screen", GLOSSARY[word][:30])
            await pilot.press("escape", "escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
