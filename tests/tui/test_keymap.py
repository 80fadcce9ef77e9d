"""The user's own keys: what is refused, and that bindings, footer, palette and F1 have them."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest
from textual.widgets._footer import FooterKey

import alignbench.tui
from alignbench.errors import InputError
from alignbench.tui.action import SCOPES, with_keys
from alignbench.tui.dialogs.actions import CONDITION
from alignbench.tui.key_names import is_typed, one_key, read_keys, shown_key
from alignbench.tui.keymap import SCREENS, bound_actions, checked_keys
from alignbench.tui.start import AppStart
from tests.support.app import WIDE, make_app, ready, screen_text, shows, until

OWN = {"bench.sample": "ctrl+r,f12", "bench.scores": "T", "app.help": "f11", "app.quit": "ctrl+x"}


def refused(tmp_path: Path, **keys: str) -> str:
    path = tmp_path / "config.toml"
    path.write_text("[keys]\n" + "".join(f'"{id}" = "{key}"\n' for id, key in keys.items()))
    with pytest.raises(InputError) as error:
        checked_keys(path, [*keys.items()])
    return str(error.value)


def test_every_screen_has_its_ids() -> None:
    for module in pkgutil.walk_packages(alignbench.tui.__path__, "alignbench.tui."):
        importlib.import_module(module.name)  # fills SCOPES
    assert {scope: tuple(actions) for scope, actions in SCREENS.items()} == SCOPES
    ids = [bound.id for bound in bound_actions()]
    assert len(ids) == len(set(ids))


def test_a_key_may_be_written_as_the_app_shows_it() -> None:
    for bound in bound_actions():
        for key in bound.keys:
            assert read_keys(key) == (key,)
            assert read_keys(shown_key(key).replace(",", "comma")) == (key,), key
    assert read_keys("^R, Ctrl+F5 ,?,shift+a,Esc,PgUp,+") == (
        *("ctrl+r", "ctrl+f5", "question_mark", "A", "escape", "pageup", "plus"),
    )
    assert read_keys("ctrl++") == ("ctrl+plus",)
    assert read_keys("f5,F5") == ("f5",)


def test_what_a_key_writes() -> None:
    assert [
        key for key in ("a", "space", "question_mark", "plus", "f5", "ctrl+a", "tab", "enter") if is_typed(key)
    ] == [
        *("a", "space", "question_mark", "plus"),
    ]
    assert one_key("ctrl+i") == "tab"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"bench.sampel": "f12"}, ["line 2, field keys.bench.sampel: there is no such action", "bench.sample"]),
        ({"nothing like it": "f12"}, ["`alignbench config keys` lists them"]),
        ({"bench.sample": "f99"}, ["field keys.bench.sample: 'f99' is no key"]),
        ({"bench.sample": "contrl+r"}, ["'contrl' of 'contrl+r' is no key to hold down", "Did you mean ctrl?"]),
        ({"bench.sample": "fullstop"}, ["Did you mean full_stop?"]),
        ({"bench.sample": "f5,"}, ["'' is no key"]),
        ({"bench.sample": "s"}, ["s is the key of bench.sample_column (sample column) too, on the same screen"]),
        ({"bench.note": "f12", "bench.whole": "f12"}, ["F12 is the key of bench.whole"]),
        ({"bench.note": "ctrl+i"}, ["bench.column_right"]),
        ({"bench.note": "^q"}, ["^Q is the key of app.quit", "app.quit always has to be reached"]),
        ({"app.quit": "f5"}, ["F5 is the key of bench.sample"]),
        ({"app.quit": "q"}, ["q would not be written any more where text is typed"]),
        ({"condition.accept": "f12,space"}, ["Space would not be written"]),
    ],
)
def test_a_key_that_cannot_be_is_named_with_what_is_near(
    tmp_path: Path, keys: dict[str, str], words: list[str]
) -> None:
    said = refused(tmp_path, **keys)
    assert all(each in said for each in words), said


def test_two_actions_may_change_keys(tmp_path: Path) -> None:
    swapped = [("bench.sample", "f7"), ("bench.scores", "f5"), ("scores.back", "escape")]
    assert checked_keys(tmp_path / "config.toml", swapped) == dict(swapped)


def test_nobody_waits_long_for_the_key_that_quits(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", start=AppStart(keys={"app.quit": "ctrl+x,f12"}))
    assert app.keys.leaving == ("escape", "ctrl+x", "f12")


def test_an_action_is_the_same_on_another_key() -> None:
    other = with_keys(CONDITION[0], "f12")
    assert other == CONDITION[0]
    assert (other.keys, other.shown) == ("f12", "F12")


async def test_footer_help_and_palette_show_the_own_keys_which_work(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", start=AppStart(keys=OWN))
    async with app.run_test(size=(120, 80), notifications=True) as pilot:
        screen = await ready(pilot, app)

        def at_foot() -> list[str]:
            return [f"{key.key_display} {key.description}" for key in app.screen.query(FooterKey)]

        await until(pilot, lambda: {"^R/F12 sample", "T scores", "F11 help", "^X quit"} <= {*at_foot()})
        await pilot.press("f5", "f7", "f1")
        assert app.screen is screen
        assert not app.workbench.busy
        await pilot.press("f11")
        await shows(pilot, "^R/F12  sample", "T  scores", "F11  help", "^X  quit")
        await pilot.press("f11")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("ctrl+p")
        await shows(pilot, "app: help  (F11)", "app: quit  (^X)")
        await pilot.press(*"sample")
        await shows(pilot, "samples: sample  (^R/F12)")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("f12")
        await until(pilot, lambda: app.workbench.bench.session is not None and not app.workbench.busy)
        await pilot.press("T")
        await shows(pilot, "^X quit")
        assert app.screen is not screen
        await pilot.press("ctrl+q")
        assert app.is_running
        await pilot.press("ctrl+x")
        await until(pilot, lambda: not app.is_running)


async def test_a_letter_of_ones_own_is_offered_only_where_no_text_is_typed(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", start=AppStart(keys={"condition.next_choice": "n", "condition.reset_all": "f9"}))
    async with app.run_test(size=WIDE) as pilot:
        await ready(pilot, app)
        await pilot.press("right", "f3")
        await shows(pilot, "F9 all as reference")
        assert "next choice" not in screen_text(app).splitlines()[-1]
