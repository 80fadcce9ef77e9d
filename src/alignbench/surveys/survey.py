"""A survey: questions with options under conditions, by log-probs, by replies that are drawn, or by both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from alignbench.contexts.files import Sets, load_context
from alignbench.errors import InputError
from alignbench.experiments.manifest import manifest
from alignbench.experiments.plan import Plan, PlannedCell, make_plan
from alignbench.judging.chosen_options import read_chosen_options
from alignbench.judging.plan import JudgePlan, plan_judging, untold_replies
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from alignbench.surveys.asking import Orders, asked_in_orders, options_of, samples_of_orders
from alignbench.surveys.distribution import AnswerDistribution, Reply, of_replies, with_paraphrases
from alignbench.textfiles import home_expanded, read_utf8

By = Literal["logprob", "sample", "both"]

Personas = Mapping[str, tuple[str, str]]
"""Of conditions that have one, by name: the condition without it, and the name of the persona."""

PERSONA_TEXTS = (".txt", ".md")


@dataclass(frozen=True, slots=True)
class Survey:
    """What is asked.

    Attributes:
        source: the file or set that the questions are from, by which a session is found again
        questions: all with options
        conditions: no two of one name
        orders: of the options
        n: replies to each question under each condition, spread over the orders
        personas: see `Personas`
    """

    source: str
    questions: tuple[Prompt, ...]
    conditions: tuple[Condition, ...]
    orders: Orders
    n: int
    personas: Personas = field(default_factory=dict)

    @property
    def manifest(self) -> dict[str, object]:
        """What a session keeps of it."""
        asked = {"source": self.source, "orders": self.orders, "personas": {k: [*v] for k, v in self.personas.items()}}
        return {**manifest(self.conditions, self.n), "survey": asked}


def with_personas(
    conditions: Sequence[Condition], files: Sequence[str], sets: Sets | None
) -> tuple[list[Condition], dict[str, tuple[str, str]]]:
    """Conditions, each followed by one for each persona; and which ones these are, as `Survey.personas` has them.

    files: a text (.txt, .md) is an instruction that stands before the condition's own; anything else is a context, by
        name or TOML file, which takes the place of the condition's. A persona is called after its file or context.
    """
    all_of_them: list[Condition] = []
    personas: dict[str, tuple[str, str]] = {}
    for condition in conditions:
        all_of_them.append(condition)
        for file in files:
            persona, steered = _with_persona(condition, file, sets)
            if steered.name in personas or any(steered.name == each.name for each in conditions):
                raise InputError(f"Two conditions would be called {steered.name!r}; rename one of the persona files.")
            all_of_them.append(steered)
            personas[steered.name] = condition.name, persona
    return all_of_them, personas


def _with_persona(condition: Condition, file: str, sets: Sets | None) -> tuple[str, Condition]:
    path = home_expanded(file)
    if path.suffix.lower() in PERSONA_TEXTS:
        return path.stem, as_persona(condition, path.stem, persona_text(path))
    context = load_context(file, sets)
    name = context.name or path.stem
    return name, replace(condition, name=_named(condition, name), context=context)


def persona_text(path: Path) -> str:
    """Who is to answer, as a text file says. InputError where it is empty or cannot be read."""
    if not (text := read_utf8(path).strip()):
        raise InputError(f"{path} is empty; expected who is to answer, such as: You live in a small town.")
    return text


def as_persona(condition: Condition, name: str, text: str) -> Condition:
    """A condition that answers as somebody: the text comes before its own instruction."""
    own = condition.context.instruction.strip()
    context = replace(condition.context, instruction=f"{text}\n\n{own}".strip())
    return replace(condition, name=_named(condition, name), context=context)


def _named(condition: Condition, persona: str) -> str:
    return f"{condition.name} as {persona}"


def is_named_after(persona: str, group: str) -> bool:
    """Whether a persona is that of a group, by its name: `rural-voters` is `Rural voters`."""
    return _plain(persona) == _plain(group)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").split())


def survey_session(store: Store, survey: Survey) -> int:
    """The session of an earlier run of this survey, if nothing in it stands for something else now; else a new one."""
    session = store.session_of_survey(survey.source)
    if session is not None and _goes_on(store, session, survey):
        before = store.manifest(session)
        personas = {**before.get("survey", {}).get("personas", {}), **survey.personas}
        manifest = replace(survey, personas=personas).manifest
        store.set_manifest(session, {**manifest, "loaded": before.get("loaded", {})})
        return session
    reference = next((each.name for each in survey.conditions if each.model.kind == "aligned"), None)
    return store.create_session(f"survey {Path(survey.source).stem}", reference=reference, manifest=survey.manifest)


def _goes_on(store: Store, session: int, survey: Survey) -> bool:
    hashes = {condition.name: condition.hash for condition in store.conditions(session)}
    names = {hash: name for name, hash in hashes.items()}
    texts = {prompt.id: prompt.hash for prompt in store.prompts(session)}
    return all(
        hashes.get(each.name, each.hash) == each.hash and names.get(each.hash, each.name) == each.name
        for each in survey.conditions
    ) and all(
        texts.get(prompt.id, prompt.hash) == prompt.hash
        for question in survey.questions
        for prompt in asked_in_orders(question, survey.orders)
    )


def survey_plan(store: Store, session: int, survey: Survey) -> Plan:
    """The cells of a survey whose replies are still to be drawn: a prompt for each order that gets any of n replies."""
    prompts: dict[int, list[Prompt]] = defaultdict(list)
    for question in survey.questions:
        in_orders = asked_in_orders(question, survey.orders)
        for prompt, n in zip(in_orders, samples_of_orders(survey.n, len(in_orders)), strict=True):
            if n:
                prompts[n].append(prompt)
    cells: list[PlannedCell] = []
    with store.together():
        for n, of_n in prompts.items():
            cells += make_plan(store, session, of_n, survey.conditions, n).cells
    places = {condition.name: place for place, condition in enumerate(survey.conditions)}
    return Plan(session, tuple(sorted(cells, key=lambda cell: places[cell.condition.name])))


def drawn_answers(store: Store, session: int, survey: Survey, judge: str | None = None) -> list[AnswerDistribution]:
    """What the replies that are there come to, by condition, then question. Errors and cancelled ones are none.

    judge: of replies that letter and text do not tell; None for the one with the most judgments.
    """
    replies: dict[tuple[str, str], list[tuple[int, Reply]]] = defaultdict(list)
    chosen = read_chosen_options(store, session, judge)
    options = {prompt.id: prompt.answers for prompt in store.prompts(session)}
    for row in store.samples(session):
        if row.status == "done" and (answers := options.get(row.prompt_id)) is not None:
            place = chosen.place((row.condition, row.prompt_id, row.sample), answers)
            replies[row.condition, row.prompt_id].append((row.sample, Reply(row.text, row.refused, place)))
    drawn = []
    for condition in survey.conditions:
        for question in survey.questions:
            in_orders = asked_in_orders(question, survey.orders)
            numbers = zip(in_orders, samples_of_orders(survey.n, len(in_orders)), strict=True)
            said = {
                options_of(prompt).shown: [
                    reply for sample, reply in replies.get((condition.name, prompt.id), ()) if sample < n
                ]
                for prompt, n in numbers
            }
            drawn.append(of_replies(question, condition.name, said))
    return drawn


def judge_plan(store: Store, session: int, survey: Survey, judge: Model) -> JudgePlan | None:
    """The replies of a survey that letter and text do not tell, and this judge has not judged yet; None where letter
    and text tell all of them."""
    conditions = {condition.name for condition in survey.conditions}
    prompts = {prompt.id for each in survey.questions for prompt in asked_in_orders(each, survey.orders)}
    untold = [each for each in untold_replies(store, session) if each.condition in conditions]
    n = sum(each.prompt_id in prompts for each in untold)
    if not n:
        return None
    plan = plan_judging(store, session, "option", judge)
    items = (each for each in plan.items if each.condition in conditions and each.prompt_id in prompts)
    return replace(plan, items=tuple(items), n=n)


def in_rows(survey: Survey, answers: Sequence[AnswerDistribution]) -> list[AnswerDistribution]:
    """By question, then condition, then way, each with its paraphrases."""
    questions = {question.id: place for place, question in enumerate(survey.questions)}
    conditions = {condition.name: place for place, condition in enumerate(survey.conditions)}
    return sorted(
        with_paraphrases(answers), key=lambda each: (questions[each.question.id], conditions[each.condition], each.by)
    )
