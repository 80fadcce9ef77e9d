"""Rows that are read one at a time make the session that they make together."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from alignbench.errors import InputError
from alignbench.importing import stream
from alignbench.importing.jsonl import stream_jsonl
from alignbench.importing.save import save_import
from alignbench.importing.stream import save_responses
from alignbench.store import Store
from tests.support.collected import read_jsonl
from tests.support.other_programs import lines


def row(id: str, condition: str, **changes: Any) -> dict[str, Any]:
    return {"prompt_id": id, "prompt": f"Why {id}?", "condition": condition, "text": f"{id} {condition}", **changes}


ROWS = [
    row("a", "one", sample=2, kind="base", seed=7, n_tokens=3, n_prompt_tokens=4, seconds=0.5, logprob=-2.5),
    row("b", "two", finish_reason="stop"),
    row("a", "one", sample=0, kind="base", text="", status="error", error="overflow"),
    row("a", "one", sample=1, kind="base", thinking="hm", refused=True, note="cut"),
    row("b", "two", sample=0, text="again"),
    row("a", "two", sample=1),
    row("a", "two", sample=1, text="the same number"),
]


@pytest.mark.parametrize("cells", [1, 50_000])
def test_it_is_the_same_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(stream, "_CELLS", cells)
    monkeypatch.setattr(stream, "_BATCH", 2)
    file = lines(tmp_path / "mine.jsonl", *ROWS)
    store = Store.in_memory()
    whole = read_jsonl(file)
    responses = stream_jsonl([file])
    first, second = save_import(store, whole).session, save_responses(store, responses).session
    told = [
        {
            (r.condition, r.prompt_id, r.sample): (r.text, r.error, r.seed, r.n_tokens, r.n_prompt_tokens, r.seconds,
                                                   r.logprob, r.thinking, r.refused, r.note, r.finish_reason)
            for r in store.samples(session)
        }
        for session in (first, second)
    ]  # fmt: skip
    assert told[0] == told[1]
    assert told[0]["one", "a", 2][2:7] == (7, 3, 4, 0.5, -2.5)
    assert {(c.prompt_id, c.condition, c.n) for c in store.cells(first)} == {
        (c.prompt_id, c.condition, c.n) for c in store.cells(second)
    }
    assert store.conditions(first) == store.conditions(second)
    assert store.session(first).reference == store.session(second).reference == "two"
    assert (
        [*whole.notes]
        == [*responses.all_notes]
        == ["two: rows of 1 prompt give one sample number twice; all are kept, numbered in their order"]
    )
    facts = [store.manifest(session)["imported"]["conditions"] for session in (first, second)]
    assert facts[0] == facts[1]


def test_an_id_that_stands_for_two_texts_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    file = lines(tmp_path / "mine.jsonl", row("a", "one"), row("a", "two", prompt="Another?"))
    store = Store.in_memory()
    with pytest.raises(InputError, match=r"line 2.*'a' stood for another prompt before"):
        save_responses(store, stream_jsonl([file]))
    assert store.sessions() == []


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        file = tmp_path / f"{n}.jsonl"
        with file.open("w") as out:
            for i in range(n):
                out.write(f'{{"prompt_id": "q", "prompt": "Why?", "condition": "c", "text": "{i} {"word " * 400}"}}\n')
        with Store.open(tmp_path / f"{n}.db") as store:
            tracemalloc.start()
            assert save_responses(store, stream_jsonl([file])).samples == n
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return most

    monkey_batch, stream._BATCH = stream._BATCH, 100
    try:
        peak(50)
        assert peak(2_000) < 2 * peak(400)  # a file of 4 MB, and one of a fifth of that
    finally:
        stream._BATCH = monkey_batch
