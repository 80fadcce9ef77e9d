"""The accounts of a ledger: the gap of each context, what each of its pieces saves, and what that piece costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alignbench.engines.protocol import Capabilities
from alignbench.ledger.ablation import ContextPart, PreparedContext, piece_passage
from alignbench.ledger.prepare import Failures, TeacherResponses
from alignbench.metrics.bits import BitRate, Bits, Cost, bits_saved, cost, rate
from alignbench.metrics.likelihood import alignment_gap, likelihood
from alignbench.metrics.statistics import Bootstrap
from alignbench.progress import Progress, tracked
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.spec import Model, Prompt

_Key = tuple[str, int]  # prompt id and sample of a response
_Column = Mapping[_Key, Bits]


@dataclass(frozen=True, slots=True)
class Split:
    """Over held-out responses, and over those that the context may tell of; None where there is none."""

    held_out: BitRate | None
    source: BitRate | None


@dataclass(frozen=True, slots=True)
class PieceAccount:
    """saved: the gap without the piece minus the gap with it. cost: of the piece's own text under the base model; None
    where the layout does not show it as it is."""

    saved: Split
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Account:
    """Of one context. saved: against the base model's own layout with nothing in it. gaps: of each response, by prompt
    id and sample. source: the samples, by index, that the context may tell of."""

    name: str
    gap: Split
    saved: Split
    pieces: Mapping[ContextPart, PieceAccount]
    gaps: Mapping[_Key, Bits]
    source: frozenset[int]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model and what it is."""

    model: Model
    capabilities: Capabilities


