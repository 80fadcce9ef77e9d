"""From token bytes to text that is safe to show: whole characters, stop strings found across token borders."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """The text of one response while its tokens arrive.

    `raw_text` is everything that was generated. `text` ends before the first stop string. `feed` returns only text
    that can no longer turn out to be the beginning of a stop string or of a multi-byte character.
    """

    def __init__(self, stops: Sequence[str], passes: int = 0, mark: str = "") -> None:
        """
        Args:
            stops: strings that end the response.
            passes: how often the first of them may come without doing so.
            mark: a string that is looked for, see `marked`; empty for none.
        """
        self._stops = tuple(stops)
        self._passes = passes
        self._longest = max((len(stop) for stop in stops), default=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._raw: list[str] = []
        self._pending = ""  # decoded, not given out yet
        self._shown: list[str] = []
        self._mark = mark
        self._unmarked = ""  # the end of the raw text, in which the mark may have begun
        self.stopped = False
        self.marked = False  # whether the mark has come

    @property
    def raw_text(self) -> str:
        return "".join(self._raw)

    @property
    def text(self) -> str:
        return "".join(self._shown)

    def feed(self, piece: bytes) -> str:
        """Add a token's bytes; the new text that may be shown. Sets `stopped` when a stop string is complete."""
        return self._take(self._decoder.decode(piece))

    def finish(self) -> str:
        """No more tokens: half characters become U+FFFD and what was held back is given out."""
        new = self._take(self._decoder.decode(b"", final=True))
        if not self.stopped:
            new += self._pending
            self._shown.append(self._pending)
        self._pending = ""
        return new

    def _take(self, decoded: str) -> str:
        self._raw.append(decoded)
        if self._mark and not self.marked:
            self._unmarked += decoded
            self.marked = self._mark in self._unmarked
            self._unmarked = self._unmarked[max(0, len(self._unmarked) - len(self._mark) + 1) :]
        if self.stopped:
            return ""
        self._pending += decoded
        searched = self._pass_over()
        starts = [at for stop in self._stops if (at := self._pending.find(stop, searched)) >= 0]
        if starts:
            self.stopped = True
            new = self._pending[: min(starts)]
        else:
            new = self._pending[: len(self._pending) - self._held_back(searched)]
        self._pending = self._pending[len(new) :]
        self._shown.append(new)
        return new

    def _pass_over(self) -> int:
        """Use up the passes on what is pending; from where on the stop strings count."""
        searched = 0
        while self._passes:
            starts = [at for stop in self._stops if (at := self._pending.find(stop, searched)) >= 0]
            first = self._pending.find(self._stops[0], searched)
            if first < 0 or min(starts) < first:
                break
            self._passes -= 1
            searched = first + len(self._stops[0])
        return searched

    def _held_back(self, searched: int) -> int:
        """Length of the longest suffix of the pending text, from `searched` on, that begins a stop string."""
        for length in range(min(self._longest - 1, len(self._pending) - searched), 0, -1):
            suffix = self._pending[-length:]
            if any(stop.startswith(suffix) for stop in self._stops):
                return length
        return 0
