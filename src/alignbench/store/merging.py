"""Several sessions made into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alignbench.errors import InputError
from alignbench.store.encoding import decode_text, encode_text
from alignbench.store.sessions import SessionsMixin

# Rows of one session that go into another; `old` and `new` are ids of one thing there and here. What a sample has is
# taken along only where the sample itself was, or where the one that was there first is the same text.
_COPIES = (
    """
    DELETE FROM samples WHERE status <> 'done' AND EXISTS (
        SELECT 1 FROM merged_cells JOIN samples AS other ON other.cell_id = merged_cells.old
        WHERE merged_cells.new = samples.cell_id AND other.sample = samples.sample AND other.status = 'done')
    """,
    """
    INSERT INTO samples (cell_id, sample, seed, status, finish_reason, n_prompt_tokens, n_tokens, seconds, logprob,
        error, created, text_hash, text, raw_text, probability)
    SELECT merged_cells.new, sample, seed, status, finish_reason, n_prompt_tokens, n_tokens, seconds, logprob, error,
        created, text_hash, text, raw_text, probability
    FROM samples JOIN merged_cells ON merged_cells.old = cell_id WHERE true ORDER BY samples.id
    ON CONFLICT (cell_id, sample) DO NOTHING
    """,
    """
    INSERT INTO merged_samples SELECT theirs.id, ours.id
    FROM merged_cells
    JOIN samples AS theirs ON theirs.cell_id = merged_cells.old
    JOIN samples AS ours ON ours.cell_id = merged_cells.new AND ours.sample = theirs.sample
        AND ours.status = theirs.status AND ours.text_hash = theirs.text_hash
    """,
    """
    INSERT OR IGNORE INTO sample_tokens (sample_id, ids, logprob, entropy, sampling_logprob, sampling_entropy)
    SELECT new, ids, logprob, entropy, sampling_logprob, sampling_entropy
    FROM sample_tokens JOIN merged_samples ON old = sample_id
    """,
    """
    INSERT OR IGNORE INTO judgments (session_id, kind, judge, template_hash, sample_id, reference_sample_id, flipped,
        status, reason, fields, reply, created)
    SELECT ?2, kind, judge, template_hash, judged.new, reference.new, flipped, status, reason, fields, reply, created
    FROM judgments
    JOIN merged_samples AS judged ON judged.old = sample_id
    LEFT JOIN merged_samples AS reference ON reference.old = reference_sample_id
    WHERE session_id = ?1 AND (reference_sample_id IS NULL) = (reference.new IS NULL) ORDER BY judgments.id
    """,
    """
    INSERT OR IGNORE INTO selections (cell_id, set_hash, position, rank, similarity, place, left_out, hint)
    SELECT new, set_hash, position, rank, similarity, place, left_out, hint
    FROM selections JOIN merged_cells ON old = cell_id
    """,
    "INSERT OR IGNORE INTO cell_prefills SELECT new, text FROM cell_prefills JOIN merged_cells ON old = cell_id",
    """
    INSERT OR IGNORE INTO cell_hints SELECT merged_cells.new, merged_hints.new FROM cell_hints
    JOIN merged_cells ON merged_cells.old = cell_id JOIN merged_hints ON merged_hints.old = hint_id
    """,
    """
    INSERT OR IGNORE INTO sample_hints SELECT merged_samples.new, merged_hints.new FROM sample_hints
    JOIN merged_samples ON merged_samples.old = sample_id JOIN merged_hints ON merged_hints.old = hint_id
    """,
    """
    INSERT INTO scores (session_id, prompt_id, condition_id, reference_id, metric, version, parameters, value, n,
        reason, created)
    SELECT ?2, prompt.new, condition.new, reference.new, metric, version, parameters, value, n, reason, created
    FROM scores
    JOIN merged_conditions AS condition ON condition.old = condition_id
    LEFT JOIN merged_prompts AS prompt ON prompt.old = prompt_id
    LEFT JOIN merged_conditions AS reference ON reference.old = reference_id
    WHERE session_id = ?1 ORDER BY scores.id
    """,
    """
    INSERT INTO notes (session_id, created, text)
    SELECT ?2, created, text FROM notes WHERE session_id = ?1 ORDER BY id
    """,
    "INSERT OR IGNORE INTO session_tags SELECT ?2, tag FROM session_tags WHERE session_id = ?1",
)
_MAPS = ("merged_prompts", "merged_conditions", "merged_cells", "merged_hints", "merged_samples")


class MergingMixin(SessionsMixin):
    """Sessions that are merged into one."""

    def merge_sessions(self, session_ids: Sequence[int], name: str) -> int:
        """A new session with all that is in some others, which stay as they are; its id.

        Prompts of one text are one prompt, conditions of one hash are one condition. Where a name stands for two
        things, the one of the later session is called NAME@ID, after the number of its session. Where two samples have
        the same place, the one of the earlier session stays, unless only the other one is done. The reference is that
        of the first session that has one. InputError for less than two sessions, or one that is not there.
        """
        if len(set(session_ids)) < 2 or len(set(session_ids)) < len(session_ids):
            raise InputError("Merging takes two or more different sessions.")
        with self._write():
            sources = [self.session(session_id) for session_id in session_ids]
            manifest = {
                "merged": [
                    {"session": each.id, "name": each.name, "manifest": self.manifest(each.id)} for each in sources
                ]
            }
            merged = self.create_session(name, manifest=manifest)
            reference: str | None = None
            for source in sources:
                names = self._merge(source.id, merged)
                if reference is None and source.reference is not None:
                    reference = names.get(source.reference, source.reference)
            self.set_reference(merged, reference)
        return merged

    def _merge(self, source: int, merged: int) -> dict[str, str]:
        """Take one session into another; what its conditions are called there."""
        for table in _MAPS:
            self._execute(f"CREATE TEMP TABLE {table} (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
        self._merge_named("prompts", "text_hash", source, merged)
        names = self._merge_named("conditions", "hash", source, merged)
        self._execute(
            """
            INSERT INTO cells (session_id, prompt_id, condition_id, n, rendered_hash, prompt_ids)
            SELECT ?2, merged_prompts.new, merged_conditions.new, n, rendered_hash, prompt_ids FROM cells
            JOIN merged_prompts ON merged_prompts.old = prompt_id
            JOIN merged_conditions ON merged_conditions.old = condition_id
            WHERE session_id = ?1 ORDER BY cells.id
            ON CONFLICT (prompt_id, condition_id) DO UPDATE SET n = max(n, excluded.n),
                rendered_hash = coalesce(rendered_hash, excluded.rendered_hash),
                prompt_ids = coalesce(prompt_ids, excluded.prompt_ids)
            """,
            source,
            merged,
        )
        self._execute(
            """
            INSERT INTO merged_cells SELECT theirs.id, ours.id FROM cells AS theirs
            JOIN merged_prompts ON merged_prompts.old = theirs.prompt_id
            JOIN merged_conditions ON merged_conditions.old = theirs.condition_id
            JOIN cells AS ours ON ours.prompt_id = merged_prompts.new AND ours.condition_id = merged_conditions.new
            WHERE theirs.session_id = ?
            """,
            source,
        )
        before_hints, after = _COPIES[:3], _COPIES[3:]
        for statement in before_hints:
            self._execute(statement)
        self._merge_hints(source, merged)
        for statement in after:
            self._execute(statement, *((source, merged) if "?1" in statement else ()))
        for table in _MAPS:
            self._execute(f"DROP TABLE {table}")
        return names

    def _merge_named(self, table: str, key: str, source: int, merged: int) -> dict[str, str]:
        """Take prompts or conditions over; the names they have there, by the names they had."""
        names: dict[str, str] = {}
        for row in self._rows(f"SELECT * FROM {table} WHERE session_id = ? ORDER BY position", source):
            old = row.pop("id")
            there = self._row(f"SELECT id, name FROM {table} WHERE session_id = ? AND {key} = ?", merged, row[key])
            name = decode_text(row["name"])
            if there is None:
                called = self._free_name(table, merged, name, source)
                new = self._insert_row(table, {**row, "session_id": merged, "name": encode_text(called)})
            else:
                new, called = there["id"], decode_text(there["name"])
            names[name] = called
            self._execute(f"INSERT INTO merged_{table} VALUES (?, ?)", old, new)
        return names

    def _free_name(self, table: str, session: int, name: str, source: int) -> str:
        called, taken = name, f"SELECT 1 FROM {table} WHERE session_id = ? AND name = ?"
        while self._row(taken, session, encode_text(called)):
            called = f"{called}@{source}"
        return called

    def _merge_hints(self, source: int, merged: int) -> None:
        for row in self._rows("SELECT * FROM hints WHERE session_id = ? ORDER BY id", source):
            old = row.pop("id")
            made_of = self._row("SELECT new FROM merged_samples WHERE old = ?", row["source_id"])
            row |= {"session_id": merged, "source_id": made_of["new"] if made_of else None}
            self._execute("INSERT INTO merged_hints VALUES (?, ?)", old, self._insert_row("hints", row))

    def _insert_row(self, table: str, row: dict[str, Any]) -> int:
        if "position" in row:
            last = self._row(f"SELECT max(position) AS last FROM {table} WHERE session_id = ?", row["session_id"])
            row = {**row, "position": 0 if last is None or last["last"] is None else last["last"] + 1}
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        return self._insert(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values())
