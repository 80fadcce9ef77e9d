"""Which responses to a prompt say the same: what the classes of distinct answers and their entropy rest on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from alignbench.metrics.arrays import Floats
from alignbench.metrics.registry import METRICS
from alignbench.metrics.semantic import CLASS_THRESHOLD, CalibratedThreshold
from alignbench.progress import Progress, silent
from alignbench.scoring.embedding_cache import Embeddings, Vector
from alignbench.scoring.null import other_prompt
from alignbench.scoring.responses import Responses, all_texts

CLASSES = ("semantic_classes", "semantic_entropy")
EMBEDDING = "embedding"

_SAME_TEXT = 1.0 - 1e-6  # the highest threshold: equal texts are one answer, whatever rounding makes of their cosine


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What two responses of one class have in common.

    Attributes:
        by: embedding, an NLI model or a judge.
        threshold: of the cosine; None where something else decides.
    """

    by: str = EMBEDDING
    threshold: CalibratedThreshold | None = field(default_factory=lambda: CalibratedThreshold(CLASS_THRESHOLD))

    @property
    def words(self) -> str:
        """How it came about, for people."""
        if self.threshold is None:
            return f"two responses are one answer by {self.by}"
        said = f"two responses are one answer from a cosine of {self.threshold.value:.3f} on"
        if self.threshold.chance is None or self.threshold.false_matches is None:
            return f"{said}; no other prompt to calibrate it on"
        return (
            f"{said}; of responses to different prompts {self.threshold.false_matches:.1%} reach it, and 5% reach "
            f"{self.threshold.chance:.3f}"
        )

    @property
    def cosine(self) -> float:
        """From which on two responses are one answer by their embeddings."""
        return CLASS_THRESHOLD if self.threshold is None else self.threshold.value

    def versions(self, metrics: Collection[str]) -> dict[str, str]:
        """Of those that are scores of classes: values of two equivalences never meet in one comparison."""
        how = self.by if self.threshold is None else f"cosine{self.threshold.value:.3f}"
        return {name: f"{METRICS[name].version}+{how}" for name in CLASSES if name in metrics}


def embedding_equivalence(
    responses: Responses, embeddings: Embeddings | None, progress: Progress = silent
) -> Equivalence:
    """By cosine, its threshold calibrated on what each condition says to different prompts; contested ones left out."""
    if embeddings is None:
        return Equivalence()
    embeddings.make(all_texts(responses), progress, total=responses.n)
    prompts = [prompt for prompt in responses.prompts if prompt not in responses.contested]
    vectors = {}
    for prompt in prompts:
        cells = responses.cells(prompt)
        kept = embeddings.vectors(text for texts in cells.values() for text in texts.values())
        vectors[prompt] = {name: [kept[t] for t in texts.values() if t in kept] for name, texts in cells.items()}
    return Equivalence(threshold=calibrated_classes(vectors))


def calibrated_classes(vectors: Mapping[str, Mapping[str, Sequence[Vector]]]) -> CalibratedThreshold:
    """The threshold of one set of prompts. vectors: by prompt and condition."""
    cosines = [pairs.ravel() for pairs in _mismatched(vectors)]
    return CalibratedThreshold.of(CLASS_THRESHOLD, np.concatenate(cosines) if cosines else [])


def _mismatched(vectors: Mapping[str, Mapping[str, Sequence[Vector]]]) -> Iterator[Floats]:
    """Cosines of a condition's responses to a prompt and its responses to another one, of prompts that have any."""
    there = {
        prompt: {name: [v for v in cell if np.any(v)] for name, cell in cells.items()}
        for prompt, cells in vectors.items()
    }
    answered = [prompt for prompt, cells in there.items() if any(cells.values())]
    for prompt, other in other_prompt(answered, 0).items():
        for condition, own in there[prompt].items():
            sides = own, there[other].get(condition, [])
            if all(sides):
                a, b = (np.asarray(side, np.float64) for side in sides)
                yield np.minimum(a @ b.T, _SAME_TEXT)
