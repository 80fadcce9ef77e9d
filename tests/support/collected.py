"""What the readers of responses give, one at a time, as one value that a test can look at whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alignbench.errors import InputError
from alignbench.importing.jsonl import stream_jsonl
from alignbench.importing.responses import Conditions, ImportedResponses, settings_note
from alignbench.importing.spreadsheets import stream_spreadsheets
from alignbench.importing.stream import repeated_note
from alignbench.importing.values import ImportedCell, ImportedCondition, ImportedSample, ImportedSession
from alignbench.spec import Condition, Prompt


def read_jsonl(path: Path) -> ImportedSession:
    """A JSONL file as one session, in order of first appearance. InputError names the line and the field."""
    return collected(stream_jsonl([path]))


def read_csv(path: Path) -> ImportedSession:
    """A CSV file as one session, as `read_jsonl`."""
    return collected(stream_spreadsheets([path]))


def collected(responses: ImportedResponses) -> ImportedSession:
    """All of the files as one session, in order of first appearance. InputError as the reader raises it."""
    conditions = Conditions()
    prompts: dict[str, Prompt] = {}
    cells: dict[str, dict[str, _Cell]] = {}
    for response in responses.rows:
        condition = conditions.of(response.origin, response.where)
        prompt = prompts.setdefault(response.prompt.id, response.prompt)
        if prompt.hash != response.prompt.hash:
            raise InputError(
                f'{response.where}, field "prompt_id": {prompt.id!r} stood for another prompt before; '
                "expected one text."
            )
        cell = cells.setdefault(condition.name, {}).setdefault(prompt.id, _Cell(prompt))
        cell.samples.append(response.sample)
        cell.numbers.append(response.number)
    return ImportedSession(
        name=responses.name,
        source=responses.source,
        conditions=tuple(_condition(each, cells[each.name].values()) for each in conditions),
        reference=next((each.name for each in conditions if each.model.kind == "aligned"), None),
        notes=(*_repeated(conditions, cells), *responses.all_notes),
    )


@dataclass(slots=True)
class _Cell:
    """Samples of a prompt under a condition as they come, and what the rows call their numbers."""

    prompt: Prompt
    samples: list[ImportedSample] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)

    @property
    def indices(self) -> tuple[int, ...]:
        """The numbers, where every row has one of its own."""
        there = tuple(number for number in self.numbers if number is not None)
        return there if len(set(there)) == len(self.numbers) else ()

    @property
    def is_repeated(self) -> bool:
        there = [number for number in self.numbers if number is not None]
        return len(set(there)) < len(there)


def _condition(condition: Condition, cells: Iterable[_Cell]) -> ImportedCondition:
    return ImportedCondition(
        condition,
        tuple(ImportedCell(cell.prompt, tuple(cell.samples), indices=cell.indices) for cell in cells),
        settings_note(condition),
    )


def _repeated(conditions: Conditions, cells: dict[str, dict[str, _Cell]]) -> Iterator[str]:
    """Of the conditions that have a number twice, that all of their samples are there."""
    for condition in conditions:
        if n := sum(cell.is_repeated for cell in cells[condition.name].values()):
            yield repeated_note(condition.name, n)
