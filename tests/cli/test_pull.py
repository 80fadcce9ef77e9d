"""`alignbench models pull` and `models list --cached`, with the library that talks to hubs, on a hub of our own."""

from __future__ import annotations

import errno
import json
import shutil
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import alignbench, alignbench_process
from tests.support.gguf_files import write_gguf
from tests.support.hub import COMMIT, Hub, serving

pytest.importorskip("huggingface_hub")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "there"
    folder.mkdir()
    write_gguf(folder / "thing-Q4_K_M.gguf", chat_template="x" * 50_000)
    write_gguf(folder / "thing-Q8_0.gguf")
    monkeypatch.setattr("alignbench.models.hub_files.CHUNK", 1000)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)  # between two tries
    with serving(folder, tmp_path / "cache", monkeypatch) as hub:
        yield hub


def error_of(*arguments: str) -> str:
    ran = alignbench("models", "pull", *arguments)
    assert ran.returncode in (1, 2)
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    return ran.stderr


def blobs(tmp_path: Path) -> list[Path]:
    return [*(tmp_path / "cache" / "models--org--thing" / "blobs").iterdir()]


def test_a_quantization_is_fetched_once_and_loaded_without_a_network(hub: Hub) -> None:
    ran = alignbench("models", "pull", "llama:org/thing:q4_k_m")
    assert ran.returncode == 0, ran.stderr
    place = Path(ran.stdout.strip())
    assert place.read_bytes() == (hub.folder / "thing-Q4_K_M.gguf").read_bytes()
    assert "is in the local cache" in ran.stderr
    assert hub.asked.count("thing-Q4_K_M.gguf") == 1
    assert "thing-Q8_0.gguf" not in hub.asked
    hub.server.shutdown()
    checked = alignbench("models", "check", "llama:org/thing:Q4_K_M", "--json")
    assert json.loads(checked.stdout)["path"] == str(place)


def test_in_a_process_of_its_own(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    ran = alignbench_process("models", "pull", "llama:org/thing:Q8_0")
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.strip()).is_file()
    assert [line.split(":")[0] for line in ran.stderr.splitlines()] == ["org/thing", "llama"]
    listed = alignbench_process("models", "list", "--cached")
    assert "llama:org/thing:thing-Q8_0.gguf" in listed.stdout


def test_a_connection_that_is_lost_again_and_again(hub: Hub) -> None:
    hub.cut_after = 20_000
    ran = alignbench("models", "pull", "llama:org/thing@main:thing-Q4_K_M.gguf")
    assert ran.returncode == 0, ran.stderr
    assert hub.ranges == [20_000, 40_000]


