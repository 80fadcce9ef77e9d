"""The list of sessions, as it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import set_cell_size
from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.tui.sizes import NARROW
from alignbench.tui.text import one_line, plain
from alignbench.tui.widgets.keys import Keys

if TYPE_CHECKING:
    from alignbench.store import SessionInfo
    from alignbench.tui.workbench.controller import Workbench


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """A session to open. prompt: id of the one to begin with, empty for that where it was left."""

    session: int
    prompt: str = ""


class SessionsView(Screen[SessionChoice | None]):
    """One line a session, newest first. marked: numbers of the sessions that are, in order."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self._listed: list[SessionInfo] = []
        self.marked: list[int] = []

    def compose(self) -> ComposeResult:
        yield Static(" Sessions", id="heading", markup=False)
        yield Static("", id="columns-line", markup=False)
        yield OptionList(markup=False, compact=True)
        yield Static(plain(f" {self.workbench.database.path}"), id="where", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        self.read()

    @work(exclusive=True)
    async def read(self, keep: int | None = None) -> None:
        """Read the list again. keep: the session to select."""
        try:
            self._listed = await self.workbench.database.run(lambda store: store.sessions())
        except AlignbenchError as error:
            self.tell_error(error)
        self.marked = [id for id in self.marked if any(info.id == id for info in self._listed)]
        self._show(keep)

    def tell_error(self, error: AlignbenchError) -> None:
        self.notify(plain(str(error)).plain, severity="error", markup=False)

    def _show(self, keep: int | None) -> None:
        listing = self.query_one(OptionList)
        listing.clear_options()
        listing.add_options(Option(self._line(info)) for info in self._listed)
        current = keep if keep is not None else self.workbench.bench.session
        if self._listed:
            listing.highlighted = next((i for i, info in enumerate(self._listed) if info.id == current), 0)
        listing.focus()
        head = "No session yet: F5 on the Bench begins one." if not self._listed else self._line(None).plain
        self.query_one("#columns-line", Static).update(Content(head))
        self.refresh_bindings()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw the list again; what is selected stays selected."""
        if self._listed:
            self._show(self.selected.id if self.selected is not None else None)

    def _line(self, info: SessionInfo | None) -> Content:
        """A session on a line; None gives the heads of the columns."""
        models_room = 24 if self.size.width >= NARROW else 0
        room = max(16, self.size.width - 48 - models_room)
        if info is None:
            cells = ("", "id", "name", "began", "samples", "prompts", "models")
        else:
            cells = (
                ("▶" if info.id == self.workbench.bench.session else " ") + ("●" if info.id in self.marked else ""),
                str(info.id),
                "  ".join((one_line(info.name), *(f"#{one_line(tag)}" for tag in info.tags))),
                info.created[:16].replace("T", " "),
                f"{info.n_samples}" + (f" +{info.n_errors}✗" if info.n_errors else ""),
                str(info.n_prompts),
                ", ".join(info.models),
            )
        widths = (2, 4, room, 16, 11, 7, models_room)
        rights = (False, True, False, False, True, True, False)
        texts = []
        for text, width, right in zip(cells, widths, rights, strict=True):
            if not width:
                continue
            flat = one_line(text, width) if width > 2 else text
            texts.append(f"{flat:>{width}}" if right else set_cell_size(flat, width))
        return Content(" ".join(texts))

    @property
    def selected(self) -> SessionInfo | None:
        """The session that the cursor is on."""
        at = self.query_one(OptionList).highlighted
        return self._listed[at] if at is not None and at < len(self._listed) else None

    def named(self, sessions: list[int]) -> str:
        """Their names, with + between."""
        names = {info.id: info.name for info in self._listed}
        return " + ".join(names[id] for id in sessions)
