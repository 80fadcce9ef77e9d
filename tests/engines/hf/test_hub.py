"""A hub model that is not in the cache: what it names is looked at before its weights are fetched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.engines.hf.tokenizer_loading import load_tokenizer
from alignbench.errors import AlignbenchError, EngineError
from alignbench.models.hf_source import HfSource, hub_cache
from alignbench.models.hub import fetched
from alignbench.spec import LoadOptions
from tests.support.hf_folders import byte_tokenizer, tiny_model
from tests.support.hub import COMMIT, Hub, serving
from tests.support.later import later

loading = later("alignbench.engines.hf.loading", needs="torch")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "there"
    tiny_model("llama").save_pretrained(folder, max_shard_size="20KB")
    byte_tokenizer("{{ messages }}").save_pretrained(folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80")
    (folder / "consolidated.safetensors").write_bytes(b"x")
    (folder / "own.py").write_text("raise SystemExit")
    with serving(folder, tmp_path / "cache", monkeypatch) as hub:
        yield hub


def test_what_is_loaded_is_fetched_and_nothing_else(hub: Hub) -> None:
    source = fetched(HfSource("org/thing"), code=False)
    assert source.revision == COMMIT
    loaded = {path.name for path in source.files()}
    assert {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"} <= loaded
    assert len(source.weights()) > 1
    assert loaded <= {*hub.asked}
    assert not {"pytorch_model.bin", "consolidated.safetensors", "own.py"} & {*hub.asked}
    shutil.rmtree(hub_cache() / "models--org--thing")
    told: list[tuple[object, ...]] = []
    loaded_weights = loading.load(HfSource("org/thing"), LoadOptions(device="cpu"), lambda *at: told.append(at))
    assert loaded_weights.file_hash == COMMIT
    assert (1.0, "from the hub") in told
    hub.asked.clear()
    loading.load(HfSource("org/thing"), LoadOptions(device="cpu"), lambda *_: None)
    assert not hub.asked, "what is in the cache is not asked for"


def test_a_tokenizer_is_fetched_once_and_without_weights(hub: Hub) -> None:
    tokens = load_tokenizer(HfSource("org/thing"))
    assert (tokens.chat_template, tokens.bos) == ("{{ messages }}", "<s>")
    assert {"tokenizer.json", "tokenizer_config.json"} <= {*hub.asked}
    assert not any(asked.endswith((".safetensors", ".bin", ".py")) for asked in hub.asked)
    hub.asked.clear()
    load_tokenizer(HfSource("org/thing"))
    assert not [name for name in hub.asked if not name.startswith("/api/")]


def test_a_hub_model_without_a_tokenizer(hub: Hub) -> None:
    for file in hub.folder.glob("*tok*"):
        file.unlink()
    (hub.folder / "chat_template.jinja").unlink()
    with pytest.raises(EngineError, match="hf:org/thing has no tokenizer"):
        load_tokenizer(HfSource("org/thing"))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "../other/model.safetensors", "/etc/model.safetensors"])
def test_an_index_is_looked_at_before_weights_are_fetched(hub: Hub, name: str) -> None:
    index = hub.folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    content["weight_map"][min(content["weight_map"])] = name
    index.write_text(json.dumps(content))
    with pytest.raises(AlignbenchError, match="names"):
        loading.load(HfSource("org/thing"), LoadOptions(), lambda *_: None)
    assert not any(asked.endswith((".safetensors", ".bin")) for asked in hub.asked)


def test_a_part_that_the_hub_does_not_have(hub: Hub) -> None:
    max(hub.folder.glob("model-*.safetensors")).unlink()
    with pytest.raises(EngineError, match="not all of its files could be fetched"):
        fetched(HfSource("org/thing"), code=False)
