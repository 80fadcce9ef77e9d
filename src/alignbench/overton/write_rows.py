"""Samples of a condition in the form that the release has them in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alignbench.overton.rows import FENCE, read_row
from alignbench.store import SampleRow

OutputRow = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExportedCell:
    """One prompt under one condition: the text the model saw, where it is known, and the samples by index."""

    rendered: str | None
    samples: tuple[SampleRow, ...]


def output_rows(cells: Sequence[ExportedCell]) -> tuple[list[OutputRow], bool]:
    """A row a cell, and whether they are those of a text server.

    Rows of a text server have the rendered prompt, and the generated text up to the fence that stopped it. Where the
    prompt is not known, or such a row would be read back as another text, all rows are those of a chat server.
    """
    rows = [_text_row(cell) for cell in cells]
    if all(row is not None for row in rows):
        return [row for row in rows if row is not None], True
    return [
        {"ok": True, "outputs": [_chat_output(i, sample) for i, sample in _by_index(cell)]} for cell in cells
    ], False


def _text_row(cell: ExportedCell) -> OutputRow | None:
    """None where a sample would not come back as it is."""
    outputs = []
    for _, sample in _by_index(cell):
        if sample is None or sample.status != "done":
            outputs.append(_error(sample))
            continue
        generated = None if cell.rendered is None else _generated(cell.rendered, sample)
        if generated is None:
            return None
        outputs.append({"generated_text": generated})
    return {**({} if cell.rendered is None else {"prompt": cell.rendered}), "outputs": outputs}


def _generated(rendered: str, sample: SampleRow) -> str | None:
    """The generated text that is read back as this sample."""
    for raw in (sample.raw_text, sample.raw_text + FENCE, sample.text + FENCE, sample.text):
        _, (read,) = read_row({"prompt": rendered, "outputs": [{"generated_text": raw}]}, 1)
        if (read.text, read.finish) == (sample.text, sample.finish_reason):
            return raw
    return None


def _chat_output(index: int, sample: SampleRow | None) -> OutputRow:
    if sample is None or sample.status != "done":
        return _error(sample)
    return {
        "finish_reason": sample.finish_reason,
        "index": index,
        "message": {"role": "assistant", "content": sample.text},
    }


def _error(sample: SampleRow | None) -> OutputRow:
    return {"error": "not sampled" if sample is None else sample.error or sample.status}


def _by_index(cell: ExportedCell) -> Iterator[tuple[int, SampleRow | None]]:
    """Every index up to the last one, since a row has no other place to say which sample it is."""
    there = {sample.sample: sample for sample in cell.samples}
    for i in range(max(there, default=-1) + 1):
        yield i, there.get(i)
