"""A sample on its way out of the app: to the clipboard or to a file, byte for byte."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from alignbench.errors import AlignbenchError
from alignbench.output_files import write_bytes
from alignbench.tui.dialogs.save import ask_where
from alignbench.tui.screen import AppScreen, WorkbenchScreen, copy
from alignbench.tui.text import count
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.column import Column

LONGEST_STEM = 100  # characters of a file's name that are a column's


def copy_sample(screen: AppScreen[None], sample: BenchSample | None) -> None:
    """Put the text on the clipboard."""
    if sample is None or not sample.text:
        screen.tell("There is no text to copy.", "warning")
        return
    screen.tell(f"Sample {sample.index + 1} copied: {count(copy(screen.app, sample.text), 'character')}.")


async def save_sample(screen: WorkbenchScreen[Any], column: Column | None, sample: BenchSample | None) -> None:
    """Ask where, and write the text to that file."""
    if column is None or sample is None or not sample.text:
        screen.tell("There is no text to save.", "warning")
        return
    number, text = sample.index + 1, sample.text
    stem = re.sub(r"[^A-Za-z0-9._+-]+", "-", column.name)[:LONGEST_STEM].strip("-.") or "sample"
    path = await ask_where(screen, screen.workbench, f"sample {number}", f"{stem}-sample-{number}.txt")
    if path is None:
        return
    try:
        await asyncio.to_thread(write_bytes, path, text.encode("utf-8", "surrogatepass"))
    except AlignbenchError as error:
        screen.tell(str(error), "error")
    else:
        screen.tell(f"Sample {number} saved to {path.resolve()}")
