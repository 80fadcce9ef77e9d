"""Responses to score, a prompt at a time: from a JSONL file or from a session in the database."""

from __future__ import annotations

import codecs
import json
import math
import shutil
import tempfile
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol, Self

from alignbench.errors import InputError
from alignbench.metrics.values import Value
from alignbench.metrics.words import words
from alignbench.parsing import parse_json
from alignbench.scoring.contested import contested_prompts, contested_texts
from alignbench.scoring.draws import is_draw
from alignbench.scoring.token_scores import NO_ENTROPIES, NO_LOGPROBS, OF_LOGPROBS, logprob_scores, token_scores
from alignbench.scoring.truncation import Truncation, session_truncations
from alignbench.spec import content_hash
from alignbench.store import Store
from alignbench.textfiles import json_type

FIELDS = ("prompt_id", "condition", "text")
_EXPECTED = 'expected an object like {"prompt_id": "1", "condition": "base", "text": "..."}'

Texts = Mapping[int, str]  # index of a sample -> its text
CellTexts = dict[str, dict[int, str]]  # condition -> index of the sample -> its text


class Responses(Protocol):
    """prompts, conditions: ids and names in order of first appearance. left_out: errors and cancelled samples.

    contested: prompts whose answers differ in stance, which embeddings do not see.
    """

    prompts: tuple[str, ...]
    conditions: tuple[str, ...]
    n: int
    left_out: int
    contested: frozenset[str]

    def cells(self, prompt: str) -> CellTexts:
        """The finished responses to a prompt; a condition without one may be missing."""

    def token_scores(self, prompt: str, names: Collection[str], /) -> dict[str, dict[str, Value]]:
        """Scores of the tokens that were drawn, by condition and name; without those that nothing is known of."""


def all_texts(responses: Responses) -> Iterator[str]:
    """Every response, prompt by prompt."""
    for prompt in responses.prompts:
        for cell in responses.cells(prompt).values():
            yield from cell.values()


class SessionResponses:
    """The finished samples of a session; of a reply with several answers the one that is drawn (see `draws`)."""

    def __init__(
        self, store: Store, session: int, conditions: Collection[str] | None = None, *, may_be_empty: bool = False
    ) -> None:
        """conditions: only those of these names, None for all of them.

        InputError where there is no such session, or, unless it may be empty, it has no finished sample.
        """
        store.session(session)
        counts = {of.condition: of for of in store.counts(session)}
        kept = {name: of for name, of in counts.items() if conditions is None or name in conditions}
        self.n, self.left_out = (sum(of.samples for of in kept.values()), sum(of.errors for of in kept.values()))
        if not self.n and not may_be_empty:
            raise InputError(f"Session {session} has no finished samples to score.")
        self._store, self._session = store, session
        self._cells: dict[str, dict[str, int]] = {}
        for cell in store.cells(session):
            if cell.condition in kept and cell.n:  # others have log-probs of options alone
                self._cells.setdefault(cell.prompt_id, {})[cell.condition] = cell.id
        self.prompts = tuple(prompt.id for prompt in store.prompts(session) if prompt.id in self._cells)
        self.conditions = tuple(kept)
        self.contested = contested_prompts(store, session) & {*self.prompts}
        self._prompts = {prompt.id: prompt for prompt in store.prompts(session)}

    def prompt_text(self, prompt: str) -> str | None:
        """The text of a prompt."""
        return self._prompts[prompt].text if prompt in self._prompts else None

    def whole_prompt(self, prompt: str) -> str | None:
        """The same with the messages before it."""
        return self._prompts[prompt].shown if prompt in self._prompts else None

    def cells(self, prompt: str) -> CellTexts:
        return {
            condition: {
                row.sample: row.text
                for row in self._store.samples(self._session, cell_id=cell_id)
                if row.status == "done" and is_draw(row)
            }
            for condition, cell_id in self._cells.get(prompt, {}).items()
        }

    def token_scores(self, prompt: str, names: Collection[str]) -> dict[str, dict[str, Value]]:
        return {
            condition: token_scores(self._store.samples(self._session, cell_id=cell_id), self._store.token_stats, names)
            for condition, cell_id in self._cells.get(prompt, {}).items()
        }

    @property
    def truncations(self) -> dict[str, Truncation]:
        """By condition."""
        return {n: of for n, of in session_truncations(self._store, self._session).items() if n in self.conditions}


