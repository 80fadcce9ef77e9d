"""Responses from elsewhere on their way into the store, many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alignbench.spec import content_hash
from alignbench.store.base import ConnectedMixin
from alignbench.store.encoding import encode_text, label, now
from alignbench.store.rows import GivenSample
from alignbench.store.samples import PUT_SAMPLE
from alignbench.store.search_words import search_words


class GivenSamplesMixin(ConnectedMixin):
    """Writing responses that were generated elsewhere."""

    def add_given(self, samples: Sequence[GivenSample]) -> None:
        """Commit responses from elsewhere, into cells that have none of these indices."""
        with self._write():
            self.db.conn.executemany(PUT_SAMPLE, [_given_columns(each) for each in samples])

    def end_cells(self, session_id: int) -> None:
        """Have every cell of a session ask for as many samples as its last index says."""
        with self._write():
            self._touch(session_id)
            self._execute(
                """
                UPDATE cells SET n = max(n, coalesce(
                    (SELECT 1 + max(sample) FROM samples WHERE samples.cell_id = cells.id), 0)) WHERE session_id = ?
                """,
                session_id,
            )

    def renumber(self, cell_id: int, indices: Mapping[int, int]) -> None:
        """Give samples of a cell other indices, by the ones they have; those that are not named keep theirs."""
        with self._write():
            for shift in (0, 1):  # past all others first, so that no index is there twice
                self.db.conn.executemany(
                    "UPDATE samples SET sample = ?1 WHERE cell_id = ?2 AND sample = ?3",
                    [
                        (-1 - new, cell_id, old) if not shift else (new, cell_id, -1 - new)
                        for old, new in indices.items()
                    ],
                )

    def n_given(self, cell_id: int) -> int:
        """One more than the largest index in a cell, 0 in an empty one."""
        return int(self._tuples("SELECT 1 + coalesce(max(sample), -1) FROM samples WHERE cell_id = ?", cell_id)[0][0])

    def condition_of(self, cell_id: int) -> str:
        """The name of a cell's condition."""
        query = "SELECT name FROM conditions WHERE id = (SELECT condition_id FROM cells WHERE id = ?)"
        return label(self._tuples(query, cell_id)[0][0])


def _given_columns(given: GivenSample) -> tuple[object, ...]:
    """In the order of the statement."""
    facts, error = given.facts, given.error
    return (
        given.cell_id,
        given.sample,
        "error" if error else "done",
        "error" if error else given.finish_reason,
        facts.n_prompt_tokens,
        facts.n_tokens,
        facts.seconds,
        facts.logprob,
        encode_text(error) if error else None,
        now(),
        content_hash(given.text),
        encode_text(given.text),
        encode_text(given.raw_text),
        None,
        None if given.thinking is None else encode_text(given.thinking),
        facts.n_thinking_tokens,
        given.refused,
        encode_text(given.note) if given.note else None,
        search_words(given.text),
        facts.seed,
    )
