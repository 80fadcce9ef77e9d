"""What users' functions said of a session: kept beside its samples, and read again where the function is not asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alignbench.metrics.registry import METRICS
from alignbench.metrics.values import Cross, Value
from alignbench.own_metrics.declaration import Declaration
from alignbench.own_metrics.registration import add_stand_in, declared
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.scoring.prompt_scores import Comparisons, PromptScores
from alignbench.scoring.responses import CellTexts, Texts
from alignbench.spec import content_hash
from alignbench.store import CellScore, Store

OTHER_SAMPLES = "kept for other samples than there are now"


@dataclass(frozen=True, slots=True)
class KeptMetric:
    """A user's score that a session keeps.

    Attributes:
        origin: Its file or module and function.
        version: Of the source that computed it.
        created: When, the last time.
    """

    name: str
    origin: str
    version: str
    declaration: Declaration
    created: str

    @property
    def state(self) -> str:
        """What has become of its file since; empty where it is as it was, or where it is no file."""
        source, _, _ = self.origin.rpartition(":")
        if not source.endswith(".py"):
            return ""
        try:
            text = Path(source).read_bytes()
        except (OSError, ValueError):  # ValueError: of a path that no system has
            return f"{source} is gone"
        return "" if hashlib.sha256(text).hexdigest()[:12] == self.version else f"{source} has changed since"

    @property
    def remark(self) -> str:
        """For people, what its values are."""
        since = f"; {self.state}" if self.state else ""
        return f"{self.name}: kept from {self.created[:10]}, version {self.version} of {self.origin}{since}"


@dataclass(frozen=True, slots=True)
class KeptScores:
    """All that a session keeps of users' scores.

    Attributes:
        metrics: By name.
        scores: As they were computed.
    """

    metrics: Mapping[str, KeptMetric] = field(default_factory=dict)
    scores: Sequence[CellScore] = ()

    def register(self) -> None:
        """Have each of them listed among the scores, so that it can be named and shown without its function."""
        for metric in self.metrics.values():
            add_stand_in(metric.name, metric.origin, metric.version, metric.declaration)

    def of_prompt(self, prompt: str, cells: CellTexts, reference: str | None) -> PromptScores:
        """Of the samples that a prompt has; why there are none, where these are others."""
        within: dict[str, dict[str, Value]] = {}
        compared: dict[str, dict[str, Cross]] = {}
        floors: dict[str, dict[str, Cross]] = {}
        nulls: dict[str, dict[str, Cross]] = {}
        for score in self.scores:
            if score.prompt_id != prompt or score.reference not in (None, reference):
                continue
            same = score.samples == _hash(cells, score.condition, score.reference)
            if score.reference is None:
                value = Value(score.value, score.n, score.reason) if same else Value(None, 0, OTHER_SAMPLES)
                within.setdefault(score.condition, {})[score.metric] = value
                continue
            for table, cross in zip((compared, floors, nulls), _compared(score, same), strict=True):
                if cross is not None:
                    table.setdefault(score.condition, {})[score.metric] = cross
        return PromptScores(within, Comparisons(compared, floors, nulls))


def kept_scores(store: Store, session: int) -> KeptScores:
    """What a session keeps; what cannot be read is left out."""
    scores = store.cell_scores(session)
    metrics = {}
    for score in scores:
        try:
            said = Declaration.of_facts(score.facts["declared"])
            origin = str(score.facts["origin"])
        except (LookupError, TypeError, ValueError) as error:
            store.leave_out(f"the facts of {score.metric} in session {session}", error)
            continue
        metrics[score.metric] = KeptMetric(score.metric, origin, score.version, said, score.created)
    return KeptScores(metrics, [score for score in scores if score.metric in metrics])


def precomputed(
    kept: KeptScores, cells: Mapping[str, CellTexts], reference: str | None, names: Sequence[str]
) -> PrecomputedScores:
    """Those of some metrics, as scores that need not be computed. cells: of each prompt."""
    only = KeptScores(kept.metrics, [score for score in kept.scores if score.metric in names])
    of = {prompt: only.of_prompt(prompt, texts, reference) for prompt, texts in cells.items()}
    within = {(prompt, name): values for prompt, scores in of.items() for name, values in scores.within.items()}
    return PrecomputedScores(within, {prompt: PromptScores(held_out=scores.held_out) for prompt, scores in of.items()})


def keep_scores(
    store: Store,
    session: int,
    cells: Mapping[str, CellTexts],
    scored: Mapping[str, PromptScores],
    reference: str | None,
    names: Sequence[str],
) -> None:
    """Keep what users' functions said of prompts.

    Args:
        store: Is written to.
        session: Its number.
        cells: The samples of each prompt.
        scored: The scores of each prompt.
        reference: The condition that the others were compared with.
        names: Of the metrics; those that ship are not kept.
    """
    for name in names:
        if METRICS[name].runs_outside:
            facts = {"origin": METRICS[name].origin, "declared": declared(name).facts()}
            rows = [
                row
                for prompt, scores in scored.items()
                for row in _rows(name, prompt, cells[prompt], scores, reference)
            ]
            store.keep_cell_scores(session, rows, facts)


def _rows(name: str, prompt: str, cells: CellTexts, scores: PromptScores, reference: str | None) -> Iterator[CellScore]:
    version, held_out = METRICS[name].version, scores.held_out
    for condition, values in scores.within.items():
        if cells.get(condition) and (value := values.get(name)) is not None:
            samples = _hash(cells, condition, None)
            yield CellScore(name, version, prompt, condition, None, samples, value.value, value.n, value.reason)
    for condition, crosses in held_out.cross.items():
        if reference is None or not cells.get(condition) or (cross := crosses.get(name)) is None:
            continue
        beside: dict[str, float | None] = {"ceiling": cross.ceiling, "mmd2": cross.mmd2}
        for what, table in (("floor", held_out.floor), ("null", held_out.null)):
            if (other := table.get(condition, {}).get(name)) is not None:
                beside[what] = other.value
        yield CellScore(
            name, version, prompt, condition, reference, _hash(cells, condition, reference), cross.value, cross.n_pairs,
            cross.reason, beside,
        )  # fmt: skip


def _compared(score: CellScore, same: bool) -> tuple[Cross, Cross | None, Cross | None]:
    """With the reference, and floor and null in its place."""
    if not same:
        return Cross(None, 0, None, OTHER_SAMPLES, OTHER_SAMPLES), None, None
    ceiling, mmd2 = score.beside.get("ceiling"), score.beside.get("mmd2")
    no_ceiling = "" if ceiling is not None else score.reason or "not kept"
    floor, null = (
        Cross(score.beside[what], 0, ceiling) if what in score.beside else None for what in ("floor", "null")
    )
    return Cross(score.value, score.n, ceiling, score.reason, no_ceiling, mmd2), floor, null


def _hash(cells: CellTexts, condition: str, reference: str | None) -> str:
    def texts(name: str) -> list[object]:
        of: Texts = cells.get(name, {})
        return [[sample, text] for sample, text in sorted(of.items())]

    return content_hash([texts(condition), [] if reference is None else texts(reference)])[:16]
