"""F4: the examples and the layout of a column, beside the exact text that its model would get."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from alignbench.errors import AlignbenchError, InputError
from alignbench.spec import Context, Example, Examples, Prompt
from alignbench.tui.action import bindings
from alignbench.tui.context import fields
from alignbench.tui.context.actions import EXAMPLES
from alignbench.tui.context.example_sets_dialog import ExampleSource, SetsScreen
from alignbench.tui.context.preview_view import (
    exact_text,
    example_tokens,
    listed,
    note_lines,
    part_words,
    place_of,
    similarity_of,
    text_runs,
    window_line,
)
from alignbench.tui.key_queue import BACKGROUND
from alignbench.tui.screen import PreparerScreen
from alignbench.tui.sizes import HEIGHTS, WIDTHS
from alignbench.tui.styled import DIM, SELECTED, in_hue, plain
from alignbench.tui.text import cells, count, fitted, middle_cut, one_line, padded
from alignbench.tui.widgets.keys import Keys
from alignbench.tui.widgets.line_list import LineList
from alignbench.tui.widgets.marked_pane import MarkedPane
from alignbench.tui.widgets.pane import Pane
from alignbench.tui.widgets.screen_title import ScreenTitle
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench import context_edits
from alignbench.tui.workbench.column import Column, letter

if TYPE_CHECKING:
    from alignbench.contexts.preview import Preview
    from alignbench.experiments.context_preparer import FilledContext
    from alignbench.tui.workbench.controller import Workbench

LABEL = 15


@dataclass(frozen=True, slots=True)
class CursorPosition:
    """Where the cursor can stand: a field, or an example of the pool."""

    field: str = ""
    example: int = -1


class ExamplesScreen(PreparerScreen[Context | None]):
    """Edits the context of a column for the prompt on the Bench. Returns the context, or None if it was left."""

    CSS_PATH = "examples_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("examples", EXAMPLES)]
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = None
    HELP = (
        "To the left what the prompt is made of, to the right exactly what the model gets: special tokens are "
        "reversed, instruction and hint underlined, the query bold. ↑↓ choose a line, ←→ change "
        "it, Enter writes it; on an example arrows move it. mmr (maximal marginal relevance): examples near the "
        "query but not one another. On the command line: `alignbench render`, `alignbench examples`."
    )

    def __init__(self, workbench: Workbench, column: Column) -> None:
        super().__init__(workbench)
        self._column = column
        self._edited = column.condition.context
        self._prepared: FilledContext | None = None
        self._at = 0

    @property
    def _prompt(self) -> Prompt:
        return self.workbench.bench.prompt

    def compose(self) -> ComposeResult:
        yield ScreenTitle(id="head")
        yield SteadyText("", id="window", markup=False)
        with Horizontal():
            yield LineList(id="made-of", classes="section -selected")
            with Vertical(id="preview", classes="section"):
                yield SteadyText("", id="parts", markup=False)
                yield MarkedPane(id="text")
        yield SteadyText("", id="message", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        self._prepare()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)  # its lines are as wide as the pane will be

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        return self.has_class("-narrow") if action == "turn" else True

    # what it is made of

    @property
    def _items(self) -> tuple[Example, ...]:
        """The examples that can be chosen, those of a condition as soon as they are known."""
        examples = self._edited.examples
        if examples is None:
            return ()
        if examples.condition:
            return self._prepared.pool.items if self._prepared is not None else ()
        return examples.pool.items

    def _places(self) -> list[CursorPosition]:
        there = [CursorPosition(field=name) for name in fields.fields_of(self._edited)]
        return [*there, *(CursorPosition(example=i) for i in range(len(self._items)))]

    @property
    def _place(self) -> CursorPosition:
        places = self._places()
        return places[min(self._at, len(places) - 1)]

    @property
    def is_changed(self) -> bool:
        return self._edited != self._column.condition.context

    def _change(self, context: Context, said: str = "") -> None:
        """Another context. said: what was taken away by that, a sentence."""
        if context != self._edited:
            self.offer_undo(said, partial(self._restore, self._edited, self._at))
        self._edited = context
        self._at = min(self._at, len(self._places()) - 1)
        self._prepare()

    def _restore(self, context: Context, at: int) -> None:
        self._edited, self._at = context, at
        self._prepare()

    # what the model gets

    @work(exclusive=True, group=BACKGROUND)
    async def _prepare(self) -> None:
        self.error, self.doing = "", self.doing or "…"
        self.show()
        condition = replace(self._column.condition, context=self._edited)
        prompt = self._prompt
        try:
            prepared = await self.preparer.run(lambda preparer, _: preparer.compose(prompt, condition))
        except AlignbenchError as error:
            self.error = str(error)
        else:
            self._prepared = prepared
        self.doing = ""
        self.show()

    # showing

    def show(self) -> None:
        if not self.is_mounted or not self.query("#head"):
            return
        bench = self.workbench.bench
        self.query_one(ScreenTitle).show("Examples", bench.prompt.text)
        title = f"{letter(bench.selected)} {middle_cut(self._column.name, 30)}"
        self.query_one("#made-of").border_title = in_hue(title, bench.selected)
        self.query_one("#preview").border_title = Content("the exact prompt")
        prepared = self._prepared
        shown = prepared.preview if prepared is not None else None
        window: Content = plain(self.doing) if prepared is None and not self.error else window_line(shown)
        if self.error:
            window = Content.styled("There is no such prompt: see below.", "bold $text-error")
        self.query_one("#window", SteadyText).update(window)
        self._show_left(prepared)
        if shown is not None and prepared is not None:
            lines = [listed(part_words(shown)), *note_lines(prepared, self._edited.overflow)]
            self.query_one("#parts", SteadyText).update(Content("\n").join(lines))
            self.query_one("#text", MarkedPane).show(text_runs(shown), self._place_in(shown))
        self.query_one("#message", SteadyText).update(plain(self.error or (self.doing if prepared else "")))

    def _place_in(self, shown: Preview) -> int | None:
        """Which run of the prompt the line with the cursor is about; None where it stands for no part of it."""
        place = self._place
        if place.field == "instruction":
            return place_of(shown, "instruction")
        example = similarity_of(self._prepared, place.example)[0]
        return place_of(shown, "example", example) if example is not None else None

    def _show_left(self, prepared: FilledContext | None) -> None:
        pane = self.query_one("#made-of", LineList)
        width = max(20, pane.scrollable_size.width)
        tokens = example_tokens(prepared.preview if prepared is not None else None)
        lines: list[Content] = []
        cursor = (0, 1)
        for at, place in enumerate(self._places()):
            chosen = at == self._at
            first = len(lines)
            if place.field:
                lines.append(self._field_line(place.field, chosen, width))
            else:
                if place.example == 0:
                    lines.append(Content.styled(f" {'─' * (width - 2)}", "$border-blurred"))
                lines += self._example_lines(place.example, chosen, width, tokens)
            if chosen:
                cursor = (first, len(lines))
        if not self._items:
            lines += [Content(""), Content.styled(" No examples: F2 picks a set, a writes one.", DIM)]
        pane.show(lines, cursor)

    def _field_line(self, name: str, chosen: bool, width: int) -> Content:
        value = fields.value_of(self._edited, name)
        arrows = f"◂ {value} ▸" if chosen and name in fields.STEPPED else value
        text = f"{'▶' if chosen else ' '}{name.replace('_', ' '):<{LABEL}}{arrows}"
        return Content.styled(padded(text, width), SELECTED if chosen else "")

    def _example_lines(self, index: int, chosen: bool, width: int, tokens: dict[int, int]) -> list[Content]:
        example = self._items[index]
        place, why = similarity_of(self._prepared, index)
        beside = f"{tokens.get(place, 0)} tok {why}".rstrip() if place is not None else why
        number = f"{place:>2}" if place is not None else " –"
        room = max(8, width - cells(beside) - 7)
        style = SELECTED if chosen else ("" if place is not None else DIM)
        head = f"{'▶' if chosen else ' '}{number} {fitted(example.prompt, room)} {beside} "
        answer = f"    → {one_line(example.response, width - 8)}"
        return [Content.styled(head, style), Content.styled(answer, DIM)]

    # keys

    def action_up(self) -> None:
        self._choose(self._at - 1)

    def action_down(self) -> None:
        self._choose(self._at + 1)

    def action_first(self) -> None:
        self._choose(0)

    def action_last(self) -> None:
        self._choose(len(self._places()) - 1)

    def _choose(self, at: int) -> None:
        self._at = max(0, min(len(self._places()) - 1, at))
        self.show()

    def action_less(self) -> None:
        self._step(-1)

    def action_more(self) -> None:
        self._step(1)

    def _step(self, by: int) -> None:
        place = self._place
        if place.example >= 0:
            target = max(0, min(len(self._items) - 1, place.example + by))
            self._change(context_edits.with_items(self._edited, context_edits.moved(self._items, place.example, by)))
            self._at += target - place.example
            self.show()
        elif place.field in fields.STEPPED:
            self._try(partial(fields.stepped, self._edited, place.field, by))
        else:
            self.action_edit()

    def _try(self, edit: partial[Context]) -> None:
        try:
            self._change(edit())
        except InputError as error:
            self.error = str(error)
            self.show()

    def action_edit(self) -> None:
        place = self._place
        if place.example >= 0:
            self._write_example(place.example)
        elif place.field == "set":
            self.action_pick_set()
        elif place.field == "instruction":
            self._write_instruction()
        elif place.field in fields.WRITTEN:
            self._write(place.field)
        else:
            self._step(1)

    def action_add(self) -> None:
        self._write_example(None)

    @work
    async def _write_example(self, index: int | None) -> None:
        from alignbench.tui.context.example_dialog import ExampleScreen

        old = self._items[index] if index is not None else None
        refuse = partial(context_edits.refuse_the_prompt, self._prompt, context=self._edited)
        example = await self.app.push_screen_wait(ExampleScreen(old, refuse))
        if example is None or example == old:
            return
        items = list(self._items)
        if index is None:
            items.append(example)
        else:
            items[index] = example
        self._change(context_edits.with_items(self._edited, items))
        if index is None:
            self._at = len(self._places()) - 1
            self.show()

    @work
    async def _write_instruction(self) -> None:
        from alignbench.tui.dialogs.text_editor import EditorScreen

        text = await self.app.push_screen_wait(EditorScreen(self._edited.instruction, "Instruction", empty=""))
        if text is not None:
            self._change(replace(self._edited, instruction=text))

    @work
    async def _write(self, field: str) -> None:
        from alignbench.tui.dialogs.base import LineScreen

        heading = f"{field.replace('_', ' ')}: {fields.WRITTEN[field].expected}"
        before = fields.as_written(self._edited, field)
        text = await self.app.push_screen_wait(
            LineScreen(
                heading,
                before,
                empty=f"Write {fields.WRITTEN[field].expected}.",
                asked="path" if field == "embedder" else "text",
            )
        )
        if text is not None:
            self._try(partial(fields.written, self._edited, field, text))

    @work
    async def action_pick_set(self) -> None:
        bench = self.workbench.bench
        conditions = [name for name, condition in bench.used.items() if bench.has_samples(condition)]
        source = await self.app.push_screen_wait(SetsScreen(self.preparer, conditions))
        if source is not None:
            self.take(source)

    def take(self, source: ExampleSource) -> None:
        """Take the examples from there, but those that are the prompt itself; a set of nothing else is refused."""
        if source.condition:
            before = self._edited.examples or Examples()
            of_condition = replace(before, pool=Examples().pool, condition=source.condition)
            self._change(replace(self._edited, examples=of_condition), self._replaced())
        else:
            taken = context_edits.with_pool(self._edited, source.pool)
            own = len(context_edits.own_examples(self._prompt, taken))
            if own and own == len(source.pool.items):
                self.tell("This set has no other example than the prompt itself; it is not taken.", "warning")
                return
            if own:
                self.tell(f"{own} of {count(len(source.pool.items), 'example')}: the prompt itself, left out here.")
            self._change(taken, self._replaced())

    def _replaced(self) -> str:
        """What is to be said where a set that has no name, because it was edited, goes."""
        examples = self._edited.examples
        edited = examples is not None and not examples.condition and examples.pool.items and not examples.pool.name
        return "The examples that were edited are replaced." if edited else ""

    def action_drop(self) -> None:
        place = self._place
        if place.example >= 0:
            items = [item for i, item in enumerate(self._items) if i != place.example]
            said = f"Example {place.example + 1} is taken out."
            self._change(context_edits.with_items(self._edited, items), said)
        elif place.field == "instruction" and self._edited.instruction:
            self._change(replace(self._edited, instruction=""), "The instruction is taken away.")
        elif place.field == "set" and self._edited.examples is not None:
            self._change(replace(self._edited, examples=None), "The examples are taken away.")
        elif place.field in ("mmr", "embedder", "verbalized"):
            self._try(partial(fields.written, self._edited, place.field, "off"))

    def paged_text(self) -> str:
        return exact_text(self._prepared)

    def action_turn(self) -> None:
        self.toggle_class("-turned")

    def panes(self) -> Iterable[Pane]:
        return [self.query_one("#text", MarkedPane)]

    def action_accept(self) -> None:
        if self.error:
            self.tell("This context cannot be used as it is; see the message.", "warning")
            return
        self.dismiss(self._edited)
