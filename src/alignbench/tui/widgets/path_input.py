"""One line for a path, or for a model that may be one: it is completed as shells do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester

from alignbench.tui.path_completion import common, completions, model_completions
from alignbench.tui.widgets.inputs import PlainInput

Complete = Callable[[str], Sequence[str]]


class _First(Suggester):
    """Suggests the first of several completions."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)  # folders change
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        found = await asyncio.to_thread(self._complete, value) if value else ()
        return next((each for each in found if each != value), None)


class PathInput(PlainInput):
    """What may follow is suggested while one types, and → takes it. Tab completes as far as there is no choice, then
    names the choices; where there is nothing to complete it leaves the field."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", show=False)]

    class Choices(Message):
        """Several names go on from here."""

        def __init__(self, names: Sequence[str]) -> None:
            super().__init__()
            self.names = names

    def __init__(self, value: str = "", *, id: str | None = None, compact: bool = False) -> None:
        super().__init__(value, id=id, compact=compact, select_on_focus=False, suggester=_First(self.complete))
        self._named = ""  # the text whose choices were named last

    def complete(self, text: str) -> Sequence[str]:
        """Texts that this one may become; called from another thread."""
        return completions(text)

    @work(exclusive=True)
    async def action_complete(self) -> None:
        value = self.value
        found = await asyncio.to_thread(self.complete, value)
        if self.value != value or not self.has_focus:
            return
        longer = common(found)
        if len(longer) > len(value):
            self.value, self.cursor_position = longer, len(longer)
        elif len(found) > 1 and value != self._named:
            self._named = value
            self.post_message(self.Choices([each.rstrip("/").rpartition("/")[2] for each in found]))
        else:
            self.screen.focus_next()


class ModelInput(PathInput):
    """A model by its name, or by a reference with a path.

    Attributes:
        names: Those that are known.
    """

    names: Sequence[str] = ()

    def complete(self, text: str) -> Sequence[str]:
        return [*(name for name in self.names if name.startswith(text)), *model_completions(text)]
