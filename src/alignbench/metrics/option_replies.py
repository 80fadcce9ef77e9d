"""Which option a reply to a survey question chooses, by its letter, else by its text; how a prompt lists options."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alignbench.answer_options import LETTERS, AnswerOptions
from alignbench.metrics.abstention import abstains

REFUSAL = -1
"""A reply that declines to answer in words of its own; an option of refusal is an option."""

_MARKS = "*_`\"'\u2018\u2019\u201c\u201d#>~ \t\r\n"
_ALONE = re.compile(
    r"(?:(?:option|answer|choice)\s*)?[(\[{]?([A-Z])(?:[)\]}.:,;!]|\s*$|\s*[\n\u2013\u2014]|\s+-)", re.IGNORECASE
)
_NAMED = re.compile(
    r"\b(?i:answer|option|choice|choose|chose|pick|select|go with|letter)\b"
    r"(?:\s+(?:is|would be|for|option|letter))*\s*:?\s*[(\[*_`\"']*"
    r"([B-HJ-Z]\b|[AI]\b(?!['\u2019]|\s(?!because|since|as\b)[a-z]))"  # A and I are words too
)
_ANOTHER = re.compile(r"\s*(?:,|/|&|\bor\b|\band\b)\s*(?:option\s+)?[(\[]?([A-Z])\b(?![ ]?[a-z])")
_LISTED = re.compile(r"^\W*([A-Z])[.):]", re.MULTILINE)
_LINE = re.compile(r"^\s*[(\[]?([A-Z])[.):\]]\s+(.*\S)\s*$", re.MULTILINE)
_SPACE = re.compile(r"\s+")


def order_listed(text: str, answers: AnswerOptions) -> tuple[int, ...]:
    """The order in which a text lists the options, as places in `answers.options`, a line each with letters from A on;
    empty where it does not list all of them so."""
    texts = [" ".join(each.casefold().split()) for each in answers.texts]
    listed = {letter: " ".join(said.casefold().split()) for letter, said in _LINE.findall(text)}
    order = [listed.get(letter, "") for letter in LETTERS[: len(texts)]]
    return tuple(map(texts.index, order)) if sorted(order) == sorted(texts) else ()


def parse_reply(text: str, answers: AnswerOptions, *, refused: bool = False) -> int | None:
    """The place of the option that a reply chooses, among `answers.options`; REFUSAL, or None where it cannot be told.

    By letter: the reply is a letter, begins with one that a mark or a line end follows, or names one ("the answer is
    B"); several letters, as of a list of options, are no choice. By text: it begins with the text of an option, or has
    that of exactly one.

    Args:
        text: the reply
        answers: of the prompt, in the order that it shows
        refused: whether the server says that it is a refusal
    """
    said = text.strip(_MARKS)
    by_letter = _letter(said, answers)
    if by_letter is not None:
        return None if by_letter < 0 else answers.shown[by_letter]
    by_text = _option(said, answers)
    if by_text is not None:
        return by_text
    return REFUSAL if refused or abstains(text) else None


def _letter(said: str, answers: AnswerOptions) -> int | None:
    """The place in the shown order; -1 for several letters, None for none."""
    match = _ALONE.match(said) or _NAMED.search(said)
    if match is None:
        return None
    place = LETTERS.find(match[1].upper())
    if match[1].islower() and len(said) > len(match[0]):  # an article, unless it stands alone
        return None
    if not 0 <= place < len(answers.shown):
        return None
    listed = {LETTERS.find(letter) for letter in _LISTED.findall(said)}
    if another := _ANOTHER.match(said, match.end(1)):
        listed |= {place, LETTERS.find(another[1])}
    return -1 if len({each for each in listed if each < len(answers.shown)}) > 1 else place


def _option(said: str, answers: AnswerOptions) -> int | None:
    """The place of the option whose text a reply begins with, the longest of them, or has as the only one."""
    folded = _folded(said)
    texts = [_folded(each) for each in answers.texts]
    opening = [i for i, each in enumerate(texts) if re.match(rf"{re.escape(each)}(?!\w)", folded)]
    if opening:
        return max(opening, key=lambda i: len(texts[i]))
    there = [*_said_in(folded, texts)]
    return there[0] if len(there) == 1 else None


def _said_in(folded: str, texts: list[str]) -> Iterator[int]:
    """Places of the texts that are said, those left out that are said only as a part of a longer one."""
    for i, each in sorted(enumerate(texts), key=lambda one: -len(one[1])):
        said = re.compile(rf"(?<!\w){re.escape(each)}(?!\w)")
        if said.search(folded):
            folded = said.sub(" ", folded)
            yield i


def _folded(text: str) -> str:
    return _SPACE.sub(" ", text.replace("\u2019", "'").casefold()).strip(" .,;:!\"'*_`()[]")
