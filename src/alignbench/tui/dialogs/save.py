"""Asking where a file is to be written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from alignbench.errors import AlignbenchError
from alignbench.output_files import check_output
from alignbench.textfiles import home_expanded
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import SAVE
from alignbench.tui.dialogs.base import ConfirmScreen, DialogScreen
from alignbench.tui.widgets.path_input import PathInput

if TYPE_CHECKING:
    from alignbench.tui.screen import AppScreen
    from alignbench.tui.workbench.controller import Workbench


class SaveScreen(DialogScreen[Path | None]):
    """Returns a path that can be written to: of a new file, or of one that may be written over."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("save", SAVE)]
    HELP = "Enter writes the file; one that is there is written over only where you say so. Tab completes the path."

    def __init__(self, what: str, proposed: Path) -> None:
        super().__init__()
        self._what, self._proposed = what, proposed

    @property
    def heading(self) -> str:
        return f"Write {self._what} to"

    def body(self) -> ComposeResult:
        yield PathInput(str(self._proposed))

    @work(exclusive=True)
    async def action_accept(self) -> None:
        written = self.query_one(PathInput).value.strip()
        if not written:
            self.complain("Write the path of a file, or press Esc.")
            return
        try:
            path = home_expanded(written)
            if written.endswith("/") or path.is_dir():
                self.complain(f"{written} is a folder; write the name of a file after it.")
                return
            await asyncio.to_thread(check_output, path)
        except (AlignbenchError, ValueError) as error:  # ValueError: of a NUL
            self.complain(str(error))
            return
        if await asyncio.to_thread(path.is_file) and not await may_overwrite(self, path):
            return
        self.dismiss(path)


async def may_overwrite(screen: AppScreen[Any], path: Path) -> bool:
    """Ask whether a file that is there may be written over."""
    return await screen.app.push_screen_wait(ConfirmScreen("Write over the file that is there?  y / n", str(path)))


async def ask_where(screen: AppScreen[Any], workbench: Workbench, what: str, name: str) -> Path | None:
    """Where something is to be written; a free name in the folder of the last time is offered.

    Args:
        screen: That asks.
        workbench: Which knows that folder.
        what: It is.
        name: Of the file.
    """
    path = await screen.app.push_screen_wait(SaveScreen(what, free_path(workbench.folder / name)))
    if path is not None:
        workbench.folder = path.parent
    return path


def free_path(path: Path) -> Path:
    """The path, or the first of NAME-2, NAME-3, ... that nothing has."""
    count, free = 1, path
    while free.exists():
        count += 1
        free = path.with_name(f"{path.stem}-{count}{path.suffix}")
    return free
