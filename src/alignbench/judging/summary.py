"""What the judgments of a session come to: means over prompts with their intervals, and how far judges agree."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from alignbench.contexts.source_samples import NOTHING_HELD_OUT, Sources
from alignbench.judging.class_plan import Pair, class_labels
from alignbench.judging.labels import LABELS, PREFERENCE, PREFERRED, TAG
from alignbench.judging.replies import ASPECTS
from alignbench.judging.rubrics import columns_of_values, kept_columns
from alignbench.judging.stored import readable_judgments
from alignbench.judging.templates import CHOSEN, CONSTRAINED, KINDS, SETS, WITHIN
from alignbench.metrics.agreement import MeasurementLevel, krippendorff_alpha
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.intervals import UNIT, Bounds
from alignbench.metrics.semantic import EQUIVALENT, classes_of_set
from alignbench.metrics.statistics import Uncertainty
from alignbench.store import Judgment, JudgmentRow, Store

STANCES = ("yes", "no", "both", "other")
PLACES = ("a", "b", "both")  # of topics: only in the reference, only in the judged response, in both
DISTINCT = "distinct_per_prompt"
CLASSES = "distinct"

_FIELDS = {
    "quality": ASPECTS,
    "stance": (*STANCES, DISTINCT),
    "new-information": ("score",),
    "topics": PLACES,
    "equivalence": (CLASSES, "same"),  # answers that are different, and the share of pairs that are one
    "constraints": ("satisfied",),  # the share of them that a response keeps to
    "set-topics": ("topics", "covered"),  # different ones of the set, and the share of them that one response raises
    "option": ("chosen", "refusal"),  # of the replies that the judge could tell
    PREFERENCE: PREFERRED,
}
_GRADES: Bounds = (1.0, 5.0)


@dataclass(frozen=True, slots=True)
class JudgedEstimate(Estimate):
    """A judged field of one condition: the mean over prompts of the mean over a prompt's judgments; n: judgments that
    have the field.

    Attributes:
        prompts: that have a judgment with the field.
        invalid: replies that could not be read.
        na: judgments without the field, "N/A" or nothing to judge.
        flipped: of pairs, how many of all were shown with the judged response first; None of single responses.
        judges: whose judgments these are.
        with_source: over all pairs, where some are left out because the condition's context is made from the
            reference's side of them; else None.
    """

    prompts: int = 0
    invalid: int = 0
    na: int = 0
    flipped: int | None = None
    judges: tuple[str, ...] = ()
    with_source: JudgedEstimate | None = None


JudgedTable = Mapping[str, Mapping[str, JudgedEstimate]]  # by condition, or "alternative vs reference", and field


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha of judges.

    Attributes:
        alpha: None under two items, or where all ratings are the same.
        items: judged by two or more.
        judges: their names.
    """

    alpha: float | None
    items: int
    judges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _FieldValues:
    """One field of one condition: the values of each prompt, and what has none."""

    values: Mapping[str, Sequence[float]]
    n: int
    invalid: int
    na: int


def judged_tables(
    store: Store,
    session: int,
    *,
    judge: str | None = None,
    reference: str | None = None,
    conditions: Collection[str] | None = None,
    uncertainty: Uncertainty | None = None,
) -> dict[str, JudgedTable]:
    """The judgments of a session by kind, of the kinds that there are.

    judge: whose; without one, for each kind whoever has judged the most, of labels all people together. reference:
    leave out pairs with another one. conditions: leave out samples of others; None for all.
    """
    tables: dict[str, JudgedTable] = {}
    own = [kind for kind in store.judgment_kinds(session) if kind not in (*KINDS, *LABELS)]
    for kind in (*KINDS, *LABELS, *own):
        judges = store.judges(session, kind)
        chosen = [judge] if judge is not None else judges if kind in LABELS else judges[:1]
        rows = [
            row
            for who in chosen
            for row in judgments_of(store, session, kind, who, None if kind in WITHIN else reference)
            if conditions is None or row.condition in conditions
        ]
        if not rows:
            continue
        columns = kept_columns(store, session, kind, _last_template(rows)) if kind in own else None
        table = summarize(kind, rows, uncertainty or Uncertainty(), pair_sources(store, session, rows), columns)
        if table:
            tables[kind] = table
    return tables


