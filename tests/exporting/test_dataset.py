"""A dataset folder; tests/programs loads one with `datasets` itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from alignbench.errors import InputError
from alignbench.exporting.dataset import export_dataset
from alignbench.exporting.samples import EVERYTHING, SampleFilter
from alignbench.importing.save import save_import
from alignbench.store import Store
from tests.support.collected import read_jsonl
from tests.support.commands import alignbench
from tests.support.other_programs import lines


def _session(folder: Path) -> Store:
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    common = {"prompt": "Why?", "condition": "a | `b`"}
    file = lines(
        folder / "it's: mine.jsonl",
        common | {"prompt_id": "1", "text": "half \ud83d", "messages": asked},
        common | {"prompt_id": "2", "text": "A", "options": ["A", "B"]},
        common | {"prompt_id": "2", "text": "B", "condition": "other", "options": ["A", "B"]},
    )
    store = Store.in_memory()
    save_import(store, read_jsonl(file))
    return store


def test_rows_have_the_columns_and_types_that_the_card_says(tmp_path: Path) -> None:
    export_dataset(_session(tmp_path), 1, EVERYTHING, tmp_path / "out")
    _, head, text = (tmp_path / "out" / "README.md").read_text("utf-8").split("---\n", 2)
    card = yaml.safe_load(head)
    assert card["pretty_name"] == "it's: mine"
    (files,) = card["configs"][0]["data_files"]
    rows = [json.loads(line) for line in (tmp_path / "out" / files["path"]).read_text("utf-8").splitlines()]
    types = {feature["name"]: feature.get("dtype", "list") for feature in card["dataset_info"]["features"]}
    python = {"string": str, "int64": int, "float64": float, "bool": bool, "list": list}
    for row in rows:
        assert [*row] == [*types]
        assert all(value is None or isinstance(value, python[types[name]]) for name, value in row.items())
    assert rows[0]["text"] == "half \ufffd"
    assert "| a \\| \\`b\\` | aligned |" in text
    assert "licen" not in head


def test_it_is_whole_or_not_there(tmp_path: Path) -> None:
    store = _session(tmp_path)
    with pytest.raises(InputError, match=r"no condition .othr.\. Did you mean other"):
        export_dataset(store, 1, SampleFilter(conditions=["othr"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    export_dataset(store, 1, SampleFilter(conditions=["other"]), tmp_path / "out")
    assert len((tmp_path / "out" / "data" / "train.jsonl").read_text().splitlines()) == 1
    assert "| a \\|" not in (tmp_path / "out" / "README.md").read_text()
    with pytest.raises(InputError, match="is there already"):
        export_dataset(store, 1, EVERYTHING, tmp_path / "out")


def test_without_inspect_ai_its_install_line_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    file = lines(tmp_path / "mine.jsonl", {"prompt_id": "1", "prompt": "Why?", "condition": "a", "text": "So."})
    assert alignbench("import", "jsonl", str(file)).returncode == 0
    for command in (["import", "inspect", str(file)], ["export", "inspect", "1", "-o", str(tmp_path / "log.eval")]):
        ran = alignbench(*command)
        assert (ran.returncode, "pip install 'alignbench[inspect]'" in ran.stderr) == (1, True), ran.stderr
    assert not (tmp_path / "log.eval").exists()
