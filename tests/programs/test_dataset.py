"""A dataset that we export is loaded by `datasets`, with the types that its card says."""

from __future__ import annotations

import json
from pathlib import Path

from alignbench.importing.jsonl import stream_jsonl
from alignbench.importing.stream import save_responses
from alignbench.store import Store
from tests.programs.conftest import run
from tests.support.commands import alignbench

_LOAD = """
import json
from datasets import load_dataset
rows = load_dataset("ours")["train"]
print(json.dumps([{name: str(kind) for name, kind in rows.features.items()}, [*rows]]))
"""


def test_a_dataset_is_loaded(tmp_path: Path) -> None:
    file, db = tmp_path / "rows.jsonl", tmp_path / "own.db"
    common = {"prompt": "Why?", "condition": "ours"}
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    file.write_text("".join(json.dumps({**common, **row}) + "\n" for row in (
        {"prompt_id": "q1", "text": "So: [x]\u2028\n\ud83d", "seed": 7},
        {"prompt_id": "q2", "text": "Because.", "messages": asked},
        {"prompt_id": "q3", "text": "A", "options": ["A", "B"]},
    )))  # fmt: skip
    with Store.open(db) as store:
        save_responses(store, stream_jsonl([file]))
    ran = alignbench("export", "hf", "1", "-o", str(tmp_path / "ours"), "--db", str(db))
    assert ran.returncode == 0, ran.stderr
    types, rows = json.loads(run("lm-eval", "-c", _LOAD, folder=tmp_path))
    assert (types["text"], types["seed"], types["logprob"]) == ("Value('string')", "Value('int64')", "Value('float64')")
    assert [row["seed"] for row in rows] == [7, None, None]
    assert rows[0]["text"] == "So: [x]\u2028\n\ufffd"
    assert rows[1]["messages"] == asked
    assert json.loads(rows[2]["options"])[0]["text"] == "A"
