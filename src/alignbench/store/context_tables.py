"""Tables of what surrounds a prompt: example sets, what was selected from them for a cell, and hints."""

from __future__ import annotations

from alignbench.store.sqlite import Database


def context_tables(db: Database) -> None:
    """example_sets and examples belong to the file, the rest to a session.

    `selections.place` is where an example stands in its prompt, from 0; it is NULL where one was passed over, and
    `left_out` says why. A hint made from a sample keeps the hash of its text, so that it outlives the sample.
    """
    for statement in (
        """
        CREATE TABLE example_sets (
            hash TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            origin TEXT NOT NULL,
            created TEXT NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX example_sets_name ON example_sets(name) WHERE name <> ''",
        """
        CREATE TABLE examples (
            set_hash TEXT NOT NULL REFERENCES example_sets(hash) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            prompt TEXT NOT NULL,
            response TEXT NOT NULL,
            hint TEXT NOT NULL,
            PRIMARY KEY (set_hash, position)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE selections (
            cell_id INTEGER NOT NULL REFERENCES cells(id) ON DELETE CASCADE,
            set_hash TEXT NOT NULL REFERENCES example_sets(hash),
            position INTEGER NOT NULL,
            rank INTEGER NOT NULL,
            similarity REAL,
            place INTEGER,
            left_out TEXT CHECK (left_out IN ('near duplicate', 'window')),
            PRIMARY KEY (cell_id, position)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX selections_set ON selections(set_hash)",
        """
        CREATE TABLE hints (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            prompt_hash TEXT NOT NULL,
            level TEXT NOT NULL,
            text TEXT NOT NULL,
            maker TEXT NOT NULL,
            template TEXT NOT NULL,
            source_id INTEGER REFERENCES samples(id) ON DELETE SET NULL,
            source_hash TEXT NOT NULL,
            n_tokens INTEGER,
            give_away REAL,
            longest_quote INTEGER,
            created TEXT NOT NULL
        )
        """,
        "CREATE INDEX hints_session ON hints(session_id, prompt_hash)",
        "CREATE INDEX hints_source ON hints(source_id)",
        """
        CREATE TABLE cell_hints (
            cell_id INTEGER PRIMARY KEY REFERENCES cells(id) ON DELETE CASCADE,
            hint_id INTEGER NOT NULL REFERENCES hints(id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX cell_hints_hint ON cell_hints(hint_id)",
        """
        CREATE TABLE sample_hints (
            sample_id INTEGER PRIMARY KEY REFERENCES samples(id) ON DELETE CASCADE,
            hint_id INTEGER NOT NULL REFERENCES hints(id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX sample_hints_hint ON sample_hints(hint_id)",
        """
        CREATE TABLE cell_prefills (
            cell_id INTEGER PRIMARY KEY REFERENCES cells(id) ON DELETE CASCADE,
            text TEXT NOT NULL
        )
        """,
    ):
        db.execute(statement)
