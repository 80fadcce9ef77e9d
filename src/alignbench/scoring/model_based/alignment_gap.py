"""The alignment gap of a session's conditions: what a base model in context still lacks of the reference, in bits."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alignbench.contexts.rendering import closings, stops
from alignbench.contexts.source_samples import Sources
from alignbench.errors import AlignbenchError, EngineError
from alignbench.experiments.plan import PlannedCell
from alignbench.experiments.served_chats import is_rendered_by_server, text_of_server
from alignbench.metrics.likelihood import alignment_gap, token_shifts
from alignbench.metrics.values import Cross
from alignbench.models.stored_models import as_known
from alignbench.progress import Progress, tracked
from alignbench.scoring.endings import EndCounts, Ending, ending
from alignbench.scoring.held_out import ANOTHER_PROMPT, WHOLE, HeldOut, ReferencePart
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.responses import Responses
from alignbench.spec import Condition, Sampling
from alignbench.store import Store

GAP = "alignment_gap"


@dataclass(slots=True)
class Gaps:
    """compared: by prompt. cross_entropies: by condition, why its gap estimates no KL divergence.

    ends: by condition, of how many responses the end is counted.
    """

    compared: dict[str, PromptScores] = field(default_factory=dict)
    cross_entropies: dict[str, str] = field(default_factory=dict)
    ends: dict[str, EndCounts] = field(default_factory=dict)


_NOT_AFTER_ITS_PROMPT = "{} writes something before its answers, so they do not follow its prompt"


@dataclass(frozen=True, slots=True)
class _Said:
    """A response of the reference, how it ended, and whether it follows thoughts in place of its prompt."""

    text: str
    ending: Ending
    thought: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """What two models make of the reference's responses to a prompt.

    Attributes:
        cross: the gap
        one_tokenizer: whether both cut them into the same tokens
        ends: of each response, how it ended, and whether its end is counted
    """

    cross: Cross
    one_tokenizer: bool = True
    ends: tuple[tuple[Ending, bool], ...] = ()


class _Seen:
    """What the models saw of a session's prompts, byte for byte.

    Attributes:
        unknown: by condition, why that is not known
    """

    def __init__(
        self, store: Store, session: int, conditions: Collection[Condition], likelihoods: LikelihoodCache
    ) -> None:
        by_name = {condition.name: condition for condition in conditions}
        self._closings = {name: closings(stops(condition.context)) for name, condition in by_name.items()}
        self._texts: dict[str, dict[str, str]] = {}
        self.unknown: dict[str, str] = {}
        prompts = {prompt.id: prompt for prompt in store.prompts(session)}
        for cell in store.cells(session):
            condition = by_name.get(cell.condition)
            if condition is None or cell.condition in self.unknown or (text := store.rendered(cell.id)) is None:
                continue
            if is_rendered_by_server(condition) and cell.prompt_id in prompts:
                model = condition.model
                try:
                    if (capabilities := likelihoods.capabilities(model)) is None:
                        raise EngineError(likelihoods.why_not(model, Passage("", "", "")))
                    planned = PlannedCell(cell.id, prompts[cell.prompt_id], condition, cell.n, ())
                    text = text_of_server(store, planned, capabilities)
                except AlignbenchError as error:
                    self.unknown[cell.condition] = str(error)
                    continue
            self._texts.setdefault(cell.condition, {})[cell.prompt_id] = text
        self._shared = {name: _shared(list(texts.values())) for name, texts in self._texts.items()}

    def passages(self, condition: str, prompt: str, responses: Sequence[_Said]) -> list[Passage]:
        """The responses after what was seen of a prompt under a condition, with the ends of those that have one; none
        where it was not sampled."""
        text = self._texts.get(condition, {}).get(prompt)
        if text is None:
            return []
        shared, closings = self._shared[condition], self._closings[condition]
        return [
            Passage(text[:shared], text[shared:], said.text, closings if said.ending == "end" else None)
            for said in responses
        ]


def session_gaps(
    store: Store,
    session: int,
    responses: Responses,
    reference: str,
    floor: str | None,
    sources: Sources,
    likelihoods: LikelihoodCache,
    progress: Progress,
    among: Collection[str] | None = None,
) -> Gaps:
    """Bits per byte of the reference's responses under each condition's model and context, minus under its own.

    All bits over all bytes of the reference's responses to a prompt, their ends among the bits; 0 for the reference
    itself. Where a condition's context is made from some of them, it is over the others: what is saved on its source
    alone is leakage. It estimates the KL divergence of the condition from the reference where both have one tokenizer
    and the reference was drawn at temperature 1 from the whole distribution.

    among: names of the conditions that are read, the reference among them; None for all of the session.
    """
    conditions = {
        condition.name: replace(condition, model=as_known(condition.model))
        for condition in store.conditions(session)
        if among is None or condition.name in among
    }
    seen = _Seen(store, session, conditions.values(), likelihoods)
    teacher = conditions[reference]
    said = _said(store, session, teacher, responses)

    def passages(name: str) -> Iterator[Passage]:
        for prompt in tracked(responses.prompts, progress, f"reading under {name}"):
            yield from seen.passages(name, prompt, [*said[prompt].values()])

    for name, condition in conditions.items():  # one after the other, so that models need not change places
        likelihoods.make(condition.model, passages(name), with_token_ends=name == reference)
    gaps, one_tokenizer = Gaps(), dict.fromkeys(conditions, True)
    ends: dict[str, list[tuple[Ending, bool]]] = {name: [] for name in conditions}

    def similarities(prompt: str, name: str, part: ReferencePart) -> dict[str, Cross]:
        if name == ANOTHER_PROMPT:
            return {}
        chosen = [one for sample, one in said[prompt].items() if sample in part]
        if unknown := next((side for side in (reference, name) if side in seen.unknown), None):
            why = seen.unknown[unknown].rstrip(".")
            return {GAP: _nothing(f"what stood before the responses of {unknown} is not known: {why}").cross}
        own, other = (seen.passages(side, prompt, chosen) for side in (reference, name))
        if any(one.thought for one in chosen):
            return {GAP: _nothing(_NOT_AFTER_ITS_PROMPT.format(reference)).cross}
        read = _gap(likelihoods, (teacher, own), (conditions[name], other), [one.ending for one in chosen])
        if part == WHOLE:
            one_tokenizer[name] &= read.one_tokenizer
            ends[name] += read.ends
        return {GAP: read.cross}

    for prompt in responses.prompts:
        rule = HeldOut(reference, floor, sources(prompt))
        gaps.compared[prompt] = rule.compared(conditions, said[prompt], partial(similarities, prompt))
    for name in conditions:
        gaps.ends[name] = EndCounts.of(ends[name])
        if name != reference and (why := no_kl(teacher, one_tokenizer[name])):
            gaps.cross_entropies[name] = why
    return gaps


def _said(store: Store, session: int, reference: Condition, responses: Responses) -> dict[str, dict[int, _Said]]:
    """By prompt and sample, the reference's responses that say something. Where only a part is scored it was cut."""
    rows = {
        (cell.prompt_id, row.sample): row
        for cell in store.cells(session)
        if cell.condition == reference.name
        for row in store.samples(session, cell_id=cell.id)
    }
    said: dict[str, dict[int, _Said]] = {}
    for prompt in responses.prompts:
        texts = responses.cells(prompt).get(reference.name, {})
        said[prompt] = {
            i: _Said(
                text,
                ending(rows[prompt, i], reference) if rows[prompt, i].text == text else "cut",
                rows[prompt, i].thinking is not None,
            )
            for i, text in texts.items()
            if text.strip()
        }
    return said