def pair_sources(store: Store, session: int, rows: Iterable[JudgmentRow]) -> Mapping[str, Sources]:
    """By reference of pairs, its samples that contexts are made from."""
    references = dict.fromkeys(row.reference for row in rows if row.reference is not None)
    return {reference: store.sources(session, reference) for reference in references}


def judgments_of(store: Store, session: int, kind: str, judge: str, reference: str | None = None) -> list[JudgmentRow]:
    """The judgments of one judge, each item once. reference: leave out pairs with another one."""
    rows = latest(readable_judgments(store, session, kind=kind, judge=judge))
    return [row for row in rows if reference is None or row.reference in (reference, None)]


def summarize(
    kind: str,
    rows: Sequence[JudgmentRow],
    uncertainty: Uncertainty,
    sources: Mapping[str, Sources] | None = None,
    columns: Mapping[str, Bounds] | None = None,
) -> JudgedTable:
    """The table of one kind from the judgments of a judge, or the labels of people; conditions in order of appearance.

    Args:
        kind: of judgment; of a template of one's own the last version alone is summarized.
        rows: each item of a judge once.
        uncertainty: of the means.
        sources: see `pair_sources`; a pair of a response and the very sample that its context is made from is left out.
        columns: of a template of one's own, what its fields are summarized as, and what that lies in; None where it is
            told by what is stored.
    """
    bounds: dict[str, Bounds] | None = None
    if kind not in (*KINDS, *LABELS):
        rows = _of_last_version(rows)
        stored = [row.judgment.fields for row in rows if row.judgment.status == "valid"]
        bounds = dict(columns) if columns is not None else columns_of_values(stored)
    groups: dict[str, list[JudgmentRow]] = {}
    for row in rows:
        name = row.condition if row.reference in (None, row.condition) else f"{row.condition} vs {row.reference}"
        groups.setdefault(name, []).append(row)
    held_out = {name: [row for row in of if not _with_source(row, sources or {})] for name, of in groups.items()}
    if bounds is not None:
        fields = tuple(bounds)
    else:
        fields = _FIELDS[kind] if kind != TAG else tuple(sorted({row.judgment.fields["tag"] for row in rows}))
        bounds = {field: _bounds(kind, field) for field in fields}
    if kind in WITHIN:
        bounds[CLASSES] = 1.0, float(_most_responses(rows))
    if not fields:
        return {}
    table = _table(held_out, bounds, uncertainty)
    sourced = {name: of for name, of in groups.items() if len(held_out[name]) < len(of)}
    for name, estimates in _table(sourced, bounds, uncertainty).items():
        reason = "" if held_out[name] else NOTHING_HELD_OUT
        for field, whole in estimates.items():
            table[name][field] = replace(table[name][field], with_source=whole, reason=reason)
    return table


def _with_source(row: JudgmentRow, sources: Mapping[str, Sources]) -> bool:
    """Whether it is of a pair whose reference sample the condition's context is made from."""
    if row.reference is None or row.reference not in sources:
        return False
    return row.reference_sample in sources[row.reference](row.prompt_id).get(row.condition, ())


def _most_responses(rows: Sequence[JudgmentRow]) -> int:
    """Of one condition to a prompt: no more classes are there."""
    cells: dict[tuple[str, str], set[int | None]] = {}
    for row in rows:
        cells.setdefault((row.prompt_id, row.condition), set()).update((row.sample, row.reference_sample))
    return max(map(len, cells.values()))


def _of_last_version(rows: Sequence[JudgmentRow]) -> list[JudgmentRow]:
    last = _last_template(rows)
    return [row for row in rows if row.judgment.template_hash == last]


