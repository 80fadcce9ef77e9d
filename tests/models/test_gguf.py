from __future__ import annotations

import os
import re
import socket
import struct
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.models import catalog
from alignbench.models.gguf import BLOCK_SIZES, FILE_TYPES, Array, BrokenFile, GgufHeader, read_header
from alignbench.models.weights import weights_hash
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
        ("demo-smollm2", ("llama", "Q4_1", 8192, True)),
    ],
)
def test_the_demo_models(name: str, expected: tuple[object, ...]) -> None:
    header = read_header(catalog.weights_path(catalog.resolve(name)))
    described = (header.architecture, header.quantization, header.context_length, header.chat_template is not None)
    assert described == expected


# Files that are made to break a reader: refused within two seconds and 200 MB


def header_of(n_tensors: int, n_entries: int, rest: bytes = b"", version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_entries) + rest


def byte_text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def many_entries(n: int) -> bytes:
    return header_of(0, n, struct.pack("<QIB", 0, 7, 1) * n)


HUGE = 60 << 30
BREAKING: dict[str, tuple[bytes, int, str]] = {
    "a key of 60 GB": (
        header_of(0, 1, struct.pack("<Q", HUGE - 64)),
        HUGE,
        "bytes of the key of metadata entry 1 of 1",
    ),
    "a chat template of 60 GB": (
        header_of(0, 1, text("tokenizer.chat_template") + struct.pack("<IQ", 8, HUGE - 96)),
        HUGE,
        "bytes of a chat template; expected at most 1,048,576",
    ),
    "a tensor's name of 60 GB": (header_of(1, 0, struct.pack("<Q", HUGE - 64)), HUGE, "bytes of the name of tensor 1"),
    "4e9 entries": (header_of(0, 4_000_000_000), HUGE, "4,000,000,000 metadata entries; expected at most 8,192"),
    "4e9 tensors": (header_of(2_000_000_000, 0), HUGE, "2,000,000,000 tensors; expected at most 32,768"),
    "2e6 entries in 26 MB": (many_entries(2_000_000), 0, "2,000,000 metadata entries; expected at most"),
    "no end of texts in an array": (
        header_of(0, 1, text("k") + struct.pack("<IIQ", 9, 8, 4_000_000_000)),
        HUGE,
        "4,000,000,000 texts in arrays; expected at most 1,500,000",
    ),
    "no end of texts in many arrays": (
        header_of(
            0, 80, b"".join(text(f"k{i}") + struct.pack("<IIQ", 9, 8, 20_000) + bytes(160_000) for i in range(80))
        ),
        0,
        "texts in arrays; expected at most 1,500,000",
    ),
    "long texts in a short array": (
        header_of(0, 1, text("k") + struct.pack("<IIQQ", 9, 8, 2, 1 << 30)),
        HUGE,
        "bytes of text; expected at most 16,777,216",
    ),
    "many long keys": (
        header_of(0, 1_000, b"".join(text(f"{i:060000}") + struct.pack("<IB", 7, 1) for i in range(300))),
        HUGE,
        "bytes of text; expected at most 16,777,216",
    ),
    "arrays in arrays": (header_of(0, 1, text("k") + struct.pack("<IIQ", 9, 9, 1) * 20), 0, "array of items of type 9"),
    "a negative length": (header_of(0, 1, struct.pack("<q", -1)), 4096, "the key of metadata entry 1 of 1 would take"),
    "a negative count": (header_of(0, (1 << 64) - 1), 4096, "metadata entries and 0 tensors would take"),
    "elements that overflow": (
        header_of(1, 0, text("w") + struct.pack("<I4QIQ", 4, 1 << 40, 1 << 40, 1, 1, 900, 0)),
        4096,
        "tensor w has 1,099,511,627,776 x 1,099,511,627,776 x 1 x 1 elements",
    ),
    "an offset beyond the end": (
        header_of(1, 0, text("w") + struct.pack("<IQIQ", 1, 1, 0, (1 << 64) - 32)),
        4096,
        "is cut short: it has 4,096 bytes",
    ),
    "an entry twice": (header_of(0, 2, entry("k", 1) + entry("k", 2)), 0, "it has k twice"),
    "a tensor twice": (
        header_of(2, 0, (text("w") + struct.pack("<IQIQ", 1, 1, 0, 0)) * 2),
        99,
        "it has tensor w twice",
    ),
    "a key that is not UTF-8": (
        header_of(0, 1, byte_text(b"k\xff") + struct.pack("<IB", 7, 1)),
        0,
        "the key of metadata entry 1 of 1 is not UTF-8",
    ),
    "an alignment that is no power of two": (
        header_of(0, 1, entry("general.alignment", 33)),
        0,
        "general.alignment is 33",
    ),
    "an alignment that is true": (header_of(0, 1, entry("general.alignment", True)), 0, "general.alignment is True"),
}


