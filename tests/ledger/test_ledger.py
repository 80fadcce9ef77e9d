"""A whole ledger on a pool that samples and reads without weights: known answers, resuming, order of requests."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.ledger.prepare import Failures
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Hint, Model, Prefill, Sampling
from alignbench.store import Store
from tests.support.books import KNOWN, OWN, PROMPTS, TEACHER, UNKNOWN, Pool, asked, kept

POOL = ExampleSet((Example("How?", "Thus."), Example("When?", "Soon.", "not yet")))
TAUGHT = Context("plain", "taught", instruction="Be kind.", examples=Examples(pool=POOL))
HINTED = Context(
    "plain", "hinted", instruction="Be kind.", hint=Hint("summary", "", "chat", 1, "chat", "Sum up: {response}")
)


def per_byte(rate: object) -> float:
    return rate.per_byte  # type: ignore[attr-defined,no-any-return]


def test_gaps_savings_and_costs_of_known_bits(store: Store) -> None:
    ledger = kept(store, Pool(), asked(TAUGHT))
    (account,) = ledger.contexts
    assert per_byte(ledger.floor.gap.held_out) == pytest.approx(UNKNOWN - OWN)
    assert per_byte(account.gap.held_out) == per_byte(account.gap.source) == pytest.approx(UNKNOWN - OWN)
    assert per_byte(account.saved.held_out) == 0.0
    assert list(account.pieces) == ["instruction", "examples"]
    instruction, examples = (piece.cost for piece in account.pieces.values())
    assert instruction is not None
    assert examples is not None
    assert instruction.tokens == len("# Instructions:\n\nBe kind.\n\n")
    assert (instruction.bits, instruction.ci) == (
        pytest.approx(instruction.tokens),
        pytest.approx((instruction.bits,) * 2),
    )
    assert examples.tokens == 2 * len("# Query:\n```\n\n```\n\n# Answer:\n```\n\n```\n\n") + len("How?Thus.When?Soon.")
    held_out = ledger.floor.gap.held_out
    assert held_out is not None
    assert (held_out.n_prompts, held_out.n_responses) == (3, 6)
    assert {key[1] for key in ledger.floor.gaps} == {0, 1, 2}
    assert [account.name for account in ledger.curve] == [
        "hint keywords", "hint topics", "hint outline", "hint sentence", "hint summary",
    ]  # fmt: skip


def test_a_hint_that_tells_its_source_saves_there_and_nowhere_else(store: Store) -> None:
    """The maker repeats the response it is given: sample 1 for this context, sample 0 for those of the curve."""
    ledger = kept(store, Pool(), asked(HINTED, n=4))
    (hinted,) = ledger.contexts
    assert hinted.source == {1}
    assert per_byte(hinted.pieces["hint"].saved.source) == pytest.approx(UNKNOWN - KNOWN)
    assert per_byte(hinted.gap.source) == pytest.approx(KNOWN - OWN)
    assert per_byte(hinted.gap.held_out) > per_byte(hinted.gap.source)
    assert {sample for _, sample in hinted.gaps} == {1, 2, 3}  # 0 is given away by the curve, so it is not held out
    for account in ledger.curve:
        assert account.source == {0}
        assert per_byte(account.pieces["hint"].saved.source) == pytest.approx(UNKNOWN - KNOWN)
        assert account.pieces["hint"].cost is not None


def test_controls_come_out(store: Store) -> None:
    controls = kept(store, Pool(), asked(), controls=True).controls
    assert controls is not None
    copy, other = controls.given_away
    assert per_byte(copy.saved.source) == pytest.approx(UNKNOWN - KNOWN)
    assert per_byte(copy.saved.held_out) == 0.0
    assert per_byte(other.saved.source) == per_byte(other.saved.held_out) == 0.0
    assert [account.name for account in controls.hidden] == [
        "all of its examples", "one of its examples", "zero-shot",
    ]  # fmt: skip
    assert per_byte(controls.hidden[0].gap.held_out) == 0.0


def test_a_ledger_that_was_stopped_goes_on_and_asks_nothing_that_is_kept_again(tmp_path: Path) -> None:
    wanted = asked(TAUGHT, HINTED, n=4)
    with Store.open(tmp_path / "whole.db") as store:
        whole = Pool()
        undisturbed = kept(store, whole, wanted, controls=True)
    first, second = Pool(), Pool()

    def stop(what: str, done: int, _: int) -> None:
        if what == "reading under tiny" and done == 30:
            raise KeyboardInterrupt

    with Store.open(tmp_path / "stopped.db") as store, pytest.raises(KeyboardInterrupt):
        kept(store, first, wanted, controls=True, progress=stop)
    with Store.open(tmp_path / "stopped.db") as store:
        n_kept = store.db.conn.execute("SELECT count(*) FROM likelihoods").fetchone()[0]
        assert n_kept > 30
        assert kept(store, second, wanted, controls=True) == undisturbed
        third = Pool()
        assert kept(store, third, wanted, controls=True) == undisturbed
    assert len(second.scored) == len(whole.scored) - n_kept
    assert len(first.requests) == len(whole.requests)  # all samples and hints were there when it was stopped
    assert (second.requests, third.requests, third.scored) == ([], [], [])


def test_more_contexts_and_responses_extend_the_session(store: Store) -> None:
    first, second = Pool(), Pool()
    kept(store, first, asked(n=2))
    kept(store, second, asked(TAUGHT, n=3))
    assert len(store.sessions()) == 1
    drawn = [request.samples for name, request in second.requests if name == "chat"]
    assert drawn == [(2,)] * 3  # no hint is made again, and no response drawn again


def test_each_prompt_is_computed_once_and_what_prompts_share_too(store: Store) -> None:
    pool = Pool()
    kept(store, pool, asked(TAUGHT, HINTED, n=4), controls=True)
    for model in ("chat", "tiny"):
        requests = [request for name, request in pool.scored if name == model]
        asked_for = [(request.context, request.query, request.continuation) for request in requests]
        assert len(set(asked_for)) == len(asked_for)
        runs = [key for key, _ in groupby(requests, lambda request: (request.context, request.query))]
        contexts = [key for key, _ in groupby(requests, lambda request: request.context)]
        assert len(runs) < len(requests)
        assert len(contexts) < len(runs) / 2
        if model == "chat":
            assert len(runs) == len(PROMPTS)
            assert len(contexts) == 1


def test_what_cannot_be_read_is_left_out_of_its_prompt_and_told(store: Store) -> None:
    failures = Failures()
    pool = Pool(refuse={"paint in blue": "1100 tokens, window 1024"})
    ledger = kept(store, pool, asked(TAUGHT), failures=failures)
    assert list(failures.messages) == [
        "reading under chat, prompt p1: 1100 tokens, window 1024",
        "reading under tiny, prompt p1: 1100 tokens, window 1024",
    ]
    held_out = ledger.floor.gap.held_out
    assert held_out is not None
    assert (held_out.n_prompts, held_out.n_responses) == (3, 5)


def test_another_tokenizer_or_temperature_makes_it_a_cross_entropy(store: Store) -> None:
    assert kept(store, Pool(), asked()).cross_entropy == ""
    cool = replace(TEACHER, sampling=Sampling(temperature=0.7))
    assert "temperature 1" in kept(store, Pool(), asked(teacher=cool)).cross_entropy


def test_imported_responses_have_no_weights_to_be_read_under() -> None:
    imported = Condition.zero_shot(Model("elsewhere", "imported:elsewhere", "aligned"))
    several = replace(TEACHER, context=Context("chat", verbalized=3))
    with pytest.raises(InputError, match="chat asks for 3 answers at once; a ledger reads responses that stand alone"):
        asked(teacher=several)
    with pytest.raises(InputError, match="elsewhere was imported as texts: its weights are not here"):
        asked(teacher=imported)


@pytest.mark.parametrize(
    ("contexts", "n", "message"),
    [
        ([replace(TAUGHT, prefill=Prefill("Well"))], 3, "taught begins the response itself"),
        ([Context("plain", "own", hint=Hint("first"))], 3, "The hint of own is written by the base model"),
        ([Context("chat", "wise", thinking_end="</think>")], 3, "wise thinks before its answers"),
        ([TAUGHT, TAUGHT], 3, "Two contexts are called 'taught'"),
        ([Context("plain", "zero-shot")], 3, "'zero-shot' is in every ledger"),
        ([HINTED], 2, "contexts tell of sample 0, 1: no response is held out. Expected n of 3 or more."),
        (
            [Context("plain", "far", hint=Hint("summary", "", "other", 0, "other", "{response}"))],
            3,
            "made of samples of 'other'; expected those of the teacher, 'chat'",
        ),
    ],
)
def test_a_context_that_cannot_stand_in_a_ledger_is_refused(contexts: list[Context], n: int, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        asked(*contexts, n=n)
