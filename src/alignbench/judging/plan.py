"""Which samples of a session a judge has still to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from alignbench.errors import InputError, did_you_mean
from alignbench.judging.class_plan import Cell, CellClasses, ClassPlan, Pair
from alignbench.judging.templates import CHOSEN, CONSTRAINED, SETS, WITHIN, JudgeTemplate, judge_template
from alignbench.metrics.option_replies import order_listed, parse_reply
from alignbench.metrics.words import is_empty
from alignbench.spec import Model, content_hash
from alignbench.store import Judgment, SampleRow, Store

_ONLY = {
    "constraints": " of prompts that set constraints",
    "option": " of survey questions that letters and texts of options do not tell",
}


@dataclass(frozen=True, slots=True)
class JudgeItem:
    """A sample to judge, by row id; in a pair against reference_sample_id.

    Attributes:
        flipped: the judged one is shown first
        members: of a set, the row ids of its responses, in their order; its judgment is kept with the one drawn last,
            so that a set which has grown is another item
        constraints: that the response is to keep to
        options: of a survey question, in the order of the letters under which they are shown
        other: of a pair of one condition, the index of the earlier sample
    """

    prompt_id: str
    condition: str
    sample: int
    sample_id: int
    reference_sample_id: int | None = None
    flipped: bool = False
    members: tuple[int, ...] = ()
    constraints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    other: int = -1


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What a judge has not judged yet."""

    session: int
    template: JudgeTemplate
    judge: Model
    items: tuple[JudgeItem, ...]  # what is missing
    n: int  # of how many
    reference: str | None = None  # the condition whose samples pairs are made with
    classes: ClassPlan | None = None  # of equivalence: what is asked about depends on what is judged so far
    pairs: Mapping[tuple[Cell, Pair], JudgeItem] = field(default_factory=dict)  # of equivalence, all there are

    @property
    def requests(self) -> tuple[int, int]:
        """How many items the judge is asked about, at least and at most."""
        return (len(self.items),) * 2 if self.classes is None else self.classes.bounds

    def after(self, item: JudgeItem, judgment: Judgment) -> list[JudgeItem]:
        """What is to be judged next because of a judgment."""
        if self.classes is None:
            return []
        same = bool(judgment.fields["same"]) if judgment.status == "valid" else None
        more = self.classes.after((item.prompt_id, item.condition), (item.other, item.sample), same)
        return [self.pairs[each] for each in more]


def plan_judging(
    store: Store,
    session: int,
    kind: str | JudgeTemplate,
    judge: Model,
    *,
    reference: str | None = None,
    seed: int = 0,
) -> JudgePlan:
    """Every finished sample of a session that has no judgment of this kind by this judge with the present template.

    Pairs hold sample i of each condition against sample i of the reference, to the same prompt; half of them, by seed,
    are shown the other way round. Pairs of equivalence are of responses of one condition to a prompt: those that its
    classes need (see `class_plan`). A set is all that a condition answered to a prompt, empty responses left out, where
    there are two or more. Constraints are those of rungs of a ladder; the lowest has none, and is not judged. Options
    are those of survey questions; only replies that letters and texts do not tell are judged. Raises InputError where
    there is no such kind or reference, or nothing to judge.

    Args:
        store: has the session
        session: whose samples are judged
        kind: of judgment, a template's name; or a template of one's own
        judge: the model
        reference: of pairs; without one, the session's own
        seed: decides which pairs are shown the other way round
    """
    template = judge_template(kind) if isinstance(kind, str) else kind
    kind = template.kind
    own = store.session(session).reference
    against = pair_reference(store, session, reference or own) if template.paired else None
    if kind in WITHIN:
        return _class_plan(store, session, template, judge, seed)
    if kind in SETS:
        every = tuple(_sets(store, session))
    elif kind in CONSTRAINED:
        every = tuple(_constrained(store, session))
    elif kind in CHOSEN:
        every = tuple(untold_replies(store, session))
    else:
        every = tuple(_singles(store, session) if against is None else pairs(store, session, against, seed))
    if not every:
        of = _ONLY.get(kind, "")
        raise InputError(f"Session {session} has no finished samples{of} to judge.")
    done = store.judged(session, kind, judge.reference, template.hash)
    missing = tuple(item for item in every if (item.sample_id, item.reference_sample_id) not in done)
    return JudgePlan(session, template, judge, missing, len(every), against)