def test_an_interrupted_fetch_goes_on_where_it_was(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (hub.folder / "thing-Q4_K_M.gguf").read_bytes()
    hub.cut_after = 20_000

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("huggingface_hub.file_download.time.sleep", interrupt)
        ran = alignbench("models", "pull", "llama:org/thing:Q4_K_M")
    assert ran.returncode == 130
    assert "To go on: alignbench models pull llama:org/thing:Q4_K_M" in ran.stderr
    assert ran.stderr.count("interrupted") == 1
    (part,) = blobs(tmp_path)
    assert part.read_bytes() == whole[:20_000]
    hub.cut_after = None
    ran = alignbench("models", "pull", "llama:org/thing:Q4_K_M")
    assert hub.ranges == [20_000]
    assert Path(ran.stdout.strip()).read_bytes() == whole


def test_a_part_of_something_else_is_not_kept(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test_an_interrupted_fetch_goes_on_where_it_was(hub, tmp_path, monkeypatch)
    (blob,) = blobs(tmp_path)
    blob.rename(blob.with_name(f"{blob.name}.incomplete"))
    shutil.rmtree(tmp_path / "cache" / "models--org--thing" / "snapshots")
    blob.with_name(f"{blob.name}.incomplete").write_bytes(b"x" * 500)
    assert "its SHA-256 is another one" in error_of("llama:org/thing:Q4_K_M")
    assert blobs(tmp_path) == []
    blob.with_name(f"{blob.name}.incomplete").write_bytes(b"x" * 500_000)  # longer than the file
    assert alignbench("models", "pull", "llama:org/thing:Q4_K_M").returncode == 0


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("llama:org/other:Q4_K_M", "llama:org/other: the hub has no such model, or it is private (then set HF_TOKEN)"),
        ("llama:org/thing@v9:Q4_K_M", "llama:org/thing@v9: the model has no revision 'v9'."),
        ("llama:org/thing:Q2_K", "no GGUF file of Q2_K. Its GGUF files: thing-Q4_K_M.gguf, thing-Q8_0.gguf."),
        ("hf:org/thing", "has no *.safetensors"),
        ("hf:org/thing", "For llama.cpp: llama:org/thing:thing-Q4_K_M.gguf"),
        ("hf:org/thing:none.gguf", "the model has no file none.gguf. Its GGUF files"),
        ("llama:thing.gguf", "is a file of this machine, not of a hub; expected hf:org/name"),
        ("hf:/thing", "is a folder of this machine"),
        ("demo-base", "demo-base is no model of a hub"),
        ("openai:http://127.0.0.1:1/v1#x", "is no model of a hub"),
        ("thing", "is no model reference"),
    ],
)
def test_what_is_not_there(reference: str, message: str) -> None:
    assert message in error_of(reference)


def test_a_gated_model(hub: Hub) -> None:
    for gated in (True, "files"):
        hub.gated = gated
        assert "access has to be asked for on its page; then set HF_TOKEN" in error_of("llama:org/thing:Q4_K_M")


def test_a_commit_that_is_none(hub: Hub) -> None:
    hub.commit = "../../elsewhere"
    assert "the hub does not say which commit its files are of" in error_of("llama:org/thing:Q4_K_M")


def test_a_disk_without_room(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("alignbench.models.hub_files.shutil.disk_usage", lambda _: usage(1, 1, 0))
    assert "set HF_HUB_CACHE to a folder with room" in error_of("llama:org/thing:Q4_K_M")
    assert hub.asked == ["/api/models/org/thing"] or not any("resolve" in name for name in hub.asked)


@pytest.mark.usefixtures("hub")
def test_a_disk_that_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    assert "the disk is full" in error_of("llama:org/thing:Q4_K_M")


def test_a_hub_that_cannot_be_reached(hub: Hub) -> None:
    hub.server.shutdown()
    hub.server.server_close()
    assert "the hub cannot be reached" in error_of("llama:org/thing:Q4_K_M")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    line = "huggingface-hub, which is not installed: pip install 'alignbench[hub]'"
    assert line in error_of("llama:org/thing:Q4_K_M")
    assert line in alignbench("models", "list", "--cached").stderr


def test_the_cache_is_listed(hub: Hub) -> None:
    assert "has no models; alignbench models pull fetches one" in alignbench("models", "list", "--cached").stderr
    alignbench("models", "pull", "llama:org/thing:Q8_0")
    alignbench("models", "pull", "hf:org/thing:thing-Q4_K_M.gguf")
    lines = [json.loads(line) for line in alignbench("models", "list", "--cached", "--json").stdout.splitlines()]
    assert [(line["reference"], line["commit"], line["revision"]) for line in lines] == [
        ("llama:org/thing:thing-Q4_K_M.gguf", COMMIT, "main"),
        ("llama:org/thing:thing-Q8_0.gguf", COMMIT, "main"),
    ]
    assert lines[1]["bytes"] == (hub.folder / "thing-Q8_0.gguf").stat().st_size
    table = alignbench("models", "list", "--cached").stdout.splitlines()
    assert table[0].split() == ["repository", "revision", "size", "reference", "names"]
    assert len(table) == 3
