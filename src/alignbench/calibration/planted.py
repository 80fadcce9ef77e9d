"""What an experiment plants: responses to prompts under conditions, of which it is known what differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alignbench.judging.qualities import Qualities
from alignbench.judging.stances import Stances
from alignbench.metrics.values import Value
from alignbench.reports.contents import SampleCounts
from alignbench.scoring.responses import CellTexts
from alignbench.scoring.token_scores import entropy_value

REFERENCE, OTHER, FLOOR = "reference", "other", "floor"
JUDGE = "planted"

Rng = np.random.Generator


class TooFewTexts(Exception):
    """A prompt has fewer responses than an experiment draws."""


class PromptTexts(Protocol):
    """A prompt whose responses, all of one condition, can be drawn."""

    def draw(self, n: int, rng: Rng) -> list[str]:
        """So many, none twice; TooFewTexts where there are not as many."""
        ...


class TextSource(Protocol):
    """Where prompts with their responses come from.

    Attributes:
        name: what it is, in a few words.
        n_prompts: how many it has; None where it makes as many as are wanted.
    """

    name: str
    n_prompts: int | None

    def pair(self, i: int, rng: Rng) -> tuple[PromptTexts, PromptTexts]:
        """The i-th prompt, going round where there are fewer, and another one."""
        ...


@dataclass(frozen=True, slots=True)
class PlantedResponse:
    """A response.

    Attributes:
        quality: as a judge would grade it, 1 to 5; None where nobody does.
        truncated: whether a limit of tokens cut it.
        n_tokens, bits: how many tokens it has, and the surprisal of all of them.
        stance: as a judge would take it: yes, no, both or other; None where nobody does.
    """

    text: str
    quality: float | None = None
    truncated: bool = False
    n_tokens: int = 0
    bits: float = 0.0
    stance: str | None = None


PlantedCells = Mapping[str, Sequence[PlantedResponse]]  # by condition, to one prompt

Plant = Callable[[PromptTexts, PromptTexts, int, Rng], PlantedCells]
"""The responses to a prompt, given what there is to draw from for it and for another one, with n samples."""


class PlantedResponses:
    """Planted prompts as what is scored."""

    left_out = 0
    contested: frozenset[str] = frozenset()

    def __init__(self, cells: Mapping[str, PlantedCells]) -> None:
        """cells: by prompt; all prompts have all conditions."""
        self._cells = cells
        self.prompts = tuple(cells)
        self.conditions = tuple(next(iter(cells.values())))
        self.n = sum(len(responses) for prompt in cells.values() for responses in prompt.values())

    def cells(self, prompt: str) -> CellTexts:
        return {
            condition: {sample: response.text for sample, response in enumerate(responses)}
            for condition, responses in self._cells[prompt].items()
        }

    def token_scores(self, prompt: str, names: Collection[str]) -> dict[str, dict[str, Value]]:
        """A token has as many bits as its distribution: what was drawn is typical."""
        scores = {}
        for condition, responses in self._cells[prompt].items():
            n_tokens, bits = sum(r.n_tokens for r in responses), math.fsum(r.bits for r in responses)
            n_bytes = sum(len(r.text.encode("utf-8", "surrogatepass")) for r in responses)
            scores[condition] = dict.fromkeys(names, entropy_value(bits, n_tokens, n_bytes, len(responses)))
        return scores

    def counts(self, condition: str) -> SampleCounts:
        """How many responses there are, and how many of them a limit cut."""
        there = [response for prompt in self._cells.values() for response in prompt[condition]]
        return SampleCounts(len(there), 0, sum(response.truncated for response in there))

    @property
    def qualities(self) -> Qualities:
        """Of those that have one."""
        of = {
            (condition, prompt, sample): response.quality
            for prompt, cells in self._cells.items()
            for condition, responses in cells.items()
            for sample, response in enumerate(responses)
            if response.quality is not None
        }
        return Qualities(JUDGE, of)

    @property
    def stances(self) -> Stances:
        """Of those that have one."""
        of = {
            (condition, prompt, sample): response.stance
            for prompt, cells in self._cells.items()
            for condition, responses in cells.items()
            for sample, response in enumerate(responses)
            if response.stance is not None
        }
        return Stances(JUDGE, of, {})


class PlantedPrompts:
    """The prompts of an experiment, which repetitions draw from.

    Attributes:
        cells: by id.
    """

    def __init__(self, plant: Plant, source: TextSource, n: int, n_planted: int, rng: Rng) -> None:
        """n: samples of a prompt. n_planted: prompts; of a source with fewer, each stands for several."""
        self.cells = {f"{i:05d}": plant(*source.pair(i, rng), n, rng) for i in range(n_planted)}
        ids, n_prompts = [*self.cells], source.n_prompts or n_planted
        self._of_prompt = [ids[i::n_prompts] for i in range(n_prompts)]

    def choice(self, n: int, rng: Rng) -> list[str]:
        """Ids of so many, no two of one prompt of the source."""
        prompts = rng.choice(len(self._of_prompt), n, replace=False).tolist()
        return [ids[int(rng.integers(len(ids)))] for ids in (self._of_prompt[prompt] for prompt in prompts)]
