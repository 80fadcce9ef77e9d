"""F6: a hint at the response, at a chosen resolution, beside the sample that it tells of and the exact prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.types import CSSPathType

from alignbench.errors import AlignbenchError
from alignbench.experiments.condition_changes import context_words
from alignbench.spec import Context, Hint, Level
from alignbench.tui.action import bindings
from alignbench.tui.context.actions import HINT
from alignbench.tui.context.hint_view import LEVELS, HintShown, facts, find_hint, slider
from alignbench.tui.context.preview_view import exact_text, place_of, text_runs, window_line
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.screen import PreparerScreen
from alignbench.tui.sizes import HEIGHTS, WIDTHS
from alignbench.tui.styled import plain
from alignbench.tui.text import middle_cut
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.marked_pane import MarkedPane, StyledRun
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.column import Column, letter

if TYPE_CHECKING:
    from alignbench.experiments.context_preparer import FilledContext
    from alignbench.tui.workbench.controller import Workbench


class HintScreen(PreparerScreen[Context | None]):
    """Edits the hint of a column's context for the prompt on the Bench. Returns the context, or None if it was left."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["examples_screen.tcss", "hint_screen.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("hint", HINT)]
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "←→ slide the resolution from keywords to summary; Enter has the maker write what is not there yet. A hint "
        "that is made tells of each prompt's own sample; one that is written (e) is the same for every prompt. "
        "Responses are compared with the reference's other samples. On the command line: `alignbench hints`."
    )

    def __init__(self, workbench: Workbench, column: Column) -> None:
        super().__init__(workbench)
        self._column = column
        self._edited = column.condition.context
        bench = workbench.bench
        self._reference = bench.reference_column if bench.reference_column is not column else None
        hint = self._edited.hint
        self._level: Level = hint.level if hint is not None and hint.level in LEVELS else "summary"
        self._text = hint.text if hint is not None else ""
        self._source = hint.sample if hint is not None and hint.condition else 0
        # What a text by hand was written from: it is held out of comparisons, as for a hint that is made.
        self._written_from = (hint.condition, hint.sample) if hint is not None and hint.text else ("", 0)
        self._makers = [c.name for c in bench.columns if not c.condition.model.is_imported]
        if hint is not None and hint.maker and hint.maker not in self._makers:
            self._makers.insert(0, hint.maker)  # a model that is no column, as of a context's file
        wanted = (hint.maker if hint is not None else "") or (self._reference.name if self._reference else "")
        self._maker = self._makers.index(wanted) if wanted in self._makers else 0
        self._removed = False
        self._at_first = self._wanted
        self._shown: HintShown | None = None
        self._prepared: FilledContext | None = None
        self.doing = ""
        self._making = False

    def compose(self) -> ComposeResult:
        yield ScreenTitle(id="head")
        yield SteadyText("", id="slider", markup=False)
        yield SteadyText("", id="facts", markup=False)
        yield SteadyText("", id="window", markup=False)
        with Horizontal():
            with Vertical(id="made-of"):
                yield MarkedPane(id="hint-text", classes="section -selected")
                yield MarkedPane(id="source-text", classes="section")
            with Vertical(id="preview"):
                yield MarkedPane(id="text", classes="section")
        yield SteadyText("", id="message", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        self._look()

    def on_resize(self) -> None:
        self.show()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        if action == "turn":
            return self.has_class("-narrow")
        return self._making if action == "give_up" else True

    # what it is

    @property
    def _wanted(self) -> tuple[bool, str, tuple[str, int], Level, int, int]:
        """All that keys choose here."""
        return self._removed, self._text, self._written_from, self._level, self._source, self._maker

    @property
    def is_changed(self) -> bool:
        return self._wanted != self._at_first

    def _keep(self, said: str = "") -> None:
        """Let what is wanted now be brought back after a change. said: what is taken away, a sentence."""
        if self._text and not said:
            said = "The hint that was written is taken away."
        self.offer_undo(said, partial(self._restore, *self._wanted))

    def _restore(
        self, removed: bool, text: str, written_from: tuple[str, int], level: Level, source: int, maker: int
    ) -> None:
        self._removed, self._text, self._written_from = removed, text, written_from
        self._level, self._source, self._maker = level, source, maker
        self._restart()

    def _sources(self) -> Sequence[BenchSample]:
        """The reference's finished samples of this prompt."""
        if self._reference is None:
            return ()
        cell = self.workbench.bench.cell(self._reference)
        return [sample for _, sample in sorted(cell.samples.items()) if sample.status == "done" and sample.text.strip()]

    def _sample(self) -> BenchSample | None:
        return next((sample for sample in self._sources() if sample.index == self._source), None)

    def _hint(self) -> Hint | None:
        """The hint as it stands on the screen; None where it was taken away or where nothing is known of it."""
        if self._removed:
            return None
        if self._text:
            return Hint(self._level, self._text, *self._written_from)
        if self._reference is None or not self._makers:
            return None
        from alignbench.contexts.hints import hint_template

        name = self._reference.name
        return Hint(self._level, "", name, self._source, self._makers[self._maker], hint_template(self._level))

    @work(exclusive=True, group=BACKGROUND)
    async def _look(self, make: bool = False) -> None:
        """Find the hint and the prompt that goes with it; make it only where that was asked for."""
        hint, sample, prompt = self._hint(), self._sample(), self.workbench.bench.prompt
        source = sample.text if sample is not None else ""
        condition = replace(self._column.condition, context=replace(self._edited, hint=hint))
        self.error, self._making = "", make
        self.doing = f"{self._makers[self._maker]} is asked for a {self._level} …" if make else self.doing
        self._shown, self._prepared = None, None
        self.show()
        self.refresh_bindings()
        try:
            self._shown = await self.preparer.run(lambda preparer, _: find_hint(preparer, prompt, hint, source, make))
            if self._shown is not None or hint is None:
                self._prepared = await self.preparer.run(lambda preparer, _: preparer.compose(prompt, condition))
        except AlignbenchError as error:
            self.error = str(error)
        self.doing, self._making = "", False
        self.show()
        self.refresh_bindings()

    # showing

    def show(self) -> None:
        if not self.query("#head"):
            return
        bench = self.workbench.bench
        context = replace(self._edited, hint=self._hint())
        name = f"{letter(bench.selected)} {middle_cut(self._column.name, 30)}, {context_words(context)}"
        self.query_one(ScreenTitle).show(f"Hint for {name}", bench.prompt.text)
        self.query_one("#slider", SteadyText).update(slider("" if self._removed else self._level))
        shown, prepared = self._shown, self._prepared
        in_prompt = None
        if prepared is not None and prepared.preview is not None:
            in_prompt = sum(part.n_tokens for part in prepared.preview.parts if part.kind == "hint")
        self.query_one("#facts", SteadyText).update(facts(shown, in_prompt))
        self.query_one("#window", SteadyText).update(
            window_line(prepared.preview) if prepared is not None else Content("")
        )
        self.query_one("#hint-text").border_title = plain(self._hint_title())
        self.query_one("#text").border_title = Content("the exact prompt")
        text, style = (shown.text, "plain") if shown is not None else (self._nothing(), "missing")
        self.query_one("#hint-text", MarkedPane).show([StyledRun(text, style)])
        sample = self._sample()
        n = len(self._sources())
        name = middle_cut(self._reference.name, 30) if self._reference is not None else ""
        title = f"sample {self._source + 1} of {name}, {n} there" if sample is not None else "no source"
        self.query_one("#source-text").border_title = plain(title)
        self.query_one("#source-text", MarkedPane).show([StyledRun(sample.text if sample is not None else "")])
        if prepared is not None and prepared.preview is not None:
            self.query_one("#text", MarkedPane).show(text_runs(prepared.preview), place_of(prepared.preview, "hint"))
        else:
            self.query_one("#text", MarkedPane).show([StyledRun("")])
        self.query_one("#message", SteadyText).update(plain(self.error or self.doing))

    def _hint_title(self) -> str:
        if self._removed:
            return "no hint"
        if self._text:
            return f"{self._level} by hand, the same for every prompt"
        maker = middle_cut(self._makers[self._maker], 30) if self._makers else "nobody"
        return f"{self._level} by {maker}, of each prompt's own sample"

    def _nothing(self) -> str:
        if self._removed:
            return "The hint is taken away. F10 accepts that; ←→ bring one back."
        if self._making:
            return "…"
        if self._reference is None:
            return "No other column is the reference (*): a hint can be written (e), not made."
        if self._sample() is None:
            return f"{self._reference.name} has no such sample of this prompt. Sample it first, or write a hint (e)."
        return f"Not made yet at this level ({self._level}). Enter makes it, e writes one."

    # keys

    def action_coarser(self) -> None:
        self._slide(-1)

    def action_finer(self) -> None:
        self._slide(1)

    def _slide(self, by: int) -> None:
        self._keep()
        at = LEVELS.index(self._level)
        if not self._removed:
            self._level = LEVELS[max(0, min(len(LEVELS) - 1, at + by))]
        self._removed, self._text = False, ""
        self._restart()

    def _restart(self) -> None:
        """Something else is wanted now: what the maker is writing is not."""
        if self._making:
            self.preparer.stop()
        self._look()

    def action_make(self) -> None:
        if self._making:
            return
        if self._reference is None or self._sample() is None:
            self.error = self._nothing()
            self.show()
            return
        self._keep()
        self._removed, self._text = False, ""
        self._look(make=True)

    def action_give_up(self) -> None:
        self.preparer.stop()

    @work
    async def action_write(self) -> None:
        from alignbench.tui.dialogs.text_editor import EditorScreen

        before = self._shown.text if self._shown is not None else self._text
        text = await self.app.push_screen_wait(EditorScreen(before, "Hint", empty="Write the hint, or press Esc."))
        if text is not None and text != before:
            self.offer_undo("", partial(self._restore, *self._wanted))
            if not self._text:
                made_from = self._reference if self._shown is not None else None
                self._written_from = (made_from.name, self._source) if made_from is not None else ("", 0)
            self._removed, self._text = False, text
            self._look()

    def action_remove(self) -> None:
        if not self._removed:
            self._keep("The hint is taken away.")
            self._removed, self._text = True, ""
            self._restart()

    def action_next_maker(self) -> None:
        if len(self._makers) < 2:
            self.tell("No other column's model is there to make it; a on the Bench adds one.")
        if self._makers:
            self._keep()
            self._maker = (self._maker + 1) % len(self._makers)
            self._text = ""
            self._restart()

    def action_next_source(self) -> None:
        self._step_source(1)

    def action_previous_source(self) -> None:
        self._step_source(-1)

    def _step_source(self, by: int) -> None:
        indices = [sample.index for sample in self._sources()]
        if len(indices) < 2:
            self.tell("The reference has no other sample of this prompt; + and s on the Bench draw more.")
        if indices:
            self.offer_undo("", partial(self._restore, *self._wanted))
            at = indices.index(self._source) if self._source in indices else -1
            self._source = indices[(at + by) % len(indices)]
            self._restart()

    def paged_text(self) -> str:
        return exact_text(self._prepared)

    def action_turn(self) -> None:
        self.toggle_class("-turned")

    def panes(self) -> Iterable[Pane]:
        wide = not self.has_class("-narrow") or self.has_class("-turned")
        return [self.query_one("#text" if wide else "#source-text", MarkedPane)]

    def action_accept(self) -> None:
        hint = self._hint()
        if hint is None and not self._removed:
            self.error = self._nothing()
            self.show()
            return
        self.dismiss(replace(self._edited, hint=hint))