@pytest.mark.parametrize(("data", "size", "message"), BREAKING.values(), ids=BREAKING)
def test_a_file_that_is_made_to_break_a_reader(tmp_path: Path, data: bytes, size: int, message: str) -> None:
    path = tmp_path / "x.gguf"
    with path.open("wb") as file:
        file.write(data)
        file.truncate(max(size, len(data)))
    tracemalloc.start()
    try:
        with pytest.raises(BrokenFile, match=re.escape(message)) as caught:
            read_header(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(str(path))
    assert peak < 100 << 20
    assert resource_seconds(lambda: suppressed(path)) < 2


def suppressed(path: Path) -> None:
    with suppress(BrokenFile):
        read_header(path)


def resource_seconds(work: Callable[[], None]) -> float:
    """Seconds of processor time that do not depend on what else the machine does."""
    start = time.process_time()
    work()
    return time.process_time() - start


def test_what_the_limits_leave_room_for(tmp_path: Path) -> None:
    """A vocabulary of a million, a text of a megabyte that is kept, one that is stepped over."""
    path = tmp_path / "x.gguf"
    tokens = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 1_000_000) + text("abc") * 1_000_000
    entries = entry("tokenizer.chat_template", "x" * (1 << 20)) + entry("tokenizer.huggingface.json", "y" * (1 << 21))
    path.write_bytes(header_of(0, 3, entries + tokens))
    header = read_header(path)
    assert header.chat_template == "x" * (1 << 20)
    assert header.metadata["tokenizer.huggingface.json"] == Array("byte", 1 << 21)
    assert header.metadata["tokenizer.ggml.tokens"] == Array("string", 1_000_000)


def test_pipes_sockets_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    (tmp_path / "link.gguf").symlink_to(tmp_path / "pipe.gguf")
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        for path, what in (
            (tmp_path / "pipe.gguf", "is a pipe; expected a GGUF file"),
            (tmp_path / "link.gguf", "is a pipe; expected a GGUF file"),
            (tmp_path / "s", "is a socket; expected a GGUF file"),
            (Path("/dev/zero"), "is a device; expected a GGUF file"),
            (tmp_path, "is a folder; expected a GGUF file"),
            (tmp_path / "loop.gguf", "cannot be read"),
            (tmp_path / "a\0b.gguf", "cannot be read"),
            (tmp_path / ("n" * 300), "cannot be read: File name too long"),
        ):
            with pytest.raises(InputError, match=what):
                read_header(path)
    for reference in (f"llama:{tmp_path}/pipe.gguf", f"hf:{tmp_path}/pipe.gguf", f"llama:{tmp_path}/link.gguf"):
        with pytest.raises(InputError, match="is a pipe; expected a GGUF file"):
            catalog.resolve(reference)


# Models in several files


def write_parts(folder: Path, count: int = 3, **wrong: object) -> Path:
    for i in range(count):
        metadata = {"split.no": i, "split.count": count, "split.tensors.count": count}
        data = gguf(metadata | (wrong if i == 1 else {}), [(f"t{i}", (64, 4), 0, 0)])
        (folder / f"m-{i + 1:05}-of-{count:05}.gguf").write_bytes(data)
    return folder / f"m-00001-of-{count:05}.gguf"


def test_a_model_in_several_files(tmp_path: Path) -> None:
    first = write_parts(tmp_path)
    header = read_header(first)
    sizes = [path.stat().st_size for path in header.parts]
    assert [path.name for path in header.parts] == [f"m-{i:05}-of-00003.gguf" for i in (1, 2, 3)]
    assert (header.n_tensors, header.n_parameters, header.file_size) == (3, 3 * 256, sum(sizes))
    before = weights_hash(catalog.resolve(f"llama:{first}"))
    header.parts[2].write_bytes(header.parts[2].read_bytes()[:-1] + b"x")
    assert weights_hash(catalog.resolve(f"llama:{first}")) != before
    header.parts[2].write_bytes(header.parts[2].read_bytes()[:-1])
    with pytest.raises(BrokenFile, match=r"m-00003-of-00003\.gguf is cut short"):
        catalog.resolve(f"llama:{first}")
    header.parts[2].unlink()
    with pytest.raises(InputError, match=r"There is no file .*m-00003-of-00003\.gguf"):
        catalog.resolve(f"llama:{first}")


def test_parts_that_do_not_belong_together(tmp_path: Path) -> None:
    first = write_parts(tmp_path)
    with pytest.raises(BrokenFile, match=r"is not the first part of its model; expected m-00001-of-00003\.gguf"):
        read_header(first.with_name("m-00002-of-00003.gguf"))
    with pytest.raises(BrokenFile, match=r"is no part 2 of 3 of m-00001-of-00003\.gguf"):
        read_header(write_parts(tmp_path, **{"split.no": 2}))
    with pytest.raises(BrokenFile, match=r"is one of 3 parts; expected a name that ends in -00001-of-00003\.gguf"):
        read_header(write_parts(tmp_path).rename(tmp_path / "renamed.gguf"))
    (tmp_path / "m-00001-of-60000.gguf").write_bytes(gguf({"split.no": 0, "split.count": 60_000}))
    with pytest.raises(BrokenFile, match="is one of 60,000 parts"):
        read_header(tmp_path / "m-00001-of-60000.gguf")


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(gguf({"general.type": "adapter"}))
    for reference in (f"llama:{tmp_path}/a.gguf", f"hf:{tmp_path}/a.gguf"):
        with pytest.raises(InputError, match="is an adapter"):
            catalog.resolve(reference)
