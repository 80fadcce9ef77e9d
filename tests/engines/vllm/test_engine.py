"""A vllm: model in a pool. A script stands for vLLM: it answers as that does, and dies when a prompt says so."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench import paths
from alignbench.engines.protocol import (
    Done,
    Event,
    Failed,
    LikelihoodRequest,
    Loaded,
    Loading,
    Scored,
    TextDeltas,
)
from alignbench.engines.workers.pool import WorkerPool
from alignbench.spec import LoadOptions, Model
from tests.support.adapters import TINY, drawn, write_peft
from tests.support.driving import follow, load, plain_request, results
from tests.support.waiting import LIMIT, wait_until

PATIENCE = 4  # seconds of silence until a request is given up

_VLLM = """\
    import http.server, json, os, sys, time
    words = sys.argv[2:]
    args = dict(zip(words, words[1:]))
    first = words.index("--lora-modules") + 1 if "--lora-modules" in words else len(words)
    modules = [json.loads(word) for word in words[first:] if word.startswith("{")]
    names = [args["--served-model-name"], *(module["name"] for module in modules)]
    with open(os.environ["GO"] + ".starts", "a") as starts:
        starts.write(json.dumps([args.get("--max-lora-rank"), names]) + "\\n")
    class Handler(http.server.BaseHTTPRequestHandler):
        log_message = lambda *args: None
        def reply(self, value, status=200):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())
        def do_GET(self):
            if self.headers["Authorization"] != "Bearer " + os.environ["VLLM_API_KEY"]:
                self.reply({}, 401)
            elif self.path == "/v1/models":
                self.reply({"data": [{"id": name, "owned_by": "vllm", "max_model_len": 512} for name in names]})
            elif self.path == "/version":
                self.reply({"version": "0.0.1"})
            elif self.path == "/tokenizer_info":
                self.reply({"chat_template": "[{{ messages[0].content }}]", "bos_token": "<s>", "eos_token": "</s>"})
            else:
                self.reply({}, 404)
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/tokenize":
                pieces = [*(["<s>"] if asked["add_special_tokens"] else []), *asked["prompt"]]
                return self.reply({"tokens": [ord(piece[-1]) for piece in pieces], "token_strs": pieces})
            if self.path == "/v1/load_lora_adapter":
                if "bad" in asked["lora_name"]:
                    return self.reply({"error": {"message": "no such layer", "type": "BadRequest", "code": 400}}, 400)
                names.append(asked["lora_name"])
                self.send_response(200)
                self.end_headers()
                return self.wfile.write(b"Success")
            if not asked.get("stream"):
                return self.reply({"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]})
            while "deaf" in asked["prompt"]:
                time.sleep(1)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            choices = [{"index": 0, "text": "said ", "token_ids": [5], "prompt_token_ids": [1, 2]}]
            self.wfile.write(b"data: " + json.dumps({"choices": choices}).encode() + b"\\n\\n")
            self.wfile.flush()
            if "die" in asked["prompt"]:
                print("torch.OutOfMemoryError: there is no room", flush=True)
                os._exit(1)
            while "mute" in asked["prompt"]:
                time.sleep(1)
            while "wait" in asked["prompt"] and not os.path.exists(os.environ["GO"]):
                time.sleep(0.01)
            last = asked["model"] if "who" in asked["prompt"] else "all"
            choices = [{"index": 0, "text": last, "finish_reason": "stop"}]
            self.wfile.write(b"data: " + json.dumps({"choices": choices}).encode() + b"\\n\\ndata: [DONE]\\n\\n")
    print("Starting to load model", flush=True)
    http.server.ThreadingHTTPServer((args["--host"], int(args["--port"])), Handler).serve_forever()
"""


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool()
    yield pool
    pool.close()


@pytest.fixture
def model(tmp_path: Path) -> Model:
    script = tmp_path / "vllm.py"
    script.write_text(textwrap.dedent(_VLLM))
    # A server without a GPU is counted with the cache that it is told to have.
    env = (("GO", str(tmp_path / "go")), ("VLLM_CPU_KVCACHE_SPACE", "0"))
    options = LoadOptions(device="cpu", command=(sys.executable, str(script)), env=env)
    return Model("big", "vllm:org/big", "aligned", options)


def test_what_a_server_of_ours_is_and_says(pool: WorkerPool, model: Model) -> None:
    events: queue.Queue[Event] = queue.Queue()
    pool.load(model, events.put)
    stages = []
    while isinstance(event := events.get(timeout=LIMIT), Loading):
        stages.append(event.stage)
    assert "weights" in stages
    assert isinstance(event, Loaded), event
    known = event.capabilities
    assert (known.description, known.device, known.n_ctx_train) == ("big on vLLM 0.0.1", "cpu", 512)
    assert (known.chat_template, known.bos, known.renders_chat) == ("[{{ messages[0].content }}]", "<s>", False)
    found = results(follow(pool, model, plain_request(2, stops=())))
    assert {result.text for result in found.values()} == {"said all"}


def test_cells_that_come_later_are_worked_on_beside_the_first(pool: WorkerPool, model: Model, tmp_path: Path) -> None:
    """In strict mode, in other contexts: the first one ends when the second one has."""
    assert isinstance(load(pool, model), Loaded)
    first, second = plain_request(1, prompt="wait", stops=()), plain_request(1, context="another", stops=())
    events: queue.Queue[Event] = queue.Queue()
    pool.sample(model, first, events.put)
    while not isinstance(events.get(timeout=LIMIT), TextDeltas):
        pass
    pool.sample(model, second, events.put)
    while not isinstance(event := events.get(timeout=LIMIT), (Done, Failed)):
        pass
    assert event == Done(second.key)
    (tmp_path / "go").touch()
    while not isinstance(event := events.get(timeout=LIMIT), (Done, Failed)):
        pass
    assert event == Done(first.key)


def test_a_server_that_dies_is_one_message_and_the_next_load_starts_another(pool: WorkerPool, model: Model) -> None:
    assert isinstance(load(pool, model), Loaded)
    failed = follow(pool, model, plain_request(1, prompt="die", stops=()))[-1]
    assert isinstance(failed, Failed)
    assert failed.message == "The vLLM server of big ended (exit code 1): torch.OutOfMemoryError: there is no room"
    assert [result.text for result in failed.broken] == ["said "]  # what had come of it
    assert pool.capabilities(model) is None
    assert isinstance(load(pool, model), Loaded)
    assert results(follow(pool, model, plain_request(1, stops=())))


def _with(model: Model, adapter: Path) -> Model:
    return replace(model, name=adapter.name, reference=f"{model.reference}+{adapter}")


def _says(pool: WorkerPool, model: Model) -> str:
    (sample,) = results(follow(pool, model, plain_request(1, prompt="who", stops=()))).values()
    return sample.text


def test_a_base_and_its_adapters_are_names_of_one_server(pool: WorkerPool, model: Model, tmp_path: Path) -> None:
    one, two, wide = (
        _with(model, write_peft(tmp_path / name, drawn(TINY, 2, rank=rank), rank_pattern={}))
        for name, rank in (("one", 4), ("two", 8), ("wide", 24))
    )
    (tmp_path / "two" / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    assert isinstance(load(pool, model), Loaded)
    told: queue.Queue[Event] = queue.Queue()
    pool.load(one, told.put)  # the server, which takes no adapters, begins again
    stages = []
    while isinstance(event := told.get(timeout=LIMIT), Loading):
        stages.append((event.model, event.stage))
    assert ("one", "weights") in stages
    assert isinstance(event, Loaded), event
    assert event.capabilities.description == "big on vLLM 0.0.1 + LoRA rank 4 x 1"
    assert event.capabilities.adapter_hash
    loaded = load(pool, two)
    assert isinstance(loaded, Loaded), loaded
    assert loaded.capabilities.chat_template == "{{ messages[0].content }}!"
    starts = [json.loads(line) for line in (tmp_path / "go.starts").read_text().splitlines()]
    assert starts == [[None, ["big"]], ["16", ["big", "big+one"]]]  # the second one came while it ran
    assert isinstance(load(pool, wide), Loaded)
    starts = [json.loads(line) for line in (tmp_path / "go.starts").read_text().splitlines()]
    assert starts[2:] == [["32", ["big", "big+one", "big+two", "big+wide"]]]
    models = (model, one, two, wide)
    assert [_says(pool, each) for each in models] == ["said big", "said big+one", "said big+two", "said big+wide"]
    assert len({pool.worker_pid(each) for each in models}) == 1


def test_an_adapter_that_cannot_be_had_leaves_the_others(pool: WorkerPool, model: Model, tmp_path: Path) -> None:
    """The server has the first one from its beginning."""
    good, bad = (_with(model, write_peft(tmp_path / name, drawn(TINY, 2))) for name in ("good", "bad"))
    uneven = _with(model, write_peft(tmp_path / "uneven", drawn(TINY, 2), alpha_pattern={"q_proj": 2}))
    huge = _with(model, write_peft(tmp_path / "huge", drawn(TINY, 2, rank=600)))
    assert isinstance(load(pool, good), Loaded)
    messages = []
    for each in (bad, uneven, huge):
        failed = load(pool, each)
        assert isinstance(failed, Failed)
        messages.append(failed.message)
    assert messages[0] == f"vLLM could not load {tmp_path / 'bad'}: no such layer"
    assert "has ranks or alphas of single modules" in messages[1]
    assert messages[2].startswith("vLLM takes adapters of rank 512 or less, and one has 600.")
    assert _says(pool, good) == "said big+good"
    assert len((tmp_path / "go.starts").read_text().splitlines()) == 1


@pytest.mark.slow
def test_a_server_that_hangs_is_one_message_within_the_timeout(pool: WorkerPool, model: Model) -> None:
    """One that answers nothing, one that stops in the middle of a text, one that is stopped; others go on."""
    script = model.options.command[1]
    paths.models_file().parent.mkdir(parents=True, exist_ok=True)
    paths.models_file().write_text(f'[models.big]\nreference = "vllm:org/big"\ntimeout = {PATIENCE}\n')
    assert isinstance(load(pool, model), Loaded)
    requests = {name: plain_request(2, prompt=name, context=name, stops=()) for name in ("deaf", "mute", "well")}
    events: queue.Queue[Event] = queue.Queue()
    for request in requests.values():
        pool.sample(model, request, events.put)
    last: dict[int, Event] = {}
    while len(last) < len(requests):
        if isinstance(event := events.get(timeout=LIMIT), (Done, Failed)):
            last[event.key] = event
    assert last[requests["well"].key] == Done(requests["well"].key)
    message = f"The vLLM server of big sent nothing for {PATIENCE} s. Is it overloaded, or the prompt very long?"
    for name, text in (("deaf", ""), ("mute", "said ")):
        failed = last[requests[name].key]
        assert isinstance(failed, Failed)
        assert failed.message == message
        assert {result.text for result in failed.broken} == {text}
    assert results(follow(pool, model, plain_request(1, stops=())))  # it is still there

    server, keeper = sorted(
        (pid for pid in map(int, (place.name for place in Path("/proc").glob("[0-9]*"))) if script in _words(pid)),
        key=lambda pid: "alignbench.engines.vllm.keeper" in _words(pid),
    )
    os.kill(server, signal.SIGSTOP)
    asked: queue.Queue[Scored | Failed] = queue.Queue()
    pool.score(model, LikelihoodRequest(pool.new_key(), "a", "b", "c"), asked.put)
    failed = follow(pool, model, plain_request(1, stops=()))[-1]
    assert isinstance(failed, Failed)
    assert failed.message == message
    scored = asked.get(timeout=LIMIT)
    assert isinstance(scored, Failed)
    assert (scored.message, scored.unavailable) == (message, True)
    pool.close()
    wait_until(lambda: not _words(server) and not _words(keeper))


def _words(pid: int) -> list[str]:
    """The command line of a process; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []
