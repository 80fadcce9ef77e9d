"""Floor, columns and ceiling on a line: where a condition stands between the zero-shot model and the reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from alignbench.tui.styled import DIM, hue
from alignbench.tui.text import fitted, number, one_line
from alignbench.tui.workbench.comparison_values import DASH
from alignbench.tui.workbench.recovery_scores import BandColumn

if TYPE_CHECKING:
    from alignbench.scoring.score_tables import CrossEstimate

TITLE, LABEL = 10, 9
_LEAST = 8  # cells of a line that says anything


@dataclass(frozen=True, slots=True)
class Measured:
    """The columns by one similarity.

    Attributes:
        label: What the similarity is, in a word.
        estimates: Of each column that has one.
        floor: Of the floor itself, which floor and ceiling are read from, as in the scores below; without it they are
            those that the selected column's share is of.
        n: Samples of the side that has the fewest.
        prompts: That it is over.
    """

    label: str
    estimates: Sequence[tuple[BandColumn, CrossEstimate]]
    n: int
    prompts: int
    floor: CrossEstimate | None = None


def recovery_line(measured: Measured, width: int, title: str = "") -> Content:
    """A similarity: ` recovery  jaccard  floor .170 ──B3 11%────B2 61%─── .480 ceiling  n 3 !`.

    Columns outside floor and ceiling stand at the ends, with their share.
    """
    from alignbench.reports.recovery_text import MARK, NO_SHARE, has_no_gap

    there = [(column, score) for column, score in measured.estimates if score.value is not None]
    left: list[tuple[str, str] | str] = [(f" {title:<{TITLE}}", "bold"), (f"{measured.label:<{LABEL}}", DIM)]
    if not there and (measured.estimates or measured.floor is None):
        reason = next((score.reason for _, score in measured.estimates), "")
        return Content.assemble(*left, (fitted(f"– {one_line(reason)}", width - TITLE - LABEL - 1).rstrip(), DIM))
    one = next((score for column, score in there if column.selected), there[0][1] if there else measured.floor)
    ends = measured.floor or one
    assert one is not None
    assert ends is not None
    shown = [(column, score) for column, score in there if score.recovery is not None and not has_no_gap(score)]
    few = any(score.recovery_ci is None for _, score in shown)
    over = f"n {measured.n}" if measured.prompts == 1 else f"{measured.prompts} prompts"
    before = f"floor {_number(ends.floor)} "
    after = f" {_number(ends.ceiling)} ceiling"
    tail: list[tuple[str, str] | str] = [(f"  {over}", DIM), *([(f" {MARK}", "bold $text-warning")] if few else [])]
    room = width - 1 - TITLE - LABEL - len(before) - len(after) - len(over) - 2 - 2
    line = _track(shown, room) if shown else _empty_track(room, f" {NO_SHARE} " if has_no_gap(one) else "")
    return Content.assemble(*left, (before, DIM), line, (after, DIM), *tail)


def spelled_out(measured: Measured) -> Iterator[str]:
    """The same in words, a line a column."""
    from alignbench.reports.recovery_text import shown_recovery

    for column, score in measured.estimates:
        if score.value is None:
            yield f"{column.sign}, {measured.label}: {score.reason}"
            continue
        ends = ", ".join(
            f"{name} {number(value)}"
            for name, value in (("floor", score.floor), ("ceiling", score.ceiling))
            if value is not None
        )
        yield f"{column.sign}, {measured.label}: {number(score.value)} of {ends}; recovery {shown_recovery(score)}"


def _number(value: float | None) -> str:
    return DASH if value is None else number(value)


def _empty_track(room: int, word: str) -> Content:
    return Content.styled(f"{word:─^{max(room, len(word))}}", DIM)


def _track(shown: Sequence[tuple[BandColumn, CrossEstimate]], room: int) -> Content:
    """The columns in the order of their shares: with shares and intervals, else those alone, else signs."""
    ordered = sorted(shown, key=lambda one: one[1].recovery or 0.0)
    texts = next((texts for texts in _texts(ordered) if sum(map(len, texts)) + len(texts) - 1 <= room), None)
    if texts is None or room < _LEAST:
        kept = [column.sign for column, _ in ordered if column.selected] or [ordered[0][0].sign]
        return Content.styled(fitted(" ".join([*kept, "…"]), max(room, 1)), DIM)
    starts = _starts([_unit(score.recovery or 0.0) for _, score in ordered], [*map(len, texts)], room)
    parts: list[Content | tuple[str, str]] = []
    at = 0
    for (column, score), text, start in zip(ordered, texts, starts, strict=True):
        bold = "bold " if column.selected else ""
        sign, share = text[: len(column.sign)], text[len(column.sign) :]
        parts += [("─" * (start - at), DIM), (sign, bold + hue(column.place))]
        parts.append((share, DIM if score.recovery_ci is None else bold))
        at = start + len(text)
    return Content.assemble(*parts, ("─" * (room - at), DIM))


def _texts(ordered: Sequence[tuple[BandColumn, CrossEstimate]]) -> Iterator[list[str]]:
    """What stands on the line, from the longest to the shortest."""
    yield [f"{column.sign} {_share(score)}{_interval(score)}" for column, score in ordered]
    yield [f"{column.sign} {_share(score)}" for column, score in ordered]
    yield [f"{column.sign} {_share(score)}" if column.selected else column.sign for column, score in ordered]
    yield [column.sign for column, _ in ordered]


def _share(score: CrossEstimate) -> str:
    """Of a recovery over 1 with a mark of its own."""
    return f"{score.recovery:.0%}{'!' if score.warning else ''}"


def _interval(score: CrossEstimate) -> str:
    return "" if score.recovery_ci is None else " [{:.0f}, {:.0f}]".format(*(100 * end for end in score.recovery_ci))


def _starts(shares: Sequence[float], sizes: Sequence[int], room: int) -> list[int]:
    """Where texts of these sizes begin, as near to their shares of the room as they fit beside each other."""
    starts, free = [], 0
    for share, size in zip(shares, sizes, strict=True):
        starts.append(max(free, min(room - size, round(share * (room - size)))))
        free = starts[-1] + size + 1
    end = room
    for i in reversed(range(len(starts))):
        starts[i] = min(starts[i], end - sizes[i])
        end = starts[i] - 1
    return starts


def _unit(share: float) -> float:
    return max(0.0, min(1.0, share))


def lines(measures: Iterable[Measured], width: int) -> list[Content]:
    """A line a similarity, the title before the first."""
    return [recovery_line(measured, width, "" if i else "recovery") for i, measured in enumerate(measures)]
