"""Prompts that stand on the command line, or come through a pipe: `--prompt -`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.cli import printing
from alignbench.errors import InputError

if TYPE_CHECKING:
    from alignbench.spec import Prompt

STDIN = "-"
MOST = 8_000_000  # bytes of a prompt that comes through a pipe


def typed_text(text: str) -> str:
    """A text of the command line; of `-` what stdin has, which is one text. Raises InputError."""
    if text != STDIN:
        return text
    if sys.stdin is None:
        raise InputError("--prompt - reads stdin, which is closed.")
    if sys.stdin.isatty():
        printing.say("reading the prompt from the terminal; Ctrl-D ends it")
    data = sys.stdin.buffer.read(MOST + 1)
    if len(data) > MOST:
        raise InputError(f"stdin has more than {MOST:,} bytes; expected one prompt. A file of prompts: --prompts FILE.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"stdin, byte {error.start}: 0x{data[error.start]:02x} is not UTF-8; expected UTF-8."
        ) from None


def typed_prompts(
    texts: Sequence[str], prompt_field: str | None, id_field: str | None, values: Path | None
) -> list[Prompt]:
    """The prompts of `--prompt`, which have no fields, with their variables filled in where there are values."""
    from alignbench.prompts import typed_prompt, with_values

    for name, given in (("--prompt-field", prompt_field), ("--id-field", id_field)):
        if given is not None:
            raise InputError(f"{name} is for --prompts, whose file has fields.")
    if texts.count(STDIN) > 1:
        raise InputError("--prompt - is there twice; stdin has one prompt.")
    prompts = [typed_prompt(typed_text(text)) for text in texts]
    return prompts if values is None else with_values(prompts, values)
