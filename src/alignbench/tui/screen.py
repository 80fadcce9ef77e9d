"""What screens share: leaving, paging, saying something, and following the workbench."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from textual import events
from textual._styles_cache import StylesCache
from textual.app import App
from textual.geometry import Offset
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList

from alignbench.errors import AlignbenchError, InputError
from alignbench.tui.clickable import do_clicked
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.notices import tell
from alignbench.tui.ordered_app import OrderedApp
from alignbench.tui.text import count
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.workbench.controller import Workbench

ResultT = TypeVar("ResultT")


async def finish(app: App[Any], workbench: Workbench, what: Coroutine[Any, Any, str | None]) -> None:
    """Wait for work of the workbench; what there is to say about it, or what goes wrong, is told."""
    try:
        if said := await what:
            tell(app, said)
    except AlignbenchError as error:
        tell(app, str(error), "error")
    workbench.changed()


def do(app: App[Any], workbench: Workbench, what: Coroutine[Any, Any, str | None]) -> None:
    """The same without holding a key, whichever screen is left meanwhile."""
    app.run_worker(finish(app, workbench, what), group=BACKGROUND)
    workbench.changed()


def copy(app: App[Any], text: str) -> int:
    """Put a text on the clipboard with OSC 52, which tmux, screen and SSH can hand on; how many characters it has."""
    written = text.encode("utf-8", "replace").decode("utf-8")
    app.copy_to_clipboard(written)
    return len(written)


class AppScreen(Screen[ResultT]):
    """A screen that gives a result, or None where it is left. Dragging with the mouse copies the text below it."""

    def on_unmount(self) -> None:
        """Let go of what was drawn: a cache of Textual's, of pairs of colours, holds the lines of widgets too."""
        StylesCache.get_inner_outer.cache_clear()

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """Also where in the text of a pane the mouse is; what is selected there stays in it."""
        began = self._select_state.start.content_widget if self._selecting and self._select_state is not None else None
        widget, offset = (began, None) if isinstance(began, Pane) else super().get_widget_and_offset_at(x, y)
        if not isinstance(widget, Pane) or widget.has_class("-textual-system"):
            return widget, offset
        region = widget.content_region
        across = max(0, min(region.width - 1, x - region.x))
        return widget, widget.place_at(across, max(0, min(region.height - 1, y - region.y)))

    async def on_click(self, event: events.Click) -> None:
        await do_clicked(self, event)

    def on_text_selected(self) -> None:
        """The mouse was let go."""
        if text := self.get_selected_text():
            self.tell(f"Copied: {count(copy(self.app, text), 'character')}.")

    def panes(self) -> Iterable[Pane]:
        """What the keys for pages scroll."""
        return ()

    def action_line_up(self) -> None:
        self._scroll(-1)

    def action_line_down(self) -> None:
        self._scroll(1)

    def _scroll(self, lines: int) -> None:
        for pane in self.panes():
            pane.scroll_relative(y=lines, animate=False)

    def action_page_up(self) -> None:
        for pane in self.panes():
            pane.page(-1)

    def action_page_down(self) -> None:
        for pane in self.panes():
            pane.page(1)

    def paged_text(self) -> str:
        """What the pager shows."""
        return ""

    def action_pager(self) -> None:
        from alignbench.tui.other_programs import paged

        if not (text := self.paged_text()):
            self.tell("There is nothing to read yet.")
            return
        try:
            paged(self.app, text)
        except InputError as error:
            self.tell(str(error), "warning")

    def action_to_start(self) -> None:
        for pane in self.panes():
            pane.scroll_home(animate=False)

    def action_to_end(self) -> None:
        for pane in self.panes():
            pane.scroll_end(animate=False)

    # lists, which move also where a line of text has the focus

    def action_list_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def action_list_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_list_start(self) -> None:
        self.query_one(OptionList).action_first()

    def action_list_end(self) -> None:
        self.query_one(OptionList).action_last()

    def action_back(self) -> None:
        self.dismiss(None)

    def action_cancel(self) -> None:
        """Leave; what was changed can be had back for a while."""
        if self.is_changed and not self.app.screen_stack[-2].is_modal:  # where u writes a letter
            self.app.install_screen(self, f"left {id(self)}")
        self.dismiss(None)

    @property
    def is_changed(self) -> bool:
        """Whether something was written or chosen here that is lost where the screen is left."""
        return False

    def drop_keys(self) -> None:
        """What was typed before this was on the screen goes nowhere."""
        self._ordered.keys.drop()

    def offer_undo(self, said: str, back: Callable[[], object]) -> None:
        """Let u bring something back that was taken away on this screen. said: what was done, a sentence; empty where
        nobody has to be told."""
        self._ordered.undo.offer(said, back)

    @property
    def _ordered(self) -> OrderedApp:
        assert isinstance(self.app, OrderedApp)
        return self.app

    def tell(self, message: str, severity: SeverityLevel = "information", timeout: float | None = None) -> None:
        """A notification; its text is data."""
        tell(self.app, message, severity, timeout)