class Accounts:
    """Reads the teacher's responses under a base model in contexts, and adds up.

    Every figure of a context is over the same responses: those that could be read under it, without each of its pieces,
    and under the floor.
    """

    def __init__(
        self,
        likelihoods: LikelihoodCache,
        teacher: LoadedModel,
        base: LoadedModel,
        prompts: Sequence[Prompt],
        taught: TeacherResponses,
        held_out: frozenset[int],
        floor: PreparedContext,
    ) -> None:
        self._likelihoods, self._teacher, self._base = likelihoods, teacher, base
        self._prompts = [prompt for prompt in prompts if prompt.id in taught.responses]
        self._taught, self._held_out, self._floor = taught, held_out, floor
        self._own = {prompt.id: self._after_own_prompt(prompt) for prompt in self._prompts}
        self._bootstrap = Bootstrap()
        self.one_tokenizer = True  # as far as responses were compared

    def read(self, shown: Sequence[PreparedContext], failures: Failures, progress: Progress) -> None:
        """Ask the models for what is not known yet. What they refuse is among the failures."""
        own = [(prompt, each) for prompt in self._prompts for each in self._own[prompt.id].values()]
        self._ask(self._teacher, self._taught.teacher.name, own, failures, progress)
        wanted = [pair for each in shown for pair in self._wanted(each)]
        self._ask(self._base, self._base.model.name, wanted, failures, progress)

    def account(self, shown: PreparedContext) -> Account:
        """What was read of a context, added up."""
        columns = [self._gaps(each) for each in self._compared(shown)]
        gaps, floor, *others = [
            {key: column[key] for key in columns[0] if all(key in c for c in columns)} for column in columns
        ]
        return Account(
            name=shown.name,
            gap=self._split(shown, gaps),
            saved=self._saved(shown, floor, gaps),
            pieces={
                piece: PieceAccount(self._saved(shown, other, gaps), self._cost(shown, piece))
                for piece, other in zip(shown.pieces, others, strict=True)
            },
            gaps=gaps,
            source=shown.source,
        )

    def change(self, before: PreparedContext, now: PreparedContext) -> Split:
        """Bits that a context saves against an earlier one, on the responses that were read under both."""
        old, new = self._gaps(replace(before, source=now.source)), self._gaps(now)
        return self._split(now, {key: bits_saved(old[key], new[key]) for key in new if key in old})

    def _saved(self, shown: PreparedContext, without: _Column, given: _Column) -> Split:
        return self._split(shown, {key: bits_saved(without[key], given[key]) for key in given})

    def _split(self, shown: PreparedContext, column: _Column) -> Split:
        rates = []
        for samples in (self._held_out, shown.source):
            prompts: dict[str, list[Bits]] = {}
            for (prompt, sample), bits in column.items():
                if sample in samples:
                    prompts.setdefault(prompt, []).append(bits)
            rates.append(rate(list(prompts.values()), self._bootstrap))
        return Split(*rates)

    def _gaps(self, shown: PreparedContext) -> _Column:
        """Of the responses that count for a context, where both models have read them."""
        found: dict[_Key, Bits] = {}
        for prompt, sample, passage in self._responses(shown):
            own = self._own[prompt.id][sample]
            under_teacher = self._likelihoods.tokens(self._teacher.model, own)
            under_base = self._likelihoods.tokens(self._base.model, passage)
            if under_teacher is None or under_base is None:
                continue
            gap = alignment_gap(under_base, under_teacher, passage.response)
            if gap is not None:
                self.one_tokenizer &= gap.per_token is not None
                n_bytes = len(passage.response.encode("utf-8", "surrogatepass"))
                found[prompt.id, sample] = Bits(gap.bits, n_bytes, len(under_teacher.ids))
        return found

    def _cost(self, shown: PreparedContext, piece: ContextPart) -> Cost | None:
        found = []
        for _, passage in self._costs(shown, piece):
            tokens = self._likelihoods.tokens(self._base.model, passage)
            read = likelihood(tokens.logprob, passage.response) if tokens is not None else None
            if read is not None:
                found.append((read.bits, read.n_tokens))
        return cost(found, self._bootstrap)

    # What is asked for

    def _after_own_prompt(self, prompt: Prompt) -> dict[int, Passage]:
        """The teacher's responses after what it saw itself, by sample."""
        rendered = self._taught.teacher.rendered(prompt, self._teacher.capabilities)
        responses = self._taught.responses[prompt.id]
        return {i: Passage(rendered.context, rendered.query, text) for i, text in responses.items()}

    def _responses(self, shown: PreparedContext) -> Iterator[tuple[Prompt, int, Passage]]:
        for prompt in self._prompts:
            if prompt.id not in shown.contents:
                continue
            rendered = shown.rendered(prompt, self._base.capabilities)
            for sample, text in self._taught.responses[prompt.id].items():
                if sample in self._held_out or sample in shown.source:
                    yield prompt, sample, Passage(rendered.context, rendered.query, text)

    def _costs(self, shown: PreparedContext, piece: ContextPart) -> Iterator[tuple[Prompt, Passage]]:
        for prompt in self._prompts:
            if prompt.id in shown.contents:
                passage = piece_passage(shown.rendered(prompt, self._base.capabilities), piece)
                if passage is not None:
                    yield prompt, passage

    def _compared(self, shown: PreparedContext) -> tuple[PreparedContext, ...]:
        """A context, the floor for the same responses, and the context without each of its pieces."""
        return shown, replace(self._floor, source=shown.source), *map(shown.without, shown.pieces)

    def _wanted(self, shown: PreparedContext) -> Iterator[tuple[Prompt, Passage]]:
        for each in self._compared(shown):
            yield from ((prompt, passage) for prompt, _, passage in self._responses(each))
        for piece in shown.pieces:
            yield from self._costs(shown, piece)

    def _ask(
        self,
        reading: LoadedModel,
        name: str,
        wanted: Sequence[tuple[Prompt, Passage]],
        failures: Failures,
        progress: Progress,
    ) -> None:
        passages = in_order(passage for _, passage in wanted)
        what = f"reading under {name}"
        self._likelihoods.make(reading.model, tracked(passages, progress, what))
        for prompt, passage in wanted:
            if self._likelihoods.tokens(reading.model, passage) is None:
                failures.add(what, prompt.id, self._likelihoods.why_not(reading.model, passage))


def in_order(passages: Iterable[Passage]) -> list[Passage]:
    """Each passage once, those under one context together, and among them those under one prompt.

    An engine then computes each context once, and each prompt once.
    """
    contexts: dict[str, dict[str, dict[Passage, None]]] = {}
    for passage in passages:
        contexts.setdefault(passage.context, {}).setdefault(passage.query, {})[passage] = None
    return [passage for queries in contexts.values() for each in queries.values() for passage in each]
