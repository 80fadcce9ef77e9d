"""Probabilities of options from log-probs: nothing is drawn, and what a model says is asked for once ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from alignbench.contexts.rendering import Content, Rendered, render
from alignbench.engines.blocking import ReadFirst
from alignbench.engines.protocol import Capabilities
from alignbench.errors import AlignbenchError, EngineError
from alignbench.progress import Progress
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.spec import Condition, Context, Model, Prompt
from alignbench.surveys.asking import Orders, asked_in_orders, options_of
from alignbench.surveys.distribution import AnswerDistribution, Way, of_masses
from alignbench.surveys.first_token import ALTERNATIVES, first_token_masses
from alignbench.surveys.option_logprobs import OptionForm, option_forms, option_masses

ContentOf = Callable[[Condition, Prompt], Content]


class NoLogprobs(AlignbenchError):
    """A condition whose options have no log-probs that say what it would answer, and why."""


@dataclass(frozen=True, slots=True)
class QuestionReading:
    """What log-probs say of the options of one question.

    Attributes:
        question: with its options in the given order
        prompts: that ask it, one in each order
        masses: (orders, options) probability of each option, columns in the given order
        outside: (orders,) probability that is on none
        way: which log-probs they are
    """

    question: Prompt
    prompts: tuple[Prompt, ...]
    masses: tuple[tuple[float, ...], ...]
    outside: tuple[float, ...]
    way: Way = "logprob"

    def answers(self, condition: str) -> AnswerDistribution:
        """As the answers of the condition of this name."""
        return of_masses(self.question, condition, self.masses, self.outside, self.way)


def score_condition(
    cache: LikelihoodCache,
    content_of: ContentOf,
    condition: Condition,
    questions: Sequence[Prompt],
    orders: Orders,
    progress: Progress,
) -> Iterator[QuestionReading]:
    """What log-probs say of each question. Raises NoLogprobs where they do not say what the condition would answer.

    content_of: examples and hint of the condition's context for a prompt, where it does not hold all of it itself.
    """
    context = condition.context
    if context.writes_first or context.verbalized:
        raise NoLogprobs("it writes something before its answer")
    if (capabilities := cache.capabilities(condition.model)) is None:
        raise NoLogprobs(cache.why_not(condition.model, Passage("", "", "")))
    way: Way | None = None
    for done, question in enumerate(questions):
        progress(f"reading {condition.name}", done, len(questions))
        prompts = asked_in_orders(question, orders)
        rendered = _rendered(content_of, condition, capabilities, prompts)
        if way is None:
            way = _way(cache, condition.model, prompts[0], rendered[0], server=capabilities.renders_chat)
        if way == "first_token":
            yield _by_first_token(cache, condition.model, question, prompts, rendered)
        else:
            yield _by_options(cache, condition.model, question, prompts, rendered)


def _rendered(
    content_of: ContentOf, condition: Condition, capabilities: Capabilities, prompts: Sequence[Prompt]
) -> list[Rendered]:
    """What the model reads before its answer to each prompt."""
    try:
        content = content_of(condition, prompts[0]) if _takes_content(condition.context) else None
        rendered = [render(prompt, condition.context, capabilities, content, as_text=True) for prompt in prompts]
    except AlignbenchError as error:  # such as a context that is made of a session's samples
        raise NoLogprobs(str(error).rstrip(".")) from None
    if any(each.thoughts is not None and each.thoughts.opened for each in rendered):
        raise NoLogprobs("it thinks before its answer")
    return rendered


def _way(cache: LikelihoodCache, model: Model, prompt: Prompt, rendered: Rendered, *, server: bool) -> Way:
    """Whether options can be scored as texts. Of servers, those that render chats themselves take no given text, and
    of others one option tells."""
    if rendered.messages:
        return "first_token"
    if server:
        passage = Passage(rendered.context, rendered.query, option_forms(options_of(prompt), rendered.text)[0].text)
        cache.make(model, [passage])
        if cache.tokens(model, passage) is None:
            return "first_token"
    return "logprob"


def _by_first_token(
    cache: LikelihoodCache, model: Model, question: Prompt, prompts: Sequence[Prompt], rendered: Sequence[Rendered]
) -> QuestionReading:
    masses, outside = [], []
    texts = [ReadFirst(text.context, text.query, text.messages) for text in rendered]
    try:
        with closing(cache.first_tokens(model, texts, ALTERNATIVES)) as of_orders:
            for prompt, listed in zip(prompts, of_orders, strict=True):
                of_order, left = first_token_masses(options_of(prompt), listed)
                masses.append(of_order)
                outside.append(left)
    except (EngineError, ValueError) as error:
        own = "renders chats itself" if texts[0].messages else "scores no given text"
        raise NoLogprobs(f"its server {own}, and of the first token: {str(error).rstrip('.')}") from None
    return QuestionReading(question, tuple(prompts), tuple(masses), tuple(outside), "first_token")


def _by_options(
    cache: LikelihoodCache, model: Model, question: Prompt, prompts: Sequence[Prompt], rendered: Sequence[Rendered]
) -> QuestionReading:
    asked: list[tuple[list[OptionForm], list[Passage]]] = []
    for prompt, text in zip(prompts, rendered, strict=True):
        forms = option_forms(options_of(prompt), text.text)
        asked.append((forms, [Passage(text.context, text.query, form.text) for form in forms]))
    cache.make(model, (passage for _, passages in asked for passage in passages))
    masses, outside = [], []
    for forms, passages in asked:
        tokens = []
        for passage in passages:
            if (said := cache.tokens(model, passage)) is None:
                raise NoLogprobs(cache.why_not(model, passage))
            tokens.append(said)
        of_order, left = option_masses(options_of(question), forms, tokens)
        masses.append(tuple(of_order))
        outside.append(left)
    return QuestionReading(question, tuple(prompts), tuple(masses), tuple(outside))


def _takes_content(context: Context) -> bool:
    """Whether it has examples or a hint, which are the same for every order of the options."""
    return not (context.examples is None and context.hint is None and context.prefill is None)
