"""Data sets of folders, files and the cache, read by the package itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.prompts import load_prompts

datasets = pytest.importorskip("datasets")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of two splits."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    folder = tmp_path / "questions"
    folder.mkdir()
    (folder / "train.csv").write_text("question,key\nOne?,a\nTwo?,b\n")
    (folder / "test.csv").write_text("question,key\nThree?,c\n")
    return folder


def read(text: str) -> list[tuple[str, str]]:
    return [(prompt.id, prompt.text) for prompt in load_prompts(text)]


def error_of(text: str) -> str:
    with pytest.raises(InputError) as caught:
        load_prompts(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder(folder: Path) -> None:
    assert read(f"dataset:{folder}?split=test&field=question&id=key") == [("c", "Three?")]
    (prompt,) = load_prompts(f"dataset:{folder}?split=test&field=question")
    assert prompt.set == "questions"
    assert prompt.id.startswith("questions-")
    assert read(f"dataset:{folder}?split=train[:1]&field=question&id=key") == [("a", "One?")]


def test_a_file_and_what_the_package_saved_itself(folder: Path, tmp_path: Path) -> None:
    assert len(read(f"dataset:{folder / 'train.csv'}?field=question")) == 2
    saved = datasets.Dataset.from_dict({"prompt": ["One?", "Two?"], "id": [1, 2]})
    saved.save_to_disk(str(tmp_path / "saved"))
    assert read(f"dataset:{tmp_path / 'saved'}") == [("1", "One?"), ("2", "Two?")]
    datasets.DatasetDict({"a": saved, "b": saved}).save_to_disk(str(tmp_path / "both"))
    assert len(read(f"dataset:{tmp_path / 'both'}?split=b")) == 2


def test_what_is_not_there(folder: Path) -> None:
    assert "it has several splits; expected split=NAME, one of" in error_of(f"dataset:{folder}?field=question")
    assert "tst" in error_of(f"dataset:{folder}?split=tst&field=question")
    assert "there is no column 'questoin'. Did you mean question?" in error_of(
        f"dataset:{folder}?split=test&field=questoin"
    )
    assert "its columns are question, key; expected prompt, text or messages" in error_of(
        f"dataset:{folder}?split=test"
    )
    assert "there is no file or folder" in error_of(f"dataset:{folder}x?split=test")
    assert "names no data set" in error_of("dataset:?split=test")
    (folder / "test.csv").write_text("question,key\nThree?,c\nFour?,d,e\n")
    assert f"dataset:{folder}" in error_of(f"dataset:{folder}?split=test&field=question")


def test_nulls_and_numbers(folder: Path) -> None:
    (folder / "test.csv").write_text("question,key\nThree?,c\n,d\n")
    assert 'row 2, field "question": null; expected a prompt.' in error_of(
        f"dataset:{folder}?split=test&field=question"
    )
    numbers = folder / "numbers.jsonl"
    numbers.write_text('{"question": 3}\n')
    assert 'row 1, field "question": a number; expected a prompt' in error_of(f"dataset:{numbers}?field=question")


def test_a_data_set_of_a_hub_comes_from_the_cache_without_a_network(folder: Path, tmp_path: Path) -> None:
    datasets.load_dataset("csv", data_files={"test": str(folder / "test.csv")})
    (info,) = (tmp_path / "cache").rglob("dataset_info.json")
    cached = tmp_path / "cache" / "org___name" / "default" / "0.0.0" / ("c0ffee" + "0" * 34)
    cached.mkdir(parents=True)
    shutil.copy(info, cached)
    shutil.copy(info.with_name("csv-test.arrow"), cached / "name-test.arrow")
    assert read("dataset:org/name?split=test&field=question&id=key") == [("c", "Three?")]
    message = error_of("dataset:org/other?split=test&field=question")
    assert message.startswith("dataset:org/other?")
    assert message.endswith("It is not in the local cache either; read it once where there is a network.")
