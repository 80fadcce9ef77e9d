"""A whole ledger: contexts around a set of prompts, the curve of hints, and controls with known outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alignbench.engines.blocking import loaded
from alignbench.engines.protocol import EmbedPool, EnginePool
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import Plan, make_plan
from alignbench.ledger.ablation import PreparedContext
from alignbench.ledger.accounts import Account, Accounts, LoadedModel
from alignbench.ledger.controls import copy_of_source, hidden_examples, keywords_of_another
from alignbench.ledger.example_selection import smaller
from alignbench.ledger.prepare import Failures, TeacherResponses, prepared, taught
from alignbench.ledger.request import LedgerRequest
from alignbench.ledger.search import SearchResult, SearchTarget, halves, search
from alignbench.progress import Progress
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.alignment_gap import no_kl
from alignbench.spec import Context
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class Controls:
    """given_away: contexts that tell too much or nothing of the teacher's responses. hidden: of a teacher that is the
    base model with hidden examples, shown all of them, one, or none."""

    given_away: tuple[Account, ...]
    hidden: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """floor: the base model's own layout with nothing in it. curve: hints alone, from the lowest resolution on.

    cross_entropy: why the gap estimates no KL divergence and is a difference of cross-entropies; empty where it does.
    tried: contexts with fewer examples, of a search. found: what it chose; None without one, or where nothing will do.
    """

    floor: Account
    contexts: tuple[Account, ...]
    curve: tuple[Account, ...]
    controls: Controls | None
    cross_entropy: str
    n_prompts: int
    n_empty: int
    tried: tuple[Account, ...] = ()
    found: SearchResult | None = None


def sampling_plan(store: Store, session: int, asked: LedgerRequest, *, controls: bool) -> Plan:
    """The responses that are still to be drawn before a ledger can be kept."""
    teachers = [asked.teacher, *([hidden_examples(asked).teacher] if controls else [])]
    return make_plan(store, session, asked.prompts, teachers, asked.n)


class LedgerBuilder:
    """Keeps the ledgers of a session whose teachers have been sampled. Calls block, on the thread of the store."""

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

    def ledger(self, asked: LedgerRequest, *, controls: bool, wanted: SearchTarget | None = None) -> Ledger:
        """Make what stands in the contexts, read what is not read yet, add up, and search for what is wanted.

        Raises EngineError where a model cannot be loaded or its text is not known, InputError from the contexts.
        """
        said = taught(self._store, self._session, asked)
        floor, *rest = self._prepared(asked, (asked.floor, *asked.contexts, *asked.curve))
        own, curve = rest[: len(asked.contexts)], rest[len(asked.contexts) :]
        given_away = []
        if controls:
            keywords = next(shown for shown in curve if shown.context.hint and shown.context.hint.level == "keywords")
            given_away = [copy_of_source(asked, said), keywords_of_another(keywords)]
        accounts = self._accounts(asked, said, floor, (floor, *own, *curve, *given_away))
        ledger = Ledger(
            floor=accounts.account(floor),
            contexts=tuple(map(accounts.account, own)),
            curve=tuple(map(accounts.account, curve)),
            controls=Controls(tuple(map(accounts.account, given_away)), self._hidden(asked)) if controls else None,
            cross_entropy=no_kl(asked.teacher.sampling, accounts.one_tokenizer),
            n_prompts=len(said.responses),
            n_empty=said.empty,
        )
        return ledger if wanted is None else self._searched(ledger, asked, said, floor, own, wanted)

    def _searched(
        self,
        ledger: Ledger,
        asked: LedgerRequest,
        said: TeacherResponses,
        floor: PreparedContext,
        own: Sequence[PreparedContext],
        wanted: SearchTarget,
    ) -> Ledger:
        """Fewer examples are tried on the half of the prompts that is chosen on, and read on the other if they fit."""
        chosen_on, _ = halves(said.responses)
        half = replace(asked, prompts=tuple(prompt for prompt in asked.prompts if prompt.id in chosen_on))

        def read(tried: Sequence[PreparedContext]) -> list[Account]:
            accounts = self._accounts(half, said, floor, tried)
            return [accounts.account(each) for each in tried]

        tried = [each for shown in own for each in smaller(shown, asked.prompts, wanted.tokens, read)]
        accounts = self._accounts(asked, said, floor, tried)
        found = tuple(accounts.account(each) for each in tried)
        there = (ledger.floor, *ledger.contexts, *ledger.curve, *found)
        return replace(ledger, tried=found, found=search(there, said.responses, asked.held_out, wanted))

    def _hidden(self, asked: LedgerRequest) -> tuple[Account, ...]:
        hidden = hidden_examples(asked)
        floor, *shown = self._prepared(hidden, (hidden.floor, *hidden.contexts))
        said = taught(self._store, self._session, hidden)
        accounts = self._accounts(hidden, said, floor, (*shown, floor))
        return tuple(accounts.account(each) for each in (*shown, floor))

    def _prepared(self, asked: LedgerRequest, contexts: Sequence[Context]) -> list[PreparedContext]:
        preparer = Preparer(self._store, self._pool, self._session, self._embed)
        try:
            return prepared(self._store, preparer, self._session, asked, contexts, self._failures, self._progress)
        finally:
            preparer.close()

    def _accounts(
        self, asked: LedgerRequest, said: TeacherResponses, floor: PreparedContext, shown: Sequence[PreparedContext]
    ) -> Accounts:
        models = asked.teacher.model, asked.base
        teacher, base = (LoadedModel(model, loaded(self._pool, model)) for model in models)
        accounts = Accounts(self._likelihoods, teacher, base, asked.prompts, said, asked.held_out, floor)
        accounts.read(shown, self._failures, self._progress)
        return accounts
