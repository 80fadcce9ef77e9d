"""A text from pieces of JSON. Two halves of a character are one, also in two pieces; one that stays alone is U+FFFD.
Keys of the environment are masked, also those in several pieces."""

from __future__ import annotations

import re

from alignbench.masking import MaskedPieces, without_keys

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")


class JoinedText:
    """What has come of a text."""

    def __init__(self) -> None:
        self._pieces: list[str] = []  # as they came
        self._joined: list[str] = []
        self._half = ""  # the first half of a character
        self._masked = MaskedPieces()

    @property
    def begun(self) -> bool:
        return bool(self._pieces)

    @property
    def text(self) -> str:
        return "".join(self._joined)

    def add(self, piece: str, *, whole: bool = False) -> str:
        """Take a piece in; what is new. whole: it is all of the text so far."""
        if whole and self._pieces:
            there = without_keys("".join(self._pieces))
            piece = "" if there.startswith(piece) else piece.removeprefix(there)
        if not piece:
            return ""
        self._pieces.append(piece)
        piece = self._half + piece
        self._half = piece[-1] if "\ud800" <= piece[-1] <= "\udbff" else ""
        return self._join(piece[: len(piece) - len(self._half)])

    def finish(self) -> str:
        """No more pieces: what was held back."""
        rest, self._half = self._half, ""
        new = self._join(rest)
        masked = self._masked.rest()
        self._joined.append(masked)
        return new + masked

    def _join(self, piece: str) -> str:
        new = self._masked.feed(_HALF.sub("\ufffd", _PAIR.sub(_character, piece)))
        self._joined.append(new)
        return new


def _character(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")
