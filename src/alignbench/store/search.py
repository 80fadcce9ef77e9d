"""Search over the texts of all samples."""

from __future__ import annotations

import re
from typing import Any

from alignbench.errors import InputError
from alignbench.store.base import ConnectedMixin
from alignbench.store.encoding import decode_text
from alignbench.store.rows import SearchHit

_WORDS_AROUND = 16
_TERM = re.compile(r'"([^"]*)"|([^\s"]+)')


class SearchMixin(ConnectedMixin):
    """Full-text search over samples."""

    def search(self, text: str, limit: int) -> list[SearchHit]:
        """The newest samples, at most `limit`, that hold all words of a text, in any order and whatever their case.

        Words in double quotes have to be next to each other. Everything else in the text is data: there are no
        operators. InputError where there is no word in it.
        """
        # Newest first, not by relevance: a ranking would have to look at every match of a common word.
        rows = self._rows(
            """
            SELECT cells.session_id, prompts.name AS prompt_name, conditions.name AS condition, samples.sample,
                CAST(hits.snippet AS BLOB) AS snippet
            FROM (
                SELECT rowid, snippet(samples_fts, 0, '', '', '…', ?3) AS snippet
                FROM samples_fts WHERE samples_fts MATCH ?1 ORDER BY rowid DESC LIMIT ?2
            ) AS hits
            JOIN samples ON samples.id = hits.rowid
            JOIN cells ON cells.id = samples.cell_id
            JOIN prompts ON prompts.id = cells.prompt_id
            JOIN conditions ON conditions.id = cells.condition_id
            ORDER BY samples.id DESC
            """,
            match_expression(text),
            limit,
            _WORDS_AROUND,
        )
        return list(self._readable(rows, _hit, lambda row: f"a sample of session {row['session_id']}"))


def match_expression(text: str) -> str:
    """A text as an FTS5 expression for all of its words; each is a string there, so that nothing is syntax."""
    phrases = (quoted or word for quoted, word in _TERM.findall(text.replace("\0", " ")))
    terms = [phrase for phrase in phrases if any(map(str.isalnum, phrase))]
    if not terms:
        raise InputError(f"There is no word to search for in {text!r}.")
    return " ".join(f'"{term}"' for term in terms)


def _hit(row: dict[str, Any]) -> SearchHit:
    return SearchHit(
        session=row["session_id"],
        prompt_id=decode_text(row["prompt_name"]),
        condition=decode_text(row["condition"]),
        sample=row["sample"],
        snippet=decode_text(row["snippet"]),
    )
