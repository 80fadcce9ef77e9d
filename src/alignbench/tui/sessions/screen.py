"""The sessions of the database: reopen, find, report, compare, merge, write out, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import work
from textual.binding import BindingType

from alignbench.errors import AlignbenchError
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.base import ConfirmScreen, LineScreen
from alignbench.tui.sessions.actions import SESSIONS
from alignbench.tui.sessions.list_view import SessionChoice, SessionsView
from alignbench.tui.text import count, one_line, printable

if TYPE_CHECKING:
    from alignbench.store import Store
    from alignbench.tui.sessions.export_dialog import ExportRequest

NEW = SessionChoice(0)  # asks for a new session; the database counts from 1
T = TypeVar("T")


class SessionsScreen(SessionsView):
    """Returns the session to open, `NEW`, or None."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sessions", SESSIONS)]
    HELP = (
        "Enter reopens the selected session where it was left: columns, prompt, samples and scores. Space marks "
        "sessions; m makes one of all that are marked, c compares two. All of it is there as `alignbench sessions` too."
    )

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action in ("back", "new_session", "search", "backup"):
            return True
        return bool(self._listed) if self.is_mounted else True

    async def _run(self, work: Callable[[Store], T]) -> T | None:
        """The result of the database's work; None, and a message, where it refuses."""
        try:
            return await self.workbench.database.run(work)
        except AlignbenchError as error:
            self.tell_error(error)
            return None

    async def _asked(self, heading: str, value: str, empty: str = "") -> str | None:
        return await self.app.push_screen_wait(LineScreen(heading, value, empty=empty))

    # opening

    def on_option_list_option_selected(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        if (info := self.selected) is not None:
            self.dismiss(SessionChoice(info.id))

    def action_back(self) -> None:
        self.dismiss(None)

    def action_new_session(self) -> None:
        self.dismiss(NEW)

    @work
    async def action_search(self) -> None:
        from alignbench.tui.sessions.search_dialog import SearchScreen

        found = await self.app.push_screen_wait(SearchScreen(self.workbench))
        if found is not None:
            self.dismiss(SessionChoice(found.session, found.prompt_id))

    # names, tags, notes

    @work
    async def action_rename(self) -> None:
        if (info := self.selected) is None:
            return
        name = await self._asked("Name of the session", info.name, "A session needs a name.")
        if name is None:
            return
        try:
            await self.workbench.rename(info.id, name)
        except AlignbenchError as error:
            self.tell_error(error)
        self.read(info.id)

    @work
    async def action_tags(self) -> None:
        if (info := self.selected) is None:
            return
        written = await self._asked("Tags, with commas between", ", ".join(info.tags))
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
        from alignbench.judging.labels import plan_labels
        from alignbench.tui.sessions.label_screen import LabelScreen

        if (info := self.selected) is None:
            return
        plan = await self._run(lambda store: plan_labels(store, info.id))
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
            self.notify("Mark one session or more with Space, then m on another one.", markup=False)
            return
        name = await self._asked(
            f"Name of the session that is made of {', '.join(map(str, taken))}",
            self.named(taken),
            "A session needs a name.",
        )
        if name is None:
            return
        made = await self._run(lambda store: store.merge_sessions(taken, name))
        if made is not None:
            self.marked.clear()
            self.notify(f"Session {made} is made; those it is made of stay.", markup=False)
            self.read(made)

    @work
    async def action_compare(self) -> None:
        from alignbench.session_diff import compare_sessions
        from alignbench.tui.sessions.diff_screen import ComparisonScreen

        taken = self._taken() if len(self.marked) < 2 else self.marked
        if len(taken) != 2:
            self.notify("Mark one session with Space, then c on another one.", markup=False)
            return
        first, second = taken
        found = await self._run(lambda store: compare_sessions(store, first, second))
        if found is not None:
            await self.app.push_screen_wait(ComparisonScreen(found))

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
        asked = await self.app.push_screen_wait(ExportScreen(info.id, names))
        if asked is None:
            return
        try:
            path = await asyncio.to_thread(_export, self.workbench.database.path, info.id, asked)
        except AlignbenchError as error:
            self.tell_error(error)
        else:
            self.notify(printable(f"Written to {path.resolve()}"), markup=False)

    @work
    async def action_backup(self) -> None:
        written = await self._asked("Copy the database to", "alignbench-backup.db", "Name a file that is not there.")
        if written is None:
            return
        path = Path(written).expanduser()

        def work(store: Store) -> bool:
            store.backup(path)
            return True

        if await self._run(work):
            self.notify(printable(f"Written to {path.resolve()}"), markup=False)

    @work
    async def action_delete(self) -> None:
        if (info := self.selected) is None:
            return
        if info.id == self.workbench.bench.session and self.workbench.busy:
            self.notify("This session is being sampled; Esc on the Bench stops it.", severity="warning", markup=False)
            return
        gone = f"{count(info.n_samples, 'sample')}, {count(info.n_prompts, 'prompt')} and all notes go."
        detail = f"{one_line(info.name, 200)}\n\n{gone}"
        if not await self.app.push_screen_wait(ConfirmScreen(f"Delete session {info.id}?  y / n", detail)):
            return
        try:
            await self.workbench.delete(info.id)
        except AlignbenchError as error:
            self.tell_error(error)
        self.read()


def _export(db: Path, session: int, asked: ExportRequest) -> Path:
    """Write the samples on a connection of its own, so that the app goes on meanwhile."""
    from alignbench.exporting.samples import SampleFilter, export_file
    from alignbench.overton.write import export_overton
    from alignbench.store import Store

    with Store.open(db) as store:
        if not asked.file.suffix:
            return export_overton(store, session, asked.file)
        export_file(store, session, SampleFilter(asked.conditions), asked.file, asked.file.suffix)
        return asked.file
