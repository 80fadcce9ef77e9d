"""What a reader of the scores of several conditions has to know of their responses."""

from __future__ import annotations

from collections.abc import Iterator

from alignbench.metrics.registry import METRICS
from alignbench.scoring.score_tables import ScoreTables


def score_notes(tables: ScoreTables, *, scores_empty: bool) -> Iterator[str]:
    """Of conditions that differ in samples a prompt, and of empty responses.

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
