"""A page of the ledger as text: the gap under each token, and the account of what the pieces cost and save."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from textual.content import Content

from alignbench.display import visible
from alignbench.ledger.accounts import Split
from alignbench.ledger.prompt_ledger import LedgerResponse, Totals
from alignbench.metrics.bits import BitRate, Cost
from alignbench.metrics.stretches import Stretch
from alignbench.tui.styled import DIM
from alignbench.tui.text import fitted, number, one_line
from alignbench.tui.widgets.marked_pane import StyledRun
from alignbench.tui.wrap import WrappedText

_UP = "▁▂▃▄▅▆▇█"  # 1 to 8 bits
_DOWN, _FAR_DOWN = "▔", "▀"  # fewer by up to 4 bits, and by more

END = "∎"  # stands for the end of a response

WHAT, COSTS = 18, 20  # cells of the first columns of the account


@dataclass(frozen=True, slots=True)
class Names:
    """What base, teacher and the version before are called on the screen; `earlier` is empty without one."""

    base: str
    teacher: str
    earlier: str


def gap(stretch: Stretch) -> float:
    """Bits that a stretch costs more under the base model than under the teacher."""
    return stretch.bits[1] - stretch.bits[0]


def closed(stretch: Stretch) -> float:
    """Bits that a stretch costs less than under the version before; 0 without one."""
    return stretch.bits[2] - stretch.bits[1] if len(stretch.bits) > 2 else 0.0


def response_runs(response: LedgerResponse, cursor: int, *, changed: bool) -> tuple[StyledRun, ...]:
    """A run a stretch with the bits below it: the gap, or, with `changed`, what was closed since the version before."""
    runs = []
    for at, stretch in enumerate(response.stretches):
        bits = closed(stretch) if changed else gap(stretch)
        bad = bits < 0 if changed else bits > 0
        style = "chosen" if at == cursor else "plain"
        text = stretch.text.replace("\n", "⏎\n") or END
        runs.append(StyledRun(text, style, _mark(bits), "more" if bad else "less"))
    return tuple(runs)


def _mark(bits: float) -> str:
    whole = round(bits)
    if not whole:
        return "·"
    return _UP[min(whole, len(_UP)) - 1] if whole > 0 else _DOWN if whole >= -4 else _FAR_DOWN


def legend(names: Names, *, changed: bool) -> str:
    """What the marks mean."""
    if changed:
        return f"{_UP} closed by 1 to 8 bits since {names.earlier}   · the same   {_DOWN} {_FAR_DOWN} opened"
    return f"{_UP} 1 to 8 bits more under {names.base} than {names.teacher}   · as many   {_DOWN} {_FAR_DOWN} fewer"


def response_said(response: LedgerResponse, names: Names) -> str:
    """The totals of one response, in words."""
    under = [math.fsum(values) for values in zip(*(stretch.bits for stretch in response.stretches), strict=True)]
    teacher, base, *earlier = under
    what = "cross-entropy gap" if response.cross_entropy else "gap"
    said = (
        f"{what} {base - teacher:.0f} bits, {number((base - teacher) / response.n_bytes, 2)} a byte: "
        f"{base:.0f} under {names.base}, {teacher:.0f} under {names.teacher}"
    )
    if earlier:
        said += f"; {earlier[0] - base:+.0f} bits saved since {names.earlier}"
    return f"{said}; of the text so far" if response.so_far else said


def stretch_lines(response: LedgerResponse, at: int, names: Names) -> list[Content]:
    """The stretch under the cursor."""
    stretch = response.stretches[at]
    teacher, base, *earlier = stretch.bits
    text = visible(json.dumps(stretch.text, ensure_ascii=False).replace("\\n", "⏎")) if stretch.text else "the end"
    said = (
        f"{at + 1} of {len(response.stretches)}  {one_line(text, 40)}  gap {base - teacher:+.1f} bits: "
        f"{base:.1f} under {names.base}, {teacher:.1f} under {names.teacher}"
    )
    if earlier:
        said += f", {earlier[0]:.1f} under {names.earlier}"
    return [Content.styled(said, "bold")]


def account_lines(totals: Totals, names: Names, width: int) -> list[Content]:
    """What all responses cost, what each piece of the context costs and saves, and why something is missing."""
    account = totals.account
    room = max(14, (width - WHAT - COSTS - 2) // 2)
    head = f" {'bits a response':<{WHAT}}{'costs':<{COSTS}}"
    rows = [
        Content.styled(f"{head}{_column('held out', account.gap.held_out, room)}{_on_source(account.gap)}", DIM),
        _row("gap", "", account.gap, room, signed=False),
    ]
    if account.parts:
        parts = "  ".join(f"{part} {each.per_response:z.1f}" for part, each in account.parts.items())
        rows.append(Content.assemble((f" {'  of it, held out':<{WHAT}}", DIM), (parts, "bold")))
    if totals.change is not None:
        rows.append(_row(f"saved since {names.earlier}", "", totals.change, room))
    if account.pieces:
        rows.append(_row("all pieces save", "", account.saved, room))
    rows += [_row(f"  {piece}", _cost(each.cost), each.saved, room) for piece, each in account.pieces.items()]
    for note in _notes(totals, names):
        lines = WrappedText(max(20, width - 3), note)
        rows += [Content.styled(f" {lines[i]}", DIM) for i in range(len(lines))]
    return rows


def _notes(totals: Totals, names: Names) -> Iterable[str]:
    if totals.account.pieces:
        yield "A piece saves the gap without it minus the gap with it. On the source alone: leakage."
    if totals.cross_entropy:
        yield f"A difference of cross-entropies, no KL divergence: {totals.cross_entropy}."
    else:
        yield f"The gap estimates KL({names.teacher} ‖ {names.base}), from responses that {names.teacher} drew."
    if totals.ends.so_far:
        yield f"{totals.ends.so_far.capitalize()}."
    yield from map(one_line, totals.failures)


def _column(name: str, rate: BitRate | None, room: int) -> str:
    n = "" if rate is None else f", n {rate.n_responses}"
    return f"{name + n:<{room}}"


def _on_source(split: Split) -> str:
    return _column("source", split.source, 0) if split.source is not None else "no source"


def _row(what: str, costs: str, split: Split, room: int, *, signed: bool = True) -> Content:
    values = "".join(f"{_bits(rate, signed):<{room}}" for rate in (split.held_out, split.source))
    return Content.assemble((f" {fitted(what, WHAT - 1)} {costs:<{COSTS}}", DIM), (values, "bold"))


def _bits(rate: BitRate | None, signed: bool) -> str:
    if rate is None:
        return "–"
    bits = f"{rate.per_response:{'+.1f' if signed else '.1f'}}"
    return f"{bits:<7}{number(rate.per_byte, 2):>5} a byte"


def _cost(cost: Cost | None) -> str:
    return "–" if cost is None else f"{cost.bits:.0f} bits, {cost.tokens:.0f} tok"
