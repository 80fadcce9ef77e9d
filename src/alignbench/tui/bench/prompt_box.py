"""The prompt on the Bench."""

from __future__ import annotations

from textual import events
from textual.content import Content

from alignbench.spec import Prompt
from alignbench.tui.clickable import do_clicked
from alignbench.tui.styled import DIM
from alignbench.tui.text import before_it, one_line, printable, start
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.wrap import WrappedText

LABEL = " Prompt  "
MOST = 3  # lines; the editor (e) shows the rest


class PromptBox(SteadyText):
    """As many lines of the prompt as it needs, up to three; the messages before it on the first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._prompt: Prompt | None = None
        self._width = 0

    def show(self, prompt: Prompt) -> None:
        """Draw another prompt."""
        if prompt.hash != (self._prompt and self._prompt.hash):
            self._prompt = prompt
            self._draw()

    def on_resize(self) -> None:
        if self.size.width != self._width:
            self._draw()

    async def on_click(self, event: events.Click) -> None:
        await do_clicked(self, event, "edit_prompt")

    def _draw(self) -> None:
        self._width = self.size.width
        if not self._width or self._prompt is None:
            return
        room = self._width - len(LABEL) - 1
        if not self._prompt.text.strip():
            hint = "none: F2 picks one, e writes one"
            self.update(Content.assemble((LABEL, DIM), (hint, f"{DIM} italic")))
            return
        before = [one_line(before_it(self._prompt), room)] if self._prompt.earlier else []
        wrapped, most = WrappedText(room, printable(self._prompt.text)), MOST - len(before)
        lines = [wrapped[i] for i in range(min(most, len(wrapped)))]
        if len(wrapped) > most:
            lines[-1] = f"{start(lines[-1], room - 14)}… (e: all of it)"
        rows = [
            Content.assemble((LABEL if i == 0 else " " * len(LABEL), DIM), (line, DIM if i < len(before) else "bold"))
            for i, line in enumerate([*before, *lines])
        ]
        self.update(Content("\n").join(rows))
