"""The distribution of a condition's answers to one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from alignbench.answer_options import AnswerOptions
from alignbench.metrics.answer_distributions import (
    AnswerDistance,
    answer_distance,
    entropy,
    expected_consistency,
    order_consistency,
    sampling_floor,
    split_floor,
)
from alignbench.metrics.option_replies import REFUSAL, parse_reply
from alignbench.spec import Prompt
from alignbench.surveys.asking import options_of

Way = Literal["first_token", "logprob", "sample"]
"""From log-probs of the options' letters and texts, of their letters as the first token alone, or from replies that
were drawn."""


@dataclass(frozen=True)
class AnswerDistribution:
    """How a condition answers a question. Shares are over the options that are no refusals, K of them.

    Attributes:
        question: with its options in the given order
        condition: its name
        by: the way
        p: (K,) shares with a sum of 1; None where there is no answer
        by_order: the same in each order of the options that has any
        refusal_share: of all options' probability, or of all replies, what refuses to answer; None where there is none
        outside: probability that is on no option; None where replies were drawn
        n: replies that were drawn; this and the next three are None where log-probs were read
        refusals: replies that decline, or choose an option of refusal
        unparsed: replies that choose nothing that can be told
        judged: replies that a judge tells, and their letters and words do not; all others of n by letter, text or words
        answers_by_order: replies that answer, in each order of by_order
        paraphrases: the same condition's answers, by the same way, to the question in other words
    """

    question: Prompt
    condition: str
    by: Way
    p: tuple[float, ...] | None
    by_order: tuple[tuple[float, ...], ...]
    refusal_share: float | None
    outside: float | None = None
    n: int | None = None
    refusals: int | None = None
    unparsed: int | None = None
    judged: int | None = None
    answers_by_order: tuple[int, ...] = ()
    paraphrases: tuple[AnswerDistribution, ...] = ()

    @cached_property
    def options(self) -> AnswerOptions:
        return options_of(self.question)

    @property
    def n_answers(self) -> int | None:
        """Replies that answer; None where log-probs were read, which chance plays no part in."""
        return sum(self.answers_by_order) if self.by == "sample" else None

    @cached_property
    def entropy(self) -> float | None:
        """Bits, 0 to log2 K."""
        return None if self.p is None else entropy(self.p)

    @cached_property
    def order_consistency(self) -> float | None:
        """See `answer_distributions.order_consistency`; None where fewer than two orders have an answer."""
        return order_consistency(self.by_order)

    @cached_property
    def expected_consistency(self) -> float | None:
        """What it would be on average if the order changed nothing; 1 where log-probs were read."""
        if self.p is None or len(self.by_order) < 2:
            return None
        return expected_consistency(self.counts, self.answers_by_order) if self.by == "sample" else 1.0

    @cached_property
    def paraphrase_consistency(self) -> float | None:
        """`answer_distributions.order_consistency` of the distributions that the wordings of the question have, with
        options taken by their places in the given order; None where fewer than two have an answer."""
        return order_consistency([each.p for each in self._wordings if each.p is not None])

    @cached_property
    def expected_paraphrase_consistency(self) -> float | None:
        """What it would be on average if the wording changed nothing; 1 where log-probs were read."""
        answered = [each for each in self._wordings if each.p is not None]
        if len(answered) < 2:
            return None
        if self.by != "sample":
            return 1.0
        together = np.sum([each.counts for each in answered], axis=0).tolist()
        return expected_consistency(together, [each.n_answers or 0 for each in answered])

    @property
    def _wordings(self) -> tuple[AnswerDistribution, ...]:
        return (self, *self.paraphrases)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Replies that choose each answer; none where log-probs were read."""
        return tuple(round(share * (self.n_answers or 0)) for share in self.p or ())

    @cached_property
    def floor(self) -> float | None:
        """Expected total variation of so many answers from the distribution that they are drawn from, if that is p;
        None where there is no answer."""
        return None if self.p is None else _chance(self.p, self.n_answers, None)

    def distance_to(self, q: Sequence[float]) -> AnswerDistance | None:
        """To another distribution (K,); None where there is no answer."""
        return None if self.p is None else answer_distance(self.p, q, self.options.values)

    @cached_property
    def to_uniform(self) -> AnswerDistance | None:
        """To equal shares of all answers."""
        return self.distance_to(self.uniform)

    @property
    def uniform(self) -> list[float]:
        """Equal shares of all answers."""
        k = len(self.options.answers)
        return [1.0 / k] * k

    @property
    def floor_to_uniform(self) -> float | None:
        """Expected total variation to equal shares if the condition had them, by chance alone."""
        return None if self.p is None else _chance(self.uniform, self.n_answers, None)

    @cached_property
    def to_groups(self) -> Mapping[str, AnswerDistance | None]:
        """To each group of people."""
        return {name: self.distance_to(q) for name, q in self.groups.items()}

    @cached_property
    def groups(self) -> Mapping[str, tuple[float, ...]]:
        """Shares of each group among the answers."""
        return {group.name: self.options.among_answers(group.shares) for group in self.options.groups}

    def floor_to(self, group: str) -> float | None:
        """Expected total variation to a group if the condition answered as the group does, by chance alone: that of
        the replies, and of the people where it is known how many they are. None where there is no answer."""
        if self.p is None:
            return None
        people = {each.name: each.n for each in self.options.groups}[group]
        return _chance(self.groups[group], self.n_answers, people)

    def floor_to_other(self, other: AnswerDistribution) -> float | None:
        """The same to other answers to the question, if both sides answered alike; None where one has no answer."""
        if self.p is None or other.p is None:
            return None
        if self.n_answers is not None and other.n_answers is not None:
            both = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
            return split_floor(both, self.n_answers, other.n_answers)
        return _chance(other.p if self.n_answers is not None else self.p, self.n_answers, other.n_answers)


