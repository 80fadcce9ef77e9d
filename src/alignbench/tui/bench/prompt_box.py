"""The prompt on the Bench."""

from __future__ import annotations

from textual import events
from textual.content import Content

from alignbench.spec import Prompt
from alignbench.tui.clickable import do_clicked
from alignbench.tui.styled import DIM
from alignbench.tui.text import printable, start
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.wrap import WrappedText

LABEL = " Prompt  "
MOST = 3  # lines; the editor (e) shows the rest


class PromptBox(SteadyText):
    """As many lines of the prompt as it needs, up to three."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._text: str | None = None
        self._width = 0

    def show(self, prompt: Prompt) -> None:
        """Draw another prompt."""
        if prompt.text != self._text:
            self._text = prompt.text
            self._draw()

    def on_resize(self) -> None:
        if self.size.width != self._width:
            self._draw()

    async def on_click(self, event: events.Click) -> None:
        await do_clicked(self, event, "edit_prompt")

    def _draw(self) -> None:
        self._width = self.size.width
        if not self._width or self._text is None:
            return
        room = self._width - len(LABEL) - 1
        if not self._text.strip():
            hint = "none: F2 picks one, e writes one"
            self.update(Content.assemble((LABEL, DIM), (hint, f"{DIM} italic")))
            return
        wrapped = WrappedText(room, printable(self._text))
        lines = [wrapped[i] for i in range(min(MOST, len(wrapped)))]
        if len(wrapped) > MOST:
            lines[-1] = f"{start(lines[-1], room - 14)}… (e: all of it)"
        rows = [
            Content.assemble((LABEL if i == 0 else " " * len(LABEL), DIM), (line, "bold"))
            for i, line in enumerate(lines)
        ]
        self.update(Content("\n").join(rows))
