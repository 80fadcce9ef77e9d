"""Prompt sets: the ones that ship, and the user's own files.

- .jsonl: one object a line: {"prompt": "..."}, or "text", or "messages" with one user message; perhaps "id"
- .csv: a header with a column `prompt` or `text`, and perhaps `id`
- both may have `options` and `groups`, which make a prompt a survey question; see `answer_fields`
- .txt: one prompt a line; blank lines are skipped

Prompts are stripped, ids are kept as they are. A prompt without an id gets one from the set's name and its text, so
that it keeps its id when lines around it come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from alignbench import answer_fields, bounds, paths
from alignbench.answer_options import AnswerOptions
from alignbench.csv_files import read_csv_table
from alignbench.errors import InputError, did_you_mean
from alignbench.spec import Prompt, content_hash, made_id
from alignbench.textfiles import json_lines, json_type, read_utf8, split_lines

_TEXT_FIELDS = ("prompt", "text")

_Row = tuple[int, str, str, AnswerOptions | None]  # line (from 1), id or "", prompt, options


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
            if (other := known.setdefault(prompt.id, prompt)).text != prompt.text:
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
    return _named(path, lambda text, _: made_id(content_hash(text), path.stem))[:limit]


def load_numbered(path: Path) -> list[Prompt]:
    """The prompts of a file, those without an id called after their place, from 0: two of them may have one text.

    Raises InputError as `load_prompts`.
    """
    return _named(path, lambda _, place: str(place))


def _named(path: Path, make_id: Callable[[str, int], str]) -> list[Prompt]:
    """The prompts of a file. make_id: the id of one without, from its text and its place."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected a file ({', '.join(_READERS)}).")
    if (read := _READERS.get(path.suffix.lower())) is None:
        raise InputError(f"{path}: unknown kind of file {path.suffix!r}; expected {', '.join(_READERS)}.")
    prompts: list[Prompt] = []
    lines: dict[str, tuple[int, str]] = {}
    for line, given, prompt, answers in read(path):
        id = given or make_id(prompt, len(prompts))
        if id in lines:
            first, text = lines[id]
            what = f"id {id!r} is" if given or text != prompt else "this prompt is"
            raise InputError(f"{path}, line {line}: {what} already on line {first}; expected it once.")
        lines[id] = line, prompt
        prompts.append(Prompt(id=id, text=prompt, set=path.stem, answers=answers))
    if not prompts:
        raise InputError(f"{path} holds no prompts.")
    return prompts


def _read_jsonl(path: Path) -> Iterator[_Row]:
    for number, record in json_lines(path, read_utf8(path), 'an object like {"prompt": "..."}'):
        where = f"{path}, line {number}"
        yield number, _id(record, where), _prompt(record, where), answer_fields.answer_options(record, where)


def _prompt(record: dict[str, object], where: str) -> str:
    for field in _TEXT_FIELDS:
        if field in record:
            return _text(record[field], where, field).strip()
    if "messages" not in record:
        raise InputError(f'{where}: no prompt; expected a field "prompt", "text" or "messages".')
    messages = record["messages"]
    if not isinstance(messages, list) or len(messages) != 1 or not isinstance(messages[0], dict):
        raise InputError(f'{where}, field "messages": expected a list of one message, from the user.')
    if (role := messages[0].get("role")) != "user":
        raise InputError(f'{where}, field "messages": the role is {role!r}; expected "user".')
    return _text(messages[0].get("content"), where, "messages[0].content").strip()


def _text(value: object, where: str, field: str, expected: str = "a prompt") -> str:
    if not isinstance(value, str):
        raise InputError(f'{where}, field "{field}": {json_type(value)}; expected a text.')
    if not value.strip():
        raise InputError(f'{where}, field "{field}": empty; expected {expected}.')
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f'{where}, field "{field}": character {error.start + 1} is half of a surrogate pair; '
            "expected text that can be written as UTF-8."
        ) from None
    return value


def _id(record: dict[str, object], where: str) -> str:
    id = record.get("id")
    if id is None:
        return ""
    if isinstance(id, int) and not isinstance(id, bool):
        return str(id)
    return _text(id, where, "id", "an id, or no such field")


def _read_csv(path: Path) -> Iterator[_Row]:
    for row in read_csv_table(path, (*_TEXT_FIELDS, "id", *answer_fields.FIELDS), [_TEXT_FIELDS]).rows:
        record: dict[str, object] = dict(row.cells)
        if not row.cells.get("id", "").strip():
            record.pop("id", None)
        where = f"{path}, line {row.line}"
        answers = answer_fields.answer_options(answer_fields.from_cells(row.cells, where), where)
        yield row.line, _id(record, where), _prompt(record, where), answers


def _read_txt(path: Path) -> Iterator[_Row]:
    for number, line in enumerate(split_lines(read_utf8(path)), start=1):
        if line.strip():
            yield number, "", line.strip(), None


_READERS: dict[str, Callable[[Path], Iterator[_Row]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".txt": _read_txt,
}
