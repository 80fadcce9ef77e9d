"""vllm: references, with a real vLLM: started by a pool, driven, killed, broken."""

from __future__ import annotations

import json
import os
import queue
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench.contexts.rendering import Content, render
from alignbench.engines.protocol import Event, Failed, Loaded, Loading, TextDeltas
from alignbench.engines.workers.pool import WorkerPool
from alignbench.experiments.likelihood import score_response
from alignbench.models.catalog import resolve
from alignbench.spec import Context, LoadOptions, Model, Prefill, Prompt
from tests.support.adapters import drawn, write_peft
from tests.support.driving import follow, load, plain_request, results
from tests.support.waiting import LIMIT, wait_until

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def own_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another name of the weights' folder, by which the servers of these tests are told from those of others."""
    own = tmp_path_factory.mktemp("own") / folder.name
    own.symlink_to(folder)
    return own


@pytest.fixture
def model(own_folder: Path, options: LoadOptions) -> Model:
    return replace(resolve(f"vllm:{own_folder}"), name="smol", options=options)


def _processes() -> dict[int, list[str]]:
    """Command lines of all that runs, by process id."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if place.joinpath("stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                found[int(place.name)] = place.joinpath("cmdline").read_text().split("\0")
        except OSError:
            pass
    return found


def _of_server(folder: Path) -> set[int]:
    """The keeper and the server of the weights in a folder, and the processes that vLLM names after itself."""
    return {pid for pid, words in _processes().items() if str(folder) in words}


def _session(pids: set[int]) -> set[int]:
    """What is in the sessions of some processes."""
    sessions = {os.getsid(pid) for pid in pids}
    return {pid for pid in _processes() if _sid(pid) in sessions}


def _sid(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def test_a_server_is_started_used_and_killed(pool: WorkerPool, model: Model, own_folder: Path) -> None:
    stages: list[str] = []
    events: queue.Queue[Event] = queue.Queue()
    pool.load(model, events.put)
    while isinstance(event := events.get(timeout=LIMIT), Loading):
        stages.append(event.stage)
    assert isinstance(event, Loaded), event
    assert {"starting", "weights", "ready"} <= {*stages}
    known = event.capabilities
    assert (known.kind, known.renders_chat) == ("aligned", False)
    assert known.description.startswith("smollm2 on vLLM 0.")

    # Chats are rendered here, as for our own engines.
    context = Context("chat", instruction="Be kind.", prefill=Prefill("Of course"))
    rendered = render(Prompt.typed("Help me."), context, known, Content(prefill="Of course"))
    request = replace(
        plain_request(8, max_tokens=6, temperature=1.0, stops=()), context=rendered.context, query=rendered.query
    )
    found = results(follow(pool, model, request))
    assert sorted(found) == [*range(8)]
    assert all((result.tokens.ids >= 0).all() and len(result.tokens.ids) for result in found.values())

    local = Model("smol-hf", f"hf:{own_folder}", "aligned", LoadOptions(device="cpu", dtype="float32"))
    pair = [score_response(pool, each, context, Prompt.typed("Help me."), ", I can.") for each in (model, local)]
    assert pair[0].ids.tolist() == pair[1].ids.tolist()
    assert np.abs(pair[0].logprob - pair[1].logprob).max() < 0.01
    pool.unload(local)

    # Killed at work: one message, and nothing is left.
    alive = _session(_of_server(own_folder))
    assert len(alive) >= 3
    server = next(pid for pid in _of_server(own_folder) if "alignbench.engines.vllm.keeper" not in _processes()[pid])
    killed = False

    def kill(event: Event) -> None:
        nonlocal killed
        if isinstance(event, TextDeltas) and not killed:
            killed = True
            os.kill(server, signal.SIGKILL)

    last = follow(pool, model, plain_request(2, max_tokens=3000, stops=()), kill)[-1]
    assert isinstance(last, Failed)
    assert last.message == "The vLLM server of smol ended (killed by signal 9)."
    assert pool.capabilities(model) is None
    wait_until(lambda: not alive & _processes().keys())


def test_adapters_are_served_beside_their_base(
    pool: WorkerPool, model: Model, own_folder: Path, tmp_path: Path
) -> None:
    """One server for all; what the adapters make of the model is what they make of it in our engine."""
    config = json.loads((own_folder / "config.json").read_text())
    wide, narrow = config["hidden_size"], config["hidden_size"] // config["num_attention_heads"]
    shapes = {
        "self_attn.q_proj": (wide, wide),
        "self_attn.v_proj": (narrow * config["num_key_value_heads"], wide),
        "mlp.down_proj": (wide, config["intermediate_size"]),
    }
    layers = config["num_hidden_layers"]
    folders = [
        write_peft(tmp_path / "one", drawn(shapes, layers, seed=1)),
        write_peft(tmp_path / "two", drawn(shapes, layers, seed=2, rank=8), use_rslora=True),
    ]
    served = [replace(model, name=each.name, reference=f"{model.reference}+{each}") for each in folders]
    local = Model("smol-hf", f"hf:{own_folder}", "aligned", LoadOptions(device="cpu", dtype="float32"))
    pairs = [
        (served[0], replace(local, reference=f"{local.reference}+{folders[0]}")),  # there from the beginning
        (model, local),
        (served[1], replace(local, reference=f"{local.reference}+{folders[1]}")),  # added while it runs
    ]
    found = []
    for theirs, ours in pairs:
        for each in (theirs, ours):
            event = load(pool, each)
            assert isinstance(event, Loaded), event
        context, prompt = Context("chat", instruction="Be kind."), Prompt.typed("Help me.")
        scored = [score_response(pool, each, context, prompt, " Take a walk, and sleep.") for each in (theirs, ours)]
        assert scored[0].ids.tolist() == scored[1].ids.tolist()
        assert np.abs(scored[0].logprob - scored[1].logprob).max() < 0.01
        found.append(scored[0].logprob)
    assert all(np.abs(found[a] - found[b]).mean() > 0.02 for a, b in ((0, 1), (1, 2), (0, 2)))
    assert len({pool.worker_pid(each) for each in (model, *served)}) == 1
    assert results(follow(pool, served[0], plain_request(2, max_tokens=4, stops=())))
    for each in (local, *(ours for _, ours in pairs), model, *served):
        pool.unload(each)
    wait_until(lambda: not _of_server(own_folder))


def test_what_vllm_refuses_is_one_message(pool: WorkerPool, model: Model, own_folder: Path) -> None:
    event = load(pool, replace(model, options=replace(model.options, args=("--no-such-argument",))))
    assert isinstance(event, Failed)
    assert "ended (exit code 2)" in event.message
    assert event.message.endswith("error: unrecognized arguments: --no-such-argument")
    wait_until(lambda: not _of_server(own_folder))


def test_a_load_that_is_given_up_leaves_no_server(pool: WorkerPool, model: Model, own_folder: Path) -> None:
    events: queue.Queue[Event] = queue.Queue()
    pool.load(model, events.put)
    wait_until(lambda: _of_server(own_folder))
    pool.unload(model)
    while isinstance(event := events.get(timeout=LIMIT), Loading):
        pass
    assert isinstance(event, Failed)
    wait_until(lambda: not _of_server(own_folder))
