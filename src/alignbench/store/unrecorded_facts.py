"""A migration: what the file of an import did not tell is NULL in the database, in sessions of older versions too.

Those had the defaults of this program for it: temperature 0.7, seed 0, and `stop` for how a response ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alignbench.spec import IMPORTED, content_hash
from alignbench.store.encoding import decode_json, decode_text, encode_json, encode_text
from alignbench.store.sqlite import Database

_NULLABLE = (
    ("conditions", "seed INTEGER NOT NULL", "seed INTEGER"),
    ("conditions", "mode TEXT NOT NULL CHECK", "mode TEXT CHECK"),
    ("samples", "seed INTEGER NOT NULL", "seed INTEGER"),
    ("samples", "finish_reason TEXT NOT NULL CHECK", "finish_reason TEXT CHECK"),
)


def unrecorded_facts(db: Database) -> None:
    """Let settings and finish reasons be NULL, and forget those that nobody recorded."""
    _drop_not_null(db)
    for session in list(db.query("SELECT id, manifest FROM sessions WHERE json_valid(manifest)")):
        for imported in _imports(decode_json(session["manifest"])):
            for name, facts in imported.get("conditions", {}).items():
                _forget(db, session["id"], name, facts)


def _drop_not_null(db: Database) -> None:
    """A constraint that is taken away changes no row: the text of the table is all there is to change
    (sqlite.org/lang_altertable.html, "making other kinds of table schema changes")."""
    version = db.execute("PRAGMA schema_version").fetchone()[0]
    db.execute("PRAGMA writable_schema = ON")
    for table, before, after in _NULLABLE:
        change = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?"
        db.execute(change, [before, after, table])
    db.execute(f"PRAGMA schema_version = {version + 1}")
    db.execute("PRAGMA writable_schema = OFF")


def _imports(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What imports told of a session, or of those that it was merged of."""
    if "imported" in manifest:
        yield manifest["imported"]
    for merged in manifest.get("merged", ()):
        yield from _imports(merged.get("manifest") or {})


def _forget(db: Database, session: int, name: str, facts: Mapping[str, Any]) -> None:
    """name: what the condition was called when it was imported, and its model still is."""
    query = """
        SELECT conditions.* FROM conditions JOIN models ON models.id = model_id
        WHERE session_id = ? AND models.reference = ? AND json_valid(sampling)
    """
    for row in list(db.query(query, [session, encode_text(IMPORTED + name)])):
        if "settings" in facts:
            _forget_settings(db, row, IMPORTED + name)
        if "finish_reasons" in facts:
            forget = """
                UPDATE samples SET finish_reason = NULL WHERE status = 'done' AND finish_reason = 'stop'
                    AND cell_id IN (SELECT id FROM cells WHERE condition_id = ?)
            """
            db.execute(forget, [row["id"]])


def _forget_settings(db: Database, row: Mapping[str, Any], reference: str) -> None:
    greedy = decode_text(row["name"]).endswith("@temp0")  # which the release's own folder says
    sampling = {name: 0.0 if name == "temperature" and greedy else None for name in decode_json(row["sampling"])}
    known = {"model": reference, "context": row["context_hash"], "sampling": sampling, "seed": None, "mode": None}
    update = "UPDATE conditions SET sampling = ?, seed = NULL, mode = NULL, hash = ? WHERE id = ?"
    db.execute(update, [encode_json(sampling), content_hash(known), row["id"]])
    forget = "UPDATE samples SET seed = NULL WHERE cell_id IN (SELECT id FROM cells WHERE condition_id = ?)"
    db.execute(forget, [row["id"]])
