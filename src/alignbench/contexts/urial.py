"""Reading prompts in URIAL's layout: an instruction, fenced examples, and perhaps a query that waits for its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alignbench.errors import InputError
from alignbench.spec import Example

_HINTS = ("Summary", "Keywords", "Topics", "Outline", "Hint")
_FOLLOWERS = {"Query": (*_HINTS, "Answer"), "Answer": ("Query",), **dict.fromkeys(_HINTS, ("Answer",))}
_BLOCK = r"# (?P<name>{}):[ \t]*\n```[ \t]*\n"
_ANY_BLOCK = re.compile(r"^" + _BLOCK.format("|".join(_FOLLOWERS)), re.MULTILINE)
_INSTRUCTION = re.compile(r"\A\s*# Instructions?:?[ \t]*\n")
_LAST_FENCE = re.compile(r"\n?```\s*\Z")
_OPEN_END = re.compile(r"\s*\Z")


@dataclass(frozen=True, slots=True)
class UrialPrompt:
    """The pieces of a prompt in URIAL's layout.

    Attributes:
        query, hint: of a last block without an answer, empty where there is none
    """

    instruction: str
    examples: tuple[Example, ...]
    query: str = ""
    hint: str = ""


def parse_urial(text: str, called: str) -> UrialPrompt:
    """The pieces of a prompt; code fences inside a body are part of it.

    A fence closes its block only where the next block follows it, or nothing. called: what messages call the text.
    Raises InputError, with the line, for a block that is not closed or not the one that has to come.
    """
    text = text.replace("\r\n", "\n")
    instruction = ""
    first = _ANY_BLOCK.search(text)
    if first is None:
        raise InputError(f'{called}: no "# Query:" with a fence below it; expected a prompt in URIAL\'s layout.')
    if (head := _INSTRUCTION.match(text)) and head.end() <= first.start():
        instruction = text[head.end() : first.start()].strip()
    elif text[: first.start()].strip():
        raise InputError(f'{called}, line 1: expected "# Instructions:" or "# Query:" with a fence below it.')
    examples: list[Example] = []
    bodies: dict[str, str] = {}
    block: re.Match[str] | None = first
    if first["name"] != "Query":
        raise _unexpected(text, called, first, ("Query",))
    while block is not None:
        name = block["name"]
        if name == "Query":
            bodies = {}
        if name != "Query" and _OPEN_END.match(text, block.end()):
            return UrialPrompt(instruction, tuple(examples), bodies["Query"], _hint(bodies))
        body, following = _body(text, called, block)
        bodies[name] = body
        if name == "Answer":
            where = f"{called}, line {_line(text, block.start())}"
            try:
                examples.append(Example(bodies["Query"], body, _hint(bodies)))
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
        elif following is None:
            raise InputError(f'{called}, line {_line(text, block.start())}: no "# Answer:" follows this block.')
        block = following
    return UrialPrompt(instruction, tuple(examples))


def _body(text: str, called: str, block: re.Match[str]) -> tuple[str, re.Match[str] | None]:
    """The body of a block and the block that follows it, None at the end of the text."""
    name, start = block["name"], block.end()
    follows = re.compile(r"\n?```[ \t]*\n\s*" + _BLOCK.format("|".join(_FOLLOWERS[name])))
    # The body of an empty block has no line end of its own before the closing fence.
    close = next((m for m in follows.finditer(text, start) if m.start() == start or text[m.start()] == "\n"), None)
    heading = _ANY_BLOCK.search(text, start)
    if close is not None and heading is not None and heading.end() == close.end():
        return text[start : close.start()], heading
    if heading is not None:
        if re.search(r"(?:\A|\n)```\s*\Z", text[start : heading.start()]):
            raise _unexpected(text, called, heading, _FOLLOWERS[name])
        raise _unclosed(text, called, block)
    last = _LAST_FENCE.search(text, start)
    if last is None or not (last.start() == start or text[last.start()] == "\n"):
        raise _unclosed(text, called, block)
    return text[start : last.start()], None


def _hint(bodies: dict[str, str]) -> str:
    return next((bodies[name] for name in _HINTS if name in bodies), "")


def _unclosed(text: str, called: str, block: re.Match[str]) -> InputError:
    line = _line(text, block.start()) + 1
    return InputError(f'{called}, line {line}: the fence below "# {block["name"]}:" is never closed.')


def _unexpected(text: str, called: str, block: re.Match[str], expected: tuple[str, ...]) -> InputError:
    names = " or ".join(f'"# {name}:"' for name in expected)
    return InputError(f'{called}, line {_line(text, block.start())}: "# {block["name"]}:"; expected {names}.')


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
