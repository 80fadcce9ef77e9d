"""Scores of responses under a base model: how likely they are, and how much is new in one that follows the others."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alignbench.contexts.rendering import render
from alignbench.engines.protocol import Capabilities
from alignbench.metrics.likelihood import ORDERS, likelihood, orders, progressive_surprise, total
from alignbench.metrics.values import Value, too_few
from alignbench.metrics.words import is_empty
from alignbench.progress import Progress, tracked
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.scoring.responses import Responses
from alignbench.spec import Model, Prompt, content_hash, default_context

LOGPROB = "response_logprob"
SURPRISE = "progressive_surprise"

_NO_PROMPT = 'the prompt\'s text is not known; a file gives it in a field "prompt"'
# The plain layout asks nothing of a model, so nothing has to be loaded to render it.
_ANY_BASE = Capabilities(
    "base", None, bos="", eos="", adds_bos=True, n_ctx_train=0, n_vocab=0, device="", description=""
)


@dataclass(frozen=True, slots=True)
class BaseScores:
    """Scores under a model of kind base, without a context. orders: of the responses, for progressive surprise."""

    likelihoods: LikelihoodCache
    base: Model
    prompt_text: Callable[[str], str | None]  # of a prompt's id
    orders: int = ORDERS
    seed: int = 0

    def within(
        self, responses: Responses, metrics: Collection[str], progress: Progress
    ) -> dict[tuple[str, str], dict[str, Value]]:
        """By prompt and condition, those of `LOGPROB` and `SURPRISE` that are asked for."""
        chosen = [metric for metric in (LOGPROB, SURPRISE) if metric in metrics]

        def passages() -> Iterator[Passage]:
            for prompt in tracked(responses.prompts, progress, f"reading under {self.base.name}"):
                for cell in responses.cells(prompt).values():
                    for metric in chosen:
                        yield from self._passages(metric, prompt, cell)

        self.likelihoods.make(self.base, passages())
        scores: dict[tuple[str, str], dict[str, Value]] = {}
        for prompt in responses.prompts:
            there = responses.cells(prompt)
            for condition in responses.conditions:
                cell = there.get(condition, {})
                scores[prompt, condition] = {metric: self._value(metric, prompt, cell) for metric in chosen}
        return scores

    def _passages(self, metric: str, prompt: str, cell: Mapping[int, str]) -> Iterator[Passage]:
        texts = _said(cell)
        if (text := self.prompt_text(prompt)) is None:
            return
        if metric == LOGPROB:
            yield from self._zero_shot(text, texts)
        elif len(texts) > 1:
            alone, last = self._in_orders(text, texts)
            yield from alone
            yield from last

    def _value(self, metric: str, prompt: str, cell: Mapping[int, str]) -> Value:
        texts = _said(cell)
        needed = 1 if metric == LOGPROB else 2
        if len(texts) < needed:
            return Value(None, len(texts), too_few(needed, len(texts)))
        if (text := self.prompt_text(prompt)) is None:
            return Value(None, 0, _NO_PROMPT)
        return self._logprob(text, texts) if metric == LOGPROB else self._surprise(text, texts)

    def _logprob(self, prompt: str, texts: Sequence[str]) -> Value:
        """All log-probs over all tokens, or bytes, of the responses; the standard deviation is over responses."""
        passages = self._zero_shot(prompt, texts)
        likelihoods = [
            one
            for passage in passages
            if (tokens := self.likelihoods.tokens(self.base, passage))
            and (one := likelihood(tokens.logprob, passage.response))
        ]
        if not likelihoods:
            return Value(None, 0, self.likelihoods.why_not(self.base, passages[0]))
        whole = total(likelihoods)
        return Value(
            whole.per_token,
            len(likelihoods),
            sd=statistics.stdev(one.per_token for one in likelihoods) if len(likelihoods) > 1 else None,
            extra={"per_byte": whole.per_byte, "bits_per_byte": whole.bits_per_byte},
        )

    def _surprise(self, prompt: str, texts: Sequence[str]) -> Value:
        alone, last = self._in_orders(prompt, texts)
        bits = []
        for passage in (*alone, *last):
            tokens = self.likelihoods.tokens(self.base, passage)
            one = likelihood(tokens.logprob, passage.response) if tokens else None
            if one is None:
                return Value(None, 0, self.likelihoods.why_not(self.base, passage))
            bits.append(one.bits_per_byte)
        by_itself, given_others = bits[: len(alone)], bits[len(alone) :]
        extra = {
            "conditional": statistics.fmean(given_others),
            "alone": statistics.fmean(by_itself),
            "orders": float(len(last)),
        }
        return Value(progressive_surprise(given_others, by_itself), len(texts), extra=extra)

    def _zero_shot(self, prompt: str, texts: Sequence[str]) -> list[Passage]:
        rendered = render(Prompt("", prompt), default_context(self.base), _ANY_BASE)
        return [Passage(rendered.context, rendered.query, text) for text in texts]

    def _in_orders(self, prompt: str, texts: Sequence[str]) -> tuple[list[Passage], list[Passage]]:
        """Each response by itself, and the last one of each order after all the others."""
        seed = int(content_hash(prompt)[:8], 16) ^ self.seed
        in_orders = [[texts[i] for i in order] for order in orders(len(texts), self.orders, seed)]
        alone = [progressive_passage(prompt, [text]) for text in texts]
        return alone, [progressive_passage(prompt, in_order) for in_order in in_orders]


def progressive_passage(prompt: str, responses: Sequence[str]) -> Passage:
    """The last of some responses to a prompt after the others, in the layout of arXiv 2606.01811: each has a letter."""
    *before, last = (f"\n\nResponse {_letters(i)}: {text}" for i, text in enumerate(responses))
    head = last[: len(last) - len(responses[-1])]
    return Passage(prompt + "".join(before) + head, "", responses[-1])


def _letters(i: int) -> str:
    """A to Z, then AA, AB and so on."""
    return (_letters(i // 26 - 1) if i >= 26 else "") + chr(ord("A") + i % 26)


def _said(cell: Mapping[int, str]) -> list[str]:
    """The responses that say something."""
    return [text for text in cell.values() if not is_empty(text)]
