"""Tables and triggers for what is asked of whole sessions: their tags, their counts, and a search over all samples."""

from __future__ import annotations

from alignbench.store.sqlite import Database


def session_tables(db: Database) -> None:
    """Triggers keep the counts and the index, whoever writes: both are part of the commit of the sample itself.

    The index holds no text of its own. It refers to `samples`, so that a text is stored once.
    """
    for statement in (
        """
        CREATE TABLE session_tags (
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            tag TEXT NOT NULL,
            PRIMARY KEY (session_id, tag)
        ) WITHOUT ROWID
        """,
        "ALTER TABLE sessions ADD COLUMN n_samples INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sessions ADD COLUMN n_errors INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE sessions SET
            n_samples = (SELECT count(*) FROM samples JOIN cells ON cells.id = samples.cell_id
                WHERE cells.session_id = sessions.id AND samples.status = 'done'),
            n_errors = (SELECT count(*) FROM samples JOIN cells ON cells.id = samples.cell_id
                WHERE cells.session_id = sessions.id AND samples.status = 'error')
        """,
        _counting("samples_count_insert", "INSERT", new=1),
        _counting("samples_count_update", "UPDATE OF status, cell_id", new=1, old=-1),
        _counting("samples_count_delete", "DELETE", old=-1),
        # A cascade deletes the cell first, and then nobody knows which session its samples were of.
        """
        CREATE TRIGGER cells_samples_first BEFORE DELETE ON cells BEGIN
            DELETE FROM samples WHERE cell_id = old.id;
        END
        """,
        """
        CREATE VIRTUAL TABLE samples_fts USING fts5(
            text, content='samples', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
        )
        """,
        "INSERT INTO samples_fts(samples_fts) VALUES ('rebuild')",
        """
        CREATE TRIGGER samples_fts_insert AFTER INSERT ON samples BEGIN
            INSERT INTO samples_fts(rowid, text) VALUES (new.id, new.text);
        END
        """,
        """
        CREATE TRIGGER samples_fts_update AFTER UPDATE OF text ON samples BEGIN
            INSERT INTO samples_fts(samples_fts, rowid, text) VALUES ('delete', old.id, old.text);
            INSERT INTO samples_fts(rowid, text) VALUES (new.id, new.text);
        END
        """,
        """
        CREATE TRIGGER samples_fts_delete AFTER DELETE ON samples BEGIN
            INSERT INTO samples_fts(samples_fts, rowid, text) VALUES ('delete', old.id, old.text);
        END
        """,
    ):
        db.execute(statement)


def _counting(name: str, event: str, **rows: int) -> str:
    """A trigger that adds the samples of a row (new or old, with a sign) to the counts of their session."""
    updates = "".join(
        f"""
            UPDATE sessions SET n_samples = n_samples + ({sign}) * ({row}.status = 'done'),
                n_errors = n_errors + ({sign}) * ({row}.status = 'error')
            WHERE id = (SELECT session_id FROM cells WHERE id = {row}.cell_id);
        """
        for row, sign in rows.items()
    )
    return f"CREATE TRIGGER {name} AFTER {event} ON samples BEGIN {updates} END"
