"""A whole ledger: contexts for a set of prompts, the curve of hints, and controls with known outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alignbench.engines.blocking import loaded
from alignbench.engines.protocol import EmbedPool, EnginePool
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.manifest import manifest
from alignbench.experiments.plan import Plan, make_plan
from alignbench.ledger.ablation import PreparedContext
from alignbench.ledger.accounts import Account, Accounts, LoadedModel
from alignbench.ledger.controls import copy_of_source, hidden_examples, keywords_of_another
from alignbench.ledger.example_selection import smaller
from alignbench.ledger.prepare import Failures, TeacherResponses, load_responses, prepare_contexts
from alignbench.ledger.request import LedgerRequest
from alignbench.ledger.search import SearchResult, SearchTarget, halves, search
from alignbench.progress import Progress
from alignbench.scoring.endings import EndCounts
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.alignment_gap import no_kl
from alignbench.spec import Context
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class Controls:
    """Accounts whose outcome is known beforehand."""

    given_away: tuple[Account, ...]  # contexts that hold the teacher's responses, or nothing about them
    hidden: tuple[Account, ...]  # a teacher that is the base model with hidden examples: all of them, one, none


@dataclass(frozen=True, slots=True)
class Ledger:
    """The accounts of all contexts."""

    floor: Account  # the base model's own layout with nothing in it
    contexts: tuple[Account, ...]
    curve: tuple[Account, ...]  # hints alone, from the lowest resolution on
    controls: Controls | None
    cross_entropy: str  # why the gap is a difference of cross-entropies and no KL divergence; empty where it is one
    n_prompts: int
    n_empty: int  # responses without text
    ends: EndCounts  # of how many responses of the floor the end is counted
    tried: tuple[Account, ...] = ()  # contexts with fewer examples, of a search
    found: SearchResult | None = None  # what it chose; None without a search, or where no context is good enough


def ledger_session(store: Store, asked: LedgerRequest) -> int:
    """The session of this ledger, resumed or begun."""
    session = store.session_of_ledger(asked.key)
    if session is not None:
        return session
    described = {**manifest([asked.teacher], asked.n), "ledger": {"key": asked.key, "base": asked.base.reference}}
    name = f"ledger of {asked.prompts_name}"
    return store.create_session(name, reference=asked.teacher.name, manifest=described)


def sampling_plan(store: Store, session: int, request: LedgerRequest, *, controls: bool) -> Plan:
    """The responses that are still to be drawn before a ledger can be made."""
    teachers = [request.teacher, *([hidden_examples(request).teacher] if controls else [])]
    return make_plan(store, session, request.prompts, teachers, request.n)


class LedgerBuilder:
    """Makes the ledgers of a session whose teachers have been sampled. Calls block, on the thread of the store."""

    def __init__(
        self,
        store: Store,
        pool: EnginePool,
        embed: EmbedPool | None,
        session: int,
        failures: Failures,
        progress: Progress,
    ) -> None:
        self._store, self._pool, self._session = store, pool, session
        self._embed, self._failures, self._progress = embed, failures, progress
        self._likelihoods = LikelihoodCache(store, pool)

    def ledger(self, request: LedgerRequest, *, controls: bool, wanted: SearchTarget | None = None) -> Ledger:
        """Prepare the contexts, read what is not read yet, add up, and search for what is wanted.

        Raises EngineError where a model cannot be loaded or its text is not known, InputError from the contexts.
        """
        responses = load_responses(self._store, self._session, request)
        floor, *rest = self._prepared(request, (request.floor, *request.contexts, *request.curve))
        own, curve = rest[: len(request.contexts)], rest[len(request.contexts) :]
        given_away = []
        if controls:
            keywords = next(
                prepared for prepared in curve if prepared.context.hint and prepared.context.hint.level == "keywords"
            )
            given_away = [copy_of_source(request, responses), keywords_of_another(keywords)]
        accounts = self._accounts(request, responses, floor, (floor, *own, *curve, *given_away))
        bare = accounts.account(floor)
        ledger = Ledger(
            floor=bare,
            contexts=tuple(map(accounts.account, own)),
            curve=tuple(map(accounts.account, curve)),
            controls=Controls(tuple(map(accounts.account, given_away)), self._hidden(request)) if controls else None,
            cross_entropy=no_kl(request.teacher, accounts.one_tokenizer),
            n_prompts=len(responses.by_prompt),
            n_empty=responses.empty,
            ends=accounts.ends(bare),
        )
        return ledger if wanted is None else self._searched(ledger, request, responses, floor, own, wanted)

    def _searched(
        self,
        ledger: Ledger,
        request: LedgerRequest,
        responses: TeacherResponses,
        floor: PreparedContext,
        own: Sequence[PreparedContext],
        wanted: SearchTarget,
    ) -> Ledger:
        """Fewer examples are tried on the half of the prompts that is chosen on, and read on the other if they fit."""
        chosen_on, _ = halves(responses.by_prompt)
        half = replace(request, prompts=tuple(prompt for prompt in request.prompts if prompt.id in chosen_on))

        def read(tried: Sequence[PreparedContext]) -> list[Account]:
            accounts = self._accounts(half, responses, floor, tried)
            return [accounts.account(each) for each in tried]

        tried = [each for prepared in own for each in smaller(prepared, request.prompts, wanted.tokens, read)]
        accounts = self._accounts(request, responses, floor, tried)
        tried_accounts = tuple(accounts.account(each) for each in tried)
        there = (ledger.floor, *ledger.contexts, *ledger.curve, *tried_accounts)
        return replace(ledger, tried=tried_accounts, found=search(there, responses.by_prompt, request.held_out, wanted))

    def _hidden(self, request: LedgerRequest) -> tuple[Account, ...]:
        hidden = hidden_examples(request)
        floor, *prepared = self._prepared(hidden, (hidden.floor, *hidden.contexts))
        responses = load_responses(self._store, self._session, hidden)
        accounts = self._accounts(hidden, responses, floor, (*prepared, floor))
        return tuple(accounts.account(each) for each in (*prepared, floor))

    def _prepared(self, request: LedgerRequest, contexts: Sequence[Context]) -> list[PreparedContext]:
        preparer = Preparer(self._store, self._pool, self._session, self._embed)
        try:
            return prepare_contexts(
                self._store, preparer, self._session, request, contexts, self._failures, self._progress
            )
        finally:
            preparer.close()

    def _accounts(
        self,
        request: LedgerRequest,
        responses: TeacherResponses,
        floor: PreparedContext,
        prepared: Sequence[PreparedContext],
    ) -> Accounts:
        models = request.teacher.model, request.base
        teacher, base = (LoadedModel(model, loaded(self._pool, model)) for model in models)
        accounts = Accounts(self._likelihoods, teacher, base, request.prompts, responses, request.held_out, floor)
        accounts.read(prepared, self._failures, self._progress)
        return accounts
