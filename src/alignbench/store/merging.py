"""Several sessions made into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from alignbench.errors import InputError
from alignbench.spec import IMPORTED, made_id
from alignbench.store.cells import CellsMixin
from alignbench.store.encoding import encode_text, label
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
        error, created, text_hash, text, raw_text, probability, thinking, n_thinking_tokens, refused, note, words)
    SELECT merged_cells.new, sample, seed, status, finish_reason, n_prompt_tokens, n_tokens, seconds, logprob, error,
        created, text_hash, text, raw_text, probability, thinking, n_thinking_tokens, refused, note, words
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
    FROM selections JOIN merged_cells ON old = cell_id WHERE set_hash IN (SELECT hash FROM example_sets)
    """,
    """
    INSERT OR IGNORE INTO option_masses (cell_id, way, model, reading, created)
    SELECT new, way, model, reading, created FROM option_masses JOIN merged_cells ON old = cell_id
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
# Of finished samples in a place that is taken, those of the same text, and those of another one.
_TAKEN = """
    SELECT count(CASE WHEN ours.text_hash = theirs.text_hash THEN 1 END),
        count(CASE WHEN ours.text_hash <> theirs.text_hash THEN 1 END)
    FROM merged_cells
    JOIN samples AS theirs ON theirs.cell_id = merged_cells.old
    JOIN samples AS ours ON ours.cell_id = merged_cells.new AND ours.sample = theirs.sample
    WHERE theirs.status = 'done' AND ours.status = 'done'
