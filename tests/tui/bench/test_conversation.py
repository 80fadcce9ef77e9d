"""A prompt after earlier messages on the Bench: shown, edited, sampled, and there again when its session is."""

from __future__ import annotations

from pathlib import Path

from alignbench.prompt_parts import Turn
from alignbench.spec import Prompt
from alignbench.tui.dialogs.text_editor import EditorScreen
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.inputs import PlainArea
from alignbench.tui.workbench.prompt_history import typed_before
from tests.support.app import WIDE, make_app, ready, sampled, shows, until

EARLIER = (Turn("system", "Be brief [/]."), Turn("user", "Hello."), Turn("assistant", "Good day."))


async def test_messages_before_a_prompt_are_shown_and_stay_with_it(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.ask(Prompt.typed("Why tea?", EARLIER))
        app.workbench.changed()
        await shows(pilot, "after 3 messages: system: Be brief [/]. · user: Hello. · assistant: Good day.", "Why tea?")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditorScreen))
        app.screen.query_one(PlainArea).text = "Why rain?"
        app.screen.action_accept()
        await until(pilot, lambda: app.workbench.bench.prompt == Prompt.typed("Why rain?", EARLIER))
        await until(pilot, lambda: typed_before() == [Prompt.typed("Why rain?", EARLIER)])
        await sampled(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        await shows(pilot, "after 3 messages: system: Be brief")
        await app.workbench.save()
        await app.workbench.open(1)
        assert app.workbench.bench.prompt.earlier == EARLIER
        assert [prompt.text for prompt in app.workbench.bench.typed] == ["Why tea?", "Why rain?"]
        assert all(prompt.earlier == EARLIER for prompt in app.workbench.bench.typed)
