"""What a search compares: the words of a text, cut as the metrics cut them, without case, accents and points of vowels.

SQLite's own tokenizers take Chinese without spaces for one word, and join `手机` to `iPhone`.
"""

from __future__ import annotations

import re
import unicodedata

from alignbench.metrics.words import word_spans, words
from alignbench.store.encoding import decode_text
from alignbench.store.sqlite import Database

# Marks over and under letters of European scripts, of Hebrew and of Arabic, which a search may leave out.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
)
_PARTS = re.compile(r"[^\s'.,]+")
_BYTE = re.compile("[\udc80-\udcff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")


def search_words(text: str) -> str:
    """The words of a text with spaces between."""
    if not text.isascii():
        # Case first: what it makes may have accents of its own.
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))
    return " ".join(_PARTS.findall(" ".join(words(text))))


def phrase(text: str) -> str:
    """A text as an FTS5 phrase; empty where it has no word. What Korean puts behind a word is not compared."""
    found = search_words(_BYTE.sub(lambda byte: chr(ord(byte[0]) - 0xDC00), text))
    if not found:
        return ""
    return f'"{found}"' + (" *" if _HANGUL.search(found.rpartition(" ")[2]) else "")


def around(text: str, phrases: list[str], n_words: int) -> str:
    """Some words of a text around the first one that a phrase begins with, with … where text is left out."""
    wanted = [(given.strip('"* ').split(), given.endswith("*")) for given in phrases]
    first = {one[0]: prefix and len(one) == 1 for one, prefix in wanted}
    spans = word_spans(text)

    def begins(word: str) -> bool:
        parts = search_words(word).split()
        return any(part == one or (prefix and part.startswith(one)) for part in parts for one, prefix in first.items())

    at = next((i for i, (_, _, word) in enumerate(spans) if begins(word)), 0)
    left = max(0, at - n_words // 3)
    right = min(len(spans), left + n_words)
    start = spans[left][0] if left else 0
    end = spans[right - 1][1] if right < len(spans) else len(text)
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def words_column(db: Database) -> None:
    """A migration: a column of these words, and an index of it in the place of that of the texts.

    Triggers keep the index, whoever writes; they need nothing that other programs do not have.
    """
    for name in ("insert", "update", "delete"):
        db.execute(f"DROP TRIGGER IF EXISTS samples_fts_{name}")
    db.execute("DROP TABLE IF EXISTS samples_fts")
    db.execute("ALTER TABLE samples ADD COLUMN words TEXT NOT NULL DEFAULT ''")
    db.conn.create_function("search_words", 1, lambda text: search_words(decode_text(text)))
    db.execute("UPDATE samples SET words = search_words(text) WHERE text <> ''")
    for statement in (
        "CREATE VIRTUAL TABLE samples_fts USING fts5(words, content='samples', content_rowid='id', tokenize='ascii')",
        "INSERT INTO samples_fts(samples_fts) VALUES ('rebuild')",
        """
        CREATE TRIGGER samples_fts_insert AFTER INSERT ON samples BEGIN
            INSERT INTO samples_fts(rowid, words) VALUES (new.id, new.words);
        END
        """,
        """
        CREATE TRIGGER samples_fts_update AFTER UPDATE OF words ON samples BEGIN
            INSERT INTO samples_fts(samples_fts, rowid, words) VALUES ('delete', old.id, old.words);
            INSERT INTO samples_fts(rowid, words) VALUES (new.id, new.words);
        END
        """,
        """
        CREATE TRIGGER samples_fts_delete AFTER DELETE ON samples BEGIN
            INSERT INTO samples_fts(samples_fts, rowid, words) VALUES ('delete', old.id, old.words);
        END
        """,
    ):
        db.execute(statement)
