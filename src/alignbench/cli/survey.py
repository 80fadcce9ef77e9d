"""`alignbench survey`: how conditions distribute their answers over the options of questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import bounds, paths
from alignbench.cli import completion, printing
from alignbench.cli.choices import AnswersFrom, OptionOrders
from alignbench.cli.options import (
    Conditions,
    Contexts,
    Db,
    Device,
    GpuLayers,
    Json,
    Models,
    Threads,
    Verbose,
    model_option,
    number,
)
from alignbench.spec import DEFAULT_SAMPLES, Sampling

if TYPE_CHECKING:
    from alignbench.cli.run_watcher import RunOutcome
    from alignbench.contexts.rendering import Content
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.spec import Condition, Model, Prompt
    from alignbench.store import Store
    from alignbench.surveys.distribution import AnswerDistribution
    from alignbench.surveys.survey import Survey

TEMPERATURE = 1.0  # that of the distribution that log-probs are of
MAX_TOKENS = 32


def survey(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            autocompletion=completion.prompt_sets,
            help="Questions with options: a set that ships (survey), a JSONL or CSV file, or a folder of OpinionQA or "
            "of the World Values Survey.",
        ),
    ],
    model: Models = None,
    condition: Conditions = None,
    context: Contexts = None,
    persona: Annotated[
        list[str] | None,
        typer.Option(
            help="Ask each condition as somebody too: a text file that comes before its instruction, or a context. "
            "Named as a group, it is steered to it. Repeat for more.",
            metavar="FILE",
        ),
    ] = None,
    by: Annotated[
        AnswersFrom, typer.Option(help="From log-probs of the options, from replies that are drawn, or from both.")
    ] = "logprob",
    orders: Annotated[
        OptionOrders, typer.Option(help="Orders of the options; all of them up to 4 options, else the cyclic ones.")
    ] = "all",
    limit: Annotated[int | None, number(bounds.LIMIT, "--limit", help="Only the first questions.")] = None,
    n: Annotated[
        int, number(bounds.SAMPLES, "-n", "--n", help="Replies to a question, spread over its orders.")
    ] = DEFAULT_SAMPLES,
    temperature: Annotated[
        float, number(bounds.TEMPERATURE, "--temperature", help="Of replies; log-probs are those of 1.")
    ] = TEMPERATURE,
    max_tokens: Annotated[int, number(bounds.MAX_TOKENS, "--max-tokens", help="Most tokens of a reply.")] = MAX_TOKENS,
    seed: Annotated[int, number(bounds.SEED, "--seed", help="Reply i is drawn with seed + i.")] = 0,
    judge: Annotated[
        str | None,
        model_option(
            "--judge", help="A model that tells which option a reply chooses, where letters and texts do not."
        ),
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(help="Write what the answers come to over questions as JSON.", metavar="FILE")
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    db: Db = None,
    _verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Ask survey questions and compare the answers.

    Answers are distributions over options. Run it again to resume: only what is missing is asked.

    JSON: one line a question, condition and way.
    """
    from alignbench.api.sampling import make_conditions
    from alignbench.cli.terms import print_terms
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.stored_sets import StoredSets
    from alignbench.json_text import json_text
    from alignbench.metrics.statistics import Uncertainty
    from alignbench.models.catalog import resolve
    from alignbench.output_files import check_output, text_output
    from alignbench.store import Store
    from alignbench.surveys.read import read_survey
    from alignbench.surveys.summary import summarize
    from alignbench.surveys.survey import Survey, in_rows, survey_session, with_personas
    from alignbench.surveys.to_json import answer_json, summary_json

    path = db or paths.default_database()
    if summary is not None:
        check_output(summary)
    questions = read_survey(file)
    for note in questions.notes:
        printing.say(note)
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens)
    sets = StoredSets(path)
    conditions = make_conditions(model or (), condition or (), context or (), sets=sets, sampling=sampling, seed=seed)
    loaded = [each.with_options(device=device, gpu_layers=gpu_layers) for each in conditions]
    steered, personas = with_personas(loaded, persona or (), sets)
    asked = Survey(_source(file), questions.prompts[:limit], tuple(steered), orders, n, personas)
    judge_model = resolve(judge).with_options(device=device, gpu_layers=gpu_layers) if judge else None
    print_terms([*(each.model for each in asked.conditions), *([judge_model] if judge_model else [])])
    with Store.open(path) as store:
        session = survey_session(store, asked)
        printing.say(f"session {session} in {path}")
        pool = WorkerPool(threads=threads)
        try:
            answers, drawn = _read(store, session, pool, asked) if by != "sample" else ([], asked)
            if by != "logprob":
                drawn = asked
            outcome = None
            if drawn.conditions:
                replies, outcome = _draw(store, session, pool, drawn, judge_model)
                answers += replies
        finally:
            pool.close()
            store.drop_session_if_empty(session)
    rows = in_rows(asked, answers)
    if as_json:
        for row in rows:
            printing.json_data(answer_json(row))
    if rows and (summary is not None or not as_json):
        names = [each.name for each in asked.conditions]
        over_questions = summarize(rows, names, personas, Uncertainty())
        if summary is not None:
            with text_output(summary) as out:
                out.write(json_text(summary_json(over_questions), indent=2) + "\n")
        if not as_json:
            from alignbench.cli.survey_view import print_survey

            print_survey(rows, over_questions)
    if outcome is not None and (code := outcome.exit_code):
        raise typer.Exit(code)


