"""The responses of one condition of a session, for experiments to draw from."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.calibration.planted import Rng, TooFewTexts
from alignbench.errors import InputError, did_you_mean
from alignbench.metrics.words import is_empty
from alignbench.scoring.responses import SessionResponses
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class StoredPrompt:
    """The responses to a prompt."""

    texts: tuple[str, ...]

    def draw(self, n: int, rng: Rng) -> list[str]:
        if n > len(self.texts):
            raise TooFewTexts(f"it draws {n} responses to a prompt, and one has {len(self.texts)}")
        return [self.texts[i] for i in rng.permutation(len(self.texts))[:n].tolist()]


class StoredTexts:
    """Prompts with their responses that are not empty."""

    def __init__(self, name: str, prompts: tuple[StoredPrompt, ...]) -> None:
        """InputError for fewer than two prompts."""
        if len(prompts) < 2:
            raise InputError(f"{name}: experiments need responses to two prompts, there are some to {len(prompts)}.")
        self.name, self._prompts = name, prompts
        self.n_prompts: int | None = len(prompts)

    def pair(self, i: int, rng: Rng) -> tuple[StoredPrompt, StoredPrompt]:
        n = len(self._prompts)
        own = i % n
        return self._prompts[own], self._prompts[(own + int(rng.integers(1, n))) % n]


def stored_texts(store: Store, session: int, condition: str) -> StoredTexts:
    """Those of a session's condition. InputError where there is none of that name, or too little under it."""
    responses = SessionResponses(store, session)
    if condition not in responses.conditions:
        near = did_you_mean(condition, responses.conditions)
        raise InputError(f"--condition: session {session} has no condition named {condition!r}. {near}".rstrip())
    cells = (responses.cells(prompt).get(condition, {}) for prompt in responses.prompts)
    texts = (tuple(text for text in cell.values() if not is_empty(text)) for cell in cells)
    return StoredTexts(f"{condition} of session {session}", tuple(StoredPrompt(there) for there in texts if there))
