"""The accounts of a ledger: the gap of each context, what each of its pieces saves, and what that piece costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alignbench.contexts.rendering import Rendered
from alignbench.engines.protocol import Capabilities
from alignbench.ledger.ablation import ContextPart, PreparedContext, piece_passage
from alignbench.ledger.prepare import Failures, TeacherResponses
from alignbench.metrics.bits import BitRate, Bits, Cost, Part, PartRate, bits_saved, cost, part_rates, rate
from alignbench.metrics.likelihood import alignment_gap, likelihood
from alignbench.metrics.statistics import Uncertainty
from alignbench.progress import Progress, tracked
from alignbench.scoring.endings import EndCounts
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.spec import Model, Prompt

_Key = tuple[str, int]  # prompt id and sample of a response
_Column = Mapping[_Key, Bits]

NO_PARTS = "the tokenizers differ or are not known, or it was not kept where tokens end"


@dataclass(frozen=True, slots=True)
class Split:
    """Rates over held-out responses, and over those that the context may be made from; None where there is none."""

    held_out: BitRate | None
    source: BitRate | None


@dataclass(frozen=True, slots=True)
class PieceAccount:
    """What one piece of a context saves and costs."""

    saved: Split  # the gap without the piece minus the gap with it
    cost: Cost | None  # of the piece's own text under the base model; None where the layout changes that text


@dataclass(frozen=True, slots=True)
class Account:
    """The account of one context."""

    name: str
    gap: Split
    saved: Split  # against the base model's own layout with nothing in it
    pieces: Mapping[ContextPart, PieceAccount]
    gaps: Mapping[_Key, Bits]  # of each response
    source: frozenset[int]  # the samples, by index, that the context may be made from
    parts: Mapping[Part, PartRate] = field(default_factory=dict)  # of the gap of held-out responses
    parts_reason: str = ""  # why there are none


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model and what it is."""

    model: Model
    capabilities: Capabilities


