"""References with an adapter, and adapters that are refused before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignbench.errors import InputError
from alignbench.models.adapter import Adapter
from alignbench.models.catalog import adapter_facts, inventory, resolve
from alignbench.models.reference import adapter_words, parse_reference, parted_model
from alignbench.models.weights import weights_hash
from alignbench.spec import Condition
from tests.support import adapters
from tests.support.gguf_files import gguf

LAYERS = 2
SHAPES = {"self_attn.q_proj": (24, 16), "mlp.up_proj": (48, 16)}
TENSORS = [("token_embd.weight", (16, 4), 0, 0)] + [
    (f"blk.{layer}.{name}.weight", shape, 0, 0)
    for layer in range(LAYERS)
    for name, shape in (("attn_q", (16, 24)), ("ffn_up", (16, 48)))
]


def base_file(path: Path, architecture: str = "gemma3", **metadata: object) -> Path:
    metadata = {"general.architecture": architecture, **metadata}
    path.write_bytes(gguf(metadata, TENSORS, data=16 * 48 * 4))
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return base_file(tmp_path / "base.gguf")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return adapters.write_gguf_adapter(tmp_path / "sft.gguf", adapters.drawn(SHAPES, LAYERS))


@pytest.mark.parametrize(
    ("text", "base", "adapter", "scale"),
    [
        ("llama:/m/base.gguf+/a/sft.gguf", "llama:/m/base.gguf", "/a/sft.gguf", 1),
        ("llama:/m/base.gguf+/a/sft.gguf*0.50", "llama:/m/base.gguf", "/a/sft.gguf", 0.5),
        ("llama:/blobs/sha256-1f+/a/sft", "llama:/blobs/sha256-1f", "/a/sft", 1),
        ("llama:/home/c++/base.gguf+/home/c++/sft.gguf*1e-1", "llama:/home/c++/base.gguf", "/home/c++/sft.gguf", 0.1),
        ("hf:org/base+org/sft", "hf:org/base", "org/sft", 1),
        ("hf:org/base@v1+org/sft@main*-1", "hf:org/base@v1", "org/sft@main", -1),
        ("hf:org/base+/a/sft", "hf:org/base", "/a/sft", 1),
        ("hf:/m/base+/a/sft*2.0", "hf:/m/base", "/a/sft", 2),
        ("hf:/m/base.gguf+/a/sft*0", "hf:/m:base.gguf", "/a/sft", 0),
        ("demo-base+/a/sft.gguf*.75", "demo-base", "/a/sft.gguf", 0.75),
    ],
)
def test_references(text: str, base: str, adapter: str, scale: float) -> None:
    reference = parse_reference(text)
    assert str(reference.base) == base
    assert reference.adapter == Adapter(adapter, scale)
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    "text", ["llama:/home/c++/base.gguf", "hf:/home/c++/base", "hf:/runs/a+b/base", "llama:/a+b.gguf"]
)
def test_a_plus_of_a_path_begins_no_adapter(text: str) -> None:
    assert parse_reference(text).adapter is None
    assert str(parse_reference(text)) == text


def test_a_path_that_is_there_is_one_path(tmp_path: Path) -> None:
    (tmp_path / "a+" / "b").mkdir(parents=True)
    assert parse_reference(f"hf:{tmp_path}/a+/b").adapter is None


def test_relative_paths_begin_where_the_base_does(tmp_path: Path) -> None:
    reference = parse_reference("llama:base.gguf+sft.gguf*0.5", relative_to=tmp_path)
    assert str(reference) == f"llama:{tmp_path}/base.gguf+{tmp_path}/sft.gguf*0.5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("llama:/base.gguf+/sft.gguf*half", "The scale of an adapter is 'half'; expected a number"),
        ("llama:/base.gguf+/sft.gguf*", "expected a number"),
        ("llama:/base.gguf+/sft.gguf*nan", "expected a number"),
        ("hf:org/base+org/sft*1000", "expected -100 to 100"),
        ("llama:/base.gguf+", "names no adapter"),
        ("hf:org/base+", "names no adapter"),
        ("hf:/base+", "names no adapter"),
        ("demo-base+*0.5", "names no adapter"),
        ("llama:+/sft.gguf", "names no model"),
        ("llama:/base.gguf+/one.gguf+/two.gguf", "several adapters; expected one"),
        ("hf:org/base+org/one+org/two", "is no model|several"),
        ("hf:/base+/sft.gguf", "is a GGUF file"),
        ("hf:/base+/one+/two", "several adapters"),
    ],
)
def test_references_that_are_none(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_reference(text)


def test_a_model_with_an_adapter(base: Path, adapter: Path, tmp_path: Path) -> None:
    model, half = resolve(f"llama:{base}+{adapter}"), resolve(f"llama:{base}+{adapter}*0.5")
    assert (model.name, half.name, model.kind) == ("base+sft", "base+sft*0.5", "base")
    assert adapter_words(half) == "base + sft x 0.5"
    assert adapter_words(resolve(f"llama:{base}")) == ""
    assert parted_model(half)[0].reference == f"llama:{base}"
    hashes = {weights_hash(each) for each in (model, half, resolve(f"llama:{base}"))}
    assert len(hashes) == 3
    assert len({Condition.zero_shot(each).hash for each in (model, half)}) == 2
    other = adapters.write_gguf_adapter(tmp_path / "x" / "sft.gguf", adapters.drawn(SHAPES, LAYERS, seed=1))
    assert weights_hash(resolve(f"llama:{base}+{other}")) not in hashes
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(adapter.read_bytes())
    assert weights_hash(resolve(f"llama:{base}+{copy}")) in hashes


def test_a_layout_that_the_adapter_brings(base: Path, tmp_path: Path) -> None:
    matrices = adapters.drawn(SHAPES, LAYERS)
    path = adapters.write_gguf_adapter(tmp_path / "chat.gguf", matrices, chat_template="{{ messages }}")
    assert resolve(f"llama:{base}+{path}").kind == "aligned"
    facts = adapter_facts(parse_reference(f"llama:{base}+{path}"))
    assert facts is not None
    assert (facts.rank, facts.chat_template) == (4, "{{ messages }}")


def test_models_toml(base: Path, adapter: Path, tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    entry = f'[models.sft]\nreference = "llama:{base}"\nadapter = "sft.gguf"\nscale = 0.5\n'
    file.write_text(entry)
    model = resolve("sft", models_file=file)
    assert (model.name, model.reference) == ("sft", f"llama:{base}+{adapter}*0.5")
    (status,) = [status for status in inventory(models_file=file) if status.name == "sft"]
    assert status.description.endswith("+ LoRA sft x 0.5")
    file.write_text(f'[models.sft]\nreference = "llama:{base}+{adapter}*0.25"\nscale = 2\n')
    assert resolve("sft", models_file=file).reference == f"llama:{base}+{adapter}*2"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('reference = "llama:/b.gguf"\nscale = 0.5', "scale is of an adapter, and there is none"),
        ('reference = "llama:/b.gguf"\nadapter = "/a.gguf"\nscale = "half"', "scale is 'half'; expected a number"),
        ('reference = "llama:/b.gguf"\nadapter = "/a.gguf"\nscale = true', "scale is True"),
        ('reference = "llama:/b.gguf"\nadapter = "/a.gguf"\nscale = nan', "scale is nan"),
        ('reference = "llama:/b.gguf"\nadapter = ["/a.gguf"]', "adapter is .*; expected a text"),
        ('reference = "llama:/b.gguf"\nadapter = ""', "names no adapter"),
        ('reference = "llama:/b.gguf+/a.gguf"\nadapter = "/c.gguf"', "has an adapter already"),
        ('reference = "openai:http://localhost:8000/v1#m"\nadapter = "a"', "served name"),
        ('reference = "imported:x"\nadapter = "a"', "takes no adapter"),
    ],
)
def test_entries_that_are_none(lines: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(f"[models.x]\n{lines}\n")
    with pytest.raises(InputError, match=message) as raised:
        inventory(models_file=file)
    assert str(file) in str(raised.value)


# Files that are refused


def refused(base: Path, adapter: Path) -> str:
    with pytest.raises(InputError) as raised:
        resolve(f"llama:{base}+{adapter}")
    return str(raised.value)


def drawn(**options: Any) -> adapters.Matrices:
    return adapters.drawn(SHAPES, LAYERS, **options)


def test_gguf_adapters_that_are_refused(base: Path, adapter: Path, tmp_path: Path) -> None:
    write, path = adapters.write_gguf_adapter, tmp_path / "x.gguf"
    assert "There is no file" in refused(base, tmp_path / "gone.gguf")
    assert "is no adapter" in refused(base, base)
    assert "another architecture: llama" in refused(base, write(path, drawn(), architecture="llama"))
    wider = adapters.drawn({"self_attn.q_proj": (24, 32)}, LAYERS)
    assert "another base: it changes a blk.0.attn_q.weight of 32 x 24 (rank 4)" in refused(base, write(path, wider))
    assert "has no tensor blk.2.attn_q.weight" in refused(base, write(path, adapters.drawn(SHAPES, LAYERS + 1)))
    assert "type 'dora'" in refused(base, write(path, drawn(), method="dora"))
    a, b = drawn()["model.layers.0.self_attn.q_proj"]
    ranks = {"model.layers.0.self_attn.q_proj": (a, b[:, :3])}
    assert "has rank 4 in .lora_a and 3 in .lora_b" in refused(base, write(path, ranks))
    assert "has no tensors" in refused(base, write(path, {}))
    path.write_bytes(adapter.read_bytes()[:-100])
    assert "cut short" in refused(base, path)
    path.write_bytes(b"not at all")
    assert "is no GGUF file" in refused(base, path)
    assert "llama.cpp reads GGUF" in refused(base, adapters.write_peft(tmp_path / "peft", drawn()))
    with pytest.raises(InputError, match=r"is an adapter, no model of its own; expected llama:/base.gguf\+"):
        resolve(f"llama:{adapter}")


@pytest.fixture
def peft_base(tmp_path: Path) -> Path:
    """The files of a base for transformers, of which nothing but shapes is read."""
    from safetensors.numpy import save_file

    folder = tmp_path / "base"
    folder.mkdir()
    tensors = {
        f"model.layers.{layer}.{name}.weight": np.zeros(shape, np.float32)
        for layer in range(LAYERS)
        for name, shape in SHAPES.items()
    }
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


def peft_refused(base: Path, folder: Path) -> str:
    with pytest.raises(InputError) as raised:
        resolve(f"hf:{base}+{folder}")
    return str(raised.value)


def test_a_folder_of_peft(peft_base: Path, tmp_path: Path) -> None:
    folder = adapters.write_peft(tmp_path / "sft", drawn())
    model = resolve(f"hf:{peft_base}+{folder}*0.5")
    assert (model.name, model.kind) == ("base+sft*0.5", "base")
    facts = adapter_facts(parse_reference(model.reference))
    assert facts is not None
    assert (facts.rank, facts.made_on) == (4, "somebody/some-model")
    before = weights_hash(model)
    adapters.write_peft(folder, drawn(), alpha=8)
    assert weights_hash(model) != before
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert resolve(model.reference).kind == "aligned"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3'; expected LORA"),
        ({"peft_type": None}, "peft_type is None"),
        ({"task_type": "SEQ_CLS"}, "task_type is 'SEQ_CLS'"),
        ({"use_dora": True}, "use_dora is set"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is set"),
        ({"bias": "lora_only"}, "bias is 'lora_only'; expected none"),
        ({"lora_bias": True}, "lora_bias is set"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices is set"),
        ({"layer_replication": [[0, 1]]}, "layer_replication is set"),
        ({"alora_invocation_tokens": [1]}, "alora_invocation_tokens is set"),
        ({"init_lora_weights": "pissa_niter_4"}, "changes the base's own weights"),
        ({"r": 8}, "has rank 4, but adapter_config.json says r = 8"),
    ],
)
def test_options_that_are_refused(config: dict[str, Any], message: str, peft_base: Path, tmp_path: Path) -> None:
    assert message in peft_refused(peft_base, adapters.write_peft(tmp_path / "sft", drawn(), **config))


def test_folders_that_are_refused(peft_base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sft"
    assert "There is no folder" in peft_refused(peft_base, folder)
    folder.mkdir()
    assert "has no adapter_config.json" in peft_refused(peft_base, folder)
    wider = adapters.drawn({"self_attn.q_proj": (24, 32)}, LAYERS)
    message = peft_refused(peft_base, adapters.write_peft(folder, wider))
    assert "another base: it changes model.layers.0.self_attn.q_proj, 24 x 32" in message
    assert message.endswith("has one of 24 x 16; it was made on somebody/some-model.")
    weights = adapters.write_peft(folder, drawn()) / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-50])
    assert "cut short" in peft_refused(peft_base, folder)
    weights.unlink()
    assert "There is no file" in peft_refused(peft_base, folder)
    (folder / "adapter_model.bin").touch()
    assert "can run code" in peft_refused(peft_base, folder)
    weights.write_bytes(whole)
    (folder / "adapter_config.json").write_text("[]")
    assert "adapter_config.json" in peft_refused(peft_base, folder)
    with pytest.raises(InputError, match="holds an adapter"):
        resolve(f"hf:{adapters.write_peft(folder, drawn())}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"), "lacks the tensor"),
        (lambda tensors: tensors.pop("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"), "lacks the tensor"),
        (lambda tensors: tensors.update({"base_model.model.lm_head.weight": np.zeros((2, 2))}), "expected lora_A"),
        (lambda tensors: tensors.clear(), "has no tensors"),
    ],
)
def test_weights_that_are_refused(
    change: Callable[[dict[str, Any]], object], message: str, peft_base: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    weights = adapters.write_peft(tmp_path / "sft", drawn()) / "adapter_model.safetensors"
    tensors = load_file(weights)
    change(tensors)
    save_file(tensors, weights)
    assert message in peft_refused(peft_base, weights.parent)
