"""The fields of a context as the composer shows them: which matter, what they hold, and how keys and text change them.

Every change gives a new context.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from alignbench import bounds
from alignbench.contexts.files import load_context
from alignbench.errors import InputError
from alignbench.spec import Context, Draw, EmbedderPrompt, Examples, Order, Overflow, Select
from alignbench.textfiles import home_expanded
from alignbench.tui.condition_text import pool_words
from alignbench.tui.text import number, one_line

NO_EXAMPLES = "There are no examples yet; F2 picks a set, a writes one."
MMR = 0.5  # the weight that maximal marginal relevance begins with

_TENTHS = tuple(i / 10 for i in range(1, 11))
_TWENTIETHS = tuple(i / 20 for i in range(10, 21))

_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "select": get_args(Select),
    "order": get_args(Order),
    "draw": get_args(Draw),
    "template": ("plain", "chat"),
    "overflow": get_args(Overflow),
    "mmr": (None, *_TENTHS),
    "near_duplicate": _TWENTIETHS,
    "verbalized": (0, *range(2, 11)),
    "hints": (False, True),
}
_OF_CONTEXT = ("template", "instruction", "overflow", "verbalized")
_NUMBERS = ("k", "seed")
STEPPED = (*_CHOICES, *_NUMBERS)


@dataclass(frozen=True, slots=True)
class Written:
    """A field that takes text.

    Attributes:
        expected: What, in words.
        read: The value of a text; ValueError for anything else.
        spaces: Whether white space at its ends is part of it.
    """

    expected: str
    read: Callable[[str], Any]
    spaces: bool = False


def _off_or(read: Callable[[str], Any], off: Any) -> Callable[[str], Any]:
    return lambda text: off if text in ("", "off") else read(text)


def _embedder_prompt(text: str) -> EmbedderPrompt:
    """Of the query and, after a bar, of the pool's texts; `\\n` is the end of a line."""
    query, bar, document = text.replace("\\n", "\n").partition("|")
    return EmbedderPrompt(query, document if bar else query)


def _prompt_typed(prompt: EmbedderPrompt) -> str:
    parts = [prompt.query] if prompt.query == prompt.document else [prompt.query, prompt.document]
    return "|".join(parts).replace("\n", "\\n")


def _folder(text: str) -> str:
    path = home_expanded(text)
    if not path.is_dir():
        raise ValueError(text)
    return str(path.resolve())


WRITTEN: Mapping[str, Written] = {
    "k": Written(bounds.EXAMPLES.expected(""), partial(bounds.EXAMPLES.read, "k")),
    "seed": Written(bounds.SEED.expected(""), partial(bounds.SEED.read, "seed")),
    "mmr": Written(f"{bounds.FRACTION.expected('')}, or off", _off_or(partial(bounds.FRACTION.read, "mmr"), None)),
    "near_duplicate": Written(bounds.FRACTION.expected(""), partial(bounds.FRACTION.read, "near_duplicate")),
    "verbalized": Written(
        "2 or more answers to a reply, or off", _off_or(partial(bounds.VERBALIZED.read, "verbalized"), 0)
    ),
    "embedder": Written(
        "a folder with a sentence-transformers model, or off for the embedded one", _off_or(_folder, "")
    ),
    "embedder_prompt": Written(
        "what stands before the query and, after a |, before the examples, or off for the model's own",
        _off_or(_embedder_prompt, None),
        spaces=True,
    ),
}


def fields_of(context: Context) -> list[str]:
    """The fields that matter for a context as it is, in the order in which they are shown."""
    examples = context.examples
    names = ["set"]
    if examples is not None:
        names += ["select", "k"]
        if examples.select == "random":
            names.append("draw")
        if examples.select == "random" or examples.order == "shuffled":
            names.append("seed")
        names.append("order")
        if examples.select.startswith("nearest"):
            names.append("mmr")
        if examples.embedded:
            names += ["embedder", "embedder_prompt"]
        names.append("near_duplicate")
        if context.hint is not None:
            names.append("hints")
    names += ["template", "instruction", "overflow"]
    return [*names, "verbalized"] if context.template == "chat" or context.verbalized else names


