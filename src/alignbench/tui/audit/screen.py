"""F9: how the selected column differs from the reference, or from another column, beside what is under study."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from alignbench.errors import AlignbenchError
from alignbench.experiments.audit import TITLES, Difference, Side, rows, shown_prompt, side
from alignbench.experiments.confounds import studies
from alignbench.tui.action import bindings
from alignbench.tui.audit.actions import AUDIT
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.screen import PreparerScreen
from alignbench.tui.sizes import HEIGHTS
from alignbench.tui.styled import DIM, in_hue, plain
from alignbench.tui.text import fitted, middle_cut, one_line, printable
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.marked_pane import MarkedPane, StyledRun
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.wrap import WrappedText

if TYPE_CHECKING:
    from alignbench.tui.workbench.controller import Workbench

LABEL = 24


class AuditScreen(PreparerScreen[None]):
    """The differences as a list; p shows both prompts side by side."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("audit", AUDIT)]
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "Both columns for the prompt on the Bench, as their models got it. Above what differs though nobody studies "
        "it, then what is under study, then what is the same. What is under study follows from the columns: of one "
        "model the context, else sampling; of two models without a context the models alone, so that their layouts are "
        "a confound; u takes another reading. ≠ in the head of a column names the settings among them. Text that only "
        "one prompt has is underlined."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        bench = workbench.bench
        names = [column.name for column in bench.columns]
        reference = names.index(bench.reference) if bench.reference in names else 0
        self._at = bench.selected
        self._other = reference if reference != self._at else (self._at + 1) % len(names)
        self._sides: tuple[Side, Side] | None = None
        self._study = 0  # which of those that the columns allow

    def compose(self) -> ComposeResult:
        yield ScreenTitle(id="head")
        with Vertical(id="differences", classes="section -selected"):
            yield SteadyText("", id="titles", markup=False)
            yield LineList(id="rows")
        with Horizontal(id="prompts"):
            yield MarkedPane(id="left", classes="panel")
            yield MarkedPane(id="right", classes="panel")
        yield Keys()

    def on_mount(self) -> None:
        self._compare()

    def on_resize(self) -> None:
        self.show()

    def _columns(self) -> tuple[Column, Column]:
        columns = self.workbench.bench.columns
        return columns[self._at], columns[self._other]

    @work(exclusive=True, group=BACKGROUND)
    async def _compare(self) -> None:
        self._sides, self.error = None, ""
        self.show()
        try:
            here, there = self._columns()
            self._sides = (await self._side(here), await self._side(there))
        except AlignbenchError as error:
            self.error = str(error)
        self.show()

    async def _side(self, column: Column) -> Side:
        bench = self.workbench.bench
        prompt, cell = bench.prompt, bench.cell(column)
        ends = [
            sample.row.finish_reason
            for sample in cell.samples.values()
            if sample.status == "done" and sample.row is not None
        ]
        shown = await self.preparer.run(
            lambda preparer, _: shown_prompt(preparer, prompt, column.condition, cell.id or 0)
        )
        return side(column.condition, column.n, ends, shown)

    def show(self) -> None:
        if not self.query("#head"):
            return
        names = [
            f"{letter(at)} {middle_cut(self.workbench.bench.columns[at].name, 30)}" for at in (self._at, self._other)
        ]
        title, listed = self.query_one(ScreenTitle), self.query_one(LineList)
        titles = self.query_one("#titles", SteadyText)
        half = max(10, (self.size.width - LABEL - 3) // 2)
        if self._at == self._other:
            title.show("Audit", "another column (a) gives something to compare with")
            return
        title.show("Audit", f"{names[0]} against {names[1]}")
        if self._sides is None:
            titles.update(Content(""))
            listed.show([plain(f" {one_line(self.error or self.doing)}")])
            return
        titles.update(
            Content.assemble(
                " " * (LABEL + 1), in_hue(fitted(names[0], half), self._at), " ", in_hue(names[1], self._other)
            )
        )
        for pane, name, at in (("#left", names[0], self._at), ("#right", names[1], self._other)):
            self.query_one(pane).border_title = in_hue(name, at)
        left, right = self._sides
        allowed = studies(left.condition, right.condition)
        study = allowed[self._study % len(allowed)]
        listed.show(self._lines(rows(left, right, study), " and ".join(study), half))
        texts = [each.prompt.text if each.prompt is not None else "" for each in self._sides]
        self.query_one("#left", MarkedPane).show(_only_in(texts[0], texts[1]))
        self.query_one("#right", MarkedPane).show(_only_in(texts[1], texts[0]))

    def _lines(self, differences: list[Difference], study: str, half: int) -> list[Content]:
        lines: list[Content] = []
        kind = ""
        for row in differences:
            if row.kind != kind:
                kind = row.kind
                n = sum(other.kind == kind for other in differences)
                lines += [Content("")] if lines else []
                style = "bold $text-warning" if kind == "confound" else "bold"
                title = TITLES[kind].format(study=study)
                lines.append(Content.styled(f" {'! ' if kind == 'confound' else ''}{title} ({n})", style))
            a, b = (WrappedText(half, printable(" ".join(text.split()))) for text in (row.a, row.b))
            for line in range(max(len(a), len(b))):
                label = row.what if line == 0 else ""
                texts = [fitted(text[line] if line < len(text) else "", half) for text in (a, b)]
                style = DIM if kind == "same" else ""
                lines.append(Content.assemble((f" {label:<{LABEL}}", DIM), (f"{texts[0]} {texts[1]}", style)))
        return lines

    # keys

    def action_other(self) -> None:
        n = len(self.workbench.bench.columns)
        if n > 2:
            self._other = next(at % n for at in range(self._other + 1, self._other + n) if at % n != self._at)
            self._compare()
        else:
            self.tell("There is no third column to compare with; a on the Bench adds one.")

    def action_study(self) -> None:
        here, there = self._columns()
        if len(allowed := studies(here.condition, there.condition)) < 2:
            about = " and ".join(allowed[0]) or "nothing but what is listed as a confound"
            self.tell(f"These two columns have one reading: {about}.")
        self._study += 1
        self.show()

    def action_turn(self) -> None:
        self.toggle_class("-turned")
        self.show()

    def panes(self) -> Iterable[Pane]:
        return self.query(Pane)


def _only_in(text: str, other: str) -> list[StyledRun]:
    """The lines of a text; those that the other one does not have are marked."""
    there = set(other.splitlines())
    return [
        StyledRun(line, "plain" if line.rstrip("\n") in there or not line.strip() else "marginal")
        for line in text.splitlines(keepends=True)
    ]
