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
    """A context with some of the examples of a set. Means are over prompts."""

    prepared: PreparedContext
    places: _Places  # of the examples in their set
    bits: float  # mean cost of the context
    tokens: float  # mean length of the context
    saved: float  # mean bits of a held-out response

    def worth_of(self, wider: _SearchStep) -> float:
        """Bits that a wider one saves more, for each bit that it costs more."""
        return (wider.saved - self.saved) / (wider.bits - self.bits)


def smaller(prepared: PreparedContext, prompts: Sequence[Prompt], tokens: int, read: Read) -> Iterator[PreparedContext]:
    """The same context with fewer examples, or with others of its set.

    A fixed list gives subsets of the set by greedy forward selection: each step adds the example that saves the most
    bits of held-out responses for every bit that it costs, until none saves any or the context would be too long.
    Examples that are selected for each prompt give the first k of them, from one on; in a shuffled order there are no
    first ones, and the context stays as it is.

    Args:
        prepared: the context
        prompts: that contexts are chosen on
        tokens: the most that a context may have, a mean over prompts
        read: gives the accounts of contexts on these prompts
    """
    examples = prepared.context.examples
    if examples is None:
        return
    if examples.select == "fixed" and not examples.condition:
        yield from _forward(prepared, examples, prompts, tokens, read)
    elif examples.order != "shuffled":
        most = max((len(content.examples) for content in prepared.contents.values()), default=0)
        yield from (_first(prepared, k, last=examples.order == "similar-last") for k in range(1, most))


def _forward(
    prepared: PreparedContext, examples: Examples, prompts: Sequence[Prompt], tokens: int, read: Read
) -> Iterator[PreparedContext]:
    chosen = next(iter(_steps({(): prepared.without("examples")}, read)), None)
    while chosen is not None:
        before, left = chosen, set(range(len(examples.pool.items))).difference(chosen.places)
        wider = [tuple(sorted((*before.places, place))) for place in sorted(left)]
        steps = _steps({places: _only(prepared, examples, places, prompts) for places in wider}, read)
        better = [s for s in steps if s.tokens <= tokens and s.saved > before.saved and s.bits > before.bits]
        chosen = max(better, key=before.worth_of, default=None)
        if chosen is not None:
            yield chosen.prepared


def _steps(tried: dict[_Places, PreparedContext], read: Read) -> list[_SearchStep]:
    """Those whose cost and savings are known."""
    steps = []
    for (places, prepared), account in zip(tried.items(), read([*tried.values()]), strict=True):
        costs = [piece.cost for piece in account.pieces.values()]
        known = [cost for cost in costs if cost is not None]
        saved = account.saved.held_out
        if saved is not None and len(known) == len(costs):
            bits, tokens = sum(cost.bits for cost in known), sum(cost.tokens for cost in known)
            steps.append(_SearchStep(prepared, places, bits, tokens, saved.per_response))
    return steps


def _only(prepared: PreparedContext, examples: Examples, places: _Places, prompts: Sequence[Prompt]) -> PreparedContext:
    """The context with these examples of its set, in the order of the set; near duplicates of a prompt are left out."""
    taken = replace(examples, pool=ExampleSet(tuple(examples.pool.items[place] for place in places)), k=None)
    there = [prompt for prompt in prompts if prompt.id in prepared.contents]
    return replace(
        prepared,
        name=f"{prepared.name}, examples {'+'.join(str(place + 1) for place in places)}",
        context=replace(prepared.context, examples=taken),
        contents={
            prompt.id: replace(prepared.contents[prompt.id], examples=own_examples(prompt.text, taken))
            for prompt in there
        },
    )


def _first(prepared: PreparedContext, k: int, *, last: bool) -> PreparedContext:
    """The context with the k best of its examples. last: they are at the end."""
    contents = {
        prompt: replace(content, examples=content.examples[-k:] if last else content.examples[:k])
        for prompt, content in prepared.contents.items()
    }
    return replace(prepared, name=f"{prepared.name}, k {k}", contents=contents)
