"""Files that are written for the user: a name holds all of the new content, or what it held before.

What is written lies beside its name until it is whole, in a file that is removed where anything goes wrong, the disk is
full or the process is interrupted. Databases are never written over.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import signal
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, BinaryIO

from alignbench.errors import AlignbenchError, InputError

DATABASE_FILES = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database, which are a part of it."""

_STREAMS = ("/dev", "/dev/fd", "/proc")
_MOST_LINKS = 40
_SMALLEST_DATABASE = 512  # bytes
_ENDS = (signal.SIGTERM, signal.SIGHUP)


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Ask before the work is done. InputError for a folder, or where a database or an input would be written over;
    AlignbenchError where nothing can be written. inputs: files that are read for what is written."""
    with plain_write_errors(path):
        target = _target(path)
        if target is not None:
            _refuse(path, target)
            if any(each.exists() and target.exists() and each.samefile(target) for each in inputs):
                raise InputError(f"{path} cannot be written: it is what is read; name another file.")


def check_output_folder(path: Path) -> None:
    """As `check_output`, of a folder that files are written to, which may not be there yet."""
    with plain_write_errors(path):
        there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
        if not there.is_dir():
            raise InputError(f"{path} cannot be written: {there} is a file; expected a folder.")
        _refuse_read_only(path, there)


@contextmanager
def output(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when the block ends. A pipe, a terminal and /dev/null are written to as they are.

    The permissions are those of the file that was there, or of a new one; a link stays, and what it points to is
    replaced. Raises as `check_output`.
    """
    with plain_write_errors(path):
        target = _target(path)
        if target is None:
            with path.open("wb") as out:
                yield out
            return
        _refuse(path, target)
        with _part(target.parent) as part:
            with part.open("xb") as out:
                _take_permissions(out.fileno(), target)
                yield out
                _settle(out)
            part.replace(target)
            _settle_folder(target.parent)


@contextmanager
def text_output(path: Path) -> Iterator[IO[str]]:
    """As `output`, for UTF-8 with the line ends as they are written."""
    with output(path) as out:
        text = io.TextIOWrapper(out, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()


def write_text(path: Path, text: str) -> None:
    """Write a whole file; see `output`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file; see `output`."""
    with output(path) as out:
        out.write(content)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A private name to write to, whose file gets this one when the block ends; parents are made.

    FileExistsError where the name is taken, else raises as `check_output`.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    _refuse_database(path, Path(os.path.realpath(path.parent)) / path.name)
    with plain_write_errors(path), _parents_made(path), _part(path.parent) as part:
        yield part
        with part.open("rb") as written:
            _settle(written)
        try:
            os.link(part, path)  # renaming would write over what has come under the name meanwhile
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            part.replace(path)
        _settle_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A private folder to fill, which gets this name when the block ends; parents are made.

    InputError where the name is taken.
    """
    if os.path.lexists(path):
        raise InputError(f"{path} is there already; expected a folder without it.")
    with plain_write_errors(path), _parents_made(path), _part(path.parent) as part:
        part.mkdir()
        yield part
        part.rename(path)  # fails where something with content has come under the name meanwhile
        _settle_folder(path.parent)


@contextmanager
def plain_write_errors(path: Path) -> Iterator[None]:
    """Turn what the system says of writing to a file into an AlignbenchError about it; that a name is taken stays."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise AlignbenchError(f"{path} cannot be written: {error.strerror or error}.") from None


@contextmanager
def _parents_made(path: Path) -> Iterator[None]:
    """Make the folders above a path; those that were made go again where the block fails."""
    check_output_folder(path.parent)
    made = [folder for folder in path.absolute().parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):  # another program may have put something in
                folder.rmdir()
        raise


def _target(path: Path) -> Path | None:
    """The file that a path leads to, links followed; None for what can only be written to as it is."""
    at = path.absolute()
    for _ in range(_MOST_LINKS):
        folder = Path(os.path.realpath(at.parent))
        if str(folder) in _STREAMS or folder.is_relative_to("/proc"):
            return None  # /dev/stdout may be a file that the shell goes on writing to
        at = folder / at.name
        if not at.is_symlink():
            break
        at = folder / at.readlink()
    is_stream = _mode(at) and not stat.S_ISREG(_mode(at)) and not stat.S_ISDIR(_mode(at))
    return None if is_stream else at


def _mode(path: Path) -> int:
    """0 where there is nothing under the name; OSError where there can be nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0


def _refuse(path: Path, target: Path) -> None:
    """path: what the user wrote. target: where it leads to."""
    if stat.S_ISDIR(_mode(target)):
        raise InputError(f"{path} cannot be written: it is a folder; expected a file.")
    if not target.parent.exists():
        raise AlignbenchError(f"{path} cannot be written: there is no folder {target.parent}.")
    if target.exists() and not os.access(target, os.W_OK):
        raise AlignbenchError(f"{path} cannot be written: the file is read-only.")
    _refuse_read_only(path, target.parent)
    _refuse_database(path, target)


def _refuse_read_only(path: Path, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise AlignbenchError(f"{path} cannot be written: the folder {folder} is read-only.")


def _refuse_database(path: Path, target: Path) -> None:
    for ending in ("", *DATABASE_FILES):
        database = target.with_name(target.name.removesuffix(ending)) if target.name != ending else target
        if target.name.endswith(ending) and _is_database(database):
            what = "a database" if not ending else f"a part of the database {database}"
            raise InputError(f"{path} cannot be written: it is {what}, which would be lost; name another file.")


def _is_database(path: Path) -> bool:
    """Whether a file is SQLite's, whatever it is called. SQLite itself looks: reading the file without it would drop
    the locks that this process holds on it."""
    if not path.is_file() or path.stat().st_size < _SMALLEST_DATABASE:  # SQLite would take it for an empty one
        return False
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT
    return True


@contextmanager
def _part(folder: Path) -> Iterator[Path]:
    """A private name in a folder; whatever lies under it when the block ends is removed."""
    part = folder / f".alignbench-{secrets.token_hex(8)}.part"
    try:
        with _signals_raise():
            yield part
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        for ending in ("", *DATABASE_FILES):
            part.with_name(part.name + ending).unlink(missing_ok=True)


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let signals that would end the process at once end it as Ctrl-C does, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = [number for number in _ENDS if signal.getsignal(number) is signal.SIG_DFL]
    for number in own:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in own:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _take_permissions(file: int, target: Path) -> None:
    """Give a new file the permissions and, where that is allowed, the owner of the one that it takes the place of."""
    with suppress(FileNotFoundError):
        there = target.stat()
        with suppress(PermissionError):
            os.fchown(file, there.st_uid, there.st_gid)
        os.fchmod(file, stat.S_IMODE(there.st_mode))


def _settle(file: BinaryIO) -> None:
    """Have it on the disk before the old content goes."""
    file.flush()
    os.fsync(file.fileno())


def _settle_folder(folder: Path) -> None:
    with suppress(OSError):  # not every file system can
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
