"""The end of a response is a part of what it costs: on two models whose divergence is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import PlannedCell
from alignbench.ledger.ledger import Ledger
from alignbench.ledger.prompt_ledger import PromptLedger, PromptLedgerBuilder
from alignbench.metrics.bits import BitRate
from alignbench.scoring.endings import EndCounts
from alignbench.spec import Condition, Context, Sampling
from alignbench.store import Store
from tests.support.books import BASE, PROMPTS, TEACHER, asked, kept
from tests.support.toy_ends import KL, WITHOUT_ENDS, EndsPool


def held_out(ledger: Ledger) -> BitRate:
    gap = ledger.floor.gap.held_out
    assert gap is not None
    return gap


def test_the_gap_of_known_models_is_their_divergence(store: Store) -> None:
    assert pytest.approx(1.474, abs=5e-4) == KL
    assert pytest.approx(-0.848, abs=5e-4) == WITHOUT_ENDS
    ledger = kept(store, EndsPool(), asked())
    gap = held_out(ledger)
    assert gap.per_response == pytest.approx(KL)
    assert gap.per_byte == pytest.approx(KL / 2)  # of two letters on average
    assert gap.per_token == pytest.approx(KL / 3)  # the end is a token
    assert (gap.n_responses, gap.n_ended) == (6, 6)
    assert ledger.ends == EndCounts(counted=9)
    assert ledger.ends.so_far == ""


def test_ends_that_a_model_does_not_tell_are_said_to_be_missing(store: Store) -> None:
    ledger = kept(store, EndsPool(tells=False), asked())
    assert held_out(ledger).per_response == pytest.approx(WITHOUT_ENDS)
    assert held_out(ledger).n_ended == 0
    assert ledger.ends == EndCounts(untold=9)
    assert ledger.ends.so_far == "of the text so far in 9 of 9 responses: 9 whose end a model does not tell"


def test_a_response_that_was_cut_has_no_end(store: Store) -> None:
    ledger = kept(store, EndsPool(cut=frozenset({2})), asked())
    gap = held_out(ledger)
    assert gap.per_response == pytest.approx(KL - (KL - WITHOUT_ENDS) / 2)
    assert (gap.n_responses, gap.n_ended) == (6, 3)
    assert ledger.ends == EndCounts(counted=6, cut=3)
    assert ledger.ends.so_far == "of the text so far in 3 of 9 responses: 3 cut"


def test_neither_has_one_that_stopped_at_a_string_that_was_added(store: Store) -> None:
    teacher = replace(TEACHER, sampling=Sampling(temperature=1.0, stop=("!",)))
    ledger = kept(store, EndsPool(raw={1: "a!"}), asked(teacher=teacher))
    assert held_out(ledger).n_ended == 3
    assert ledger.ends == EndCounts(counted=6, cut=3)


def test_a_teacher_whose_layout_ends_responses_by_a_string_has_its_ends(store: Store) -> None:
    fenced = Condition("fenced", replace(TEACHER.model), Context("plain"), Sampling(temperature=1.0))
    pool = EndsPool(raw={1: "a```"})
    ledger = kept(store, pool, asked(teacher=fenced))
    assert held_out(ledger).per_response == pytest.approx(KL)
    closings = {request.closings for _, request in pool.scored if request.continuation == "a"}
    assert closings == {("```", "\n```")}


def test_each_model_is_asked_for_the_end_in_its_own_layout(store: Store) -> None:
    pool = EndsPool()
    kept(store, pool, asked())
    of_responses = [(name, r.closings) for name, r in pool.scored if r.continuation in ("a", "aaa")]
    assert set(of_responses) == {("chat", ()), ("tiny", ("```", "\n```"))}


def test_ends_are_kept_and_asked_for_once(store: Store) -> None:
    first, second = EndsPool(), EndsPool()
    ledger = kept(store, first, asked())
    assert kept(store, second, asked()) == ledger
    assert not second.scored


def test_what_was_kept_without_its_end_is_read_again(store: Store) -> None:
    kept(store, EndsPool(), asked())
    with store.db.conn:
        store.db.execute("UPDATE likelihoods SET closings = NULL, end_logprob = NULL")
    again = EndsPool()
    assert held_out(kept(store, again, asked())).per_response == pytest.approx(KL)
    assert {request.continuation for _, request in again.scored} == {"a", "aa", "aaa"}


def test_on_the_screen_the_end_is_the_last_stretch(store: Store) -> None:
    cells = [PlannedCell(0, PROMPTS[0], condition, 0, ()) for condition in (TEACHER, Condition.zero_shot(BASE))]
    pool = EndsPool()
    builder = PromptLedgerBuilder(store, pool, Preparer(store, pool, 0, None), lambda *_: None)
    page = PromptLedger(*cells, None, {0: "aaa", 1: "a"}, {0: "end", 1: "cut"})
    ended, cut = (builder.response(page, sample) for sample in (0, 1))
    assert [stretch.text for stretch in ended.stretches] == ["a", "a", "a", ""]
    assert ended.stretches[-1].bits == pytest.approx((1.0, 3.321928))
    assert ended.so_far == ""
    assert [stretch.text for stretch in cut.stretches] == ["a"]
    assert cut.so_far == "of the text so far in 1 of 1 responses: 1 cut"
    totals = builder.totals(page)
    assert totals.ends == EndCounts(counted=1, cut=1)
    assert totals.account.gap.held_out is not None
    assert totals.account.gap.held_out.n_ended == 1
