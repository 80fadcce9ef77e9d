"""Pairs of samples to label, whose origin is hidden."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.types import CSSPathType

from alignbench.errors import AlignbenchError
from alignbench.judging.labels import PREFERENCE, LabelPlan
from alignbench.judging.plan import JudgeItem
from alignbench.judging.preferences import label_agreement
from alignbench.judging.summary import judgments_of, pair_sources, summarize
from alignbench.metrics.statistics import Uncertainty
from alignbench.reports.plain import plain_sections
from alignbench.reports.sections import agreement_section, judged_sections
from alignbench.tui.action import bindings
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.screen import AppScreen
from alignbench.tui.sessions.actions import LABEL
from alignbench.tui.styled import plain
from alignbench.tui.text import count, one_line
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from alignbench.store import SampleRow, Store
    from alignbench.tui.workbench.controller import Workbench

PROMPT = 400  # characters of a prompt


class LabelScreen(AppScreen[None]):
    """One pair at a time; each answer is in the database before the next pair is shown."""

    CSS_PATH: ClassVar[CSSPathType | None] = "label_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("label", LABEL)]
    HELP = (
        "Two responses to one prompt: sample i of a condition and sample i of the reference, which of them is which is "
        "hidden and changes by seed. The number keys answer. On the command line: `alignbench label`, with --tags for "
        "answers of your own."
    )

    def __init__(self, workbench: Workbench, plan: LabelPlan) -> None:
        super().__init__()
        self._workbench, self._plan = workbench, plan
        self._waiting = deque(plan.items)
        self._past: list[JudgeItem] = []
        self._item: JudgeItem | None = None  # the pair that can be answered

    def compose(self) -> ComposeResult:
        yield ScreenTitle(id="heading")
        yield SteadyText("", id="prompt", markup=False)
        with Horizontal(id="pair"):
            for name in ("first", "second"):
                pane = TextPane(id=name, classes="panel")
                pane.border_title = Content(name)
                yield pane
        yield TextPane(id="outcome")
        yield SteadyText("", id="choices", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        parts = [f"{i} {one_line(choice, 40)}" for i, choice in enumerate(self._plan.choices, start=1)]
        self.query_one("#choices", SteadyText).update(Content(" " + "   ".join(parts)))
        self._next()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "undo":
            return bool(self._past)
        return bool(self._waiting) if action == "skip" else True

    @work(exclusive=True, group=BACKGROUND)
    async def _next(self) -> None:
        """Show the first of those that wait, or what came of them all."""
        self._item = None
        left, done = len(self._waiting), self._plan.n - len(self._waiting)
        pairs = f"{done} of {count(self._plan.n, 'pair')}, {left} left"
        about = f"of session {self._plan.session}, as {self._plan.labeller}"
        self.query_one(ScreenTitle).show("Labels", about, pairs)
        for id in ("prompt", "pair", "choices"):
            self.query_one(f"#{id}").display = left > 0
        self.query_one("#outcome").display = not left
        self.refresh_bindings()
        try:
            if not left:
                width = max(40, self.size.width - 4)
                text = await self._workbench.database.run(lambda store: outcome(store, self._plan, width))
                self.query_one("#outcome", TextPane).show(text)
                return
            item = self._waiting[0]
            rows = await self._workbench.database.run(lambda store: pair_of(store, item))
        except AlignbenchError as error:
            self.tell(str(error), "error")
            return
        self.query_one("#prompt", SteadyText).update(plain(one_line(rows[0].prompt, PROMPT)))
        for name, row in zip(("first", "second"), rows, strict=True):
            pane = self.query_one(f"#{name}", TextPane)
            pane.show(row.text.strip() or "(empty)")  # blanks at the beginning may tell of a model
            pane.scroll_home(animate=False)
        self._item = item

    # keys

    @work
    async def action_answer(self, number: int) -> None:
        """Store an answer, by its number from 1 on; what is typed before the next pair is there goes nowhere."""
        if (item := self._item) is None or number > len(self._plan.choices):
            return
        self._item = None
        judgment = self._plan.label(item, number - 1)
        try:
            await self._workbench.database.run(lambda store: store.add_judgments(self._plan.session, [judgment]))
        except AlignbenchError as error:
            self._item = item
            self.tell(str(error), "error")
            return
        self._waiting.popleft()
        self._past.append(item)
        self.drop_keys()
        self._next()

    def action_undo(self) -> None:
        if self._past and (self._item is not None or not self._waiting):
            self._waiting.appendleft(self._past.pop())
            self._next()

    def action_skip(self) -> None:
        if self._item is not None:
            self._waiting.rotate(-1)
            self._next()

    def panes(self) -> Iterable[Pane]:
        return self.query(TextPane)


def pair_of(store: Store, item: JudgeItem) -> list[SampleRow]:
    """The two samples of a pair, in the order in which they are shown."""
    ids = [id for id in (item.reference_sample_id, item.sample_id) if id is not None]
    return [store.sample(id) for id in (reversed(ids) if item.flipped else ids)]


def outcome(store: Store, plan: LabelPlan, width: int) -> str:
    """What was said of each condition, and how far judges agree with it."""
    rows = judgments_of(store, plan.session, plan.kind, plan.labeller, plan.reference)
    sources = pair_sources(store, plan.session, rows)
    judged = judged_sections({plan.kind: summarize(plan.kind, rows, Uncertainty(), sources)})
    agreed = label_agreement(store, plan.session)
    agreement = agreement_section(agreed)
    meaning = "" if plan.tags else f"a: {plan.reference} is better. b: the condition is.\n"
    none = (
        ""
        if PREFERENCE in agreed or plan.tags
        else "No judge has judged their quality yet: alignbench judge SESSION --kind quality.\n"
    )
    return f"Every pair is labelled.\n\n{plain_sections([*judged, agreement], width)}{meaning}{none}"
