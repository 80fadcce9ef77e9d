"""Hints: what a maker is asked for, and how much a hint gives away of the response it was made from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from alignbench import paths
from alignbench.errors import InputError
from alignbench.metrics.words import content_words, words
from alignbench.spec import Context, Hint, Level
from alignbench.textfiles import read_utf8

QUOTE = 8  # words in a row that make a quotation

_PROMPT, _RESPONSE = "{prompt}", "{response}"
_FENCE = "```"


def hint_template(level: Level) -> str:
    """The request for a hint of a level, as it ships. InputError for a level that is not made from a response."""
    path = _folder() / f"{level}.txt"
    if not path.is_file():
        raise InputError(f"Level {level} has no template; expected one of {', '.join(made_levels())}.")
    return read_utf8(path)


def made_levels() -> list[Level]:
    """The levels that ship with a template, from the lowest resolution to the highest."""
    order: tuple[Level, ...] = ("keywords", "topics", "outline", "sentence", "summary")
    return [level for level in order if (_folder() / f"{level}.txt").is_file()]


def example_hint(context: Context) -> Hint | None:
    """What hints the examples of a context get where they have none; None where none are made.

    As the query's, made of each example's own answer. A query whose hint is written, by hand or by the model that
    answers, says the maker alone: the level is the query's, or a summary where that is written first.
    """
    examples, hint = context.examples, context.hint
    if examples is None or not examples.hints or hint is None:
        return None
    level: Level = "summary" if hint.level == "first" else hint.level
    return Hint(
        level,
        condition=examples.condition,
        sample=examples.sample,
        maker=hint.maker or examples.condition,
        template=hint.template or hint_template(level),
    )


def hint_request(template: str, prompt: str, response: str) -> str:
    """What the maker is asked: a template with {prompt} and {response} filled in.

    Raises InputError where the template does not show the response.
    """
    if _RESPONSE not in template:
        raise InputError("The hint template has no {response}; expected it where the response is to stand.")
    fields = {_PROMPT: prompt.strip(), _RESPONSE: response.strip()}
    return re.sub(r"\{prompt\}|\{response\}", lambda match: fields[match[0]], template).strip()


@dataclass(frozen=True, slots=True)
class GiveAway:
    """How much of a response a hint holds.

    Attributes:
        recall: share of the response's different content words that are in the hint, 0 to 1, None for a response
            without any
        longest_quote: words of the longest run that both share
    """

    recall: float | None
    longest_quote: int

    @property
    def quotes(self) -> bool:
        return self.longest_quote >= QUOTE


def give_away(hint: str, response: str) -> GiveAway:
    """Compare a hint with the response it was made from; case and punctuation do not count."""
    a, b = words(hint), words(response)
    content = content_words(b)
    recall = len(content & content_words(a)) / len(content) if content else None
    longest = SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size
    return GiveAway(recall, longest)


@dataclass(frozen=True, slots=True)
class HintFirst:
    """What a model wrote that gives a hint before it answers."""

    hint: str
    answer: str | None  # None where it did not get that far


_TURN = re.compile(r"\n```\s*# Answer:[ \t]*\n```[ \t]*\n?")


def parse_hint_first(text: str) -> HintFirst:
    """Hint and answer of a text that was written into the open hint block of the plain layout."""
    turn = _TURN.search("\n" + text)
    if turn is None:
        return HintFirst(text.split("\n" + _FENCE, 1)[0].strip(), None)
    answer = ("\n" + text)[turn.end() :].rstrip()
    return HintFirst(("\n" + text)[: turn.start()].strip(), answer.removesuffix(_FENCE).strip())


def _folder() -> Path:
    return paths.shipped_prompts() / "hints"
