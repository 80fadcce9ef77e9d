"""What a ledger reads: the teacher's responses in a session, and the contexts around the session's prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alignbench.contexts.rendering import Content
from alignbench.errors import AlignbenchError
from alignbench.experiments.cell_content import cell_content, is_prepared
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import make_plan
from alignbench.ledger.ablation import PreparedContext
from alignbench.ledger.request import LedgerRequest
from alignbench.progress import Progress, tracked
from alignbench.spec import Condition, Context
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class TeacherResponses:
    """The teacher around the prompts, and its responses by prompt id and sample. empty: how many say nothing."""

    teacher: PreparedContext
    responses: dict[str, dict[int, str]]
    empty: int


class Failures:
    """What could not be had: each thing once, in a message that names the prompt."""

    def __init__(self) -> None:
        self.messages: dict[str, None] = {}

    def add(self, where: str, prompt: str, why: object) -> None:
        self.messages[f"{where}, prompt {prompt}: {why}"] = None


def taught(store: Store, session: int, asked: LedgerRequest) -> TeacherResponses:
    """What the teacher has said so far. Raises InputError where its own context was never prepared."""
    cells = make_plan(store, session, asked.prompts, [asked.teacher], asked.n).cells
    contents, responses, empty = {}, {}, 0
    for cell in cells:
        rows = [row for row in store.samples(session, cell_id=cell.id) if row.status == "done" and row.sample < asked.n]
        said = {row.sample: row.text for row in rows if row.text.strip()}
        empty += len(rows) - len(said)
        if said:
            contents[cell.prompt.id] = cell_content(store, cell)
            responses[cell.prompt.id] = said
    return TeacherResponses(
        PreparedContext(asked.teacher.name, asked.teacher.context, contents, frozenset()), responses, empty
    )


def prepared(
    store: Store,
    preparer: Preparer,
    session: int,
    asked: LedgerRequest,
    contexts: Sequence[Context],
    failures: Failures,
    progress: Progress,
) -> list[PreparedContext]:
    """Contexts around the prompts: examples are selected and hints made once, and kept in cells of the session.

    A prompt that a context cannot be prepared for is among the failures and not in its contents.
    """
    conditions = [_condition(store, session, asked, context) for context in contexts]
    cells = make_plan(store, session, asked.prompts, conditions, 0).cells
    found: dict[str, dict[str, Content]] = {condition.name: {} for condition in conditions}
    for cell in tracked(cells, progress, "preparing contexts"):
        try:
            if not is_prepared(store, cell):
                preparer.prepare(cell)
            found[cell.condition.name][cell.prompt.id] = cell_content(store, cell)
        except AlignbenchError as error:
            failures.add(cell.condition.name, cell.prompt.id, error)
    return [
        PreparedContext(context.name, context, found[condition.name], asked.source(context))
        for context, condition in zip(contexts, conditions, strict=True)
    ]


def _condition(store: Store, session: int, asked: LedgerRequest, context: Context) -> Condition:
    """The base model in a context, as the session has it already, or with the teacher's sampling parameters."""
    for condition in store.conditions(session):
        if condition.model.reference == asked.base.reference and condition.context.hash == context.hash:
            return replace(condition, model=asked.base)  # loaded as it is asked to be
    name = asked.base.name if context == asked.floor else f"{asked.base.name} + {context.name}"
    teacher = asked.teacher
    return Condition(name, asked.base, context, teacher.sampling, teacher.seed, teacher.mode)