"""
_SHOWN = 3  # names in a sentence
_MAPS = ("merged_prompts", "merged_conditions", "merged_cells", "merged_hints", "merged_samples")


@dataclass(frozen=True, slots=True)
class Source:
    """A session that a merged one was made of, and what is not there as it was here.

    Attributes:
        session: its number
        same: finished samples that were left out since their place was taken by one of the same text
        other: by one of another text
        prompts, conditions: those that have another name there, and which
    """

    session: int
    same: int
    other: int
    prompts: Mapping[str, str]
    conditions: Mapping[str, str]

    @property
    def words(self) -> str:
        """In words; empty where all is as it was, but for names that say so themselves, NAME@ID."""
        parts = []
        if self.same or self.other:
            texts = f"{self.same} with the text that is there, {self.other} with another text"
            parts.append(f"{self.same + self.other} samples had a place that was taken: {texts}")
        for what, renamed in (("prompt", self.prompts), ("condition", self.conditions)):
            joined = [f"{old} is {new}" for old, new in renamed.items() if not new.startswith(f"{old}@{self.session}")]
            if joined:
                more = f" and {len(joined) - _SHOWN} more" if len(joined) > _SHOWN else ""
                parts.append(f"{what}{'s' * (len(joined) > 1)} joined: {', '.join(joined[:_SHOWN])}{more}")
        return f"Of session {self.session}, {'; '.join(parts)}." if parts else ""


class MergingMixin(CellsMixin, SessionsMixin):
    """Sessions that are merged into one."""

    def merge_sessions(self, session_ids: Sequence[int], name: str) -> int:
        """A new session with all that is in some others, which stay as they are; its id.

        Prompts of one id and text are one prompt, and one without an id of its own is the first of its text.
        Conditions of one hash are one condition, but for imported ones, of which only the name is known: where they
        have different texts in one place, they are two. Where a name stands for two things, the one of the later
        session is called NAME@ID, after the number of its session. Where two samples have the same place, the one of
        the earlier session stays, unless only the other one is done; `sources_of` says what is left out. The
        reference is that of the first session that has one. InputError for less than two sessions, or one that is
        not there.
        """
        if len(set(session_ids)) < 2 or len(set(session_ids)) < len(session_ids):
            raise InputError("Merging takes two or more different sessions.")
        with self._write():
            sources = [self.session(session_id) for session_id in session_ids]
            merged = self.create_session(name)
            reference: str | None = None
            told = []
            for source in sources:
                taken = self._merge(source.id, merged)
                if reference is None and source.reference is not None:
                    reference = taken.conditions.get(source.reference, source.reference)
                told.append({**asdict(taken), "name": source.name, "manifest": self.manifest(source.id)})
            self.set_manifest(merged, {"merged": told})
            self.set_reference(merged, reference)
        return merged

    def sources_of(self, session_id: int) -> list[Source]:
        """The sessions that one was merged of; none of a session that was not."""
        names = [field.name for field in fields(Source)]
        merged = self.manifest(session_id).get("merged", ())
        return [Source(**{name: each[name] for name in names}) for each in merged if names[-1] in each]

    def _merge(self, source: int, merged: int) -> Source:
        """Take one session into another."""
        for table in _MAPS:
            self._execute(f"CREATE TEMP TABLE {table} (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
        prompts, conditions = self._merge_prompts(source, merged), self._merge_conditions(source, merged)
        self._execute(
            """
            INSERT INTO cells (session_id, prompt_id, condition_id, n, rendered_hash, prompt_ids)
            SELECT ?2, merged_prompts.new, merged_conditions.new, n,
                (SELECT hash FROM texts WHERE hash = rendered_hash), prompt_ids FROM cells
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
        ((same, other),) = self._tuples(_TAKEN)
        before_hints, after = _COPIES[:3], _COPIES[3:]
        for statement in before_hints:
            self._execute(statement)
        self._merge_hints(source, merged)
        for statement in after:
            self._execute(statement, *((source, merged) if "?1" in statement else ()))
        for table in _MAPS:
            self._execute(f"DROP TABLE {table}")
        return Source(source, same, other, prompts, conditions)

    def _merge_prompts(self, source: int, merged: int) -> dict[str, str]:
        """Take prompts over, each to one of its own: two that share a text there do so here. Those that have another
        id there, and which."""
        query = """
            SELECT * FROM prompts WHERE session_id = ? AND text_hash IN (SELECT hash FROM texts) ORDER BY position
        """  # one whose text is gone stays where it is
        theirs, ours = self._rows(query, source), self._rows(query, merged)
        there = {(row["name"], row["text_hash"]): row["id"] for row in ours}
        places = {row["id"]: there[key] for row in theirs if (key := (row["name"], row["text_hash"])) in there}
        free: dict[str, list[dict[str, Any]]] = {}
        taken = {*places.values()}
        for row in ours:
            if row["id"] not in taken:
                free.setdefault(row["text_hash"], []).append(row)
        for row in theirs:
            old = row.pop("id")
            if old not in places:
                others = free.get(row["text_hash"], [])
                other = next((each for each in others if not (_is_named(each) and _is_named(row))), None)
                if other is None:
                    called = encode_text(self._free_name("prompts", merged, label(row["name"]), source))
                    places[old] = self._insert_row("prompts", {**row, "session_id": merged, "name": called})
                else:
                    others.remove(other)
                    places[old] = other["id"]
                    if _is_named(row) and self._is_free("prompts", merged, row["name"]):
                        rename = "UPDATE prompts SET name = ?, set_name = ? WHERE id = ?"
                        self._execute(rename, row["name"], row["set_name"], other["id"])
            self._execute("INSERT INTO merged_prompts VALUES (?, ?)", old, places[old])
        renamed = self._tuples(
            """
            SELECT theirs.name, ours.name FROM merged_prompts
            JOIN prompts AS theirs ON theirs.id = old JOIN prompts AS ours ON ours.id = new
            WHERE theirs.name <> ours.name ORDER BY theirs.position
            """
        )
        return {label(old): label(new) for old, new in renamed}

    def _merge_conditions(self, source: int, merged: int) -> dict[str, str]:
        """Take conditions over; those that have another name there, and which."""
        names: dict[str, str] = {}
        conditions = {condition.name: condition for condition in self.conditions(source)}
        for row in self._rows("SELECT * FROM conditions WHERE session_id = ? ORDER BY position", source):
            old, name = row.pop("id"), label(row["name"])
            condition = conditions.get(name)  # one that cannot be read comes along as it is
            query = "SELECT id, name, model_id FROM conditions WHERE session_id = ? AND hash = ?"
            there = self._row(query, merged, row["hash"])
            is_other = (
                there is not None
                and condition is not None
                and condition.model.is_imported
                and self._disagree(row, old, there)
            )
            if there is not None and not is_other:
                new, called = there["id"], label(there["name"])
            elif condition is None and not self._row("SELECT 1 FROM models WHERE id = ?", row["model_id"]):
                continue
            else:
                called = self._free_name("conditions", merged, name, source)
                if condition is None or there is None:
                    new = self._insert_row("conditions", {**row, "session_id": merged, "name": encode_text(called)})
                else:
                    model = replace(condition.model, reference=IMPORTED + called)
                    new = self._condition_row(merged, replace(condition, name=called, model=model))
            names[name] = called
            self._execute("INSERT INTO merged_conditions VALUES (?, ?)", old, new)
        return {old: new for old, new in names.items() if old != new}

    def _disagree(self, theirs: dict[str, Any], old: int, ours: dict[str, Any]) -> bool:
        """Whether two conditions are of different models, or have different texts in one place."""
        return theirs["model_id"] != ours["model_id"] or bool(
            self._row(
                """
                SELECT 1 FROM cells AS old_cells
                JOIN merged_prompts ON merged_prompts.old = old_cells.prompt_id
                JOIN cells AS new_cells ON new_cells.prompt_id = merged_prompts.new AND new_cells.condition_id = ?2
                JOIN samples AS theirs ON theirs.cell_id = old_cells.id
                JOIN samples AS ours ON ours.cell_id = new_cells.id AND ours.sample = theirs.sample
                WHERE old_cells.condition_id = ?1 AND theirs.status = 'done' AND ours.status = 'done'
                    AND ours.text_hash <> theirs.text_hash LIMIT 1
                """,
                old,
                ours["id"],
            )
        )

    def _is_free(self, table: str, session: int, name: str | bytes) -> bool:
        return self._row(f"SELECT 1 FROM {table} WHERE session_id = ? AND name = ?", session, name) is None

    def _free_name(self, table: str, session: int, name: str, source: int) -> str:
        called = name
        while not self._is_free(table, session, encode_text(called)):
            called = f"{called}@{source}"
        return called

    def _merge_hints(self, source: int, merged: int) -> None:
        for row in self._rows("SELECT * FROM hints WHERE session_id = ? ORDER BY id", source):
            old = row.pop("id")
            made_of = self._row("SELECT new FROM merged_samples WHERE old = ?", row["source_id"])
            prompt = self._row("SELECT new FROM merged_prompts WHERE old = ?", row["prompt_id"])
            row |= {
                "session_id": merged,
                "source_id": made_of["new"] if made_of else None,
                "prompt_id": prompt["new"] if prompt else None,
            }
            self._execute("INSERT INTO merged_hints VALUES (?, ?)", old, self._insert_row("hints", row))

    def _insert_row(self, table: str, row: dict[str, Any]) -> int:
        if "position" in row:
            last = self._row(f"SELECT max(position) AS last FROM {table} WHERE session_id = ?", row["session_id"])
            row = {**row, "position": 0 if last is None or last["last"] is None else last["last"] + 1}
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        return self._insert(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values())


def _is_named(row: dict[str, Any]) -> bool:
    """Whether a prompt has an id that was given to it; see `Prompt`."""
    return bool(label(row["name"]) != made_id(row["text_hash"], label(row["set_name"])))
