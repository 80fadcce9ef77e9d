"""Pick a prompt: from a set that ships, or from a file."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from alignbench.errors import AlignbenchError
from alignbench.spec import Prompt
from alignbench.tui.action import bindings
from alignbench.tui.dialogs.actions import PICKER
from alignbench.tui.dialogs.base import DIALOG_CSS, LineScreen, ListScreen
from alignbench.tui.styled import DIM, SELECTED
from alignbench.tui.text import one_line
from alignbench.tui.widgets.choice_list import ChoiceList
from alignbench.tui.widgets.inputs import PlainInput
from alignbench.tui.workbench.state import THIS_SESSION

MOST = 1000  # prompts listed at once; typing narrows them down
LONGEST = 300  # characters of a prompt in the list
LONGEST_ID = 24  # of its id, which tells it from others of its text


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
    HELP = "Type to narrow the list down; every word must occur. Tab changes the set, F2 opens a file of your own."
    HEADING = "Prompts"

    def __init__(self, chosen: str, prompt: Prompt, asked: Sequence[Prompt]) -> None:
        """chosen: name or path of the set to begin with. asked: prompts of the session, a set of their own."""
        super().__init__()
        self._chosen = chosen
        self._prompt = prompt
        self._asked = asked
        self._sets: list[str] = []
        self._prompts: Sequence[Prompt] = ()
        self._listed: list[Prompt] = []

    def body(self) -> ComposeResult:
        yield Static("", id="sets", markup=False)
        yield PlainInput(placeholder="type to filter", compact=True)
        prompts = ChoiceList(markup=False, compact=True)
        prompts.can_focus = False
        yield prompts

    def on_mount(self) -> None:
        self._begin()

    @work
    async def _begin(self) -> None:
        from alignbench.prompts import shipped_sets

        self._sets = await asyncio.to_thread(shipped_sets)
        if self._asked:
            self._sets.append(THIS_SESSION)
        if self._chosen and self._chosen not in self._sets:
            self._sets.append(self._chosen)
        if self._sets:
            await self._load(self._chosen or self._sets[0])

    async def _load(self, name: str) -> None:
        from alignbench.prompts import load_prompts

        try:
            prompts = self._asked if name == THIS_SESSION else await asyncio.to_thread(load_prompts, name)
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
            Content.styled(f" {one_line(set_title(name), 24)} ", SELECTED if name == self._chosen else "")
            for name in self._sets
        ]
        self.query_one("#sets", Static).update(Content("  ").join(tabs))

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        matching = [(i, p) for i, p in enumerate(self._prompts) if all(word in p.text.casefold() for word in words)]
        self._listed = [prompt for _, prompt in matching[:MOST]]
        listing = self.query_one(OptionList)
        listing.clear_options()
        digits = len(str(len(self._prompts)))
        times = Counter(prompt.text for prompt in self._prompts)
        listing.add_options(
            Option(
                Content.assemble(
                    (f"{i + 1:>{digits}}  ", DIM),
                    (f"{one_line(prompt.id, LONGEST_ID)}  " if times[prompt.text] > 1 else "", DIM),
                    one_line(prompt.text, LONGEST),
                )
            )
            for i, prompt in matching[:MOST]
        )
        if self._listed:
            at = next((i for i, prompt in enumerate(self._listed) if prompt == self._prompt), 0)
            listing.highlighted = at
            self.call_after_refresh(listing.scroll_to_highlight)
        if not matching:
            self.complain("No prompt of this set has these words.")
        elif len(matching) > MOST:
            self.complain(f"The first {MOST} of {len(matching)}; type to narrow them down.")
        else:
            self.complain("")

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
            LineScreen("Prompt file (.jsonl, .csv, .txt)", "", empty="Write the path of a file, or press Esc.")
        )
        if path is not None:
            await self._load(str(Path(path).expanduser()))


def set_title(name: str) -> str:
    """A set as the app names it: a shipped one by its name, a file by the file's."""
    return Path(name).name if "/" in name else name
