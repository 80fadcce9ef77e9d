"""From the Bench to its survey question: who is asked, and what is read or counted of their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from alignbench.answer_options import LETTERS
from alignbench.contexts.rendering import Content
from alignbench.errors import InputError
from alignbench.experiments.context_preparer import Preparer
from alignbench.judging.chosen_options import ChosenOptions, read_chosen_options
from alignbench.progress import Progress
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from alignbench.surveys.asking import Orders, asked_in_orders, options_of, question_of, samples_of_orders
from alignbench.surveys.distribution import AnswerDistribution, Reply, of_replies
from alignbench.surveys.kept_readings import kept_readings
from alignbench.surveys.scored import score_condition
from alignbench.surveys.survey import as_persona
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.controller import Workbench
from alignbench.tui.workbench.state import Bench

NO_SURVEY = "This prompt has no options. F2 on the Bench has the set survey, and takes files of questions with options."


@dataclass(frozen=True, slots=True)
class Persona:
    """Who answers: a name, and the text that says so."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Respondent:
    """A column as it is asked. at: its place on the Bench; persona: None where it answers as itself."""

    at: int
    condition: Condition
    n: int
    persona: str | None = None


def survey_question(bench: Bench) -> Prompt:
    """The question on the Bench, its options in the given order. InputError where the prompt is none."""
    if bench.prompt.answers is None:
        raise InputError(NO_SURVEY)
    return question_of(bench.prompt)


def other_wordings(bench: Bench, question: Prompt) -> list[Prompt]:
    """The paraphrases of a question that are in its set, their options in the given order."""
    questions = dict.fromkeys(question_of(prompt) for prompt in bench.prompts if prompt.answers is not None)
    return [each for each in questions if options_of(each).paraphrase_of == question.id]


def step_question(bench: Bench, by: int) -> None:
    """To the next or an earlier question of the set, in the first of its orders, round the ends."""
    first: dict[Prompt, Prompt] = {}
    for prompt in bench.prompts:
        first.setdefault(_question(prompt), prompt)
    questions = [*first]
    here = _question(bench.prompt)
    if here in first:
        bench.ask(first[questions[(questions.index(here) + by) % len(questions)]])
    else:
        bench.step_prompt(by)


def _question(prompt: Prompt) -> Prompt:
    return prompt if prompt.answers is None else question_of(prompt)


def respondents(bench: Bench, persona: Persona | None) -> Iterator[Respondent]:
    """Every column, each followed by itself as the persona where there is one."""
    for at, column in enumerate(bench.columns):
        yield Respondent(at, column.condition, column.n)
        if persona is not None and not column.condition.model.is_imported:
            yield Respondent(at, as_persona(column.condition, persona.name, persona.text), column.n, persona.name)


def read_options(
    workbench: Workbench, who: Respondent, question: Prompt, orders: Orders
) -> BackgroundJob[AnswerDistribution]:
    """The distribution by log-probs of the options, read on a thread and kept while the app runs."""
    session = workbench.bench.session
    key = ("survey", question, who.condition.model, who.condition.context.hash, orders)
    return workbench.model_jobs.ask(key, partial(_read, workbench.backends, session, who.condition, question, orders))


def _read(
    backends: Backends, session: int | None, condition: Condition, question: Prompt, orders: Orders, progress: Progress
) -> AnswerDistribution:
    with Store.open(backends.db) as store:
        cache = LikelihoodCache(store, backends.pool)
        if session is not None:
            identity = cache.identity(condition.model)
            kept = kept_readings(store, session, condition, identity, [question], orders)
            if question.id in kept:
                return kept[question.id].answers(condition.name)
        preparer = Preparer(store, backends.pool, session or 0, backends.embed)

        def content_of(condition: Condition, prompt: Prompt) -> Content:
            return preparer.compose(prompt, condition).content

        try:
            read = next(score_condition(cache, content_of, condition, [question], orders, progress))
            return read.answers(condition.name)
        finally:
            preparer.close()


def judged_replies(workbench: Workbench) -> ChosenOptions:
    """What a judge of the session finds replies to choose whose words do not tell."""
    if (session := workbench.bench.session) is None:
        return ChosenOptions()
    with Store.read(workbench.backends.db) as store:
        return read_chosen_options(store, session)


def counted_replies(
    bench: Bench, who: Respondent, question: Prompt, prompts: Sequence[Prompt], judged: ChosenOptions
) -> AnswerDistribution | None:
    """The distribution of the replies that are there; None without one. prompts: see `prompts_in_orders`."""
    answers = options_of(question)
    replies: dict[tuple[int, ...], list[Reply]] = {}
    for prompt in prompts:
        cell = bench.cells.get((prompt.key, who.condition.hash))
        done = [sample for sample in (cell.samples if cell is not None else {}).values() if sample.status == "done"]
        if done:
            replies[options_of(prompt).shown] = [
                Reply(
                    s.text,
                    s.row is not None and s.row.refused,
                    None if s.row is None else judged.place((s.row.condition, prompt.id, s.row.sample), answers),
                )
                for s in done
            ]
    return of_replies(question, who.condition.name, replies) if replies else None


def prompts_in_orders(bench: Bench, question: Prompt, orders: Orders) -> list[Prompt]:
    """What asks the question in each order; the given one has another id where its own stands for the bare question."""
    prompts = asked_in_orders(question, orders)
    if any(known.id == question.id and known.hash != prompts[0].hash for known in bench.asked):
        letters = LETTERS[: len(options_of(question).options)]
        prompts[0] = replace(prompts[0], id=f"{question.id}#{letters}")
    return prompts


async def draw_replies(workbench: Workbench, persona: Persona | None, question: Prompt, orders: Orders) -> str:
    """Draw n replies of every column, spread over the orders; what there is to say of it."""
    bench = workbench.bench
    prompts = prompts_in_orders(bench, question, orders)
    columns = []
    for who in respondents(bench, persona):
        if who.condition.model.is_imported:
            continue
        condition = bench.settle(who.condition)
        bench.used[condition.name] = condition
        columns.append(Column(condition, max(samples_of_orders(who.n, len(prompts)))))
    if not columns:
        raise InputError("No column here can be asked: all responses were imported.")
    if any(bench.cell(column, prompt).busy for column in columns for prompt in prompts):
        return "Columns are being asked already; Esc on the Bench stops them."
    terms = await workbench.draw(columns, prompts)
    return terms if terms is not None else "Every column has its replies."
