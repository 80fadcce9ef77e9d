"""A file that is written is whole under its name, or its name holds what it held before."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alignbench.errors import AlignbenchError, InputError
from alignbench.output_files import check_output, new_file, new_folder, output, text_output, write_text
from tests.support.limits import largest_file, read_only, small_disk

BIG = "x" * 100_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Nothing but what is written is left in it."""
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder
    assert not [path.name for path in folder.rglob("*") if path.name.startswith(".alignbench-")]


def refused(path: Path, message: str) -> None:
    before = path.read_bytes() if os.path.isfile(path) else None
    with pytest.raises(AlignbenchError, match=message):
        write_text(path, "new")
    if before is not None:
        assert path.read_bytes() == before


def write_then(path: Path, happen: Callable[[], object]) -> None:
    with text_output(path) as out:
        out.write(BIG)
        happen()


def fill_then(path: Path, happen: Callable[[], object]) -> None:
    with new_folder(path) as tree:
        (tree / "data").write_text("half")
        happen()


def test_the_new_content_comes_at_the_end(folder: Path) -> None:
    (folder / "a").write_text("old")
    with text_output(folder / "a") as out:
        out.write("né\r\n")
        out.flush()
        assert (folder / "a").read_text() == "old"
    assert (folder / "a").read_bytes() == b"n\xc3\xa9\r\n"


def test_what_fails_midway_leaves_the_old_one(folder: Path) -> None:
    (folder / "a").write_text("old")
    for name in ("a", "b"):
        with pytest.raises(ZeroDivisionError):
            write_then(folder / name, lambda: 1 / 0)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "old"}


@pytest.mark.parametrize("write", [write_text, lambda path, text: next(iter(numbered(path, text)), None)])
def test_a_file_that_cannot_grow(folder: Path, write: Callable[[Path, str], object]) -> None:
    (folder / "a").write_text("old")
    name = folder / ("a" if write is write_text else "b")
    with pytest.raises(AlignbenchError, match=f"{name.name} cannot be written: File too large"), largest_file(50_000):
        write(name, BIG)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "old"}


def numbered(path: Path, text: str) -> Iterator[None]:
    with new_file(path) as part:
        part.write_text(text)
    yield


def test_a_full_disk(folder: Path) -> None:
    with small_disk(folder, 64):
        write_text(folder / "a", "old")
        refused_message = "a cannot be written: No space left on device"
        with pytest.raises(AlignbenchError, match=refused_message):
            write_text(folder / "a", BIG)
        with pytest.raises(AlignbenchError, match="No space left on device"), new_folder(folder / "n" / "tree") as tree:
            (tree / "data").write_text(BIG)
        assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "old"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing(folder: Path, number: signal.Signals) -> None:
    (folder / "a").write_text("old")
    if number is not signal.SIGINT:  # a command that ran in this process before has its own
        signal.signal(number, signal.SIG_DFL)
    with pytest.raises((SystemExit, KeyboardInterrupt)) as ended:
        write_then(folder / "a", lambda: os.kill(os.getpid(), number))
    if number is not signal.SIGINT:
        assert ended.value.args == (128 + number,)
        assert signal.getsignal(number) is signal.SIG_DFL
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        fill_then(folder / "tree" / "deep", lambda: os.kill(os.getpid(), number))
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "old"}


def test_permissions(folder: Path) -> None:
    umask = os.umask(0o027)
    try:
        write_text(folder / "new", "x")
        (folder / "old").touch()
        (folder / "old").chmod(0o604)
        write_text(folder / "old", "x")
        with new_file(folder / "first") as part:
            part.write_text("x")
    finally:
        os.umask(umask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"new": 0o640, "old": 0o604, "first": 0o640}


def test_what_a_link_points_to_is_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (folder / "link").symlink_to("../file")
    (folder / "chain").symlink_to("link")
    (folder / "dangling").symlink_to(tmp_path / "later")
    write_text(folder / "chain", "new")
    write_text(folder / "dangling", "made")
    assert (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "later").read_text() == "made"
    assert all((folder / name).is_symlink() for name in ("link", "chain", "dangling"))
    (folder / "round").symlink_to("round")
    refused(folder / "round", "round cannot be written: Too many levels of symbolic links")


