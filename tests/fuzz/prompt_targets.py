"""Readers of prompts: lists, tables, what names them, and values for their variables."""

from __future__ import annotations

import io
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq

from alignbench.errors import InputError
from alignbench.models.hub_gguf import chosen_files, parse_hub_gguf
from alignbench.prompt_files.source import parse_prompt_source
from alignbench.prompts import load_prompts, with_values
from alignbench.spec import Prompt
from tests.fuzz.target import Target, file_of, text_of


def _file(name: str, data: bytes) -> None:
    with file_of(data, name) as path, suppress(InputError):
        prompts = load_prompts(str(path))
        assert all(prompt.text.strip() for prompt in prompts)
        assert len({prompt.id for prompt in prompts}) == len(prompts)


def json_list(data: bytes) -> None:
    _file("list.json", data)


def yaml_list(data: bytes) -> None:
    _file("list.yaml", data)


def parquet_file(data: bytes) -> None:
    _file("table.parquet", data)


def prompt_source(data: bytes) -> None:
    """What names prompts names the same when it is written out."""
    with suppress(InputError):
        source = parse_prompt_source(text_of(data))
        assert parse_prompt_source(str(source)) == source


def hub_gguf(data: bytes) -> None:
    """Of the names of a repository only GGUF files are chosen."""
    target, *names = text_of(data).split("\n")
    if (gguf := parse_hub_gguf(target)) is not None:
        assert parse_hub_gguf(str(gguf)) == gguf
        with suppress(InputError):
            assert all(name in names and name.endswith(".gguf") for name in chosen_files(gguf, names))


def prompt_values(data: bytes) -> None:
    """Values are filled in as they are, and never read as templates."""
    with file_of(data, "values.csv") as path, suppress(InputError):
        (first, *_) = with_values([Prompt("q", "Why {{ x }}?")], path)
        assert first.filled is not None
        assert first.text == f"Why {dict(first.filled.values)['x']}?".strip()


def _parquet(**columns: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


PROMPT_TARGETS = (
    Target(
        "json-list",
        json_list,
        (
            b'["What is tea?", {"id": 1, "prompt": "Why?"}]',
            b'\xef\xbb\xbf{"n": {}, "prompts": [{"messages": [{"role": "user", "content": "x"}]}], "m": []}',
        ),
        (
            b"[",
            b"]",
            b"{",
            b"}",
            b",",
            b":",
            b'"prompts"',
            b'"prompt"',
            b"null",
            b"1e999",
            b"\\ud800",
            b"\xff\xfe",
            b'"',
        ),
    ),
    Target(
        "yaml-list",
        yaml_list,
        (
            b"- What is tea?\n- {id: 007, prompt: 'Why?'}\n- |\n  two\n  lines\n",
            b"a: &a [Yes, No]\nprompts:\n- prompt: Is it?\n  options: *a\n- text: !!str 5\n",
        ),
        (
            b"- ",
            b"\n",
            b": ",
            b"&a ",
            b"*a",
            b"<<",
            b"!!",
            b"---\n",
            b"[",
            b"]",
            b"{",
            b"}",
            b"no",
            b"~",
            b"\t",
            b"|\n",
            b"'",
        ),
    ),
    Target(
        "parquet-file",
        parquet_file,
        (_parquet(prompt=["What is tea?", "Why?"], id=[1, 2]), _parquet(messages=[[{"role": "user", "content": "x"}]])),
        (b"PAR1", b"\xff" * 8, b"\x00" * 8, b"\x15\x04", b"prompt"),
    ),
    Target(
        "prompt-source",
        prompt_source,
        (b"q.csv?field=a%20b&id=k", b"dataset:org/name?split=test[:10]&config=en", b"what?.csv?values=/v.csv"),
        (b"?", b"&", b"=", b"%", b"%00", b"+", b"dataset:", b"field=", b"values=", b";", b"\xff"),
    ),
    Target(
        "hub-gguf",
        hub_gguf,
        (
            b"org/tiny-GGUF:Q4_K_M\ntiny-Q4_K_M.gguf\nREADME.md",
            b"o/n@v1:BF16\na/b-BF16-00001-of-00002.gguf\na/b-BF16-00002-of-00002.gguf\nmmproj-BF16.gguf",
        ),
        (b"\n", b":", b"@", b"/", b".gguf", b"-00001-of-00002", b"Q8_0", b"mmproj"),
    ),
    Target(
        "prompt-values",
        prompt_values,
        (b"x,id\ntea,a\n{{ 7*7 }},b\n", b"X;id\r\n{% raw %};1\r\n"),
        (b",", b"\n", b'"', b"{{", b"}}", b"{%", b"x", b"id", b";", b"\x00", b"\xff"),
    ),
)
