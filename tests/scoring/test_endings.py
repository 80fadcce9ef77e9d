"""How a stored sample ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.engines.protocol import FinishReason
from alignbench.scoring.endings import EndCounts, Ending, ended_shares, ending
from alignbench.spec import Condition, Context, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support.samples import result

LOCAL, SERVER = Model("m", "llama:/m.gguf", "base"), Model("s", "openai:http://h/v1#m", "base")
CHAT, PLAIN, STOPPED = Context("chat"), Context("plain"), Context("chat", stops=("User:",))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept.db") as store:
        yield store


@pytest.mark.parametrize(
    ("model", "context", "stop", "raw", "reason", "expected"),
    [
        (LOCAL, CHAT, (), "Yes.", "stop", "end"),
        (LOCAL, CHAT, ("\n\n",), "Yes.", "stop", "end"),
        (LOCAL, CHAT, (), "Yes.", "length", "cut"),
        (LOCAL, CHAT, ("\n\n",), "Yes.\n\nNo", "stop", "cut"),
        (LOCAL, PLAIN, (), "Yes.```\n", "stop", "end"),
        (LOCAL, PLAIN, ("```",), "Yes.```\n", "stop", "end"),
        (LOCAL, PLAIN, ("#",), "Yes.# Query", "stop", "cut"),
        (LOCAL, STOPPED, (), "Yes.User:", "stop", "end"),
        (SERVER, PLAIN, (), "Yes.", "stop", "end"),
        (SERVER, PLAIN, ("\n\n",), "Yes.", "stop", "unknown"),
        (Model("i", "imported:i", "aligned"), CHAT, (), "Yes.", "stop", "unknown"),
        (LOCAL, Context("chat", thinking_end="</t>"), (), "Hm.</t>\nYes. ", "stop", "end"),
        (LOCAL, Context("plain", thinking_end="</t>"), (), "Hm.</t>\nYes.\n```", "stop", "end"),
        (LOCAL, Context("chat", thinking_end="</t>"), ("#",), "Hm.</t>\nYes.\n# and", "stop", "cut"),
    ],
)
def test_how_a_sample_ended(
    store: Store, model: Model, context: Context, stop: tuple[str, ...], raw: str, reason: FinishReason,
    expected: Ending,
) -> None:  # fmt: skip
    condition = Condition("c", model, context, Sampling(stop=stop))
    cell = store.add_cell(store.create_session("s"), Prompt("p", "Why?"), condition, 1)
    row = store.add_sample(cell, result(0, "Yes.", reason, raw_text=raw))
    assert ending(row, condition) == expected


def test_an_answer_that_the_thoughts_begin_with_ended_all_the_same(store: Store) -> None:
    condition = Condition("c", LOCAL, Context("chat", thinking_end="</t>"))
    cell = store.add_cell(store.create_session("s"), Prompt("p", "Why?"), condition, 1)
    drawn = replace(result(0, "Yes.", raw_text="Yes. So:</t>Yes."), thinking="Yes. So:")
    assert ending(store.add_sample(cell, drawn), condition) == "end"


def test_ends_are_counted_by_why_they_are_missing() -> None:
    counts = EndCounts.of([("end", True), ("end", True), ("end", False), ("cut", False), ("unknown", False)])
    assert counts == EndCounts(counted=2, cut=1, unknown=1, untold=1)
    assert counts.so_far == (
        "of the text so far in 3 of 5 responses: 1 cut, 1 whose end is not recorded, 1 whose end a model does not tell"
    )


def test_shares_of_what_ended_by_itself(store: Store) -> None:
    """Of finished responses; nobody knows a share where it is not known of one."""
    number = store.create_session("s")
    local = Condition("here", LOCAL, CHAT)
    server = Condition("there", SERVER, PLAIN, Sampling(stop=("\n\n",)))
    for condition in (local, server):
        for prompt, reasons in (("p0", ("stop", "length", "stop", "stop")), ("p1", ("length", "length")), ("p2", ())):
            cell = store.add_cell(number, Prompt(prompt, f"Why {prompt}?"), condition, 5)
            for i, reason in enumerate(reasons):
                store.add_sample(cell, result(i, "Yes.", reason, raw_text="Yes."))
            store.add_error(cell, 4, "overflow")
    shares = ended_shares(store, number, ["here", "there"])
    assert shares == {"here": {"p0": 0.75, "p1": 0.0}, "there": {"p0": None, "p1": 0.0}}
    assert ended_shares(store, number, ["here"]) == {"here": shares["here"]}
