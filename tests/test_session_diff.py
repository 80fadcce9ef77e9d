"""Two sessions beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.session_diff import ConditionDiff, SessionDiff, compare_sessions
from alignbench.spec import Condition, Context, Prompt, Sampling
from alignbench.store import Store
from tests.support.samples import ALIGNED, BASE, result

PROMPTS = [Prompt("q1", "Why?"), Prompt("q2", "How?")]
CONDITION = Condition.zero_shot(BASE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "alignbench.db") as store:
        yield store


def test_what_differs_and_what_is_the_same(store: Store) -> None:
    first, second = store.create_session("first"), store.create_session("second")
    hot = replace(CONDITION, sampling=Sampling(temperature=1.0), context=Context("plain", instruction="Be brief."))
    for session, prompts, same, changed in (
        (first, PROMPTS, replace(CONDITION, name="a"), Condition.zero_shot(ALIGNED)),
        (second, [replace(PROMPTS[0], id="other"), Prompt("q2", "When?")], replace(CONDITION, name="b"),
         replace(hot, name="demo-smollm2")),
    ):  # fmt: skip
        for prompt in prompts:
            cell = store.add_cell(session, prompt, same, 3)
            store.add_sample(cell, result(0, "equal"))
            store.add_sample(cell, result(1, f"of {session}"))
            store.add_sample(cell, result(2, "equal", "cancelled"))
            store.add_sample(store.add_cell(session, prompt, changed, 3), result(0, "equal"))
    store.add_cell(second, Prompt.typed(PROMPTS[0].text), replace(CONDITION, name="new", seed=5), 1)
    assert compare_sessions(store, first, second) == SessionDiff(
        sessions=(first, second),
        prompts=1,
        only_prompts=(("q2",), ("q2",)),
        conditions=(
            ConditionDiff(("a", "b"), {}, 1, 1),
            ConditionDiff(
                ("demo-smollm2", "demo-smollm2"),
                {
                    "model": ("demo-smollm2", "demo-base"),
                    "context.template": ("chat", "plain"),
                    "context.instruction": (None, "Be brief."),
                    "temperature": (0.7, 1.0),
                },
                1,
                0,
            ),
        ),
        only_conditions=((), ("new",)),
    )
    with pytest.raises(InputError, match="There is no session 9"):
        compare_sessions(store, first, 9)
