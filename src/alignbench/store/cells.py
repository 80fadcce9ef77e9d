"""Prompts, models, conditions and the cells they make: what a sample belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from alignbench.contexts.source_samples import Sources, refuse_new_name, source_conditions
from alignbench.errors import InputError
from alignbench.spec import Condition, Model, Prompt, content_hash
from alignbench.store.base import another_text
from alignbench.store.cell_contents import CellContentsMixin
from alignbench.store.encoding import (
    decode_text,
    encode_json,
    encode_text,
    label,
    pack_ids,
    unpack_ids,
)
from alignbench.store.rows import CellInfo

_MAX_SEED = 2**63 - 1  # of a SQLite integer


class CellsMixin(CellContentsMixin):
    """Prompts, conditions and the cells they make."""

    def add_cell(self, session_id: int, prompt: Prompt, condition: Condition, n: int) -> int:
        """Register a prompt, a model, a condition and the cell they make; the cell's id. n only grows.

        The same prompt id under the same condition hash is the same cell, however often it is added; a prompt
        whose id was made from its text is the first one of that text. InputError where a name would come to mean
        two things: a condition name or prompt id that stands for something else in this session, or this very
        condition under another name (`rename_condition` changes the name).
        """
        return self.add_cells(session_id, [prompt], condition, n)[0]

    def add_cells(self, session_id: int, prompts: Sequence[Prompt], condition: Condition, n: int) -> list[int]:
        """As `add_cell`, for many prompts under one condition; the ids in their order."""
        if not prompts:
            return []
        if not -_MAX_SEED <= condition.seed <= _MAX_SEED - n:
            raise InputError(f"seed is {condition.seed}; expected less than 2^63 in size.")
        insert = """
            INSERT INTO cells (session_id, prompt_id, condition_id, n) VALUES (?, ?, ?, ?)
            ON CONFLICT (prompt_id, condition_id) DO UPDATE SET n = max(n, excluded.n) RETURNING id
        """
        with self._write():
            self._touch(session_id)
            known = self._prompt_ids(session_id) if len(prompts) > 1 else {}
            rows = [known.get(prompt.key) or self._prompt_row(session_id, prompt) for prompt in prompts]
            for row, prompt in zip(rows, prompts, strict=True):
                self._keep_parts(row, prompt)
            condition_id = self._condition_row(session_id, condition)
            return [self._tuples(insert, session_id, row, condition_id, n)[0][0] for row in rows]

    def add_prompts(self, session_id: int, prompts: Iterable[Prompt]) -> None:
        """Register prompts as they are, each under its id: ids that were made from a text too.

        InputError where an id stands for another text in this session.
        """
        with self._write():
            self._touch(session_id)
            known = self._prompt_ids(session_id)
            for prompt in prompts:
                if prompt.key not in known:
                    known[prompt.key] = self._new_prompt(session_id, prompt)

    def sources(self, session_id: int, reference: str | None) -> Sources:
        """Of a session's prompts, the samples of the reference that contexts are made from: what the contexts say, and
        which hints the cells were sampled with."""
        conditions = self.conditions(session_id)
        row = self._row("SELECT reference FROM sessions WHERE id = ?", session_id)
        own = label(row["reference"]) if row and row["reference"] is not None else None
        of_all = source_conditions(conditions, reference, session_reference=own)
        of_prompts = {
            prompt: source_conditions(conditions, reference, session_reference=own, made_from=made_from)
            for prompt, made_from in self.hint_sources(session_id).items()
        }
        return lambda prompt: of_prompts.get(prompt, of_all)

    def rename_condition(self, session_id: int, name: str, new_name: str) -> None:
        """Give a condition of a session another name; if it is the reference, it stays the reference.

        InputError where the name is taken, or where contexts of others name the condition.
        """
        old, new = encode_text(name), encode_text(new_name)
        with self._write():
            taken = "SELECT id FROM conditions WHERE session_id = ? AND name = ?"
            if new != old and self._row(taken, session_id, new):
                raise InputError(f"Session {session_id} already has a condition named {new_name!r}.")
            if new != old:
                refuse_new_name(name, self.conditions(session_id))
            rename = "UPDATE conditions SET name = ? WHERE session_id = ? AND name = ?"
            if not self._execute(rename, new, session_id, old):
                raise InputError(f"Session {session_id} has no condition named {name!r}.")
            self._execute("UPDATE sessions SET reference = ? WHERE id = ? AND reference = ?", new, session_id, old)
            self._touch(session_id)

    def drop_condition_if_empty(self, session_id: int, name: str) -> bool:
        """Delete a condition that has no sample, so that its name is free again; whether it was deleted.

        Errors are no samples: they go with it. Done and cancelled samples keep it, and log-probs of options.
        """
        with self._write():
            return bool(
                self._execute(
                    """
                    DELETE FROM conditions WHERE session_id = ? AND name = ? AND NOT EXISTS (
                        SELECT 1 FROM samples JOIN cells ON cells.id = samples.cell_id
                        WHERE cells.condition_id = conditions.id AND samples.status <> 'error')
                    AND NOT EXISTS (
                        SELECT 1 FROM option_masses JOIN cells ON cells.id = option_masses.cell_id
                        WHERE cells.condition_id = conditions.id)
                    """,
                    session_id,
                    encode_text(name),
                )
            )

    def cells(self, session_id: int) -> list[CellInfo]:
        """The cells of a session in the order in which they were added."""
        rows = self._rows(
            """
            SELECT cells.id, cells.session_id, cells.n, prompts.name AS prompt_name, conditions.name AS condition
            FROM cells
            JOIN prompts ON prompts.id = cells.prompt_id
            JOIN conditions ON conditions.id = cells.condition_id
            WHERE cells.session_id = ? ORDER BY cells.id
            """,
            session_id,
        )
        hidden = self._unreadable_conditions(session_id)
        cells = self._readable(rows, _cell_info, lambda row: f"cell {row['id']} of session {session_id}")
        hidden_prompts = self._unreadable_prompts(session_id)
        return [cell for cell in cells if cell.condition not in hidden and cell.prompt_id not in hidden_prompts]

    def n_asked(self, session_id: int) -> int:
        """Samples that were asked for in a session so far."""
        row = self._row("SELECT coalesce(sum(n), 0) AS n FROM cells WHERE session_id = ?", session_id)
        return 0 if row is None else int(row["n"])

    def set_rendered(self, cell_id: int, text: str) -> None:
        """Keep the text that the model saw, up to where the response begins."""
        with self._write():
            self._set_cell(cell_id, "rendered_hash", self._add_text(text))

    def rendered(self, cell_id: int) -> str | None:
        row = self._row("SELECT text FROM cells JOIN texts ON texts.hash = rendered_hash WHERE cells.id = ?", cell_id)
        return None if row is None else label(row["text"])

    def set_prompt_ids(self, cell_id: int, ids: Sequence[int]) -> None:
        """Keep the token ids that the model saw."""
        with self._write():
            self._set_cell(cell_id, "prompt_ids", pack_ids(ids))

    def prompt_ids(self, cell_id: int) -> tuple[int, ...] | None:
        row = self._row("SELECT prompt_ids FROM cells WHERE id = ?", cell_id)
        if row is None or row["prompt_ids"] is None:
            return None
        return tuple(unpack_ids(row["prompt_ids"]).tolist())

    def set_model_file_hash(self, session_id: int, reference: str, file_hash: str) -> None:
        """Keep the SHA-256 of the weights that a session samples now, for every condition that has this model.

        `models` has the newest of all sessions, under every name of the model.
        """
        key = encode_text(reference)
        with self._write():
            self._execute("UPDATE models SET file_hash = ? WHERE reference = ?", file_hash, key)
            self._execute(
                """
                UPDATE conditions SET file_hash = ?
                WHERE session_id = ? AND model_id IN (SELECT id FROM models WHERE reference = ?)
                """,
                file_hash,
                session_id,
                key,
            )

    def model_file_hash(self, session_id: int, reference: str) -> str | None:
        """The SHA-256 of the weights that drew the samples of a session; None where none are there."""
        row = self._row(
            """
            SELECT conditions.file_hash FROM conditions JOIN models ON models.id = model_id
            WHERE session_id = ?1 AND reference = ?2 AND conditions.file_hash <> '' AND EXISTS (
                SELECT 1 FROM cells JOIN samples ON samples.cell_id = cells.id
                WHERE cells.condition_id = conditions.id AND samples.status = 'done')
            """,
            session_id,
            encode_text(reference),
        )
        return None if row is None else str(row["file_hash"])

    def _add_text(self, text: str, given: str = "") -> str:
        """Store a text once; its hash. given: that of a conversation, whose last message the text is."""
        text_hash = given or content_hash(text)
        insert = "INSERT INTO texts (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._execute(insert, text_hash, encode_text(text))
        return text_hash

    def _set_cell(self, cell_id: int, column: str, value: object) -> None:
        if not self._execute(f"UPDATE cells SET {column} = ? WHERE id = ?", value, cell_id):
            raise InputError(f"{self.path} has no cell {cell_id}; was the session deleted meanwhile?")

    def _prompt_ids(self, session_id: int) -> dict[str, int]:
        rows = self._tuples("SELECT text_hash, name, id FROM prompts WHERE session_id = ?", session_id)
        return {text_hash + label(name): id for text_hash, name, id in rows}

    def _prompt_row(self, session_id: int, prompt: Prompt) -> int:
        known = self._prompt_id(session_id, prompt)
        return self._new_prompt(session_id, prompt) if known is None else known

    def _new_prompt(self, session_id: int, prompt: Prompt) -> int:
        text_hash, name = self._add_text(prompt.text, prompt.hash), encode_text(prompt.id)
        if self._row("SELECT id FROM prompts WHERE session_id = ? AND name = ?", session_id, name):
            raise another_text(prompt.id, session_id)
        return self._insert(
            """
            INSERT INTO prompts (session_id, name, set_name, text_hash, answers, earlier, rung, filled, position)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1 + coalesce(
                (SELECT position FROM prompts WHERE +session_id = ?1 ORDER BY id DESC LIMIT 1), -1)
            """,  # the + keeps SQLite from the index, by which it would look at all prompts of the session
            session_id,
            name,
            encode_text(prompt.set),
            text_hash,
            _answers_json(prompt),
            encode_json({"messages": [asdict(turn) for turn in prompt.earlier]}) if prompt.earlier else None,
            _rung_json(prompt),
            _filled_json(prompt),
        )

    def _keep_parts(self, row: int, prompt: Prompt) -> None:
        """The options and shares that a survey question came with last, and what a prompt is a rung or was made of."""
        if prompt.answers is not None:
            keep = "UPDATE prompts SET answers = ?1 WHERE id = ?2 AND answers IS NOT ?1"
            self._execute(keep, _answers_json(prompt), row)
        if prompt.rung is not None:
            self._execute("UPDATE prompts SET rung = ?1 WHERE id = ?2 AND rung IS NOT ?1", _rung_json(prompt), row)
        if prompt.filled is not None:
            keep = "UPDATE prompts SET filled = ?1 WHERE id = ?2 AND filled IS NOT ?1"
            self._execute(keep, _filled_json(prompt), row)

    def _condition_row(self, session_id: int, condition: Condition) -> int:
        name = encode_text(condition.name)
        rows = self._rows(
            "SELECT id, name, hash FROM conditions WHERE session_id = ? AND (hash = ? OR name = ?)",
            session_id,
            condition.hash,
            name,
        )
        for row in rows:
            if row["hash"] == condition.hash and row["name"] == name:
                return int(row["id"])
        for row in rows:
            if row["name"] == name:
                raise InputError(
                    f"The name {condition.name!r} stands for another condition in session {session_id} "
                    "(another model, context, seed or sampling parameter). Give this one a name of its own."
                )
            raise InputError(
                f"Session {session_id} has the condition {condition.name!r} already, as "
                f"{label(row['name'])!r}: same model, context, sampling parameters and seed. "
                "Change one of them, or use that name."
            )
        if (examples := condition.context.examples) is not None and examples.pool.items:
            self._keep_example_set(examples.pool)
        settings = condition.settings
        seed, mode = settings.pop("seed"), settings.pop("mode")
        return self._insert(
            """
            INSERT INTO conditions
                (session_id, name, model_id, context, context_hash, sampling, seed, mode, hash, position)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, coalesce(max(position) + 1, 0)
            FROM conditions WHERE session_id = ?1
            """,
            session_id,
            name,
            self._model_row(condition.model),
            encode_json(condition.context.to_json()),
            condition.context.hash,
            encode_json(settings),
            seed,
            mode,
            condition.hash,
        )

    def _model_row(self, model: Model) -> int:
        key = encode_text(model.name), encode_text(model.reference), model.kind
        insert = "INSERT INTO models (name, reference, kind) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        self._execute(insert, *key)
        row = self._row("SELECT id FROM models WHERE name = ? AND reference = ? AND kind = ?", *key)
        assert row is not None
        return int(row["id"])


def _answers_json(prompt: Prompt) -> str | None:
    return encode_json(prompt.answers.to_json()) if prompt.answers else None


def _rung_json(prompt: Prompt) -> str | None:
    return encode_json(asdict(prompt.rung)) if prompt.rung else None


def _filled_json(prompt: Prompt) -> str | None:
    filled = prompt.filled
    return encode_json({**asdict(filled), "values": dict(filled.values)}) if filled else None


def _cell_info(row: dict[str, Any]) -> CellInfo:
    return CellInfo(
        id=row["id"],
        session=row["session_id"],
        prompt_id=decode_text(row["prompt_name"]),
        condition=decode_text(row["condition"]),
        n=row["n"] if isinstance(row["n"], int) else 0,
    )