def _gap(
    likelihoods: LikelihoodCache,
    teacher: tuple[Condition, list[Passage]],
    base: tuple[Condition, list[Passage]],
    endings: Sequence[Ending],
) -> _Read:
    """The gap of the teacher's responses to a prompt, which ended in these ways."""
    (own_condition, own), (condition, other) = teacher, base
    for each in (own_condition, condition):
        if each.context.verbalized:
            return _nothing(f"the responses of {each.name} are parts of a reply, which do not follow its prompt")
        if each.context.writes_first:
            return _nothing(_NOT_AFTER_ITS_PROMPT.format(each.name))
        if each.context.prefill is not None:
            return _nothing(f"{each.name} begins the response itself, so whole responses do not follow its prompt")
    if not own or not other:
        missing = own_condition if not own else condition
        return _nothing(f"{missing.name} has no sampled response to it")
    gaps, ranks, ends = [], [], []
    same_tokens, n_bytes = True, 0
    for own_passage, passage, how in zip(own, other, endings, strict=True):
        under_teacher = likelihoods.tokens(own_condition.model, own_passage)
        under_base = likelihoods.tokens(condition.model, passage)
        if under_teacher is None:
            return _nothing(likelihoods.why_not(own_condition.model, own_passage))
        if under_base is None:
            return _nothing(likelihoods.why_not(condition.model, passage))
        gap = alignment_gap(under_base, under_teacher, passage.response)
        if gap is not None:
            gaps.append(gap)
            n_bytes += len(passage.response.encode("utf-8", "surrogatepass"))
            ends.append((how, gap.end is not None))
            ranks.extend(under_base.rank.tolist())
            same_tokens &= gap.per_token is not None
    shifts = token_shifts(ranks)
    if not gaps or shifts is None:
        return _nothing("the responses have no tokens")
    extra = {
        "bits": statistics.fmean(gap.bits for gap in gaps),
        "unshifted": shifts.unshifted,
        "marginal": shifts.marginal,
        "shifted": shifts.shifted,
    }
    if of_ends := [gap.end for gap in gaps if gap.end is not None]:
        extra |= {"ended": len(of_ends) / len(gaps), "end_bits": statistics.fmean(of_ends)}
    parts = [gap.parts for gap in gaps if gap.parts is not None]
    extra["in_parts"] = float(len(parts) == len(gaps))
    if len(parts) == len(gaps):
        extra |= {
            "opening_bits": statistics.fmean(each.opening for each in parts),
            "format_bits": statistics.fmean(each.format for each in parts),
            "rest_bits": statistics.fmean(each.rest for each in parts),
        }
    bits = math.fsum(gap.bits for gap in gaps)
    return _Read(Cross(bits / n_bytes, len(gaps), 0.0, extra=extra, weight=n_bytes), same_tokens, tuple(ends))


def _shared(texts: Sequence[str]) -> int:
    """How many characters all these texts begin with."""
    first, last = min(texts), max(texts)
    return next((i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))


def _nothing(reason: str) -> _Read:
    return _Read(Cross(None, 0, None, reason, reason))


_NO_PART = {"max_tokens", "stop", "seed", "mode"}  # settings that leave the distribution whole


def no_kl(reference: Condition, one_tokenizer: bool) -> str:
    """Why a gap is a difference of cross-entropies and no estimate of a KL divergence; empty where it is one."""
    drawn = replace(reference.sampling, max_tokens=Sampling().max_tokens, stop=())
    whole = not reference.unrecorded - _NO_PART and drawn == Sampling(temperature=1.0)
    reasons = [
        *(() if one_tokenizer else ("the tokenizers differ",)),
        *(() if whole else ("the reference was not drawn at temperature 1 from the whole distribution",)),
    ]
    return " and ".join(reasons)