class FileResponses:
    """A JSONL file, one {"prompt_id", "condition", "text"} a line, in any order; other fields are ignored.

    The whole file is checked when it is opened. Only where each line begins is kept, so memory does not grow with the
    texts. The n-th line of a cell is its sample n. Lines whose `status` is not done are counted and left out, and so is
    the line of scores that ends the output of `alignbench sample --json`.
    """

    def __init__(self, path: Path) -> None:
        """InputError, with file, line and field, for anything else."""
        self._path = path
        self._file = _open(path)
        self._lines: dict[str, dict[str, array[int]]] = {}
        self.n = self.left_out = 0
        self._finishes: dict[str, Counter[str]] = {}
        self._asked: dict[str, str] = {}  # prompt -> hash of the text it stands for
        conditions: dict[str, None] = {}
        try:
            for prompt, condition, start in self._read():
                conditions.setdefault(condition)
                self._lines.setdefault(prompt, {}).setdefault(condition, array("q")).append(start)
                self.n += 1
            if not self.n:
                raise InputError(f"{path} holds no finished responses; {_EXPECTED} a line.")
        except BaseException:
            self._file.close()
            raise
        self.prompts, self.conditions = tuple(self._lines), tuple(conditions)
        asked = {prompt: self.prompt_text(prompt) for prompt in self.prompts}
        self.contested = frozenset(prompt for prompt, text in asked.items() if text and text in contested_texts())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def cells(self, prompt: str) -> CellTexts:
        return {
            condition: {sample: self._text(start) for sample, start in enumerate(starts)}
            for condition, starts in self._lines[prompt].items()
        }

    def token_scores(self, prompt: str, names: Collection[str]) -> dict[str, dict[str, Value]]:
        """Where every response of a cell has `logprob` and `n_tokens`, as `alignbench sample --json` writes them; those
        that are null are left out."""
        scores = {}
        for condition, starts in self._lines[prompt].items():
            lines = [self._line(start) for start in starts]
            counts = [(line.get("logprob"), line.get("n_tokens")) for line in lines]
            known = all(line.keys() >= {"logprob", "n_tokens"} for line in lines) and all(
                value is None or _is_number(value) for pair in counts for value in pair
            )
            scores[condition] = dict.fromkeys(names, Value(None, 0, NO_ENTROPIES))
            unknown = {name: Value(None, 0, NO_LOGPROBS) for name in OF_LOGPROBS if name in names}
            scores[condition] |= logprob_scores(counts, names) if known else unknown
        return scores

    @property
    def truncations(self) -> dict[str, Truncation]:
        """By condition, from the field `finish_reason`; not known where a response has neither stop nor length."""
        return {
            condition: Truncation(
                None if finishes.keys() - {"stop", "length"} else finishes["length"], finishes.total()
            )
            for condition, finishes in self._finishes.items()
        }

    def prompt_text(self, prompt: str) -> str | None:
        """The field `prompt` of the first response to a prompt, None without one."""
        text = self._line(next(iter(self._lines[prompt].values()))[0]).get("prompt")
        return text if isinstance(text, str) and text.strip() else None

    def whole_prompt(self, prompt: str) -> str | None:
        """The same: other messages of a prompt are not read here."""
        return self.prompt_text(prompt)

    def _text(self, start: int) -> str:
        return str(self._line(start)["text"])

    def _line(self, start: int) -> dict[str, Any]:
        self._file.seek(start)
        line: dict[str, Any] = parse_json(self._file.readline().decode("utf-8"))
        return line

    def _read(self) -> Iterator[tuple[str, str, int]]:
        """Prompt, condition and offset of every finished response."""
        names: dict[str, str] = {}  # one object for each name, however many lines have it
        start = 0
        for number, raw in enumerate(self._file, start=1):
            end = start + len(raw)
            if number == 1 and raw.startswith(codecs.BOM_UTF8):
                start += len(codecs.BOM_UTF8)
                raw = raw[len(codecs.BOM_UTF8) :]
            if raw.strip():
                record = self._record(raw, number, start)
                if record is not None:
                    prompt, condition = (names.setdefault(name, name) for name in record)
                    yield prompt, condition, start
            start = end

    def _record(self, raw: bytes, number: int, start: int) -> tuple[str, str] | None:
        """Prompt and condition of a line; None where it is to be left out."""
        where = f"{self._path}, line {number}"
        if number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise InputError(f"{self._path} is UTF-16; expected UTF-8. Save it as UTF-8.")
        try:
            record = parse_json(raw.decode("utf-8"), once=True)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{where}: byte 0x{raw[error.start]:02x} at offset {start + error.start} is not UTF-8; "
                "expected a file saved as UTF-8."
            ) from None
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: not JSON: {error.msg} at character {error.pos + 1}; {_EXPECTED}.") from None
        except ValueError as error:  # a number of many digits; brackets in brackets
            raise InputError(f"{where}: not JSON that can be read: {error}; {_EXPECTED}.") from None
        if not isinstance(record, dict):
            raise InputError(f"{where}: {json_type(record)}; {_EXPECTED}.")
        if record.keys() == {"scores"}:
            return None
        if record.get("status", "done") != "done":
            self.left_out += 1
            return None
        for name in FIELDS:
            if name not in record:
                raise InputError(f'{where}, field "{name}": missing; {_EXPECTED}.')
            whole = name == "prompt_id" and isinstance(record[name], int) and not isinstance(record[name], bool)
            if not (isinstance(record[name], str) or whole):
                raise InputError(f'{where}, field "{name}": {json_type(record[name])}; expected a text.')
            if name != "text" and record[name] == "":
                raise InputError(f'{where}, field "{name}": empty; expected a name.')
        id, text = str(record["prompt_id"]), record.get("prompt")
        asked = content_hash(text.strip()) if isinstance(text, str) else ""
        if asked and self._asked.setdefault(id, asked) != asked:
            raise InputError(f'{where}, field "prompt_id": {id!r} stood for another prompt before; expected one text.')
        self._finishes.setdefault(record["condition"], Counter())[str(record.get("finish_reason"))] += 1
        return id, record["condition"]


