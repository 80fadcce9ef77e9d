"""Files of other programs, by their documented layouts; tests/programs has those that the programs make themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alignbench.errors import InputError
from alignbench.importing.llm_logs import stream_llm
from alignbench.importing.lm_eval import stream_lm_eval
from alignbench.importing.novelty import stream_novelty
from alignbench.importing.openai_batch import stream_openai_batch
from alignbench.importing.promptfoo import stream_promptfoo
from alignbench.importing.responses import ImportedResponses
from alignbench.importing.stream import save_responses
from alignbench.store import Store
from tests.support.other_programs import (
    batch_request,
    batch_result,
    document,
    generations,
    imported,
    lines,
    logged,
    promptfoo_file,
    promptfoo_result,
)

Stream = Callable[[Sequence[Path]], ImportedResponses]


def test_novelty_generations_are_samples_and_each_model_a_condition(tmp_path: Path) -> None:
    first = lines(
        tmp_path / "a.jsonl", generations(), generations(id=2, prompt="Name a fish.", generations=["Eel", None])
    )
    second = lines(tmp_path / "b.jsonl", generations(model="base", generations=["Crow"], scores=[1]), generations(
        id="curated-9", prompt="Name a tree.", generations=None))  # fmt: skip
    rows, store, notes = imported(stream_novelty, first, second, base=["base"])
    assert [(r.condition, r.prompt_id, r.sample, r.text, r.status) for r in rows] == [
        ("gpt-4o", "curated-1", 0, "Wren", "done"),
        ("gpt-4o", "curated-1", 1, "Owl", "done"),
        ("gpt-4o", "2", 0, "Eel", "done"),
        ("gpt-4o", "2", 1, "", "error"),
        ("base", "curated-1", 0, "Crow", "done"),
    ]
    assert store.session(1).reference == "gpt-4o"
    assert [condition.model.kind for condition in store.conditions(1)] == ["aligned", "base"]
    assert notes == [
        "not imported: 1 rows without a generation, which failed",
        "not imported: 1 values of the field 'scores'",
    ]


def test_lm_eval_documents_come_once_with_all_that_was_said(tmp_path: Path) -> None:
    upper = document(filter="upper", filtered_resps=["SO."])
    options = document(doc_id=1, arguments={"gen_args_0": {"arg_0": "Q", "arg_1": " yes"}}, resps=[[["-1.0", "False"]]])
    file = lines(tmp_path / "samples_ours_2026-01-02T03-04-05.678.jsonl", document(), upper, options)
    (tmp_path / "results_2026-01-02T03-04-05.678.json").write_text(
        json.dumps({"model_name": "org/tiny", "config": {"model": "hf", "random_seed": 0}})
    )
    rows, store, notes = imported(stream_lm_eval, file)
    assert [(r.condition, r.prompt_id, r.text) for r in rows] == [
        ("org/tiny", "ours-0", "So."), ("org/tiny", "ours-0", "Because."),
    ]  # fmt: skip
    settings = store.conditions(1)[0].settings
    assert (settings["temperature"], settings["max_tokens"], settings["stop"]) == (0.0, 64, ("\n\n",))
    assert settings["top_p"] is None
    assert store.manifest(1)["imported"]["conditions"]["org/tiny"]["lm_eval"] == {"model": "hf"}
    assert any("none, upper" in note for note in notes)
    assert "not imported: 1 documents that were answered by log-likelihoods of given texts" in notes
    (row,), _, _ = imported(partial(stream_lm_eval, filter="upper"), file)
    assert (row.text, row.raw_text) == ("SO.", "SO.")
    with pytest.raises(InputError, match=r"--filter uper: .*Did you mean upper"):
        imported(partial(stream_lm_eval, filter="uper"), file)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ("model=tiny,api_key=sk-1,base_url=http://me:pw@host/v1", "model=tiny,api_key=***,base_url=http://***@host/v1"),
        ({"model": "tiny", "api_key": "sk-1"}, {"model": "tiny", "api_key": "***"}),
        ("tiny", "tiny"),
    ],
)
def test_lm_eval_arguments_are_kept_without_their_secrets(tmp_path: Path, arguments: object, kept: object) -> None:
    file = lines(tmp_path / "samples_ours_2026-01-02T03-04-05.678.jsonl", document())
    (tmp_path / "results_2026-01-02T03-04-05.678.json").write_text(
        json.dumps({"model_name": "tiny", "config": {"model_args": arguments}})
    )
    _, store, _ = imported(stream_lm_eval, file)
    assert store.manifest(1)["imported"]["conditions"]["tiny"]["lm_eval"] == {"model_args": kept}


def test_promptfoo_keeps_failures_apart_from_tests_that_did_not_pass(tmp_path: Path) -> None:
    chat = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How?"}])
    file = promptfoo_file(
        tmp_path / "results.json",
        promptfoo_result(),
        promptfoo_result(testIdx=1, prompt={"raw": chat}, error="not equal", failureReason=1, success=False),
        promptfoo_result(testIdx=2, prompt={"raw": "Who?"}, response={"error": "overloaded"}, error="overloaded"),
        promptfoo_result(provider={"id": "echo"}, response={"output": {"a": 1}, "cached": True}),
    )
    rows, store, notes = imported(stream_promptfoo, file)
    assert [(r.condition, r.prompt_id, r.text, r.error) for r in rows] == [
        ("big", "test-0", "So.", None),
        ("big", "test-1", "So.", None),
        ("big", "test-2", "", "overloaded"),
        ("echo", "test-0", '{"a": 1}', None),
    ]
    assert (rows[0].finish_reason, rows[0].n_tokens, rows[0].seconds, rows[0].logprob) == ("length", 5, 1.5, -0.75)
    assert (rows[3].seconds, rows[3].n_tokens) == (None, None)
    assert store.conditions(1)[0].settings["temperature"] == 0.5
    assert [prompt.system for prompt in store.prompts(1)] == ["", "Be brief.", ""]
    assert "not imported: 4 scores and verdicts of tests" in notes
    again, _, _ = imported(stream_promptfoo, lines(tmp_path / "results.jsonl", promptfoo_result()))
    assert [row.text for row in again] == ["So."]


def test_a_batch_is_joined_and_what_failed_or_never_came_is_an_error(tmp_path: Path) -> None:
    requests = lines(tmp_path / "in.jsonl", *(batch_request(id) for id in ("q1", "q2", "q3")), batch_request("q4", n=2))
    failed = batch_result("q2", response={"status_code": 400, "body": {"error": {"message": "too long", "code": "x"}}})
    results = lines(tmp_path / "out.jsonl", failed, batch_result("q4", "One.", "Two."), batch_result("q1"))
    rows, store, _ = imported(stream_openai_batch, results, requests)
    told = {(r.text, r.error, r.seed, r.n_tokens, r.n_thinking_tokens) for r in rows}
    assert told == {
        ("", "too long (x)", None, None, None),
        ("One.", None, 3, None, None),
        ("Two.", None, 4, None, None),
        ("So.", None, 3, 2, 10),
        ("", "there is no result of this request", None, None, None),
    }
    assert {row.prompt_id for row in rows} == {"q2"}  # one text: the id of the first request that asked it
    assert {prompt.system for prompt in store.prompts(1)} == {"Be brief."}
    assert store.conditions(1)[0].settings["max_tokens"] == 20


def test_other_settings_of_a_model_are_a_condition_of_their_own(tmp_path: Path) -> None:
    requests = lines(tmp_path / "in.jsonl", batch_request("a"), batch_request("b", temperature=1), batch_request("c"))
    results = lines(tmp_path / "out.jsonl", *(batch_result(id) for id in "abc"))
    rows, _, _ = imported(stream_openai_batch, requests, results)
    assert [(row.condition, row.sample) for row in rows] == [("gpt-4o", 0), ("gpt-4o", 1), ("gpt-4o, T 1", 0)]


def test_llm_conversations_are_the_turns_before_a_prompt(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    later = logged(id="01b", prompt="And how?", response="Thus.", datetime_utc="2026-01-01T00:01:00")
    pieces = logged(id="01c", conversation_id="c2", prompt_fragments=[{"hash": "x", "content": "..."}])
    log.write_text(json.dumps([logged(), later, pieces, logged()], indent=2))
    rows, store, notes = imported(stream_llm, log)
    assert [(r.text, r.seed, r.n_prompt_tokens, r.n_tokens, r.seconds) for r in rows] == [
        ("So.", 4, 9, 5, 1.5), ("Thus.", 4, 9, 5, 1.5),
    ]  # fmt: skip
    assert [[turn.content for turn in prompt.messages] for prompt in store.prompts(1)] == [
        ["Be brief.", "Why?"], ["Be brief.", "Why?", "So.", "And how?"],
    ]  # fmt: skip
    assert notes == [
        "not imported: 1 responses that are there twice, by the id that their program gave them",
        "not imported: 1 responses with fragments",
    ]


_BROKEN: list[tuple[Stream, dict[str, Any], str]] = [
    (stream_novelty, {"id": 1, "prompt": "Why?", "model": "m", "generation": []},
     'line 2, field "generations": missing.*Did you mean generation'),
    (stream_novelty, generations(generations="Wren"), 'line 2, field "generations": a text; expected a list'),
    (stream_novelty, generations(generations=[1]), r'line 2, field "generations\[0\]": a number'),
    (stream_lm_eval, document(doc_id="x"), 'line 2, field "doc_id": a text; expected a whole number'),
    (stream_lm_eval, {"docid": 1}, 'line 2, field "doc_id": missing'),
    (stream_promptfoo, {"provider": {}, "prompt": {}}, 'line 2, field "provider.id": null'),
    (stream_llm, {"model": "m", "prompt": "p", "respons": "r"},
     'line 2, field "response": missing.*Did you mean respons'),
]  # fmt: skip
_WHOLE = {
    stream_novelty: generations(),
    stream_lm_eval: document(),
    stream_promptfoo: promptfoo_result(),
    stream_llm: logged(),
}


@pytest.mark.parametrize(("stream", "row", "message"), _BROKEN)
def test_what_is_wrong_is_named_and_nothing_is_left(
    tmp_path: Path, stream: Stream, row: dict[str, Any], message: str
) -> None:
    file = lines(tmp_path / "file.jsonl", _WHOLE[stream], row)
    store = Store.in_memory()
    with pytest.raises(InputError, match=message):
        save_responses(store, stream([file]))
    assert store.sessions() == []


@pytest.mark.parametrize(
    ("requests", "results", "message"),
    [
        ([batch_request()], [batch_result("q7")], "'q7' is the id of no request.*Did you mean q1"),
        (
            [batch_request(), batch_request()],
            [batch_result()],
            r"in\.jsonl, line 2, field \"custom_id\": 'q1' stands in",
        ),
        (
            [batch_request()],
            [batch_result(), batch_result()],
            r"out\.jsonl, line 2, field \"custom_id\": 'q1' has a result",
        ),
        ([batch_request()], [batch_request("q2")], r"no file of results \(with response\) among them"),
        ([batch_request()], [{"id": 1}], r"out\.jsonl, line 1: expected a request or a result"),
        ([batch_request(model=None)], [batch_result()], 'field "body.model": null'),
    ],
)
def test_a_batch_that_does_not_fit_together(
    tmp_path: Path, requests: list[dict[str, Any]], results: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        imported(stream_openai_batch, lines(tmp_path / "in.jsonl", *requests), lines(tmp_path / "out.jsonl", *results))


def test_a_wrong_file_says_what_was_expected(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text('{"result": []}')
    with pytest.raises(InputError, match=r'field "results.results": missing; .*Did you mean result'):
        imported(stream_promptfoo, file)
    file.write_text("[{}, 3]")
    with pytest.raises(InputError, match=r'entry 1 \(line 1\), field "model": missing'):
        imported(stream_llm, file)
    for text, message in (
        (f"[{json.dumps(logged())},\n 3]", r"entry 2 \(line 2\): a number; expected an object"),
        (f"[{json.dumps(logged())}\n", "line 2: not JSON"),
        (f"[{json.dumps(logged())}] x", "line 1: not JSON: Extra data"),
        ('[{"model": "m", "model": "m"}]', "entry 1, field 'model': it is there twice"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            imported(stream_llm, file)
    file.write_bytes(json.dumps(logged()).encode() + b'\n{"model": "caf\xe9"}\n')
    with pytest.raises(InputError, match=r"line 2: byte 0xe9 at offset \d+ is not UTF-8"):
        imported(stream_llm, file)
