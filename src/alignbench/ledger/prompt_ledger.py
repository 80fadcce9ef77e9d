"""The ledger of one prompt: the teacher's responses to it, and a base model in a context that is being made."""

from __future__ import annotations

import math
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
from alignbench.scoring.endings import EndCounts, Ending
from alignbench.scoring.likelihood_cache import LikelihoodCache, Passage
from alignbench.scoring.model_based.alignment_gap import no_kl
from alignbench.spec import Condition, default_context
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class PromptLedger:
    """What is compared for one prompt. InputError where a context cannot be in a ledger.

    Attributes:
        before: the base's cell in the context before it was changed, under the same model
        responses: the teacher's, by sample, none of them empty
        endings: how they ended, by sample
    """

    teacher: PlannedCell
    base: PlannedCell
    before: PlannedCell | None
    responses: Mapping[int, str]
    endings: Mapping[int, Ending] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for condition in (self.teacher.condition, self.base.condition):
            check_weights(condition.model)
            if why := unreadable(condition.context, condition.name):
                raise InputError(why)

    @property
    def source(self) -> frozenset[int]:
        """The responses, by sample, that the context or the one before is made from."""
        cells = (self.base, self.before) if self.before is not None else (self.base,)
        return frozenset().union(
            *(samples_in_context(cell.condition.context, self.teacher.condition.name) for cell in cells)
        )

    @property
    def held_out(self) -> frozenset[int]:
        return frozenset(self.responses) - self.source


@dataclass(frozen=True, slots=True)
class LedgerResponse:
    """One response, token by token.

    Attributes:
        stretches: bits under the teacher, under the base, and in the context before, where there is one; the last one
            is the end, without text, where that is counted
        cross_entropy: why the gap estimates no KL divergence; empty where it does
        so_far: why only the text so far is counted; empty where the end is too
    """

    stretches: tuple[Stretch, ...]
    n_bytes: int
    cross_entropy: str
    so_far: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all responses."""

    account: Account  # with each example as a piece of its own
    change: Split | None  # what the context saves against the one before
    cross_entropy: str  # as that of a response
    failures: tuple[str, ...]
    ends: EndCounts


@dataclass
class PromptLedgerBuilder:
    """Makes the parts of a prompt's ledger, on the thread of the store. Calls block; EngineError or InputError."""

    store: Store
    pool: EnginePool
    preparer: Preparer
    progress: Progress
    _likelihoods: LikelihoodCache = field(init=False)

    def __post_init__(self) -> None:
        self._likelihoods = LikelihoodCache(self.store, self.pool)

    def response(self, ledger: PromptLedger, sample: int) -> LedgerResponse:
        """A response, token by token."""
        text, how, readings = ledger.responses[sample], ledger.endings.get(sample, "unknown"), []
        cells = (
            ledger.teacher,
            ledger.base,
            *([ledger.before] if ledger.before is not None else []),
        )
        for done, cell in enumerate(cells):
            self.progress(f"{cell.condition.name} reads sample {sample + 1}", done * PERCENT // len(cells), PERCENT)
            readings.append(self._scored(cell, text, ended=how == "end"))
        teacher, base, *_ = readings
        ends = [reading.end for reading in readings if reading.end is not None]
        counted = len(ends) == len(readings)
        return LedgerResponse(
            (
                *stretches(text, [(reading.pieces, reading.logprob) for reading in readings]),
                *([Stretch("", tuple(-end / math.log(2) for end in ends))] if counted else []),
            ),
            len(text.encode("utf-8", "surrogatepass")),
            no_kl(ledger.teacher.condition, same_tokens(teacher.ids, base.ids)),
            EndCounts.of([(how, counted)]).so_far,
        )

    def totals(self, ledger: PromptLedger) -> Totals:
        """The account of all responses: what each piece saves and costs, and what the change of context saved."""
        prompt, source = ledger.base.prompt, ledger.source
        teacher, base = (self._loaded(cell.condition) for cell in (ledger.teacher, ledger.base))
        now = self._prepared_context(ledger.base, source)
        before = None if ledger.before is None else self._prepared_context(ledger.before, source)
        bare = default_context(ledger.base.condition.model)
        floor = PreparedContext("zero-shot", bare, {prompt.id: Content()}, source)
        responses = TeacherResponses(
            self._prepared_context(ledger.teacher, frozenset()),
            {prompt.id: dict(ledger.responses)},
            0,
            {(prompt.id, sample): how for sample, how in ledger.endings.items()},
        )
        accounts = Accounts(self._likelihoods, teacher, base, [prompt], responses, ledger.held_out, floor)
        failures = Failures()
        accounts.read([now, *([before] if before is not None else [])], failures, self.progress)
        change = None if before is None else accounts.change(before, now)
        account = accounts.account(now)
        why = no_kl(ledger.teacher.condition, accounts.one_tokenizer)
        return Totals(account, change, why, tuple(failures.messages), accounts.ends(account))

    def _scored(self, cell: PlannedCell, response: str, *, ended: bool) -> Scored:
        model, capabilities = cell.condition.model, self._loaded(cell.condition).capabilities
        rendered = self._prepared_context(cell, frozenset()).rendered(cell.prompt, capabilities)
        passage = Passage(rendered.context, rendered.query, response, rendered.closings if ended else None)
        answer = scored(self.pool, model, rendered.context, rendered.query, response, top=0, closings=passage.closings)
        self._likelihoods.keep(model, passage, answer)
        return answer

    def _loaded(self, condition: Condition) -> LoadedModel:
        return LoadedModel(condition.model, loaded(self.pool, condition.model, self.progress))

    def _prepared_context(self, cell: PlannedCell, source: frozenset[int]) -> PreparedContext:
        content = self.preparer.content(cell)
        return PreparedContext(
            cell.condition.name, cell.condition.context, {cell.prompt.id: content}, source, apart=True
        )
