"""How probable the options of survey questions are under conditions, as log-probs said: nothing was drawn for it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from alignbench.store.encoding import decode_json, decode_text, encode_json, encode_text, now
from alignbench.store.named import NamedMixin


@dataclass(frozen=True, slots=True)
class OptionMasses:
    """What one prompt, that shows its options in one order, was read as under one condition.

    Attributes:
        prompt_id: of the prompt
        condition: its name
        way: what was read: see `surveys.distribution.Way`
        model: what decides the numbers, as for `likelihood`
        masses: probability of each option, in the given order of them
        outside: probability that is on none
    """

    prompt_id: str
    condition: str
    way: str
    model: str
    masses: tuple[float, ...]
    outside: float


class OptionMassesMixin(NamedMixin):
    """Probabilities of options, a prompt and condition each."""

    def add_option_masses(self, session_id: int, read: Iterable[tuple[int, OptionMasses]]) -> None:
        """Commit readings, all or none, each with the id of its cell; one that is there already is replaced."""
        created = now()
        with self._write():
            self._touch(session_id)
            for cell_id, one in read:
                self._execute(
                    """
                    INSERT OR REPLACE INTO option_masses (cell_id, way, model, reading, created)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                    cell_id,
                    one.way,
                    encode_text(one.model),
                    encode_json({"masses": [*one.masses], "outside": one.outside}),
                    created,
                )

    def option_masses(self, session_id: int, condition: str | None = None) -> list[OptionMasses]:
        """The readings of a session, in the order of its prompts; of one condition where it is named."""
        rows = self._rows(
            """
            SELECT option_masses.*, prompts.name AS prompt, prompts.answers, conditions.name AS condition
            FROM option_masses
            JOIN cells ON cells.id = cell_id
            JOIN prompts ON prompts.id = cells.prompt_id
            JOIN conditions ON conditions.id = cells.condition_id
            WHERE cells.session_id = ?1 AND (?2 IS NULL OR conditions.name = ?2)
            ORDER BY prompts.position, conditions.position, way
            """,
            session_id,
            None if condition is None else encode_text(condition),
        )
        hidden, hidden_prompts = self._unreadable_conditions(session_id), self._unreadable_prompts(session_id)
        read = self._readable(rows, _masses, lambda row: f"the log-probs of options of cell {row['cell_id']}")
        return [one for one in read if one.condition not in hidden and one.prompt_id not in hidden_prompts]

    def has_option_masses(self, session_id: int) -> bool:
        """Whether anything was read in a session."""
        query = "SELECT 1 FROM option_masses JOIN cells ON cells.id = cell_id WHERE session_id = ? LIMIT 1"
        return self._row(query, session_id) is not None

    def drop_option_masses(self, session_id: int, condition: str, way: str) -> None:
        """Forget what was read of a condition in one way."""
        with self._write():
            self._execute(
                """
                DELETE FROM option_masses WHERE way = ? AND cell_id IN (
                    SELECT cells.id FROM cells JOIN conditions ON conditions.id = condition_id
                    WHERE cells.session_id = ? AND conditions.name = ?)
                """,
                way,
                session_id,
                encode_text(condition),
            )


def _masses(row: dict[str, Any]) -> OptionMasses:
    read = decode_json(row["reading"])
    masses, outside = tuple(map(float, read["masses"])), float(read["outside"])
    n_options = len(decode_json(row["answers"]).get("options", ()))
    if len(masses) != n_options or not all(0.0 <= each <= 1.0 + 1e-6 for each in (*masses, outside)):
        raise ValueError(f"{len(masses)} masses of {n_options} options, with a sum of {math.fsum(masses):g}")
    return OptionMasses(
        decode_text(row["prompt"]),
        decode_text(row["condition"]),
        decode_text(row["way"]),
        decode_text(row["model"]),
        masses,
        outside,
    )
