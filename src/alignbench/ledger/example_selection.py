"""Contexts with fewer examples: which of a set, and how many, for a search to choose among."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from alignbench.contexts.selection import own_examples
from alignbench.ledger.ablation import PreparedContext
from alignbench.ledger.accounts import Account
from alignbench.spec import Examples, ExampleSet, Prompt

Read = Callable[
    [Sequence[PreparedContext]], list[Account]
]  # the accounts of contexts, on the prompts that are chosen on
_Places = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _SearchStep:
    """places: of the examples in their set. bits, tokens: that the context costs, a mean over prompts. saved: bits of a
    held-out response, a mean."""

    shown: PreparedContext
    places: _Places
    bits: float
    tokens: float
    saved: float

    def worth_of(self, wider: _SearchStep) -> float:
        """Bits that a wider one saves more, for each bit that it costs more."""
        return (wider.saved - self.saved) / (wider.bits - self.bits)


def smaller(shown: PreparedContext, prompts: Sequence[Prompt], tokens: int, read: Read) -> Iterator[PreparedContext]:
    """The same context with fewer examples, or with others of its set.

    Of a fixed list, subsets of the set by greedy forward selection: to what is chosen comes, each time, the example
    that saves the most bits of held-out responses for every bit that it costs, until none saves any or the context
    would be over `tokens` tokens long, a mean over prompts. Of examples that are selected for each prompt, the first k
    of them, from one on; in a shuffled order there are no first ones, and it stays as it is.
    """
    examples = shown.context.examples
    if examples is None:
        return
    if examples.select == "fixed" and not examples.condition:
        yield from _forward(shown, examples, prompts, tokens, read)
    elif examples.order != "shuffled":
        most = max((len(content.examples) for content in shown.contents.values()), default=0)
        yield from (_first(shown, k, last=examples.order == "similar-last") for k in range(1, most))


def _forward(
    shown: PreparedContext, examples: Examples, prompts: Sequence[Prompt], tokens: int, read: Read
) -> Iterator[PreparedContext]:
    chosen = next(iter(_steps({(): shown.without("examples")}, read)), None)
    while chosen is not None:
        before, left = chosen, set(range(len(examples.pool.items))).difference(chosen.places)
        wider = [tuple(sorted((*before.places, place))) for place in sorted(left)]
        steps = _steps({places: _only(shown, examples, places, prompts) for places in wider}, read)
        better = [s for s in steps if s.tokens <= tokens and s.saved > before.saved and s.bits > before.bits]
        chosen = max(better, key=before.worth_of, default=None)
        if chosen is not None:
            yield chosen.shown


def _steps(tried: dict[_Places, PreparedContext], read: Read) -> list[_SearchStep]:
    """Those whose cost and savings are known."""
    found = []
    for (places, shown), account in zip(tried.items(), read([*tried.values()]), strict=True):
        costs = [piece.cost for piece in account.pieces.values()]
        known = [cost for cost in costs if cost is not None]
        saved = account.saved.held_out
        if saved is not None and len(known) == len(costs):
            bits, tokens = sum(cost.bits for cost in known), sum(cost.tokens for cost in known)
            found.append(_SearchStep(shown, places, bits, tokens, saved.per_response))
    return found


def _only(shown: PreparedContext, examples: Examples, places: _Places, prompts: Sequence[Prompt]) -> PreparedContext:
    """The context with these examples of its set, in the order of the set; near duplicates of a prompt are left out."""
    taken = replace(examples, pool=ExampleSet(tuple(examples.pool.items[place] for place in places)), k=None)
    there = [prompt for prompt in prompts if prompt.id in shown.contents]
    return replace(
        shown,
        name=f"{shown.name}, examples {'+'.join(str(place + 1) for place in places)}",
        context=replace(shown.context, examples=taken),
        contents={
            prompt.id: replace(shown.contents[prompt.id], examples=own_examples(prompt.text, taken)) for prompt in there
        },
    )


def _first(shown: PreparedContext, k: int, *, last: bool) -> PreparedContext:
    """The context with the k best of its examples. last: they stand at the end."""
    contents = {
        prompt: replace(content, examples=content.examples[-k:] if last else content.examples[:k])
        for prompt, content in shown.contents.items()
    }
    return replace(shown, name=f"{shown.name}, k {k}", contents=contents)
