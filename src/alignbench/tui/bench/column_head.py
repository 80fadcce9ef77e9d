"""What stands in the border of a column: name, how far it has got, and which columns are not in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from alignbench.experiments.condition_changes import context_words
from alignbench.tui.bench.column_window import ColumnWindow
from alignbench.tui.clickable import clickable
from alignbench.tui.condition_text import settings
from alignbench.tui.styled import DIM, hue
from alignbench.tui.text import bar, cells, cut, middle_cut, one_line
from alignbench.tui.workbench.cell import BenchCell
from alignbench.tui.workbench.column import Column, letter

LEAST_NAME = 12  # cells of a name, before the words beside the count give way
RUNNING, CUT, FAILED = "$text-success", "$text-warning", "$text-error"


@dataclass(frozen=True, slots=True)
class CellProgress:
    """How far a cell has got.

    Attributes:
        count: Finished samples of all.
        words: What is going on, or what all samples share; the same in fewer words follows.
        style: Of both.
    """

    count: str
    words: tuple[str, ...]
    style: str = DIM


def progress(cell: BenchCell, n: int, shared: str = "") -> CellProgress:
    """How far a cell has got. shared: what is said of all its samples at once."""
    count = f"{cell.done}/{n}"
    match cell.status:
        case "starting":
            return CellProgress(count, ("starting",))
        case "loading":
            share = f"{cell.fraction:.0%}"
            words = f"loading {share}"
            longest = f"loading {cell.stage} {share}" if cell.stage else words
            ever_shorter = dict.fromkeys((f"{longest} {bar(cell.fraction, 8)}", longest, words))
            return CellProgress(count, tuple(ever_shorter))
        case "waiting":
            return CellProgress(count, ("waiting",))
        case "sampling":
            rate = cell.rate.per_second()
            return CellProgress(count, (f"{rate:.0f} tok/s",) if rate else ("reading the prompt", "reading"), RUNNING)
    if cell.message:
        return CellProgress(count, ("failed",), FAILED)
    if not cell.samples:
        return CellProgress(count, ("not sampled",))
    if shared:
        return CellProgress(count, (shared,), CUT)
    return CellProgress(count, ("done",) if cell.done >= n else ("F5 goes on",))


def title(at: int, column: Column, how_far: CellProgress, *, reference: bool, selected: bool, width: int) -> Content:
    """Letter, name and version on the left, how far it has got on the right; as wide as the border has room for.

    The count is never cut. Where not all has room, the words beside it get fewer, then the name loses its middle.

    Args:
        at: Place of the column.
        column: The column.
        how_far: Of its cell.
        reference: Whether the others are compared with it.
        selected: Whether it is; its border is a heavy one.
        width: Cells.
    """
    sign = f"{letter(at)}{'*' if reference else ''} "
    version = f" v{column.version + 1}/{len(column.versions)}" if column.versions else ""
    room = width - len(sign + version + how_far.count) - 3  # a line between two spaces
    least = min(LEAST_NAME, cells(one_line(column.name)))
    words = next((f" {words}" for words in how_far.words if room - len(words) - 1 >= least), "")
    left = Content.assemble(
        (sign, f"bold {hue(at)}"), (middle_cut(column.name, room - len(words)), "bold"), (version, DIM), " "
    )
    right = Content.styled(f" {how_far.count}{words}", how_far.style)
    line = ("━" if selected else "─") * max(1, width - left.cell_length - right.cell_length)
    return Content.assemble(left, (line, "$border" if selected else "$border-blurred"), right)


def about(column: Column, confounds: str, *, reference: bool, width: int) -> Content:
    """What a column is, on the line below its border: first in what it differs from the reference by accident.

    Args:
        column: The column.
        confounds: As `confound_mark` says them.
        reference: Whether the others are compared with it.
        width: Cells.
    """
    condition = column.condition
    context = "" if condition.context.zero_shot else context_words(condition.context)
    kind = f"reference, {condition.model.kind}" if reference else condition.model.kind
    mark = f" {confounds} " if confounds else ""
    said = "  ".join(filter(None, (kind, context, settings(condition))))
    return Content.assemble((mark, "bold $text-warning"), (cut(f" {said}", width - cells(mark)), DIM))


def foot(in_sight: ColumnWindow, count: int, width: int) -> Content:
    """Which columns are in sight and the letters of those that are not: a click on one brings it there.

    Args:
        in_sight: The columns.
        count: How many there are.
        width: Cells.
    """
    if not in_sight.before and not in_sight.after:
        return Content("")
    first, last = in_sight.moving[0] + 1, in_sight.moving[-1] + 1
    place = f"{first if first == last else f'{first}-{last}'} of {count}"
    left, right = _letters(in_sight.before[::-1], in_sight.after, width - len(place) - 10)
    parts: list[Content] = []
    if in_sight.before:
        parts += [clickable("◂", "column_left"), *left[::-1], Content("")]
    parts.append(Content.styled(place, "bold"))
    if in_sight.after:
        parts += [Content(""), *right, clickable("▸", "column_right")]
    return Content(" ").join(parts)


def _letters(before: Sequence[int], after: Sequence[int], room: int) -> tuple[list[Content], list[Content]]:
    """The nearest ones on both sides, as many as fit; an ellipsis stands for the others."""
    sides: tuple[list[Content], list[Content]] = ([], [])
    queues = (list(before), list(after))
    while any(queues):
        for side, queue in zip(sides, queues, strict=True):
            if not queue:
                continue
            at = queue.pop(0)
            room -= len(letter(at)) + 1
            if room < 0:
                side.append(Content("…"))
                queue.clear()
            else:
                side.append(clickable(letter(at), f"column({at})", hue(at)))
    return sides