def _source(file: str) -> str:
    """What the session of a survey is found again by: the name of a set that ships, or where the file is."""
    from alignbench.prompts import prompt_source, set_path, shipped_sets

    source = prompt_source(file)
    if source.is_dataset or source.location in shipped_sets():
        return str(source.within(Path.cwd()) if source.is_dataset else source)
    return str(replace(source, location=str(set_path(source.location).resolve())))


def _read(store: Store, session: int, pool: WorkerPool, survey: Survey) -> tuple[list[AnswerDistribution], Survey]:
    """Answers from log-probs, and the survey of those conditions that have none, which are asked by drawing."""
    from alignbench.cli.progress import ProgressBar
    from alignbench.experiments.likelihood import content_for
    from alignbench.scoring.likelihood_cache import LikelihoodCache
    from alignbench.surveys.kept_readings import read_condition
    from alignbench.surveys.scored import NoLogprobs

    cache = LikelihoodCache(store, pool)

    def content_of(condition: Condition, prompt: Prompt) -> Content:
        return content_for(pool, condition.model, condition.context, prompt)

    answers: list[AnswerDistribution] = []
    left: list[Condition] = []
    with ProgressBar(narrated=True) as bar:
        for condition in survey.conditions:
            try:
                read = read_condition(
                    store, session, cache, content_of, condition, survey.questions, survey.orders, bar
                )
                answers += read
                if read and read[0].by == "first_token":
                    bar.say(f"{condition.name}: its server scores no given text; read by the letter as first token")
            except NoLogprobs as error:
                bar.say(f"{condition.name}: no log-probs of its options ({error}); replies are drawn in their place")
                left.append(condition)
    return answers, replace(survey, conditions=tuple(left))


def _draw(
    store: Store, session: int, pool: WorkerPool, survey: Survey, judge: Model | None
) -> tuple[list[AnswerDistribution], RunOutcome]:
    from alignbench.cli.judge_watcher import follow_judge
    from alignbench.cli.run_watcher import RunOutcome, follow
    from alignbench.experiments.staged import StagedRun
    from alignbench.judging.runner import JudgeRun
    from alignbench.surveys.survey import drawn_answers, judge_plan, survey_plan

    plan = survey_plan(store, session, survey)
    outcome = RunOutcome()
    if plan.n_missing:
        for _ in follow(StagedRun(plan, pool, store, pool), outcome):
            pass
    else:
        printing.say("nothing is missing")
    if judge is not None and not outcome.interrupted and (untold := judge_plan(store, session, survey, judge)):
        follow_judge(JudgeRun(untold, pool, store), outcome)
    return drawn_answers(store, session, survey, None if judge is None else judge.reference), outcome
