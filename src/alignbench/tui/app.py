"""The app: one Bench, and what every screen shares."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.console import Console  # noqa: TID251
from textual import work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.notifications import Notify
from textual.screen import Screen
from textual.theme import Theme

from alignbench.errors import AlignbenchError, InputError
from alignbench.spec import Condition, Model, Prompt
from alignbench.tui.action import APP, bindings, of_screen
from alignbench.tui.action_groups import group_of
from alignbench.tui.bench.screen import BenchScreen
from alignbench.tui.garbage import search_if_due, search_seldom
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.messages import Open
from alignbench.tui.notices import NoticeHandler, merge, place, tell
from alignbench.tui.ordered_app import OrderedApp
from alignbench.tui.preferences import keep_theme, kept_theme
from alignbench.tui.screen import AppScreen, do, finish
from alignbench.tui.start import WHOLE, AppStart, first_models
from alignbench.tui.terminal import TerminalWatch, mind_bare_stops
from alignbench.tui.themes import DARK, HOUSE, legible
from alignbench.tui.wide_cells import keep_widths
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.state import Bench

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool, EnginePool
    from alignbench.judging.labels import LabelPlan

FIRST_SET = "open-ended"
FRAME = 1 / 10  # seconds between two updates of the screen while text streams in
SWITCH = 0.0005  # seconds that the app waits for a thread that computes, at each of the many times it waits for a key


class BenchApp(OrderedApp):
    """The workbench in a terminal: takes what happens in it from other threads, and opens screens."""

    TITLE = "alignbench"
    CSS_PATH: ClassVar = ["app.tcss", "bench/screen.tcss"]  # a default screen's own CSS_PATH is not loaded
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app", APP)]
    NOTIFICATION_TIMEOUT = 4

    class Happened(Message):
        """Another thread has something: events of a run, or scores."""

    def __init__(
        self,
        db: Path,
        pool: EnginePool,
        embed: EmbedPool | None,
        session: int | None = None,
        models: Sequence[Model] | None = None,
        labels: LabelPlan | None = None,
        start: AppStart | None = None,
    ) -> None:
        """
        Args:
            db: The session database, made at the first sampling if it is not there.
            pool: The engines.
            embed: Embeddings, where there are any.
            session: One to reopen.
            models: A column for each; what `start` has, else the embedded pair, where none are given.
            labels: Pairs to label first of all.
            start: What it opens on, and whose theme and keys it has.
        """
        super().__init__()
        keep_widths()
        for theme in HOUSE:
            self.register_theme(theme)
        self._start = start or AppStart()
        themes = (kept_theme(), self._start.theme)
        self.theme = next((each for each in themes if each in self.available_themes), DARK.name)
        self.own_keys = self._start.keys
        self.set_keymap({**self.own_keys})
        if own_quit := self.own_keys.get("app.quit"):
            self.keys.leaving = ("escape", *own_quit.split(","))
        # A crash is told on stderr, whose door would show styles as the escapes that they are.
        self.error_console = Console(stderr=True, color_system=None, markup=False, highlight=False)
        self.workbench = Workbench(db, pool, embed, self._happened)
        self._session = session
        self._models = models
        self._labels = labels
        self._leaving = False
        self._told = False  # that something is written which would be lost
        self._terminal = TerminalWatch()
        self._drawn = 0.0
        self._pending = False
        self.bench_screen: BenchScreen | None = None

    def get_default_screen(self) -> Screen[None]:
        self.bench_screen = BenchScreen(self.workbench)
        return self.bench_screen

    def _theme_changed(self, theme: Theme) -> None:
        """Draw all of it again, also where a theme of the terminal's colours names the same ones as that before it."""
        keep_theme(theme.name)
        for screen in self.screen_stack:
            for widget in screen.walk_children(with_self=True):
                widget.notify_style_update()
                widget.refresh()

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        self.theme_variables = legible(variables, self.ansi_theme if self.current_theme.ansi else None)
        return self.theme_variables

    class Noticed(Message):
        """There is something that a person should know, whichever thread found it."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    def on_mount(self) -> None:
        sys.setswitchinterval(SWITCH)
        search_seldom()
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self._notices = NoticeHandler(lambda line: self.post_message(self.Noticed(line)))
        logging.getLogger("alignbench").addHandler(self._notices)
        if not self.is_headless:
            mind_bare_stops(lambda: self.call_later(self.refresh, layout=True))
        self.set_interval(0.5, self._tick)
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """After the first paint: the prompts, and the session to reopen."""
        prompts, message = (self._start.prompts, "") if self._start.prompts else _first_prompts()
        if message:
            tell(self, message, "error")
        named = self._start.prompt_set or FIRST_SET
        self.workbench.begin(Bench.of(self._columns(), prompts, named if prompts else ""))
        self.workbench.changed()
        if self._session is not None:
            self.run_worker(finish(self, self.workbench, self.workbench.open(self._session)))
        elif self._labels is None:
            do(self, self.workbench, self.workbench.look_back())
        if self._labels is not None:
            from alignbench.tui.sessions.label_screen import LabelScreen

            self.push_screen(LabelScreen(self.workbench, self._labels))
        gc.freeze()  # what was imported stays; looking through it now and then would hold a key for 0.1 s
        self.run_worker(self.keys.run(), group=BACKGROUND)

    def _columns(self) -> Sequence[Condition]:
        if self._models is not None:
            return [Condition.zero_shot(model) for model in self._models]
        return self._start.conditions or [Condition.zero_shot(model, sampling=WHOLE) for model in first_models()]

    def on_unmount(self) -> None:
        logging.getLogger("alignbench").removeHandler(self._notices)

    def on_bench_app_noticed(self, message: Noticed) -> None:
        tell(self, message.line, "warning")

    def on_notify(self, event: Notify) -> None:
        """A toast comes: equal ones are one, and none covers what is typed."""
        merge(self, event.notification)
        self.call_after_refresh(place, self)

    def on_descendant_focus(self) -> None:
        place(self)

    def _happened(self) -> None:
        """Called from any thread."""
        if not self._leaving:
            self.post_message(self.Happened())

    def on_bench_app_happened(self) -> None:
        """Take events at most 10 times a second; the last ones are always taken."""
        if self._pending:
            return
        wait = self._drawn + FRAME - time.monotonic()
        if wait > 0:
            self._pending = True
            self.set_timer(wait, self._take)
        else:
            self._take()

    def _take(self) -> None:
        self._pending = False
        self._drawn = time.monotonic()
        moved = self.workbench.bench_scores.moved()  # first: what has moved by now is of events that are there to take
        for notice in self.workbench.drain():
            tell(self, notice.text, notice.severity)
        self.workbench.changed(scores=moved)

    def _tick(self) -> None:
        self._terminal.end_if_gone()
        search_if_due(self.keys.quiet)
        if self.workbench.busy:
            self.workbench.changed(scores=False)

    @work
    async def on_open(self, message: Open) -> None:
        """A screen asks for another one."""
        from alignbench.tui.navigation import open_screen

        try:
            await open_screen(self, self.workbench, message)
        except InputError as error:
            self.keys.drop()  # they were for the screen
            tell(self, str(error), "warning")

    # actions of every screen

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for action in of_screen(screen):
            owner = self if action in APP else screen
            if action.name == "command_palette" or owner.check_action(action.name, ()) is False:
                continue
            name = f"{group_of(action)}: {action.called}  ({action.shown})"
            yield SystemCommand(name, action.help, partial(self.run_action, action.name, owner))
        yield SystemCommand("app: theme", "Change the colours.", self.action_change_theme)

    def action_help(self) -> None:
        from alignbench.tui.dialogs.help import HelpScreen
        from alignbench.tui.glossary import words_in

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss(None)
        else:
            about = str(getattr(self.screen, "HELP", "") or "")
            shown = "\n".join("".join(part.text for part in line) for line in self.screen._compositor.render_strips())
            self.push_screen(HelpScreen(about, of_screen(self.screen), words_in(f"{shown}\n{about}")))

    async def action_quit(self) -> None:
        """Cancel what runs, wait until what was generated is stored, and leave; a second time leaves at once."""
        changed = any(isinstance(screen, AppScreen) and screen.is_changed for screen in self.screen_stack)
        if changed and not self._told:
            self._told = True
            shown = next(action.shown for action in of_screen(self.screen) if action.name == "quit")
            again = shown.replace("^", "Ctrl+")
            tell(self, f"What was changed here is not taken yet: F10 takes it. {again} again leaves it out.", "warning")
        elif not self._leaving:
            self._leaving = True
            if self.workbench.busy:
                tell(self, "Stopping; what finished is kept.")
            self.run_worker(self._leave())
        else:
            self.exit()

    async def _leave(self) -> None:
        try:
            await self.workbench.close()
        except AlignbenchError as error:
            self.exit(message=str(error))
        else:
            self.exit()


def _first_prompts() -> tuple[Sequence[Prompt], str]:
    """The prompts that the app begins with, or none and why."""
    from alignbench.prompts import load_prompts

    try:
        return load_prompts(FIRST_SET), ""
    except AlignbenchError as error:
        return (), str(error)
