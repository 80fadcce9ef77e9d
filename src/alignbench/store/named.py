"""The prompts and conditions of a session, and which of them cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from alignbench.answer_options import AnswerOptions
from alignbench.prompt_parts import Filled, Rung, Turn
from alignbench.spec import Condition, Context, Kind, Mode, Model, Prompt
from alignbench.store.encoding import decode_json, decode_text, label
from alignbench.store.example_sets import ExampleSetsMixin


class NamedMixin(ExampleSetsMixin):
    """Reading prompts and conditions. What belongs to one that cannot be read is left out with it."""

    def prompts(self, session_id: int) -> list[Prompt]:
        """The prompts of a session in order of first use."""
        rows = self._rows(
            """
            SELECT name, text, set_name, answers, earlier, rung, filled FROM prompts
            LEFT JOIN texts ON texts.hash = prompts.text_hash WHERE session_id = ? ORDER BY position
            """,
            session_id,
        )
        found = list(
            self._readable(
                rows,
                _prompt,
                lambda row: f"prompt {label(row['name'])!r} of session {session_id}",
            )
        )
        self._unreadable["prompts", session_id] = _names(rows) - {each.id for each in found}
        return found

    def _unreadable_prompts(self, session_id: int) -> frozenset[str]:
        """Ids. A prompt that is written from now on can be read."""
        if ("prompts", session_id) not in self._unreadable:
            self.prompts(session_id)
        return self._unreadable["prompts", session_id]

    def conditions(self, session_id: int) -> list[Condition]:
        """The conditions of a session in order of first use."""
        rows = self._rows(
            """
            SELECT conditions.*, models.name AS model_name, models.reference, models.kind
            FROM conditions LEFT JOIN models ON models.id = conditions.model_id
            WHERE session_id = ? ORDER BY position
            """,
            session_id,
        )
        found = list(
            self._readable(
                rows, self._condition, lambda row: f"condition {label(row['name'])!r} of session {session_id}"
            )
        )
        self._unreadable["conditions", session_id] = _names(rows) - {each.name for each in found}
        return found

    def _unreadable_conditions(self, session_id: int) -> frozenset[str]:
        """Names. A condition that is written from now on can be read."""
        if ("conditions", session_id) not in self._unreadable:
            self.conditions(session_id)
        return self._unreadable["conditions", session_id]

    def _condition(self, row: dict[str, Any]) -> Condition:
        for column, known in (("kind", get_args(Kind)), ("mode", (None, *get_args(Mode)))):
            if row[column] not in known:
                raise ValueError(f"{column} is {row[column]!r}")
        if not (sampling := decode_json(row["sampling"])):
            raise ValueError("it has no sampling parameters")
        return Condition.of_settings(
            decode_text(row["name"]),
            Model(label(row["model_name"]), decode_text(row["reference"]), row["kind"]),
            Context.from_json(decode_json(row["context"]), self.example_set_or_gone),
            {**sampling, "seed": row["seed"], "mode": row["mode"]},
        )


def _prompt(row: dict[str, Any]) -> Prompt:
    answers = AnswerOptions.from_json(decode_json(row["answers"])) if row["answers"] else None
    turns = decode_json(row["earlier"])["messages"] if row["earlier"] else ()
    earlier = tuple(Turn(turn["role"], turn["content"]) for turn in turns)
    rung = decode_json(row["rung"]) if row["rung"] else None
    filled = decode_json(row["filled"]) if row["filled"] else None
    return Prompt(
        decode_text(row["name"]),
        decode_text(row["text"]),
        label(row["set_name"]),
        answers,
        earlier,
        Rung(rung["of"], tuple(rung["constraints"])) if rung else None,
        Filled(filled["of"], filled["template"], tuple(sorted(filled["values"].items()))) if filled else None,
    )


def _names(rows: Iterable[dict[str, Any]]) -> frozenset[str]:
    return frozenset(label(row["name"]) for row in rows)
