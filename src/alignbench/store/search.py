"""Search over the texts of all samples."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from alignbench.errors import InputError
from alignbench.store.base import ConnectedMixin
from alignbench.store.encoding import decode_text
from alignbench.store.rows import SearchHit
from alignbench.store.search_words import around, phrase

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
        phrases = search_phrases(text)
        rows = self._rows(
            """
            SELECT cells.session_id, prompts.name AS prompt_name, conditions.name AS condition, samples.sample,
                samples.text
            FROM (
                SELECT rowid FROM samples_fts WHERE samples_fts MATCH ?1 ORDER BY rowid DESC LIMIT ?2
            ) AS hits
            JOIN samples ON samples.id = hits.rowid
            JOIN cells ON cells.id = samples.cell_id
            JOIN prompts ON prompts.id = cells.prompt_id
            JOIN conditions ON conditions.id = cells.condition_id
            ORDER BY samples.id DESC
            """,
            " ".join(phrases),
            limit,
        )
        hit = partial(_hit, phrases=phrases)
        return list(self._readable(rows, hit, lambda row: f"a sample of session {row['session_id']}"))


def search_phrases(text: str) -> list[str]:
    """A text as FTS5 phrases, all of which a sample has to hold; each is a string there, so that nothing is syntax."""
    phrases = [phrase(quoted or word) for quoted, word in _TERM.findall(text)]
    found = [each for each in phrases if each]
    if not found:
        raise InputError(f"There is no word to search for in {text!r}.")
    return found


def _hit(row: dict[str, Any], phrases: list[str]) -> SearchHit:
    return SearchHit(
        session=row["session_id"],
        prompt_id=decode_text(row["prompt_name"]),
        condition=decode_text(row["condition"]),
        sample=row["sample"],
        snippet=around(decode_text(row["text"]), phrases, _WORDS_AROUND),
    )
