"""One sample on a screen of its own: its text, and what the reference and a base model make of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from alignbench.spec import NOT_RECORDED, written_setting
from alignbench.tui.action import bindings
from alignbench.tui.condition_text import settings
from alignbench.tui.messages import Open
from alignbench.tui.save_copy import copy_sample, save_sample
from alignbench.tui.screen import WorkbenchScreen
from alignbench.tui.sizes import HEIGHTS, NARROW, TALL
from alignbench.tui.styled import in_hue, tabs
from alignbench.tui.text import before_it, cells, count, middle_cut, one_line, printable
from alignbench.tui.viewer.actions import VIEWER
from alignbench.tui.viewer.anchor_spans import anchor_list, anchor_runs, anchors_said, placed_anchors
from alignbench.tui.viewer.covered_sentences import best_match, sentence_runs, sentences_said
from alignbench.tui.viewer.model_jobs import sentence_matches, shifted_tokens
from alignbench.tui.viewer.shared_words import shared_runs
from alignbench.tui.viewer.token_shift import alternatives, shift_said, token_runs
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.marked_pane import MarkedPane, StyledRun
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.widgets.text_pane import TextPane
from alignbench.tui.workbench.background_job import BackgroundJob, waiting
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.comparison import source_samples
from alignbench.tui.workbench.controller import Workbench

ViewerTab = Literal["text", "shared", "sentences", "tokens", "anchors"]
TITLES: dict[ViewerTab, str] = {
    "text": "text",
    "shared": "shared words",
    "sentences": "covered",
    "tokens": "token shift",
    "anchors": "anchors",
}
SHORT: dict[ViewerTab, str] = {"shared": "shared", "tokens": "tokens"}  # where there is little room beside the name


def facts(sample: BenchSample, column: Column) -> str:
    """What is known about a sample, on a line."""
    row = sample.row
    if row is None:
        return f"{sample.status}   {sample.n_tokens} tokens so far   seed {column.condition.seed + sample.index}"
    ended = {
        "stop": "stop: it ended by itself",
        "length": f"length: cut at {column.condition.sampling.max_tokens} tokens",
        "cancelled": "cancelled",
        "error": "error",
    }
    if "max_tokens" in column.condition.unrecorded:
        ended["length"] = "length: cut at its limit on tokens"
    parts = [f"how it ended is {NOT_RECORDED}" if row.finish_reason is None else ended[row.finish_reason]]
    if row.n_tokens is not None:
        of_prompt = "" if row.n_prompt_tokens is None else f" after {row.n_prompt_tokens} of the prompt"
        parts.append(f"{count(row.n_tokens, 'token')}{of_prompt}")
    if row.n_thinking_tokens:
        parts.append(f"{count(row.n_thinking_tokens, 'token')} of thoughts before it")
    if row.refused:
        parts.append("a refusal, as its server says")
    if row.probability is not None:
        parts.append(f"one of several answers, with probability {row.probability:g} as the model says")
    if row.seconds:
        drawn = (row.n_tokens or 0) + (row.n_thinking_tokens or 0)
        parts.append(f"{row.seconds:.1f} s, {drawn / row.seconds:.0f} tok/s")
    if row.logprob is not None and row.n_tokens:
        parts.append(f"log-prob {row.logprob / row.n_tokens:.2f} nats per token")
    parts.append(f"seed {written_setting(row.seed)}")
    if row.note:
        parts.append(row.note)
    return "   ".join(parts)


@dataclass(frozen=True, slots=True)
class ViewContent:
    """What a view shows.

    Attributes:
        said: A line about the whole.
        runs: The marked text.
        cursor: The run under the cursor.
        detail: Lines about that.
        places: How many places the cursor can stand in.
        job: What computes it, where that takes a while.
    """

    said: str
    runs: Sequence[StyledRun] = ()
    cursor: int | None = None
    detail: Sequence[Content] = ()
    places: int = 0
    job: BackgroundJob[Any] | None = None


class ViewerScreen(WorkbenchScreen[None]):
    """Shows the sample that is selected, and selects others."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("viewer", VIEWER)]
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "The text is shown as the model wrote it; what cannot be seen is made visible. Copy and save keep every byte. "
        "Token shift: tokens that are the base model's first choice too are plain (unshifted), those of rank 2 and 3 "
        "underlined (marginal), the others reversed (shifted); Lin et al. 2023, arXiv 2312.01552."
    )

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._view: ViewerTab = "text"
        self._place = 0
        self._base = 0
        self._content = ViewContent("")
        self._on: object = None  # what the cursor stands in

    def compose(self) -> ComposeResult:
        yield ScreenTitle(id="head")
        yield SteadyText("", id="facts", markup=False)
        with Vertical(id="sample", classes="section -selected"):
            yield TextPane(id="text")
            yield MarkedPane(id="marked")
        yield SteadyText("", id="detail", classes="section", markup=False)
        yield Keys()

    def follow(self) -> None:
        bench = self.workbench.bench
        column, sample = bench.column, bench.sample
        if column is None or sample is None:
            return
        total = len(bench.cell(column).ordered(column.asked))
        self.query_one(ScreenTitle).show("Sample", bench.prompt.text, f"sample {sample.index + 1} of {total}")
        mark = "*" if column.name == bench.reference else ""
        version = f" v{column.version + 1}/{len(column.history)}" if column.versions else ""
        views = tabs(TITLES if self.size.width >= NARROW else {**TITLES, **SHORT}, self._view)
        room = self.size.width - views.cell_length - cells(version) - 12
        name = in_hue(f"{letter(bench.selected)}{mark} {one_line(column.name, max(8, room))}{version}", bench.selected)
        self.query_one("#sample").border_title = Content.assemble(name, "  ", views)
        self._content = content = self._content_of(column, sample)
        about = f"{facts(sample, column)}   {settings(column.condition)}" if self._view == "text" else content.said
        if self._view == "text" and bench.prompt.earlier:
            about += f"   {before_it(bench.prompt)}"
        self.query_one("#facts", SteadyText).update(Content(printable(about)))
        marked = self._view != "text"
        self.query_one(TextPane).display = not marked
        self.query_one(MarkedPane).display = marked
        if marked:
            self.query_one(MarkedPane).show(content.runs, content.cursor)
        else:
            self.query_one(TextPane).show(_page(sample))
        self.query_one("#detail", SteadyText).update(Content("\n").join(content.detail))
        self.query_one("#detail").display = bool(content.detail)
        self.refresh_bindings()

    # views

    def _content_of(self, column: Column, sample: BenchSample) -> ViewContent:
        if self._view == "text":
            return ViewContent("")
        text = _text(sample)
        on = (self._view, column.hash, sample.index, self.workbench.bench.prompt.key)
        if on != self._on:
            self._on, self._place = on, 0
        if sample.status == "error":
            return ViewContent("This sample failed; its error is the text.", [StyledRun(text)])
        if self._view == "tokens":
            return self._tokens(text, sample)
        if self._view == "anchors":
            return self._anchors(text, column, sample)
        others, who = self._reference(column, sample)
        if not who:
            return ViewContent("No column is the reference: * on the Bench marks one.", [StyledRun(text)])
        if not others:
            return ViewContent(f"{who} has no other finished sample of this prompt.", [StyledRun(text)])
        if self._view == "shared":
            shared = shared_runs(text, list(others.values()), who)
            return ViewContent(shared.said, shared.runs)
        return self._sentences(text, sample, others, who)

    def _reference(self, column: Column, sample: BenchSample) -> tuple[dict[int, str], str]:
        """The reference's finished samples but this one and those that its context is made from, and what they are
        called."""
        bench = self.workbench.bench
        if (reference := bench.reference_column) is None:
            return {}, ""
        at = bench.columns.index(reference)
        own = reference is column
        left_out = {sample.index} if own else source_samples(bench).get(column.name, frozenset())
        others = {
            i: other.text
            for i, other in sorted(bench.cell(reference).samples.items())
            if other.status == "done" and i not in left_out
        }
        name = f"{letter(at)}* {middle_cut(reference.name, 30)}"
        if own:
            return others, f"the other samples of {name}"
        return others, f"{name}, held out" if left_out else name

    def _sentences(self, text: str, sample: BenchSample, others: dict[int, str], who: str) -> ViewContent:
        if sample.status == "running":
            return ViewContent("The sample is still being written.", [StyledRun(text)])
        job = sentence_matches(self.workbench, text, others)
        if job.result is None:
            return ViewContent(waiting(job), [StyledRun(text)], job=job)
        matches = job.result
        if not matches:
            return ViewContent("There is no sentence in this sample.", [StyledRun(text)])
        place = min(self._place, len(matches) - 1)
        runs = sentence_runs(matches, place, self.query_one(MarkedPane).scrollable_size.width)
        detail = best_match(matches[place], who, len(others))
        return ViewContent(sentences_said(matches, who), runs, place * 3, detail, len(matches))

    def _anchors(self, text: str, column: Column, sample: BenchSample) -> ViewContent:
        if sample.status == "running":
            return ViewContent("The sample is still being written.", [StyledRun(text)])
        there = sorted(self.workbench.bench.cell(column).samples.items())
        others = {i: one.text for i, one in there if one.status == "done" and i != sample.index and one.text.strip()}
        if not others:
            return ViewContent("This column has no other finished sample of this prompt.", [StyledRun(text)])
        anchors, n = placed_anchors(text, tuple(others.values())), len(others) + 1
        place = max(0, min(self._place, len(anchors) - 1))
        runs, cursor = anchor_runs(text, anchors, n, place)
        rows = 6 if self.size.height >= TALL else 3
        detail = anchor_list(anchors, (sample.index, *others), place, rows, self.size.width - 4)
        return ViewContent(anchors_said(text, anchors, n), runs, cursor, detail, len(anchors))

    def _tokens(self, text: str, sample: BenchSample) -> ViewContent:
        bench = self.workbench.bench
        bases = [(at, c) for at, c in enumerate(bench.columns) if c.condition.model.kind == "base"]
        if not bases:
            return ViewContent(
                "No column has a base model to compare with: a on the Bench adds one.", [StyledRun(text)]
            )
        if sample.status == "running":
            return ViewContent("The sample is still being written.", [StyledRun(text)])
        at, base = bases[self._base % len(bases)]
        who = f"{letter(at)} {middle_cut(base.name, 30)}"
        job = shifted_tokens(self.workbench, text, bench.prompt, base.condition, bench.cell(base).id)
        if job.result is None:
            return ViewContent(waiting(job), [StyledRun(text)], job=job)
        scored, n = job.result, len(job.result.ids)
        if not n:
            return ViewContent(shift_said(scored, text, who), [StyledRun(text)])
        place = min(self._place, n - 1)
        more = "   b: another base column" if len(bases) > 1 else ""
        detail = alternatives(scored, place, who, rows=self.size.height >= TALL, width=self.size.width - 2)
        return ViewContent(shift_said(scored, text, who) + more, token_runs(scored, place), place, detail, n)

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        job = self._content.job
        if action == "cancel_sample":
            return (job is not None and job.running) or self.workbench.can_cancel_sample
        if action == "again":
            return job is not None and not job.running
        return action != "other_base" or self._view == "tokens"

    # keys

    def action_view_text(self) -> None:
        self._show("text")

    def action_view_shared(self) -> None:
        self._show("shared")

    def action_view_sentences(self) -> None:
        self._show("sentences")

    def action_view_tokens(self) -> None:
        self._show("tokens")

    def action_view_anchors(self) -> None:
        self._show("anchors")

    def _show(self, view: ViewerTab) -> None:
        self._view = view
        self.follow()

    def action_left(self) -> None:
        self._move(-1)

    def action_right(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        """The cursor in the views that have one, else the column."""
        if self._view in ("sentences", "tokens", "anchors"):
            self._place = max(0, min(self._content.places - 1, self._place + by))
            self.follow()
        else:
            self.select(self.workbench.bench.selected + by)

    def action_other_base(self) -> None:
        self._base += 1
        self.follow()

    def action_again(self) -> None:
        if self._content.job is not None:
            self.workbench.model_jobs.forget(self._content.job)
            self.follow()

    def panes(self) -> Iterable[Pane]:
        return self.query(TextPane if self._view == "text" else MarkedPane)

    def action_cancel_sample(self) -> None:
        job = self._content.job
        if job is not None and job.running:
            job.cancel()
            self.follow()
        else:
            self.workbench.cancel_sample()

    def action_ledger(self) -> None:
        bench = self.workbench.bench
        own = bench.column is not None and bench.column is bench.reference_column
        self.post_message(Open("ledger", bench.cursor if own else None))

    def action_copy(self) -> None:
        copy_sample(self, self.workbench.bench.sample)

    def paged_text(self) -> str:
        sample = self.workbench.bench.sample
        return _page(sample) if sample is not None else ""

    @work
    async def action_save(self) -> None:
        await save_sample(self, self.workbench.bench.column, self.workbench.bench.sample)


def _text(sample: BenchSample) -> str:
    return (sample.row.error or "") if sample.status == "error" and sample.row else sample.text


def _page(sample: BenchSample) -> str:
    """The text of a sample, and apart from it what is no part of that: its thoughts, or what came before it failed."""
    row = sample.row
    parts = [_text(sample)]
    if row is not None and sample.status == "error" and row.text:
        parts.append(f"{_rule('what had come of it')}\n{row.text}")
    if row is not None and row.thinking:
        parts.append(f"{_rule('its thoughts, which are no part of it')}\n{row.thinking}")
    return "\n\n".join(parts)


def _rule(title: str) -> str:
    return f"──── {title} ────"
