"""Samples, their tokens, and the embeddings of their texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.protocol import FinishReason, SampleResult, TokenStats
from alignbench.errors import InputError
from alignbench.spec import Condition, Prompt, content_hash
from alignbench.store.base import another_text
from alignbench.store.encoding import (
    encode_text,
    label,
    now,
    pack_floats,
    pack_ids,
    unpack_floats,
    unpack_ids,
)
from alignbench.store.named import NamedMixin
from alignbench.store.rows import Counts, Pace, SampleRow, SampleStatus, StoredCell
from alignbench.store.sample_rows import called, sample_row
from alignbench.store.search_words import search_words

_STATUSES: dict[str, SampleStatus] = {"cancelled": "cancelled", "error": "error"}  # by finish reason; others are done
_TOKEN_COLUMNS = tuple(field.name for field in fields(TokenStats))

# One statement decides: a row that is done stays as it is, anything else under the index is replaced.
PUT_SAMPLE = """
    INSERT INTO samples (cell_id, sample, seed, status, finish_reason, n_prompt_tokens, n_tokens, seconds,
        logprob, error, created, text_hash, text, raw_text, probability,
        thinking, n_thinking_tokens, refused, note, words)
    SELECT cells.id, ?2, coalesce(?20, conditions.seed + ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
        ?16, ?17, ?18, ?19
    FROM cells JOIN conditions ON conditions.id = cells.condition_id WHERE cells.id = ?1
    ON CONFLICT (cell_id, sample) DO UPDATE SET
        seed = excluded.seed, status = excluded.status, finish_reason = excluded.finish_reason,
        n_prompt_tokens = excluded.n_prompt_tokens, n_tokens = excluded.n_tokens, seconds = excluded.seconds,
        logprob = excluded.logprob, error = excluded.error, created = excluded.created,
        text_hash = excluded.text_hash, text = excluded.text, raw_text = excluded.raw_text,
        probability = excluded.probability, thinking = excluded.thinking,
        n_thinking_tokens = excluded.n_thinking_tokens, refused = excluded.refused, note = excluded.note,
        words = excluded.words
    WHERE samples.status <> 'done'
"""


class SamplesMixin(NamedMixin):
    """Samples, their tokens and their vectors."""

    def add_sample(self, cell_id: int, result: SampleResult) -> SampleRow:
        """Commit a sample with its tokens; the row that is in the database now.

        Its status is done, or cancelled or error where its finish reason says so. It replaces an error or a cancelled
        sample of the same index; where a done one is there already, that one stays and is returned.
        """
        return self._put(
            cell_id,
            result.sample,
            _STATUSES.get(result.finish_reason, "done"),
            result.finish_reason,
            result.n_prompt_tokens,
            result.n_tokens,
            result.seconds,
            result.logprob,
            encode_text(result.error) if result.error else None,
            text=result.text,
            raw_text=result.raw_text,
            tokens=result.tokens,
            thinking=result.thinking,
            n_thinking_tokens=result.n_thinking_tokens,
            refused=result.refused,
            note=result.note or None,
        )

    def add_text(
        self,
        cell_id: int,
        sample: int,
        text: str,
        *,
        raw_text: str,
        finish_reason: FinishReason | None,
        probability: float | None = None,
        thinking: str | None = None,
        refused: bool = False,
        note: str | None = None,
    ) -> SampleRow:
        """Commit a finished response without tokens and time of its own: from elsewhere, or a part of a generation.

        Args:
            cell_id: that it belongs to
            sample: its index
            text: the response
            raw_text: all that was generated
            finish_reason: how that ended, None where it is not recorded
            probability: that the model gave this answer among others
            thinking, refused, note: as in `SampleRow`
        """
        return self._put(
            cell_id,
            sample,
            "done" if finish_reason is None else _STATUSES.get(finish_reason, "done"),
            finish_reason,
            *[None] * 5,
            text=text,
            raw_text=raw_text,
            probability=probability,
            thinking=thinking,
            refused=refused,
            note=note or None,
        )

    def add_error(
        self,
        cell_id: int,
        sample: int,
        message: str,
        *,
        text: str = "",
        raw_text: str = "",
        thinking: str | None = None,
    ) -> SampleRow:
        """Commit that a sample failed, and what had come of it; a done one of the same index stays, and is returned."""
        return self._put(
            cell_id,
            sample,
            "error",
            "error",
            *[None] * 4,
            encode_text(message),
            text=text,
            raw_text=raw_text,
            thinking=thinking,
        )

    def stored_cells(self, session_id: int, condition: Condition, *, errors: bool = False) -> dict[str, StoredCell]:
        """The cells of a condition hash, whatever it is called, by the prompt's key, with the samples that are done
        in each, and the errors if they are asked for."""
        # Samples come in order, so that nearly always the first ones are there: their number then says which.
        rows = self._tuples(
            """
            SELECT cells.id, cells.n, prompts.text_hash, prompts.name, count(samples.sample), max(samples.sample)
            FROM conditions
            JOIN cells ON cells.condition_id = conditions.id
            JOIN prompts ON prompts.id = cells.prompt_id
            LEFT JOIN samples
                ON samples.cell_id = cells.id AND (samples.status = 'done' OR samples.status = 'error' AND ?3)
            WHERE conditions.session_id = ?1 AND conditions.hash = ?2 GROUP BY cells.id
            """,
            session_id,
            condition.hash,
            errors,
        )
        return {
            text_hash + label(name): StoredCell(
                cell, n, _first(there) if there == (-1 if last is None else last) + 1 else self._there(cell, errors)
            )
            for cell, n, text_hash, name, there, last in rows
        }

    def prompt_keys(self, session_id: int, prompts: Sequence[Prompt]) -> list[str]:
        """The keys that prompts have in a session: one whose id was made from its text is the first of that text.

        InputError where an id stands for another text in this session.
        """
        rows = self._tuples(
            "SELECT text_hash, name FROM prompts WHERE session_id = ? ORDER BY position DESC", session_id
        )
        first = {text_hash: text_hash + label(name) for text_hash, name in rows}
        known = {label(name): text_hash for text_hash, name in rows}
        keys = []
        for prompt in prompts:
            own = known.get(prompt.id)
            if own is None and not prompt.is_named:
                keys.append(first.get(prompt.hash, prompt.key))
            elif own in (None, prompt.hash):
                keys.append(prompt.key)
            else:
                raise another_text(prompt.id, session_id)
        return keys

    def _there(self, cell_id: int, errors: bool) -> frozenset[int]:
        query = "SELECT sample FROM samples WHERE cell_id = ? AND (status = 'done' OR status = 'error' AND ?)"
        return frozenset(sample for (sample,) in self._tuples(query, cell_id, errors))

    def counts(self, session_id: int) -> list[Counts]:
        """What each condition of a session holds, in order of first use."""
        rows = self._rows(
            """
            SELECT conditions.name AS condition,
                count(CASE WHEN samples.status = 'done' THEN 1 END) AS samples,
                count(CASE WHEN samples.status = 'error' THEN 1 END) AS errors,
                CASE WHEN count(CASE WHEN samples.status = 'done' AND samples.finish_reason IS NULL THEN 1 END) = 0
                    THEN count(CASE WHEN samples.status = 'done' AND samples.finish_reason = 'length' THEN 1 END)
                    END AS truncated,
                count(CASE WHEN samples.status = 'done' AND samples.refused THEN 1 END) AS refused,
                count(CASE WHEN samples.status = 'done' AND samples.logprob = -9e999 THEN 1 END) AS infinite
            FROM conditions
            LEFT JOIN cells ON cells.condition_id = conditions.id
            LEFT JOIN samples ON samples.cell_id = cells.id
            WHERE conditions.session_id = ? GROUP BY conditions.id ORDER BY conditions.position
            """,
            session_id,
        )
        hidden = self._unreadable_conditions(session_id)
        counts = (Counts(**{**row, "condition": label(row["condition"])}) for row in rows)
        return [each for each in counts if each.condition not in hidden]

    def pace(self, reference: str) -> Pace | None:
        """How long and how fast the samples of a model were, in all sessions; None where there is none.

        The seconds are those in which any of them was drawn: those of a cell, and in fast mode of many, run together.
        """
        row = self._row(
            """
            WITH spans AS (
                SELECT samples.n_tokens + coalesce(samples.n_thinking_tokens, 0) AS tokens,
                    86400 * julianday(samples.created) - samples.seconds AS begun,
                    86400 * julianday(samples.created) AS ended
                FROM samples
                JOIN cells ON cells.id = samples.cell_id
                JOIN conditions ON conditions.id = cells.condition_id
                JOIN models ON models.id = conditions.model_id
                WHERE models.reference = ? AND samples.status = 'done' AND samples.seconds > 0),
            ordered AS (
                SELECT tokens, begun, ended, max(ended) OVER (
                    ORDER BY begun ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS so_far
                FROM spans)
            SELECT count(*) AS n, sum(tokens) AS tokens,
                sum(max(0, ended - max(begun, coalesce(so_far, begun)))) AS seconds
            FROM ordered
            """,
            encode_text(reference),
        )
        if row is None or not row["tokens"] or not row["seconds"]:
            return None
        return Pace(row["tokens"] / row["n"], row["tokens"] / row["seconds"])

    def samples(self, session_id: int, *, cell_id: int | None = None) -> Iterator[SampleRow]:
        """The samples of a session or of one of its cells, whatever their status, by cell and index."""
        # One cell is looked up by its id: SQLite would go through all of the session's cells for an optional one.
        one, chosen = ("", ()) if cell_id is None else (" AND id = ?", (cell_id,))
        cells = self._rows(f"SELECT id FROM cells WHERE session_id = ?{one} ORDER BY id", session_id, *chosen)
        hidden = self._unreadable_conditions(session_id)
        # A cell at a time: no cursor stays open between rows, and a large session is never all in memory.
        for cell in cells:
            rows = self._rows("SELECT * FROM sample_details WHERE cell_id = ? ORDER BY sample", cell["id"])
            for row in self._readable(rows, sample_row, called):
                if row.condition not in hidden:
                    yield row

    def sample(self, sample_id: int) -> SampleRow:
        """One sample. InputError when there is none."""
        row = self._row("SELECT * FROM sample_details WHERE id = ?", sample_id)
        if row is None:
            raise InputError(f"{self.path} has no sample {sample_id}.")
        return self._read(row, sample_row, called(row))

    def token_stats(self, sample_ids: Iterable[int]) -> dict[int, TokenStats]:
        """What is known of the tokens of those samples that have any, by id of the sample."""
        columns = ", ".join(_TOKEN_COLUMNS)
        rows = self._tuples(
            f"SELECT sample_id, {columns} FROM sample_tokens WHERE sample_id IN (SELECT value FROM json_each(?))",
            json.dumps(list(sample_ids)),
        )
        return dict(self._readable(rows, _token_stats, lambda row: f"what is kept of the tokens of sample {row[0]}"))

    def embeddings(self, model: str, text_hashes: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of those texts that are there, by text hash."""
        rows = self._rows(
            "SELECT text_hash, vector, dimensions FROM embeddings "
            "WHERE model = ? AND text_hash IN (SELECT value FROM json_each(?))",
            encode_text(model),
            json.dumps(list(text_hashes)),
        )
        return dict(self._readable(rows, _vector, lambda row: f"the vector of text {row['text_hash']}"))

    def add_embeddings(
        self, model: str, vectors: Mapping[str, NDArray[np.float32]], *, windows: Mapping[str, int], mode: str
    ) -> None:
        """Keep vectors by text hash.

        Args:
            windows: pieces each text was cut into
            mode: how they were joined
        """
        created = now()
        with self._write():
            self.db.conn.executemany(
                """
                INSERT INTO embeddings (model, text_hash, dimensions, windows, mode, created, vector)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (model, text_hash) DO UPDATE SET dimensions = excluded.dimensions,
                    windows = excluded.windows, mode = excluded.mode, created = excluded.created,
                    vector = excluded.vector
                """,
                [
                    (encode_text(model), key, vector.size, windows[key], mode, created, pack_floats(vector))
                    for key, vector in vectors.items()
                ],
            )

    def _put(
        self,
        cell_id: int,
        sample: int,
        status: SampleStatus,
        *columns: object,
        text: str = "",
        raw_text: str = "",
        tokens: TokenStats | None = None,
        probability: float | None = None,
        thinking: str | None = None,
        n_thinking_tokens: int | None = None,
        refused: bool = False,
        note: str | None = None,
    ) -> SampleRow:
        with self._write():
            changed = self._execute(
                PUT_SAMPLE,
                cell_id,
                sample,
                status,
                *columns,
                now(),
                content_hash(text),
                encode_text(text),
                encode_text(raw_text),
                probability,
                None if thinking is None else encode_text(thinking),
                n_thinking_tokens,
                refused,
                None if note is None else encode_text(note),
                search_words(text),
                None,
            )
            row = self._row("SELECT * FROM sample_details WHERE cell_id = ? AND sample = ?", cell_id, sample)
            if row is None:
                raise InputError(f"{self.path} has no cell {cell_id}; was the session deleted meanwhile?")
            if changed:
                self._put_tokens(row["id"], tokens)
                self._touch(row["session_id"])
            return sample_row(row)

    def _put_tokens(self, sample_id: int, tokens: TokenStats | None) -> None:
        self._execute("DELETE FROM sample_tokens WHERE sample_id = ?", sample_id)
        if tokens is not None:
            columns = ", ".join(_TOKEN_COLUMNS)
            self._execute(
                f"INSERT INTO sample_tokens (sample_id, {columns}) VALUES (?, ?, ?, ?, ?, ?)",
                sample_id,
                pack_ids(tokens.ids),
                *(pack_floats(getattr(tokens, column)) for column in _TOKEN_COLUMNS[1:]),
            )


@cache
def _first(n: int) -> frozenset[int]:
    return frozenset(range(n))


def _token_stats(row: tuple[Any, ...]) -> tuple[int, TokenStats]:
    id, ids, *floats = row
    stats = TokenStats(unpack_ids(ids), *map(unpack_floats, floats))
    if len({len(getattr(stats, column)) for column in _TOKEN_COLUMNS}) > 1:
        raise ValueError("the columns are not equally long")
    return id, stats


def _vector(row: dict[str, Any]) -> tuple[str, NDArray[np.float32]]:
    vector = unpack_floats(row["vector"])
    if len(vector) != row["dimensions"]:
        raise ValueError(f"{len(vector)} of {row['dimensions']} dimensions")
    return row["text_hash"], vector
