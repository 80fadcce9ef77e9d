"""Which prompts of a session are contested, and what embeddings say of them: nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alignbench.scores.values import Cross, Value
from alignbench.scoring.batch import Given
from alignbench.scoring.contested import REASON, blind_to_stance, is_contested
from alignbench.store import Store


def contested_prompts(store: Store, session: int) -> frozenset[str]:
    """Ids of the prompts that are known to be, and of those whose responses were judged by their stance."""
    judged = {row.prompt_id for row in store.judgments(session, kind="stance")}
    return frozenset(judged | {prompt.id for prompt in store.prompts(session) if is_contested(prompt)})


def unseen_scores(prompts: Iterable[str], conditions: Sequence[str], scores: Sequence[str]) -> Given:
    """Null, with the reason, for what embeddings would say of these prompts."""
    places = [(prompt, condition) for prompt in prompts for condition in conditions]
    blind = [name for name in scores if blind_to_stance(name)]
    return Given(
        within={place: {name: Value(None, 0, REASON) for name in blind} for place in places},
        cross={place: {name: Cross(None, 0, None, REASON, REASON) for name in blind} for place in places},
    )
