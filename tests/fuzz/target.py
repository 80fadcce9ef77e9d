"""What a fuzzer tries: a reader of bytes from outside, and files it may read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """A reader that answers every input.

    Attributes:
        name: also of its file in the corpus
        read: reads an input; what it raises is a fault. A message for people (InputError) is an answer, and what is
            read has to hold what the target says of it
        seeds: inputs that are right, or nearly; others are made of them
        words: pieces that the reader knows
    """

    name: str
    read: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()

    def corpus(self) -> list[bytes]:
        """Inputs that reach code of their own, and inputs that once broke the reader."""
        path = _corpus(self.name)
        lines = path.read_text("ascii").splitlines() if path.exists() else []
        return [json.loads(line).encode("latin-1") for line in lines]


def write_corpus(name: str, inputs: Iterable[bytes]) -> None:
    """The inputs of a target, one a line: a JSON string, each of whose characters is a byte."""
    _corpus(name).parent.mkdir(exist_ok=True)
    lines = [json.dumps(data.decode("latin-1")) + "\n" for data in sorted(set(inputs))]
    _corpus(name).write_text("".join(lines), "ascii")


def _corpus(name: str) -> Path:
    return Path(__file__).parent / "corpus" / f"{name}.jsonl"


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="alignbench-fuzz-")


@contextmanager
def file_of(data: bytes, name: str) -> Iterator[Path]:
    """A file that holds an input; `name` may be read for its ending."""
    path = Path(_folder().name, name)
    path.write_bytes(data)
    yield path


def text_of(data: bytes) -> str:
    """An input as the text that a decoder of UTF-8 makes of it."""
    return data.decode("utf-8", "replace")
