"""Which responses are the same answer by an NLI model: those that entail each other.

Bidirectional entailment after Kuhn, Gal and Farquhar 2023, arXiv 2302.09664; the question stands before each answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

from alignbench.engines.protocol import Entailed
from alignbench.scoring.given_classes import SamePairs
from alignbench.scoring.responses import Texts


class Entails(Protocol):
    """An NLI model."""

    def entails(self, pairs: Sequence[tuple[str, str]]) -> Entailed:
        """Whether the first text of each pair entails the second."""
        ...


@dataclass(slots=True)
class NliPairs:
    """The pairs of cells, as they are asked for.

    Attributes:
        nli: the model.
        prompt_text: the text of a prompt by its id, None where it is not known.
        asked, cut: pairs of texts so far, and those that are longer than the model's window.
        model: its name; empty before it was asked.
    """

    nli: Entails
    prompt_text: Callable[[str], str | None]
    asked: int = field(default=0, init=False)
    cut: int = field(default=0, init=False)
    model: str = field(default="", init=False)

    def pairs_of(self, prompt: str, _: str, texts: Texts) -> SamePairs:
        """Of every two responses, whether each entails the other."""
        question = self.prompt_text(prompt)
        said = {i: f"{question} {text}" if question else text for i, text in texts.items()}
        pairs = [*combinations(sorted(said), 2)]
        if not pairs:
            return {}
        both_ways = [(said[a], said[b]) for i, j in pairs for a, b in ((i, j), (j, i))]
        answer = self.nli.entails(both_ways)
        self.asked, self.cut, self.model = self.asked + len(both_ways), self.cut + answer.cut, answer.model
        there, back = answer.entails[::2], answer.entails[1::2]
        return {pair: bool(a and b) for pair, a, b in zip(pairs, there, back, strict=True)}

    @property
    def note(self) -> str:
        """What a reader has to know of the model's window; empty where nothing was cut."""
        if not self.cut:
            return ""
        return f"of {self.cut} of {self.asked} pairs the NLI model reads the beginning alone: they are over its window"