class WorkbenchScreen(AppScreen[ResultT]):
    """A screen that is drawn again after each change of the workbench."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench

    def on_mount(self) -> None:
        self.workbench.watch(self._changed)

    def on_unmount(self) -> None:
        self.workbench.unwatch(self._changed)

    def on_resize(self) -> None:
        self.follow()

    def on_screen_resume(self) -> None:
        if self.is_running:
            self.follow()

    def _changed(self) -> None:
        if self.is_running and self._is_seen:
            self.call_next(self.follow)

    @property
    def _is_seen(self) -> bool:
        """Whether no screen covers it; one that is covered is drawn when it is seen again."""
        stack = self.app.screen_stack
        return self in stack and all(above.is_modal for above in stack[stack.index(self) + 1 :])

    def follow(self) -> None:
        """Draw what the workbench has now."""
        raise NotImplementedError

    # selecting, the same on every screen that has keys for it

    def select(self, column: int) -> None:
        """Select a column, by its place."""
        self.workbench.bench.select(column)
        self.workbench.changed()

    def action_column_left(self) -> None:
        self.select(self.workbench.bench.selected - 1)

    def action_column_right(self) -> None:
        self.select(self.workbench.bench.selected + 1)

    def action_sample_up(self) -> None:
        self._move_cursor(-1)

    def action_sample_down(self) -> None:
        self._move_cursor(1)

    def action_first_sample(self) -> None:
        self._move_cursor(-sys.maxsize)

    def action_last_sample(self) -> None:
        self._move_cursor(sys.maxsize)

    def _move_cursor(self, by: int) -> None:
        self.workbench.bench.move_cursor(by)
        self.workbench.changed(scores=False)

    # changing

    def do(self, what: Coroutine[Any, Any, str | None]) -> None:
        """Wait for work of the workbench without holding a key."""
        do(self.app, self.workbench, what)

    def keep(self) -> None:
        """Draw what was changed on the Bench, and store it."""
        self.do(self.workbench.save())

    def attempt(self, change: Callable[[], str | None]) -> None:
        """Change something on the Bench and say what there is to say about it; a refusal is a warning."""
        try:
            said = change()
        except InputError as error:
            self.tell(str(error), "warning")
            return
        self.keep()
        if said:
            self.tell(said)


class PreparerScreen(AppScreen[ResultT]):
    """Has contexts prepared on a thread while it is open, and says what a model is doing meanwhile.

    Attributes:
        workbench: Whose contexts they are.
        preparer: The thread.
        doing: What a model is doing, empty where it does nothing.
        error: Why there is nothing to show, else empty.
    """

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self.doing, self.error = "…", ""
        self.preparer = workbench.preparer(self._report)

    def on_unmount(self) -> None:
        self.preparer.close()

    def _report(self, doing: str) -> None:
        """Called from other threads."""
        with suppress(RuntimeError):  # NoActiveAppError: it was closed meanwhile
            self.app.call_later(self._say, doing)

    def _say(self, doing: str) -> None:
        self.doing = doing
        if self.is_attached:
            self.show()

    def show(self) -> None:
        """Draw it as it is now."""
        raise NotImplementedError
