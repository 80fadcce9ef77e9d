"""Prompt sets: the ones that ship, and the user's own files.

- .jsonl: one object a line: {"prompt": "..."}, or "text", or "messages", the last one from the user; perhaps "id"
- .csv: a header with a column `prompt`, `text` or `messages`, and perhaps `id`
- both may have `options` and `groups`, which make a prompt a survey question, and `paraphrase_of`; see `answer_fields`
- both may have `constraints`, which make a prompt a ladder of several; see `prompt_fields`
- .txt: one prompt a line; blank lines are skipped

Prompts are stripped, ids are kept as they are. A prompt without an id gets one from the set's name and its text, so
that it keeps its id when lines around it come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alignbench import answer_fields, bounds, paths, prompt_fields
from alignbench.csv_files import read_csv_table
from alignbench.errors import InputError, did_you_mean
from alignbench.spec import Prompt, made_id
from alignbench.textfiles import json_lines, json_type, read_utf8, split_lines, writable

_TEXT_FIELDS = ("prompt", "text")


@dataclass(frozen=True, slots=True)
class _Row:
    """A prompt as it stands in a file.

    Attributes:
        line: where, from 1
        prompt: its id is empty where the file has none
        constraints: that a ladder is made with
    """

    line: int
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
    path = Path(name_or_path).expanduser()
    if name_or_path.strip() and path.exists():
        return path
    near = did_you_mean(Path(name_or_path).stem, shipped_sets())
    raise InputError(f"There is no prompt set or file {name_or_path!r}. {near}".rstrip())


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


def load_prompts(name_or_path: str, *, limit: int | None = None) -> list[Prompt]:
    """The prompts of a shipped set (by name) or of a file (by path), in their order; at most `limit` of them.

    The whole file is checked whatever the limit. Raises InputError, naming file, line and field, for anything
    that is not as the module's documentation says, and for an id (or a prompt without one) that comes twice.
    """
    if limit is not None:
        bounds.LIMIT.check("limit", limit)
    path = set_path(name_or_path)
    return _named(path, lambda hash, _: made_id(hash, path.stem))[:limit]


def load_numbered(path: Path) -> list[Prompt]:
    """The prompts of a file, those without an id called after their place, from 0: two of them may have one text.

    Raises InputError as `load_prompts`.
    """
    return _named(path, lambda _, place: str(place))


def _named(path: Path, make_id: Callable[[str, int], str]) -> list[Prompt]:
    """The prompts of a file. make_id: the id of one without, from its hash and its place."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected a file ({', '.join(_READERS)}).")
    if (read := _READERS.get(path.suffix.lower())) is None:
        raise InputError(f"{path}: unknown kind of file {path.suffix!r}; expected {', '.join(_READERS)}.")
    prompts: list[Prompt] = []
    lines: dict[str, tuple[int, str]] = {}
    for place, row in enumerate(read(path)):
        hash = row.prompt.hash
        prompt = replace(row.prompt, id=row.prompt.id or make_id(hash, place), set=path.stem)
        for each in prompt_fields.ladder(prompt, row.constraints) if row.constraints else [prompt]:
            if each.id in lines:
                first, other = lines[each.id]
                what = f"id {each.id!r} is" if row.prompt.id or other != hash else "this prompt is"
                raise InputError(f"{path}, line {row.line}: {what} already on line {first}; expected it once.")
            lines[each.id] = row.line, hash
            prompts.append(each)
    if not prompts:
        raise InputError(f"{path} holds no prompts.")
    _check_paraphrases(path, prompts, {id: line for id, (line, _) in lines.items()})
    return prompts


def _check_paraphrases(path: Path, prompts: Sequence[Prompt], lines: Mapping[str, int]) -> None:
    """InputError for a question that is said to be a paraphrase of what it cannot be one of."""
    questions = {prompt.id: prompt.answers for prompt in prompts if prompt.answers is not None}
    for id, answers in questions.items():
        if not (of := answers.paraphrase_of):
            continue
        where = f'{path}, line {lines[id]}, field "paraphrase_of"'
        if of == id or of not in questions:
            what = "the question itself" if of == id else f"no question of the file has the id {of!r}"
            near = did_you_mean(of, [each for each in questions if each != id])
            raise InputError(f"{where}: {what}; expected the id of another one. {near}".rstrip())
        if why := answers.why_no_paraphrase(questions[of]):
            raise InputError(f"{where}: {of!r}: {why}.")


def _read_jsonl(path: Path) -> Iterator[_Row]:
    for number, record in json_lines(path, read_utf8(path), 'an object like {"prompt": "..."}'):
        yield _row(number, record, f"{path}, line {number}")


def _row(line: int, record: dict[str, object], where: str) -> _Row:
    answers = answer_fields.answer_options(record, where)
    constraints, rung = prompt_fields.constraints_of(record, where), prompt_fields.rung_of(record, where)
    if constraints and (answers is not None or rung is not None):
        raise InputError(f'{where}, field "constraints": a survey question, or a rung of a ladder, has none.')
    prompt = replace(prompt_of(record, where), id=_id(record, where), answers=answers, rung=rung)
    return _Row(line, prompt, constraints)


def prompt_of(record: dict[str, object], where: str) -> Prompt:
    """The text of a record and the messages before it, without an id. InputError names the field that is wrong."""
    for field in _TEXT_FIELDS:
        if field in record:
            text = _text(record[field], where, field).strip()
            return Prompt("", text, earlier=prompt_fields.messages_beside(record, text, where))
    if "messages" not in record:
        raise InputError(f'{where}: no prompt; expected a field "prompt", "text" or "messages".')
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


def _read_csv(path: Path) -> Iterator[_Row]:
    known = (*_TEXT_FIELDS, "id", *answer_fields.FIELDS, *prompt_fields.FIELDS)
    for row in read_csv_table(path, known, [(*_TEXT_FIELDS, "messages")]).rows:
        where = f"{path}, line {row.line}"
        record: dict[str, object] = {name: cell for name, cell in row.cells.items() if name in _TEXT_FIELDS}
        if row.cells.get("id", "").strip():
            record["id"] = row.cells["id"]
        record |= answer_fields.from_cells(row.cells, where) | prompt_fields.from_cells(row.cells, where)
        yield _row(row.line, record, where)


def _read_txt(path: Path) -> Iterator[_Row]:
    for number, line in enumerate(split_lines(read_utf8(path)), start=1):
        if line.strip():
            yield _Row(number, Prompt("", line.strip()))


_READERS: dict[str, Callable[[Path], Iterator[_Row]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".txt": _read_txt,
}
