"""What log-probs say of options is kept with its cell and goes where the cell goes."""

from __future__ import annotations

import pytest

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.spec import Condition, Prompt
from alignbench.store import OptionMasses, Store
from tests.support.samples import ALIGNED, BASE

OPTIONS = AnswerOptions((AnswerOption("Red"), AnswerOption("Green"))).in_order((0, 1), "q")
QUESTION = Prompt("q", "Which?\n\nA. Red\nB. Green", "mine", OPTIONS)
BASE_CONDITION = Condition.zero_shot(BASE)
READ = OptionMasses("q", BASE_CONDITION.name, "logprob", "weights", (0.1, 1 / 3), 0.5)


@pytest.fixture
def read(store: Store, session: int) -> int:
    """The id of a cell that has a reading and no sample."""
    cell = store.add_cell(session, QUESTION, BASE_CONDITION, 0)
    store.add_option_masses(session, [(cell, READ)])
    return cell


def test_a_reading_is_kept_as_it_is_and_another_one_replaces_it(store: Store, session: int, read: int) -> None:
    assert store.option_masses(session) == [READ]
    assert store.option_masses(session, "another") == []
    other = OptionMasses("q", BASE_CONDITION.name, "logprob", "other weights", (0.5, 0.5), 0.0)
    store.add_option_masses(session, [(read, other)])
    assert store.option_masses(session, BASE_CONDITION.name) == [other]
    store.drop_option_masses(session, BASE_CONDITION.name, "another way")
    assert store.has_option_masses(session)
    store.drop_option_masses(session, BASE_CONDITION.name, "logprob")
    assert not store.has_option_masses(session)


def test_a_session_or_condition_that_was_read_is_not_empty(store: Store, session: int, read: int) -> None:
    store.drop_session_if_empty(session)
    assert not store.drop_condition_if_empty(session, BASE_CONDITION.name)
    assert store.option_masses(session) == [READ]
    store.drop_option_masses(session, BASE_CONDITION.name, "logprob")
    assert store.drop_condition_if_empty(session, BASE_CONDITION.name)
    store.drop_session_if_empty(session)
    assert store.sessions() == []
    assert read


@pytest.mark.usefixtures("read")
def test_a_reading_goes_with_its_session_into_a_merged_one(store: Store, session: int) -> None:
    second = store.create_session("second")
    store.add_cell(second, QUESTION, Condition.zero_shot(ALIGNED), 1)
    merged = store.merge_sessions([session, second], "both")
    assert store.option_masses(merged) == [READ]
    store.delete_session(session)
    assert store.option_masses(merged) == [READ]
    store.delete_session(merged)
    assert not store.db.execute("SELECT * FROM option_masses").fetchall()


@pytest.mark.parametrize("reading", ["{", '{"masses": [0.1], "outside": 0.9}', '{"masses": [0.1, 7], "outside": 0.9}'])
def test_one_that_cannot_be_read_is_left_out_and_said(store: Store, session: int, read: int, reading: str) -> None:
    store.db.execute("UPDATE option_masses SET reading = ?", [reading])
    assert store.option_masses(session) == []
    assert any(f"the log-probs of options of cell {read}" in note for note in store.damage)