class Truncated:
    """Responses cut after their first words, so that all are compared at one length."""

    def __init__(self, responses: Responses, n_words: int) -> None:
        self._responses, self._n_words = responses, n_words
        self.prompts, self.conditions = responses.prompts, responses.conditions
        self.n, self.left_out, self.contested = responses.n, responses.left_out, responses.contested

    def cells(self, prompt: str) -> CellTexts:
        return {
            condition: {sample: opening(text, self._n_words) for sample, text in cell.items()}
            for condition, cell in self._responses.cells(prompt).items()
        }

    def token_scores(self, prompt: str, names: Collection[str]) -> dict[str, dict[str, Value]]:
        """None: what is kept is of whole responses."""
        whole = Value(None, 0, "the tokens are of whole responses, and these are cut")
        return {condition: dict.fromkeys(names, whole) for condition in self._responses.cells(prompt)}


def opening(text: str, n_words: int) -> str:
    """The first `n_words` words of a text, as the scores count them (`scores.words`), or all of a shorter one."""
    if len(words(text)) <= n_words:
        return text
    end = 0
    left = n_words
    for piece in text.split():
        start = text.index(piece, end)
        here = len(words(piece))
        if here > left:  # several words without a space between them
            return text[: start + _length_of(piece, left)].rstrip()
        left, end = left - here, start + len(piece)
        if not left:
            break
    return text[:end]


def _length_of(text: str, n_words: int) -> int:
    """How many characters have the first `n_words` words."""
    lengths = range(len(text) + 1)
    return bisect_right(lengths, n_words, key=lambda length: len(words(text[:length]))) - 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _open(path: Path) -> IO[bytes]:
    """A file that can be read from any place; a pipe is copied first."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; expected a file.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    if file.seekable():
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - it is the caller's to close
    with file:
        shutil.copyfileobj(file, copy)
    copy.seek(0)
    return copy
