"""The answers to a survey question as text: bars by option, a row a column and a group, and how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from alignbench.answer_options import LETTERS, AnswerOptions
from alignbench.metrics.answer_distributions import AnswerDistance
from alignbench.surveys.distribution import AnswerDistribution
from alignbench.tui.styled import DIM, faint, heading, hue
from alignbench.tui.text import bar, fitted, number
from alignbench.tui.wrap import WrappedText

NAME = 22  # cells of the first column
LEAST = 10  # of an option's cell: a bar and a share
DISTANCES: Mapping[str, str] = {
    "tv": "total variation",
    "jsd": "Jensen-Shannon divergence, bits",
    "w1": "1-Wasserstein distance, in the options' values",
    "representativeness": "representativeness, 1 is the same",
}
UNIFORM = "uniform"


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """Whoever answers.

    Attributes:
        sign: a column's letter; empty for people
        name: of the column, of its replies, or of the group
        at: the column's place; None for people
        shares: (K,) over the options that are no refusals; None where there are none
        distribution: of a column, once it is known
        said: why there are no shares, or how far it is
    """

    sign: str
    name: str
    at: int | None
    shares: Sequence[float] | None
    distribution: AnswerDistribution | None = None
    said: str = ""

    @property
    def style(self) -> str:
        return DIM if self.at is None else hue(self.at)

    @property
    def label(self) -> str:
        return f"{self.sign} {self.name}".strip()


def answer_lines(
    answers: AnswerOptions, rows: Sequence[AnswerRow], others: Sequence[AnswerRow], distance: str, width: int
) -> list[Content]:
    """Everything below the question.

    Args:
        answers: the options in the given order
        rows: columns first, then people
        others: those that distances are told to: the groups, and the reference where there is one
        distance: a name of `DISTANCES`
        width: in cells
    """
    lines = [*_bars(answers, rows, width), Content("")]
    told = [row for row in rows if row.distribution is not None and row.distribution.p is not None]
    if told:
        lines += _table(told, others, distance, width)
    lines += _notes(answers, rows, distance, width)
    return lines


def _bars(answers: AnswerOptions, rows: Sequence[AnswerRow], width: int) -> Iterator[Content]:
    """As many options beside each other as have room, with a bar of each row."""
    places = answers.answers
    beside = _beside(len(places), width)
    for first in range(0, len(places), beside):
        chunk = range(first, min(first + beside, len(places)))
        room = (width - NAME - 2) // len(chunk)
        heads = (fitted(_head(answers, places[i]), room - 1) + " " for i in chunk)
        yield heading(f" {'':<{NAME}}{''.join(heads)}")
        for row in rows:
            name = (f" {fitted(row.label, NAME - 1)} ", f"bold {row.style}")
            if row.shares is None:
                yield Content.assemble(name, (fitted(row.said, width - NAME - 2), DIM))
                continue
            cells = (f"{bar(row.shares[i], room - 6)} {number(row.shares[i], 2):<4} " for i in chunk)
            yield Content.assemble(name, ("".join(cells), row.style))
        if chunk[-1] < len(places) - 1:
            yield Content("")


def _head(answers: AnswerOptions, place: int) -> str:
    return f"{LETTERS[place]} {answers.texts[place]}"


def _beside(options: int, width: int) -> int:
    """How many options have room beside each other."""
    return max(1, min(options, (width - NAME - 2) // LEAST))


def _room(options: int, width: int) -> int:
    """Cells of an option where the row is full."""
    return (width - NAME - 2) // _beside(options, width)


def _table(rows: Sequence[AnswerRow], others: Sequence[AnswerRow], distance: str, width: int) -> Iterator[Content]:
    """A row a column: its spread, what the orders do, and its distances; beside those of replies what chance gives."""
    names = [UNIFORM, *(row.label for row in others)]
    room = max(9, min(16, (width - NAME - (36 if _has_wordings(rows) else 26)) // len(names)))
    heads = "".join(f"{fitted(f'to {name}', room - 1)} " for name in names)
    yield Content.styled(f" {DISTANCES[distance]}", DIM)
    reworded = _has_wordings(rows)
    wordings = f"{'wordings':<10}" if reworded else ""
    yield Content.styled(f" {'':<{NAME}}{'bits':<6}{'orders':<8}{wordings}{'outside':<9}{heads}", DIM)
    for row in rows:
        each = row.distribution
        assert each is not None
        outside = f"{each.n - sum(each.answers_by_order)} of {each.n}" if each.n is not None else _number(each.outside)
        cells = [
            _apart(each.to_uniform, distance, each.floor_to_uniform),
            *(_to(each, row, o, distance) for o in others),
        ]
        wordings = f"{_number(each.paraphrase_consistency):<10}" if reworded else ""
        values = "".join(f"{fitted(cell, room - 1)} " for cell in cells)
        yield Content.assemble(
            (f" {fitted(row.label, NAME - 1)} ", f"bold {row.style}"),
            (f"{_number(each.entropy):<6}{_number(each.order_consistency):<8}{wordings}{outside:<9}{values}", "bold"),
        )


def _to(each: AnswerDistribution, row: AnswerRow, other: AnswerRow, distance: str) -> str:
    if other is row or other.shares is None:
        return "–"
    if other.distribution is None:
        floor = each.floor_to(other.name)
    else:
        floor = each.floor_to_other(other.distribution)
    return _apart(each.distance_to(other.shares), distance, floor)


def _apart(apart: AnswerDistance | None, distance: str, floor: float | None) -> str:
    value = None if apart is None else getattr(apart, distance)
    if value is None:
        return "–"
    chance = f" ({number(floor, 2)})" if distance == "tv" and floor else ""
    return f"{number(value, 2)}{chance}"


def _number(value: float | None) -> str:
    return "–" if value is None else number(value, 2)


def _has_wordings(rows: Sequence[AnswerRow]) -> bool:
    return any(row.distribution is not None and row.distribution.paraphrases for row in rows)


def _has_chance(row: AnswerRow) -> bool:
    """Whether it has drawn replies, or is compared with a number of people that is known."""
    each = row.distribution
    if each is None or each.p is None:
        return False
    return each.by == "sample" or any(group.n for group in each.options.groups)


def _notes(answers: AnswerOptions, rows: Sequence[AnswerRow], distance: str, width: int) -> Iterator[Content]:
    heads = [_head(answers, place) for place in answers.answers]
    said = [" · ".join(heads)] if any(len(head) > _room(len(heads), width) - 1 for head in heads) else []
    said += ["orders: 1 where the order of the options changes nothing. outside: probability on no option, or replies "
            "that choose none."]  # fmt: skip
    first = [row.label for row in rows if row.distribution is not None and row.distribution.by == "first_token"]
    if first:
        said.append(
            f"{', '.join(first)}: of the letter as first token alone, as the server scores no text that it is given."
        )
    if reworded := _has_wordings(rows):
        said.append("wordings: 1 where asking in other words changes nothing, of the paraphrases in this set.")
    drawn = [row.distribution for row in rows if row.distribution is not None and row.distribution.by == "sample"]
    if any(each.order_consistency is not None for each in drawn):
        both = " and wordings" if reworded else ""
        said.append(f"Of few replies orders{both} come under 1 by chance too: `alignbench survey` says how far.")
    if distance == "tv" and any(_has_chance(row) for row in rows):
        said.append("In brackets: the total variation that chance alone gives so few answers where both answer alike.")
    if not any(row.at is None for row in rows):
        said.append("This question has no human answers; distances are to equal shares and between columns.")
    said.append("One question is no finding: `alignbench survey` has intervals over many.")
    for note in said:
        lines = WrappedText(max(20, width - 3), note)
        yield from (faint(f" {lines[i]}") for i in range(len(lines)))
