"""`llama:org/name:FILE`: what it names, found in the local cache without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.models.catalog import resolve, weights_path
from alignbench.models.hub_gguf import chosen_files, parse_hub_gguf
from alignbench.models.reference import own_name, parse_reference
from tests.support.gguf_files import write_gguf

FILES = [
    "README.md", "tiny-Q4_K_M.gguf", "tiny-Q4_K_S.gguf", "tiny-q8_0.gguf", "mmproj-tiny-F16.gguf", "tiny.IQ2_XS.gguf",
    "BF16/tiny-BF16-00001-of-00002.gguf", "BF16/tiny-BF16-00002-of-00002.gguf", "a-Q5_0.gguf", "b-Q5_0.gguf",
]  # fmt: skip


def names_of(wanted: str) -> list[str]:
    gguf = parse_hub_gguf(f"org/tiny-GGUF:{wanted}")
    assert gguf is not None
    return chosen_files(gguf, FILES)


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of org/tiny-GGUF's main branch in the cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--org--tiny-GGUF"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    folder = repository / "snapshots" / "abc"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("wanted", "files"),
    [
        ("Q4_K_M", ["tiny-Q4_K_M.gguf"]),
        ("q4_k_m", ["tiny-Q4_K_M.gguf"]),
        ("Q8_0", ["tiny-q8_0.gguf"]),
        ("IQ2_XS", ["tiny.IQ2_XS.gguf"]),
        ("tiny-Q4_K_S.gguf", ["tiny-Q4_K_S.gguf"]),
        ("BF16", FILES[6:8]),
        ("BF16/tiny-BF16-00001-of-00002.gguf", FILES[6:8]),
    ],
)
def test_a_quantization_or_a_file(wanted: str, files: list[str]) -> None:
    assert names_of(wanted) == files


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("Q4", r"no GGUF file of Q4\. Its GGUF files: .*tiny-Q4_K_M\.gguf"),
        ("F16", "no GGUF file of F16"),  # the projector is no model
        ("tiny-Q4_K_N.gguf", r"no file tiny-Q4_K_N\.gguf\. Did you mean tiny-Q4_K_S"),
        (
            "Q5_0",
            r"Q5_0 fits a-Q5_0\.gguf, b-Q5_0\.gguf; expected one\. Name the file: llama:org/tiny-GGUF:a-",
        ),
    ],
)
def test_none_or_several(wanted: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        names_of(wanted)


def test_what_is_a_path_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_hub_gguf("./org/tiny:Q4_K_M") is None
    assert parse_hub_gguf("/org/tiny:Q4_K_M") is None
    assert parse_hub_gguf("models/a.gguf") is None
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "tiny:a.gguf").write_bytes(b"")
    assert parse_hub_gguf("org/tiny:a.gguf") is None
    assert parse_reference("llama:org/tiny:a.gguf").target == str(tmp_path / "org" / "tiny:a.gguf")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("llama:org/tiny-GGUF:Q4_K_M", "tiny-Q4_K_M"),
        ("llama:org/tiny-GGUF@v1:Q4/tiny-Q4_0.gguf", "tiny-Q4_0"),
        ("llama:org/tiny:BF16/tiny-BF16-00001-of-00002.gguf", "tiny-BF16"),
    ],
)
def test_a_reference_says_the_same_again(text: str, name: str) -> None:
    reference = parse_reference(text)
    assert str(reference) == text
    assert parse_reference(str(reference)) == reference
    assert own_name(reference) == name
    adapted = parse_reference(f"{text}+/a/ours.gguf*0.5")
    assert adapted.base == reference
    assert adapted.adapter is not None


def test_it_is_loaded_from_the_cache(snapshot: Path) -> None:
    with pytest.raises(InputError, match=r"is not in the local cache\. To fetch it: alignbench models pull llama:org"):
        resolve("llama:org/tiny-GGUF:Q4_K_M")
    written = write_gguf(snapshot / "tiny-Q4_K_M.gguf", chat_template="x")
    model = resolve("llama:org/tiny-GGUF:Q4_K_M")
    assert (model.name, model.kind, model.reference) == ("tiny-Q4_K_M", "aligned", "llama:org/tiny-GGUF:Q4_K_M")
    assert weights_path(model) == written
    with pytest.raises(InputError, match=r"The cache has tiny-Q4_K_M\.gguf of it\. To fetch it"):
        resolve("llama:org/tiny-GGUF:Q8_0")


def test_a_part_that_the_cache_does_not_have(snapshot: Path) -> None:
    write_gguf(snapshot / "tiny-Q8_0-00001-of-00002.gguf")
    with pytest.raises(InputError, match=r"tiny-Q8_0-00002-of-00002\.gguf is not in the local cache\. To fetch it"):
        resolve("llama:org/tiny-GGUF:Q8_0")
