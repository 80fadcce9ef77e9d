"""What a folder names as its weights is looked at before anything is loaded, and the hash is of what is loaded."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.models.catalog import resolve
from alignbench.models.folder_files import INDEX, WEIGHTS
from alignbench.models.hf_source import HfSource
from alignbench.models.weights import source_hash, weights_hash
from alignbench.spec import LoadOptions, Model
from tests.support.gguf_files import write_gguf

SHARDS = {"model-00001-of-00002.safetensors": ("a", "b"), "model-00002-of-00002.safetensors": ("c",)}


def safetensors(names: tuple[str, ...], *, more: str = "", cut: int = 0) -> bytes:
    entries = {n: {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]} for i, n in enumerate(names)}
    header = json.dumps(entries).encode() + more.encode()
    return (struct.pack("<Q", len(header)) + header + bytes(4 * len(names)))[: -cut or None]


def write_index(folder: Path, weight_map: object, **rest: object) -> None:
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map, **rest}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model in two shards, with all that may lie beside it."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name, tensors in SHARDS.items():
        (folder / name).write_bytes(safetensors(tensors))
    write_index(folder, {tensor: name for name, tensors in SHARDS.items() for tensor in tensors})
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"):
        (folder / name).write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates/tool_use.jinja").write_text("{{ tools }}")
    (folder / "tokenizer.model").write_bytes(b"\0")
    (folder / "own.py").write_text("x = 1")
    (folder / "pytorch_model.bin").write_bytes(b"\0")
    (folder / "consolidated.safetensors").write_bytes(safetensors(("z",)))
    (folder / "README.md").write_text("A model.")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/model.safetensors").write_bytes(safetensors(("a", "b", "c")))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        resolve(f"hf:{folder}")
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_a_sound_folder(folder: Path) -> None:
    source = HfSource(str(folder))
    assert [path.name for path in source.weights()] == [*SHARDS]
    assert resolve(f"hf:{folder}").kind == "aligned"


FIRST, SECOND = SHARDS
BAD_INDEXES: dict[str, tuple[object, str]] = {
    "pickled": ({"a": "pytorch_model.bin"}, 'names "pytorch_model.bin"; expected a *.safetensors file'),
    "pickled among others": ({"a": FIRST, "b": FIRST, "c": "model.pt"}, 'names "model.pt"'),
    "pickled with two endings": ({"a": "model.safetensors.bin"}, "expected a *.safetensors file"),
    "an adapter": ({"a": "adapter_model.bin"}, 'names "adapter_model.bin"'),
    "of another folder": ({"a": "../other/model.safetensors"}, "expected a file of the same folder"),
    "out and in again": ({"a": f"../model/{FIRST}"}, "expected a file of the same folder"),
    "absolute": ({"a": "/etc/model.safetensors"}, "expected a file of the same folder"),
    "with a NUL": ({"a": "x\0.safetensors"}, "expected a file of the same folder"),
    "with half an emoji": ({"a": "\ud83d.safetensors"}, "expected a file of the same folder"),
    "too long": ({"a": "n" * 300 + ".safetensors"}, "There is no file"),
    "not there": ({"a": "model-00003-of-00003.safetensors"}, "There is no file"),
    "a folder": ({"a": "folder.safetensors"}, "is a folder"),
    "a pipe": ({"a": "pipe.safetensors"}, "is a pipe"),
    "a link to elsewhere": ({"a": "link.safetensors"}, "outside of"),
    "a link to a folder elsewhere": ({"a": "linked/model.safetensors"}, "outside of"),
    "a link to itself": ({"a": "loop.safetensors"}, "cannot be read"),
    "a number": ({"a": 7}, "the file of a is a number; expected a name"),
    "nothing": ({"a": None}, "the file of a is null; expected a name"),
    "a list": ({"a": [FIRST]}, "the file of a is a list; expected a name"),
    "a tensor that is not in its shard": ({"a": FIRST, "d": SECOND, "e": SECOND}, "lacks 2 tensors that"),
    "no map": ([], 'field "weight_map" is a list'),
    "an empty map": ({}, 'field "weight_map" is an object'),
    "a map that is missing": (None, 'field "weight_map" is null'),
}


@pytest.mark.parametrize(("weight_map", "message"), BAD_INDEXES.values(), ids=BAD_INDEXES)
def test_an_index_that_names_what_is_not_loaded(folder: Path, weight_map: object, message: str) -> None:
    (folder / "folder.safetensors").mkdir()
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "link.safetensors").symlink_to(folder.parent / "other/model.safetensors")
    (folder / "linked").symlink_to(folder.parent / "other")
    (folder / "loop.safetensors").symlink_to("loop.safetensors")
    write_index(folder, weight_map)
    assert message in refusal(folder)


DEEP = "[" * 5_000 + "]" * 5_000
BAD_FILES: dict[str, tuple[str, str | bytes, str]] = {
    "an index that is no JSON": (INDEX, '{"weight_map": {', "not JSON"),
    "an index that is a list": (INDEX, "[]", "a list; expected an object"),
    "a deep index": (INDEX, f'{{"weight_map": {DEEP}}}', "nested more than 100 deep"),
    "metadata that are a number": (INDEX, '{"metadata": 1, "weight_map": {"a": "b"}}', '"metadata" is a number'),
    "a deep configuration": ("config.json", f'{{"a": {DEEP}}}', "nested more than 100 deep"),
    "a deep tokenizer": ("tokenizer_config.json", f'{{"a": {DEEP}}}', "nested more than 100 deep"),
    "pickled weights": ("config.json", '{"transformers_weights": "adapter_model.bin"}', 'names "adapter_model.bin"'),
    "weights elsewhere": ("config.json", '{"transformers_weights": "../other/model.safetensors"}', "the same folder"),
    "an index elsewhere": ("config.json", '{"transformers_weights": "../x.safetensors.index.json"}', "the same folder"),
    "an index of pickles": ("config.json", '{"transformers_weights": "pytorch_model.bin.index.json"}', "expected a *"),
    "weights that are a number": ("config.json", '{"transformers_weights": 1}', "transformers_weights is a number"),
    "an adapter": ("adapter_config.json", '{"base_model_name_or_path": "/x"}', "holds an adapter"),
    "a tokenizer elsewhere": ("tokenizer_config.json", '{"fast_tokenizer_files": ["../t.json"]}', "same folder"),
    "tokenizers that are no list": ("tokenizer_config.json", '{"fast_tokenizer_files": 1}', "is a number"),
    "a shard that is cut short": (SECOND, safetensors(("c",), cut=1), "is cut short"),
    "a shard that is empty": (SECOND, b"", "is no safetensors file"),
    "a shard of zeros": (SECOND, bytes(100), "is no safetensors file"),
    "a header of no JSON": (SECOND, safetensors(("c",), more="x"), "its header is no JSON"),
    "a header that is too long": (SECOND, struct.pack("<Q", 1 << 63) + b"{}", "is no safetensors file"),
    "a deep header": (SECOND, struct.pack("<Q", 10_000) + DEEP.encode(), "nested more than 100 deep"),
    "a header that is a list": (SECOND, struct.pack("<Q", 2) + b"[]", "its header is no object"),
    "places that are none": (SECOND, struct.pack("<Q", 8) + b'{"c": 1}', "the place of c is None"),
    "a pickle under that name": (SECOND, b"\x80\x02}q\x00." + bytes(40), "is no safetensors file"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_files_that_are_not_loaded(folder: Path, name: str, content: str | bytes, message: str) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message in refusal(folder)


def test_a_header_of_a_sparse_file(folder: Path) -> None:
    with (folder / SECOND).open("wb") as file:
        file.write(struct.pack("<Q", (60 << 30) - 8))
        file.truncate(60 << 30)
    assert "has a header of 64,424,509,432 bytes; expected at most 33,554,432" in refusal(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja", FIRST, INDEX])
def test_no_file_is_a_link_to_elsewhere_or_a_pipe(folder: Path, name: str) -> None:
    moved = (folder / name).rename(folder.parent / "moved")
    (folder / name).symlink_to(moved)
    assert "outside of" in refusal(folder) or name in (INDEX,)
    (folder / name).unlink()
    if name in (FIRST, "tokenizer.json"):
        os.mkfifo(folder / name)
        assert "is a pipe" in refusal(folder)


def test_what_lies_beside_is_not_looked_at(folder: Path) -> None:
    """An index of pickles, a link, a pipe: they are not loaded, so they are nobody's business."""
    before = source_hash(HfSource(str(folder)))
    (folder / "pytorch_model.bin.index.json").write_text(DEEP)
    (folder / "notes").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    assert resolve(f"hf:{folder}").kind == "aligned"
    assert source_hash(HfSource(str(folder))) == before


