"""Inputs whose content is data: control characters are shown, or kept out, and reach no terminal."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.widgets import Input, TextArea

from alignbench.display import visible
from alignbench.textfiles import split_lines
from alignbench.tui.notices import tell


def _one_cell(text: str) -> str:
    """Visible text of the same length: what `visible` would write as an escape is one replacement character."""
    return "".join(c if c == "\t" or visible(c) == c else v if len(v := visible(c)) == 1 else "\ufffd" for c in text)


class PlainArea(TextArea):
    """A text area without highlighting that draws control and bidi characters as one visible cell each."""

    def write(self, text: str) -> None:
        """Another text in the place of the one there is, which undo brings back; the cursor is at its end."""
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def get_line(self, line_index: int) -> Text:
        return Text(_one_cell(self.document.get_line(line_index)), end="", no_wrap=True)


class PlainInput(Input):
    """One line of text. Control characters are taken out of what is pasted or set: no value here may hold one."""

    def validate_value(self, value: str) -> str:
        return "".join(c for c in value if visible(c) == c and c not in "\n\t")

    def _on_paste(self, event: events.Paste) -> None:
        """All that is pasted, where Textual's own takes its first line."""
        event.prevent_default()
        event.stop()
        self.replace(self.pasted(event.text), *self.selection)

    def pasted(self, text: str) -> str:
        """A pasted text as it is written here: its lines with spaces between, which is said."""
        lines = [" ".join(line.split("\t")).strip() for line in split_lines(text.strip())]
        if len(lines) > 1:
            tell(self.app, f"{len(lines)} lines were joined by spaces: this field has one line.")
        return " ".join(filter(None, lines))


class LinesInput(PlainInput):
    """A text of several lines, written on one: a line end is drawn as ␊ and a tab as ␉."""

    @property
    def text(self) -> str:
        """What is written, with its line ends and tabs."""
        return self.value.replace("␊", "\n").replace("␉", "\t")

    def write(self, text: str) -> None:
        """Another text in the place of the one there is."""
        self.value = self.pasted(text)
        self.cursor_position = len(self.value)

    def pasted(self, text: str) -> str:
        return "␊".join(split_lines(text)).replace("\t", "␉")
