"""Text cut into display lines. Appending to a text wraps only its end again, so that streaming costs O(new text)."""

from __future__ import annotations

from bisect import bisect_right

from rich.cells import split_graphemes

Span = tuple[int, int]
JOINER = "\u200d"


def wrap_line(text: str, start: int, end: int, width: int) -> list[Span]:
    """Spans of the display lines of a text without a line break.

    Breaks at spaces; a word wider than a line is cut. The spaces at a break are left out. Breaks are decided from left
    to right, so text that is added later moves nothing but the last two lines.

    Args:
        text: Where it stands.
        start, end: The part that is wrapped.
        width: Cells of a line, at most.
    """
    if text[start:end].isascii():
        return _wrap(text, start, end, width, None)
    return _wrap(text, start, end, width, _cells(text[start:end]))


def _cells(text: str) -> list[int]:
    """Cells by character, as Textual counts them: a grapheme's stand at its first one, the others have -1."""
    counted = [-1] * len(text)
    begin = 0
    while text[begin : begin + 1] == JOINER:  # with nothing before it: it takes what follows away
        counted[begin] = 0
        begin += 2
    for first, _, cells in split_graphemes(text[begin:])[0]:
        counted[begin + first] = cells
    return counted


def _wrap(text: str, start: int, end: int, width: int, cells: list[int] | None) -> list[Span]:
    spans = []
    at = start
    while True:
        if cells is None:
            cut = min(at + width, end)
        else:
            cut, used = at, 0
            while cut < end and used + (here := max(0, cells[cut - start])) <= width:
                used += here
                cut += 1
            cut = max(cut, min(at + 1, end))  # a grapheme wider than the line still takes one
            while cut < end and cells[cut - start] < 0:
                cut += 1
        if cut >= end:
            spans.append((at, end))
            return spans
        if text[cut] == " ":
            stop = cut
        else:
            stop = text.rfind(" ", at, cut)
            if stop <= at or not text[at:stop].strip():
                spans.append((at, cut))
                at = cut
                continue
        spans.append((at, stop))
        at = stop
        while at < end and text[at] == " ":
            at += 1
        if at == end:
            return spans


class WrappedText:
    """A text and its display lines at one width."""

    __slots__ = ("_spans", "text", "width")

    def __init__(self, width: int, text: str = "") -> None:
        self.width = max(1, width)
        self.text = ""
        self._spans: list[Span] = [(0, 0)]
        self.append(text)

    def append(self, more: str) -> None:
        """Add text at the end."""
        if not more:
            return
        self.text += more
        keep = max(0, len(self._spans) - 2)
        at = self._spans[keep][0]
        while keep and len(split_graphemes(self.text[at - 1 : at + 1])[0]) == 1:  # it joins the space before it
            keep -= 1
            at = self._spans[keep][0]
        del self._spans[keep:]
        while True:
            line_end = self.text.find("\n", at)
            end = len(self.text) if line_end < 0 else line_end
            self._spans += wrap_line(self.text, at, end, self.width)
            if line_end < 0:
                return
            at = line_end + 1

    def __len__(self) -> int:
        """Number of display lines; an empty text has one."""
        return len(self._spans)

    def span(self, line: int) -> Span:
        """Where one display line stands in the text."""
        return self._spans[line]

    def line_of(self, at: int) -> int:
        """The display line that a character of the text is on."""
        return max(0, bisect_right(self._spans, at, key=lambda span: span[0]) - 1)

    def __getitem__(self, line: int) -> str:
        """The text of one display line."""
        start, end = self._spans[line]
        return self.text[start:end]
