"""The zero-shot floor is one and the same in the app, in reports, in commands and in experiment files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alignbench.engines.protocol import Embedded, Failed
from alignbench.experiments.experiment import read_experiment
from alignbench.store import Store
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.roles import roles
from tests.support.commands import alignbench
from tests.support.fakes import CAPABILITIES, FakePool, LetterEmbedder
from tests.support.gguf_files import write_gguf

PLAIN = ""
CHAT = 'template = "chat"'
JINJA = 'template = "mine.jinja"'
INSTRUCTION = 'template = "plain"\ninstruction = "Answer in verse."'
EXAMPLES = 'template = "plain"\n[[examples.items]]\nprompt = "Why?"\nresponse = "Because."'
HINT = 'template = "plain"\n[hint]\nlevel = "keywords"\ntext = "rivers, stones"'

NONE = "no floor: no other condition is a base model in the plain layout without a context"
TWO = "no floor: 2 conditions are base models without a context"


class FakeModels(FakePool):
    """Samples and embeddings without weights."""

    def embed(self, texts: tuple[str, ...], sink: Callable[[Embedded | Failed], None]) -> None:
        LetterEmbedder().embed(texts, sink)


@pytest.fixture(autouse=True)
def _fake_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.commands.lent_pool", lambda **_: FakeModels())
    with_template = replace(CAPABILITIES["base"], chat_template=CAPABILITIES["aligned"].chat_template)
    monkeypatch.setitem(CAPABILITIES, "base", with_template)


@pytest.mark.parametrize(
    ("contexts", "floor", "reason"),
    [
        ({"base": PLAIN}, "base", ""),
        ({"base": CHAT}, None, NONE),
        ({"in chat": CHAT, "base": PLAIN}, "base", ""),
        ({"base": PLAIN, "another": PLAIN}, None, TWO),
        ({"told": INSTRUCTION, "shown": EXAMPLES, "hinted": HINT}, None, NONE),
        ({"told": INSTRUCTION, "shown": EXAMPLES, "hinted": HINT, "base": PLAIN}, "base", ""),
        ({"mine": JINJA}, None, NONE),
        ({"mine": JINJA, "base": PLAIN}, "base", ""),
    ],
    ids=[
        "plain",
        "chat",
        "chat and plain",
        "two plain",
        "in context",
        "in context and plain",
        "jinja",
        "jinja and plain",
    ],
)
def test_it_is_the_same_everywhere(tmp_path: Path, contexts: dict[str, str], floor: str | None, reason: str) -> None:
    (tmp_path / "mine.jinja").write_text("{{ query }}\n")
    asked, tables = [], ['[prompts]\nsets = ["open-ended"]\n[[conditions]]\nmodel = "demo-smollm2"\n']
    for i, (name, text) in enumerate(contexts.items()):
        file = tmp_path / f"{i}.toml"
        file.write_text(text)
        model = f"llama:{write_gguf(tmp_path / 'other.gguf')}" if name == "another" else "demo-base"
        asked += ["--condition", f"{name}={model}" + (f",context={file}" if text else "")]
        context = f'context = "{file.name}"\n' if text else ""
        tables.append(f'[[conditions]]\nname = "{name}"\nmodel = "{model}"\n{context}')

    ran = alignbench("sample", "--prompt", "Why?", "--model", "demo-smollm2", *asked, "-n", "2", "--json")
    assert ran.returncode == 0, ran.stderr
    crosses = json.loads(ran.stdout.splitlines()[-1])["scores"]["cross"]
    for cross in (crosses[name]["jaccard"] for name in contexts):
        assert cross["floor"] == (crosses[floor]["jaccard"]["value"] if floor else None)
        assert floor or cross["recovery_reason"] == reason

    scored = json.loads(alignbench("score", "--session", "1", "--embedder", "none", "--json").stdout)
    assert (scored["meta"]["floor"], scored["meta"]["floor_reason"]) == (floor, reason)
    reported = json.loads(alignbench("report", "1", "--metrics", "jaccard", "--format", "json").stdout)
    assert (reported["meta"]["floor"], reported["meta"]["floor_reason"]) == (floor, reason)
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        known = roles([Column(condition) for condition in store.conditions(1)], store.session(1).reference)
    assert (known.floor, known.no_floor) == (floor, reason)
    (tmp_path / "experiment.toml").write_text("".join(tables))
    assert read_experiment(tmp_path / "experiment.toml").floor == floor
