"""From imported values to a session in the store."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.importing.values import ImportedCondition, ImportedSample, ImportedSession
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class Landed:
    """What an import made. samples: responses; errors: those that failed."""

    session: int
    dataset: str
    samples: int
    errors: int


def land(store: Store, imported: ImportedSession) -> Landed:
    """Write everything in one commit, so that an import that was interrupted leaves nothing behind."""
    with store.together():
        session = store.create_session(
            imported.name,
            reference=imported.reference,
            manifest={
                "imported": {
                    **imported.source,
                    "conditions": {each.condition.name: dict(each.facts) for each in imported.conditions},
                    "notes": list(imported.notes),
                }
            },
        )
        samples = [sample for each in imported.conditions for sample in _land_condition(store, session, each)]
        for found in imported.pairs:
            store.add_pair_scores(session, found.metric, found.version, found.pairs)
    errors = sum(bool(sample.error) for sample in samples)
    return Landed(session, imported.name, len(samples) - errors, errors)


def _land_condition(store: Store, session: int, imported: ImportedCondition) -> list[ImportedSample]:
    landed: list[ImportedSample] = []
    for cell in imported.cells:
        cell_id = store.add_cell(session, cell.prompt, imported.condition, len(cell.samples))
        if cell.rendered is not None:
            store.set_rendered(cell_id, cell.rendered)
        for index, sample in enumerate(cell.samples):
            if sample.error:
                store.add_error(cell_id, index, sample.error)
            else:
                finish = sample.finish or "stop"
                store.add_text(cell_id, index, sample.text, raw_text=sample.raw_text, finish_reason=finish)
            landed.append(sample)
    return landed
