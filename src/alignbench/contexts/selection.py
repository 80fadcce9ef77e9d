"""Which examples come before a query: fixed, random or nearest ones, and never the query itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from alignbench.contexts.neighbours import NeighbourIndex, diversified
from alignbench.errors import InputError
from alignbench.spec import Example, Examples, content_hash

_MMR_CANDIDATES = 10  # for each example that is wanted


@dataclass(frozen=True, slots=True)
class Selected:
    """An example of a pool.

    Attributes:
        index: its place in the pool, from 0
        rank: its place by the method of selection, from 1, near duplicates of the query not counted, but for one that
            is itself left out as such
        similarity: cosine to the query, or to the response that stands for it; None where the method has none
        hint: one that was made of it, where it has none of its own
    """

    index: int
    rank: int
    similarity: float | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ExampleSelection:
    """The examples that were selected for a query."""

    chosen: tuple[Selected, ...]  # in the order of the context
    left_out: tuple[Selected, ...] = ()  # near duplicates of the query that were passed over
    dropped: tuple[Selected, ...] = ()  # those that had been chosen and did not fit the model's window

    def examples(self, pool: Sequence[Example]) -> tuple[Example, ...]:
        """The chosen examples, from the pool they were selected from, with the hints that were made of them."""
        return tuple(
            replace(pool[selected.index], hint=pool[selected.index].hint or selected.hint) for selected in self.chosen
        )

    def with_hints(self, pool: Sequence[Example], made: Callable[[Example], str]) -> ExampleSelection:
        """The same with a hint made of each chosen example that has none."""
        hints = (s.hint or ("" if pool[s.index].hint else made(pool[s.index])) for s in self.chosen)
        return replace(self, chosen=tuple(replace(s, hint=h) for s, h in zip(self.chosen, hints, strict=True)))

    def without_farthest(self) -> ExampleSelection:
        """The same with the chosen example of the lowest similarity, or else of the last rank, dropped."""
        farthest = max(self.chosen, key=lambda s: (-2.0 if s.similarity is None else -s.similarity, s.rank))
        chosen = tuple(s for s in self.chosen if s is not farthest)
        return ExampleSelection(chosen, self.left_out, (*self.dropped, farthest))


def select(
    query: str, examples: Examples, index: NeighbourIndex | None = None, near: NDArray[np.float32] | None = None
) -> ExampleSelection:
    """Select examples for a query.

    Raises InputError where the pool is gone, or has too few examples left.

    Args:
        index: over the prompts or the responses of the pool, for the nearest ones
        near: the unit vector of the query, or of the teacher's response to it
    """
    if examples.why_none:
        raise InputError(examples.why_none)
    candidates: list[Selected] = []
    left_out: list[Selected] = []
    wanted = len(examples.pool.items) if examples.k is None else examples.k
    looked_at = wanted if examples.mmr is None else wanted * _MMR_CANDIDATES
    for selected in _ranked(query, examples, index, near):
        if len(candidates) == looked_at:
            break
        meaning = selected.similarity if examples.embedded else None  # one form is not one answer
        if is_near_duplicate(query, examples.pool.items[selected.index], examples.near_duplicate, meaning):
            left_out.append(selected)
        else:
            candidates.append(Selected(selected.index, len(candidates) + 1, selected.similarity))
    if examples.k is not None and len(candidates) < examples.k:
        name = examples.pool.name or "The pool"
        without = f", {len(left_out)} of them near duplicates of the query" if left_out else ""
        raise InputError(f"{name} has {len(examples.pool.items)} examples{without}; expected {examples.k} or more.")
    if examples.mmr is not None and index is not None:
        candidates = _diversified(candidates, index, wanted, examples.mmr)
    return ExampleSelection(tuple(_ordered(query, examples, candidates)), tuple(left_out))


def own_examples(query: str, examples: Examples) -> tuple[Example, ...]:
    """Fixed and random examples, which need no vectors. Raises InputError for nearest ones."""
    return select(query, examples).examples(examples.pool.items)


def is_near_duplicate(query: str, example: Example, threshold: float, similarity: float | None = None) -> bool:
    """Whether an example is the query again, or so close to it that it would give the answer away.

    Texts are compared without case and white space, by the share of characters that need no edit (rapidfuzz `ratio`, 0
    to 1); similarity, a cosine, counts too where it is known.
    """
    if similarity is not None and similarity >= threshold:
        return True
    a, b = (" ".join(text.casefold().split()) for text in (query, example.prompt))
    return a == b or fuzz.ratio(a, b, score_cutoff=100 * threshold) >= 100 * threshold > 0


def _ranked(
    query: str, examples: Examples, index: NeighbourIndex | None, near: NDArray[np.float32] | None
) -> Iterator[Selected]:
    """The whole pool in the order of preference."""
    n = len(examples.pool.items)
    match examples.select:
        case "fixed":
            yield from (Selected(i, i + 1) for i in range(n))
        case "random":
            order = _random_order(n, examples.seed, query if examples.draw == "prompt" else "")
            yield from (Selected(int(i), rank) for rank, i in enumerate(order, start=1))
        case _:
            if index is None or near is None:
                needed = "embeddings" if examples.embedded else "the teacher's answers"
                raise InputError(f"select {examples.select!r} needs {needed}, which are made before sampling.")
            for rank, (i, similarity) in zip(count(1), index.nearest(near), strict=False):
                yield Selected(i, rank, similarity)


def _diversified(candidates: Sequence[Selected], index: NeighbourIndex, k: int, weight: float) -> list[Selected]:
    """k of them by maximal marginal relevance, ranked anew."""
    similarity = {s.index: s.similarity for s in candidates}
    order = diversified(index.vectors, [(s.index, s.similarity or 0.0) for s in candidates], k, weight)
    return [Selected(i, rank, similarity[i]) for rank, i in enumerate(order, start=1)]


def _ordered(query: str, examples: Examples, chosen: list[Selected]) -> list[Selected]:
    if examples.order in ("similar-first", "similar-last"):
        by_similarity = sorted(chosen, key=lambda s: (-(s.similarity or 0.0), s.rank))
        return by_similarity if examples.order == "similar-first" else by_similarity[::-1]
    if examples.order == "shuffled":
        shared = examples.shared
        return [chosen[i] for i in _random_order(len(chosen), examples.seed, "" if shared else query)]
    return chosen


def _random_order(n: int, seed: int, key: str) -> NDArray[np.int64]:
    """A permutation that depends on seed and key alone: counter-based, the same on every machine."""
    word = int(content_hash(key)[:16], 16)
    raw = np.random.Philox(key=np.array([seed % 2**64, word], np.uint64)).random_raw(n)
    order: NDArray[np.int64] = np.argsort(raw, kind="stable")
    return order
