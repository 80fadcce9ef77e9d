"""What the events of a run change on the Bench."""

from __future__ import annotations

from collections.abc import Iterable

from alignbench.experiments.runner import (
    CellDone,
    CellFailed,
    CellStarted,
    ModelLoaded,
    ModelLoading,
    RunEvent,
    SampleStored,
    TextArrived,
)
from alignbench.tui.workbench.cell import BenchCell, BenchSample
from alignbench.tui.workbench.state import Bench


def begin(cell: BenchCell, cell_id: int, missing: Iterable[int]) -> None:
    """Samples of a cell are about to be drawn: those that are not done start afresh."""
    cell.id = cell_id
    cell.message = ""
    for index in missing:
        cell.put(BenchSample(index))


def apply_run_event(bench: Bench, event: RunEvent) -> BenchCell | None:
    """Bring the bench up to date with one event; the cell that changed, None where it may be several."""
    if isinstance(event, ModelLoading | ModelLoaded):
        for cell in bench.cells.values():
            if cell.model == event.model and cell.status in ("starting", "loading"):
                cell.status = "loading" if isinstance(event, ModelLoading) else "waiting"
                cell.fraction = event.fraction if isinstance(event, ModelLoading) else 1.0
                cell.stage = event.stage if isinstance(event, ModelLoading) else ""
        return None
    key = (event.cell.prompt.key, event.cell.condition.hash)
    cell = bench.cells.setdefault(key, BenchCell())
    match event:
        case CellStarted():
            cell.status = "sampling"
        case TextArrived():
            cell.rate.add(event.n_tokens)
            for delta in event.deltas:
                sample = cell.sample(delta.sample)
                sample.status = "running"
                sample.text += delta.text
                sample.n_tokens = delta.n_tokens
        case SampleStored():
            cell.put(BenchSample.stored(event.row))
        case CellFailed():
            cell.message = event.message
            end(cell)
        case CellDone():
            end(cell)
    return cell


def end(cell: BenchCell) -> None:
    """Nothing more will come for this cell: what never began is gone again."""
    cell.status = "idle"
    for index in [i for i, sample in cell.samples.items() if sample.row is None]:
        del cell.samples[index]
