"""Bits per byte of given texts under conditions: how well each predicts what somebody else wrote.

Li, Ren, Chen, Wang, Ng and Boyd-Graber 2024 ("Predicting vs. Acting", arXiv 2407.02446) call it the predicting half of
what alignment changes. All conditions read the same bytes: a text that is too long for the window of one of them is cut
for all.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from alignbench.contexts.rendering import Content, render, why_no_text
from alignbench.engines.blocking import tokenized
from alignbench.engines.protocol import Capabilities, EnginePool
from alignbench.errors import EngineError
from alignbench.importing.texts import GivenText
from alignbench.metrics.arrays import Floats
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.intervals import clipped
from alignbench.metrics.likelihood import likelihood
from alignbench.metrics.statistics import PairedDifference, Uncertainty, holm_corrected
from alignbench.progress import Progress, tracked
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.spec import Condition, Model, Prompt, default_context

ITS_PROMPT = "its prompt"
NO_PROMPT = "the context around no prompt"
NOTHING = "nothing"
LINE_END = "a line end"  # of a server, which tells of no token that a text begins with
FULL = "what stands before it fills the context window"

_SPARE = 16  # tokens that a tokenizer may add to those of the bytes
_BIT = math.log(2.0)  # in nats


@dataclass(frozen=True, slots=True)
class TextCost:
    """What a text costs under a condition. bits: None where the reason says why. end: bits of its end, where known."""

    bits: float | None = None
    n_tokens: int = 0
    end: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConditionBits:
    """All bits over all bytes of the texts under a condition.

    Attributes:
        estimate: bits per byte; its n counts what the interval is over, see `TextBits.units`
        before: what stands before a text, in words
        costs: of each text
        n_bytes, n_tokens, n_texts: of those that have a cost
        end: mean bits of the end of a text, which are no part of the estimate; of n_ends texts
    """

    estimate: Estimate
    before: str
    costs: tuple[TextCost, ...]
    n_bytes: int
    n_tokens: int
    n_texts: int
    end: float | None
    n_ends: int


@dataclass(frozen=True, slots=True)
class TextBits:
    """Of all conditions.

    Attributes:
        texts: as they were read
        n_bytes: of each text, as it was read
        whole_bytes: of each text, as it was given; more where it was cut
        conditions: by name
        differences: of each two, first minus second, bits per byte, corrected for all of them
        units: how many the intervals are over: texts that respond to one prompt count as one
    """

    texts: tuple[GivenText, ...]
    n_bytes: tuple[int, ...]
    whole_bytes: tuple[int, ...]
    conditions: Mapping[str, ConditionBits]
    differences: Mapping[tuple[str, str], PairedDifference]
    units: int

    @property
    def cut(self) -> int:
        """How many texts are not read to their end."""
        return sum(read < whole for read, whole in zip(self.n_bytes, self.whole_bytes, strict=True))


def text_bits(
    texts: Sequence[GivenText],
    conditions: Sequence[Condition],
    contents: Mapping[str, Sequence[Content | None]],
    pool: EnginePool,
    likelihoods: LikelihoodCache,
    uncertainty: Uncertainty,
    progress: Progress,
) -> TextBits:
    """Read the texts under each condition; what the cache has is not asked for again.

    A text with a prompt is read as a response to it. One without is read after the context with the prompt left empty,
    or, under a condition without a context, after nothing but the token that a text begins with. InputError where a
    context cannot be written around a prompt.

    Args:
        texts: one or more.
        conditions: no two of one name.
        contents: by condition, of each text what its context holds; None, or no such condition: what it holds itself.
        pool: has the models.
        likelihoods: what they said.
        uncertainty: of means and differences.
        progress: told of texts.
    """
    readings = [_reading(each, texts, contents.get(each.name), likelihoods) for each in conditions]
    lengths = [len(text.text) for text in texts]
    for reading in readings:
        for place in tracked([*range(len(reading.before))], progress, f"measuring for {reading.condition.name}"):
            there = texts[place].text[: lengths[place]]
            fits = _fitting(
                likelihoods, pool, reading.condition.model, reading.window, reading.before[place].text, there
            )
            if fits:
                lengths[place] = min(lengths[place], fits)
            else:
                reading.full.add(place)
    read = tuple(replace(text, text=text.text[:n]) for text, n in zip(texts, lengths, strict=True))
    costs: dict[str, tuple[TextCost, ...]] = {}
    for reading in readings:  # one after the other, so that models need not change places
        name, model = reading.condition.name, reading.condition.model
        passages = {
            place: before.passage(text.text, whole=text == texts[place])
            for place, (before, text) in enumerate(zip(reading.before, read, strict=False))
            if place not in reading.full
        }
        likelihoods.make(model, tracked([*passages.values()], progress, f"reading under {name}"))
        costs[name] = tuple(
            _cost(likelihoods, model, passages[place])
            if place in passages
            else TextCost(reason=reading.why_not or FULL)
            for place in range(len(read))
        )
    n_bytes = tuple(_bytes(text.text) for text in read)
    units = _units(read)
    by_name = {
        reading.condition.name: _condition_bits(reading, costs[reading.condition.name], n_bytes, units, uncertainty)
        for reading in readings
    }
    pairs = itertools.combinations(by_name, 2)
    differences = {(a, b): _difference(costs[a], costs[b], n_bytes, units, uncertainty) for a, b in pairs}
    whole = tuple(_bytes(text.text) for text in texts)
    return TextBits(read, n_bytes, whole, by_name, holm_corrected(differences), len(set(units)))


def has_context(condition: Condition) -> bool:
    """Whether a context was given to a condition, be it one that only names the layout."""
    return bool(condition.context.name) or condition.context != default_context(condition.model)


def first_text(model: Capabilities) -> str:
    """What is written before a text that stands alone, so that its first token follows something: nothing where the
    tokenizer adds a BOS, else the BOS or the end token, as evaluation harnesses have it. A server tells of neither."""
    return "" if model.adds_bos else model.bos or model.eos or "\n"


@dataclass(frozen=True, slots=True)
class _Before:
    """What stands before a text, in words and in the two pieces of `rendering.Rendered`, and what closes one there."""

    what: str
    context: str
    query: str = ""
    closings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.context + self.query

    def passage(self, text: str, *, whole: bool) -> Passage:
        return Passage(self.context, self.query, text, self.closings if whole else None)


@dataclass(slots=True)
class _Reading:
    """How a condition reads the texts.

    Attributes:
        before: of each text; of none where `why_not` says why
        window: of its model in tokens, 0 where it is not known
        full: places of texts that no window is left for
    """

    condition: Condition
    before: list[_Before] = field(default_factory=list)
    window: int = 0
    why_not: str = ""
    full: set[int] = field(default_factory=set)


def _reading(
    condition: Condition,
    texts: Sequence[GivenText],
    contents: Sequence[Content | None] | None,
    likelihoods: LikelihoodCache,
) -> _Reading:
    if condition.context.writes_first or condition.context.verbalized:
        return _Reading(condition, why_not="its context has a model write something before its answer")
    capabilities = likelihoods.capabilities(condition.model)
    if capabilities is None:
        return _Reading(condition, why_not=likelihoods.why_not(condition.model, Passage("", "", "")))
    reading = _Reading(condition, window=capabilities.n_ctx_train)
    for place, text in enumerate(texts):
        if text.prompt is None and not has_context(condition):
            first = first_text(capabilities)
            reading.before.append(_Before(LINE_END if first == "\n" else NOTHING, first))
            continue
        content = None if contents is None else contents[place]
        prompt = text.prompt or Prompt("", "")
        rendered = render(prompt, condition.context, capabilities, content, may_be_empty=True, as_text=True)
        if why_not := why_no_text(rendered, capabilities):
            return _Reading(condition, why_not=why_not)
        what = NO_PROMPT if text.prompt is None else ITS_PROMPT
        reading.before.append(_Before(what, rendered.context, rendered.query, rendered.closings))
    return reading


def _fitting(likelihoods: LikelihoodCache, pool: EnginePool, model: Model, window: int, before: str, text: str) -> int:
    """How many characters of a text fit into the window behind what stands before it: a token has a byte or more."""
    while window and text and _bytes(before) + _bytes(text) + _SPARE > window:
        if likelihoods.capabilities(model) is None:  # it may have made room for another
            break
        try:
            pieces = tokenized(pool, model, [before + text]).pieces[0]
        except EngineError:  # a server, which cuts nothing and says itself what is too long
            break
        over = pieces[window:]
        if not over:
            break
        kept = max(0, _bytes(text) - max(1, sum(map(len, over))))
        text = text.encode("utf-8")[:kept].decode("utf-8", errors="ignore")
    return len(text)


def _cost(likelihoods: LikelihoodCache, model: Model, passage: Passage) -> TextCost:
    tokens = likelihoods.tokens(model, passage)
    if tokens is None:
        return TextCost(reason=likelihoods.why_not(model, passage))
    one = likelihood(tokens.logprob, passage.response)
    if one is None or not math.isfinite(one.logprob):
        return TextCost(reason="its tokens have no log-probs")
    return TextCost(one.bits, one.n_tokens, None if tokens.end is None else -tokens.end / _BIT)


def _units(texts: Sequence[GivenText]) -> list[str]:
    """What each text counts to: texts that respond to one prompt are not independent."""
    return [f"{i}" if text.prompt is None else text.prompt.hash for i, text in enumerate(texts)]


def _condition_bits(
    reading: _Reading,
    costs: tuple[TextCost, ...],
    n_bytes: Sequence[int],
    units: Sequence[str],
    uncertainty: Uncertainty,
) -> ConditionBits:
    there = {i: cost.bits for i, cost in enumerate(costs) if cost.bits is not None}
    sums = _sums({i: (bits, n_bytes[i]) for i, bits in there.items()}, units)
    reasons = [cost.reason for cost in costs if cost.reason]
    ends = [cost.end for cost in costs if cost.end is not None]
    if not there:
        estimate = Estimate(reason=statistics.mode(reasons))
    else:
        ci = uncertainty.ratio_interval(sums[:, 0], sums[:, 1])
        estimate = Estimate(
            math.fsum(sums[:, 0]) / math.fsum(sums[:, 1]),
            None if ci is None else clipped(ci, (0.0, math.inf)),
            len(sums),
        )
    return ConditionBits(
        estimate,
        " or ".join(dict.fromkeys(before.what for before in reading.before)),
        costs,
        sum(n_bytes[i] for i in there),
        sum(costs[i].n_tokens for i in there),
        len(there),
        statistics.fmean(ends) if ends else None,
        len(ends),
    )


def _difference(
    a: Sequence[TextCost], b: Sequence[TextCost], n_bytes: Sequence[int], units: Sequence[str], uncertainty: Uncertainty
) -> PairedDifference:
    """All bits more over all bytes, of the texts that both have."""
    both = {
        i: (first.bits - second.bits, n_bytes[i])
        for i, (first, second) in enumerate(zip(a, b, strict=True))
        if first.bits is not None and second.bits is not None
    }
    if not both:
        return PairedDifference(None, None, None, 0)
    more, in_all = _sums(both, units).T
    (tested,) = uncertainty.differences(more[:, None], np.zeros((len(more), 1)))
    return PairedDifference(
        math.fsum(more) / math.fsum(in_all), uncertainty.ratio_interval(more, in_all), tested.p, len(more)
    )


def _sums(values: Mapping[int, tuple[float, int]], units: Sequence[str]) -> Floats:
    """(U, 2) sums of bits and bytes of the texts, by what they count to."""
    sums: dict[str, list[float]] = {}
    for i, (bits, n) in values.items():
        of_unit = sums.setdefault(units[i], [0.0, 0.0])
        of_unit[0] += bits
        of_unit[1] += n
    return np.array([*sums.values()], np.float64).reshape(len(sums), 2)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))
