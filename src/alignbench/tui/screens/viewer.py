"""One sample on a screen of its own, with all that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from alignbench.tui.actions import VIEWER, bindings
from alignbench.tui.output import copy_sample, save_sample
from alignbench.tui.state import Column, Sample, letter
from alignbench.tui.text import count, one_line
from alignbench.tui.widgets.column import settings
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from alignbench.tui.screens.bench import BenchScreen


def facts(sample: Sample, column: Column) -> str:
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
    parts = [ended.get(row.finish_reason, row.finish_reason)]
    if row.n_tokens is not None:
        parts.append(f"{count(row.n_tokens, 'token')} after {row.n_prompt_tokens} of the prompt")
    if row.seconds:
        parts.append(f"{row.seconds:.1f} s, {(row.n_tokens or 0) / row.seconds:.0f} tok/s")
    if row.logprob is not None and row.n_tokens:
        parts.append(f"log-prob {row.logprob / row.n_tokens:.2f} nats per token")
    parts.append(f"seed {row.seed}")
    return "   ".join(parts)


class ViewerScreen(Screen[None]):
    """Follows the selection of the Bench, and moves it."""

    CSS_PATH = "viewer.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("viewer", VIEWER)]
    AUTO_FOCUS = None
    HELP = (
        "The text is shown as the model wrote it; what cannot be seen is made visible. Copy and save keep every byte."
    )

    def __init__(self, bench: BenchScreen) -> None:
        super().__init__()
        self._bench = bench

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        yield Static("", id="prompt-line", markup=False)
        yield Static("", id="facts", markup=False)
        yield TextPane(id="text")
        yield Keys()

    def on_mount(self) -> None:
        self._bench.changed.subscribe(self, self._update)
        self._update()

    def _update(self, _: None = None) -> None:
        column, sample = self._bench.column, self._bench.sample
        if column is None or sample is None:
            return
        bench = self._bench.bench
        total = len(bench.cell(column).ordered(column.n))
        mark = " * reference" if column.name == bench.reference else ""
        head = f" {letter(bench.selected)}  {one_line(column.name, 40)}{mark}   sample {sample.index + 1} of {total}"
        self.query_one("#head", Static).update(Content(head), layout=False)
        self.query_one("#prompt-line", Static).update(Content(f"Prompt: {one_line(bench.prompt.text, 400)}"))
        self.query_one("#facts", Static).update(Content(f"{facts(sample, column)}   {settings(column.condition)}"))
        text = (sample.row.error or "") if sample.status == "error" and sample.row else sample.text
        self.query_one(TextPane).show(text)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel_sample":
            return self._bench.check_action(action, parameters)
        return True

    def action_back(self) -> None:
        self.dismiss(None)

    async def action_sample_up(self) -> None:
        await self._bench.move_cursor(-1)

    async def action_sample_down(self) -> None:
        await self._bench.move_cursor(1)

    async def action_column_left(self) -> None:
        await self._bench.action_column_left()

    async def action_column_right(self) -> None:
        await self._bench.action_column_right()

    def action_page_up(self) -> None:
        self.query_one(TextPane).page(-1)

    def action_page_down(self) -> None:
        self.query_one(TextPane).page(1)

    def action_cancel_sample(self) -> None:
        self._bench.action_cancel_sample()

    def action_copy(self) -> None:
        copy_sample(self, self._bench.sample)

    def action_save(self) -> None:
        save_sample(self, self._bench.column, self._bench.sample)
