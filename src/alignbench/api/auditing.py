"""The confound audit of a session: how each condition differs from the reference beside what is under study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import AlignbenchError, InputError, did_you_mean
from alignbench.experiments.audit import Difference, ShownPrompt, Side, rows, shown_prompt, side
from alignbench.experiments.confounds import Study, studies
from alignbench.experiments.context_preparer import Preparer
from alignbench.spec import Condition, Prompt
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class AuditedCondition:
    """A condition against the reference.

    Attributes:
        condition: Its name.
        study: What the two are likeliest compared for; empty where nothing that is studied differs.
        differences: Confounds first, then what is under study, then what is the same.
        problems: Why prompts and weights are not among them; none where they are.
    """

    condition: str
    study: Study
    differences: tuple[Difference, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionAudit:
    """All of them.

    Attributes:
        prompt: Id of the prompt that is compared as the models get it.
        over: Id of the only prompt whose samples are counted, None for all prompts.
    """

    session: int
    reference: str
    prompt: str
    over: str | None
    conditions: tuple[AuditedCondition, ...]


def audit_session(
    store: Store,
    pool: WorkerPool,
    session: int,
    *,
    reference: str | None = None,
    conditions: Sequence[str] = (),
    prompt: str | None = None,
) -> SessionAudit:
    """Compare the conditions of a session with the reference. It loads their models; what cannot be loaded is left out.

    Args:
        store: Has the session.
        pool: Loads the models.
        session: Its number.
        reference: Name of a condition; by default the session's own, else its first.
        conditions: Names of those that are compared; all others by default.
        prompt: Id of the prompt that is compared, and whose samples are counted; by default the first, and all.

    Raises:
        InputError: For what is not in the session, and where there is nothing to compare.
    """
    there = {each.name: each for each in store.conditions(session)}
    own = store.session(session).reference
    if len(there) < 2:
        raise InputError(f"Session {session} has {len(there) or 'no'} condition; an audit compares two or more.")
    against = _known(session, reference or (own if own in there else next(iter(there))), there)
    others = [name for name in conditions or there if _known(session, name, there) != against]
    if not others:
        raise InputError(f"{against} is the reference itself; name another condition.")
    prompts = {each.id: each for each in store.prompts(session)}
    if prompt is not None and prompt not in prompts:
        near = did_you_mean(prompt, prompts)
        raise InputError(f"--prompt: session {session} has no prompt {prompt!r}. {near}".rstrip())
    if not prompts:
        raise InputError(f"Session {session} has no prompts.")
    facts = _Facts(
        store, pool, session, prompts[prompt] if prompt is not None else next(iter(prompts.values())), prompt
    )
    try:
        audited = [_compared(facts, there[name], there[against]) for name in others]
    finally:
        facts.close()
    return SessionAudit(session, against, facts.prompt.id, prompt, tuple(audited))


class _Facts:
    """The sides of an audit, each made once."""

    def __init__(self, store: Store, pool: WorkerPool, session: int, prompt: Prompt, only: str | None) -> None:
        self.prompt = prompt
        self._preparer = Preparer(store, pool, session, pool)
        self._sides: dict[str, tuple[Side, str]] = {}
        self._cells: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        for cell in store.cells(session):
            if cell.prompt_id == prompt.id:
                self._cells[cell.condition] = cell.id
            if only in (None, cell.prompt_id):
                self._asked[cell.condition] = max(cell.n, self._asked.get(cell.condition, 0))
        self._ends: dict[str, list[str | None]] = {}
        for row in store.samples(session):
            if row.status == "done" and only in (None, row.prompt_id):
                self._ends.setdefault(row.condition, []).append(row.finish_reason)

    def side(self, condition: Condition) -> tuple[Side, str]:
        """A condition, and why its prompt is not known; empty where it is."""
        name = condition.name
        if name not in self._sides:
            shown: ShownPrompt | None = None
            problem = ""
            try:
                shown = shown_prompt(self._preparer, self.prompt, condition, self._cells.get(name, 0))
            except AlignbenchError as error:
                problem = f"{name}: {error}"
            self._sides[name] = side(condition, self._asked.get(name, 0), self._ends.get(name, []), shown), problem
        return self._sides[name]

    def close(self) -> None:
        self._preparer.close()


def _compared(facts: _Facts, condition: Condition, reference: Condition) -> AuditedCondition:
    (here, problem), (there, other) = facts.side(condition), facts.side(reference)
    study = studies(condition, reference)[0]
    return AuditedCondition(
        condition.name, study, tuple(rows(here, there, study)), tuple(filter(None, (problem, other)))
    )


def _known(session: int, name: str, there: dict[str, Condition]) -> str:
    if name not in there:
        raise InputError(f"Session {session} has no condition named {name!r}. {did_you_mean(name, there)}".rstrip())
    return name
