"""Where a ledger's gap is: on models whose difference is known, part by part."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from alignbench.engines.protocol import Failed, LikelihoodRequest, SampleRequest, Scored, Sink
from alignbench.ledger.accounts import NO_PARTS
from alignbench.spec import Model
from alignbench.store import Store
from tests.support.books import Pool, asked, kept
from tests.support.toy_ends import KL, WITHOUT_ENDS, EndsPool

ITEMS = "Buy:\n- tea\n- ale"


@dataclass
class ListPool(Pool):
    """Answers with a list, a token a byte, each of a bit more under the base. own_ids: the base has ids of its own."""

    own_ids: bool = False

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        self.texts = {model.name: [f"{ITEMS}{'!' * i}" for i in range(3)]}
        super(Pool, self).sample(model, request, sink)

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        def answer(scored: Scored | Failed) -> None:
            assert isinstance(scored, Scored)
            base = model.kind == "base"
            logprob = np.full(len(scored.ids), -math.log(4 if base else 2), np.float32)
            sink(replace(scored, logprob=logprob, ids=scored.ids + (base and self.own_ids)))

        super().score(model, request, answer)


def test_the_end_of_known_models_is_told_from_their_text(store: Store) -> None:
    floor = kept(store, EndsPool(), asked()).floor
    assert floor.parts_reason == ""
    bits = {part: each.per_response for part, each in floor.parts.items()}
    assert bits == pytest.approx({"opening": WITHOUT_ENDS, "format": 0.0, "end": math.log2(5), "rest": 0.0}, abs=1e-6)
    assert sum(bits.values()) == pytest.approx(KL)
    assert floor.parts["end"].share.value == pytest.approx(math.log2(5) / KL)
    assert sum(each.share.value or 0.0 for each in floor.parts.values()) == pytest.approx(1.0)


def test_a_list_has_its_marks_in_its_format(store: Store) -> None:
    floor = kept(store, ListPool(), asked()).floor
    gaps = {key: bits.by_part for key, bits in floor.gaps.items()}
    assert gaps["p0", 0] == pytest.approx({"opening": 5.0, "format": 5.0, "end": 0.0, "rest": 6.0})
    assert gaps["p0", 2] == pytest.approx({"opening": 5.0, "format": 5.0, "end": 0.0, "rest": 8.0})
    for bits in floor.gaps.values():
        assert sum((bits.by_part or {}).values()) == pytest.approx(bits.bits, abs=1e-12)


def test_another_tokenizer_has_no_parts(store: Store) -> None:
    floor = kept(store, ListPool(own_ids=True), asked()).floor
    assert floor.gap.held_out is not None
    assert (floor.parts, floor.parts_reason) == ({}, NO_PARTS)


def test_of_what_was_kept_without_the_ends_of_tokens_the_teachers_are_read_again(store: Store) -> None:
    ledger = kept(store, ListPool(), asked())
    with store.db.conn:
        store.db.execute("UPDATE likelihoods SET token_ends = NULL")
    again, last = ListPool(), ListPool()
    assert kept(store, again, asked()) == ledger
    assert {name for name, _ in again.scored} == {"chat"}
    assert len(again.scored) == 9
    assert kept(store, last, asked()) == ledger
    assert not last.scored


def test_where_they_cannot_be_read_again_the_gap_stands_without_parts(store: Store) -> None:
    ledger = kept(store, ListPool(), asked())
    with store.db.conn:
        store.db.execute("UPDATE likelihoods SET token_ends = NULL")
    floor = kept(store, Pool(refuse={f"{ITEMS}{'!' * i}": "too long" for i in range(3)}), asked()).floor
    assert floor.gap == ledger.floor.gap
    assert (floor.parts, floor.parts_reason) == ({}, NO_PARTS)
