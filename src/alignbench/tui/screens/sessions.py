"""The sessions of the database: reopen, rename, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import set_cell_size
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.tui.actions import SESSIONS, bindings
from alignbench.tui.screens.dialog import ConfirmScreen, LineScreen
from alignbench.tui.sizes import NARROW
from alignbench.tui.text import count, one_line, plain
from alignbench.tui.widgets.keys import Keys

if TYPE_CHECKING:
    from alignbench.store import SessionInfo
    from alignbench.tui.workbench import Workbench

NEW = 0  # the answer that asks for a new session; the database counts from 1


class SessionsScreen(Screen[int | None]):
    """Returns the id of the session to open, `NEW`, or None."""

    CSS_PATH = "sessions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sessions", SESSIONS)]
    HELP = "Enter reopens the selected session where it was left: columns, prompt, samples and scores."

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._listed: list[SessionInfo] = []

    def compose(self) -> ComposeResult:
        yield Static(" Sessions", id="heading", markup=False)
        yield Static("", id="columns-line", markup=False)
        yield OptionList(markup=False, compact=True)
        yield Static(plain(f" {self._workbench.database.path}"), id="where", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        self._read()

    @work(exclusive=True)
    async def _read(self, keep: int | None = None) -> None:
        try:
            self._listed = await self._workbench.database.run(lambda store: store.sessions())
        except AlignbenchError as error:
            self._tell_error(error)
        self._show(keep)

    def _tell_error(self, error: AlignbenchError) -> None:
        self.notify(plain(str(error)).plain, severity="error", markup=False)

    def _show(self, keep: int | None) -> None:
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options(Option(self._line(info)) for info in self._listed)
        current = keep if keep is not None else self._workbench.bench.session
        if self._listed:
            at = next((i for i, info in enumerate(self._listed) if info.id == current), 0)
            listing.highlighted = at
        listing.focus()
        head = "No session yet: F5 on the Bench begins one." if not self._listed else self._line(None).plain
        self.query_one("#columns-line", Static).update(Content(head))

    def on_resize(self) -> None:
        if self._listed:
            at = self.query_one(OptionList).highlighted
            self._show(self._listed[at].id if at is not None else None)

    def _line(self, info: SessionInfo | None) -> Content:
        """A session on a line; None gives the heads of the columns."""
        models_room = 24 if self.size.width >= NARROW else 0
        room = max(16, self.size.width - 44 - models_room)
        if info is None:
            cells = ("", "id", "name", "began", "samples", "prompts", "models")
        else:
            samples = f"{info.n_samples}" + (f" +{info.n_errors}✗" if info.n_errors else "")
            mark = "▶" if info.id == self._workbench.bench.session else ""
            began = info.created[:16].replace("T", " ")
            cells = (
                mark,
                str(info.id),
                one_line(info.name),
                began,
                samples,
                str(info.n_prompts),
                ", ".join(info.models),
            )
        widths = (1, 4, room, 16, 8, 7, models_room)
        rights = (False, True, False, False, True, True, False)
        texts = []
        for text, width, right in zip(cells, widths, rights, strict=True):
            if not width:
                continue
            flat = one_line(text, width)
            texts.append(f"{flat:>{width}}" if right else set_cell_size(flat, width))
        return Content(" ".join(texts))

    @property
    def _selected(self) -> SessionInfo | None:
        at = self.query_one(OptionList).highlighted
        return self._listed[at] if at is not None and at < len(self._listed) else None

    def on_option_list_option_selected(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        if (info := self._selected) is not None:
            self.dismiss(info.id)

    def action_back(self) -> None:
        self.dismiss(None)

    def action_new_session(self) -> None:
        self.dismiss(NEW)

    @work
    async def action_rename(self) -> None:
        if (info := self._selected) is None:
            return
        name = await self.app.push_screen_wait(
            LineScreen("Name of the session", info.name, empty="A session needs a name.")
        )
        if name is None:
            return
        try:
            await self._workbench.rename(info.id, name)
        except AlignbenchError as error:
            self._tell_error(error)
        self._read(info.id)

    @work
    async def action_delete(self) -> None:
        if (info := self._selected) is None:
            return
        if info.id == self._workbench.bench.session and self._workbench.busy:
            self.notify("This session is being sampled; Esc on the Bench stops it.", severity="warning", markup=False)
            return
        gone = f"{count(info.n_samples, 'sample')}, {count(info.n_prompts, 'prompt')} and all notes go."
        detail = f"{one_line(info.name, 200)}\n\n{gone}"
        if not await self.app.push_screen_wait(ConfirmScreen(f"Delete session {info.id}?  y / n", detail)):
            return
        try:
            await self._workbench.delete(info.id)
        except AlignbenchError as error:
            self._tell_error(error)
        self._read()
