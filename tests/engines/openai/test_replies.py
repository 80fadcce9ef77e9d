"""What servers answer, in all the ways that were met: it is an answer, or one clear message, never half of one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.openai import http
from alignbench.engines.openai.choices import Piece
from alignbench.engines.openai.engine import OpenAIEngine
from alignbench.engines.openai.streamed_sample import StreamedSample
from alignbench.engines.protocol import Event, Failed, SampleRequest, SampleResult
from alignbench.engines.thoughts import ThoughtMarks, answer_alone
from alignbench.spec import Model, Sampling
from tests.support.driving import results
from tests.support.server import DONE, MODEL, Reply, ScriptedServer, as_json, event
from tests.support.waiting import LIMIT


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def engine(server: ScriptedServer) -> Iterator[OpenAIEngine]:
    engine = OpenAIEngine(Model("m", f"openai:{server.url}#{MODEL}", "aligned"), Cancellation())
    yield engine
    engine.close()


def request(n: int = 1, max_tokens: int = 64, thinking_end: str = "") -> SampleRequest:
    return SampleRequest(
        1, "", "", Sampling(max_tokens=max_tokens), (), tuple(range(n)), 0, 1,
        messages=(("user", "why?"),), thinking_end=thinking_end,
    )  # fmt: skip


def said(finish: object = None, *, index: object = 0, logprobs: object = None, **delta: object) -> bytes:
    """An event of a chat with these fields of its delta."""
    return event([{"index": index, "delta": delta, "finish_reason": finish, "logprobs": logprobs}])


def chat_logprobs(*tokens: tuple[str, object]) -> dict[str, object]:
    return {"content": [{"token": token, "logprob": value} for token, value in tokens]}


STOP = said("stop")


@pytest.fixture
def reply(server: ScriptedServer, engine: OpenAIEngine) -> Any:
    """Plays these pieces for every try."""

    def reply(*pieces: bytes, asked: SampleRequest | None = None, **fields: Any) -> list[Event]:
        asked = asked or request()
        server.script.extend([Reply(pieces=pieces, **fields)] * 8)
        return list(engine.sample([asked]))

    return reply


def one(events: Sequence[Event]) -> SampleResult:
    return results(list(events))[0]


def broken(events: Sequence[Event]) -> SampleResult:
    """The one sample of a request that failed."""
    assert isinstance(events[-1], Failed), events[-1]
    (result,) = events[-1].broken
    assert result.finish_reason == "error"
    assert result.error == events[-1].message
    return result


# Streams


@pytest.mark.parametrize(
    "pieces",
    [
        [said(content="Hello"), b"data:\n\n", b"data: \n\n", said(content=" there."), STOP, DONE],
        [b"\xef\xbb\xbf" + said(content="Hello"), said(content=" there."), STOP, DONE],
        [said(content="Hello"), b"data: ping\n\n", b"event: ping\ndata: 17\n\n", said(content=" there."), STOP, DONE],
        [said(content="Hello").replace(b"\n", b"\r"), said(content=" there.").replace(b"\n", b"\r"), STOP, DONE],
        [said(content="Hello"), event([None]), said(content=None), said(content=" there."), STOP, DONE],  # type: ignore[list-item]
        [said(content="Hello"), said(content=" there.", finish=""), said("stop"), DONE.strip()],
        [said(content="Hello"), said(content=" there."), STOP],
        [said("stop", content="Hello"), said("stop", content=" there."), DONE],
        [said("null", content="Hello"), said("STOP", content=" there."), DONE],
        [said(content="Hello", index="0"), said(content=" there.", index=0.0), STOP, DONE],
        [said(content="Hello", index=None), said(content=" there.", index=None), STOP, DONE],
        [said(content="Hello"), said(content="other", index=1), said(content=" there."), STOP, DONE],
        [said(content=["Hello", {"type": "text", "text": " "}, None]), said(content={"text": "there."}), STOP, DONE],
        [said(content="Hello"), said(content=" there."), said({"type": "stop", "matched": 2}), DONE],
        [event([{"index": 0, "message": {"content": "Hello there."}, "finish_reason": "stop"}]), DONE],
        [said(content="Hello there."), event([{"delta": {"content": "x"}, "message": {"content": "Hello there."},
                                               "finish_reason": "stop"}]), DONE],
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_an_answer_in_a_stream(pieces: list[bytes], kind: str, reply: Any) -> None:
    result = one(reply(*pieces, kind=kind))
    assert (result.text, result.raw_text, result.finish_reason) == ("Hello there.", "Hello there.", "stop")
    assert (result.note, result.refused, result.thinking) == ("", False, None)


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/plain"])
def test_json_in_place_of_a_stream(kind: str, reply: Any) -> None:
    message = {"index": 0, "message": {"content": "all at once"}, "finish_reason": "stop"}
    body = json.dumps({"choices": [message], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}, indent=1).encode()
    result = one(reply(body[:9], body[9:], kind=kind))
    assert (result.text, result.n_prompt_tokens, result.n_tokens) == ("all at once", 3, 4)


def test_a_stream_may_be_compressed(reply: Any) -> None:
    import gzip

    body = gzip.compress(said(content="größer 🙂") + STOP + DONE)
    pieces = [body[i : i + 1] for i in range(len(body))]
    assert one(reply(*pieces, headers={"Content-Encoding": "gzip"})).text == "größer 🙂"


@pytest.mark.parametrize(
    ("event", "said_of_it"),
    [
        (b'event: error\ndata: {"error": {"message": "out of memory", "code": 400}}\n\n', "out of memory"),
        (b'event: error\ndata: {"message": "out of memory"}\n\n', "out of memory"),
        (b"event: error\ndata: out of memory\n\n", "out of memory"),
        (b'data: {"error": {"message": "out of memory", "code": 400}}\n\n', "out of memory"),
        (b'data: {"choices": ' + b"[" * 100_000 + b"\n\n", "nested too deeply"),
        (b"data: [1]\n\n", "which is no event"),
    ],
)
def test_an_error_in_a_stream_keeps_what_had_come(event: bytes, said_of_it: str, reply: Any) -> None:
    result = broken(reply(said(content="Half"), event, DONE))
    assert said_of_it in result.error
    assert (result.text, result.raw_text) == ("Half", "Half")


@pytest.mark.parametrize("halves", [("smile \\ud83d", "\\ude00 end"), ("smile \\ud83d\\ude00", " end")])
def test_a_character_in_two_halves(halves: tuple[str, str], reply: Any) -> None:
    raw = [b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % half.encode() for half in halves]
    assert one(reply(*raw, STOP, DONE)).text == "smile 😀 end"


def test_halves_that_stay_alone(reply: Any) -> None:
    raw = [
        b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % half for half in (b"a\\ude00", b"b\\ud83d")
    ]
    assert one(reply(*raw, said(content="c"), raw[1], STOP, DONE)).text == "a\ufffdb\ufffdcb\ufffd"


# Ends


@pytest.mark.parametrize("word", ["eos", "eos_token", "END_TURN", "stop_sequence", "Finish_Reason_Stop", "COMPLETE"])
def test_words_for_a_stop(word: str, reply: Any) -> None:
    assert one(reply(said(content="Yes."), said(word), DONE)).finish_reason == "stop"


@pytest.mark.parametrize("word", ["length", "max_tokens", "MAX_TOKENS", "model_length", "max-output-tokens"])
def test_words_for_a_limit(word: str, reply: Any) -> None:
    assert one(reply(said(content="Yes."), said(word), DONE)).finish_reason == "length"


@pytest.mark.parametrize(
    ("word", "tries"),
    [
        ("abort", 5),
        ("error", 5),
        ("insufficient_system_resource", 5),
        ("content_filter", 1),
        ("SAFETY", 1),
        ("refusal", 1),
        ("tool_calls", 1),
        ("function_call", 1),
        ("a word of its own", 1),
    ],
)
def test_half_a_text_is_not_done(word: str, tries: int, server: ScriptedServer, reply: Any) -> None:
    result = broken(reply(said(content="Half of an ans"), said(word), DONE))
    assert (result.text, result.raw_text) == ("Half of an ans", "Half of an ans")
    assert repr(word) in result.error
    assert len(server.requests) == tries


def test_a_tool_that_was_called_is_no_answer(reply: Any) -> None:
    calls = [{"index": 0, "function": {"name": "search", "arguments": "{}"}}]
    assert "called a tool" in broken(reply(said(tool_calls=calls, content=None), STOP, DONE)).error


def test_a_server_that_does_not_stop_is_left(server: ScriptedServer, reply: Any) -> None:
    result = one(reply(*[said(content="word ")] * 20_000, asked=request(max_tokens=2)))
    assert (result.finish_reason, result.note) == ("length", "The server went on beyond max_tokens.")
    assert result.text.startswith("word word")
    assert server.gone.wait(LIMIT), "the stream was not closed"


def test_what_the_last_attempt_did_not_bring_is_kept_of_the_one_before(
    server: ScriptedServer, engine: OpenAIEngine
) -> None:
    server.script.append(Reply(pieces=[said(content="Half"), said("abort"), DONE]))
    server.script.append(Reply(pieces=[said(content="Half and mo")], whole=False))
    server.script.extend([as_json({"error": {"message": "busy"}}, 503)] * 5)
    result = broken(list(engine.sample([request()])))
    assert result.text == "Half and mo"
    assert "busy" in result.error


def test_what_was_cancelled_before_its_next_attempt_began_keeps_its_text() -> None:
    sample = StreamedSample(0, request())
    sample.take(Piece(text="Half", thinking="hm"))
    sample.restart()
    sample.end("cancelled")
    result = sample.result()
    assert (result.text, result.thinking, result.finish_reason, result.error) == ("Half", "hm", "cancelled", "")


def test_an_end_that_is_not_told(reply: Any) -> None:
    result = one(reply(said(content="Hello"), said(content=" there."), DONE))
    assert (result.text, result.finish_reason) == ("Hello there.", "stop")
    assert result.note == "The server gave no finish_reason; taken for stop."


def test_an_end_that_is_not_told_at_the_limit(reply: Any) -> None:
    usage = event([], usage={"completion_tokens": 2})
    result = one(reply(said(content="Hello there"), usage, DONE, asked=request(max_tokens=2)))
    assert (result.text, result.finish_reason) == ("Hello there", "length")
    assert "2 tokens came" in result.note


@pytest.mark.parametrize("body", [b"[1]", b"[]", b'{"object": "chat.completion"}', b'{"choices": []}'])
def test_json_that_holds_no_choice(body: bytes, reply: Any) -> None:
    error = broken(reply(body, kind="application/json")).error
    assert "a list where a JSON object was expected" in error or "No choice of index 0 to 0 came" in error


def test_a_choice_may_say_what_went_wrong_with_it(server: ScriptedServer, reply: Any) -> None:
    choice = {"index": 0, "delta": {"content": "Half"}, "finish_reason": "error"}
    result = broken(reply(event([{**choice, "error": {"code": 400, "message": "provider went away"}}]), DONE))
    assert (result.text, result.error) == ("Half", "The server failed while it generated: provider went away")
    assert len(server.requests) == 1


def test_no_text_and_no_end_is_no_answer(reply: Any) -> None:
    assert "ended its stream before" in broken(reply(said(role="assistant", content=""), DONE)).error


# Refusals


@pytest.mark.parametrize(
    "pieces",
    [
        [said(content=None, refusal=None), said(refusal="I can't help"), said(refusal=" with that."), STOP],
        [said(refusal="I can't help with that."), said("refusal")],
        [said(content=[{"type": "refusal", "refusal": "I can't help with that."}]), STOP],
        [event([{"message": {"content": None, "refusal": "I can't help with that."}, "finish_reason": "stop"}])],
    ],
)
def test_the_words_of_a_refusal_are_the_text(pieces: list[bytes], reply: Any) -> None:
    result = one(reply(*pieces, DONE))
    assert (result.text, result.refused, result.finish_reason) == ("I can't help with that.", True, "stop")


# Thoughts


@pytest.mark.parametrize(
    "thoughts",
    [
        [said(reasoning_content="Let"), said(reasoning_content=" me see.")],
        [said(reasoning="Let"), said(reasoning=" me see.", reasoning_content=None)],
        [said(reasoning="Let me see.", reasoning_content="Let me see.")],
        [said(thinking="Let me see.", content="")],
        [said(reasoning_details=[{"type": "reasoning.text", "text": "Let me see."}, {"type": "reasoning.encrypted"}])],
        [said(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]}])],
        [said(content=[{"type": "thinking", "thinking": "Let me "}, {"type": "reasoning", "text": "see."}])],
    ],
)
def test_thoughts_are_apart_from_the_answer(thoughts: list[bytes], reply: Any) -> None:
    result = one(reply(*thoughts, said(content="Yes"), said(content="."), STOP, DONE))
    assert (result.thinking, result.text, result.raw_text) == ("Let me see.", "Yes.", "Yes.")
    assert (result.n_tokens, result.n_thinking_tokens) == (2, len(thoughts))


def test_tokens_of_thoughts_are_not_the_answers(reply: Any) -> None:
    thoughts = [said(reasoning_content=text, logprobs=chat_logprobs((text, -2.0))) for text in ("Let", " me")]
    between = said(logprobs=chat_logprobs(("</think>", -1.0)))
    border = said(reasoning_content=".", content="Yes", logprobs=chat_logprobs((".", -2.0), ("Yes", -0.25)))
    result = one(reply(*thoughts, between, border, said("stop", logprobs=chat_logprobs(("", -0.5))), DONE))
    assert (result.n_tokens, result.n_thinking_tokens, result.logprob) == (2, 4, -0.75)
    assert list(result.tokens.logprob) == [-0.25, -0.5]


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 40}}, (10, 40)),
        ({"completion_tokens": 50, "reasoning_tokens": 40}, (10, 40)),
        ({"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 40}}, (10, 40)),
        ({"completion_tokens": 50}, (None, None)),
    ],
)
def test_counts_of_thoughts(usage: dict[str, object], counts: tuple[int | None, int | None], reply: Any) -> None:
    message = {"reasoning_content": "Let me see.", "content": "Yes, it is."}
    result = one(reply(event([{"message": message, "finish_reason": "stop"}], usage=usage), DONE))
    assert (result.n_tokens, result.n_thinking_tokens) == counts
    assert math.isnan(result.logprob)


def test_thoughts_may_go_on_after_a_part_of_the_answer(reply: Any) -> None:
    parts = [("reasoning", "a", -4.0), ("content", "b", -1.0), ("reasoning", "c", -4.0), ("content", "d", -1.0)]
    pieces = [said(**{name: text}, logprobs=chat_logprobs((text, value))) for name, text, value in parts]
    result = one(reply(*pieces, STOP, DONE))
    assert (result.thinking, result.text, result.n_tokens, result.logprob) == ("ac", "bd", 2, -2.0)


def test_thoughts_that_were_cut_leave_an_empty_answer(reply: Any) -> None:
    result = one(reply(said(reasoning_content="Let me see."), said("length"), DONE))
    assert (result.text, result.finish_reason, result.thinking, result.n_tokens) == ("", "length", "Let me see.", 0)


@pytest.mark.parametrize("logprobs", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_thoughts_in_the_text_itself(logprobs: bool, together: bool, reply: Any) -> None:
    tokens = ["<think>", "Let me see.", "</thi", "nk>", "\n\n", "Yes", "."]
    groups = [tokens] if together else [[token] for token in tokens]
    pieces = [
        said(content="".join(group), logprobs=chat_logprobs(*((t, -1.0) for t in group)) if logprobs else None)
        for group in groups
    ]
    usage = event([], usage={"completion_tokens": 7})
    result = one(reply(*pieces, STOP, usage, DONE, asked=request(thinking_end="</think>")))
    assert result.raw_text == "".join(tokens)
    alone = answer_alone(result, ThoughtMarks("</think>"))
    assert (alone.text, alone.thinking) == ("Yes.", "Let me see.")
    if logprobs:
        assert alone.n_tokens in (2, 3)  # the line end between may be of either
        assert alone.logprob == -alone.n_tokens
        assert len(alone.tokens.ids) == alone.n_tokens
    else:
        assert alone.n_tokens == (None if together else 3)


# Log-probs


@pytest.mark.parametrize("value", ["-Infinity", -9999.0, "-inf", -1e300])
def test_log_probs_that_are_minus_infinity(value: object, reply: Any) -> None:
    result = one(reply(said(content="Hello", logprobs=chat_logprobs(("Hello", value))), STOP, DONE))
    assert result.logprob == -math.inf
    assert result.note == "1 of 1 log-probs are -Infinity, and so is their sum."


@pytest.mark.parametrize("value", [None, math.nan, "much", True, [], {}, 3.5, 10**400, math.inf])
def test_log_probs_that_are_none(value: object, reply: Any) -> None:
    result = one(reply(said(content="Hello", logprobs=chat_logprobs(("Hello", value))), STOP, DONE))
    assert math.isnan(result.logprob)
    assert np.isnan(result.tokens.logprob).all()
    assert (result.text, result.n_tokens) == ("Hello", 1)
    assert ("choices[0].logprobs.content[0].logprob" in result.note) == (value is not None)


@pytest.mark.parametrize(
    "logprobs",
    [5, [1], {"content": 5}, {"content": [5]}, {"token_logprobs": 3}, {"token_logprobs": [-1], "tokens": []}],
)
def test_log_probs_that_cannot_be_read(logprobs: object, reply: Any) -> None:
    result = one(reply(said(content="Hello", logprobs=logprobs), STOP, DONE))
    assert (result.text, result.finish_reason) == ("Hello", "stop")
    assert math.isnan(result.logprob)
    assert "choices[0].logprobs" in result.note


# Fields of the wrong type


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"delta": {"content": 42}}, "choices[0].delta.content is 42; expected a text or a list of parts"),
        ({"delta": {"content": [{"type": "image_url"}]}}, "choices[0].delta.content[0].type is"),
        ({"delta": {"content": [[]]}}, "choices[0].delta.content[0] is []"),
        ({"delta": {"content": {"type": [], "text": "x"}}}, "choices[0].delta.content.type is []"),
        ({"delta": {"content": {"text": {"value": 3}}}}, "choices[0].delta.content.text.text is 3"),
        ({"delta": {"refusal": 7}}, "choices[0].delta.refusal is 7"),
        ({"delta": {"reasoning_content": 7}}, "choices[0].delta.reasoning_content is 7"),
        ({"delta": {"reasoning": [{"type": "video"}]}}, "choices[0].delta.reasoning[0].type is"),
        ({"delta": 7}, "choices[0].delta is 7; expected an object"),
        ({"delta": {"content": "x"}, "finish_reason": 3}, "choices[0].finish_reason is 3; expected a text"),
        ({"delta": {"content": "x"}, "index": -1}, "choices[0].index is -1"),
        ({"delta": {"content": "x"}, "index": []}, "choices[0].index is []"),
        ("x", 'choices[0] is "x"; expected an object'),
    ],
)
def test_a_field_that_cannot_be_read_is_named(
    choice: dict[str, Any], named: str, server: ScriptedServer, reply: Any
) -> None:
    assert named in broken(reply(event([choice]), STOP, DONE)).error
    assert len(server.requests) == 1, "another try would bring the same"


@pytest.mark.parametrize("choices", [7, "x", {}])
def test_choices_that_are_no_list(choices: Any, reply: Any) -> None:
    assert "choices is" in broken(reply(event(choices), STOP, DONE)).error


@pytest.mark.parametrize("usage", [7, [], {"prompt_tokens": "7"}, {"completion_tokens": 10**30}, {"prompt_tokens": -1}])
def test_counts_that_cannot_be_read_are_left_out(usage: Any, reply: Any) -> None:
    result = one(reply(said(content="Hello"), STOP, event([], usage=usage), DONE))
    assert (result.text, result.n_prompt_tokens, result.n_tokens) == ("Hello", None, 1)
    assert "usage" in result.note


# Several choices


def test_choices_that_come_in_any_order(server: ScriptedServer, reply: Any) -> None:
    server.has_n = True
    zero = {"index": 0, "delta": {"content": "0"}}
    two = {"index": 2, "delta": {"content": "2"}, "finish_reason": "length"}
    pieces = [
        *(said(content=text, index=i) for text, i in (("b", 1), ("c", 2), ("x", 7), ("a", 0))),
        event([two, zero, zero]),
        *(said("stop", index=i) for i in (1, 0)),
        event([], usage={"prompt_tokens": 5, "completion_tokens": 90}),
        DONE,
    ]
    samples = results(reply(*pieces, asked=request(3)))
    assert {i: (each.text, each.finish_reason) for i, each in samples.items()} == {
        0: ("a0", "stop"),
        1: ("b", "stop"),
        2: ("c2", "length"),
    }
    assert {each.n_prompt_tokens for each in samples.values()} == {5}
    assert [samples[i].n_tokens for i in range(3)] == [2, 1, 2]


def test_choices_without_an_index(server: ScriptedServer, reply: Any) -> None:
    server.has_n = True
    whole = event([{"message": {"content": text}, "finish_reason": "stop"} for text in ("a", "b")])
    assert {i: each.text for i, each in results(reply(whole, DONE, asked=request(2))).items()} == {0: "a", 1: "b"}
    server.script.clear()
    server.script.append(
        Reply(pieces=[said(content="a", index=None), said(content="b", index=None), said("stop", index=None), DONE])
    )
    server.script.extend(Reply(pieces=[said(content=text), STOP, DONE]) for text in ("first", "second"))
    assert sorted(each.text for each in results(reply(asked=request(2))).values()) == ["first", "second"]


def test_one_choice_that_cannot_be_read_leaves_the_others(server: ScriptedServer, reply: Any) -> None:
    server.has_n = True
    events = reply(said(content="a"), said(content=42, index=1), said("stop"), DONE, asked=request(2))
    assert isinstance(events[-1], Failed)
    assert [(each.sample, "choices[0].delta.content" in each.error) for each in events[-1].broken] == [(1, True)]
