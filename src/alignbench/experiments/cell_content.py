"""What the context of a cell holds, and what a model wrote before its answer."""

from __future__ import annotations

from dataclasses import replace

from alignbench.contexts.hints import parse_hint_first
from alignbench.contexts.rendering import Content, own_content
from alignbench.engines.protocol import SampleResult
from alignbench.experiments.plan import PlannedCell
from alignbench.experiments.verbalized import answers, given_by, refusal
from alignbench.store import NewHint, SampleRow, Store


def is_prepared(store: Store, cell: PlannedCell) -> bool:
    """Whether everything that the context of a cell holds is stored."""
    context = cell.condition.context
    return (
        (context.examples is None or store.selection(cell.id) is not None)
        and (context.hint is None or context.hint.level == "first" or store.cell_hint(cell.id) is not None)
        and (context.prefill is None or store.prefill(cell.id) is not None)
    )


def cell_content(store: Store, cell: PlannedCell) -> Content:
    """What was prepared for a cell, else what its context itself holds. Raises InputError where neither is enough."""
    if not is_prepared(store, cell):
        return own_content(cell.prompt, cell.condition.context)
    selected = store.selection(cell.id)
    hint = store.cell_hint(cell.id)
    return Content(
        selected[1].examples(selected[0].items) if selected else (),
        hint.text if hint else "",
        store.prefill(cell.id) or "",
    )


def keep_samples(store: Store, session: int, cell: PlannedCell, result: SampleResult) -> list[SampleRow]:
    """Store what a generation gives: a sample, or each missing one of the samples that its reply has answers for.

    A reply that cannot be taken apart makes them errors.
    """
    m = cell.condition.context.verbalized
    if not m:
        return [_keep_sample(store, session, cell, result)]
    missing = given_by(cell.condition.context, result.sample, cell.missing)
    with store.together():
        if result.finish_reason in ("cancelled", "error"):
            return [store.add_sample(cell.id, replace(result, sample=sample)) for sample in missing]
        try:
            parsed = answers(result.text, m)
        except ValueError as error:
            return [store.add_error(cell.id, sample, refusal(result, m, error)) for sample in missing]
        return [
            store.add_text(
                cell.id,
                sample,
                parsed[sample % m].text,
                raw_text=result.raw_text,
                finish_reason=result.finish_reason,
                probability=parsed[sample % m].probability,
                thinking=result.thinking,
                note=result.note,
            )
            for sample in missing
        ]


def _keep_sample(store: Store, session: int, cell: PlannedCell, result: SampleResult) -> SampleRow:
    """Store a sample. Its text is the answer alone, without the hint that the model wrote before it.

    What was cut before its answer began has an empty text; the raw text is all that was generated.
    """
    context = cell.condition.context
    if result.finish_reason == "error" or context.hint is None or context.hint.level != "first":
        return store.add_sample(cell.id, result)
    parsed = parse_hint_first(result.text)
    with store.together():
        row = store.add_sample(cell.id, replace(result, text=parsed.answer or ""))
        if parsed.hint:
            hint = store.add_hint(session, cell.prompt, NewHint("first", parsed.hint, cell.condition.model.name))
            store.set_sample_hint(row.id, hint.id)
    return row