class Accounts:
    """Reads the teacher's responses under a base model in contexts, and adds up.

    Every figure of a context is over the same responses: those that could be read under it, without each of its pieces,
    and under the floor.

    Attributes:
        one_tokenizer: whether both models cut all responses that were compared so far into the same tokens.
    """

    def __init__(
        self,
        likelihoods: LikelihoodCache,
        teacher: LoadedModel,
        base: LoadedModel,
        prompts: Sequence[Prompt],
        responses: TeacherResponses,
        held_out: frozenset[int],
        floor: PreparedContext,
    ) -> None:
        """
        Args:
            likelihoods: asks the models, and keeps their answers.
            teacher: the model that gave the responses.
            base: the model that reads them in contexts.
            prompts: of the responses.
            responses: the teacher's.
            held_out: the samples, by index, that no context is made from.
            floor: the base model's own layout with nothing in it.
        """
        self._likelihoods, self._teacher, self._base = likelihoods, teacher, base
        self._prompts = [prompt for prompt in prompts if prompt.id in responses.by_prompt]
        self._responses, self._held_out, self._floor = responses, held_out, floor
        self._teacher_passages = {prompt.id: self._after_own_prompt(prompt) for prompt in self._prompts}
        self._uncertainty = Uncertainty()
        self.one_tokenizer = True

    def read(self, prepared: Sequence[PreparedContext], failures: Failures, progress: Progress) -> None:
        """Ask the models for what is not known yet. What they refuse is among the failures."""
        own = [(prompt, each) for prompt in self._prompts for each in self._teacher_passages[prompt.id].values()]
        name = self._responses.teacher.name
        self._compute(self._teacher, name, own, failures, progress, with_token_ends=True)
        under_base = [pair for each in prepared for pair in self._passages_of(each)]
        self._compute(self._base, self._base.model.name, under_base, failures, progress)

    def account(self, prepared: PreparedContext) -> Account:
        """What was read of a context, added up."""
        columns = [self._gaps(each) for each in self._compared(prepared)]
        there = [key for key in columns[0] if all(key in column for column in columns)]
        text_only = {key for key in there if any(column[key].end is None for column in columns)}
        gaps, floor, *others = [
            {key: column[key].of_text if key in text_only else column[key] for key in there} for column in columns
        ]
        split = self._split(prepared, gaps)
        parts = part_rates(_by_prompt(gaps, self._held_out), self._uncertainty)
        no_parts = NO_PARTS if split.held_out is not None else "no response was held out and read"
        return Account(
            name=prepared.name,
            gap=split,
            saved=self._saved(prepared, floor, gaps),
            pieces={
                piece: PieceAccount(self._saved(prepared, other, gaps), self._cost(prepared, piece))
                for piece, other in zip(prepared.pieces, others, strict=True)
            },
            gaps=gaps,
            source=prepared.source,
            parts=parts,
            parts_reason="" if parts else no_parts,
        )

    def ends(self, account: Account) -> EndCounts:
        """Of how many responses of an account the end is counted."""
        return EndCounts.of((self._responses.ending(*key), bits.end is not None) for key, bits in account.gaps.items())

    def change(self, before: PreparedContext, now: PreparedContext) -> Split:
        """Bits that a context saves against an earlier one, on the responses that were read under both."""
        old, new = self._gaps(replace(before, source=now.source)), self._gaps(now)
        return self._split(now, {key: bits_saved(old[key], new[key]) for key in new if key in old})

    def _saved(self, prepared: PreparedContext, without: _Column, given: _Column) -> Split:
        return self._split(prepared, {key: bits_saved(without[key], given[key]) for key in given})

    def _split(self, prepared: PreparedContext, column: _Column) -> Split:
        held_out, source = (_by_prompt(column, samples) for samples in (self._held_out, prepared.source))
        return Split(rate(held_out, self._uncertainty), rate(source, self._uncertainty))

    def _gaps(self, prepared: PreparedContext) -> _Column:
        """The gaps of the responses that count for a context, where both models have read them."""
        gaps: dict[_Key, Bits] = {}
        for prompt, sample, passage in self._response_passages(prepared):
            own = self._teacher_passages[prompt.id][sample]
            under_teacher = self._likelihoods.tokens(self._teacher.model, own)
            under_base = self._likelihoods.tokens(self._base.model, passage)
            if under_teacher is None or under_base is None:
                continue
            gap = alignment_gap(under_base, under_teacher, passage.response)
            if gap is not None:
                self.one_tokenizer &= gap.per_token is not None
                n_bytes = len(passage.response.encode("utf-8", "surrogatepass"))
                n_tokens = len(under_teacher.ids) + (gap.end is not None)
                gaps[prompt.id, sample] = Bits(gap.bits, n_bytes, n_tokens, gap.end, gap.parts)
        return gaps

    def _cost(self, prepared: PreparedContext, piece: ContextPart) -> Cost | None:
        costs = []
        for _, passage in self._part_passages(prepared, piece):
            tokens = self._likelihoods.tokens(self._base.model, passage)
            read = likelihood(tokens.logprob, passage.response) if tokens is not None else None
            if read is not None:
                costs.append((read.bits, read.n_tokens))
        return cost(costs, self._uncertainty)

    # The passages that models read

    def _after_own_prompt(self, prompt: Prompt) -> dict[int, Passage]:
        """The teacher's responses after what it saw itself, by sample."""
        rendered = self._responses.teacher.rendered(prompt, self._teacher.capabilities)
        return {i: self._passage(rendered, prompt, i) for i in self._responses.by_prompt[prompt.id]}

    def _response_passages(self, prepared: PreparedContext) -> Iterator[tuple[Prompt, int, Passage]]:
        for prompt in self._prompts:
            if prompt.id not in prepared.contents:
                continue
            rendered = prepared.rendered(prompt, self._base.capabilities)
            for sample in self._responses.by_prompt[prompt.id]:
                if sample in self._held_out or sample in prepared.source:
                    yield prompt, sample, self._passage(rendered, prompt, sample)

    def _passage(self, rendered: Rendered, prompt: Prompt, sample: int) -> Passage:
        """A response after what a model saw, with its end where it has one."""
        ended = self._responses.ending(prompt.id, sample) == "end"
        text = self._responses.by_prompt[prompt.id][sample]
        return Passage(rendered.context, rendered.query, text, rendered.closings if ended else None)

    def _part_passages(self, prepared: PreparedContext, piece: ContextPart) -> Iterator[tuple[Prompt, Passage]]:
        for prompt in self._prompts:
            if prompt.id in prepared.contents:
                passage = piece_passage(prepared.rendered(prompt, self._base.capabilities), piece)
                if passage is not None:
                    yield prompt, passage

    def _compared(self, prepared: PreparedContext) -> tuple[PreparedContext, ...]:
        """A context, the floor for the same responses, and the context without each of its pieces."""
        return prepared, replace(self._floor, source=prepared.source), *map(prepared.without, prepared.pieces)

    def _passages_of(self, prepared: PreparedContext) -> Iterator[tuple[Prompt, Passage]]:
        for each in self._compared(prepared):
            yield from ((prompt, passage) for prompt, _, passage in self._response_passages(each))
        for piece in prepared.pieces:
            yield from self._part_passages(prepared, piece)

    def _compute(
        self,
        reader: LoadedModel,
        name: str,
        passages: Sequence[tuple[Prompt, Passage]],
        failures: Failures,
        progress: Progress,
        *,
        with_token_ends: bool = False,
    ) -> None:
        ordered = in_order(passage for _, passage in passages)
        what = f"reading under {name}"
        self._likelihoods.make(reader.model, tracked(ordered, progress, what), with_token_ends=with_token_ends)
        for prompt, passage in passages:
            if self._likelihoods.tokens(reader.model, passage) is None:
                failures.add(what, prompt.id, self._likelihoods.why_not(reader.model, passage))


def _by_prompt(column: _Column, samples: frozenset[int]) -> list[list[Bits]]:
    """Those of a column that are of these samples, prompt by prompt."""
    prompts: dict[str, list[Bits]] = {}
    for (prompt, sample), bits in column.items():
        if sample in samples:
            prompts.setdefault(prompt, []).append(bits)
    return list(prompts.values())


def in_order(passages: Iterable[Passage]) -> list[Passage]:
    """Each passage once, those under one context together, and among them those under one prompt.

    An engine then computes each context once, and each prompt once.
    """
    contexts: dict[str, dict[str, dict[Passage, None]]] = {}
    for passage in passages:
        contexts.setdefault(passage.context, {}).setdefault(passage.query, {})[passage] = None
    return [passage for queries in contexts.values() for each in queries.values() for passage in each]
