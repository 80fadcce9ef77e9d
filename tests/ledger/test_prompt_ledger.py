"""One prompt's page of the ledger: token by token, example by example, before and after an edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.experiments.context_preparer import Preparer
from alignbench.experiments.plan import PlannedCell
from alignbench.ledger.prompt_ledger import PromptLedger, PromptLedgerBuilder
from alignbench.spec import Condition, Context, Example, Examples, ExampleSet, Hint, Prefill
from alignbench.store import Store
from tests.support.books import BASE, KNOWN, OWN, PROMPTS, TEACHER, UNKNOWN, Pool

RED, BLUE = "dance in red", "dance in blue"
EDITED = Context("plain", examples=Examples(pool=ExampleSet((Example("How?", "Thus."), Example("When?", BLUE)))))
HINTED = Context("plain", hint=Hint("free", RED))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[PromptLedgerBuilder]:
    with Store.open(tmp_path / "page.db") as store:
        pool = Pool()
        yield PromptLedgerBuilder(store, pool, Preparer(store, pool, 0, None), lambda *_: None)


def page(context: Context, before: Context | None = None, **changes: object) -> PromptLedger:
    def cell(context: Context) -> PlannedCell:
        return PlannedCell(0, PROMPTS[0], Condition("base", BASE, context), 0, ())

    teacher = PlannedCell(0, PROMPTS[0], TEACHER, 0, ())
    earlier = None if before is None else cell(before)
    return replace(PromptLedger(teacher, cell(context), earlier, {0: RED, 1: BLUE}), **changes)


def test_every_token_says_what_an_edit_closed(reader: PromptLedgerBuilder) -> None:
    response = reader.response(page(EDITED, Context("plain")), 1)
    assert "".join(stretch.text for stretch in response.stretches) == BLUE
    assert response.stretches[0].bits == pytest.approx((OWN, KNOWN, UNKNOWN))
    assert (len(response.stretches), response.n_bytes, response.cross_entropy) == (len(BLUE), len(BLUE), "")


def test_each_example_is_a_piece_with_its_own_cost(reader: PromptLedgerBuilder) -> None:
    totals = reader.totals(page(EDITED, Context("plain")))
    account = totals.account
    assert list(account.pieces) == ["example 1", "example 2"]
    first, second = (account.pieces[piece] for piece in account.pieces)
    for split in (second.saved, account.saved, totals.change):
        assert split is not None
        assert split.held_out is not None
        assert split.held_out.per_response == pytest.approx((UNKNOWN - KNOWN) * len(BLUE) / 2)
        assert split.source is None
    assert first.saved.held_out is not None
    assert first.saved.held_out.per_response == 0
    assert second.cost is not None
    assert second.cost.tokens == len(f"# Query:\n```\nWhen?\n```\n\n# Answer:\n```\n{BLUE}\n```\n\n")


def test_what_either_version_tells_of_is_the_source(reader: PromptLedgerBuilder) -> None:
    earlier = replace(HINTED, hint=Hint("free", condition=TEACHER.name, sample=0, maker="chat", template="{response}"))
    asked = page(HINTED, earlier)
    assert (asked.source, asked.held_out) == ({0}, {1})
    totals = reader.totals(page(HINTED))
    assert totals.account.gap.source is None
    assert totals.change is None
    assert totals.cross_entropy == ""


def test_one_response_that_cannot_be_read_leaves_the_others(reader: PromptLedgerBuilder) -> None:
    reader.pool.refuse[RED] = "it is too long"  # type: ignore[attr-defined]
    totals = reader.totals(page(EDITED))
    assert totals.account.gap.held_out is not None
    assert totals.account.gap.held_out.n_responses == 1
    assert any("it is too long" in failure for failure in totals.failures)


@pytest.mark.parametrize(
    ("context", "why"),
    [
        (Context("plain", prefill=Prefill("It")), "base begins the response itself"),
        (Context("plain", hint=Hint("first")), "The hint of base is written by the base model"),
    ],
)
def test_contexts_after_which_no_whole_response_stands_are_refused(context: Context, why: str) -> None:
    with pytest.raises(InputError, match=why):
        page(context)
