"""A session's report: its tables, its judgments, its counts, what it was made with, and an investigation.

    {"session", "within", "cross", "judged", "counts", "meta"} and, where one was asked for, "investigation"

`within` and `cross` are those of `scoring.tables.score_tables`, `judged` that of `judging.summary.judged_tables`;
`counts` has samples, errors and truncated (null where the finish reasons were not recorded) for each condition.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from alignbench.errors import InputError, did_you_mean
from alignbench.judging.labels import PREFERENCE
from alignbench.judging.preferences import preference_agreement
from alignbench.judging.qualities import Qualities, read_qualities
from alignbench.judging.summary import agreement, judged_tables
from alignbench.metrics.registry import METRICS, cross, within
from alignbench.metrics.statistics import Bootstrap
from alignbench.metrics.values import Cross, Value
from alignbench.progress import Progress, silent
from alignbench.reports.coverage_curves import coverage_table
from alignbench.reports.equal_length import equal_length_table
from alignbench.reports.findings import findings
from alignbench.reports.frontier import frontier_table
from alignbench.reports.gate import gate_table
from alignbench.reports.options import Options
from alignbench.reports.recovery import recovery_findings
from alignbench.reports.revisions import revision_ladders
from alignbench.reports.roles import role_of
from alignbench.scoring.aggregate import Tables
from alignbench.scoring.batch import PrecomputedScores, ScoreRequest, score_responses
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.held_out import source_conditions
from alignbench.scoring.model_based.imported import METRIC as PAIR_METRIC
from alignbench.scoring.model_based.imported import imported_pairs
from alignbench.scoring.model_based.judge import JUDGED, JudgedScores
from alignbench.scoring.responses import SessionResponses
from alignbench.spec import Condition
from alignbench.store import Store


def build_report(
    store: Store,
    session: int,
    options: Options,
    embeddings: Embeddings | None,
    of_sentences: Embeddings | None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """The report of a session, ready for JSON.

    embeddings, of_sentences: of whole responses and of their sentences, None where no wanted score needs any.
    InputError where the reference or the floor is no condition of the session.
    """
    info = store.session(session)
    responses = SessionResponses(store, session, options.conditions)
    conditions = [condition for condition in store.conditions(session) if condition.name in responses.conditions]
    for option, name in (("--reference", options.reference), ("--floor", options.floor)):
        if name is not None and name not in responses.conditions:
            near = did_you_mean(name, responses.conditions)
            raise InputError(f"{option}: session {session} has no condition named {name!r}. {near}".rstrip())
    own = next((condition for condition in conditions if condition.name == options.reference), None)
    qualities = read_qualities(store, session, options.judge)
    pairs, note = imported_pairs(store, session, options.reference)
    graded = PrecomputedScores()
    if qualities.of and {*options.metrics} & {*JUDGED}:
        if embeddings is not None:
            texts = (
                text
                for prompt in responses.prompts
                for cell in responses.cells(prompt).values()
                for text in cell.values()
            )
            embeddings.make(texts, progress, total=responses.n)
        graded = PrecomputedScores(JudgedScores(qualities, embeddings, options.gate).within(responses))
    bootstrap = Bootstrap(resamples=options.resamples, seed=options.seed)
    tables = score_responses(
        responses,
        ScoreRequest(
            within=within(options.metrics),
            cross=cross(options.metrics),
            unavailable=_unavailable(options.metrics, bool(qualities.of)),
            reference=options.reference,
            floor=options.floor,
            no_floor=options.no_floor,
            mode=options.mode,
            resamples=options.resamples,
            seed=options.seed,
        ),
        embeddings,
        progress,
        of_sentences=of_sentences,
        given=_together(pairs, graded),
        sources=source_conditions(conditions, options.reference),
        processes=len(os.sched_getaffinity(0)),
    )
    report: dict[str, Any] = {
        "session": session,
        "within": tables["within"],
        "cross": tables["cross"],
        "judged": judged_tables(
            store,
            session,
            judge=options.judge,
            reference=options.reference,
            conditions=options.conditions,
            bootstrap=bootstrap,
        ),
        "counts": _counts(store, session, responses.conditions),
        "meta": {
            "name": info.name,
            "created": info.created,
            "updated": info.updated,
            "reference": options.reference,
            "floor": options.floor,
            "floor_reason": "" if options.floor else options.no_floor,
            "mode": options.mode.name,
            "prompts": len(responses.prompts),
            "contested": len(responses.contested),
            "samples": responses.n,
            "left_out": responses.left_out,
            "metrics": {name: METRICS[name].version_in(options.mode) for name in options.metrics},
            "bootstrap": {"resamples": options.resamples, "seed": options.seed},
            "conditions": {condition.name: _described(condition, own, options.floor) for condition in conditions},
            "ladders": revision_ladders(conditions, store.manifest(session).get("experiment", {}).get("ladders", ())),
            "judges": _agreement(store, session),
            "manifest": {k: v for k, v in store.manifest(session).items() if k not in ("conditions", "imported")},
            "notes": [*([note] if note else []), *_notes(store, session, tables, options)],
        },
    }
    if options.investigation is not None:
        roles = {condition.name: _role(condition) for condition in conditions}
        found: dict[str, Any] = {"kind": options.investigation, "conditions": roles, "findings": []}
        if options.investigation != "recovery":
            found |= _diversity(conditions, qualities, options, responses, embeddings, of_sentences, bootstrap, tables)
            found["findings"] += findings(report, found)
        if options.investigation != "diversity":
            found["findings"] += recovery_findings(report, roles)
        report["investigation"] = found
    return report


def _diversity(
    conditions: Sequence[Condition],
    qualities: Qualities,
    options: Options,
    responses: SessionResponses,
    embeddings: Embeddings | None,
    of_sentences: Embeddings | None,
    bootstrap: Bootstrap,
    tables: Tables,
) -> dict[str, Any]:
    """Investigation 1: how much of a loss of diversity is quality control, and how much is aggregation."""
    found: dict[str, Any] = {
        "lengths": equal_length_table(
            responses, options.mode, options.reference, resamples=options.resamples, seed=options.seed
        ),
        "gate": gate_table(
            responses, qualities, options.metrics, options.mode, embeddings, responses.contested, options.reference,
            bootstrap, options.gate,
        ),
    }  # fmt: skip
    if options.reference is None or of_sentences is None:
        reason = "there is no reference" if options.reference is None else "coverage was not asked for"
        found["coverage"] = {"threshold": None, "reason": reason, "conditions": {}}
    else:
        found["coverage"] = coverage_table(responses, options.reference, of_sentences, responses.contested, bootstrap)
    if options.temperatures:
        found["frontier"] = frontier_table(conditions, options.temperatures, tables, qualities, bootstrap)
    return found


def _agreement(store: Store, session: int) -> dict[str, Any]:
    """Of judges with each other, and of people with judges."""
    labels = preference_agreement(store, session)
    return {**agreement(store, session), **({PREFERENCE: labels} if labels else {})}


def _role(condition: Condition) -> str:
    if condition.model.kind == "aligned":
        return "aligned"
    return "base" if condition.context.zero_shot else "in-context"


def _unavailable(metrics: Sequence[str], judged: bool) -> dict[str, str]:
    """What only a model that is asked again could tell; `alignbench score` asks it."""
    found = {
        name: f"not part of a report: alignbench score --metrics {name}"
        for name in metrics
        if "base model" in METRICS[name].needs
    }
    if not judged:
        found |= {name: "no quality judgments" for name in metrics if name in JUDGED}
    return {**found, PAIR_METRIC: "no pairs were imported"} if PAIR_METRIC in metrics else found


def _together(*given: PrecomputedScores) -> PrecomputedScores:
    """All of them; a later one's where two speak of the same."""
    within: dict[tuple[str, str], dict[str, Value]] = {}
    cross: dict[tuple[str, str], dict[str, Cross]] = {}
    for one in given:
        for place, values in one.within.items():
            within.setdefault(place, {}).update(values)
        for place, pairs in one.cross.items():
            cross.setdefault(place, {}).update(pairs)
    return PrecomputedScores(within, cross)


