"""The tables, as a list of named migrations that is only ever appended to.

Columns that end in `_id` are foreign keys; JSON columns hold one object; times are ISO 8601 in UTC; `*_hash`
columns are SHA-256 in hex. The view `sample_details` is what a person wants to browse: every sample with the
names around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alignbench.store.context_tables import context_tables
from alignbench.store.encoding import now
from alignbench.store.search_words import words_column
from alignbench.store.session_tables import session_tables
from alignbench.store.sqlite import Database
from alignbench.store.unrecorded_facts import unrecorded_facts

# "alib" in the header marks a file as ours: a foreign one is recognised from its first 100 bytes, unopened.
APPLICATION_ID = 0x616C6962

Migration = Callable[[Database], None]


def _tables(db: Database) -> None:
    for statement in (
        """
        CREATE TABLE sessions (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            created TEXT NOT NULL,
            updated TEXT NOT NULL,
            reference TEXT,
            layout TEXT,
            manifest TEXT
        )
        """,
        """
        CREATE TABLE texts (
            hash TEXT PRIMARY KEY,
            text TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE prompts (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            set_name TEXT NOT NULL,
            text_hash TEXT NOT NULL REFERENCES texts(hash),
            position INTEGER NOT NULL,
            UNIQUE (session_id, text_hash)
        )
        """,
        "CREATE UNIQUE INDEX prompts_name ON prompts(session_id, name)",
        "CREATE INDEX prompts_text ON prompts(text_hash)",
        """
        CREATE TABLE models (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            reference TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('base', 'aligned')),
            file_hash TEXT,
            UNIQUE (reference, name, kind)
        )
        """,
        """
        CREATE TABLE conditions (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            model_id INTEGER NOT NULL REFERENCES models(id),
            context TEXT NOT NULL,
            context_hash TEXT NOT NULL,
            sampling TEXT NOT NULL,
            seed INTEGER NOT NULL,
            mode TEXT NOT NULL CHECK (mode IN ('strict', 'fast')),
            hash TEXT NOT NULL,
            position INTEGER NOT NULL,
            UNIQUE (session_id, name),
            UNIQUE (session_id, hash)
        )
        """,
        "CREATE INDEX conditions_model ON conditions(model_id)",
        """
        CREATE TABLE cells (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            prompt_id INTEGER NOT NULL REFERENCES prompts(id) ON DELETE CASCADE,
            condition_id INTEGER NOT NULL REFERENCES conditions(id) ON DELETE CASCADE,
            n INTEGER NOT NULL,
            rendered_hash TEXT REFERENCES texts(hash),
            prompt_ids BLOB,
            UNIQUE (prompt_id, condition_id)
        )
        """,
        "CREATE INDEX cells_session ON cells(session_id)",
        "CREATE INDEX cells_condition ON cells(condition_id)",
        "CREATE INDEX cells_rendered ON cells(rendered_hash)",
        """
        CREATE TABLE samples (
            id INTEGER PRIMARY KEY,
            cell_id INTEGER NOT NULL REFERENCES cells(id) ON DELETE CASCADE,
            sample INTEGER NOT NULL,
            seed INTEGER NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('done', 'cancelled', 'error')),
            finish_reason TEXT NOT NULL CHECK (finish_reason IN ('stop', 'length', 'cancelled', 'error')),
            n_prompt_tokens INTEGER,
            n_tokens INTEGER,
            seconds REAL,
            logprob REAL,
            error TEXT,
            created TEXT NOT NULL,
            text_hash TEXT NOT NULL,
            text TEXT NOT NULL,
            raw_text TEXT NOT NULL,
            UNIQUE (cell_id, sample)
        )
        """,
        "CREATE INDEX samples_text ON samples(text_hash)",
        """
        CREATE TABLE sample_tokens (
            sample_id INTEGER PRIMARY KEY REFERENCES samples(id) ON DELETE CASCADE,
            ids BLOB NOT NULL,
            logprob BLOB NOT NULL,
            entropy BLOB NOT NULL,
            sampling_logprob BLOB NOT NULL,
            sampling_entropy BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE embeddings (
            model TEXT NOT NULL,
            text_hash TEXT NOT NULL,
            dimensions INTEGER NOT NULL,
            windows INTEGER NOT NULL,
            mode TEXT NOT NULL,
            created TEXT NOT NULL,
            vector BLOB NOT NULL,
            PRIMARY KEY (model, text_hash)
        )
        """,
        "CREATE INDEX embeddings_text ON embeddings(text_hash)",
        """
        CREATE TABLE scores (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            prompt_id INTEGER REFERENCES prompts(id) ON DELETE CASCADE,
            condition_id INTEGER NOT NULL REFERENCES conditions(id) ON DELETE CASCADE,
            reference_id INTEGER REFERENCES conditions(id) ON DELETE CASCADE,
            metric TEXT NOT NULL,
            version TEXT NOT NULL,
            parameters TEXT NOT NULL,
            value REAL,
            n INTEGER NOT NULL,
            reason TEXT,
            created TEXT NOT NULL
        )
        """,
        "CREATE INDEX scores_session ON scores(session_id)",
        "CREATE INDEX scores_prompt ON scores(prompt_id)",
        "CREATE INDEX scores_condition ON scores(condition_id)",
        "CREATE INDEX scores_reference ON scores(reference_id)",
        """
        CREATE TABLE notes (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            created TEXT NOT NULL,
            text TEXT NOT NULL
        )
        """,
        "CREATE INDEX notes_session ON notes(session_id)",
        """
        CREATE VIEW sample_details AS
        SELECT samples.id, samples.cell_id, cells.session_id, prompts.name AS prompt_name,
            texts.text AS prompt, conditions.name AS condition, models.name AS model,
            samples.sample, samples.seed, samples.status, samples.text, samples.raw_text,
            samples.finish_reason, samples.n_prompt_tokens, samples.n_tokens, samples.seconds,
            samples.logprob, samples.error, samples.created
        FROM samples
        JOIN cells ON cells.id = samples.cell_id
        JOIN prompts ON prompts.id = cells.prompt_id
        JOIN texts ON texts.hash = prompts.text_hash
        JOIN conditions ON conditions.id = cells.condition_id
        JOIN models ON models.id = conditions.model_id
        """,
    ):
        db.execute(statement)


def _judgments(db: Database) -> None:
    # A pair is the judged sample and the reference's one that it is held against. `kind` is open: people judge too.
    for statement in (
        """
        CREATE TABLE judgments (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            judge TEXT NOT NULL,
            template_hash TEXT NOT NULL,
            sample_id INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
            reference_sample_id INTEGER REFERENCES samples(id) ON DELETE CASCADE,
            flipped INTEGER NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('valid', 'invalid', 'na')),
            reason TEXT NOT NULL,
            fields TEXT NOT NULL,
            reply TEXT NOT NULL,
            created TEXT NOT NULL
        )
        """,
        """
        CREATE UNIQUE INDEX judgments_item
        ON judgments(kind, judge, template_hash, sample_id, coalesce(reference_sample_id, 0))
        """,
        "CREATE INDEX judgments_session ON judgments(session_id, kind)",
        "CREATE INDEX judgments_sample ON judgments(sample_id)",
        "CREATE INDEX judgments_reference ON judgments(reference_sample_id)",
        """
        CREATE VIEW judgment_details AS
        SELECT judgments.*, judged.prompt_name, judged.condition, judged.sample,
            other.condition AS reference, other.sample AS reference_sample
        FROM judgments
        JOIN sample_details AS judged ON judged.id = judgments.sample_id
        LEFT JOIN sample_details AS other ON other.id = judgments.reference_sample_id
        """,
    ):
        db.execute(statement)


def _likelihoods(db: Database) -> None:
    for statement in (
        """
        CREATE TABLE likelihoods (
            model TEXT NOT NULL,
            prompt_hash TEXT NOT NULL,
            text_hash TEXT NOT NULL,
            created TEXT NOT NULL,
            ids BLOB NOT NULL,
            logprob BLOB NOT NULL,
            rank BLOB NOT NULL,
            PRIMARY KEY (model, prompt_hash, text_hash)
        )
        """,
        "CREATE INDEX likelihoods_text ON likelihoods(text_hash)",
    ):
        db.execute(statement)


def _weights(db: Database) -> None:
    # Of the weights that drew the samples of a condition: another session may have used other ones under the same name.
    db.execute("ALTER TABLE conditions ADD COLUMN file_hash TEXT")
    db.execute("UPDATE conditions SET file_hash = (SELECT file_hash FROM models WHERE models.id = model_id)")


def _probabilities(db: Database) -> None:
    # Of answers that a model gave with others in one reply.
    db.execute("ALTER TABLE samples ADD COLUMN probability REAL")
    view = next(db.query("SELECT sql FROM sqlite_master WHERE name = 'sample_details'"))["sql"]
    db.execute("DROP VIEW sample_details")
    db.execute(view.replace("samples.error, samples.created", "samples.error, samples.created, samples.probability"))


def _example_hints(db: Database) -> None:
    # Of examples that have none of their own: what was made of them for this cell.
    db.execute("ALTER TABLE selections ADD COLUMN hint TEXT NOT NULL DEFAULT ''")


def _ends(db: Database) -> None:
    # How likely a response is to end after its text: by an end token, or one of the closings, a JSON list of texts.
    db.execute("ALTER TABLE likelihoods ADD COLUMN closings TEXT")
    db.execute("ALTER TABLE likelihoods ADD COLUMN end_logprob REAL")


def _prompts_by_id(db: Database) -> None:
    # Two prompts of a session may have one text. SQLite cannot drop a UNIQUE: the table is made anew, with its rows.
    assert not db.execute("PRAGMA foreign_keys").fetchone()[0], "dropping the table would delete all cells"
    views = [(row["name"], row["sql"]) for row in db.query("SELECT name, sql FROM sqlite_master WHERE type = 'view'")]
    for name, _ in reversed(views):
        db.execute(f"DROP VIEW {name}")
    for statement in (
        """
        CREATE TABLE new_prompts (
            id INTEGER PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            set_name TEXT NOT NULL,
            text_hash TEXT NOT NULL REFERENCES texts(hash),
            position INTEGER NOT NULL
        )
        """,
        "INSERT INTO new_prompts SELECT id, session_id, name, set_name, text_hash, position FROM prompts",
        "DROP TABLE prompts",
        "ALTER TABLE new_prompts RENAME TO prompts",
        "CREATE UNIQUE INDEX prompts_name ON prompts(session_id, name)",
        "CREATE INDEX prompts_session_text ON prompts(session_id, text_hash)",
        "CREATE INDEX prompts_text ON prompts(text_hash)",
        # NULL for a hint of an example that is no prompt of the session.
        "ALTER TABLE hints ADD COLUMN prompt_id INTEGER REFERENCES prompts(id) ON DELETE CASCADE",
        """
        UPDATE hints SET prompt_id = (
            SELECT id FROM prompts WHERE session_id = hints.session_id AND text_hash = hints.prompt_hash)
        """,
        "CREATE INDEX hints_prompt ON hints(prompt_id)",
        *(sql for _, sql in views),
    ):
        db.execute(statement)


def _thoughts(db: Database) -> None:
    # What a model thought before its answer; whether its server says that it refused; what a reader should know.
    for column in ("thinking TEXT", "n_thinking_tokens INTEGER", "refused INTEGER NOT NULL DEFAULT 0", "note TEXT"):
        db.execute(f"ALTER TABLE samples ADD COLUMN {column}")
    view = next(db.query("SELECT sql FROM sqlite_master WHERE name = 'sample_details'"))["sql"]
    db.execute("DROP VIEW sample_details")
    columns = "samples.thinking, samples.n_thinking_tokens, samples.refused, samples.note"
    db.execute(view.replace("samples.probability", f"samples.probability, {columns}"))


def _token_ends(db: Database) -> None:
    # Where each token ends in the response, in characters; NULL where it was read before that was kept.
    db.execute("ALTER TABLE likelihoods ADD COLUMN token_ends BLOB")


def _answers(db: Database) -> None:
    # Of a survey question: its options, and how people chose among them, as JSON. NULL for any other prompt.
    db.execute("ALTER TABLE prompts ADD COLUMN answers TEXT")


def _prompt_parts(db: Database) -> None:
    # The messages before a prompt's text, and its place in a ladder of constraints, as JSON. The hash of a text that
    # has messages before it is that of all of them.
    for column in ("earlier", "rung"):
        db.execute(f"ALTER TABLE prompts ADD COLUMN {column} TEXT")


def _option_masses(db: Database) -> None:
    # Of a survey question in one order of its options: how probable each is, in the given order, as log-probs say.
    # `way`: which log-probs; `model`: what decides them, as in `likelihoods`.
    db.execute(
        """
        CREATE TABLE option_masses (
            cell_id INTEGER NOT NULL REFERENCES cells(id) ON DELETE CASCADE,
            way TEXT NOT NULL,
            model TEXT NOT NULL,
            reading TEXT NOT NULL,
            created TEXT NOT NULL,
            PRIMARY KEY (cell_id, way)
        )
        """
    )


def _filled_prompts(db: Database) -> None:
    # Of a prompt whose variables were filled in: the template and the values, as JSON.
    db.execute("ALTER TABLE prompts ADD COLUMN filled TEXT")


MIGRATIONS: tuple[tuple[str, Migration], ...] = (
    ("0001_tables", _tables),
    ("0002_judgments", _judgments),
    ("0003_contexts", context_tables),
    ("0004_likelihoods", _likelihoods),
    ("0005_sessions", session_tables),
    ("0006_weights", _weights),
    ("0007_probabilities", _probabilities),
    ("0008_example_hints", _example_hints),
    ("0009_ends", _ends),
    ("0010_prompts_by_id", _prompts_by_id),
    ("0011_thoughts", _thoughts),
    ("0012_unrecorded_facts", unrecorded_facts),
    ("0012_words", words_column),
    ("0013_token_ends", _token_ends),
    ("0014_answers", _answers),
    ("0015_prompt_parts", _prompt_parts),
    ("0016_option_masses", _option_masses),
    ("0017_filled_prompts", _filled_prompts),
)


def unknown_migrations(db: Database, known: Sequence[tuple[str, Migration]] = MIGRATIONS) -> list[str]:
    """Names of migrations in the file that this version does not know: it was written by a newer one."""
    return sorted(applied_migrations(db) - {name for name, _ in known})


def pending_migrations(db: Database, known: Sequence[tuple[str, Migration]] = MIGRATIONS) -> list[str]:
    """Names of the migrations that the file has not had."""
    return sorted({name for name, _ in known} - applied_migrations(db))


def applied_migrations(db: Database) -> set[str]:
    """Names of the migrations that the file has had."""
    if not list(db.query("SELECT 1 FROM sqlite_master WHERE name = '_migrations'")):
        return set()
    return {row["name"] for row in db.query("SELECT name FROM _migrations")}


def migrate(db: Database, migrations: Sequence[tuple[str, Migration]] = MIGRATIONS) -> None:
    """Bring the schema up to date. Call it inside a write transaction: all of it happens, or nothing."""
    applied = applied_migrations(db)
    if not applied:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("CREATE TABLE _migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
    for name, migration in migrations:
        if name not in applied:
            migration(db)
            db.execute("INSERT INTO _migrations (name, applied) VALUES (?, ?)", [name, now()])
