"""A sample on its way out of the app: to the clipboard or to a file, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

from alignbench.errors import AlignbenchError
from alignbench.output_files import new_file
from alignbench.tui.screen import AppScreen, copy
from alignbench.tui.text import count
from alignbench.tui.workbench.cell import BenchSample
from alignbench.tui.workbench.state import Column

LONGEST_STEM = 100  # characters of a file's name that are a column's


def copy_sample(screen: AppScreen[None], sample: BenchSample | None) -> None:
    """Put the text on the clipboard."""
    if sample is None or not sample.text:
        screen.tell("There is no text to copy.", "warning")
        return
    screen.tell(f"Sample {sample.index + 1} copied: {count(copy(screen.app, sample.text), 'character')}.")


def save_sample(screen: AppScreen[None], column: Column | None, sample: BenchSample | None) -> None:
    """Write the text to a new file in the current folder, named after the column and the sample."""
    if column is None or sample is None or not sample.text:
        screen.tell("There is no text to save.", "warning")
        return
    stem = re.sub(r"[^A-Za-z0-9._+-]+", "-", column.name)[:LONGEST_STEM].strip("-.") or "sample"
    try:
        path = numbered_file(f"{stem}-sample-{sample.index + 1}", ".txt", sample.text)
    except AlignbenchError as error:
        screen.tell(str(error), "error")
        return
    screen.tell(f"Sample {sample.index + 1} saved to {path.resolve()}")


def numbered_file(stem: str, ending: str, text: str) -> Path:
    """Write a text to a file of the current folder that was not there before; a taken name gets a number."""
    count = 1
    while True:
        path = Path(f"{stem}{f'-{count}' if count > 1 else ''}{ending}")
        try:
            with new_file(path) as part:
                part.write_bytes(text.encode("utf-8", "surrogatepass"))
            return path
        except FileExistsError:
            count += 1
