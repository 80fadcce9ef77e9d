"""Files of a model hub, fetched into the cache of huggingface_hub so that what was cut off goes on where it ended.

huggingface_hub gives up what it has of a file when it is interrupted. Here the part stays beside the whole files of its
repository, as `blobs/HASH.incomplete`, and its own reader goes on from there; it also links the file into a snapshot
when it is whole, so that every program finds it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from alignbench.errors import AlignbenchError, EngineError, InputError
from alignbench.extras import needed
from alignbench.models.hf_source import HfSource, hub_cache
from alignbench.progress import Progress, silent

HUB_TIMEOUT = 10.0  # seconds for the one question that tells whether the hub can be reached

CHUNK = 1 << 20  # bytes that an interruption loses at most; in huggingface_hub 10 MiB
_BLOCK = 1 << 20  # bytes hashed at a time
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a hub has of a model.

    Attributes:
        commit: its revision
        sizes: bytes of each file by its name, None where the hub does not tell
    """

    commit: str
    sizes: dict[str, int | None]


def listing(source: HfSource) -> Listing:
    """The commit of a hub model and its files; one request, which fails soon without a network.

    Raises EngineError where the hub cannot be asked, InputError where it has no such model or gives no access to it.
    """
    with needed("Models of a hub need", "hub"):
        from huggingface_hub import HfApi, constants
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    missing = f"hf:{source} is not in the local cache"
    instead = "Download it where there is a network, or give a folder: hf:/path/folder"
    if constants.HF_HUB_OFFLINE or os.environ.get("TRANSFORMERS_OFFLINE", "") not in ("", "0"):
        raise EngineError(f"{missing}, and the environment asks for offline work (HF_HUB_OFFLINE). {instead}")
    try:
        info = HfApi().model_info(
            source.location, revision=source.revision or None, timeout=HUB_TIMEOUT, files_metadata=True
        )
    except GatedRepoError:
        raise _gated(source) from None
    except RevisionNotFoundError:
        raise InputError(f"hf:{source}: the model has no revision {source.revision!r}.") from None
    except RepositoryNotFoundError:
        raise InputError(f"hf:{source}: the hub has no such model, or it is private (then set HF_TOKEN).") from None
    except Exception as error:  # a boundary: the HTTP client, and with it the errors, changes with huggingface_hub
        raise EngineError(f"{missing}, and the hub cannot be reached ({first_line(error)}). {instead}") from None
    if not _COMMIT.fullmatch(str(info.sha)):
        raise EngineError(f"hf:{source}: the hub does not say which commit its files are of.")
    return Listing(str(info.sha), {sibling.rfilename: sibling.size for sibling in info.siblings or ()})


def fetch_files(source: HfSource, found: Listing, names: Sequence[str], progress: Progress = silent) -> None:
    """Have files of a model in the local cache, at the commit of a listing. progress: told of bytes of all of them.

    What is there already is not fetched again. Whatever ends it, what has come of a file stays for the next call.
    Raises EngineError, AlignbenchError where the disk is full.
    """
    repository = _repository(source)
    left = [name for name in names if not (repository / "snapshots" / found.commit / name).exists()]
    total = sum(found.sizes.get(name) or 0 for name in left)
    _check_room(source, repository, total - sum(path.stat().st_size for path in repository.glob("blobs/*.incomplete")))
    done = 0
    for name in left:
        bar = _Bytes(progress, str(source), done, total)
        try:
            _fetch(source, repository, found.commit, name, bar)
        except (AlignbenchError, KeyboardInterrupt):
            raise
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise AlignbenchError(
                    f"hf:{source}: the disk is full ({hub_cache()}). What came of it is kept: make room, then give the "
                    "same command again, or set HF_HUB_CACHE to a folder with room."
                ) from None
            raise _failed(source, name, error) from None
        except Exception as error:  # a boundary, as above
            raise _failed(source, name, error) from None
        done += found.sizes.get(name) or 0


def remember_commit(source: HfSource, commit: str) -> None:
    """Note in the cache which commit a branch of a hub model was at, so that it is found there without a network."""
    name = source.revision or "main"
    if _COMMIT.fullmatch(name):
        return
    reference = _repository(source) / "refs" / name
    with suppress(OSError):  # a cache that cannot be written to: the hub is asked again
        reference.parent.mkdir(parents=True, exist_ok=True)
        part = reference.with_name(f".{reference.name}.{os.getpid()}")
        part.write_text(commit)
        part.replace(reference)