def _last_template(rows: Sequence[JudgmentRow]) -> str:
    return max(rows, key=lambda row: row.id).judgment.template_hash


def _table(
    groups: Mapping[str, Sequence[JudgmentRow]], bounds: Mapping[str, Bounds], uncertainty: Uncertainty
) -> dict[str, dict[str, JudgedEstimate]]:
    """bounds: of the values of each field."""
    if not groups:
        return {}
    columns = {(name, field): _column(group, field) for name, group in groups.items() for field in bounds}
    prompts = sorted({row.prompt_id for group in groups.values() for row in group})
    means = {
        key: [statistics.fmean(judged) if (judged := column.values.get(prompt)) else math.nan for prompt in prompts]
        for key, column in columns.items()
    }
    limits = [bounds[field] for _, field in columns]
    intervals = uncertainty.intervals(np.array([*means.values()], np.float64).reshape(len(means), -1).T, limits)
    paired = any(row.judgment.reference_sample_id is not None for group in groups.values() for row in group)
    table: dict[str, dict[str, JudgedEstimate]] = {name: {} for name in groups}
    for (name, field), column, interval in zip(columns, columns.values(), intervals, strict=True):
        there = [value for value in means[name, field] if not math.isnan(value)]
        table[name][field] = JudgedEstimate(
            value=statistics.fmean(there) if there else None,
            ci=interval,
            n=column.n,
            prompts=len(there),
            invalid=column.invalid,
            na=column.na,
            flipped=sum(row.judgment.flipped for row in groups[name]) if paired else None,
            judges=tuple(dict.fromkeys(row.judgment.judge for row in groups[name])),
        )
    return table


def with_source_apart(table: JudgedTable) -> dict[str, Mapping[str, JudgedEstimate]]:
    """The table as it is shown: what includes the pairs that are held out stands behind what does not, by name."""
    shown: dict[str, Mapping[str, JudgedEstimate]] = {}
    for name, fields in table.items():
        whole = {field: one for field, judged in fields.items() if (one := judged.with_source) is not None}
        shown[f"{name}, held out" if whole else name] = fields
        if whole:
            shown[f"{name}, with source"] = whole
    return shown


def agreement(store: Store, session: int) -> dict[str, dict[str, Agreement]]:
    """How far the judges of a session agree, by kind and field.

    Ordinal for grades, nominal for stances; of the kinds that two judges or more have judged. Topics are free text and
    have none.
    """
    agreed: dict[str, dict[str, Agreement]] = {}
    for kind in ("quality", "stance", "new-information"):
        judges = store.judges(session, kind)
        if len(judges) < 2:
            continue
        rows = latest(readable_judgments(store, session, kind=kind))
        fields = ("stance",) if kind == "stance" else _FIELDS[kind]
        agreed[kind] = {field: _alpha(rows, field, judges) for field in fields}
    return agreed


def latest(rows: Iterable[JudgmentRow]) -> list[JudgmentRow]:
    """The last judgment of each judge on each item: an older template, or a smaller set, has been superseded."""
    last: dict[Hashable, JudgmentRow] = {}
    for row in rows:
        j = row.judgment
        item = (row.condition, row.prompt_id) if j.kind in SETS else (j.sample_id, j.reference_sample_id)
        last[j.kind, j.judge, item] = row
    return [*last.values()]


def _alpha(rows: Iterable[JudgmentRow], field: str, judges: Sequence[str]) -> Agreement:
    units: dict[tuple[int, int | None], dict[str, Hashable]] = {}
    for row in rows:
        rating = row.judgment.fields.get(field)
        if rating is not None:
            item = (row.judgment.sample_id, row.judgment.reference_sample_id)
            units.setdefault(item, {})[row.judgment.judge] = rating
    level: MeasurementLevel = "nominal" if field == "stance" else "ordinal"
    shared = [unit for unit in units.values() if len(unit) >= 2]
    return Agreement(krippendorff_alpha(shared, level), len(shared), tuple(judges))


