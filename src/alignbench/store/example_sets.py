"""Example sets, addressed by content; they belong to the file, not to a session."""

from __future__ import annotations

from alignbench.errors import InputError, did_you_mean
from alignbench.spec import Example, ExampleSet
from alignbench.store.base import ConnectedMixin
from alignbench.store.context_rows import ExampleSetInfo
from alignbench.store.encoding import decode_text, encode_text, label, now

_INFO = """
    SELECT hash, name, origin, created, (SELECT count(*) FROM examples WHERE set_hash = hash) AS n FROM example_sets
"""


class ExampleSetsMixin(ConnectedMixin):
    """Sets of examples."""

    def keep_example_set(self, examples: ExampleSet) -> None:
        """Keep a set; the same examples in the same order are kept once.

        A name stands for one set: it passes from the set that had it to this one, which stays there under its hash.
        """
        with self._write():
            if examples.name:
                taken = "UPDATE example_sets SET name = '' WHERE name = ?"
                self._execute(taken, encode_text(examples.name))
            self._keep_example_set(examples)
            self._execute(
                "UPDATE example_sets SET name = ?, origin = ? WHERE hash = ?",
                encode_text(examples.name),
                encode_text(examples.origin),
                examples.hash,
            )

    def example_sets(self) -> list[ExampleSetInfo]:
        """The sets that are kept: those with a name first, by name."""
        rows = self._rows(f"{_INFO} ORDER BY name = '', name, created")
        return [ExampleSetInfo(r["hash"], label(r["name"]), label(r["origin"]), r["n"], r["created"]) for r in rows]

    def example_set(self, name_or_hash: str) -> ExampleSet:
        """A set by its name, its hash or the beginning of its hash (8 or more). InputError where there is none."""
        row = self._row(
            "SELECT * FROM example_sets WHERE name = ?1 OR hash = ?1 OR (length(?1) >= 8 AND hash GLOB ?1 || '*')"
            " ORDER BY name = ?1 DESC LIMIT 1",
            encode_text(name_or_hash),
        )
        if row is None:
            near = did_you_mean(name_or_hash, [info.name for info in self.example_sets() if info.name])
            raise InputError(f"There is no example set {name_or_hash!r} in {self.path}. {near}".rstrip())
        items = self._rows(
            "SELECT position, prompt, response, hint FROM examples WHERE set_hash = ? ORDER BY position", row["hash"]
        )
        examples = self._readable(
            items,
            lambda item: Example(*(decode_text(item[key]) for key in ("prompt", "response", "hint"))),
            lambda item: f"example {item['position']} of the set {label(row['name']) or row['hash'][:8]!r}",
        )
        return ExampleSet(tuple(examples), label(row["name"]), label(row["origin"]))

    def example_set_or_gone(self, hash: str) -> ExampleSet:
        """A set by its hash, for what was made with it; where it is gone, one that says so."""
        known = self._row("SELECT 1 FROM example_sets WHERE hash = ?", hash)
        return self.example_set(hash) if known is not None else ExampleSet(gone=hash)

    def _keep_example_set(self, examples: ExampleSet) -> None:
        """Keep the examples that a cell or a condition refers to, without a name."""
        added = self._execute(
            "INSERT INTO example_sets (hash, name, origin, created) VALUES (?, '', ?, ?) ON CONFLICT DO NOTHING",
            examples.hash,
            encode_text(examples.origin),
            now(),
        )
        if not added:
            return
        self.db.conn.executemany(
            "INSERT INTO examples (set_hash, position, prompt, response, hint) VALUES (?, ?, ?, ?, ?)",
            (
                (examples.hash, i, encode_text(item.prompt), encode_text(item.response), encode_text(item.hint))
                for i, item in enumerate(examples.items)
            ),
        )
