"""The sessions of the database: reopen, find, report, compare, merge, write out, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.textfiles import home_expanded
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.base import ConfirmScreen, LineScreen
from alignbench.tui.dialogs.save import free_path
from alignbench.tui.screen import AppScreen, do
from alignbench.tui.sessions.actions import SESSIONS
from alignbench.tui.sessions.session_line import HEADS, fitted_cells, session_line
from alignbench.tui.text import count, one_line
from alignbench.tui.widgets.choice_list import ChoiceList
from alignbench.tui.widgets.inputs import PlainInput
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.state import SamplePlace

if TYPE_CHECKING:
    from alignbench.store import SessionInfo, Store
    from alignbench.tui.sessions.export_dialog import ExportRequest
    from alignbench.tui.workbench.controller import Workbench

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """A session to open.

    Attributes:
        session: Its number.
        place: The sample to open in it; None to go on where it was left.
    """

    session: int
    place: SamplePlace | None = None


NEW = SessionChoice(0)  # asks for a new session; the database counts from 1


class SessionsScreen(AppScreen[SessionChoice | None]):
    """One line a session, newest first. Returns the session to open, `NEW`, or None.

    Attributes:
        marked: Numbers of the sessions that are marked, in order.
    """

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sessions", SESSIONS)]
    AUTO_FOCUS = "OptionList"
    HELP = (
        "Enter reopens the selected session where it was left: columns, prompt, samples and scores. Space marks "
        "sessions; m makes one of all that are marked, c compares two. All of it is there as `alignbench sessions` too."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self._all: list[SessionInfo] = []
        self._listed: list[SessionInfo] = []
        self.marked: list[int] = []

    def compose(self) -> ComposeResult:
        yield ScreenTitle("Sessions")
        yield PlainInput(placeholder="words of a name, tag or model; #word of a tag", id="filter", compact=True)
        with Vertical(id="listed", classes="section -selected"):
            yield SteadyText("", id="columns-line", markup=False)
            yield ChoiceList(markup=False, compact=True)
        yield Keys()

    def on_mount(self) -> None:
        self.read()

    def on_resize(self) -> None:
        self.redraw()

    @work(exclusive=True, group="read")
    async def read(self, keep: int | None = None) -> None:
        """Read the list again. keep: the session to select."""
        found = await self._run(lambda store: store.sessions())
        if found is not None:
            self._all = found
        self.marked = [id for id in self.marked if any(info.id == id for info in self._all)]
        self._show(keep)

    def redraw(self) -> None:
        """Draw the list again; what is selected stays selected."""
        if self._all:
            self._show(self.selected.id if self.selected is not None else None)

    def _show(self, keep: int | None) -> None:
        from alignbench.store.session_filter import matches

        listing, width, current = self.query_one(OptionList), self.size.width, self.workbench.bench.session
        words = self._filter.value
        self._listed = [info for info in self._all if matches(info, words)]
        listing.clear_options()
        listing.add_options(
            Option(session_line(info, width, open=info.id == current, marked=info.id in self.marked))
            for info in self._listed
        )
        wanted = keep if keep is not None else current
        if self._listed:
            listing.highlighted = next((i for i, info in enumerate(self._listed) if info.id == wanted), 0)
        if not self._filter.has_focus:
            listing.focus()
        if self._listed:
            head = fitted_cells(HEADS, width)
        elif self._all:
            head = Content(" No session has these words in its name, tags or models: Esc clears them.")
        else:
            head = Content(" No session yet: F5 on the Bench begins one.")
        self.query_one("#columns-line", SteadyText).update(head)
        self.query_one(ScreenTitle).show("Sessions", "", one_line(str(self.workbench.database.path), width // 2))
        self.refresh_bindings()

    @property
    def selected(self) -> SessionInfo | None:
        """The session that the cursor is on."""
        at = self.query_one(OptionList).highlighted
        return self._listed[at] if at is not None and at < len(self._listed) else None

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action in ("back", "new_session", "search", "backup"):
            return True
        if action == "filter":
            return bool(self._all)
        if action == "to_list":
            return self._filter.has_focus
        if action == "open" and self._filter.has_focus:
            return False
        return bool(self._listed) if self.is_mounted else True

    async def _run(self, work: Callable[[Store], T]) -> T | None:
        """The result of the database's work; None, and a message, where it refuses."""
        try:
            return await self.workbench.database.run(work)
        except AlignbenchError as error:
            self.tell(str(error), "error")
            return None

    async def _line(self, heading: str, value: str, empty: str = "") -> str | None:
        return await self.app.push_screen_wait(LineScreen(heading, value, empty=empty))

    # filtering

    @property
    def _filter(self) -> PlainInput:
        return self.query_one("#filter", PlainInput)

    def action_filter(self) -> None:
        self._filter.display = True
        self._filter.focus()

    def on_input_changed(self) -> None:
        self.redraw()

    def on_input_submitted(self) -> None:
        self.action_to_list()

    def action_to_list(self) -> None:
        """From the filter back to what it leaves; it goes where it is empty."""
        self._filter.display = bool(self._filter.value)
        self.query_one(OptionList).focus()

    def action_back(self) -> None:
        if not self._filter.display:
            self.dismiss(None)
            return
        self._filter.value = ""
        self.action_to_list()

    # opening

    def on_option_list_option_selected(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        if (info := self.selected) is not None:
            self.dismiss(SessionChoice(info.id))

    def action_new_session(self) -> None:
        self.dismiss(NEW)

    @work
    async def action_search(self) -> None:
        from alignbench.tui.sessions.search_dialog import SearchScreen

        hit = await self.app.push_screen_wait(SearchScreen(self.workbench))
        if hit is not None:
            self.dismiss(SessionChoice(hit.session, SamplePlace(hit.prompt_id, hit.condition, hit.sample)))

    # names, tags, notes

    @work
    async def action_rename(self) -> None:
        if (info := self.selected) is None:
            return
        name = await self._line("Name of the session", info.name, "A session needs a name.")
        if name is None:
            return
        try:
            await self.workbench.rename(info.id, name)
        except AlignbenchError as error:
            self.tell(str(error), "error")
        self.read(info.id)

    @work
    async def action_tags(self) -> None:
        if (info := self.selected) is None:
            return
        written = await self._line("Tags, with commas between", ", ".join(info.tags))
        if written is None:
            return
        wanted = {tag.strip() for tag in written.split(",")} - {""}

        def work(store: Store) -> None:
            with store.together():
                for tag in {*info.tags} - wanted:
                    store.untag_session(info.id, tag)
                for tag in wanted - {*info.tags}:
                    store.tag_session(info.id, tag)

        await self._run(work)
        self.read(info.id)

    @work
    async def action_note(self) -> None:
        from alignbench.tui.sessions.notes_dialog import NotesScreen

        if (info := self.selected) is not None:
            await self.app.push_screen_wait(NotesScreen(self.workbench, info.id))

    @work
    async def action_label(self) -> None:
        from alignbench.judging.labels import plan_labels, user_name
        from alignbench.tui.sessions.label_screen import LabelScreen

        if (info := self.selected) is None:
            return
        plan = await self._run(lambda store: plan_labels(store, info.id, labeller=user_name()))
        if plan is not None:
            await self.app.push_screen_wait(LabelScreen(self.workbench, plan))

    # several of them

    def action_mark(self) -> None:
        if (info := self.selected) is not None:
            if info.id in self.marked:
                self.marked.remove(info.id)
            else:
                self.marked.append(info.id)
            self.redraw()

    def _taken(self) -> list[int]:
        """Those that are marked, and the selected one."""
        selected = [] if self.selected is None or self.selected.id in self.marked else [self.selected.id]
        return [*self.marked, *selected]

    @work
    async def action_merge(self) -> None:
        taken = self._taken()
        if len(taken) < 2:
            self.tell("Mark one session or more with Space, then m on another one.")
            return
        names = {info.id: info.name for info in self._all}
        name = await self._line(
            f"Name of the session that is made of {', '.join(map(str, taken))}",
            " + ".join(names[id] for id in taken),
            "A session needs a name.",
        )
        if name is None:
            return
        made = await self._run(lambda store: store.merge_sessions(taken, name))
        if made is not None:
            self.marked.clear()
            sources = await self._run(lambda store: store.sources_of(made)) or []
            words = [source.words for source in sources if source.words]
            self.tell(" ".join([f"Session {made} is made; those it is made of stay.", *words]))
            self.read(made)

    @work
    async def action_compare(self) -> None:
        from alignbench.session_diff import compare_sessions
        from alignbench.tui.sessions.diff_screen import ComparisonScreen

        taken = self._taken() if len(self.marked) < 2 else self.marked
        if len(taken) != 2:
            self.tell("Mark one session with Space, then c on another one.")
            return
        first, second = taken
        diff = await self._run(lambda store: compare_sessions(store, first, second))
        if diff is not None:
            await self.app.push_screen_wait(ComparisonScreen(diff))

    # on the way out

    @work
    async def action_report(self) -> None:
        from alignbench.tui.sessions.report_screen import ReportScreen

        if (info := self.selected) is not None:
            await self.app.push_screen_wait(ReportScreen(self.workbench, info))

    @work
    async def action_export(self) -> None:
        from alignbench.tui.sessions.export_dialog import ExportScreen

        if (info := self.selected) is None:
            return
        names = await self._run(lambda store: [condition.name for condition in store.conditions(info.id)])
        if not names:
            return
        proposed = free_path(self.workbench.folder / f"session-{info.id}.jsonl")
        request = await self.app.push_screen_wait(ExportScreen(info.id, names, proposed))
        if request is None:
            return
        do(self.app, self.workbench, self._write(info.id, request))

    async def _write(self, session: int, request: ExportRequest) -> str:
        path = await asyncio.to_thread(_export, self.workbench.database.path, session, request)
        self.workbench.folder = path.parent
        return f"Written to {path.resolve()}"

    @work
    async def action_backup(self) -> None:
        proposed = free_path(self.workbench.folder / "alignbench-backup.db")
        dialog = LineScreen("Copy the database to", str(proposed), empty="Name a file that is not there.", asked="path")
        if (written := await self.app.push_screen_wait(dialog)) is None:
            return

        async def copy() -> str:
            path = home_expanded(written)
            await self.workbench.database.run(lambda store: store.backup(path))
            return f"Written to {path.resolve()}"

        do(self.app, self.workbench, copy())

    @work
    async def action_delete(self) -> None:
        if (info := self.selected) is None:
            return
        if info.id == self.workbench.bench.session and self.workbench.busy:
            self.tell("This session is being sampled; Esc on the Bench stops it.", "warning")
            return
        gone = f"{count(info.n_samples, 'sample')}, {count(info.n_prompts, 'prompt')} and all notes go."
        detail = f"{one_line(info.name, 200)}\n\n{gone}"
        if not await self.app.push_screen_wait(ConfirmScreen(f"Delete session {info.id}?  y / n", detail)):
            return
        try:
            await self.workbench.delete(info.id)
        except AlignbenchError as error:
            self.tell(str(error), "error")
        self.read()


def _export(db: Path, session: int, request: ExportRequest) -> Path:
    """Write the samples on a connection of its own, so that the app goes on meanwhile."""
    from alignbench.exporting.samples import SampleFilter, export_file
    from alignbench.overton.write import export_overton
    from alignbench.store import Store

    with Store.read(db) as store:
        if not request.file.suffix:
            return export_overton(store, session, request.file)
        export_file(store, session, SampleFilter(request.conditions), request.file, request.file.suffix)
        return request.file
