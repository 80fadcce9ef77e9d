"""Responses given as a dict, where a test needs no store."""

from __future__ import annotations

from alignbench.metrics.values import Value
from alignbench.scoring.responses import CellTexts


class GivenResponses:
    """Responses from a dict: prompt -> condition -> texts."""

    def __init__(self, texts: dict[str, dict[str, list[str]]]) -> None:
        self._texts = texts
        self.prompts = tuple(texts)
        self.conditions = tuple(dict.fromkeys(condition for cells in texts.values() for condition in cells))
        self.n = sum(len(cell) for cells in texts.values() for cell in cells.values())
        self.left_out = 0
        self.contested: frozenset[str] = frozenset()

    def cells(self, prompt: str) -> CellTexts:
        return {condition: dict(enumerate(texts)) for condition, texts in self._texts[prompt].items()}

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}