def _counts(store: Store, session: int, conditions: Sequence[str]) -> dict[str, dict[str, int | None]]:
    facts = store.manifest(session).get("imported", {}).get("conditions", {})
    return {
        each.condition: {
            "samples": each.samples,
            "errors": each.errors,
            "truncated": None if "finish_reasons" in facts.get(each.condition, {}) else each.truncated,
        }
        for each in store.counts(session)
        if each.condition in conditions
    }


def _described(condition: Condition, reference: Condition | None, floor: str | None) -> dict[str, Any]:
    return {
        "model": condition.model.reference,
        "kind": condition.model.kind,
        "role": role_of(condition, reference, floor),
        "context": condition.context.to_json(),
        **asdict(condition.sampling),
        "stop": list(condition.sampling.stop),
        "seed": condition.seed,
        "mode": condition.mode,
        "hash": condition.hash,
    }


def _notes(store: Store, session: int, tables: Tables, options: Options) -> list[str]:
    """What a reader of the numbers has to know."""
    notes = list(store.manifest(session).get("imported", {}).get("notes", []))
    counted = {name: scores["empty"] for name, scores in tables["within"].items()}
    per_prompt = {entry["samples"] / entry["n"] for entry in counted.values() if entry["n"]}
    moving = [name for name in within(options.metrics) if METRICS[name].moves_with_n]
    if len(per_prompt) > 1 and moving:
        notes.append(f"conditions differ in samples a prompt, and these scores move with it: {', '.join(moving)}")
    empty = {name: entry["value"] for name, entry in counted.items() if entry["value"]}
    if empty:
        shown = ", ".join(f"{name} {value:.2f}" for name, value in empty.items())
        notes.append(f"empty responses a prompt: {shown}")
    return notes
