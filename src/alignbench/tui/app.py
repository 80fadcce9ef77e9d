"""The app: one Bench, and what every screen shares."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from alignbench.errors import AlignbenchError
from alignbench.spec import Model, Prompt
from alignbench.tui.action import APP, bindings, of_screen
from alignbench.tui.bench.screen import BenchScreen
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.state import Bench

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool, EnginePool
    from alignbench.judging.labels import LabelPlan

FIRST_MODELS = (Model("demo-aligned", "demo-aligned", "aligned"), Model("demo-base", "demo-base", "base"))
FIRST_SET = "open-ended"


class BenchApp(App[None]):
    """The workbench in a terminal.

    db: the session database, made at the first sampling if it is not there. pool, embed: engines; embeddings may be
    missing. session: one to reopen. models: a column for each, the demo models where none are given. labels: pairs to
    label first of all.
    """

    TITLE = "alignbench"
    CSS_PATH: ClassVar = ["app.tcss", "bench/screen.tcss"]  # a default screen's own CSS_PATH is not loaded
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app", APP)]
    NOTIFICATION_TIMEOUT = 4

    def __init__(
        self,
        db: Path,
        pool: EnginePool,
        embed: EmbedPool | None,
        session: int | None = None,
        models: Sequence[Model] | None = None,
        labels: LabelPlan | None = None,
    ) -> None:
        super().__init__()
        self.workbench = Workbench(db, pool, embed, self._happened)
        self._session = session
        self._models = models if models is not None else FIRST_MODELS
        self._labels = labels
        self._leaving = False
        self.bench_screen: BenchScreen | None = None

    def get_default_screen(self) -> Screen[None]:
        self.bench_screen = BenchScreen(self.workbench)
        return self.bench_screen

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """After the first paint: the prompts, and the session to reopen."""
        screen = self.bench_screen
        assert screen is not None
        prompts, message = _first_prompts()
        if message:
            screen.tell(message, "error")
        self.workbench.begin(Bench.ready(self._models, prompts, FIRST_SET if prompts else ""))
        await screen.lay_out()
        if self._session is not None:
            screen.do(self.workbench.open(self._session))
        if self._labels is not None:
            from alignbench.tui.sessions.label_screen import LabelScreen

            self.push_screen(LabelScreen(self.workbench, self._labels))
        gc.freeze()  # what was imported stays; looking through it now and then would hold a key for 0.1 s

    def _happened(self) -> None:
        """Called from any thread."""
        if self.bench_screen is not None and not self._leaving:
            self.bench_screen.post_message(BenchScreen.Happened())

    # actions of every screen

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for action in of_screen(screen):
            owner = self if action in APP else screen
            if action.name == "command_palette" or owner.check_action(action.name, ()) is False:
                continue
            name = f"{action.called}  ({action.shown})"
            yield SystemCommand(name, action.help, partial(self.run_action, action.name, owner))
        yield SystemCommand("theme", "Change the colours.", self.action_change_theme)

    def action_help(self) -> None:
        from alignbench.tui.dialogs.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss(None)
        else:
            about = str(getattr(self.screen, "HELP", "") or "")
            self.push_screen(HelpScreen(about, of_screen(self.screen)))

    async def action_quit(self) -> None:
        """Cancel what runs, wait until what was generated is stored, and leave; a second time leaves at once."""
        if not self._leaving:
            self._leaving = True
            if self.workbench.busy:
                self.notify("Stopping; what finished is kept.", markup=False)
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
