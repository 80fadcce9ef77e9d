"""Sessions from Python: samples, scores and judgments as pandas DataFrames; see docs/python.md."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignbench.engines.embedder import default_embedder
from alignbench.errors import InputError, did_you_mean
from alignbench.exporting.samples import COLUMNS, sample_rows
from alignbench.extras import needed
from alignbench.judging.stances import NO_STANCES, read_stances
from alignbench.metrics.registry import cross, live, metric, within
from alignbench.metrics.statistics import RESAMPLES, Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.own_metrics.registration import registered
from alignbench.reports.anchor_lists import listed_anchors
from alignbench.scoring.batch import score_responses
from alignbench.scoring.condition_matrix import MATRICES, condition_matrix
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.floor import Floor, session_floor
from alignbench.scoring.model_based.stances import STANCE_SCORES, stance_scores
from alignbench.scoring.precomputed import PrecomputedScores
from alignbench.scoring.responses import SessionResponses
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.scorer import ScoreRequest
from alignbench.store import SessionInfo, Store
from alignbench.surveys.session_survey import session_answers
from alignbench.surveys.to_json import ANSWER_KEYS, answer_json

if TYPE_CHECKING:
    import pandas as pd

_SESSIONS = tuple(field.name for field in fields(SessionInfo))
_JUDGED = ("prompt_id", "condition", "sample", "reference", "reference_sample")
_JUDGMENT = ("kind", "judge", "template_hash", "flipped", "status", "reason")
_SCORE = ("value", "ci_low", "ci_high", "n", "reason", "ceiling", "floor", "null", "recovery", "held_out",
          "source", "with_source", "with_source_recovery")  # fmt: skip
_STORED = {"text", "embeddings", "log-probs"}  # what scores may need and a session may have


@contextmanager
def _reading(path: Path) -> Iterator[Store]:
    """The database; of what cannot be read of it there is a warning."""
    with Store.read(path) as store:
        yield store
        for note in store.damage:
            warnings.warn(note, stacklevel=4)


@dataclass(frozen=True, slots=True)
class Database:
    """A session database. Nothing stays open: each call reads the file as it is then, from any thread."""

    path: Path

    def sessions(self) -> pd.DataFrame:
        """One row a session, newest first, with the fields of `store.SessionInfo`."""
        with _reading(self.path) as store:
            return _frame(map(asdict, store.sessions()), _SESSIONS)

    def session(self, session_id: int) -> Session:
        """A session by its number. InputError where there is none."""
        with _reading(self.path) as store:
            return Session(self.path, store.session(session_id))


@dataclass(frozen=True, slots=True)
class Session:
    """A session; info is what it was when it was asked for."""

    path: Path
    info: SessionInfo

    def samples(self) -> pd.DataFrame:
        """One row a sample, errors and cancelled ones too, with the columns of `alignbench export jsonl`."""
        with _reading(self.path) as store:
            rows = [*sample_rows(store, self.info.id)]
        return _frame(rows, [*rows[0]] if rows else COLUMNS)

    def judgments(self, kind: str | None = None) -> pd.DataFrame:
        """One row a judgment, of one kind where it is named, with a column for each field that was judged."""
        with _reading(self.path) as store:
            rows: list[dict[str, Any]] = [
                {name: getattr(row.judgment, name) for name in _JUDGMENT}
                | {name: getattr(row, name) for name in _JUDGED}
                | dict(row.judgment.fields)
                for row in store.judgments(self.info.id, kind=kind)
            ]
        return _frame(rows, list(dict.fromkeys([*_JUDGMENT, *_JUDGED, *(name for row in rows for name in row)])))

    def matrix(
        self, metric: str = MATRICES[0], *, reference: str | None = None, resamples: int = RESAMPLES
    ) -> pd.DataFrame:
        """How alike the responses of each two conditions are: a row for each two, each with itself too, and its 95%
        interval over prompts.

        metric: embedding_similarity or jaccard. reference: the session's own where none is named; what contexts are
        made from is held out of it. No model runs: embeddings are those that the session keeps. InputError for another
        metric, or where there is no matrix.
        """
        if metric not in MATRICES:
            raise InputError(f"metric: {metric!r} has no matrix. {did_you_mean(metric, MATRICES)}".rstrip())
        with _reading(self.path) as store:
            of = reference or self.info.reference
            matrix = condition_matrix(
                metric,
                SessionResponses(store, self.info.id),
                self._kept_embeddings(store),
                Uncertainty(resamples=resamples),
                reference=of,
                sources=store.sources(self.info.id, of),
            )
        if matrix.reason:
            raise InputError(f"There is no matrix of {metric}: {matrix.reason}.")
        rows = []
        for (a, b), one in matrix.cells.items():
            low, high = one.ci or (None, None)
            rows.append({"condition": a, "other": b, "value": one.value, "ci_low": low, "ci_high": high, "n": one.n})
        return _frame(rows, ("condition", "other", "value", "ci_low", "ci_high", "n"))

    def anchors(self) -> pd.DataFrame:
        """One row an anchor span: words in a row that half of a condition's responses to a prompt have, or more."""
        with _reading(self.path) as store:
            spans = listed_anchors(SessionResponses(store, self.info.id), WORKBENCH)
        rows = [
            {"condition": name, "prompt_id": span.prompt, "text": " ".join(span.words), "words": len(span.words),
             "responses": span.responses, "n": span.n}
            for name, of in spans.items()
            for span in of
        ]  # fmt: skip
        return _frame(rows, ("condition", "prompt_id", "text", "words", "responses", "n"))

    def survey(self) -> pd.DataFrame:
        """One row a survey question, condition and way, with the keys of a line of `alignbench survey --json`: `groups`
        and `uniform` hold the distances. From the log-probs and replies that the session keeps; no rows where no prompt
        has options."""
        with _reading(self.path) as store:
            rows = [answer_json(answer) for answer in session_answers(store, self.info.id)]
        return _frame(rows, ANSWER_KEYS)

    def _kept_embeddings(self, store: Store) -> Embeddings:
        return Embeddings(store, None, default_embedder(), f"not kept yet: alignbench score {self.info.id}")

    def scores(
        self,
        metrics: Sequence[str] | None = None,
        *,
        reference: str | None = None,
        floor: str | None = None,
        resamples: int = RESAMPLES,
        seed: int = 0,
    ) -> pd.DataFrame:
        """One row a score of a condition, within it or across to the reference, with its 95% interval over prompts.

        metrics: names, as `alignbench metrics` lists them; the live ones by default. reference, floor: names of
        conditions; the session's own where none is named. resamples, seed: of the intervals. No model runs:
        embeddings are those that the session keeps since it was scored, and a score that needs more has no value and a
        reason. InputError for a name that is none.
        """
        with _reading(self.path) as store:
            responses = SessionResponses(store, self.info.id)
            reference = reference or self.info.reference
            for option, name in (("reference", reference), ("floor", floor)):
                if name is not None and name not in responses.conditions:
                    near = did_you_mean(name, responses.conditions)
                    raise InputError(f"{option}: there is no condition named {name!r}. {near}".rstrip())
            zero_shot = Floor(floor) if floor is not None else session_floor(store, self.info.id, reference)
            chosen = tuple(metric(name).name for name in (live() if metrics is None else registered(metrics)))
            stances = read_stances(store, self.info.id)
            computed = {name for name in STANCE_SCORES if stances.of}
            tables = score_responses(
                responses,
                ScoreRequest(
                    within=within(chosen),
                    cross=cross(chosen),
                    unavailable={
                        name: NO_STANCES
                        if name in STANCE_SCORES
                        else f"asks a model: alignbench score {self.info.id} --metrics {name}"
                        for name in chosen
                        if name not in computed and not {*metric(name).needs} <= _STORED
                    },
                    reference=reference,
                    floor=zero_shot.name,
                    no_floor=zero_shot.reason,
                    resamples=resamples,
                    seed=seed,
                ),
                self._kept_embeddings(store),
                given=PrecomputedScores(stance_scores(responses, stances) if computed & {*chosen} else {}),
                sources=store.sources(self.info.id, reference),
            )
        return _frame(_score_rows(tables), ("table", "condition", "metric", *_SCORE))


def _score_rows(tables: ScoreTables) -> Iterator[dict[str, Any]]:
    for table, conditions in (("within", tables.within), ("cross", tables.cross)):
        for condition, scores in conditions.items():
            for name, score in scores.items():
                low, high = score.ci or (None, None)
                place = {"table": table, "condition": condition, "metric": name, "ci_low": low, "ci_high": high}
                whole = getattr(score, "with_source", None)
                apart = {
                    "with_source": getattr(whole, "value", None),
                    "with_source_recovery": getattr(whole, "recovery", None),
                }
                yield {field: getattr(score, field, None) for field in _SCORE} | place | apart


def _frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    with needed("DataFrames need", "pandas"):
        import pandas as pd
    return pd.DataFrame(list(rows), columns=list(columns))
