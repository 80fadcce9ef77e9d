"""A column: what its condition is, how far it has got, and its samples."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from alignbench.tui.bench.sample_list import SampleList
from alignbench.tui.condition_text import context_words, settings
from alignbench.tui.styled import DIM, SELECTED
from alignbench.tui.text import bar, cells, cut, one_line
from alignbench.tui.workbench.cell import BenchCell
from alignbench.tui.workbench.state import Column, letter


def around(column: Column) -> str:
    """Which version of the column it is, and its context, where there is something to say of them."""
    parts = []
    if column.versions:
        parts.append(f"v{column.version + 1}/{len(column.versions)}")
    if not column.condition.context.zero_shot:
        parts.append(context_words(column.condition.context))
    return "".join(f"{part}  " for part in parts)


def progress(cell: BenchCell, n: int) -> tuple[str, str]:
    """How far a cell has got, in words, and the style of them."""
    count = f"{cell.done}/{n}"
    match cell.status:
        case "starting":
            return "starting", DIM
        case "loading":
            return f"loading {cell.fraction:.0%} {bar(cell.fraction, 8)}", "$text-warning"
        case "waiting":
            return f"{count} waiting", DIM
        case "sampling":
            rate = cell.rate.per_second()
            return (f"{count}  {rate:.0f} tok/s" if rate else f"{count}  reading the prompt"), "$text-success"
    if cell.message:
        return f"{count} failed", "$text-error"
    if not cell.samples:
        return "not sampled", DIM
    return f"{count} done" if cell.done >= n else f"{count}, F5 goes on", DIM


def notice(column: Column, cell: BenchCell) -> str:
    """What stands above the samples of a column that something is wrong with."""
    examples = column.condition.context.examples
    if examples is not None and examples.why_none:
        return f"{examples.why_none}\nSamples stay; F4 picks another set."
    return f"{cell.message}\nF5 tries again." if cell.message else ""


class ColumnHead(Static):
    """Two lines: the name; parameters and progress."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._parts: tuple[int, Column, str, str, bool, bool, str] | None = None
        self._drawn: tuple[object, ...] = ()

    def show(
        self, at: int, column: Column, cell: BenchCell, *, selected: bool, reference: bool, confounds: str
    ) -> None:
        """Draw it again if anything in it changed.

        Args:
            at: Place of the column.
            column: The column.
            cell: Its cell of the prompt on the screen.
            selected: Whether the column is.
            reference: Whether the others are compared with it.
            confounds: In what it differs from the reference though nobody studies it.
        """
        words, style = progress(cell, column.n)
        self._parts = (at, column, words, style, selected, reference, confounds)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self.size.width
        if self._parts is None or width < 16 or self._drawn == (self.size, self._parts):
            return
        self._drawn = (self.size, self._parts)
        at, column, words, style, selected, reference, confounds = self._parts
        kind = column.condition.model.kind
        if self.size.height < 2:  # where the tabs above say the rest
            self.update(self._second(f"{kind}  ", column, words, style, confounds, width), layout=False)
            return
        right = f"reference, {kind}" if reference and width >= 44 else kind
        mark = "* " if reference else ""
        name = one_line(column.name, max(6, width - len(right) - len(mark) - 8))
        left = Content.assemble("▶ " if selected else "  ", letter(at), "  ", mark, name)
        first = Content.assemble(left, " " * max(1, width - left.cell_length - len(right) - 1), right, " ")
        first = first.stylize(SELECTED if selected else "$foreground on $panel")
        second = self._second("", column, words, style, confounds, width)
        self.update(Content("\n").join([first, second]), layout=False)

    def _second(self, kind: str, column: Column, words: str, style: str, confounds: str, width: int) -> Content:
        """What differs from the reference by accident, then parameters; progress to the right."""
        mark = f"  {confounds}" if confounds else ""
        room = width - cells(words) - cells(mark) - 3
        what = cut(f"  {kind}{around(column)}{settings(column.condition)}  n {column.n}", room)
        gap = " " * max(1, width - cells(mark) - cells(what) - cells(words) - 1)
        return Content.assemble((mark, "bold $text-warning"), (what, DIM), gap, (words, style))


class ColumnView(Vertical):
    """One condition on the Bench. It shows what it is given and knows nothing of the others."""

    class Chosen(Message):
        """The column was clicked."""

        def __init__(self, view: ColumnView, sample: int | None, twice: bool) -> None:
            super().__init__()
            self.view = view
            self.sample = sample
            self.twice = twice

    def compose(self) -> ComposeResult:
        yield ColumnHead()
        yield SampleList()

    @property
    def head(self) -> ColumnHead:
        return self.query_one(ColumnHead)

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
        """
        self.set_class(selected, "-selected")
        self.head.show(at, column, cell, selected=selected, reference=reference, confounds=confounds)
        self.samples.show(
            cell.ordered(column.n),
            max_tokens=column.condition.settings["max_tokens"],
            cursor=cursor if selected else None,
            whole=whole,
            notice=notice(column, cell),
            hint=f"No samples of this prompt yet. F5 draws {column.n}." if not cell.busy else "",
        )

    def on_sample_list_clicked(self, message: SampleList.Clicked) -> None:
        message.stop()
        self.post_message(self.Chosen(self, message.index, message.twice))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Chosen(self, None, False))