def bytes_kept(source: HfSource) -> int:
    """How much of files that are not whole yet is in the cache."""
    return sum(path.stat().st_size for path in _repository(source).glob("blobs/*.incomplete"))


def first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _repository(source: HfSource) -> Path:
    return hub_cache() / f"models--{source.location.replace('/', '--')}"


def _gated(source: HfSource) -> InputError:
    return InputError(f"hf:{source}: access has to be asked for on its page; then set HF_TOKEN.")


def _failed(source: HfSource, name: str, error: Exception) -> AlignbenchError:
    if type(error).__name__ == "GatedRepoError":
        return _gated(source)
    return EngineError(
        f"hf:{source}: {name} could not be fetched: {first_line(error)}. What came of it is kept: give the same "
        "command again to go on."
    )


def _check_room(source: HfSource, repository: Path, needed_bytes: int) -> None:
    folder = next(each for each in (repository, *repository.parents) if each.is_dir())
    free = shutil.disk_usage(folder).free
    if needed_bytes > free:
        raise AlignbenchError(
            f"hf:{source} needs {needed_bytes / 1e9:,.1f} GB more, and {hub_cache()} has {free / 1e9:,.1f} GB left. "
            "Make room, or set HF_HUB_CACHE to a folder with room."
        )


class _Bytes:
    """What huggingface_hub takes for a bar of tqdm: it adds up to what `Progress` is told."""

    def __init__(self, progress: Progress, what: str, done: int, total: int) -> None:
        self._progress, self._what, self._before, self._total = progress, what, done, total
        self._done = 0

    def begin(self, done: int, size: int | None) -> None:
        """A file, of which so much is there."""
        self._done = done
        self._total = max(self._total, self._before + (size or 0))
        self.update(0)

    def update(self, n: float | None = 1) -> None:
        self._done += int(n or 0)
        self._progress(self._what, self._before + self._done, max(self._total, self._before + self._done))


def _fetch(source: HfSource, repository: Path, commit: str, name: str, bar: _Bytes) -> None:
    from huggingface_hub import constants, file_download, get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.utils import logging

    quiet: Any = logging
    quiet.set_verbosity_error()  # what it would say of a lost connection goes around the bar
    limits: Any = constants
    limits.DOWNLOAD_CHUNK_SIZE = CHUNK
    url = hf_hub_url(source.location, name, revision=commit)
    known = get_hf_file_metadata(url, timeout=HUB_TIMEOUT)
    if known.etag is None or os.sep in known.etag:
        raise EngineError(f"hf:{source}: the hub does not say what {name} is (it sends no ETag).")
    blob = repository / "blobs" / known.etag
    whole_by_http = (known.size or 0) <= limits.MAX_HTTP_DOWNLOAD_SIZE
    if not blob.exists() and whole_by_http:
        blob.parent.mkdir(parents=True, exist_ok=True)
        part = blob.with_name(f"{blob.name}.incomplete")
        with part.open("ab") as file:
            _lock(source, name, file)
            if known.size is not None and file.tell() > known.size:  # of something else
                file.truncate(0)
                file.seek(0)
            there = file.tell()
            bar.begin(there, known.size)
            file_download.http_get(
                known.location,
                file,
                resume_size=there,
                headers=_headers(url, known.location),
                expected_size=known.size,
                displayed_filename=name,
                _tqdm_bar=bar,
            )
            file.flush()
            _check_content(source, name, part, known.etag)
            part.replace(blob)
    else:
        bar.begin(0, known.size)
    hf_hub_download(source.location, name, revision=commit, cache_dir=hub_cache())


def _headers(url: str, location: str) -> dict[str, str]:
    """What is sent to where the file is: the token only to the hub itself."""
    from huggingface_hub.utils._headers import build_hf_headers

    headers: dict[str, Any] = build_hf_headers()
    if url.split("/")[2] != location.split("/")[2]:
        headers.pop("authorization", None)
    return headers


def _lock(source: HfSource, name: str, file: IO[bytes]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EngineError(f"hf:{source}: another process is fetching {name}.") from None
    except OSError:  # a file system without locks
        pass


def _check_content(source: HfSource, name: str, part: Path, etag: str) -> None:
    """EngineError where a file that the hub knows by its SHA-256 has another one; it is not kept."""
    if not _SHA256.fullmatch(etag):
        return
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != etag:
        with suppress(OSError):
            part.unlink()
        raise EngineError(f"hf:{source}: {name} came with errors (its SHA-256 is another one) and was not kept.")
