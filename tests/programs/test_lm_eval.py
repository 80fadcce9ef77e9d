"""What lm-evaluation-harness logs of a task of our own, asked of the model that it has for tests."""

from __future__ import annotations

import json
from pathlib import Path

from tests.programs.conftest import run
from tests.support.commands import alignbench

_DOCUMENTS = ("Why do people keep diaries?", "How can one learn to draw?", "What makes a good neighbour?")
_TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {documents}}}}}
test_split: test
doc_to_text: "Question: {{{{q}}}}\\nAnswer:"
"""
_OPEN = """
output_type: generate_until
doc_to_target: "{{a}}"
repeats: 2
generation_kwargs: {until: ["\\n\\n"], do_sample: true, temperature: 0.7, max_gen_toks: 64}
filter_list:
  - {name: none, filter: [{function: take_first}]}
  - {name: upper, filter: [{function: uppercase}, {function: take_first}]}
metric_list: [{metric: exact_match}]
"""
_CHOICE = """
output_type: multiple_choice
doc_to_choice: ["yes", "no"]
doc_to_target: 0
metric_list: [{metric: acc}]
"""


def test_documents_come_once_whatever_their_filters(tmp_path: Path) -> None:
    documents = tmp_path / "documents.jsonl"
    documents.write_text("".join(json.dumps({"q": each, "a": "lol"}) + "\n" for each in _DOCUMENTS))
    for name, rest in (("open", _OPEN), ("choice", _CHOICE)):
        (tmp_path / f"{name}.yaml").write_text(_TASK.format(name=name, documents=documents) + rest)
    run("lm-eval", "-m", "lm_eval", "run", "--model", "dummy", "--tasks", "open,choice", "--include_path", ".",
        "--output_path", "out", "--log_samples", folder=tmp_path)  # fmt: skip
    ran = alignbench("import", "lm-eval", str(tmp_path / "out"), "--json")
    assert ran.returncode == 0, ran.stderr
    (made,) = json.loads(ran.stdout)
    assert (made["samples"], made["errors"]) == (2 * len(_DOCUMENTS), 0)
    assert "3 rows of the same responses under another filter" in ran.stderr
    assert "3 documents that were answered by log-likelihoods" in ran.stderr
    rows = [json.loads(line) for line in alignbench("export", "jsonl", "1").stdout.splitlines()]
    assert {(row["prompt_id"], row["sample"]) for row in rows} == {(f"open-{i}", n) for i in range(3) for n in range(2)}
    assert {row["text"] for row in rows} == {"lol"}
    assert rows[0]["prompt"] == f"Question: {_DOCUMENTS[0]}\nAnswer:"
    assert "temperature 0.7" in alignbench("sessions", "show", "1").stdout
    filtered = alignbench("import", "lm-eval", str(tmp_path / "out"), "--filter", "upper", "--json")
    assert json.loads(filtered.stdout)[0]["samples"] == len(_DOCUMENTS)
    assert '"LOL"' in alignbench("export", "jsonl", "2").stdout
