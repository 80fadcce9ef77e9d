"""From the Bench to the ledger of its prompt: whose responses are read, and by which column."""

from __future__ import annotations

from collections.abc import Hashable

from alignbench.errors import InputError
from alignbench.experiments.plan import PlannedCell
from alignbench.ledger.prompt_ledger import PromptLedger
from alignbench.ledger.request import thinks, unreadable
from alignbench.scoring.endings import ending
from alignbench.spec import Condition
from alignbench.tui.workbench.column import Column, letter
from alignbench.tui.workbench.state import Bench


def readers(bench: Bench) -> list[Column]:
    """The columns that can read the reference's responses."""
    return [column for column in bench.columns if column.name != bench.reference and not _imported(column)]


def prompt_ledger(bench: Bench, base: Column) -> PromptLedger:
    """The ledger of the prompt on the Bench for a column. Raises InputError, with what to do, where there is none."""
    if (teacher := bench.reference_column) is None:
        raise InputError("No column is the reference: * on the Bench marks the one whose responses are read.")
    samples = bench.cell(teacher).samples
    done = {i: s for i, s in sorted(samples.items()) if s.status == "done" and s.text.strip()}
    said = {i: s.text for i, s in done.items()}
    if not said:
        who = f"{letter(bench.columns.index(teacher))}* {teacher.name}"
        raise InputError(f"{who} has no finished response to this prompt yet: F5 on the Bench draws some.")
    if any(s.row is not None and s.row.thinking for s in done.values()):
        raise InputError(thinks(teacher.name))
    earlier = before(base)
    return PromptLedger(
        teacher=_cell(bench, teacher.condition),
        base=_cell(bench, base.condition),
        before=None if earlier is None else _cell(bench, earlier),
        responses=said,
        endings={i: ending(s.row, teacher.condition) for i, s in done.items() if s.row is not None},
    )


def before(column: Column) -> Condition | None:
    """The version of a column before the one on the Bench, where both can read the same responses."""
    earlier = column.history[column.version - 1] if column.version else None
    if earlier is None or earlier.model != column.condition.model or unreadable(earlier.context, earlier.name):
        return None
    return earlier


def ledger_key(ledger: PromptLedger) -> Hashable:
    """What decides the numbers of a ledger."""
    cells = (ledger.teacher, ledger.base, ledger.before)
    seen = tuple((cell.id, cell.condition.model, cell.condition.context.hash) for cell in cells if cell is not None)
    return ledger.base.prompt.key, seen, tuple(ledger.responses.items()), tuple(ledger.endings.items())


def _cell(bench: Bench, condition: Condition) -> PlannedCell:
    known = bench.cells.get((bench.prompt.key, condition.hash))
    return PlannedCell((known.id if known is not None else None) or 0, bench.prompt, condition, 0, ())


def _imported(column: Column) -> bool:
    return column.condition.model.is_imported
