"""What log-probs say of options, kept in the session of its survey: read once, and there without the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from alignbench.progress import Progress
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.spec import Condition, Prompt
from alignbench.store import OptionMasses, Store
from alignbench.surveys.asking import Orders, asked_in_orders, options_of
from alignbench.surveys.distribution import AnswerDistribution, Way, of_masses
from alignbench.surveys.scored import ContentOf, NoLogprobs, QuestionReading, score_condition

READ: tuple[Way, ...] = ("first_token", "logprob")


def read_condition(
    store: Store,
    session: int,
    cache: LikelihoodCache,
    content_of: ContentOf,
    condition: Condition,
    questions: Sequence[Prompt],
    orders: Orders,
    progress: Progress,
) -> list[AnswerDistribution]:
    """How a condition of a session answers each question: what the session does not have is read, and kept question by
    question. The model is loaded only for that. Raises NoLogprobs; then nothing of the condition stays in the session.
    """
    model = cache.identity(condition.model)
    kept = kept_readings(store, session, condition, model, questions, orders)
    missing = [question for question in questions if question.id not in kept]
    read = dict(kept)
    if missing:
        prompts = {question.id: asked_in_orders(question, orders) for question in missing}
        ids = store.add_cells(session, [each for of in prompts.values() for each in of], condition, 0)
        cells = dict(zip((each.id for of in prompts.values() for each in of), ids, strict=True))
        try:
            for one in score_condition(cache, content_of, condition, missing, orders, progress):
                store.add_option_masses(session, _rows(one, condition.name, model, cells))
                read[one.question.id] = one
        except NoLogprobs:
            for way in READ:
                store.drop_option_masses(session, condition.name, way)
            raise
    return [read[question.id].answers(condition.name) for question in questions]


def kept_readings(
    store: Store, session: int, condition: Condition, model: str, questions: Sequence[Prompt], orders: Orders
) -> dict[str, QuestionReading]:
    """By id, of the questions that a session has a reading of in each of these orders.

    model: what decides its numbers now, see `LikelihoodCache.identity`: what another one said is not of this condition.
    """
    name = next((each.name for each in store.conditions(session) if each.hash == condition.hash), None)
    if name is None:
        return {}
    keys = {prompt.id: prompt.key for prompt in store.prompts(session)}
    masses: dict[Way, dict[str, OptionMasses]] = {way: {} for way in READ}
    for one in store.option_masses(session, name):
        for way in READ:
            if one.way == way and one.model == model:
                masses[way][keys[one.prompt_id]] = one
    found: dict[str, QuestionReading] = {}
    for question in questions:
        prompts = asked_in_orders(question, orders)
        for way in READ:
            there = [masses[way].get(prompt.key) for prompt in prompts]
            if all(there) and question.id not in found:
                rows = [one for one in there if one is not None]
                found[question.id] = QuestionReading(
                    question,
                    tuple(prompts),
                    tuple(one.masses for one in rows),
                    tuple(one.outside for one in rows),
                    way,
                )
    return found


def answers_read(question: Prompt, condition: str, read: Iterable[OptionMasses]) -> Iterator[AnswerDistribution]:
    """What the session has of a question under a condition, as a distribution a way. read: an order each."""
    rows = [one for one in read if len(one.masses) == len(options_of(question).options)]
    for way in READ:
        of_way = [one for one in rows if one.way == way]
        if of_way:
            yield of_masses(question, condition, [one.masses for one in of_way], [one.outside for one in of_way], way)


def _rows(
    read: QuestionReading, condition: str, model: str, cells: Mapping[str, int]
) -> Iterator[tuple[int, OptionMasses]]:
    for prompt, masses, outside in zip(read.prompts, read.masses, read.outside, strict=True):
        yield cells[prompt.id], OptionMasses(prompt.id, condition, read.way, model, masses, outside)
