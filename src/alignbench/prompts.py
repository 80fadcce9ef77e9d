"""Prompt sets: the ones that ship, the user's own files, and data sets.

- .jsonl: one object a line: {"prompt": "..."}, or "text", or "messages", the last one from the user; perhaps "id"
- .json, .yaml: a list of texts, or of such objects, perhaps under the name `prompts`
- .csv, .parquet: a column `prompt`, `text` or `messages`, and perhaps `id`
- all may have `options` and `groups`, which make a prompt a survey question, and `paraphrase_of`; see `answer_fields`
- all may have `constraints`, which make a prompt a ladder of several; see `prompt_fields`
- .txt: one prompt a line; blank lines are skipped
- data sets, other names of fields, and values for variables: see `prompt_files.source`

Prompts are stripped, ids are kept as they are. A prompt without an id gets one from the set's name and its text, so
that it keeps its id when lines around it come and go.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from alignbench import answer_fields, bounds, paths, prompt_fields
from alignbench.answer_options import AnswerOptions
from alignbench.errors import InputError, did_you_mean
from alignbench.prompt_files.record import OTHER_FIELD, TEXT_FIELDS, Record
from alignbench.prompt_files.records import read_records
from alignbench.prompt_files.source import PromptSource, parse_prompt_source
from alignbench.spec import Prompt, made_id
from alignbench.textfiles import home_expanded, json_type, writable


@dataclass(frozen=True, slots=True)
class _Row:
    """A prompt as it stands in a file.

    Attributes:
        place: where
        prompt: its id is empty where the file has none
        constraints: that a ladder is made with
    """

    place: str
    prompt: Prompt
    constraints: tuple[str, ...] = ()


def shipped_sets() -> list[str]:
    """Names of the prompt sets that ship, in alphabetical order."""
    return sorted(path.stem for path in paths.shipped_prompts().glob("*.jsonl"))


def set_path(name_or_path: str) -> Path:
    """The file of a shipped set, or of a path. A shipped name wins over a file of that name.

    Raises InputError, with the nearest set names, where there is neither.
    """
    if name_or_path in shipped_sets():
        return paths.shipped_prompts() / f"{name_or_path}.jsonl"
    path = home_expanded(name_or_path)
    if name_or_path.strip() and path.exists():
        return path
    near = did_you_mean(Path(name_or_path).stem, shipped_sets())
    raise InputError(f"There is no prompt set or file {name_or_path!r}. {near}".rstrip())


def prompt_source(
    text: str, *, field: str | None = None, id_field: str | None = None, values: Path | None = None
) -> PromptSource:
    """The source that a text names, with what is said of it beside the text.

    Raises InputError where there is no such set or file, and where both say something else.
    """
    source = parse_prompt_source(text)
    given = {
        "field": field,
        "id": id_field,
        "values": None if values is None else str(home_expanded(values).absolute()),
    }
    for name, value in given.items():
        if value is not None:
            if not value.strip():
                raise InputError(f"The name of the {name} field is empty; expected a name.")
            if (said := getattr(source, name)) and said != value:
                raise InputError(f"{text} names the {name} {said!r}, and an option {value!r}; expected one of them.")
            setting: dict[str, Any] = {name: value}
            source = replace(source, **setting)
    if not source.is_dataset:
        set_path(source.location)
    return source


def typed_prompt(text: str) -> Prompt:
    """A prompt that stands on its own, stripped. InputError for one that says nothing."""
    if not text.strip():
        raise InputError("--prompt is empty; expected a question or an instruction.")
    return Prompt.typed(text.strip())


def each_once(prompts: Iterable[Prompt]) -> list[Prompt]:
    """Prompts of several sources, those of one id and text once; one without an id of its own is any of its text.

    InputError where an id stands for two texts.
    """
    given = list(prompts)
    texts = {prompt.hash for prompt in given if prompt.is_named}
    known: dict[str, Prompt] = {}
    for prompt in given:
        if prompt.is_named:
            if (other := known.setdefault(prompt.id, prompt)).hash != prompt.hash:
                sets = f" in {other.set} and {prompt.set}" if other.set and prompt.set else ""
                raise InputError(f"The prompt id {prompt.id!r} stands for two texts{sets}; expected one text of an id.")
        elif prompt.hash not in texts:
            texts.add(prompt.hash)
            known[prompt.id] = prompt
    return list(known.values())


def refuse_repeated(prompts: Sequence[Prompt]) -> None:
    """InputError for a prompt that is there twice; two prompts of one text need ids of their own."""
    left = {prompt.key for prompt in each_once(prompts)}
    for prompt in prompts:
        if prompt.key not in left:
            raise InputError(f"The prompt {prompt.text!r} is there twice; expected it once, or with an id of its own.")
        left.remove(prompt.key)


def load_prompts(name_or_path: str | PromptSource, *, limit: int | None = None) -> list[Prompt]:
    """The prompts of a source (a set that ships, a file, a data set; `prompt_files.source`), in their order; at most
    `limit` of them, before variables are filled in.

    All of it is checked whatever the limit, one prompt at a time. Raises InputError, naming file, line and field, for
    anything that is not as the module's documentation says, and for an id (or a prompt without one) that comes twice.
    """
    if limit is not None:
        bounds.LIMIT.check("limit", limit)
    source = prompt_source(name_or_path) if isinstance(name_or_path, str) else name_or_path
    path = None if source.is_dataset else set_path(source.location)
    prompts = _named(source, path, lambda hash, _: made_id(hash, source.name), limit)
    if (values := source.values_path()) is None:
        return prompts
    return with_values(prompts, values)


def with_values(prompts: Sequence[Prompt], values: Path) -> list[Prompt]:
    """Prompts with their variables filled in from the rows of a CSV file, see `prompt_files.templates`."""
    from alignbench.prompt_files.templates import filled

    return filled(prompts, values)


def load_numbered(path: Path) -> list[Prompt]:
    """The prompts of a file, those without an id called after their place, from 0: two of them may have one text.

    Raises InputError as `load_prompts`.
    """
    return _named(PromptSource(str(path)), path, lambda _, place: str(place), None)


def _named(
    source: PromptSource, path: Path | None, make_id: Callable[[str, int], str], limit: int | None
) -> list[Prompt]:
    """The prompts of a source. make_id: the id of one without, from its hash and its place."""
    prompts: list[Prompt] = []
    questions: dict[str, tuple[str, AnswerOptions]] = {}
    seen = array("q")  # of all ids, which need not be in memory themselves
    for where, _, prompt in _prompts(source, path, make_id):
        seen.append(hash(prompt.id))
        if prompt.answers is not None:
            questions[prompt.id] = where, prompt.answers
        if limit is None or len(prompts) < limit:
            prompts.append(prompt)
    if not prompts:
        raise InputError(f"{path or source} holds no prompts.")
    _refuse_twice(source, path, make_id, seen)
    _check_paraphrases(questions)
    return prompts


def _prompts(
    source: PromptSource, path: Path | None, make_id: Callable[[str, int], str]
) -> Iterator[tuple[str, _Row, Prompt]]:
    """File and place, what stands there, and the prompts that it makes."""
    for place, row in enumerate(_rows(source, path)):
        hash = row.prompt.hash
        prompt = replace(row.prompt, id=row.prompt.id or make_id(hash, place), set=source.name)
        for each in prompt_fields.ladder(prompt, row.constraints) if row.constraints else [prompt]:
            yield f"{path or source}, {row.place}", row, each


def _rows(source: PromptSource, path: Path | None) -> Iterator[_Row]:
    for record in read_records(source, path):
        yield _row(record, f"{path or source}, {record.place}")


def _refuse_twice(
    source: PromptSource, path: Path | None, make_id: Callable[[str, int], str], seen: array[int]
) -> None:
    """InputError for an id that is there twice; only where one may be is the source read again."""
    ordered = sorted(seen)
    suspects = {one for one, other in pairwise(ordered) if one == other}
    first: dict[str, tuple[str, str]] = {}
    for where, row, prompt in _prompts(source, path, make_id) if suspects else ():
        if hash(prompt.id) not in suspects:
            continue
        if prompt.id in first:
            place, other = first[prompt.id]
            what = f"id {prompt.id!r} is" if row.prompt.id or other != row.prompt.hash else "this prompt is"
            on = "on" if place.startswith("line") else "in"
            raise InputError(f"{where}: {what} already {on} {place}; expected it once.")
        first[prompt.id] = row.place, row.prompt.hash


def _check_paraphrases(questions: Mapping[str, tuple[str, AnswerOptions]]) -> None:
    """InputError for a question that is said to be a paraphrase of what it cannot be one of."""
    for id, (where, answers) in questions.items():
        if not (of := answers.paraphrase_of):
            continue
        where = f'{where}, field "paraphrase_of"'
        if of == id or of not in questions:
            what = "the question itself" if of == id else f"no question of the file has the id {of!r}"
            near = did_you_mean(of, [each for each in questions if each != id])
            raise InputError(f"{where}: {what}; expected the id of another one. {near}".rstrip())
        if why := answers.why_no_paraphrase(questions[of][1]):
            raise InputError(f"{where}: {of!r}: {why}.")


def _row(read: Record, where: str) -> _Row:
    record = read.values
    answers = answer_fields.answer_options(record, where)
    constraints, rung = prompt_fields.constraints_of(record, where), prompt_fields.rung_of(record, where)
    if constraints and (answers is not None or rung is not None):
        raise InputError(f'{where}, field "constraints": a survey question, or a rung of a ladder, has none.')
    prompt = prompt_of(record, where)
    filled = prompt_fields.filled_of(record, where)
    prompt = replace(prompt, id=_id(record, where), answers=answers, rung=rung, filled=filled)
    return _Row(read.place, prompt, constraints)


def prompt_of(record: dict[str, object], where: str) -> Prompt:
    """The text of a record and the messages before it, without an id. InputError names the field that is wrong."""
    for field in TEXT_FIELDS:
        if field in record:
            text = _text(record[field], where, field).strip()
            return Prompt("", text, earlier=prompt_fields.messages_beside(record, text, where))
    if "messages" not in record:
        named = ", ".join(map(str, [*record][:8]))
        there = f" Its fields: {named}. {OTHER_FIELD}" if named else ""
        raise InputError(f'{where}: no prompt; expected a field "prompt", "text" or "messages".{there}')
    *earlier, last = prompt_fields.messages_of(record, where)
    return Prompt("", last.content, earlier=tuple(earlier))


def _text(value: object, where: str, field: str, expected: str = "a prompt") -> str:
    if not isinstance(value, str):
        raise InputError(f'{where}, field "{field}": {json_type(value)}; expected a text.')
    if not value.strip():
        raise InputError(f'{where}, field "{field}": empty; expected {expected}.')
    return writable(value, f'{where}, field "{field}"')


def _id(record: dict[str, object], where: str) -> str:
    id = record.get("id")
    if id is None:
        return ""
    if isinstance(id, int) and not isinstance(id, bool):
        return str(id)
    return _text(id, where, "id", "an id, or no such field")
