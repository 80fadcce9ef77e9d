"""Scores of pairs of samples that were computed elsewhere, beside the samples they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alignbench.errors import InputError
from alignbench.store.encoding import decode_json, decode_text, encode_json, label, now
from alignbench.store.named import NamedMixin
from alignbench.store.rows import PairScore


class PairScoresMixin(NamedMixin):
    """Scores of pairs of samples that were computed elsewhere."""

    def add_pair_scores(self, session_id: int, metric: str, version: str, pairs: Iterable[PairScore]) -> None:
        """Keep what a metric, in the version of another program, says of pairs of this session's samples.

        InputError where a prompt or a condition is not in the session.
        """
        created = now()
        with self._write():
            prompts = self._ids(session_id, "prompts")
            conditions = self._ids(session_id, "conditions")
            for pair in pairs:
                try:
                    places = prompts[pair.prompt_id], conditions[pair.condition], conditions[pair.reference]
                except KeyError as missing:
                    raise InputError(f"Session {session_id} has no {missing} to keep {metric} of.") from None
                self._execute(
                    """
                    INSERT INTO scores (session_id, prompt_id, condition_id, reference_id, metric, version, parameters,
                        value, n, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
                    """,
                    session_id,
                    *places,
                    metric,
                    version,
                    encode_json({"reference_sample": pair.reference_sample, "sample": pair.sample}),
                    pair.value,
                    created,
                )

    def pair_scores(self, session_id: int, metric: str) -> list[PairScore]:
        """The pairs of a session that have a score of this name, in the order in which they were added."""
        rows = self._rows(
            """
            SELECT scores.id, prompts.name AS prompt, reference.name AS reference, conditions.name AS condition,
                scores.parameters, scores.value, scores.version
            FROM scores
            JOIN prompts ON prompts.id = scores.prompt_id
            JOIN conditions ON conditions.id = scores.condition_id
            JOIN conditions AS reference ON reference.id = scores.reference_id
            WHERE scores.session_id = ? AND scores.metric = ? AND scores.parameters LIKE '%reference_sample%'
            ORDER BY scores.id
            """,
            session_id,
            metric,
        )
        hidden = self._unreadable_conditions(session_id)
        pairs = self._readable(rows, _pair_score, lambda row: f"score {row['id']} of session {session_id}")
        hidden_prompts = self._unreadable_prompts(session_id)
        return [
            pair
            for pair in pairs
            if not hidden & {pair.condition, pair.reference} and pair.prompt_id not in hidden_prompts
        ]

    def _ids(self, session_id: int, table: str) -> dict[str, int]:
        rows = self._rows(f"SELECT id, name FROM {table} WHERE session_id = ?", session_id)
        return {decode_text(row["name"]): row["id"] for row in rows}


def _pair_score(row: dict[str, Any]) -> PairScore:
    if not isinstance(row["value"], float | int):
        raise TypeError(f"value is {row['value']!r}")
    places = decode_json(row["parameters"])
    return PairScore(
        prompt_id=decode_text(row["prompt"]),
        reference=decode_text(row["reference"]),
        condition=decode_text(row["condition"]),
        value=row["value"],
        version=label(row["version"]),
        reference_sample=int(places["reference_sample"]),
        sample=int(places["sample"]),
    )
