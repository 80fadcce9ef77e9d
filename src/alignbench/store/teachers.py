"""Samples of a session as material for contexts: a teacher's answers, one a prompt."""

from __future__ import annotations

from alignbench.errors import InputError, did_you_mean
from alignbench.spec import Example, ExampleSet, Prompt
from alignbench.store.base import ConnectedMixin
from alignbench.store.encoding import decode_text, encode_text, label
from alignbench.store.rows import SampleRow
from alignbench.store.sample_rows import sample_row

_FROM = """
    FROM samples
    JOIN cells ON cells.id = samples.cell_id
    JOIN conditions ON conditions.id = cells.condition_id
    JOIN prompts ON prompts.id = cells.prompt_id
    WHERE cells.session_id = ? AND conditions.name = ? AND samples.sample = ? AND samples.status = 'done'
"""


class TeachersMixin(ConnectedMixin):
    """The samples that hints and examples are made from."""

    def teacher_sample(self, session_id: int, prompt: Prompt, condition: str, sample: int) -> SampleRow:
        """A finished sample of a prompt under a condition. InputError where it is not there, or is empty."""
        row = self._row(
            "SELECT * FROM sample_details WHERE id = "
            f"(SELECT samples.id {_FROM} AND prompts.id = ? AND trim(samples.text) <> '')",
            session_id,
            encode_text(condition),
            sample,
            self._prompt_id(session_id, prompt),
        )
        if row is None:
            self._require_condition(session_id, condition)
            raise InputError(f"{condition} has no sample {sample} with a text for the prompt {prompt.id}.")
        return self._read(row, sample_row, f"sample {row['id']} of session {session_id}")

    def condition_examples(self, session_id: int, condition: str, sample: int) -> ExampleSet:
        """Every prompt of a condition with its finished sample of this index, in the order of the prompts; what is the
        same of two prompts once.

        Raises InputError where there is none.
        """
        rows = self._rows(
            "SELECT texts.text AS prompt, samples.text AS response "
            + _FROM.replace("WHERE", "JOIN texts ON texts.hash = prompts.text_hash WHERE")
            + " ORDER BY prompts.position",
            session_id,
            encode_text(condition),
            sample,
        )
        pairs = self._readable(
            rows,
            lambda row: (decode_text(row["prompt"]).strip(), decode_text(row["response"]).strip()),
            lambda _: f"an example of {condition} in session {session_id}",
        )
        items = tuple(Example(*pair) for pair in dict.fromkeys(pairs) if all(pair))
        if not items:
            self._require_condition(session_id, condition)
            raise InputError(f"{condition} has no sample {sample} in session {session_id} to take for an example.")
        return ExampleSet(items, condition, f"session {session_id}, {condition}, sample {sample}")

    def _require_condition(self, session_id: int, condition: str) -> None:
        names = [
            label(row["name"])
            for row in self._rows("SELECT name FROM conditions WHERE session_id = ? ORDER BY position", session_id)
        ]
        if condition not in names:
            near = did_you_mean(condition, names)
            raise InputError(f"Session {session_id} has no condition {condition!r}. {near}".rstrip())
