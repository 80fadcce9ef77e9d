"""Rows as other programs write them, by their documented layouts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.importing.responses import ImportedResponses
from alignbench.importing.stream import save_responses
from alignbench.store import SampleRow, Store


def lines(path: Path, *rows: Mapping[str, Any]) -> Path:
    """A JSONL file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def imported(
    stream: Callable[[Sequence[Path]], ImportedResponses], *paths: Path, base: Sequence[str] = ()
) -> tuple[list[SampleRow], Store, list[str]]:
    """The samples of what is read, their store, and the notes."""
    store = Store.in_memory()
    responses = stream(paths)
    session = save_responses(store, responses, base).session
    return [*store.samples(session)], store, [*responses.all_notes]


def generations(**changes: Any) -> dict[str, Any]:
    """A row of NoveltyBench."""
    row = {"id": "curated-1", "prompt": "Name a bird.", "model": "gpt-4o", "generations": ["Wren", "Owl"]}
    return row | changes


def document(**changes: Any) -> dict[str, Any]:
    """A row of lm-evaluation-harness."""
    settings = {"until": ["\n\n"], "do_sample": False, "max_gen_toks": 64}
    row = {
        "doc_id": 0,
        "doc": {"q": "Why?"},
        "target": "So",
        "arguments": {"gen_args_0": {"arg_0": "Question: Why?\nAnswer:", "arg_1": settings}},
        "resps": [["So.", "Because."]],
        "filtered_resps": ["So."],
        "filter": "none",
        "metrics": ["exact_match"],
        "exact_match": 0.0,
    }
    return row | changes


def batch_request(id: str = "q1", **body: Any) -> dict[str, Any]:
    """A request of an OpenAI batch."""
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    body = {"model": "gpt-4o", "messages": asked, "temperature": 0.5, "max_tokens": 20, "seed": 3} | body
    return {"custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def batch_result(id: str = "q1", *texts: str, **changes: Any) -> dict[str, Any]:
    """A result of an OpenAI batch."""
    choices = [
        {"index": i, "message": {"role": "assistant", "content": text, "refusal": None}, "finish_reason": "stop"}
        for i, text in enumerate(texts or ("So.",))
    ]
    usage = {"prompt_tokens": 9, "completion_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 10}}
    body = {"id": "chatcmpl-1", "model": "gpt-4o-2024", "choices": choices, "usage": usage}
    response = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": f"batch_{id}", "custom_id": id, "response": response, "error": None} | changes


def promptfoo_result(**changes: Any) -> dict[str, Any]:
    """A result of promptfoo."""
    row = {
        "promptIdx": 0,
        "testIdx": 0,
        "provider": {"id": "openai:gpt-4o", "label": "big"},
        "prompt": {"raw": "Why?", "label": "Why?"},
        "vars": {},
        "response": {
            "output": "So.",
            "tokenUsage": {"total": 14, "prompt": 9, "completion": 5},
            "finishReason": "length",
            "logProbs": [-0.5, -0.25],
        },
        "error": None,
        "failureReason": 0,
        "success": True,
        "score": 1,
        "latencyMs": 1500,
    }
    return row | changes


def promptfoo_file(path: Path, *results: Mapping[str, Any]) -> Path:
    """What `promptfoo eval -o results.json` writes."""
    config = {"providers": [{"id": "openai:gpt-4o", "label": "big", "config": {"temperature": 0.5, "max_tokens": 20}}]}
    inner = {"version": 3, "timestamp": "2026-01-01T00:00:00Z", "prompts": [], "results": results, "stats": {}}
    path.write_text(json.dumps({"evalId": "eval-1", "results": inner, "config": config, "shareableUrl": None}))
    return path


def logged(**changes: Any) -> dict[str, Any]:
    """A response of `llm logs --json`."""
    row = {
        "id": "01a",
        "model": "gpt-4o",
        "resolved_model": "gpt-4o-2024",
        "prompt": "Why?",
        "system": "Be brief.",
        "prompt_json": None,
        "options_json": {"temperature": 0.5, "seed": 4},
        "response": "So.",
        "response_json": None,
        "conversation_id": "c1",
        "duration_ms": 1500,
        "datetime_utc": "2026-01-01T00:00:00",
        "input_tokens": 9,
        "output_tokens": 5,
        "attachments": [],
        "prompt_fragments": [],
        "system_fragments": [],
        "tool_calls": [],
        "tool_results": [],
    }
    return row | changes
