"""Inputs whose content is data: control characters are shown, or kept out, and reach no terminal."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input, TextArea

from alignbench.display import visible


def _one_cell(text: str) -> str:
    """Visible text of the same length: what `visible` would write as an escape is one replacement character."""
    return "".join(c if c == "\t" or visible(c) == c else v if len(v := visible(c)) == 1 else "\ufffd" for c in text)


class PlainArea(TextArea):
    """A text area without highlighting that draws control and bidi characters as one visible cell each."""

    def get_line(self, line_index: int) -> Text:
        return Text(_one_cell(self.document.get_line(line_index)), end="", no_wrap=True)


class PlainInput(Input):
    """One line of text. Control characters are taken out of what is pasted or set: no value here may hold one."""

    def validate_value(self, value: str) -> str:
        return "".join(c for c in value if visible(c) == c and c not in "\n\t")
