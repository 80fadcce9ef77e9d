"""Sentences of a text in many scripts, by rules: what coverage is counted in."""

from __future__ import annotations

import re

# A title or an abbreviation after which a sentence goes on, without its last point.
_ABBREVIATIONS = """
    mr mrs ms dr prof sr jr st mt vs etc e.g i.e cf al fig no vol pp approx dept est inc ltd co corp gov gen col sgt
    capt lt rev hon jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k a.m p.m ph.d
"""
_STARTERS = "the a an i he she it we they this that these those there but and in on at as if when"
_ABBREVIATED = frozenset(_ABBREVIATIONS.split())
_STARTING = frozenset(_STARTERS.split())

_LINE = re.compile(r"[\r\n\u2028\u2029]+")
_BULLET = re.compile(r"^\s*(?:[-*+\u2022\u2013]|#{1,6}|>|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+")
_CLOSING = r"[\"'\u2019\u201d\u00bb)\]}\u300d\u300f\uff09*_]*"
# Western and Arabic ends, which a space follows; Chinese, Japanese and Indian ones, which nothing need follow.
# Possessive, and only from the first mark of a row: a long row of marks is read once.
_WESTERN, _EASTERN = r"[.!?\u2026\u061f\u06d4]", r"[\u3002\uff01\uff1f\uff61\u0964\u0965]"
_END = re.compile(rf"(?<!{_WESTERN}){_WESTERN}++{_CLOSING}+(?=\s)|{_EASTERN}++{_CLOSING}+")
_LAST_WORD = re.compile(r"([^\s(\[\"'\u201c]+)\.$")
_FIRST_WORD = re.compile(r"\s*[\"'\u201c(\[]*([^\W\d_]+|\d)")
_INITIAL = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]$")


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text in order, without the white space and list marks around them; none is empty.

    A line break ends a sentence. So does a mark of . ! ? and their like before a space, but not the point of an
    abbreviation or initial that a sentence may go on after, or one before a small letter. What has no letter or digit
    is no sentence.
    """
    pieces = []
    for line in _LINE.split(text):
        line = _BULLET.sub("", line)
        start = 0
        for mark in _END.finditer(line):
            if _ends(line, mark):
                pieces.append(line[start : mark.end()])
                start = mark.end()
        pieces.append(line[start:])
    return tuple([sentence.strip() for sentence in pieces if any(map(str.isalnum, sentence))])


def _ends(line: str, mark: re.Match[str]) -> bool:
    if not mark.group().startswith((".", "\u2026")):
        return True
    following = _FIRST_WORD.match(line, mark.end())
    word = following.group(1) if following else ""
    if word.islower():
        return False
    before = _LAST_WORD.search(line, max(0, mark.start() - 40), mark.start() + 1) if mark.group()[0] == "." else None
    if before is None or mark.group().startswith(".."):
        return True
    last = before.group(1)
    if last.casefold() in _ABBREVIATED or (_INITIAL.match(last) and last != "I"):
        return word.casefold() in _STARTING
    return True
