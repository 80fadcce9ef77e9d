"""The report of a session, as the command has it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from alignbench.errors import AlignbenchError
from alignbench.reports.contents import Report
from alignbench.reports.plain import plain_report
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.save import ask_where
from alignbench.tui.dialogs.text import TextScreen
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.sessions.actions import REPORT
from alignbench.tui.sessions.report import session_report, write_page
from alignbench.tui.workbench.background_job import BackgroundJob

if TYPE_CHECKING:
    from alignbench.store import SessionInfo
    from alignbench.tui.workbench.controller import Workbench


class ReportScreen(TextScreen):
    """Computed on a thread when it is opened; leaving gives it up."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("report", REPORT)]
    HELP = (
        "What `alignbench report --investigation all` says of the session, with the reference that it was left with. w "
        "writes it as one HTML file with figures, tables that sort and samples side by side."
    )

    def __init__(self, workbench: Workbench, info: SessionInfo) -> None:
        super().__init__(f"Report of session {info.id}: {info.name}")
        self._workbench = workbench
        self._job: BackgroundJob[Report] = BackgroundJob(
            partial(session_report, workbench.backends, info.id), self._changed
        )

    def on_unmount(self) -> None:
        self._job.cancel()

    def _changed(self) -> None:
        """Called from the thread of the job."""
        if self.is_running:
            self.call_later(self._update)

    def _update(self) -> None:
        self.show()
        self.refresh_bindings()

    def text(self, width: int) -> str:
        if self._job.result is not None:
            return plain_report(self._job.result, width)
        return self._job.error or f"{self._job.doing or 'starting'} …"

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        return self._job.result is not None if action == "write" else True

    @work(exclusive=True, group=BACKGROUND)
    async def action_write(self) -> None:
        report = self._job.result
        assert report is not None
        path = await ask_where(self, self._workbench, "the report", f"report-session-{report.session}.html")
        if path is None:
            return
        try:
            await asyncio.to_thread(write_page, self._workbench.database.path, report, path)
        except AlignbenchError as error:
            self.tell(f"Could not write the page: {error}", "error")
        else:
            self.tell(f"Written to {path.resolve()}", timeout=10)
