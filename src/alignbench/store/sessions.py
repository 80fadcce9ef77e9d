"""Sessions, their notes and their tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from alignbench import bounds
from alignbench.errors import InputError, did_you_mean
from alignbench.store.encoding import decode_json, decode_text, encode_json, encode_text, label, now
from alignbench.store.named import NamedMixin
from alignbench.store.rows import LastSession, Note, SessionInfo
from alignbench.store.session_names import session_name

_SESSION = """
    SELECT id, name, created, updated, reference, n_samples, n_errors,
        (SELECT count(*) FROM prompts WHERE session_id = sessions.id) AS n_prompts,
        (SELECT count(*) FROM conditions WHERE session_id = sessions.id) AS n_conditions
    FROM sessions
"""


_TABLES_OF_MANIFEST = frozenset({"experiment", "imported", "ledger", "loaded", "rubrics"})


class SessionsMixin(NamedMixin):
    """Sessions, their manifests, notes and tags."""

    def create_session(
        self, name: str | None = None, *, reference: str | None = None, manifest: Mapping[str, object] | None = None
    ) -> int:
        """Begin a session; its id.

        Args:
            name: None for one by its date, prompts and models; see `naming`.
            reference: Name of the condition that the others are compared with.
            manifest: The resolved configuration and what it ran on.
        """
        created = now()
        name = session_name(created, (), "", ()) if name is None else name
        with self._write():
            return self._insert(
                "INSERT INTO sessions (name, created, updated, reference, manifest) VALUES (?, ?, ?, ?, ?)",
                encode_text(name),
                created,
                created,
                None if reference is None else encode_text(reference),
                None if manifest is None else encode_json(manifest),
            )

    def sessions(self) -> list[SessionInfo]:
        """All sessions, newest first."""
        return [self._session_info(row) for row in self._rows(f"{_SESSION} ORDER BY id DESC")]

    def last_session(self) -> LastSession | None:
        """The session that was changed last; None where there is none."""
        query = f"SELECT *, count(*) OVER () AS n FROM ({_SESSION}) ORDER BY updated DESC, id DESC LIMIT 1"
        row = self._row(query)
        return LastSession(self._session_info(row), row["n"] - 1) if row is not None else None

    def session(self, session_id: int) -> SessionInfo:
        """One session. InputError when there is none; it names those that exist."""
        row = self._row(f"{_SESSION} WHERE id = ?", session_id) if bounds.SESSION.has(session_id) else None
        if row is None:
            raise self._no_session(session_id)
        info = self._session_info(row)
        return replace(info, reference=None) if info.reference in self._unreadable_conditions(session_id) else info

    def rename_session(self, session_id: int, name: str) -> None:
        """Give a session another name. InputError for an empty one."""
        if not name.strip():
            raise InputError("The name is empty; a session needs one.")
        with self._write():
            self._touch(session_id, name=encode_text(name))

    @contextmanager
    def naming(self, session_id: int) -> Iterator[None]:
        """Have a session that nobody named be called after what is in it when the block ends."""
        named = self.session(session_id).name != self._own_name(session_id)
        yield
        if not named and self.session(session_id).name != (name := self._own_name(session_id)):
            self.rename_session(session_id, name)

    def set_reference(self, session_id: int, condition_name: str | None) -> None:
        """Say which condition the others are compared with; it need not have samples yet."""
        with self._write():
            self._touch(session_id, reference=None if condition_name is None else encode_text(condition_name))

    def set_layout(self, session_id: int, layout: Mapping[str, object]) -> None:
        """Keep what the app shows (columns, n, prompt), as JSON of the app's own making."""
        with self._write():
            self._touch(session_id, layout=encode_json(layout))

    def layout(self, session_id: int) -> dict[str, Any]:
        """What `set_layout` was given last; empty if nothing was."""
        return self._json_column(session_id, "layout")

    def manifest(self, session_id: int) -> dict[str, Any]:
        """What `create_session` was given; empty if nothing was."""
        manifest = self._json_column(session_id, "manifest")
        for key in _TABLES_OF_MANIFEST & manifest.keys():
            if not isinstance(manifest[key], dict):
                self.leave_out(f"{key} in the manifest of session {session_id}", f"it is {manifest[key]!r}")
                del manifest[key]
        return manifest

    def set_manifest(self, session_id: int, manifest: Mapping[str, object]) -> None:
        """Put another manifest in the place of the one there is."""
        with self._write():
            self._touch(session_id, manifest=encode_json(manifest))

    def note_loaded(self, session_id: int, reference: str, facts: Mapping[str, str]) -> None:
        """Keep in the manifest what a model was that was loaded for a session."""
        with self._write():
            manifest = self.manifest(session_id)
            manifest["loaded"] = {**manifest.get("loaded", {}), reference: dict(facts)}
            self._touch(session_id, manifest=encode_json(manifest))

    def session_of_experiment(self, file: str) -> int | None:
        """The newest session whose manifest says that it belongs to this experiment file."""
        return self._newest_with("$.experiment.file", file)

    def session_of_ledger(self, key: str) -> int | None:
        """The newest session whose manifest says that it holds the samples of this ledger."""
        return self._newest_with("$.ledger.key", key)

    def session_of_survey(self, source: str) -> int | None:
        """The newest session whose manifest says that it holds the replies to the questions of this file or set."""
        return self._newest_with("$.survey.source", source)

    def session_of_import(self, file_hash: str) -> int | None:
        """The newest session whose manifest says that it was imported from files of this hash."""
        return self._newest_with("$.imported.sha256", file_hash)

    def _newest_with(self, path: str, value: str) -> int | None:
        wanted = value.encode(
            "utf-8", "surrogatepass"
        )  # a path may hold bytes that are no UTF-8, and no text of SQL then
        newest = f"SELECT max(id) AS id FROM sessions WHERE CAST({_extracted('manifest', '?')} AS BLOB) = ?"
        row = self._row(newest, path, wanted)
        return None if row is None else row["id"]

    def delete_session(self, session_id: int) -> None:
        """Delete a session with all that belongs to it, and what only it used: texts, embeddings,
        likelihoods, models."""
        with self._write():
            texts, samples = self._hashes_used(session_id)
            sets = self._example_sets_used(session_id)
            if not self._execute("DELETE FROM sessions WHERE id = ?", session_id):
                raise self._no_session(session_id)
            self.db.conn.executemany(
                """
                DELETE FROM texts WHERE hash = :hash
                    AND NOT EXISTS (SELECT 1 FROM prompts WHERE text_hash = :hash)
                    AND NOT EXISTS (SELECT 1 FROM cells WHERE rendered_hash = :hash)
                """,
                ({"hash": text_hash} for text_hash in texts),
            )
            for table in ("embeddings", "likelihoods"):
                self.db.conn.executemany(
                    f"""
                    DELETE FROM {table} WHERE text_hash = :hash
                        AND NOT EXISTS (SELECT 1 FROM samples WHERE text_hash = :hash)
                        AND NOT EXISTS (SELECT 1 FROM texts WHERE hash = :hash)
                    """,
                    ({"hash": text_hash} for text_hash in texts | samples),
                )
            self.db.conn.executemany(
                """
                DELETE FROM example_sets WHERE hash = :hash AND name = ''
                    AND NOT EXISTS (SELECT 1 FROM selections WHERE set_hash = :hash)
                    AND NOT EXISTS (SELECT 1 FROM conditions WHERE instr(context, :hash))
                    AND NOT EXISTS (SELECT 1 FROM sessions WHERE instr(layout, :hash))
                """,
                ({"hash": set_hash} for set_hash in sets),
            )
            self._execute("DELETE FROM models WHERE id NOT IN (SELECT model_id FROM conditions)")

    def drop_session_if_empty(self, session_id: int) -> None:
        """Delete a session that nothing was ever stored in: no sample, not even a failed one, no log-probs of options,
        and no note."""
        empty = """
            SELECT 1 FROM sessions WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM notes WHERE session_id = ?1)
                AND NOT EXISTS (SELECT 1 FROM cells JOIN samples ON cell_id = cells.id WHERE session_id = ?1)
                AND NOT EXISTS (SELECT 1 FROM cells JOIN option_masses ON cell_id = cells.id WHERE session_id = ?1)
        """
        with self._write():
            if self._row(empty, session_id):
                self.delete_session(session_id)

    def add_note(self, session_id: int, text: str) -> Note:
        """Add a remark to a session. InputError for an empty one."""
        if not text.strip():
            raise InputError("The note is empty; write what is to be remembered.")
        created = now()
        with self._write():
            self._touch(session_id)
            note_id = self._insert(
                "INSERT INTO notes (session_id, created, text) VALUES (?, ?, ?)",
                session_id,
                created,
                encode_text(text),
            )
        return Note(note_id, session_id, created, text)

    def notes(self, session_id: int) -> list[Note]:
        """The notes of a session, oldest first."""
        rows = self._rows("SELECT * FROM notes WHERE session_id = ? ORDER BY id", session_id)
        return [Note(row["id"], session_id, label(row["created"]), label(row["text"])) for row in rows]

    def tag_session(self, session_id: int, tag: str) -> None:
        """Put a tag on a session; one that it has already stays. InputError for an empty one."""
        if not tag.strip():
            raise InputError("The tag is empty; expected a word or a few.")
        with self._write():
            self._touch(session_id)
            insert = "INSERT INTO session_tags (session_id, tag) VALUES (?, ?) ON CONFLICT DO NOTHING"
            self._execute(insert, session_id, encode_text(tag.strip()))

    def untag_session(self, session_id: int, tag: str) -> None:
        """Take a tag off a session. InputError where it has no such tag."""
        with self._write():
            self._touch(session_id)
            delete = "DELETE FROM session_tags WHERE session_id = ? AND tag = ?"
            if not self._execute(delete, session_id, encode_text(tag.strip())):
                near = did_you_mean(tag, self._tags(session_id))
                raise InputError(f"Session {session_id} has no tag {tag!r}. {near}".rstrip())

    def _own_name(self, session_id: int) -> str:
        """What the session is called if nobody named it."""
        info = self.session(session_id)
        sets = self._rows(
            "SELECT set_name FROM prompts WHERE session_id = ? GROUP BY set_name ORDER BY min(position)", session_id
        )
        typed = """
            SELECT text FROM prompts JOIN texts ON texts.hash = text_hash
            WHERE session_id = ? AND set_name = '' ORDER BY position LIMIT 1
        """
        first = self._row(typed, session_id)
        names = [label(row["set_name"]) for row in sets]
        return session_name(info.created, [*filter(None, names)], label(first["text"]) if first else "", info.models)

    def _tags(self, session_id: int) -> tuple[str, ...]:
        rows = self._rows("SELECT tag FROM session_tags WHERE session_id = ? ORDER BY tag", session_id)
        return tuple(label(row["tag"]) for row in rows)

    def _hashes_used(self, session_id: int) -> tuple[set[str], set[str]]:
        """Hashes of the shared texts, and of the sample texts, that a session uses."""
        texts = self._rows(
            """
            SELECT text_hash AS hash FROM prompts WHERE session_id = ?1
            UNION SELECT rendered_hash FROM cells WHERE session_id = ?1 AND rendered_hash IS NOT NULL
            """,
            session_id,
        )
        samples = self._rows(
            """
            SELECT DISTINCT text_hash AS hash FROM samples JOIN cells ON cells.id = samples.cell_id
            WHERE cells.session_id = ?
            """,
            session_id,
        )
        return {row["hash"] for row in texts}, {row["hash"] for row in samples}

    def _example_sets_used(self, session_id: int) -> set[str]:
        rows = self._rows(
            f"""
            SELECT set_hash AS hash FROM selections JOIN cells ON cells.id = cell_id WHERE session_id = ?1
            UNION SELECT {_extracted("context", "'$.examples.pool'")} FROM conditions WHERE session_id = ?1
            """,
            session_id,
        )
        return {row["hash"] for row in rows if row["hash"]}

    def _json_column(self, session_id: int, column: str) -> dict[str, Any]:
        row = self._row(f"SELECT {column} FROM sessions WHERE id = ?", session_id)
        if row is None:
            raise self._no_session(session_id)
        whose = f"the {column} of session {session_id}"
        return next(self._readable([row], lambda row: decode_json(row[column]), lambda _: whose), {})

    def _session_info(self, row: dict[str, Any]) -> SessionInfo:
        models = self._rows(
            """
            SELECT models.name FROM conditions JOIN models ON models.id = conditions.model_id
            WHERE conditions.session_id = ? GROUP BY models.name ORDER BY min(conditions.position)
            """,
            row["id"],
        )
        return SessionInfo(
            id=row["id"],
            name=label(row["name"]),
            created=label(row["created"]),
            updated=label(row["updated"]),
            reference=next(
                self._readable([row["reference"]], decode_text, lambda _: f"the reference of session {row['id']}"), None
            )
            if row["reference"] is not None
            else None,
            n_prompts=row["n_prompts"],
            n_conditions=row["n_conditions"],
            n_samples=row["n_samples"] if isinstance(row["n_samples"], int) else 0,
            n_errors=row["n_errors"] if isinstance(row["n_errors"], int) else 0,
            models=tuple(label(model["name"]) for model in models),
            tags=self._tags(row["id"]),
        )


def _extracted(column: str, path: str) -> str:
    """SQL for a value in a JSON column; NULL where it holds no JSON, which else would end the whole query."""
    return f"CASE WHEN json_valid({column}) THEN json_extract({column}, {path}) END"
