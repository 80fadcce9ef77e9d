"""Every reader of bytes that come from outside: files, servers, models, keyboards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from alignbench.config import Config, read_config
from alignbench.contexts.example_files import read_examples
from alignbench.contexts.files import load_context
from alignbench.contexts.urial import parse_urial
from alignbench.engines.openai.choices import choices_of, read_choice, read_usage
from alignbench.engines.openai.event_stream import ServerEvent, server_sent
from alignbench.engines.openai.server_tokenizer import read_llama_server_tokens, read_vllm_tokens
from alignbench.engines.openai.streamed_sample import StreamedSample
from alignbench.engines.openai.token_scoring import read_candidates, read_prompt_logprobs
from alignbench.engines.protocol import SampleRequest
from alignbench.engines.thoughts import ThoughtMarks, answer_alone
from alignbench.errors import EngineError, InputError
from alignbench.experiments.verbalized import answers, stated_probabilities
from alignbench.importing.jsonl import stream_jsonl
from alignbench.importing.llm_logs import stream_llm
from alignbench.importing.lm_eval import stream_lm_eval
from alignbench.importing.mapping import FieldMap
from alignbench.importing.novelty import stream_novelty
from alignbench.importing.openai_batch import stream_openai_batch
from alignbench.importing.promptfoo import stream_promptfoo
from alignbench.importing.responses import ImportedResponses
from alignbench.importing.stream import save_responses
from alignbench.importing.values import ImportedSession
from alignbench.judging.replies import read_reply
from alignbench.judging.rubrics import read_rubric, rubric_columns
from alignbench.judging.templates import judge_template
from alignbench.models.folder_files import ADAPTER, INDEX, loaded_files
from alignbench.models.gguf import read_header
from alignbench.models.openai_address import parse_address
from alignbench.models.peft_adapter import ADAPTER_WEIGHTS, read_adapter
from alignbench.models.reference import parse_reference
from alignbench.models.safetensors_header import tensor_names
from alignbench.models.server_settings import OWN_FIELDS
from alignbench.prompts import load_prompts
from alignbench.serve.browser_message import MOST, Resized, TypedKeys, read_message
from alignbench.spec import Condition, Prompt, Sampling
from alignbench.store import Store
from alignbench.tui.keymap import checked_keys
from tests.fuzz.prompt_targets import PROMPT_TARGETS
from tests.fuzz.target import Target, file_of, text_of
from tests.support.collected import collected, read_csv, read_jsonl
from tests.support.gguf_files import gguf
from tests.support.other_programs import (
    batch_request,
    batch_result,
    document,
    generations,
    logged,
    promptfoo_result,
)
from tests.support.samples import BASE, result

_TEXTS = ("tea and milk", "日记 in iPhone手机", "สวัสดีชาวโลก", "안녕하세요", "L'été à Zürich", 'say "no" AND go')
JUDGES = ("quality", "equivalence", "topics", "stance")


def gguf_header(data: bytes) -> None:
    with file_of(data, "model.gguf") as path, suppress(InputError):
        header = read_header(path)
        assert header.n_tensors >= 0
        assert header.n_parameters >= 0
        assert isinstance(header.architecture + header.name + header.quantization + header.size, str)


def browser_message(data: bytes) -> None:
    """Keys can be sent on as bytes, and a terminal has a size."""
    message = read_message(text_of(data))
    if isinstance(message, TypedKeys):
        message.text.encode("utf-8", "replace")
    elif isinstance(message, Resized):
        assert 1 <= message.width <= MOST
        assert 1 <= message.height <= MOST


def weights_index(data: bytes) -> None:
    """Nothing that an index names is loaded but what lies beside it."""
    with file_of(data, INDEX) as path, suppress(InputError):
        for file in loaded_files(path.parent):
            assert file.resolve().parent == path.parent.resolve()
            assert file.suffix in (".safetensors", ".json")


def safetensors_header(data: bytes) -> None:
    with file_of(data, "model-1.safetensors") as path, suppress(InputError):
        assert all(isinstance(name, str) for name in tensor_names(path))


def peft_config(data: bytes) -> None:
    """Whatever an adapter says of itself, it is read as LoRA or refused."""
    with file_of(data, ADAPTER) as path, suppress(InputError):
        halves = {f"base_model.model.q.lora_{half}.weight": np.zeros((2, 2)) for half in "AB"}
        save_file(halves, path.parent / ADAPTER_WEIGHTS)
        assert read_adapter(path.parent).shapes == {"q": (2, 2)}


def event_stream(data: bytes) -> None:
    """However the bytes are cut, the events are the same."""

    async def events(size: int) -> list[ServerEvent]:
        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(data), size):
                yield data[start : start + size]

        return [event async for event in server_sent(chunks())]

    async def compared() -> None:
        whole = await events(len(data) or 1)
        assert await events(1) == await events(7) == whole

    asyncio.run(compared())


def server_reply(data: bytes) -> None:
    """Events of a server, a line each: a sample comes of them, or a message that names a field."""
    asked = SampleRequest(1, "", "", Sampling(), (), (0,), 0, 1, thinking_end="</think>")
    sample = StreamedSample(0, asked)
    for line in data.splitlines():
        with suppress(ValueError, RecursionError):  # no JSON; FieldError is a ValueError
            answer = json.loads(line)
            if isinstance(answer, dict):
                sample.take_usage(read_usage(answer), alone=True)
                for _, choice, where in choices_of(answer, 1):
                    sample.take(read_choice(choice, where))
    sample.end_of_stream()
    sample.end("stop")
    result = answer_alone(sample.result(), ThoughtMarks())
    result.text.encode("utf-8")
    assert result.n_tokens is None or 0 <= result.n_tokens < 2**31
    assert result.tokens.ids.shape == result.tokens.logprob.shape


def server_tokens(data: bytes) -> None:
    """What a server says of given tokens, an answer a line: values come of them, or a message."""
    for line in data.splitlines():
        with suppress(ValueError, RecursionError):  # no JSON
            answer = json.loads(line)
            if not isinstance(answer, dict):
                continue
            for split in (partial(read_vllm_tokens, byte_level=True), read_llama_server_tokens):
                with suppress(EngineError):
                    found = split(answer)
                    assert len(found.ids) == len(found.pieces)
            with suppress(EngineError):
                assert all(place.own.rank > 0 for place in read_prompt_logprobs(answer, [1, 98], 1, 3))
            with suppress(EngineError):
                assert read_candidates(answer)[0].rank == 1


def judge_reply(data: bytes) -> None:
    for kind in JUDGES:
        parsed = read_reply(judge_template(kind), text_of(data), n=2)
        assert (parsed.status == "invalid") <= bool(parsed.reason)
        json.dumps(parsed.fields, allow_nan=False)
    with suppress(ValueError):  # as its caller expects
        answers(text_of(data), 2)
    assert all(0 <= probability <= 1 for probability in stated_probabilities(text_of(data)))


def urial_text(data: bytes) -> None:
    with suppress(InputError):
        prompt = parse_urial(text_of(data), "a text")
        assert all(isinstance(example.prompt, str) for example in prompt.examples)
    with file_of(data, "prompt.txt") as path, suppress(InputError):
        read_examples(path)


def csv_file(data: bytes) -> None:
    with file_of(data, "file.csv") as path:
        _table(path)
        with suppress(InputError):
            _check_import(read_csv(path))


def jsonl_file(data: bytes) -> None:
    with file_of(data, "file.jsonl") as path:
        _table(path)
        with suppress(InputError):
            _check_import(read_jsonl(path))


def _foreign(name: str, *streams: Callable[[Sequence[Path]], ImportedResponses]) -> Callable[[bytes], None]:
    """A file of another program: it is a session, or one message and nothing of a session."""

    def read(data: bytes) -> None:
        with file_of(data, name) as path:
            for stream in streams:
                _saved(stream, path)

    return read


def openai_batch(data: bytes) -> None:
    """Requests, and after an empty line their results."""
    requests, _, results = data.partition(b"\n\n")
    with file_of(requests, "requests.jsonl") as first, file_of(results, "results.jsonl") as second:
        _saved(stream_openai_batch, first, second)


def field_map(data: bytes) -> None:
    """A map, and from the second line on rows."""
    head, _, rows = data.partition(b"\n")
    with file_of(rows, "mapped.jsonl") as path, suppress(InputError):
        mapped = FieldMap.parsed(text_of(head))
        _check_import(collected(stream_jsonl([path], mapped)))


def context_file(data: bytes) -> None:
    with file_of(data, "context.toml") as path, suppress(InputError):
        context = load_context(str(path))
        assert len(context.hash) >= 8
        json.dumps(context.to_json(), allow_nan=False)


def config_file(data: bytes) -> None:
    with file_of(data, "config.toml") as path, suppress(InputError):
        config = read_config(path)
        assert isinstance(config, Config)
        with suppress(InputError):
            keys = checked_keys(path, config.keys)
            assert all(keys.values())


def rubric_file(data: bytes) -> None:
    """A template that is read can be asked, and its summary has a column."""
    with file_of(data, "mine.toml") as path, suppress(InputError):
        template = read_rubric(path)
        assert template.ask("q", ["a", "b"])
        assert rubric_columns(template)
        json.dumps(template.schema_object(), allow_nan=False)


def server_address(data: bytes) -> None:
    """A reference is read once and for all, and its fields leave alone what conditions decide."""
    with suppress(InputError):
        reference = parse_reference(f"openai:{text_of(data)}")
        assert parse_reference(str(reference)) == reference
        assert not OWN_FIELDS & {*parse_address(reference.target).extra}


def search_text(data: bytes) -> None:
    with suppress(InputError):
        assert len(_searched().search(text_of(data), 5)) <= 5


def _table(path: Path) -> None:
    with suppress(InputError):
        prompts = load_prompts(str(path))
        assert all(prompt.text.strip() for prompt in prompts)
    with suppress(InputError):
        read_examples(path)


def _check_import(session: ImportedSession) -> None:
    for condition in session.conditions:
        ids = [cell.prompt.id for cell in condition.cells]
        assert len(set(ids)) == len(ids), "two cells of one id"
        assert all(cell.samples for cell in condition.cells)
        assert condition.condition.hash


def _saved(stream: Callable[[Sequence[Path]], ImportedResponses], *paths: Path) -> None:
    """What is read is a session with all that was read, or one message, and then nothing of it is kept."""
    store = _imported()
    try:
        made = save_responses(store, stream(paths))
    except InputError:
        assert not store.sessions(), "something was left of a file that was refused"
        return
    assert made.samples + made.errors == len([*store.samples(made.session)]) > 0
    store.delete_session(made.session)


@cache
def _imported() -> Store:
    return Store.in_memory()


@cache
def _searched() -> Store:
    with file_of(b"", "searched.db") as path:
        store = Store.open(path)
    cell = store.add_cell(store.create_session("searched"), Prompt("q", "Why?"), Condition.zero_shot(BASE), len(_TEXTS))
    for i, text in enumerate(_TEXTS):
        store.add_sample(cell, result(i, text))
    return store


def _json(*rows: object) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


_JSON_WORDS = (b"null", b"[]", b"{}", b"1e999", b"-1", b"true", b'""', b"\\ud83d", b"\n", b'"role"', b'"content"')

TARGETS = {
    target.name: target
    for target in (
        Target(
            "other-programs",
            _foreign("other.jsonl", stream_novelty, stream_lm_eval, stream_promptfoo, stream_llm),
            (
                _json(generations(), generations(id=2)),
                _json(document(), document(filter="upper")),
                _json(promptfoo_result(), promptfoo_result(testIdx=1)),
                _json([logged(), logged(id="b", prompt="How?")]),
            ),
            _JSON_WORDS,
        ),
        Target(
            "promptfoo-file",
            _foreign("results.json", stream_promptfoo),
            (_json({"results": {"results": [promptfoo_result()]}, "config": {"providers": [{"id": "echo"}]}}),),
            (*_JSON_WORDS, b'"config"', b'"providers"', b'"output"'),
        ),
        Target(
            "openai-batch",
            openai_batch,
            (
                _json(batch_request(), batch_request("q2", n=2))
                + b"\n\n"
                + _json(batch_result("q2", "One.", "Two."), batch_result()),
            ),
            (*_JSON_WORDS, b'"choices"', b'"usage"', b'"error"', b'"output"', b'"input"'),
        ),
        Target(
            "field-map",
            field_map,
            (
                b"text=choices.0.text,prompt=input.question\n"
                + _json({"choices": [{"text": "a"}], "input": {"question": "b"}}),
                b"text=outputs,prompt=messages\n"
                + _json({"outputs": ["a"], "messages": [{"role": "user", "content": "b"}]}),
            ),
            (*_JSON_WORDS, b"text=", b",prompt=", b".0.", b",seed=", b",temperature="),
        ),
        Target(
            "gguf-header",
            gguf_header,
            (
                gguf({}),
                gguf({"general.name": "Tiny", "tokenizer.chat_template": "{{ messages }}", "x": True, "y": 1.5}),
                gguf({"tokenizer.ggml.tokens": ["a", "bc"], "general.alignment": 64}),
            ),
            (b"GGUF", b"\xff" * 8, b"\x00" * 8, b"\x08\x00\x00\x00", b"\x09\x00\x00\x00", b"general.alignment"),
        ),
        Target(
            "server-tokens",
            server_tokens,
            (
                b'{"tokens": [1, 98], "token_strs": ["<s>", "\\u0120b"]}\n{"tokens": [{"id": 1, "piece": [195]}]}',
                b'{"choices": [{"prompt_logprobs": [null, {"98": {"logprob": -1, "rank": 2, "decoded_token": ""}}]}]}',
                b'{"completion_probabilities": [{"top_logprobs": [{"id": 5, "token": "b", "logprob": -0.5}]}]}',
            ),
            (b"null", b"[]", b"{}", b"1e999", b"-9999.0", b'"rank"', b"256", b"\n"),
        ),
        Target(
            "server-reply",
            server_reply,
            (
                b'{"choices": [{"index": 0, "delta": {"content": "Yes"}, "logprobs": {"content": [{"token": "Yes", '
                b'"logprob": -0.5}]}, "finish_reason": null}], "usage": {"completion_tokens": 3}}',
                b'{"choices": [{"message": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": '
                b'"hm"}]}, {"type": "text", "text": "<think>"}]}, "finish_reason": "length"}]}',
                b'{"choices": [{"delta": {"refusal": "No", "reasoning_content": "\\ud83d"}, "text": "\\ude00</think>", '
                b'"logprobs": {"tokens": ["a"], "token_logprobs": [-Infinity]}}]}\n{"choices": [{"index": "0"}]}',
            ),
            (
                b"null",
                b"[]",
                b"{}",
                b"1e999",
                b"-9999.0",
                b'"type"',
                b'"refusal"',
                b'"thinking"',
                b'"tool_calls"',
                b"\n",
            ),
        ),
        Target(
            "weights-index",
            weights_index,
            (
                b'{"metadata": {}, "weight_map": {"a": "model-1.safetensors"}}',
                b'{"weight_map": {"a": "../x.safetensors", "b": "pytorch_model.bin", "c": "/etc/x.safetensors"}}',
                b'{"weight_map": {"a": null, "b": 1, "c": ["model-1.safetensors"]}}',
            ),
            (
                b'"weight_map"',
                b".safetensors",
                b"../",
                b"/",
                b"\\u0000",
                b"\\ud800",
                b"[[[[",
                b"{",
                b"}",
                b'"',
                b"null",
            ),
        ),
        Target(
            "peft-config",
            peft_config,
            (
                b'{"peft_type": "LORA", "r": 2, "bias": "none", "task_type": "CAUSAL_LM", "lora_alpha": 4}',
                b'{"peft_type": "LORA", "r": null, "rank_pattern": {"q": 2}, "init_lora_weights": true}',
                b'{"peft_type": ["LORA"], "use_dora": true, "base_model_name_or_path": {}}',
            ),
            (
                b'"peft_type"',
                b'"LORA"',
                b'"bias"',
                b'"init_lora_weights"',
                b'"pissa"',
                b"[[[[",
                b"{",
                b"}",
                b'"',
                b"null",
            ),
        ),
        Target(
            "safetensors-header",
            safetensors_header,
            (
                b'<\x00\x00\x00\x00\x00\x00\x00{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'
                b"    \0\0\0\0",
                b"\x02\x00\x00\x00\x00\x00\x00\x00{}",
                b'\x08\x00\x00\x00\x00\x00\x00\x00{"a": 1}',
            ),
            (
                b"\xff" * 8,
                b"\x00" * 8,
                b'"data_offsets"',
                b"[",
                b"]",
                b"-1",
                b"1e999",
                b"NaN",
                b'"__metadata__"',
                b"{",
                b"}",
            ),
        ),
        Target(
            "event-stream",
            event_stream,
            (
                b'data: {"choices": []}\n\ndata: [DONE]\n\n',
                b"\xef\xbb\xbf: ping\r\ndata: a\r\ndata: b\r\n\r\ndata:\r\n\r\n",
                b"event: error\rdata: \xf0\x9f\x99\x82\r\rid: 1\n",
            ),
            (
                b"data:",
                b"data",
                b"event: ",
                b"\r",
                b"\n",
                b"\r\n",
                b"\n\n",
                b": ",
                b"[DONE]",
                b"\xef\xbb\xbf",
                b"\xe2\x80\xa8",
            ),
        ),
        Target(
            "rubric-file",
            rubric_file,
            (
                b"prompt = 'Rate {{ response }}'\n"
                b'schema = \'{"type": "object", "properties": {"a": {"enum": [1, 2]}}}\'',
                b"of = 'pair'\nname = 'x'\nmax_tokens = 9\nprompt = '{% for t in shown %}{{ t }}{% endfor %}'\n"
                b"[schema]\ntype = 'object'\n[schema.properties.b]\ntype = 'number'\nminimum = 0\n",
            ),
            (
                b"{{ response }}",
                b"{% if flipped %}",
                b"{%",
                b"= nan",
                b"= inf",
                b"enum = [1, 'x']",
                b"type = 'boolean'",
                b"1e999",
                b'"enum": ["a", "b"]',
                b"schema = ",
            ),
        ),
        Target(
            "judge-reply",
            judge_reply,
            (
                b'{"rationale": "So.", "helpfulness": 4, "clarity": 3, "factuality": "N/A", "depth": 2, '
                b'"engagement": 1}',
                b'<think>{"answer": "same"}</think>\n```json\n{"rationale": "no", "answer": "different"}\n```',
                b'{"topics": [{"topic": "tea", "raised_by": "both", "helpfulness": 3}]}',
                b'{"rationale": "It sides.", "stance": "both"} and {"rationale": "", "stance": "no"}',
                b'{"answers": [{"text": "a", "probability": 0.5}, {"text": "b", "probability": 0.25}]}',
            ),
            (
                b"{",
                b"}",
                b'"',
                b"<think>",
                b"</think>",
                b'"answer": ',
                b'"stance": ',
                b"N/A",
                b"NaN",
                b"1e999",
                b"[[[[",
                b"\\ud83d",
            ),
        ),
        Target(
            "urial-text",
            urial_text,
            (
                b"# Instructions:\nBe kind.\n\n# Query:\n```\nWhat is tea?\n```\n\n# Answer:\n```\nA drink.\n```\n",
                b"# Query:\n```\na\n```\n\n# Hint:\n```\nshort\n```\n\n# Answer:\n```\nb\n```\n\n# Query:\n```\nc\n"
                b"```\n\n# Answer:\n```\n",
            ),
            (b"# Query:\n```\n", b"# Answer:\n```\n", b"```", b"\n```\n", b"\r\n", b"# Hint:", b"# Instructions:"),
        ),
        Target(
            "csv-file",
            csv_file,
            (
                b'id,prompt\na,What is tea?\nb,"Why, oh why?"\n',
                b'\xef\xbb\xbfPrompt_ID;Prompt;Condition;Text;Sample\r\n1;Why?;base;"two\r\nlines";0\r\n;;;;\r\n',
                b"prompt_id,prompt,condition,sample,text,finish_reason\nq,What?,base,0,Well.,stop\n"
                b"q,What?,base,1,,length\n",
                b"sep=;\nprompt;response\na;b\n",
            ),
            (b",", b";", b"\t", b'"', b'""', b"\r", b"\n", b"\x00", b"sep=;", b"\xff\xfe", b"prompt", b"response"),
        ),
        Target(
            "jsonl-file",
            jsonl_file,
            (
                b'{"id": "a", "prompt": "What is tea?"}\n\n{"prompt": "Why?", "response": "So."}\n',
                b'{"prompt_id": 1, "prompt": "What?", "condition": "base", "text": "Well.", "sample": 0, '
                b'"finish_reason": null}\n',
                b'\xef\xbb\xbf{"prompt_id": "a", "prompt": "x", "condition": "c", "kind": "aligned", '
                b'"text": "\\ud83d\\ude00"}\r\n',
            ),
            (
                b"{",
                b"}",
                b"[",
                b"null",
                b"NaN",
                b"1e999",
                b"-1",
                b"true",
                b'"id"',
                b'"sample"',
                b'"seed"',
                b"\\ud800",
                b"\xe2\x80\xa8",
            ),
        ),
        Target(
            "context-file",
            context_file,
            (
                b'template = "plain"\ninstruction = "Be kind."\nstop = ["```"]\n[[examples.items]]\nprompt = "a"\n'
                b'response = "b"\n',
                b'template = "plain"\noverflow = "drop"\n[hint]\nlevel = "keywords"\ntext = "short"\n[prefill]\n'
                b'text = "Well, "\n',
                b'template = "chat"\nverbalized = 3\n',
                b'template = "plain"\n[examples]\nset = "structured"\nselect = "fixed"\nk = 3\n',
            ),
            (
                b"[",
                b"[[",
                b"]",
                b"=",
                b'"""',
                b"{{",
                b"{%",
                b"nan",
                b"inf",
                b"1e400",
                b"0x",
                b"1979-05-27",
                b"examples",
                b"hint",
            ),
        ),
        Target(
            "config",
            config_file,
            (
                b'models = ["demo-base"]\nprompts = "contested"\n[keys]\n"bench.sample" = "ctrl+r,f5"\n',
                b'[keys]\napp.quit = "^x"\n',
                b'database = "~/x.db"\ntheme = """\nnord"""\n',
            ),
            (
                b"keys",
                b"=",
                b'"',
                b"[keys]\n",
                b"bench.",
                b"ctrl+",
                b"shift+",
                b",",
                b"app.help",
                b"~nobody/",
                b"\\u0000",
            ),
        ),
        Target(
            "server-address",
            server_address,
            (
                b"http://host:8000/v1#org/served:7b",
                b'https://h/v1/ # m #{ "b": {"c": [1, "x#{"]}, "a": 0.2 }',
                b'http://[::1]:8000/v1#m#{"temperature":1}',
                b"http://me:pa@h/v1?key=a#m#{}",
            ),
            (
                b"#{",
                b"#",
                b"}",
                b"1e400",
                b"NaN",
                b'"seed":',
                b'"api_key":',
                b"@",
                b"[::1]",
                b"://",
                b"%00",
                b"\\ud800",
            ),
        ),
        Target(
            "browser-message",
            browser_message,
            (b'["stdin","a\\u001b[15~"]', b'["resize",{"width":80,"height":24}]', b'["focus"]', b'["ping","17"]'),
            (b"stdin", b"resize", b"1e400", b"true", b"-1", b"\\ud800", b"[[", b"{}"),
        ),
        Target(
            "search-text",
            search_text,
            (b"tea milk", b'"no" AND go', "日记 手机".encode(), b"l'ete", b"caf\xe9", b"NEAR(a b)", b"col: x*"),
            (b'"', b"*", b"(", b")", b":", b"^", b"-", b"AND", b"OR", b"NOT", b"NEAR", b"\x00", "日".encode(), b"\xff"),
        ),
        *PROMPT_TARGETS,
    )
}
