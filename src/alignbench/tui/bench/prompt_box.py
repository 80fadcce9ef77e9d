"""The prompt on the Bench."""

from __future__ import annotations

from textual import events
from textual.content import Content

from alignbench.answer_options import AnswerOptions
from alignbench.spec import Prompt
from alignbench.tui.clickable import clickable, do_clicked
from alignbench.tui.sizes import NARROW
from alignbench.tui.styled import DIM
from alignbench.tui.text import before_it, cells, one_line, printable, start
from alignbench.tui.widgets.steady_text import SteadyText
from alignbench.tui.wrap import WrappedText

LABEL = " Prompt  "
OPTIONS = " Options "
MOST, MOST_NARROW = 3, 2  # lines; the editor (e) shows the rest
MORE = "… (e: all of it)"
ASKED, ASKED_NARROW = "F5 asks the question alone, o with these options", "F5 asks without, o with them"


class PromptBox(SteadyText):
    """As many lines of the prompt as it needs, up to three, and two where there is little room; the messages before it
    on the first, and below it the options of a survey question, where its text does not list them."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._prompt: Prompt | None = None
        self._width = 0

    def show(self, prompt: Prompt) -> None:
        """Draw another prompt."""
        if prompt != self._prompt:
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
        wrapped = WrappedText(room, printable(self._prompt.text))
        most = max(1, (MOST if self._width >= NARROW else MOST_NARROW) - len(before))
        lines = [wrapped[i] for i in range(min(most, len(wrapped)))]
        if len(wrapped) > most:
            lines[-1] = start(lines[-1], room - len(MORE)) + MORE
        rows = [
            Content.assemble((LABEL if i == 0 else " " * len(LABEL), DIM), (line, DIM if i < len(before) else "bold"))
            for i, line in enumerate([*before, *lines])
        ]
        if self._prompt.answers is not None and not _lists_options(self._prompt):
            rows.append(_options(self._prompt.answers, room))
        self.update(Content("\n").join(rows))


def _lists_options(prompt: Prompt) -> bool:
    """Whether the options of a survey question stand in its own text."""
    from alignbench.surveys.asking import listed_order, options_of

    return bool(options_of(prompt).shown or listed_order(prompt))


def _options(answers: AnswerOptions, room: int) -> Content:
    """The options on a line, and which key asks with them."""
    asked = ASKED if room >= NARROW - len(LABEL) - 1 else ASKED_NARROW
    listed = one_line(" · ".join(answers.texts), room - len(asked) - 3)
    gap = " " * (room - cells(listed) - len(asked))
    return Content.assemble((OPTIONS, DIM), listed, gap, clickable(asked, "survey", DIM))
