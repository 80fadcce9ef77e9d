"""What a reader of the scores of several conditions has to know of their responses."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.metrics.registry import METRICS
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.truncation import MOST_CUT, Truncations
from alignbench.store import Store


def score_notes(tables: ScoreTables, truncations: Truncations, *, scores_empty: bool) -> Iterator[str]:
    """Of conditions that differ in samples a prompt, of empty responses, and of responses that were cut.

    scores_empty: whether these are compared with others (see `WordMode`).
    """
    per_prompt = {size.samples / size.prompts for size in tables.sizes.values() if size.prompts}
    scored = next(iter(tables.within.values()), {})
    moving = [name for name in scored if name in METRICS and METRICS[name].moves_with_n]
    if len(per_prompt) > 1 and moving:
        yield f"conditions differ in samples a prompt, and these scores move with it: {', '.join(moving)}"
    empty = [f"{size.empty} of {size.samples} in {name}" for name, size in tables.sizes.items() if size.empty]
    if empty:
        treated = (
            "compared as responses that share nothing"
            if scores_empty
            else "left out of every score but the mean length"
        )
        yield f"empty responses, {treated}: {', '.join(empty)}"
    cut = [f"{of.cut} of {of.n} in {name}" for name, of in truncations.items() if name in tables.sizes and of.too_many]
    if cut:
        yield (
            f"responses cut by length, over {MOST_CUT:.0%}, so that neither lengths nor texts compare with others: "
            f"{', '.join(cut)}"
        )


def draw_notes(store: Store, session: int, tables: ScoreTables) -> Iterator[str]:
    """Of conditions whose replies give several answers, how many of these are scored."""
    several = {condition.name for condition in store.conditions(session) if condition.context.verbalized}
    for of in store.counts(session):
        if of.condition in several & tables.sizes.keys():
            yield (
                f"each reply of {of.condition} is one draw, an answer by its stated probability: "
                f"{tables.sizes[of.condition].samples} of {of.samples} answers are scored"
            )
