"""Commands that write files: what is wrong is said before anything is opened, and nothing that was there is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.limits import largest_file
from tests.support.samples import ALIGNED, BASE, result

EXPORTS = (["export", "csv", "1"], ["export", "jsonl", "1"], ["report", "1", "--metrics", "words"])


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Path]:
    """Session 1, of two prompts and two conditions; what commands leave in the folder is looked at."""
    path = tmp_path / "work" / "own.db"
    with Store.open(path) as store:
        session = store.create_session("first", reference="demo-smollm2")
        for i in range(2):
            for model in (BASE, ALIGNED):
                cell = store.add_cell(session, Prompt(f"q{i}", f"Why {i}?"), Condition.zero_shot(model), 2)
                for sample in range(2):
                    store.add_sample(cell, result(sample, f"Because of {i} and {sample}."))
    yield path
    assert not [name for name in os.listdir(path.parent) if name.startswith(".alignbench-")]


@pytest.mark.parametrize("command", [*EXPORTS, ["calibrate"]])
@pytest.mark.parametrize("name", ["own.db", "hard.csv", "soft.csv", "own.db-wal", "own.db-shm", "own.db-journal"])
def test_the_database_is_not_written_over(db: Path, command: list[str], name: str) -> None:
    os.link(db, db.with_name("hard.csv"))
    db.with_name("soft.csv").symlink_to(db)
    before = db.read_bytes()
    done = alignbench(*command, "-o", str(db.with_name(name)), "--db", str(db))
    assert (done.returncode, done.stdout) == (2, "")
    assert "database" in done.stderr
    assert "which would be lost; name another file" in done.stderr
    assert db.read_bytes() == before


def test_a_backup_takes_no_name_that_means_something(db: Path) -> None:
    part = db.with_name("copy.db.part")
    part.write_text("theirs")
    assert alignbench("sessions", "backup", str(db.with_name("copy.db")), "--db", str(db)).returncode == 0
    assert part.read_text() == "theirs"
    for name, message in (("own.db", "is there already"), ("own.db-journal", "is a part of the database")):
        done = alignbench("sessions", "backup", str(db.with_name(name)), "--db", str(db))
        assert done.returncode == 2
        assert message in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "csv", "1", "--condition", "typo"],
        ["export", "jsonl", "1", "--prompt", "typo"],
        ["export", "csv", "9"],
        ["report", "9"],
        ["report", "1", "--format", "typo"],
        ["report", "1", "--metrics", "typo"],
        ["report", "1", "--reference", "typo"],
        ["report", "1", "--investigation", "typo"],
        ["calibrate", "--prompts", "typo"],
        ["calibrate", "--session", "1", "--condition", "typo"],
    ],
)
def test_names_are_checked_before_a_file_is_opened(db: Path, arguments: list[str]) -> None:
    kept, new = db.with_name("keep.csv"), db.with_name("new.csv")
    kept.write_text("kept")
    for file in (kept, new):
        done = alignbench(*arguments, "-o", str(file), "--db", str(db))
        assert done.returncode == 2, done.stderr
        assert "wrote" not in done.stderr
    assert kept.read_text() == "kept"
    assert not new.exists()


@pytest.mark.parametrize("command", EXPORTS)
def test_a_full_disk_leaves_the_old_file(db: Path, command: list[str]) -> None:
    kept = db.with_name("keep.csv")
    kept.write_text("kept")
    with Store.open(db), largest_file(20):
        done = alignbench(*command, "-o", str(kept), "--db", str(db))
    assert (done.returncode, done.stderr) == (1, f"alignbench: {kept} cannot be written: File too large.\n")
    assert kept.read_text() == "kept"


def test_an_export_in_the_layout_of_the_paper_is_whole_or_not_there(db: Path) -> None:
    folder = db.with_name("made")
    with Store.open(db), largest_file(300):
        done = alignbench("export", "overton", "1", str(folder), "--db", str(db))
    assert (done.returncode, done.stderr) == (1, f"alignbench: {folder}/first cannot be written: File too large.\n")
    assert not folder.exists()
    (folder / "first").mkdir(parents=True)
    (folder / "first" / "notes").write_text("theirs")
    there = alignbench("export", "overton", "1", str(folder), "--db", str(db))
    assert (there.returncode, there.stderr) == (
        2,
        f"alignbench: {folder}/first is there already; expected a folder without it.\n",
    )
    assert [path.name for path in folder.rglob("*")] == ["first", "notes"]
    assert alignbench("export", "overton", "1", str(db.with_name("other")), "--db", str(db)).returncode == 0
    assert (db.with_name("other") / "first" / "outputs" / "demo-base" / "samples.jsonl").is_file()


def test_of_figures_all_come_or_none(db: Path) -> None:
    figures = db.with_name("figures")
    with Store.open(db), largest_file(5_000):
        done = alignbench("report", "1", "--metrics", "words", "--figures", str(figures), "--db", str(db))
    assert done.returncode == 1
    assert f"{figures} cannot be written: File too large" in done.stderr
    assert not figures.exists()


def test_figures_need_a_folder(db: Path) -> None:
    db.with_name("file").write_text("kept")
    done = alignbench("report", "1", "--figures", str(db.with_name("file")), "--db", str(db))
    assert (done.returncode, done.stdout) == (2, "")
    assert "file is a file; expected a folder" in done.stderr