def with_paraphrases(answers: Sequence[AnswerDistribution]) -> list[AnswerDistribution]:
    """The same in their order, each question with the answers to its paraphrases, of its own condition and way."""
    wordings: dict[tuple[str, str, Way], list[AnswerDistribution]] = {}
    for each in answers:
        if of := each.options.paraphrase_of:
            wordings.setdefault((of, each.condition, each.by), []).append(each)
    return [
        replace(each, paraphrases=tuple(wordings.get((each.question.id, each.condition, each.by), ())))
        for each in answers
    ]


def _chance(p: Sequence[float], n: int | None, other: int | None) -> float:
    """Expected total variation of samples of these sizes from p; None is a side without chance."""
    sizes = [size for size in (n, other) if size is not None]
    return sampling_floor(p, *sizes) if sizes else 0.0


def of_masses(
    question: Prompt,
    condition: str,
    masses: Sequence[Sequence[float]],
    outside: Sequence[float],
    by: Way = "logprob",
) -> AnswerDistribution:
    """From the probability of each option, in each order of them.

    masses: (orders, options), columns in the given order of options. outside: (orders,), what is on none. by: the way
    in which they were read.
    """
    options = options_of(question)
    by_order = tuple(options.among_answers(row) for row in masses if any(row[i] > 0.0 for i in options.answers))
    refusing = [i for i, option in enumerate(options.options) if option.refusal]
    return AnswerDistribution(
        question,
        condition,
        by,
        tuple(np.mean(by_order, axis=0).tolist()) if by_order else None,
        by_order,
        float(np.mean([sum(row[i] for i in refusing) / sum(row) for row in masses if sum(row)])) if refusing else None,
        outside=float(np.clip(np.mean(outside), 0.0, 1.0)),
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said to a prompt.

    Attributes:
        text: the reply
        refused: whether the server says that it is a refusal
        judged: the place of the option that a judge finds it to choose, or REFUSAL; None where none tells
    """

    text: str
    refused: bool = False
    judged: int | None = None


def of_replies(
    question: Prompt, condition: str, replies: Mapping[tuple[int, ...], Sequence[Reply]]
) -> AnswerDistribution:
    """From the replies to a question, by the order of options that its prompt shows; see `AnswerOptions.shown`. A judge
    counts where letter, text and words tell nothing."""
    options = options_of(question)
    counts: list[list[int]] = []
    n = declined = unparsed = judged = 0
    for order, said in replies.items():
        shown = options.in_order(order, question.id)
        told = [parse_reply(reply.text, shown, refused=reply.refused) for reply in said]
        chosen = [reply.judged if place is None else place for place, reply in zip(told, said, strict=True)]
        judged += told.count(None) - chosen.count(None)
        n += len(chosen)
        unparsed += chosen.count(None)
        declined += chosen.count(REFUSAL)
        counts.append([chosen.count(place) for place in range(len(options.options))])
    of_orders = np.array(counts, np.float64).reshape(len(counts), len(options.options))
    answers = of_orders[:, list(options.answers)]
    refusals = declined + int(of_orders.sum() - answers.sum())
    answered = answers[answers.sum(axis=1) > 0]
    return AnswerDistribution(
        question,
        condition,
        "sample",
        tuple((answers.sum(axis=0) / answers.sum()).tolist()) if answers.sum() else None,
        tuple(tuple((row / row.sum()).tolist()) for row in answered),
        refusals / n if n else None,
        n=n,
        refusals=refusals,
        unparsed=unparsed,
        judged=judged,
        answers_by_order=tuple(int(row.sum()) for row in answered),
    )
