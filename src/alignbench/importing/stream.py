"""From responses that are read one at a time to a session in the store, never all in memory."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from alignbench.errors import InputError
from alignbench.importing.responses import Conditions, ImportedResponse, ImportedResponses, settings_note
from alignbench.importing.save import ImportResult, finish_note, given_sample
from alignbench.spec import Condition, content_hash
from alignbench.store import GivenSample, Store

_BATCH = 1_000  # responses that are written at a time
_CELLS = 50_000  # whose rows in the database are remembered


def save_responses(store: Store, responses: ImportedResponses, base: Collection[str] = ()) -> ImportResult:
    """Write everything in one commit, so that one faulty row, or an interruption, leaves nothing behind.

    base: names of models that are base models. InputError where nothing is in the files.
    """
    with store.together():
        session = store.create_session(responses.name)
        writer = _Writer(store, session, Conditions(base))
        for response in responses.rows:
            writer.add(response)
        writer.end()
        if not writer.per_condition:
            left = "; ".join(responses.all_notes)
            files = ", ".join(responses.source["files"])
            raise InputError(f"{files}: no responses{f' ({left})' if left else ''}; nothing was imported.")
        conditions = [*writer.conditions]
        writer.conditions.check_base()
        if writer.twice:
            responses.left_out["responses that are there twice, by the id that their program gave them"] = writer.twice
        responses.notes.extend(writer.notes())
        store.set_reference(session, next((each.name for each in conditions if each.model.kind == "aligned"), None))
        told = {each.name: writer.facts(each) | responses.facts.get(each.model.name, {}) for each in conditions}
        store.set_manifest(
            session,
            {"imported": {**responses.source, "conditions": told, "notes": [*responses.all_notes]}},
        )
    kept = store.session(session)
    return ImportResult(session, responses.name, kept.n_samples, kept.n_errors)


@dataclass(slots=True)
class _Count:
    """Of a condition: its responses, and those of which it is known how they ended."""

    responses: int = 0
    ended: int = 0


@dataclass(slots=True)
class _Numbers:
    """What rows of a cell call their samples, where that is not their order."""

    order: array[int] = field(default_factory=lambda: array("q"))
    given: array[int] = field(default_factory=lambda: array("q"))


class _Writer:
    """Writes responses into a session."""

    def __init__(self, store: Store, session: int, conditions: Conditions) -> None:
        self.conditions = conditions
        self.per_condition: dict[str, _Count] = {}
        self.twice = 0
        self._store = store
        self._session = session
        self._cells: dict[tuple[str, str], list[int]] = {}  # by condition and the prompt's key: its row, samples so far
        self._batch: list[GivenSample] = []
        self._keys: set[int] = set()
        self._unnumbered: set[int] = set()  # cells of which a row has no number
        self._numbers: dict[int, _Numbers] = {}
        self._repeated: Counter[str] = Counter()  # cells by condition

    def add(self, response: ImportedResponse) -> None:
        if response.key:
            key = int(content_hash(response.key)[:16], 16)
            if key in self._keys:
                self.twice += 1
                return
            self._keys.add(key)
        condition = self.conditions.of(response.origin, response.where)
        cell = self._cell(response, condition)
        cell_id, index = cell
        cell[1] += 1
        if response.number is None:
            self._unnumbered.add(cell_id)
        elif response.number != index:
            numbers = self._numbers.setdefault(cell_id, _Numbers())
            numbers.order.append(index)
            numbers.given.append(response.number)
        self._batch.append(given_sample(cell_id, index, response.sample))
        count = self.per_condition.setdefault(condition.name, _Count())
        if not response.sample.error:
            count.responses += 1
            count.ended += response.sample.finish is not None
        if len(self._batch) >= _BATCH:
            self._write()

    def end(self) -> None:
        """Write what is left, and number the samples as the files do, where they give each one a number of its own."""
        self._write()
        for cell_id, numbers in self._numbers.items():
            if cell_id in self._unnumbered:
                continue
            n = self._store.n_given(cell_id)
            in_order = {*range(n)} - {*numbers.order}
            if len({*numbers.given} | in_order) < n:
                self._repeated[self._store.condition_of(cell_id)] += 1
            else:
                self._store.renumber(cell_id, dict(zip(numbers.order, numbers.given, strict=True)))
        self._store.end_cells(self._session)

    def notes(self) -> list[str]:
        """Of the conditions that have a number twice, that all of their samples are there."""
        return [repeated_note(name, n) for name, n in self._repeated.items()]

    def facts(self, condition: Condition) -> dict[str, Any]:
        """For the manifest: what is not known of a condition."""
        count = self.per_condition[condition.name]
        return settings_note(condition) | finish_note(count.ended, count.responses)

    def _cell(self, response: ImportedResponse, condition: Condition) -> list[int]:
        """The row of a cell, and how many samples it has."""
        key = condition.name, response.prompt.key
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= _CELLS:
                self._write()
                self._cells.clear()
            try:
                cell_id = self._store.add_cell(self._session, response.prompt, condition, 0)
            except InputError as error:
                raise _of_prompt(response, error) from None
            cell = self._cells[key] = [cell_id, self._store.n_given(cell_id)]
        return cell

    def _write(self) -> None:
        self._store.add_given(self._batch)
        self._batch.clear()


def _of_prompt(response: ImportedResponse, error: InputError) -> InputError:
    if "stands for another text" not in str(error):
        return InputError(f"{response.where}: {error}")
    return InputError(
        f'{response.where}, field "prompt_id": {response.prompt.id!r} stood for another prompt before; '
        "expected one text."
    )


def repeated_note(condition: str, prompts: int) -> str:
    """That rows of so many prompts of a condition give a number twice."""
    what = "1 prompt" if prompts == 1 else f"{prompts} prompts"
    return f"{condition}: rows of {what} give one sample number twice; all are kept, numbered in their order"
