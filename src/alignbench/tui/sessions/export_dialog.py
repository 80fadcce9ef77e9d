"""Which samples of a session are written, and where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.types import CSSPathType
from textual.widgets import SelectionList
from textual.widgets.selection_list import Selection

from alignbench.errors import InputError
from alignbench.textfiles import home_expanded
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.base import DIALOG_CSS, DialogScreen
from alignbench.tui.dialogs.save import may_overwrite
from alignbench.tui.sessions.actions import EXPORT
from alignbench.tui.styled import plain
from alignbench.tui.text import one_line
from alignbench.tui.widgets.choice_list import ChecksList
from alignbench.tui.widgets.path_input import PathInput
from alignbench.tui.widgets.steady_text import SteadyText


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to write, and where to.

    Attributes:
        file: A folder, which has no ending, gets the paper's layout.
        conditions: Names; none for all of the session.
    """

    file: Path
    conditions: tuple[str, ...]


class ExportScreen(DialogScreen[ExportRequest | None]):
    """A file, and the conditions whose samples go into it."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "export_dialog.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("export", EXPORT)]
    HELP = (
        "A name that ends in .jsonl or .csv; a folder gets all of the session in the layout of the paper's data. Space "
        "takes a condition out or in. On the command line: `alignbench export`."
    )

    def __init__(self, session: int, conditions: Sequence[str], proposed: Path) -> None:
        super().__init__()
        self._session, self._conditions, self._proposed = session, conditions, proposed

    @property
    def heading(self) -> str:
        return f"Export session {self._session}"

    def body(self) -> ComposeResult:
        yield SteadyText(".jsonl, .csv, or a folder for the paper's layout", markup=False)
        yield PathInput(str(self._proposed), compact=True)
        yield SteadyText("conditions", markup=False)
        rows = [Selection(plain(one_line(name, 90)), i, True) for i, name in enumerate(self._conditions)]
        yield ChecksList[int](*rows, compact=True)

    @work(exclusive=True)
    async def action_accept(self) -> None:
        chosen = self.query_one(SelectionList).selected
        try:
            file = home_expanded(self.query_one(PathInput).value.strip())
        except InputError as error:
            self.complain(str(error))
            return
        if not file.name:
            self.complain("Write the name of a file, or press Esc.")
        elif file.suffix not in ("", ".jsonl", ".csv"):
            self.complain(f"{file.name} ends in {file.suffix}; expected .jsonl or .csv, or a folder.")
        elif not chosen:
            self.complain("No condition is chosen: Space chooses one.")
        elif not file.suffix and len(chosen) < len(self._conditions):
            self.complain("The paper's layout holds all conditions; choose all, or a .jsonl or .csv file.")
        elif not (file.suffix and file.exists()) or await may_overwrite(self, file):
            every = len(chosen) == len(self._conditions)
            self.dismiss(ExportRequest(file, () if every else tuple(self._conditions[i] for i in sorted(chosen))))

    def action_next_field(self) -> None:
        self.focus_next()
