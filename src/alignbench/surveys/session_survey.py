"""What the log-probs of options and the responses of a session come to as answers; no model is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from alignbench.judging.chosen_options import read_chosen_options
from alignbench.metrics.statistics import Uncertainty
from alignbench.scoring.draws import is_draw
from alignbench.spec import Prompt
from alignbench.store import OptionMasses, Store
from alignbench.surveys.asking import listed_order, options_of, question_of
from alignbench.surveys.distribution import AnswerDistribution, Reply, of_replies, with_paraphrases
from alignbench.surveys.kept_readings import answers_read
from alignbench.surveys.summary import SurveySummary, summarize


@dataclass(frozen=True, slots=True)
class SurveyResults:
    """answers: by question, then condition, then way. summary: over questions."""

    answers: tuple[AnswerDistribution, ...]
    summary: SurveySummary


def session_survey(
    store: Store,
    session: int,
    uncertainty: Uncertainty,
    conditions: Collection[str] | None = None,
    judge: str | None = None,
) -> SurveyResults | None:
    """Of the conditions of these names, None for all of them; None where no prompt of the session has options. judge:
    of replies that letter and text do not tell; None for the one with the most judgments."""
    answers = session_answers(store, session, conditions, judge)
    if not answers:
        return None
    personas = store.manifest(session).get("survey", {}).get("personas", {})
    names = [condition.name for condition in store.conditions(session)]
    of_personas = {name: (plain, persona) for name, (plain, persona) in personas.items()}
    return SurveyResults(tuple(answers), summarize(answers, names, of_personas, uncertainty))


def session_answers(
    store: Store, session: int, conditions: Collection[str] | None = None, judge: str | None = None
) -> list[AnswerDistribution]:
    """From all log-probs of options and all replies that a session keeps, by question, then condition, then way.
    Errors and cancelled ones are none; of a reply with several answers the one that is drawn counts (see `draws`)."""
    prompts = {prompt.id: prompt for prompt in store.prompts(session) if prompt.answers is not None}
    if not prompts:
        return []
    asked = {(cell.condition, cell.prompt_id) for cell in store.cells(session) if cell.n and cell.prompt_id in prompts}
    said: dict[tuple[str, str], list[Reply]] = defaultdict(list)
    chosen = read_chosen_options(store, session, judge)
    for row in store.samples(session):
        if row.status == "done" and row.prompt_id in prompts and is_draw(row):
            place = chosen.place((row.condition, row.prompt_id, row.sample), options_of(prompts[row.prompt_id]))
            said[row.condition, row.prompt_id].append(Reply(row.text, row.refused, place))
    read: dict[tuple[str, str], list[OptionMasses]] = defaultdict(list)
    for one in store.option_masses(session):
        read[one.condition, one.prompt_id].append(one)
    in_orders: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in prompts.values():
        in_orders[options_of(prompt).question or prompt.id].append(prompt)
    names = [each.name for each in store.conditions(session) if conditions is None or each.name in conditions]
    answers: list[AnswerDistribution] = []
    for of in in_orders.values():
        question = question_of(of[0])
        for condition in names:
            masses = [one for prompt in of for one in read.get((condition, prompt.id), ())]
            answers += answers_read(question, condition, masses)
            if replied := [prompt for prompt in of if (condition, prompt.id) in asked]:
                answers.append(_answer(condition, replied, said))
    return with_paraphrases(answers)


def _answer(
    condition: str, prompts: Collection[Prompt], said: dict[tuple[str, str], list[Reply]]
) -> AnswerDistribution:
    """prompts: those that ask one question, each in an order of its own or as its author wrote it."""
    replies: dict[tuple[int, ...], list[Reply]] = defaultdict(list)
    for prompt in prompts:
        shown = options_of(prompt).shown or listed_order(prompt)
        replies[shown] += said.get((condition, prompt.id), ())
    return of_replies(question_of(next(iter(prompts))), condition, replies)
