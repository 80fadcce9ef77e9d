"""A log that Inspect writes comes in, and one that we write is opened by it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from alignbench.spec import Condition, Model, Prompt, Sampling
from alignbench.store import Judgment, Store
from tests.programs.conftest import PROGRAMS, run
from tests.support.samples import result
from tests.support.waiting import wait_until

_EVAL = """
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, system_message

def output(i):
    output = ModelOutput.from_content("mockllm/model", f"To remember {i}", stop_reason="stop" if i else "max_tokens")
    output.usage = ModelUsage(input_tokens=12, output_tokens=4, total_tokens=16)
    return output

eval(
    Task(
        name="ours",
        dataset=[Sample(id="q1", input="Why diaries?", target="remember"), Sample(id="q2", input="How?", target="x")],
        solver=[system_message("Be brief."), generate()],
        scorer=includes(),
        epochs=2,
    ),
    model=get_model("mockllm/model", custom_outputs=[output(i) for i in range(4)]),
    log_dir="logs", temperature=0.5, max_tokens=99, display="none", log_format=FORMAT,
)
"""
_READ = """
import json, sys
from inspect_ai.log import read_eval_log
log = read_eval_log(sys.argv[1])
print(json.dumps([[s.id, s.epoch, s.output.completion, s.output.choices and s.output.stop_reason, bool(s.error),
                   {k: v.value for k, v in (s.scores or {}).items()}] for s in log.samples]))
"""


@pytest.mark.parametrize("format", ["eval", "json"])
def test_a_log_of_inspect_comes_in(tmp_path: Path, format: str) -> None:
    run("inspect", "-c", _EVAL.replace("FORMAT", repr(format)), folder=tmp_path)
    (log,) = (tmp_path / "logs").glob(f"*.{format}")
    db = str(tmp_path / "own.db")
    made = json.loads(
        run("inspect", "-m", "alignbench", "import", "inspect", str(log), "--db", db, "--json", folder=tmp_path)
    )
    assert [(each["samples"], each["errors"]) for each in made] == [(4, 0)]
    with Store.read(db) as store:
        rows = [*store.samples(1)]
        assert {(row.prompt_id, row.sample) for row in rows} == {(q, n) for q in ("q1", "q2") for n in (0, 1)}
        assert sorted(row.text for row in rows) == [f"To remember {i}" for i in range(4)]
        assert [row.finish_reason for row in rows].count("length") == 1
        assert {(row.n_prompt_tokens, row.n_tokens) for row in rows} == {(12, 4)}
        (condition,) = store.conditions(1)
        assert (condition.name, condition.settings["temperature"], condition.settings["max_tokens"]) == (
            "mockllm/model", 0.5, 99,
        )  # fmt: skip
        assert {prompt.system for prompt in store.prompts(1)} == {"Be brief."}


def _session(db: Path) -> None:
    with Store.open(db) as store:
        session = store.create_session("ours")
        for name, kind in (("raw", "base"), ("chat", "aligned")):
            model = Model(name, f"llama:/{name}.gguf", kind)  # type: ignore[arg-type]
            condition = Condition.zero_shot(model, sampling=Sampling(temperature=0.5))
            cell = store.add_cell(session, Prompt("q1", "Why diaries?"), condition, 2)
            row = store.add_sample(cell, result(0, f"{name} [bold]remembers[/] \ud83d"))
            store.add_error(cell, 1, "overflow")
        judgment = Judgment("quality", "judge", "hash", row.id, None, "valid", {"score": 4}, reply="Good.")
        store.add_judgments(session, [judgment])


def test_our_logs_are_opened_by_inspect_and_come_back(tmp_path: Path) -> None:
    db = tmp_path / "own.db"
    _session(db)

    def ours(*arguments: str) -> str:
        return run("inspect", "-m", "alignbench", *arguments, "--db", str(db), folder=tmp_path)

    ours("export", "inspect", "1", "-o", "logs")
    ours("export", "inspect", "1", "--condition", "chat", "-o", "chat.json")
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["01_raw.eval", "02_chat.eval"]
    for log in ("logs/02_chat.eval", "chat.json"):
        first, second = json.loads(run("inspect", "-c", _READ, log, folder=tmp_path))
        assert first == ["q1", 1, "chat [bold]remembers[/] \ufffd", "stop", False, {"quality (judge)": 4}]
        assert second[4] is True
    dumped = run("inspect", "-m", "inspect_ai", "log", "dump", "logs/01_raw.eval", folder=tmp_path)
    assert json.loads(dumped)["eval"]["task"] == "ours"
    ours("import", "inspect", "logs/01_raw.eval", "logs/02_chat.eval")
    with Store.read(db) as store:
        before, after = ([(r.condition, r.prompt_id, r.sample, r.text, r.status, r.n_tokens) for r in store.samples(n)]
                         for n in (1, 2))  # fmt: skip
        assert before == [(*each[:3], each[3].replace("\ufffd", "\ud83d"), *each[4:]) for each in after]
        assert [each.model.kind for each in store.conditions(2)] == ["base", "aligned"]


def test_inspect_view_shows_them(tmp_path: Path) -> None:
    _session(tmp_path / "own.db")
    run("inspect", "-m", "alignbench", "export", "inspect", "1", "-o", "logs", "--db", "own.db", folder=tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(PROGRAMS / "inspect" / "bin" / "python"), "-m", "inspect_ai", "view", "start", "--log-dir", "logs",
               "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    with (tmp_path / "view.log").open("w") as log:
        view = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, env={**os.environ, "NO_COLOR": "1"})
    try:
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return httpx.get(address).status_code == 200
            except httpx.TransportError:
                assert view.poll() is None, (tmp_path / "view.log").read_text()
                return False

        wait_until(answers)
        listed = httpx.get(f"{address}/api/logs").text
        assert "01_raw.eval" in listed
        assert "02_chat.eval" in listed
    finally:
        view.terminate()
        view.wait()
