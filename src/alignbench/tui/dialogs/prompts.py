"""Pick a prompt: from a set that ships, a file, or a data set."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.prompt_files.source import set_path_of
from alignbench.spec import Prompt
from alignbench.tui.action import bindings
from alignbench.tui.clickable import clickable
from alignbench.tui.dialogs.actions import PICKER
from alignbench.tui.dialogs.base import DIALOG_CSS, LineScreen, ListScreen
from alignbench.tui.styled import DIM, SELECTED
from alignbench.tui.text import before_it, one_line
from alignbench.tui.widgets.choice_list import ChoiceList
from alignbench.tui.widgets.inputs import PlainInput
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.workbench.sample_scope import Standing, standings
from alignbench.tui.workbench.state import THIS_SESSION, TYPED_BEFORE, Bench

MOST = 1000  # prompts listed at once; typing narrows them down
LONGEST = 300  # characters of a prompt in the list
LONGEST_ID = 24  # of its id, which tells it from others that begin alike
BEGINNING = 60  # cells of a text that are seen on any terminal
MARKS: dict[Standing, str] = {"done": "●", "partly": "◐", "none": "○"}
FOLLOW = 0.5  # seconds between two looks at what has been sampled


@dataclass(frozen=True, slots=True)
class Picked:
    """A prompt, and the set that it stands in."""

    prompt: Prompt
    prompts: Sequence[Prompt]
    set: str  # name or path


class PromptsScreen(ListScreen[Picked | None]):
    """Sets on top (Tab), a filter below them, the prompts of the set."""

    CSS_PATH: ClassVar[CSSPathType | None] = [DIALOG_CSS, "prompts.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("prompts", PICKER)]
    HELP = (
        "Type to narrow the list down; every word must occur. Tab changes the set, F2 opens a file of your own. ● has "
        "all its samples in the columns of the Bench, ◐ some, ○ none."
    )
    HEADING = "Prompts"

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._chosen = bench.prompt_set
        self._sets: list[str] = []
        self._prompts: Sequence[Prompt] = ()
        self._listed: list[Prompt] = []
        self._marked: list[Standing] = []  # of those listed
        self._times: Counter[str] = Counter()  # prompts of the set by how they begin
        self._numbers: dict[Prompt, int] = {}  # in the set

    def body(self) -> ComposeResult:
        yield SteadyText("", id="sets", markup=False)
        yield SteadyText("", id="sampled", markup=False)
        yield PlainInput(placeholder="type to filter", compact=True)
        prompts = ChoiceList(markup=False, compact=True)
        prompts.can_focus = False
        yield prompts

    def on_mount(self) -> None:
        self._begin()
        self.set_interval(FOLLOW, self._follow)

    @work
    async def _begin(self) -> None:
        from alignbench.prompts import shipped_sets
        from alignbench.tui.workbench.prompt_history import typed_before

        self._sets = await asyncio.to_thread(shipped_sets)
        if self._bench.own_prompts:
            self._sets.append(THIS_SESSION)
        if await asyncio.to_thread(typed_before):
            self._sets.append(TYPED_BEFORE)
        if self._chosen and self._chosen not in self._sets:
            self._sets.append(self._chosen)
        if self._sets:
            await self._load(self._chosen or self._sets[0])

    async def _load(self, name: str) -> None:
        from alignbench.prompts import load_prompts
        from alignbench.tui.workbench.prompt_history import typed_before

        try:
            if name == THIS_SESSION:
                prompts = self._bench.own_prompts
            else:
                prompts = await asyncio.to_thread(typed_before if name == TYPED_BEFORE else partial(load_prompts, name))
        except AlignbenchError as error:
            self.complain(str(error))
            return
        self.complain("")
        if name not in self._sets:
            self._sets.append(name)
        self._chosen, self._prompts = name, prompts
        self._show_sets()
        self._filter(self.query_one(PlainInput).value)

    def _show_sets(self) -> None:
        tabs = [
            clickable(f" {one_line(set_title(name), 24)} ", f"set({at})", SELECTED if name == self._chosen else "")
            for at, name in enumerate(self._sets)
        ]
        self.query_one("#sets", SteadyText).update(Content("  ").join(tabs))

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        matching = [prompt for prompt in self._prompts if all(word in prompt.shown.casefold() for word in words)]
        self._listed = matching[:MOST]
        self._marked = standings(self._bench, self._listed)
        listing = self.query_one(OptionList)
        listing.clear_options()
        self._times = Counter(map(_beginning, self._prompts))
        self._numbers = {prompt: number for number, prompt in enumerate(self._prompts, start=1)}
        listing.add_options(Option(self._line(i)) for i in range(len(self._listed)))
        self._show_sampled()
        if self._listed:
            at = next((i for i, prompt in enumerate(self._listed) if prompt == self._bench.prompt), 0)
            listing.highlighted = at
            self.call_after_refresh(listing.scroll_to_highlight)
        if not matching:
            self.complain("No prompt of this set has these words: Esc clears them.")
        elif len(matching) > MOST:
            self.complain(f"The first {MOST} of {len(matching)}; type to narrow them down.")
        else:
            self.complain("")

    def _line(self, at: int) -> Content:
        prompt, digits = self._listed[at], len(str(len(self._prompts)))
        return Content.assemble(
            f"{MARKS[self._marked[at]]} ",
            (f"{self._numbers[prompt]:>{digits}}  ", DIM),
            (f"{one_line(prompt.id, LONGEST_ID)}  " if self._times[_beginning(prompt)] > 1 else "", DIM),
            (f"({before_it(prompt, briefly=True)}) " if prompt.earlier else "", DIM),
            one_line(prompt.text, LONGEST),
        )

    def _show_sampled(self) -> None:
        n = Counter(self._marked)
        counts = "   ".join(f"{mark} {n[standing]} {standing}" for standing, mark in MARKS.items())
        self.query_one("#sampled", SteadyText).update(Content.styled(counts, DIM))

    def _follow(self) -> None:
        """Mark anew what has been sampled since."""
        marked, before = standings(self._bench, self._listed), self._marked
        if marked == before:
            return
        self._marked = marked
        listing = self.query_one(OptionList)
        for at, (now, then) in enumerate(zip(marked, before, strict=True)):
            if now != then:
                listing.replace_option_prompt_at_index(at, self._line(at))
        self._show_sampled()

    def on_input_changed(self, event: PlainInput.Changed) -> None:
        self._filter(event.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._pick(event.option_index)

    # keys

    def action_pick(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._listed):
            self._pick(at)

    def _pick(self, at: int) -> None:
        self.dismiss(Picked(self._listed[at], self._prompts, self._chosen))

    async def action_set(self, at: int) -> None:
        """Where a set is clicked."""
        await self._load(self._sets[at])

    async def action_next_set(self) -> None:
        await self._step(1)

    async def action_previous_set(self) -> None:
        await self._step(-1)

    async def _step(self, by: int) -> None:
        if self._sets:
            at = self._sets.index(self._chosen) if self._chosen in self._sets else 0
            await self._load(self._sets[(at + by) % len(self._sets)])

    @work
    async def action_open_file(self) -> None:
        path = await self.app.push_screen_wait(
            LineScreen(
                "Prompts: a file, or dataset:org/name?split=test&field=question",
                "",
                empty="Write the path of a file, or press Esc.",
                asked="path",
            )
        )
        if path is not None:
            await self._load(os.path.expanduser(path))


def set_title(name: str) -> str:
    """A set as the app names it: a shipped one by its name, a file by the file's."""
    return set_path_of(name).name if "/" in name else name


def _beginning(prompt: Prompt) -> str:
    return one_line(prompt.text, BEGINNING)
