"""What a ledger reads: the teacher's responses in a session, and contexts prepared for the session's prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from alignbench.contexts.rendering import Content
from alignbench.errors import AlignbenchError, InputError
from alignbench.experiments.cell_content import cell_content, is_prepared
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import make_plan
from alignbench.ledger.ablation import PreparedContext
from alignbench.ledger.request import LedgerRequest, thinks
from alignbench.progress import Progress, tracked
from alignbench.scoring.endings import Ending, ending
from alignbench.spec import Condition, Context
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class TeacherResponses:
    """A teacher's responses in a session.

    Attributes:
        teacher: what the teacher itself saw
        by_prompt: texts by prompt id and sample; those without text are left out
        empty: how many have no text
        endings: how each ended, by prompt id and sample
    """

    teacher: PreparedContext
    by_prompt: dict[str, dict[int, str]]
    empty: int
    endings: Mapping[tuple[str, int], Ending] = field(default_factory=dict)

    def ending(self, prompt: str, sample: int) -> Ending:
        """How a response ended."""
        return self.endings.get((prompt, sample), "unknown")


class Failures:
    """What failed: each message once, with the prompt's id."""

    def __init__(self) -> None:
        self.messages: dict[str, None] = {}

    def add(self, where: str, prompt: str, why: object) -> None:
        self.messages[f"{where}, prompt {prompt}: {why}"] = None


def load_responses(store: Store, session: int, request: LedgerRequest) -> TeacherResponses:
    """The responses that are stored so far.

    Raises InputError where the teacher's own context was never prepared, or it thinks before its responses.
    """
    cells = make_plan(store, session, request.prompts, [request.teacher], request.n).cells
    contents, responses, empty = {}, {}, 0
    endings: dict[tuple[str, int], Ending] = {}
    for cell in cells:
        rows = [
            row for row in store.samples(session, cell_id=cell.id) if row.status == "done" and row.sample < request.n
        ]
        if any(row.thinking for row in rows):
            raise InputError(thinks(request.teacher.name))
        texts = {row.sample: row.text for row in rows if row.text.strip()}
        empty += len(rows) - len(texts)
        if texts:
            contents[cell.prompt.id] = cell_content(store, cell)
            responses[cell.prompt.id] = texts
            endings |= {(cell.prompt.id, row.sample): ending(row, request.teacher) for row in rows}
    return TeacherResponses(
        PreparedContext(request.teacher.name, request.teacher.context, contents, frozenset()),
        responses,
        empty,
        endings,
    )


def prepare_contexts(
    store: Store,
    preparer: Preparer,
    session: int,
    request: LedgerRequest,
    contexts: Sequence[Context],
    failures: Failures,
    progress: Progress,
) -> list[PreparedContext]:
    """Contexts prepared for the prompts: examples are selected and hints made once, and kept in cells of the session.

    Args:
        store: has the session.
        preparer: selects examples and makes hints.
        session: keeps them.
        request: names the prompts, the teacher and the base model.
        contexts: to prepare.
        failures: gets the prompts that a context cannot be prepared for; they are not in its contents.
        progress: called with what is done, how many of how many.
    """
    conditions = [_condition(store, session, request, context) for context in contexts]
    cells = make_plan(store, session, request.prompts, conditions, 0).cells
    contents: dict[str, dict[str, Content]] = {condition.name: {} for condition in conditions}
    for cell in tracked(cells, progress, "preparing contexts"):
        try:
            if not is_prepared(store, cell):
                preparer.prepare(cell)
            contents[cell.condition.name][cell.prompt.id] = cell_content(store, cell)
        except AlignbenchError as error:
            failures.add(cell.condition.name, cell.prompt.id, error)
    return [
        PreparedContext(context.name, context, contents[condition.name], request.source(context))
        for context, condition in zip(contexts, conditions, strict=True)
    ]


def _condition(store: Store, session: int, request: LedgerRequest, context: Context) -> Condition:
    """The base model in a context, as the session has it already, or with the teacher's sampling parameters."""
    for condition in store.conditions(session):
        if condition.model.reference == request.base.reference and condition.context.hash == context.hash:
            return replace(condition, model=request.base)  # loaded as it is asked to be
    name = request.base.name if context == request.floor else f"{request.base.name} + {context.name}"
    teacher = request.teacher
    return Condition(name, request.base, context, teacher.sampling, teacher.seed, teacher.mode)
