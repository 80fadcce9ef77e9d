"""What users' functions said of the cells of a session: kept, since nobody can tell whether the function stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from alignbench.store.encoding import decode_json, decode_text, encode_json, label, now
from alignbench.store.pair_scores import PairScoresMixin
from alignbench.store.rows import CellScore

_OF_CELL = """parameters LIKE '%"of_cell"%'"""  # a parameter that other scores do not have


class CellScoresMixin(PairScoresMixin):
    """Scores of cells, of one condition or of one and the reference."""

    def keep_cell_scores(self, session_id: int, scores: Collection[CellScore], facts: Mapping[str, Any]) -> None:
        """Keep scores of one metric in one version; those of other versions are forgotten, and of these prompts all.

        facts: of the metric, the same for all of them.
        """
        created = now()
        with self._write():
            prompts = self._ids(session_id, "prompts")
            conditions = self._ids(session_id, "conditions")
            there = [one for one in scores if one.prompt_id in prompts and one.condition in conditions]
            for metric, version in {(one.metric, one.version) for one in there}:
                self._execute(
                    f"DELETE FROM scores WHERE session_id = ? AND metric = ? AND version != ? AND {_OF_CELL}",
                    session_id, metric, version,
                )  # fmt: skip
            for metric, prompt in {(one.metric, one.prompt_id) for one in there}:
                self._execute(
                    f"DELETE FROM scores WHERE prompt_id = ? AND metric = ? AND {_OF_CELL}", prompts[prompt], metric
                )
            for one in there:
                self._execute(
                    """
                    INSERT INTO scores (session_id, prompt_id, condition_id, reference_id, metric, version, parameters,
                        value, n, reason, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                    session_id, prompts[one.prompt_id], conditions[one.condition],
                    None if one.reference is None else conditions[one.reference], one.metric, one.version,
                    encode_json({"of_cell": one.samples, "beside": dict(one.beside), "facts": dict(facts)}),
                    one.value, one.n, one.reason or None, created,
                )  # fmt: skip

    def cell_scores(self, session_id: int) -> list[CellScore]:
        """All that are kept of a session, in the order in which they were added."""
        rows = self._rows(
            f"""
            SELECT scores.id, prompts.name AS prompt, reference.name AS reference, conditions.name AS condition,
                scores.metric, scores.version, scores.parameters, scores.value, scores.n, scores.reason, scores.created
            FROM scores
            JOIN prompts ON prompts.id = scores.prompt_id
            JOIN conditions ON conditions.id = scores.condition_id
            LEFT JOIN conditions AS reference ON reference.id = scores.reference_id
            WHERE scores.session_id = ? AND scores.{_OF_CELL}
            ORDER BY scores.id
            """,
            session_id,
        )
        scores = self._readable(rows, _cell_score, lambda row: f"score {row['id']} of session {session_id}")
        hidden, hidden_prompts = self._unreadable_conditions(session_id), self._unreadable_prompts(session_id)
        return [
            one for one in scores if not hidden & {one.condition, one.reference} and one.prompt_id not in hidden_prompts
        ]


def _cell_score(row: dict[str, Any]) -> CellScore:
    if row["value"] is not None and not isinstance(row["value"], float | int):
        raise TypeError(f"value is {row['value']!r}")
    parameters = decode_json(row["parameters"])
    beside, facts = parameters["beside"], parameters["facts"]
    numbers = all(value is None or isinstance(value, float | int) for value in beside.values())
    if not isinstance(facts, dict) or not numbers:
        raise TypeError(f"parameters are {parameters!r}")
    return CellScore(
        metric=label(row["metric"]),
        version=label(row["version"]),
        prompt_id=decode_text(row["prompt"]),
        condition=decode_text(row["condition"]),
        reference=None if row["reference"] is None else decode_text(row["reference"]),
        samples=str(parameters["of_cell"]),
        value=row["value"],
        n=int(row["n"]),
        reason=decode_text(row["reason"]) if row["reason"] is not None else "",
        beside=beside,
        facts=facts,
        created=label(row["created"]),
    )