def _column(rows: Sequence[JudgmentRow], field: str) -> _FieldValues:
    if rows and rows[0].judgment.kind in WITHIN:
        return _of_classes(rows, field)
    values: dict[str, list[float]] = {}
    stances: dict[str, set[str]] = {}
    n = invalid = na = 0
    for row in rows:
        value = _value(row.judgment, field)
        if row.judgment.status == "invalid":
            invalid += 1
        elif value is None:
            na += 1
        elif field == DISTINCT:
            n += 1
            stances.setdefault(row.prompt_id, set()).add(str(row.judgment.fields["stance"]))
        else:
            n += 1
            values.setdefault(row.prompt_id, []).append(value)
    counted = {prompt: [float(len(there))] for prompt, there in stances.items()}
    return _FieldValues(counted if field == DISTINCT else values, n, invalid, na)


def _of_classes(rows: Sequence[JudgmentRow], field: str) -> _FieldValues:
    """Of pairs that a judge found to be one answer or not: of every prompt whose responses are all in a class, how many
    classes there are, or the share of its pairs that are of one."""
    known: dict[str, dict[Pair, bool | None]] = {}
    for row in rows:
        other = row.reference_sample if row.reference_sample is not None else row.sample
        same = bool(row.judgment.fields["same"]) if row.judgment.status == "valid" else None
        known.setdefault(row.prompt_id, {})[min(other, row.sample), max(other, row.sample)] = same
    values: dict[str, list[float]] = {}
    for prompt, pairs in known.items():
        labels = class_labels(sorted({sample for pair in pairs for sample in pair}), pairs)
        if labels is not None:
            found = classes_of_set(labels)["semantic_classes"]
            value = found.value if field == CLASSES else found.extra[EQUIVALENT]
            values[prompt] = [] if value is None else [value]
    valid = [row.prompt_id for row in rows if row.judgment.status == "valid"]
    decided = sum(prompt in values for prompt in valid)
    return _FieldValues(values, decided, len(rows) - len(valid), len(valid) - decided)


def _bounds(kind: str, field: str) -> Bounds:
    """What the values of a field lie in (see `_value`)."""
    if field == DISTINCT:
        return 1.0, float(len(STANCES))
    if field == "topics":
        return 1.0, math.inf
    if kind in ("quality", "new-information"):
        return _GRADES
    return UNIT if kind in ("stance", PREFERENCE, TAG, *WITHIN, *SETS, *CONSTRAINED, *CHOSEN) else (0.0, math.inf)


def _value(judgment: Judgment, field: str) -> float | None:
    """A judgment's number for a field: a grade, 1 for its own stance, choice or tag and 0 for the others, a count of
    topics, or a share of a set's."""
    if judgment.status != "valid":
        return None
    match judgment.kind:
        case "stance":
            return 1.0 if field == DISTINCT else float(judgment.fields["stance"] == field)
        case "preference":
            return float(judgment.fields["preferred"] == field)
        case "tag":
            return float(judgment.fields["tag"] == field)
        case "topics":
            return float(sum(topic["in"] == field for topic in judgment.fields["topics"]))
        case "option":
            return float(bool(judgment.fields["refusal"]) == (field == "refusal"))
        case "constraints":
            return statistics.fmean(judgment.fields["satisfied"])
        case "set-topics":
            of_responses = judgment.fields["topics"]
            together = {topic for topics in of_responses for topic in topics}
            covered = statistics.fmean(len(topics) for topics in of_responses) / len(together)
            return float(len(together)) if field == "topics" else covered
        case "quality" | "new-information":
            grade = judgment.fields.get(field)
            return None if grade is None else float(grade)
        case _:
            return _rubric_value(judgment, field)


def _rubric_value(judgment: Judgment, column: str) -> float | None:
    """Of a template of one's own: a number, or 1 for the choice of the column and 0 for another."""
    field, is_choice, choice = column.partition("=")
    given = judgment.fields.get(field)
    if given is None:
        return None
    if is_choice:
        return float(given == choice)
    return float(given) if isinstance(given, int | float) else None
