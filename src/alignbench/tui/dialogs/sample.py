"""Draw samples of this prompt, of the next ones, or of all of the set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import SAMPLE
from alignbench.tui.dialogs.base import DIALOG_CSS, ListScreen
from alignbench.tui.styled import DIM
from alignbench.tui.text import about, cells, count, one_line, padded
from alignbench.tui.widgets.choice_list import ChoiceList
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.sample_scope import Offer

NOTHING = "No sample is missing there. Esc, then + asks for five more in a column, r draws new ones."


class SampleScreen(ListScreen[Offer | None]):
    """What is missing of one, some and all prompts, and about how long it takes."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "sample.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sample", SAMPLE)]
    HELP = (
        "F10 or Enter draws what is missing of the chosen prompts; Tab: in all columns, or in the selected one. "
        "It goes on while you read: Esc on the Bench stops it, and F5 goes on with what is missing, also tomorrow. "
        "The time is that of earlier samples of these models in this database."
    )
    HEADING = "Sample"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._one = False  # whether in the selected column only
        self._offers: list[Offer] = []

    def body(self) -> ComposeResult:
        yield SteadyText("", id="columns", markup=False)
        listing = ChoiceList(markup=False, compact=True)
        listing.can_focus = False
        yield listing

    def on_mount(self) -> None:
        self._count()

    @property
    def _columns(self) -> Sequence[Column]:
        bench = self._workbench.bench
        return [bench.column] if self._one and bench.column is not None else list(bench.columns)

    @work(exclusive=True)
    async def _count(self) -> None:
        columns, listing = self._columns, self.query_one(OptionList)
        at = listing.highlighted  # of the other columns' offers; None at first
        self._offers = []
        listing.clear_options()  # Enter may come before they are counted
        which = f"in column {columns[0].name}" if self._one else f"in all {count(len(columns), 'column')}"
        self.query_one("#columns", SteadyText).update(Content.styled(one_line(which, 70), DIM))
        try:
            self._offers = await self._workbench.offers(columns)
        except AlignbenchError as error:
            self.complain(str(error))
            return
        width = max((cells(offer.scope.title) for offer in self._offers), default=0)
        listing.add_options(Option(_line(offer, width)) for offer in self._offers)
        if self._offers:
            stays = at is not None and at < len(self._offers) and self._offers[at].missing > 0
            listing.highlighted = at if stays else self._begin()
        self.complain("" if any(offer.missing for offer in self._offers) else NOTHING)

    def _begin(self) -> int:
        """The place of the widest offer that goes on with what was begun, else of the first that lacks anything."""
        begun = {prompt.key for prompt in self._workbench.bench.asked}
        lacking = [i for i, offer in enumerate(self._offers) if offer.missing]
        going_on = [i for i in lacking if all(prompt.key in begun for prompt in self._offers[i].scope.prompts)]
        return max(going_on, key=lambda at: len(self._offers[at].scope.prompts), default=next(iter(lacking), 0))

    def on_option_list_option_selected(self, _event: OptionList.OptionSelected) -> None:
        self.action_accept()

    def action_other_columns(self) -> None:
        self._one = not self._one
        self._count()

    def action_accept(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is None:
            return  # it is still counted
        if self._offers[at].missing:
            self.dismiss(self._offers[at])
        else:
            self.complain(NOTHING)


def _line(offer: Offer, width: int) -> Content:
    """What it is, how much is missing, how long that takes."""
    if not offer.missing:
        return Content.assemble(f"{padded(offer.scope.title, width)}  ", ("     complete", DIM))
    time = "no pace yet" if offer.seconds is None else about(offer.seconds)
    return Content.assemble(f"{padded(offer.scope.title, width)}  {offer.missing:>5} missing  ", (f"{time:>11}", DIM))
