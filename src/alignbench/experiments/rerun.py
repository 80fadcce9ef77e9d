"""Sampling again what a session holds, to see which texts come out the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from alignbench.engines.openai.replay import replay_words
from alignbench.experiments.plan import Plan, PlannedCell
from alignbench.models.stored_models import without_orders
from alignbench.spec import Condition, LoadOptions
from alignbench.store import NewHint, SampleRow, Store


@dataclass(frozen=True, slots=True)
class Redrawn:
    """A sample that was drawn again."""

    prompt_id: str
    condition: str
    sample: int
    identical: bool  # whether all that was generated is the same
    same: int  # characters from the beginning that are
    same_prompt: bool  # whether the model was shown the same text
    error: str = ""  # why there is no new sample, empty where there is


@dataclass(frozen=True, slots=True)
class Rerun:
    """The samples of a session, to be drawn again."""

    session: int
    plan: Plan  # of the scratch database
    cells: dict[int, int]  # ids there -> ids in the session
    weights: dict[str, str]  # hash by model reference, of those that drew the session's samples


def plan_rerun(store: Store, session: int, scratch: Store, **options: Any) -> Rerun:
    """Lay out the finished samples of a session in another database, to be drawn there.

    The examples and hints of the contexts are taken over and not made again. Conditions that were imported have
    no weights here and are left out. options: how models are loaded, where not as before; see `Model.with_options`.
    """
    there = scratch.create_session("again")
    manifest_conditions = store.manifest(session).get("conditions", [])
    conditions = {
        each.name: _as_loaded(each, manifest_conditions).with_options(**options) for each in store.conditions(session)
    }
    prompts = {prompt.id: prompt for prompt in store.prompts(session)}
    done = {name: store.stored_cells(session, each) for name, each in conditions.items()}
    cells, places = [], {}
    with scratch.together():
        scratch.add_prompts(there, prompts.values())
        for info in store.cells(session):
            prompt, condition = prompts[info.prompt_id], conditions[info.condition]
            drawn = tuple(sorted(done[info.condition][prompt.key].there))
            if not drawn or condition.model.is_imported:
                continue
            cell = PlannedCell(scratch.add_cell(there, prompt, condition, info.n), prompt, condition, info.n, drawn)
            _take_content(store, info.id, scratch, there, cell)
            cells.append(cell)
            places[cell.id] = info.id
    references = {cell.condition.model.reference for cell in cells}
    weights = {each: digest for each in references if (digest := store.model_file_hash(session, each))}
    return Rerun(session, Plan(there, tuple(cells)), places, weights)


def compared(store: Store, scratch: Store, rerun: Rerun, rows: Iterable[SampleRow]) -> Iterator[Redrawn]:
    """Each new sample beside the one that the session has in its place; one that was cancelled says nothing."""
    for row in rows:
        if row.status == "cancelled":
            continue
        cell = rerun.cells[row.cell_id]
        before = next(each for each in store.samples(rerun.session, cell_id=cell) if each.sample == row.sample)
        yield Redrawn(
            row.prompt_id,
            row.condition,
            row.sample,
            row.status == "done" and (row.raw_text, row.thinking) == (before.raw_text, before.thinking),
            sum(
                1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(row.raw_text, before.raw_text, strict=False))
            ),
            scratch.rendered(row.cell_id) == store.rendered(cell),
            row.error or "",
        )


def other_weights(scratch: Store, rerun: Rerun) -> Iterator[str]:
    """A sentence for each model whose weights are not those that drew the session."""
    for reference, before in rerun.weights.items():
        now = scratch.model_file_hash(rerun.plan.session, reference)
        if now and now != before:
            yield f"{reference} has other weights now: SHA-256 {now}; the session was drawn with {before}"


def other_arithmetic(store: Store, scratch: Store, rerun: Rerun) -> Iterator[str]:
    """A sentence for each model that another build or CPU computes now, as far as both manifests tell."""
    before, now = (
        dict(each.manifest(session).get("loaded", {}))
        for each, session in ((store, rerun.session), (scratch, rerun.plan.session))
    )
    for reference, facts in now.items():
        then = before.get(reference, {}).get("arithmetic")
        if then and facts["arithmetic"] != then:
            now_by = facts["arithmetic"]
            yield f"{reference} is computed by {now_by}; the session was drawn with {then}: texts may differ"


def replay_of_servers(scratch: Store, rerun: Rerun) -> Iterator[str]:
    """A sentence for each model behind a server: what was measured of its seeds when it was loaded now."""
    now = dict(scratch.manifest(rerun.plan.session).get("loaded", {}))
    for reference in dict.fromkeys(cell.condition.model.reference for cell in rerun.plan.cells):
        if words := replay_words(reference, now.get(reference, {})):
            yield f"{reference} is behind a server, which owns its randomness: {words}"


def _as_loaded(condition: Condition, manifest_conditions: list[dict[str, Any]]) -> Condition:
    """A condition whose model is loaded as it was for the session, as far as its manifest tells."""
    for each in manifest_conditions:
        if each.get("hash") == condition.hash:
            options = LoadOptions(**each["model"]["options"])
            return replace(condition, model=without_orders(replace(condition.model, options=options)))
    return condition


def _take_content(store: Store, cell_id: int, scratch: Store, session: int, cell: PlannedCell) -> None:
    if (selected := store.selection(cell_id)) is not None:
        scratch.keep_selection(cell.id, *selected)
    if (hint := store.cell_hint(cell_id)) is not None:
        scratch.set_cell_hint(cell.id, scratch.add_hint(session, cell.prompt, NewHint(hint.level, hint.text)).id)
    if (prefill := store.prefill(cell_id)) is not None:
        scratch.set_prefill(cell.id, prefill)