def _class_plan(store: Store, session: int, template: JudgeTemplate, judge: Model, seed: int) -> JudgePlan:
    items = {}
    for item in _within(store, session, seed):
        items[(item.prompt_id, item.condition), (item.other, item.sample)] = item
    if not items:
        raise InputError(f"Session {session} has no two finished samples of one condition to judge.")
    cells = {
        name: CellClasses([row.sample for row in rows])
        for name, rows in _cells(store, session).items()
        if len(rows) > 1
    }
    for row in store.judgments(session, kind=template.kind, judge=judge.reference):
        cell, other = cells.get((row.prompt_id, row.condition)), row.reference_sample
        if cell is None or other is None or row.judgment.template_hash != template.hash:
            continue
        said = row.judgment.fields.get("same") if row.judgment.status == "valid" else None
        cell.known[min(other, row.sample), max(other, row.sample)] = said if isinstance(said, bool) else None
    classes = ClassPlan(cells)
    return JudgePlan(
        session, template, judge, tuple(items[each] for each in classes.first()), len(items), None, classes, items
    )


def pair_reference(store: Store, session: int, name: str | None) -> str:
    """The condition that pairs are made with. InputError where it is none of the session."""
    known = [condition.name for condition in store.conditions(session)]
    if name is None:
        raise InputError("A pair needs a reference and the session has none; name one with --reference.")
    if name not in known:
        raise InputError(f"Session {session} has no condition named {name!r}. {did_you_mean(name, known)}".rstrip())
    return name


def _singles(store: Store, session: int) -> Iterator[JudgeItem]:
    for row in store.samples(session):
        if row.status == "done":
            yield JudgeItem(row.prompt_id, row.condition, row.sample, row.id)


def _constrained(store: Store, session: int) -> Iterator[JudgeItem]:
    """Samples of the rungs of ladders, but for those without a constraint."""
    rungs = {prompt.id: prompt.rung for prompt in store.prompts(session) if prompt.rung is not None and prompt.rung.k}
    for item in _singles(store, session):
        if (rung := rungs.get(item.prompt_id)) is not None:
            yield replace(item, constraints=rung.constraints)


def untold_replies(store: Store, session: int) -> Iterator[JudgeItem]:
    """Replies to survey questions whose choice neither a letter nor the text of an option tells, nor words that
    decline; empty ones are none."""
    prompts = {prompt.id: prompt for prompt in store.prompts(session) if prompt.answers is not None}
    for row in store.samples(session) if prompts else ():
        prompt = prompts.get(row.prompt_id)
        if row.status != "done" or prompt is None or prompt.answers is None or is_empty(row.text):
            continue
        shown = prompt.answers.shown or order_listed(prompt.text, prompt.answers)
        if parse_reply(row.text, prompt.answers.in_order(shown, ""), refused=row.refused) is None:
            options = tuple(prompt.answers.texts[place] for place in shown) or prompt.answers.texts
            yield JudgeItem(row.prompt_id, row.condition, row.sample, row.id, options=options)


def _within(store: Store, session: int, seed: int) -> Iterator[JudgeItem]:
    """Every two samples of a cell that are not empty, the later one against the earlier; half of them flipped."""
    for (prompt_id, condition), rows in _cells(store, session).items():
        for at, later in enumerate(rows):
            for earlier in rows[:at]:
                flipped = _flipped([seed, prompt_id, condition, condition, later.sample, earlier.sample])
                yield JudgeItem(prompt_id, condition, later.sample, later.id, earlier.id, flipped, other=earlier.sample)


def _cells(store: Store, session: int) -> dict[tuple[str, str], list[SampleRow]]:
    """The finished samples that are not empty, by prompt and condition."""
    cells: dict[tuple[str, str], list[SampleRow]] = {}
    for row in store.samples(session):
        if row.status == "done" and not is_empty(row.text):
            cells.setdefault((row.prompt_id, row.condition), []).append(row)
    return cells


def _flipped(place: list[object]) -> bool:
    return int(content_hash(place)[:2], 16) % 2 == 1


def _sets(store: Store, session: int) -> Iterator[JudgeItem]:
    for (prompt_id, condition), rows in _cells(store, session).items():
        if len(rows) > 1:
            last = max(rows, key=lambda row: row.id)
            yield JudgeItem(prompt_id, condition, last.sample, last.id, members=tuple(row.id for row in rows))


def pairs(store: Store, session: int, reference: str, seed: int) -> Iterator[JudgeItem]:
    """Sample i of each condition against sample i of the reference, to the same prompt; half of them flipped."""
    items = [*_singles(store, session)]
    known = {(item.prompt_id, item.sample): item.sample_id for item in items if item.condition == reference}
    for item in items:
        other = known.get((item.prompt_id, item.sample))
        if item.condition != reference and other is not None:
            flipped = _flipped([seed, item.prompt_id, item.condition, reference, item.sample])
            yield JudgeItem(item.prompt_id, item.condition, item.sample, item.sample_id, other, flipped)
