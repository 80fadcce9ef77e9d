from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alignbench import paths
from alignbench.cli.models import app
from alignbench.errors import AlignbenchError, InputError
from tests.support.adapters import drawn, write_gguf_adapter
from tests.support.gguf_files import gguf, write_gguf


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights that models.toml calls `mine`, beside an entry whose file is gone."""
    path = write_gguf(tmp_path / "mine.gguf", chat_template="x")
    paths.config_dir().mkdir()
    paths.models_file().write_text(
        f"[models.mine]\nreference = 'llama:{path}'\n[models.gone]\nreference = 'llama:/nowhere/[bold]x'\n"
    )
    return path


def test_list(weights: Path) -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["name", "kind", "size", "context", "what", "state", "where"]
    assert [line.split()[0] for line in lines[1:]] == [
        "demo-base", "demo-aligned", "demo-sft", "demo-smollm2", "mine", "gone"
    ]  # fmt: skip
    assert lines[5].split()[1:5] == ["aligned", "0", "MB", "2048"]
    assert lines[5].rstrip().endswith(str(weights))
    assert "missing  There is no file /nowhere/[bold]x." in lines[6]


def test_list_json(weights: Path) -> None:
    statuses = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    mine, gone = statuses[4:]
    assert mine == {
        "name": "mine",
        "kind": "aligned",
        "reference": f"llama:{weights}",
        "origin": str(paths.models_file()),
        "path": str(weights),
        "bytes": weights.stat().st_size,
        "context_length": 2048,
        "description": "llama 0K",
        "terms": None,
        "ok": True,
        "problem": None,
    }
    assert (gone["ok"], gone["kind"], gone["path"]) == (False, None, None)


def test_check(weights: Path) -> None:
    facts = json.loads(run("check", "mine", "--json").stdout)
    assert facts["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert (facts["kind"], facts["chat_template"], facts["sha256_verified"]) == ("aligned", True, False)
    result = run("check", f"llama:{weights}")
    assert f"sha256          {facts['sha256']}" in result.stdout
    assert "chat template   yes" in result.stdout
    assert result.stderr == ""


def test_another_models_file(tmp_path: Path) -> None:
    write_gguf(tmp_path / "a.gguf")
    file = tmp_path / "other.toml"
    file.write_text("[models.other]\nreference = 'llama:a.gguf'\n")
    assert "other " in run("list", "--models", str(file)).stdout
    assert json.loads(run("check", "other", "--models", str(file), "--json").stdout)["kind"] == "base"


def test_broken_weights_are_a_failure_and_wrong_names_are_bad_input(weights: Path) -> None:
    weights.write_bytes(gguf()[:-1])
    for name in ("mine", f"llama:{weights}"):
        with pytest.raises(AlignbenchError, match="is cut short") as caught:
            run("check", name)
        assert caught.value.exit_code == 1
    for name, message in (("gone", "There is no file"), ("min", r"Did you mean mine\?")):
        with pytest.raises(InputError, match=message):
            run("check", name)


@pytest.mark.models
def test_check_shows_the_terms() -> None:
    result = run("check", "demo-base", "--json")
    assert "Gemma Terms of Use" in result.stderr
    assert json.loads(result.stdout)["sha256_verified"] is True


def test_check_shows_the_adapter(tmp_path: Path) -> None:
    metadata = {"general.architecture": "gemma3"}
    base, adapter = tmp_path / "base.gguf", tmp_path / "ours.gguf"
    base.write_bytes(gguf(metadata, [("blk.0.attn_q.weight", (16, 24), 0, 0)], data=16 * 24 * 4))
    write_gguf_adapter(adapter, drawn({"self_attn.q_proj": (24, 16)}, 1, rank=3))
    facts = json.loads(run("check", f"llama:{base}+{adapter}*0.5", "--json").stdout)
    assert facts["name"] == "base+ours*0.5"
    assert facts["sha256"] == hashlib.sha256(base.read_bytes()).hexdigest()
    assert facts["adapter_sha256"] == hashlib.sha256(adapter.read_bytes()).hexdigest()
    assert (facts["adapter"], facts["adapter_scale"], facts["adapter_rank"]) == (str(adapter), 0.5, 3)
    assert facts["weights_sha256"] not in (facts["sha256"], facts["adapter_sha256"])
    assert "adapter scale          0.5" in run("check", f"llama:{base}+{adapter}*0.5").stdout
