"""A search among contexts with fewer examples, on a pool whose gaps are known."""

from __future__ import annotations

from dataclasses import replace

from alignbench.ledger.ledger import Ledger, LedgerBuilder, sampling_plan
from alignbench.ledger.prepare import Failures
from alignbench.ledger.search import SearchTarget, halves
from alignbench.spec import Context, Example, Examples, ExampleSet
from alignbench.store import Store
from tests.support.books import PROMPTS, WORDS, Pool, asked, kept, session_of

CHOSEN_ON, REPORTED_ON = halves(prompt.id for prompt in PROMPTS)
WORD = dict(zip((prompt.id for prompt in PROMPTS), WORDS, strict=True))[CHOSEN_ON[0]]
# The first tells of nothing, the others of the held-out responses to the prompt that is chosen on; the last is longest.
SET = ExampleSet(
    (Example("How?", "Thus."), Example("When?", f"{WORD} in blue"), Example("And when else?", f"{WORD} in green")),
    "three",
)
SHOWN = Context("plain", "shown", examples=Examples(pool=SET, k=1))
BLUE = len(f"{WORD} in blue")


def searched(store: Store, context: Context, wanted: SearchTarget) -> tuple[Ledger, Pool]:
    pool = Pool()
    wanting = asked(context)
    kept(store, pool, wanting)
    session = session_of(store, wanting)
    assert not sampling_plan(store, session, wanting, controls=False).n_missing
    pool.scored.clear()
    keeper = LedgerBuilder(store, pool, None, session, Failures(), lambda *_: None)
    return keeper.ledger(wanting, controls=False, wanted=wanted), pool


def test_examples_come_one_by_one_while_they_are_worth_their_bits(store: Store) -> None:
    ledger, _ = searched(store, SHOWN, SearchTarget(400))
    assert [account.name for account in ledger.tried] == ["shown, examples 2", "shown, examples 2+3"]
    assert ledger.found is not None
    assert ledger.found.name == "shown, examples 2+3"
    assert ledger.found.chosen_on.n_prompts == len(CHOSEN_ON)
    assert ledger.found.reported_on.n_prompts == len(REPORTED_ON)
    assert ledger.found.chosen_on.per_response < 0 < ledger.found.reported_on.per_response, "it is no use on others"
    saved = ledger.tried[0].saved.held_out
    assert saved is not None
    assert saved.n_responses == 2 * len(PROMPTS)


def test_nothing_over_the_budget_is_chosen(store: Store) -> None:
    one = len("# Query:\n```\nWhen?\n```\n\n# Answer:\n```\n\n```\n\n") + BLUE
    ledger, _ = searched(store, SHOWN, SearchTarget(one))
    assert [account.name for account in ledger.tried] == ["shown, examples 2"]


def test_what_is_not_chosen_is_never_read_on_the_other_half(store: Store) -> None:
    _, pool = searched(store, SHOWN, SearchTarget(400))
    others = [WORDS[i] for i, prompt in enumerate(PROMPTS) if prompt.id in REPORTED_ON]
    pairs = [request.context for _, request in pool.scored if request.continuation.split()[0] in others]
    assert pairs
    assert not any("Thus." in context and "in blue" in context for context in pairs)


def test_the_same_search_again_reads_nothing(store: Store) -> None:
    searched(store, SHOWN, SearchTarget(400))
    _, pool = searched(store, SHOWN, SearchTarget(400))
    assert pool.scored == []


def test_of_selected_examples_the_first_ones_are_tried(store: Store) -> None:
    random = replace(SHOWN, examples=Examples(pool=SET, select="random", k=3, draw="all"))
    ledger, _ = searched(store, random, SearchTarget(1000))
    assert [account.name for account in ledger.tried] == ["shown, k 1", "shown, k 2"]
    shuffled = replace(random, examples=replace(random.examples, order="shuffled"), name="other")  # type: ignore[type-var]
    assert searched(store, shuffled, SearchTarget(1000))[0].tried == ()
    bare = Context("plain", "told", instruction="Be kind.")
    assert searched(store, bare, SearchTarget(1000))[0].tried == ()