@pytest.mark.linux
def test_pipes_and_devices_are_written_to(folder: Path) -> None:
    write_text(Path(os.devnull), "gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    refused(Path("/dev/full"), "/dev/full cannot be written: No space left on device")
    os.mkfifo(folder / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((folder / "pipe").read_text()))
    reader.start()
    write_text(folder / "pipe", "through")
    reader.join()
    assert read == ["through"]
    with (folder / "file").open("w+b") as file:  # what a shell has opened, it goes on writing to
        file.write(b"before ")
        file.flush()
        place = file.fileno()
        write_text(Path(f"/proc/self/fd/{place}"), "after")
        assert os.fstat(place).st_nlink == 1


def test_what_cannot_be_written(folder: Path) -> None:
    (folder / "file").write_text("kept")
    for name, message in (
        ("", "it is a folder; expected a file"),
        ("no/such/file", "there is no folder .*no/such"),
        ("file/below", "Not a directory"),
        ("n" * 300, "File name too long"),
    ):
        refused(folder / name, f"cannot be written: {message}")
        with pytest.raises(AlignbenchError, match=f"cannot be written: {message}"):
            check_output(folder / name)


def test_read_only(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir()
    (locked / "file").write_text("kept")
    (folder / "file").write_text("kept")
    with read_only(folder / "file", locked):
        refused(folder / "file", "file cannot be written: the file is read-only")
        refused(locked / "file", "the folder .*locked is read-only")
        refused(locked / "new", "the folder .*locked is read-only")
        with pytest.raises(AlignbenchError, match="is read-only"), new_folder(locked / "a" / "b"):
            pass


def test_databases_are_never_written_over(folder: Path) -> None:
    own = folder / "own.db"
    with closing(sqlite3.connect(own)) as db:
        db.execute("CREATE TABLE t (x)")
    os.link(own, folder / "hard.csv")
    (folder / "soft.csv").symlink_to("own.db")
    (folder / "wal.csv").symlink_to("own.db-wal")
    (folder / "own.db-shm").write_bytes(b"shared memory")
    for name in ("own.db", "../out/own.db", "hard.csv", "soft.csv"):
        refused(folder / name, "it is a database, which would be lost")
    for name in ("own.db-wal", "own.db-shm", "own.db-journal", "wal.csv", "soft.csv-wal"):
        if name.startswith(("own", "wal")):
            refused(folder / name, "it is a part of the database .*own.db")
    with pytest.raises(InputError, match="a part of the database"), new_file(folder / "own.db-journal"):
        pass
    write_text(folder / "notes-wal", "no database of that name")
    (folder / "empty").touch()
    write_text(folder / "empty", "SQLite format 3")
    write_text(folder / "empty", "text")


def test_a_new_file_takes_no_name(folder: Path) -> None:
    def late() -> None:
        with new_file(folder / "a") as part:
            part.write_text("late")
            (folder / "a").write_text("first")

    with pytest.raises(FileExistsError):
        late()
    with pytest.raises(FileExistsError), new_file(folder / "a"):
        pass
    assert (folder / "a").read_text() == "first"
    with new_file(folder / "deep" / "b") as part:
        part.write_text("x")
    assert [*(folder / "deep").iterdir()] == [folder / "deep" / "b"]


def test_a_folder_comes_whole(folder: Path) -> None:
    with new_folder(folder / "deep" / "tree") as tree:
        (tree / "sub").mkdir()
        (tree / "sub" / "data").write_text("x")
        assert not (folder / "deep" / "tree").exists()
    assert (folder / "deep" / "tree" / "sub" / "data").read_text() == "x"
    with pytest.raises(InputError, match="tree is there already"), new_folder(folder / "deep" / "tree"):
        pass
    with pytest.raises(ZeroDivisionError):
        fill_then(folder / "other" / "tree", lambda: 1 / 0)

    def taken() -> None:
        (folder / "late").mkdir()
        (folder / "late" / "theirs").write_text("kept")

    with pytest.raises(AlignbenchError, match="late cannot be written: Directory not empty"):
        fill_then(folder / "late", taken)
    assert sorted(path.name for path in folder.iterdir()) == ["deep", "late"]
    assert (folder / "late" / "theirs").read_text() == "kept"


@pytest.mark.linux
def test_nothing_is_open_when_a_block_ends(folder: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with output(folder / "a") as out:
        out.write(b"x")
    with pytest.raises(ZeroDivisionError), output(folder / "a"):
        raise ZeroDivisionError
    assert len(os.listdir("/proc/self/fd")) == before
