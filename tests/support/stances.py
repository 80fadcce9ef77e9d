"""Sessions whose responses to contested prompts take stances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.judged import judgment
from tests.support.samples import ALIGNED, BASE, result

BASE_SAID = ("yes", "no", "yes", "no", "other")
ALIGNED_SAID = ("both",) * 5


def contested_session(
    store: Store, said: Mapping[str, Sequence[str]], *, prompts: int = 24, text: str = "{name} says {stance} to {p}."
) -> int:
    """Conditions `raw` (base) and `chat` (the reference) with these stances on every prompt, by one judge."""
    session = store.create_session("contested", reference="chat")
    for p in range(prompts):
        for model, name in ((BASE, "raw"), (ALIGNED, "chat")):
            cell = store.add_cell(session, Prompt(f"q{p:02}", f"Is {p} right?", "contested"),
                                  Condition.zero_shot(model, name=name), len(said[name]))  # fmt: skip
            for i, stance in enumerate(said[name]):
                row = store.add_sample(cell, result(i, f"{text.format(name=name, stance=stance, p=p)} {i}"))
                store.add_judgments(session, [judgment("stance", row.id, stance=stance)])
    return session
