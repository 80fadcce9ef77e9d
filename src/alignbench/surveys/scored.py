"""Distributions of answers from the log-probs of options: nothing is drawn, and each is asked for once ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alignbench.contexts.rendering import Content, Rendered, render, why_no_text
from alignbench.engines.protocol import Capabilities
from alignbench.errors import AlignbenchError
from alignbench.progress import Progress
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.spec import Condition, Context, Prompt
from alignbench.surveys.asking import Orders, asked_in_orders, options_of
from alignbench.surveys.distribution import AnswerDistribution, of_masses
from alignbench.surveys.option_logprobs import OptionForm, option_forms, option_masses

ContentOf = Callable[[Condition, Prompt], Content]


class NoLogprobs(AlignbenchError):
    """A condition whose options have no log-probs that say what it would answer, and why."""


def score_condition(
    cache: LikelihoodCache,
    content_of: ContentOf,
    condition: Condition,
    questions: Sequence[Prompt],
    orders: Orders,
    progress: Progress,
) -> Iterator[AnswerDistribution]:
    """How a condition answers each question. Raises NoLogprobs where that cannot be read off log-probs.

    content_of: examples and hint of the condition's context for a prompt, where it does not hold all of it itself.
    """
    context = condition.context
    if context.writes_first or context.verbalized:
        raise NoLogprobs("it writes something before its answer")
    if (capabilities := cache.capabilities(condition.model)) is None:
        raise NoLogprobs(cache.why_not(condition.model, Passage("", "", "")))
    for done, question in enumerate(questions):
        progress(f"reading {condition.name}", done, len(questions))
        yield _question(cache, content_of, condition, capabilities, question, orders)


def _question(
    cache: LikelihoodCache,
    content_of: ContentOf,
    condition: Condition,
    capabilities: Capabilities,
    question: Prompt,
    orders: Orders,
) -> AnswerDistribution:
    prompts = asked_in_orders(question, orders)
    try:
        content = content_of(condition, prompts[0]) if _takes_content(condition.context) else None
        rendered = [render(prompt, condition.context, capabilities, content, as_text=True) for prompt in prompts]
    except AlignbenchError as error:  # such as a context that is made of a session's samples
        raise NoLogprobs(str(error).rstrip(".")) from None
    asked: list[tuple[list[OptionForm], list[Passage]]] = []
    for prompt, text in zip(prompts, rendered, strict=True):
        if why := why_no_text(text, capabilities) or _why_not(text):
            raise NoLogprobs(why)
        forms = option_forms(options_of(prompt), text.text)
        asked.append((forms, [Passage(text.context, text.query, form.text) for form in forms]))
    cache.make(condition.model, (passage for _, passages in asked for passage in passages))
    masses, outside = [], []
    for forms, passages in asked:
        tokens = []
        for passage in passages:
            if (said := cache.tokens(condition.model, passage)) is None:
                raise NoLogprobs(cache.why_not(condition.model, passage))
            tokens.append(said)
        of_order, left = option_masses(options_of(question), forms, tokens)
        masses.append(of_order)
        outside.append(left)
    return of_masses(question, condition.name, masses, outside)


def _takes_content(context: Context) -> bool:
    """Whether it has examples or a hint, which are the same for every order of the options."""
    return not (context.examples is None and context.hint is None and context.prefill is None)


def _why_not(rendered: Rendered) -> str:
    if rendered.thoughts is not None and rendered.thoughts.opened:
        return "it thinks before its answer"
    return ""
