"""What a reader of the scores of several conditions has to know of their responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alignbench.metrics.registry import METRICS
from alignbench.metrics.semantic import EQUIVALENT
from alignbench.scoring.equivalence import CLASSES, Equivalence
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.token_scores import SURPRISAL
from alignbench.scoring.truncation import MOST_CUT, Truncations
from alignbench.store import Store

_SHOWN = 3  # prompts of a text, and texts, that a note names

SATURATED = 0.8
"""Share of a condition's pairs that are one answer, from which on the number of answers hardly tells them apart."""


def score_notes(
    tables: ScoreTables, truncations: Truncations, equivalence: Equivalence, *, scores_empty: bool
) -> Iterator[str]:
    """Of conditions that differ in samples a prompt, of empty responses, of responses that were cut, and of answers
    that are hardly told apart.

    scores_empty: whether empty responses are compared with others (see `WordMode`).
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
    yield from _of_classes(tables, equivalence)


def prompt_notes(texts: Mapping[str, str | None]) -> Iterator[str]:
    """Of prompts that share a text. texts: of prompts by id, None where it is not known."""
    ids: dict[str, list[str]] = {}
    for id, text in texts.items():
        if text is not None:
            ids.setdefault(text, []).append(id)
    shared = [of_text for of_text in ids.values() if len(of_text) > 1]
    if shared:
        shown = "; ".join(", ".join(of_text[:_SHOWN]) + ", …" * (len(of_text) > _SHOWN) for of_text in shared[:_SHOWN])
        yield (
            f"prompts that share a text: {sum(map(len, shared))}, of {len(shared)} "
            f"({shown}{'; …' * (len(shared) > _SHOWN)}); each counts as a prompt of its own, so that intervals are "
            "narrower than their texts warrant, and their null may be each other; what is drawn with one seed is equal"
        )


def draw_notes(store: Store, session: int, tables: ScoreTables) -> Iterator[str]:
    """Of replies that give several answers, how many of these are scored; of refusals; of infinite log-probs."""
    several = {condition.name for condition in store.conditions(session) if condition.context.verbalized}
    for of in store.counts(session):
        if of.condition in several & tables.sizes.keys():
            yield (
                f"each reply of {of.condition} is one draw, an answer by its stated probability: "
                f"{tables.sizes[of.condition].samples} of {of.samples} answers are scored"
            )
    counts = [of for of in store.counts(session) if of.condition in tables.sizes]
    if refused := [f"{of.refused} of {of.samples} in {of.condition}" for of in counts if of.refused]:
        yield f"refusals, as their servers say, scored as the responses that they are: {', '.join(refused)}"
    scored = next(iter(tables.within.values()), {})
    infinite = [f"{of.infinite} of {of.samples} in {of.condition}" for of in counts if of.infinite]
    if infinite and SURPRISAL in scored:
        yield f"responses with a token of log-prob -Infinity, left out of {SURPRISAL}: {', '.join(infinite)}"


def _of_classes(tables: ScoreTables, equivalence: Equivalence) -> Iterator[str]:
    """What one answer is, and where nearly all pairs are one."""
    counted = {
        name: score
        for name, of in tables.within.items()
        for score in [next((of[metric] for metric in CLASSES if metric in of), None)]
        if score is not None and score.value is not None
    }
    if not counted:
        return
    yield equivalence.words
    shares = {name: score.extra.get(EQUIVALENT) or 0.0 for name, score in counted.items()}
    saturated = [f"{share:.0%} in {name}" for name, share in shares.items() if share >= SATURATED]
    if saturated:
        yield (
            "distinct answers saturate, nearly all pairs being one answer, and carry no claim between such conditions: "
            f"{', '.join(saturated)}"
        )
