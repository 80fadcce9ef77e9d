"""What surrounds the prompt of a cell: the examples selected for it, its hint and its prefill."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType
from typing import Any, get_args

from alignbench.contexts.selection import ExampleSelection, Selected
from alignbench.spec import ExampleSet, Level, Prompt
from alignbench.store.context_rows import HintRow, NewHint
from alignbench.store.encoding import decode_text, encode_text, label, now
from alignbench.store.named import NamedMixin

_HINT = """
    SELECT hints.*, prompts.name AS prompt_name, samples.sample AS source_sample,
        conditions.name AS source_condition
    FROM hints
    LEFT JOIN prompts ON prompts.id = hints.prompt_id
    LEFT JOIN samples ON samples.id = hints.source_id
    LEFT JOIN cells ON cells.id = samples.cell_id
    LEFT JOIN conditions ON conditions.id = cells.condition_id
"""
_HINT_SOURCES = """
    SELECT prompts.name AS prompt, conditions.name AS condition,
        samples.sample AS source_sample, source_conditions.name AS source_condition
    FROM cell_hints
    JOIN hints ON hints.id = cell_hints.hint_id
    JOIN cells ON cells.id = cell_hints.cell_id
    JOIN prompts ON prompts.id = cells.prompt_id
    JOIN conditions ON conditions.id = cells.condition_id
    JOIN samples ON samples.id = hints.source_id
    JOIN cells AS source_cells ON source_cells.id = samples.cell_id
    JOIN conditions AS source_conditions ON source_conditions.id = source_cells.condition_id
    WHERE prompts.session_id = ?
