"""What samples can be drawn of: the prompt on the screen, the next ones of its set, all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alignbench.prompt_files.source import set_path_of
from alignbench.spec import Prompt
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.state import THIS_SESSION, Bench

if TYPE_CHECKING:
    from alignbench.experiments.plan import PlannedCell
    from alignbench.store import Store

Standing = Literal["done", "partly", "none"]

NEXT = 20  # prompts, the one on the screen among them


@dataclass(frozen=True, slots=True)
class Scope:
    """Prompts that samples are offered of, and what people call them."""

    title: str
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What drawing the samples of a scope would come to.

    Attributes:
        scope: The prompts.
        columns: Those that are sampled.
        missing: Samples that the database does not have.
        seconds: How long it takes at the pace that their models had, None where one of them has none yet.
    """

    scope: Scope
    columns: tuple[Column, ...]
    missing: int
    seconds: float | None


def scopes(bench: Bench) -> list[Scope]:
    """What there is to choose from: no two are the same prompts, and the widest name stands for them."""
    here, found = bench.prompt, []
    if (at := bench.position) is not None:
        following = bench.prompts[at : at + NEXT]
        found.append(Scope(f"next {len(following)} prompts", tuple(following)))
    if bench.asked:
        found.append(Scope(f"the {len(bench.asked)} prompts of this session", tuple(bench.asked)))
    if bench.prompts and bench.prompt_set != THIS_SESSION:
        found.append(Scope(f"all {len(bench.prompts)} of {set_path_of(bench.prompt_set).stem}", tuple(bench.prompts)))
    wider = {frozenset(prompt.key for prompt in bench.as_asked(scope.prompts)): scope for scope in found}
    only = [Scope("this prompt", (here,))] if here.text.strip() else []
    return [*only, *(scope for scope in wider.values() if len(scope.prompts) > 1)]


def offers(store: Store | None, session: int | None, found: Sequence[Scope], columns: Sequence[Column]) -> list[Offer]:
    """What each scope comes to, as the database has it.

    Args:
        store: The database, None before there is one.
        session: The session that is open, None before it has a sample.
        found: The scopes.
        columns: Those that are sampled; one with imported responses cannot be.
    """
    from alignbench.experiments.estimate import measured_paces, run_seconds
    from alignbench.experiments.plan import preview

    drawable = tuple(column for column in columns if not column.condition.model.is_imported)
    paces = measured_paces(store, (column.condition for column in drawable))

    def offer(scope: Scope) -> Offer:
        cells: list[PlannedCell] = []
        for column in drawable:
            cells += preview(store, session, scope.prompts, [column.condition], column.n)
        return Offer(scope, drawable, sum(len(cell.missing) for cell in cells), run_seconds(cells, paces))

    return [offer(scope) for scope in found]


def standings(bench: Bench, prompts: Iterable[Prompt]) -> list[Standing]:
    """How far the samples of prompts are, in the columns of the Bench."""
    return [_standing(bench, prompt.key) for prompt in bench.as_asked(prompts)]


def _standing(bench: Bench, key: str) -> Standing:
    cells = [bench.cells.get((key, column.hash)) for column in bench.columns]
    if not any(cell is not None and cell.done for cell in cells):
        return "none"
    whole = all(cell is not None and cell.has(column.asked) for cell, column in zip(cells, bench.columns, strict=True))
    return "done" if whole else "partly"
