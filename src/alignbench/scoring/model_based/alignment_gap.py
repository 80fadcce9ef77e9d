"""The alignment gap of a session's conditions: what a base model in context still lacks of the reference, in bits."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alignbench.metrics.likelihood import alignment_gap, token_shifts
from alignbench.metrics.values import Cross
from alignbench.progress import Progress, tracked
from alignbench.scoring.held_out import ANOTHER_PROMPT, HeldOut, Part, Sources
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.responses import Responses
from alignbench.spec import Condition, Sampling
from alignbench.store import Store

GAP = "alignment_gap"


@dataclass(slots=True)
class Gaps:
    """compared: by prompt. cross_entropies: by condition, why its gap estimates no KL divergence."""

    compared: dict[str, PromptScores] = field(default_factory=dict)
    cross_entropies: dict[str, str] = field(default_factory=dict)


class _Seen:
    """What the models saw of a session's prompts, byte for byte."""

    def __init__(self, store: Store, session: int) -> None:
        self._texts: dict[str, dict[str, str]] = {}
        for cell in store.cells(session):
            if (text := store.rendered(cell.id)) is not None:
                self._texts.setdefault(cell.condition, {})[cell.prompt_id] = text
        self._shared = {name: _shared(list(texts.values())) for name, texts in self._texts.items()}

    def passages(self, condition: str, prompt: str, responses: Sequence[str]) -> list[Passage]:
        """The responses after what was seen of a prompt under a condition; none where it was not sampled."""
        text = self._texts.get(condition, {}).get(prompt)
        if text is None:
            return []
        shared = self._shared[condition]
        return [Passage(text[:shared], text[shared:], response) for response in responses]


def session_gaps(
    store: Store,
    session: int,
    responses: Responses,
    reference: str,
    floor: str | None,
    sources: Sources,
    likelihoods: LikelihoodCache,
    progress: Progress,
) -> Gaps:
    """Bits per byte of the reference's responses under each condition's model and context, minus under its own.

    The mean over the reference's responses to a prompt, 0 for the reference itself. Where a condition's context is made
    from some of them, it is over the others: what is saved on its source alone is leakage. It estimates the KL
    divergence of the condition from the reference where both have one tokenizer and the reference was drawn at
    temperature 1 from the whole distribution.
    """
    conditions = {condition.name: condition for condition in store.conditions(session)}
    seen = _Seen(store, session)
    teacher = conditions[reference]

    def passages(name: str) -> Iterator[Passage]:
        for prompt in tracked(responses.prompts, progress, f"reading under {name}"):
            teacher_texts = responses.cells(prompt).get(reference, {})
            yield from seen.passages(name, prompt, _texts(teacher_texts, teacher_texts))

    gaps = Gaps()
    for name, condition in conditions.items():  # one after the other, so that models need not change places
        likelihoods.make(condition.model, passages(name))
    one_tokenizer = dict.fromkeys(conditions, True)

    def similarities(prompt: str, texts: Mapping[int, str], name: str, part: Part) -> dict[str, Cross]:
        if name == ANOTHER_PROMPT:
            return {}
        read = _texts(texts, [sample for sample in texts if sample in part])
        own, other = (seen.passages(side, prompt, read) for side in (reference, name))
        gap, same_tokens = _gap(likelihoods, (teacher, own), (conditions[name], other))
        one_tokenizer[name] &= same_tokens
        return {GAP: gap}

    for prompt in responses.prompts:
        texts = responses.cells(prompt).get(reference, {})
        rule = HeldOut(reference, floor, sources(prompt))
        gaps.compared[prompt] = rule.compared(conditions, texts, partial(similarities, prompt, texts))
    for name in conditions:
        if name != reference and (why := no_kl(teacher.sampling, one_tokenizer[name])):
            gaps.cross_entropies[name] = why
    return gaps


def _gap(
    likelihoods: LikelihoodCache, teacher: tuple[Condition, list[Passage]], base: tuple[Condition, list[Passage]]
) -> tuple[Cross, bool]:
    """The mean gap over the teacher's responses to a prompt, and whether both cut them into the same tokens."""
    (own_condition, own), (condition, other) = teacher, base
    for each in (own_condition, condition):
        if each.context.template == "chat" and each.model.reference.startswith("openai:"):
            return _nothing(f"the server of {each.name} renders its chats itself: what stood before is not known"), True
        if each.context.verbalized:
            return _nothing(f"the responses of {each.name} are parts of a reply, which do not follow its prompt"), True
    if not own or not other:
        missing = own_condition if not own else condition
        return _nothing(f"{missing.name} has no sampled response to it"), True
    gaps, ranks = [], []
    same_tokens = True
    for own_passage, passage in zip(own, other, strict=True):
        under_teacher = likelihoods.tokens(own_condition.model, own_passage)
        under_base = likelihoods.tokens(condition.model, passage)
        if under_teacher is None:
            return _nothing(likelihoods.why_not(own_condition.model, own_passage)), True
        if under_base is None:
            return _nothing(likelihoods.why_not(condition.model, passage)), True
        gap = alignment_gap(under_base, under_teacher, passage.response)
        if gap is not None:
            gaps.append(gap)
            ranks.extend(under_base.rank.tolist())
            same_tokens &= gap.per_token is not None
    shifts = token_shifts(ranks)
    if not gaps or shifts is None:
        return _nothing("the responses have no tokens"), True
    extra = {
        "bits": statistics.fmean(gap.bits for gap in gaps),
        "unshifted": shifts.unshifted,
        "marginal": shifts.marginal,
        "shifted": shifts.shifted,
    }
    return Cross(statistics.fmean(gap.per_byte for gap in gaps), len(gaps), 0.0, extra=extra), same_tokens


def _shared(texts: Sequence[str]) -> int:
    """How many characters all these texts begin with."""
    first, last = min(texts), max(texts)
    return next((i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))


def _nothing(reason: str) -> Cross:
    return Cross(None, 0, None, reason, reason)


def no_kl(sampling: Sampling, one_tokenizer: bool) -> str:
    """Why a gap is a difference of cross-entropies and no estimate of a KL divergence; empty where it is one."""
    whole = replace(sampling, max_tokens=Sampling().max_tokens, stop=()) == Sampling(temperature=1.0)
    reasons = [
        *(() if one_tokenizer else ("the tokenizers differ",)),
        *(() if whole else ("the reference was not drawn at temperature 1 from the whole distribution",)),
    ]
    return " and ".join(reasons)


def _texts(texts: Mapping[int, str], samples: Collection[int]) -> list[str]:
    """Of some samples, those that say something."""
    return [text for i, text in texts.items() if i in samples and text.strip()]
