"""A column: what its condition is, how far it has got, and its samples."""

from __future__ import annotations

from functools import cache

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message

from alignbench.errors import InputError
from alignbench.models.installed import why_not_installed
from alignbench.models.reference import parse_reference
from alignbench.tui.bench.column_head import about, progress, title
from alignbench.tui.bench.sample_list import SampleList
from alignbench.tui.clickable import do_clicked
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.cell import BenchCell, shared_end
from alignbench.tui.workbench.column import Column

ELSEWHERE = """This model cannot be loaded here.
F3 takes another one, such as openai:http://HOST:PORT/v1#NAME of a server.
F8 has the sessions; alignbench import makes one of texts from elsewhere."""
EDGES = 6  # cells of a border beside its title


def notice(column: Column, cell: BenchCell) -> str:
    """What stands above the samples of a column that something is wrong with."""
    examples = column.condition.context.examples
    if examples is not None and examples.why_none:
        return f"{examples.why_none}\nSamples stay; F4 picks another set."
    return f"{cell.message}\nF5 tries again." if cell.message else ""


def _hint(column: Column) -> str:
    """What stands where a column has no sample of the prompt."""
    if not column.asked:
        return "No response to it was imported."
    if problem := _why_not_installed(column.condition.model.reference):
        return f"{ELSEWHERE}\n\n{problem}"
    return f"No samples of this prompt yet. F5 draws {column.n}."


@cache
def _why_not_installed(reference: str) -> str:
    """Asked once: what is installed while the app runs is found when it is opened again."""
    try:
        return why_not_installed(parse_reference(reference))
    except InputError:  # of a session from elsewhere, perhaps; who loads it is told
        return ""


class ColumnView(Vertical):
    """One condition on the Bench. It shows what it is given and knows nothing of the others."""

    class Chosen(Message):
        """The column was clicked."""

        def __init__(self, view: ColumnView, sample: int | None, twice: bool) -> None:
            super().__init__()
            self.view = view
            self.sample = sample
            self.twice = twice

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._drawn: tuple[object, ...] = ()
        self._foot = Content("")

    def compose(self) -> ComposeResult:
        yield SteadyText(markup=False, classes="about")
        yield SampleList()

    @property
    def samples(self) -> SampleList:
        return self.query_one(SampleList)

    def show(
        self,
        at: int,
        column: Column,
        cell: BenchCell,
        *,
        selected: bool,
        reference: bool,
        confounds: str,
        cursor: int | None,
        whole: bool,
        foot: Content,
    ) -> None:
        """Bring the column up to date.

        Args:
            at: Its place.
            column: The column.
            cell: Its cell of the prompt on the screen.
            selected: Whether it is.
            reference: Whether the others are compared with it.
            confounds: As `confound_mark` says them.
            cursor: Index of the selected sample.
            whole: Whether samples are shown whole.
            foot: What stands in its lower border.
        """
        self.set_class(selected, "-selected")
        samples, max_tokens = cell.ordered(column.asked), column.condition.settings["max_tokens"]
        shared = "" if cell.busy else shared_end(samples, max_tokens)
        how_far = progress(cell, column.asked or len(samples), shared)
        width = self.outer_size.width - EDGES
        drawn = (at, column, how_far, selected, reference, confounds, width)
        if drawn != self._drawn and width > 0:
            self._drawn = drawn
            self._border_title = title(at, column, how_far, reference=reference, selected=selected, width=width)
            self.refresh(Region(-1, -1, self.outer_size.width, 1))  # all of the column for a new rate would be slow
            said = about(column, confounds, reference=reference, width=width + EDGES - 3)
            self.query_one(".about", SteadyText).update(said, layout=False)
        if foot != self._foot:
            self._foot = foot
            self.border_subtitle = foot
        self.samples.show(
            samples,
            of=(at, column.hash, cell.id),
            max_tokens=max_tokens,
            shared=shared,
            cursor=cursor if selected else None,
            whole=whole,
            notice=notice(column, cell),
            hint=_hint(column) if not cell.busy else "",
        )

    def on_sample_list_clicked(self, message: SampleList.Clicked) -> None:
        message.stop()
        self.post_message(self.Chosen(self, message.index, message.twice))

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        if not await do_clicked(self, event):
            self.post_message(self.Chosen(self, None, False))
