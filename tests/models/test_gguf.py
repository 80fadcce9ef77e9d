from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.models import catalog
from alignbench.models.gguf import BLOCK_SIZES, FILE_TYPES, Array, BrokenFile, GgufHeader, read_header
from tests.support.gguf_files import entry, gguf, text


def read(folder: Path, data: bytes) -> GgufHeader:
    path = folder / "x.gguf"
    path.write_bytes(data)
    return read_header(path)


def test_reads_what_the_header_says(tmp_path: Path) -> None:
    header = read(
        tmp_path,
        gguf(
            {
                "general.name": "Tiny",
                "general.file_type": 15,
                "tokenizer.chat_template": "{{ messages }}",
                "tokenizer.ggml.add_bos_token": True,
                "llama.rope.freq_base": 10000.0,
            }
        ),
    )
    assert (header.version, header.n_tensors, header.n_parameters) == (3, 1, 256)
    assert (header.architecture, header.name, header.quantization) == ("llama", "Tiny", "Q4_K_M")
    assert (header.context_length, header.chat_template, header.size) == (2048, "{{ messages }}", "0K")
    assert header.metadata["tokenizer.ggml.add_bos_token"] is True
    assert header.metadata["llama.rope.freq_base"] == 10000.0
    assert header.file_size == (tmp_path / "x.gguf").stat().st_size


def test_a_header_that_says_little(tmp_path: Path) -> None:
    header = read(tmp_path, gguf({"general.architecture": "", "general.file_type": 999, "tokenizer.chat_template": ""}))
    assert (header.architecture, header.name, header.quantization) == ("", "", "")
    assert header.context_length is None
    assert header.chat_template is None


@pytest.mark.parametrize(("n", "size"), [(1_000, "1K"), (134_515_008, "135M"), (7_241_732_096, "7.2B")])
def test_size_for_people(n: int, size: str) -> None:
    assert GgufHeader(3, {}, 0, n, 0).size == size


def test_small_arrays_are_kept_and_large_ones_skipped(tmp_path: Path) -> None:
    header = read(
        tmp_path,
        gguf(
            {
                "languages": ["en", "fr"],
                "empty": [],
                "tokens": [f"<{i}>" for i in range(1000)],
                "scores": [0.5] * 1000,
                "after": "still here",
            }
        ),
    )
    assert header.metadata["languages"] == ("en", "fr")
    assert header.metadata["empty"] == ()
    assert header.metadata["tokens"] == Array("string", 1000)
    assert header.metadata["scores"] == Array("float32", 1000)
    assert header.metadata["after"] == "still here"


def test_alignment_and_tensors_of_several_types(tmp_path: Path) -> None:
    tensors = [("a", (256, 2), 12, 0), ("b", (32,), 8, 320), ("c", (1,), 0, 384)]
    header = read(tmp_path, gguf({"general.alignment": 64}, tensors, data=388))
    assert header.n_parameters == 512 + 32 + 1
    with pytest.raises(BrokenFile, match=r"cut short: it has [\d,]+ bytes and its header promises [\d,]+"):
        read(tmp_path, gguf({"general.alignment": 64}, tensors, data=387))


def test_a_type_that_is_newer_than_the_table_is_no_error(tmp_path: Path) -> None:
    assert read(tmp_path, gguf(tensors=[("new", (4,), 900, 0)], data=4)).n_parameters == 4


def test_no_tensors_need_no_data(tmp_path: Path) -> None:
    assert read(tmp_path, gguf(tensors=[], data=0)).n_tensors == 0


@pytest.mark.parametrize("version", [2, 3])
def test_versions_that_llama_cpp_reads(tmp_path: Path, version: int) -> None:
    assert read(tmp_path, gguf(version=version)).version == version


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty; expected a GGUF file"),
        (b"GG", "is no GGUF file"),
        (b"ggml" + bytes(100), "is no GGUF file"),
        (b"GGUF", "cut short or damaged: the version would take 4 bytes"),
        (gguf(version=1), "is version 1 GGUF; expected little-endian, version 2 or 3"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "is big-endian GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1), "1,152,921,504,606,846,976 tensors would take"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 63), "metadata entries and 0 tensors would take"),
    ],
)
def test_files_that_are_not_it(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(BrokenFile, match=message) as caught:
        read(tmp_path, data)
    assert str(tmp_path / "x.gguf") in str(caught.value)


def with_entry(tail: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + tail + bytes(64)


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (struct.pack("<Q", 1 << 62), "the key of metadata entry 1 of 1 would take"),
        (text("k") + struct.pack("<I", 77), "k is of type 77"),
        (text("k") + struct.pack("<IIQ", 9, 8, 1 << 61), "items of k would take"),
        (text("k") + struct.pack("<IIQ", 9, 4, 1 << 61), "items of k would take"),
        (text("k") + struct.pack("<IIQ", 9, 9, 1), "k is an array of items of type 9"),
        (entry("general.alignment", 0), "general.alignment is 0"),
        (entry("general.alignment", "x"), "general.alignment is 'x'"),
    ],
)
def test_garbage_in_the_metadata(tmp_path: Path, tail: bytes, message: str) -> None:
    with pytest.raises(BrokenFile, match=message):
        read(tmp_path, with_entry(tail))


def test_garbage_inside_a_skipped_array(tmp_path: Path) -> None:
    items = text("a") * 70 + struct.pack("<Q", 1 << 40) + bytes(800)
    with pytest.raises(BrokenFile, match="an item of k would end at byte"):
        read(tmp_path, with_entry(text("k") + struct.pack("<IIQ", 9, 8, 100) + items))


def test_a_tensor_of_too_many_dimensions(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="tensor w has 1,000,000 dimensions"):
        read(tmp_path, b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + text("w") + struct.pack("<I", 1_000_000) + bytes(64))


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(InputError, match="is a folder"):
        read_header(tmp_path)


WHOLE = gguf({"tokenizer.chat_template": "{{ x }}", "tokens": ["a", "bc", "def"] * 30, "scores": [1.0] * 90})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(WHOLE) - 1))
def test_every_cut_is_noticed(tmp_path: Path, cut: int) -> None:
    with pytest.raises(BrokenFile):
        read(tmp_path, WHOLE[:cut])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(4, len(WHOLE) - 1), garbage=st.binary(min_size=1, max_size=12))
def test_garbage_never_breaks_the_reader(tmp_path: Path, at: int, garbage: bytes) -> None:
    with suppress(BrokenFile):
        read(tmp_path, WHOLE[:at] + garbage + WHOLE[at + len(garbage) :])


def test_tables_agree_with_the_gguf_package() -> None:
    constants = pytest.importorskip("gguf.constants")
    for kind, sizes in constants.GGML_QUANT_SIZES.items():
        assert BLOCK_SIZES.get(int(kind), sizes) == sizes, kind
    for kind in constants.LlamaFileType:
        name = kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")
        assert FILE_TYPES.get(int(kind), name) == name


@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo-base", ("gemma3", "Q4_K_M", 32768, False)),
        ("demo-aligned", ("llama", "Q4_1", 8192, True)),
    ],
)
def test_the_demo_models(name: str, expected: tuple[object, ...]) -> None:
    header = read_header(catalog.weights_path(catalog.resolve(name)))
    described = (header.architecture, header.quantization, header.context_length, header.chat_template is not None)
    assert described == expected