def value_of(context: Context, field: str) -> str:
    """What a field holds, in words."""
    if field == "set":
        return one_line(pool_words(context.examples), 60)
    value = getattr(context if field in _OF_CONTEXT else context.examples or Examples(), field)
    match field:
        case "k":
            return "all" if value is None else str(value)
        case "instruction":
            return one_line(value, 60) or "none"
        case "mmr":
            return "off" if value is None else f"{number(value, 2)} similarity, {number(1 - value, 2)} novelty"
        case "near_duplicate":
            return number(value, 2)
        case "embedder":
            return one_line(Path(value).name, 40) if value else "the embedded one"
        case "embedder_prompt":
            return "the model's own" if value is None else one_line(_prompt_typed(value), 60)
        case "hints":
            return "made of each" if value else "their own"
        case "verbalized":
            return f"{value} answers to a reply" if value else "off"
    return str(value)


def as_written(context: Context, field: str) -> str:
    """What a field holds, as it is typed."""
    value = getattr(context if field in _OF_CONTEXT else context.examples or Examples(), field)
    if isinstance(value, EmbedderPrompt):
        return _prompt_typed(value)
    return "off" if value in (None, "", 0) and field != "seed" else str(value)


def stepped(context: Context, field: str, by: int) -> Context:
    """The next choice of a field, or a number one higher or lower."""
    if field in _OF_CONTEXT:
        return _with(context, field, _next(_CHOICES[field], getattr(context, field), by))
    examples = _there(context)
    if field in _NUMBERS:
        value = getattr(examples, field)
        if value is None:
            value = len(examples.pool.items) + (1 if by < 0 else 0)
        return _with(context, field, value + by)
    values = _CHOICES[field]
    if field == "order" and not examples.select.startswith("nearest"):
        values = tuple(value for value in values if not value.startswith("similar"))
    value = getattr(examples, field)
    if field == "mmr" and value is None and by > 0:
        return _with(context, field, MMR)
    return _with(context, field, _next(values, value, by))


def written(context: Context, field: str, text: str) -> Context:
    """The context with what was typed into a field. InputError says what was expected."""
    try:
        value = WRITTEN[field].read(text if WRITTEN[field].spaces else text.strip())
    except (ValueError, OverflowError):
        raise InputError(f"{field} is {text.strip()!r}; expected {WRITTEN[field].expected}.") from None
    return _with(context, field, value)


def _with(context: Context, field: str, value: Any) -> Context:
    changed: dict[str, Any] = {field: value}
    if field == "verbalized":
        return _verbalized(context, value)
    if field in _OF_CONTEXT:
        return replace(context, **changed)
    examples = _there(context)
    n = len(examples.pool.items)
    if field == "seed":
        changed[field] = max(0, value)
    elif field == "k":  # over the size of a fixed list it is all of it
        changed[field] = (
            None if examples.select == "fixed" and n and value > n else max(1, min(value, n) if n else value)
        )
    return replace(context, examples=_consistent(replace(examples, **changed)))


def _verbalized(context: Context, answers: int) -> Context:
    """An instruction that asks for the answers comes and goes with them, where there is no other."""
    shipped = load_context("verbalized").instruction
    instruction = context.instruction
    if answers and not instruction:
        instruction = shipped
    elif not answers and instruction == shipped:
        instruction = ""
    return replace(context, verbalized=answers, instruction=instruction)


def _there(context: Context) -> Examples:
    if context.examples is None:
        raise InputError(NO_EXAMPLES)
    return context.examples


def _consistent(examples: Examples) -> Examples:
    """Without what a method of selection has no use for: it would only change the condition's hash."""
    changed: dict[str, Any] = {}
    nearest = examples.select.startswith("nearest")
    if examples.select != "fixed" and examples.k is None:
        changed["k"] = min(3, len(examples.pool.items)) or 3
    if not nearest:
        changed["mmr"] = None
        if examples.order.startswith("similar"):
            changed["order"] = "given"
    if not examples.embedded:
        changed |= {"embedder": "", "embedder_prompt": None}
    if examples.select != "random":
        changed["draw"] = "prompt"
    if not examples.by_response:
        changed["teacher"] = ""
    return replace(examples, **changed)


def _next(values: Sequence[Any], value: Any, by: int) -> Any:
    if value in values:
        return values[(values.index(value) + by) % len(values)]
    if isinstance(value, float):  # typed: to its neighbour in the list
        numbers = [v for v in values if isinstance(v, float)]
        beyond = [v for v in numbers if v > value] if by > 0 else [v for v in reversed(numbers) if v < value]
        return beyond[0] if beyond else numbers[-1 if by > 0 else 0]
    return values[0]