def test_one_file_is_preferred_to_an_index(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(safetensors(("a",)))
    write_index(folder, {"a": "../x.bin"})
    assert [path.name for path in HfSource(str(folder)).weights()] == [WEIGHTS]


def test_parts_without_an_index(folder: Path) -> None:
    (folder / INDEX).unlink()
    assert f"has consolidated.safetensors, but no {WEIGHTS} and no {INDEX}" in refusal(folder)


def cached(hub: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model as the hub's cache has it: links to blobs."""
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    repository = hub / "models--org--thing"
    snapshot = repository / "snapshots/c0ffee"
    for part in (snapshot, repository / "blobs", repository / "refs"):
        part.mkdir(parents=True)
    (repository / "refs/main").write_text("c0ffee")
    for i, (name, tensors) in enumerate(SHARDS.items()):
        (repository / f"blobs/{i}").write_bytes(safetensors(tensors))
        (snapshot / name).symlink_to(f"../../blobs/{i}")
    (repository / "blobs/config").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/config")
    write_index(snapshot, {tensor: name for name, tensors in SHARDS.items() for tensor in tensors})
    return snapshot


def test_links_of_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = cached(tmp_path / "hub", monkeypatch)
    assert [path.name for path in HfSource("org/thing").weights()] == [*SHARDS]
    assert resolve("hf:org/thing").kind == resolve(f"hf:{snapshot}").kind == "base"
    assert weights_hash(resolve("hf:org/thing")) == "c0ffee"

    other = tmp_path / "hub/models--org--other/blobs"
    other.mkdir(parents=True)
    (other / "x").write_bytes(safetensors(SHARDS[FIRST]))
    (snapshot / FIRST).unlink()
    (snapshot / FIRST).symlink_to(other / "x")
    for reference in ("hf:org/thing", f"hf:{snapshot}"):
        with pytest.raises(InputError, match="outside of"):
            resolve(reference)


def test_a_part_that_the_cache_does_not_have_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = cached(tmp_path / "hub", monkeypatch)
    (snapshot / SECOND).unlink()
    assert HfSource("org/thing").weights() == []  # it is fetched
    with pytest.raises(InputError, match="There is no file"):
        resolve(f"hf:{snapshot}")
    write_index(snapshot, {"a": "pytorch_model.bin"})
    with pytest.raises(InputError, match=r"names \"pytorch_model.bin\""):
        resolve("hf:org/thing")


# The hash


LOADED = [
    *SHARDS, INDEX, "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json",
    "chat_template.jinja", "additional_chat_templates/tool_use.jinja", "tokenizer.model",
]  # fmt: skip
NOT_LOADED = ["README.md", "pytorch_model.bin", "consolidated.safetensors", "own.py"]


@pytest.mark.parametrize("name", LOADED)
def test_the_hash_changes_with_every_file_that_is_loaded(folder: Path, name: str) -> None:
    model = resolve(f"hf:{folder}")
    before = weights_hash(model)
    kept = (folder / name).read_bytes()
    if name.endswith(".safetensors"):
        (folder / name).write_bytes(kept[:-1] + b"x")
    else:
        (folder / name).write_bytes(kept + b"\n")
    assert weights_hash(model) != before
    (folder / name).write_bytes(kept)
    assert weights_hash(model) == before


@pytest.mark.parametrize("name", NOT_LOADED)
def test_the_hash_does_not_change_with_what_is_not_loaded(folder: Path, name: str) -> None:
    before = weights_hash(resolve(f"hf:{folder}"))
    (folder / name).write_bytes(b"other")
    (folder / "more.txt").write_bytes(b"other")
    assert weights_hash(resolve(f"hf:{folder}")) == before


def test_the_hash_is_of_contents_and_not_of_times(folder: Path) -> None:
    """A file that is changed and given its old time again is another file."""
    model = resolve(f"hf:{folder}")
    before, path = weights_hash(model), folder / SECOND
    stat = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert weights_hash(model) != before


def test_code_that_is_run_is_in_the_hash(folder: Path) -> None:
    trusting = Model("m", f"hf:{folder}", "base", LoadOptions(trust_remote_code=True))
    before = weights_hash(trusting)
    (folder / "own.py").write_text("x = 2")
    assert weights_hash(trusting) != before


def test_what_is_read_beside_a_gguf_file_is_in_its_hash(tmp_path: Path) -> None:
    model = resolve(f"hf:{write_gguf(tmp_path / 'm.gguf')}")
    alone = weights_hash(model)
    assert alone == weights_hash(resolve(f"llama:{tmp_path}/m.gguf"))
    hashes = {alone}
    for name in ("tokenizer.json", "tokenizer_config.json", "additional_chat_templates/x.jinja"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
        hashes.add(weights_hash(model))
    assert len(hashes) == 4
    (tmp_path / "README.md").write_text("x")
    assert weights_hash(model) in hashes
