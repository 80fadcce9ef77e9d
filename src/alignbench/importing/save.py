"""From imported values to a session in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alignbench.importing.values import (
    ImportedCondition,
    ImportedHint,
    ImportedJudgment,
    ImportedSample,
    ImportedSession,
)
from alignbench.spec import NOT_RECORDED, Prompt, content_hash
from alignbench.store import GivenSample, Judgment, NewHint, SampleRow, Store


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import made, counted in the database."""

    session: int
    dataset: str
    samples: int  # responses
    errors: int  # those that failed


_Rows = dict[tuple[str, str, int], SampleRow]  # by condition, prompt id and index


def save_import(store: Store, imported: ImportedSession) -> ImportResult:
    """Write everything in one commit, so that an import that was interrupted leaves nothing behind."""
    with store.together():
        session = store.create_session(
            imported.name,
            reference=imported.reference,
            manifest={
                "imported": {
                    **imported.source,
                    "conditions": {each.condition.name: _facts(each) for each in imported.conditions},
                    "notes": list(imported.notes),
                }
            },
        )
        store.add_prompts(session, (cell.prompt for each in imported.conditions for cell in each.cells))
        own_hints: dict[tuple[str, str, int], str] = {}
        for each in imported.conditions:
            own_hints |= _save_condition(store, session, each)
        rows: _Rows = {}
        if own_hints or imported.hints or imported.judgments:
            rows = {(row.condition, row.prompt_id, row.sample): row for row in store.samples(session)}
        prompts = {cell.prompt.id: cell.prompt for each in imported.conditions for cell in each.cells}
        for (condition, prompt, index), text in own_hints.items():
            _keep_own_hint(store, session, prompts[prompt], rows[condition, prompt, index], condition, text)
        for hint in imported.hints:
            _save_hint(store, session, hint, rows)
        store.add_judgments(session, [_judgment(each, rows) for each in imported.judgments])
        for scores in imported.pairs:
            store.add_pair_scores(session, scores.metric, scores.version, scores.pairs)
    kept = store.session(session)
    return ImportResult(session, imported.name, kept.n_samples, kept.n_errors)


def finish_note(recorded: int, responses: int) -> dict[str, Any]:
    """For the manifest, that files do not tell how responses of a condition ended, where they do not."""
    if recorded == responses:
        return {}
    return {"finish_reasons": f"recorded of {recorded} of {responses}" if recorded else NOT_RECORDED}


def given_sample(cell_id: int, index: int, sample: ImportedSample) -> GivenSample:
    """A sample for the store."""
    return GivenSample(
        cell_id,
        index,
        sample.text,
        sample.raw_text,
        sample.finish,
        sample.error,
        sample.thinking,
        sample.refused,
        sample.note,
        sample.facts,
    )


def _facts(imported: ImportedCondition) -> dict[str, Any]:
    """What the files tell of a condition, and that they do not tell how its responses ended, where they do not."""
    finishes = [sample.finish for cell in imported.cells for sample in cell.samples if not sample.error]
    return {**imported.facts, **finish_note(sum(finish is not None for finish in finishes), len(finishes))}


def _save_condition(store: Store, session: int, imported: ImportedCondition) -> dict[tuple[str, str, int], str]:
    """Write its cells; what its responses wrote as hints before their answers, by condition, prompt id and index."""
    hints: dict[tuple[str, str, int], str] = {}
    name = imported.condition.name
    for cell in imported.cells:
        n = 1 + max((index for index, _ in cell.numbered), default=-1)
        cell_id = store.add_cell(session, cell.prompt, imported.condition, n)
        if cell.rendered is not None:
            store.set_rendered(cell_id, cell.rendered)
        store.add_given([given_sample(cell_id, index, sample) for index, sample in cell.numbered])
        hints |= {(name, cell.prompt.id, index): sample.hint for index, sample in cell.numbered if sample.hint}
    return hints


def _keep_own_hint(store: Store, session: int, prompt: Prompt, row: SampleRow, maker: str, text: str) -> None:
    """What a model wrote before its answer."""
    hint = store.add_hint(session, prompt, NewHint("first", text, maker))
    store.set_sample_hint(row.id, hint.id)


def _save_hint(store: Store, session: int, hint: ImportedHint, rows: _Rows) -> None:
    """A hint that was made of a sample, and which cells have it in their prompts."""
    source = rows.get((hint.condition, hint.prompt.id, hint.sample))
    kept = store.add_hint(
        session,
        hint.prompt,
        NewHint(
            "summary",
            hint.text,
            hint.maker,
            source_id=source.id if source else None,
            source_hash=content_hash(source.text) if source else "",
        ),
    )
    for cell_id in {row.cell_id for (_, prompt, _), row in rows.items() if prompt == hint.prompt.id}:
        if f"```\n{hint.text}\n```" in (store.rendered(cell_id) or ""):
            store.set_cell_hint(cell_id, kept.id)


def _judgment(imported: ImportedJudgment, rows: _Rows) -> Judgment:
    other: SampleRow | None = None
    if imported.reference is not None and imported.reference_sample is not None:
        other = rows[imported.reference, imported.prompt.id, imported.reference_sample]
    return Judgment(
        kind=imported.kind,
        judge=imported.judge,
        template_hash=imported.template_hash,
        sample_id=rows[imported.condition, imported.prompt.id, imported.sample].id,
        reference_sample_id=None if other is None else other.id,
        status=imported.status,
        fields=imported.fields,
        reason=imported.reason,
        reply=imported.reply,
    )