"""
_HINT_SOURCE_NAMES = ("prompt", "condition", "source_condition")
_NEAR, _WINDOW = "near duplicate", "window"


class CellContentsMixin(NamedMixin):
    """The examples, the hint and the prefill of each cell."""

    def keep_selection(self, cell_id: int, pool: ExampleSet, selection: ExampleSelection) -> None:
        """Keep what was selected for a cell from a pool, and the pool; it replaces an earlier selection."""
        rows: list[tuple[Selected, int | None, str | None]] = []
        rows += [(selected, place, None) for place, selected in enumerate(selection.chosen)]
        rows += [(selected, None, _NEAR) for selected in selection.left_out]
        rows += [(selected, None, _WINDOW) for selected in selection.dropped]
        with self._write():
            self._keep_example_set(pool)
            self._execute("DELETE FROM selections WHERE cell_id = ?", cell_id)
            self.db.conn.executemany(
                "INSERT INTO selections (cell_id, set_hash, position, rank, similarity, place, left_out, hint) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (cell_id, pool.hash, s.index, s.rank, s.similarity, place, why, encode_text(s.hint))
                    for s, place, why in rows
                ),
            )

    def selection(self, cell_id: int) -> tuple[ExampleSet, ExampleSelection] | None:
        """What `keep_selection` was given last; None where nothing was."""
        rows = self._rows("SELECT * FROM selections WHERE cell_id = ? ORDER BY place, rank", cell_id)
        if not rows:
            return None
        return self.example_set(rows[0]["set_hash"]), ExampleSelection(
            _selected(row for row in rows if row["left_out"] is None),
            _selected(row for row in rows if row["left_out"] == _NEAR),
            _selected(row for row in rows if row["left_out"] == _WINDOW),
        )

    def add_hint(self, session_id: int, prompt: Prompt, hint: NewHint) -> HintRow:
        """Keep a hint at the response to a prompt; one that is the same in text, making and source is kept once."""
        with self._write():
            self._touch(session_id)
            same = self._row(
                "SELECT id FROM hints WHERE session_id = ? AND prompt_hash = ? AND prompt_id IS ? AND level = ? "
                "AND text = ? AND maker = ? AND template = ? AND source_hash = ? AND source_id IS ?",
                session_id,
                prompt.hash,
                self._prompt_id(session_id, prompt),
                hint.level,
                encode_text(hint.text),
                encode_text(hint.maker),
                encode_text(hint.template),
                hint.source_hash,
                hint.source_id,
            )
            hint_id = same["id"] if same else self._insert_hint(session_id, prompt, hint)
        return self.hint(hint_id)

    def hint(self, hint_id: int) -> HintRow:
        row = self._row(f"{_HINT} WHERE hints.id = ?", hint_id)
        assert row is not None
        return self._read(row, _hint_row, f"hint {hint_id}")

    def hints(self, session_id: int, prompt: Prompt | None = None) -> list[HintRow]:
        """The hints of a session, or of one of its prompts, oldest first."""
        self._require_session(session_id)
        rows = self._rows(
            f"{_HINT} WHERE hints.session_id = ?1 AND (?2 IS NULL OR hints.prompt_hash = ?2 AND hints.prompt_id IS ?3) "
            "ORDER BY hints.id",
            session_id,
            prompt.hash if prompt else None,
            self._prompt_id(session_id, prompt) if prompt else None,
        )
        return list(self._readable(rows, _hint_row, lambda row: f"hint {row['id']} of session {session_id}"))

    def made_hint(
        self, session_id: int, prompt: Prompt, level: str, maker: str, template: str, source_hash: str
    ) -> HintRow | None:
        """The newest hint that this maker made in this way from a text with this hash, of this prompt if there is one,
        else of another one with its text."""
        row = self._row(
            f"{_HINT} WHERE hints.session_id = ? AND hints.prompt_hash = ? AND hints.level = ? AND hints.maker = ? "
            "AND hints.template = ? AND hints.source_hash = ? ORDER BY hints.prompt_id IS NOT ?, hints.id DESC LIMIT 1",
            session_id,
            prompt.hash,
            level,
            encode_text(maker),
            encode_text(template),
            source_hash,
            self._prompt_id(session_id, prompt),
        )
        return None if row is None else self._read(row, _hint_row, f"hint {row['id']}")

    def set_cell_hint(self, cell_id: int, hint_id: int) -> None:
        """Keep which hint is in the prompt of a cell."""
        with self._write():
            self._execute("INSERT OR REPLACE INTO cell_hints (cell_id, hint_id) VALUES (?, ?)", cell_id, hint_id)

    def cell_hint(self, cell_id: int) -> HintRow | None:
        row = self._row(f"{_HINT} JOIN cell_hints ON hint_id = hints.id WHERE cell_hints.cell_id = ?", cell_id)
        return None if row is None else self._read(row, _hint_row, f"hint {row['id']}")

    def hint_sources(self, session_id: int) -> dict[str, dict[str, list[tuple[str, int]]]]:
        """By prompt and condition of cells whose hint is made of a sample: that sample's condition and index."""
        sources: dict[str, dict[str, list[tuple[str, int]]]] = {}
        rows = self._readable(
            self._rows(_HINT_SOURCES, session_id),
            lambda row: (*(decode_text(row[name]) for name in _HINT_SOURCE_NAMES), row["source_sample"]),
            lambda row: f"the source of the hint of prompt {label(row['prompt'])!r} of session {session_id}",
        )
        for prompt, condition, source, sample in rows:
            sources.setdefault(prompt, {}).setdefault(condition, []).append((source, sample))
        return sources

    def set_sample_hint(self, sample_id: int, hint_id: int) -> None:
        """Say which hint the model wrote before a sample."""
        with self._write():
            self._execute("INSERT OR REPLACE INTO sample_hints (sample_id, hint_id) VALUES (?, ?)", sample_id, hint_id)

    def set_prefill(self, cell_id: int, text: str) -> None:
        """Keep how the responses of a cell begin."""
        with self._write():
            insert = "INSERT OR REPLACE INTO cell_prefills (cell_id, text) VALUES (?, ?)"
            self._execute(insert, cell_id, encode_text(text))

    def prefill(self, cell_id: int) -> str | None:
        row = self._row("SELECT text FROM cell_prefills WHERE cell_id = ?", cell_id)
        return None if row is None else label(row["text"])

    def _insert_hint(self, session_id: int, prompt: Prompt, hint: NewHint) -> int:
        return self._insert(
            "INSERT INTO hints (session_id, prompt_hash, prompt_id, level, text, maker, template, source_id, "
            "source_hash, n_tokens, give_away, longest_quote, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            session_id,
            prompt.hash,
            self._prompt_id(session_id, prompt),
            hint.level,
            encode_text(hint.text),
            encode_text(hint.maker),
            encode_text(hint.template),
            hint.source_id,
            hint.source_hash,
            hint.n_tokens,
            hint.give_away,
            hint.longest_quote,
            now(),
        )

    def _require_session(self, session_id: int) -> None:
        if self._row("SELECT id FROM sessions WHERE id = ?", session_id) is None:
            raise self._no_session(session_id)


def _selected(rows: Iterable[dict[str, Any]]) -> tuple[Selected, ...]:
    return tuple(Selected(row["position"], row["rank"], row["similarity"], decode_text(row["hint"])) for row in rows)


def _hint_row(row: dict[str, Any]) -> HintRow:
    if row["level"] not in get_args(Level):
        raise ValueError(f"level is {row['level']!r}")
    for column in ("n_tokens", "give_away", "longest_quote"):
        if not isinstance(row[column], (int, float, NoneType)):
            raise TypeError(f"{column} is {row[column]!r}")
    return HintRow(
        id=row["id"],
        prompt_id=None if row["prompt_name"] is None else decode_text(row["prompt_name"]),
        prompt_hash=decode_text(row["prompt_hash"]),
        level=row["level"],
        text=decode_text(row["text"]),
        maker=decode_text(row["maker"]),
        template=decode_text(row["template"]),
        source_id=row["source_id"],
        source_hash=decode_text(row["source_hash"]),
        source_condition=None if row["source_condition"] is None else decode_text(row["source_condition"]),
        source_sample=row["source_sample"],
        n_tokens=row["n_tokens"],
        give_away=row["give_away"],
        longest_quote=row["longest_quote"],
        created=label(row["created"]),
    )
