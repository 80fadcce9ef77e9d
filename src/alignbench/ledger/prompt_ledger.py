"""A page of the ledger: one prompt, the teacher's responses to it, and a base model in a context that is being made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alignbench.contexts.rendering import Content
from alignbench.contexts.source_samples import samples_in_context
from alignbench.engines.blocking import loaded, scored
from alignbench.engines.protocol import EnginePool, Scored
from alignbench.errors import InputError
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import PlannedCell
from alignbench.ledger.ablation import PreparedContext
from alignbench.ledger.accounts import Account, Accounts, LoadedModel, Split
from alignbench.ledger.prepare import Failures, TeacherResponses
from alignbench.ledger.request import check_weights, unreadable
from alignbench.metrics.likelihood import same_tokens
from alignbench.metrics.stretches import Stretch, stretches
from alignbench.progress import PERCENT, Progress
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.scoring.model_based.alignment_gap import no_kl
from alignbench.spec import Condition, default_context
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class PromptLedger:
    """teacher, base: the cells of one prompt. before: that of the base's context before it was changed, under the same
    model. responses: the teacher's, by sample, none of them empty.

    Raises InputError where a context cannot stand in a ledger.
    """

    teacher: PlannedCell
    base: PlannedCell
    before: PlannedCell | None
    responses: Mapping[int, str]

    def __post_init__(self) -> None:
        for condition in (self.teacher.condition, self.base.condition):
            check_weights(condition.model)
            if why := unreadable(condition.context, condition.name):
                raise InputError(why)

    @property
    def source(self) -> frozenset[int]:
        """The responses, by sample, that the context or the one before tells of."""
        cells = (self.base, self.before) if self.before is not None else (self.base,)
        return frozenset().union(
            *(samples_in_context(cell.condition.context, self.teacher.condition.name) for cell in cells)
        )

    @property
    def held_out(self) -> frozenset[int]:
        return frozenset(self.responses) - self.source


@dataclass(frozen=True, slots=True)
class LedgerResponse:
    """One response. stretches: their bits are those under the teacher, under the base, and before where there is that.

    cross_entropy: why the gap estimates no KL divergence; empty where it does.
    """

    stretches: tuple[Stretch, ...]
    n_bytes: int
    cross_entropy: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all responses. account: each example apart. change: what the context saves against the one before.
    cross_entropy: as that of a response.
    """

    account: Account
    change: Split | None
    cross_entropy: str
    failures: tuple[str, ...]


@dataclass
class PromptLedgerBuilder:
    """Reads pages. Calls block while models load and work, on the thread of the store; EngineError or InputError."""

    store: Store
    pool: EnginePool
    preparer: Preparer
    progress: Progress
    _likelihoods: LikelihoodCache = field(init=False)

    def __post_init__(self) -> None:
        self._likelihoods = LikelihoodCache(self.store, self.pool)

    def response(self, page: PromptLedger, sample: int) -> LedgerResponse:
        """A response, token by token."""
        text, readings = page.responses[sample], []
        cells = (page.teacher, page.base, *([page.before] if page.before is not None else []))
        for done, cell in enumerate(cells):
            self.progress(f"{cell.condition.name} reads sample {sample + 1}", done * PERCENT // len(cells), PERCENT)
            readings.append(self._scored(cell, text))
        teacher, base, *_ = readings
        return LedgerResponse(
            stretches(text, [(reading.pieces, reading.logprob) for reading in readings]),
            len(text.encode("utf-8", "surrogatepass")),
            no_kl(page.teacher.condition.sampling, same_tokens(teacher.ids, base.ids)),
        )

    def totals(self, page: PromptLedger) -> Totals:
        """The account of all responses: what each piece saves and costs, and what was saved since the one before."""
        prompt, source = page.base.prompt, page.source
        teacher, base = (self._reading(cell.condition) for cell in (page.teacher, page.base))
        now = self._shown(page.base, source)
        before = None if page.before is None else self._shown(page.before, source)
        bare = default_context(page.base.condition.model)
        floor = PreparedContext("zero-shot", bare, {prompt.id: Content()}, source)
        taught = TeacherResponses(self._shown(page.teacher, frozenset()), {prompt.id: dict(page.responses)}, 0)
        accounts = Accounts(self._likelihoods, teacher, base, [prompt], taught, page.held_out, floor)
        failures = Failures()
        accounts.read([now, *([before] if before is not None else [])], failures, self.progress)
        change = None if before is None else accounts.change(before, now)
        account = accounts.account(now)
        why = no_kl(page.teacher.condition.sampling, accounts.one_tokenizer)
        return Totals(account, change, why, tuple(failures.messages))

    def _scored(self, cell: PlannedCell, response: str) -> Scored:
        model, capabilities = cell.condition.model, self._reading(cell.condition).capabilities
        rendered = self._shown(cell, frozenset()).rendered(cell.prompt, capabilities)
        answer = scored(self.pool, model, rendered.context, rendered.query, response, top=0)
        self._likelihoods.keep(model, Passage(rendered.context, rendered.query, response), answer)
        return answer

    def _reading(self, condition: Condition) -> LoadedModel:
        return LoadedModel(condition.model, loaded(self.pool, condition.model, self.progress))

    def _shown(self, cell: PlannedCell, source: frozenset[int]) -> PreparedContext:
        content = self.preparer.content(cell)
        return PreparedContext(
            cell.condition.name, cell.condition.context, {cell.prompt.id: content}, source, apart=True
        )
