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
# What may stand behind a mark and belongs to its sentence; a German or Danish quotation ends with what opens an English
# or French one, and a French one has a space before its end.
_QUOTES = "\"'\u2018\u2019\u201c\u201d\u00ab\u00bb\u2039\u203a"
_CLOSING = rf"(?:[{_QUOTES})\]}}\u300d\u300f\uff09*_]|[ \u00a0\u202f]\u00bb)*"
_EASTERN_CLOSING = r"[\"'\u2019\u201d\u300b\u300d\u300f\u3011\uff09)*_]*"
# Western marks, Arabic, Armenian and Ethiopic ones and their like, which a space follows; Chinese, Japanese, Indian,
# Khmer and Burmese ones, which nothing need follow.
# Possessive, and only from the first mark of a row: a long row of marks is read once.
_WESTERN = r"[.!?\u2026\u037e\u0589\u061f\u06d4\u1362\u1367\u1368\u166e\u1803\u203c\u2047-\u2049]"
_EASTERN = r"[\u3002\uff01\uff0e\uff1f\uff61\u0964\u0965\u104a\u104b\u17d4\u17d5\u1c7e\u1c7f]"
_END = re.compile(rf"(?<!{_WESTERN}){_WESTERN}++{_CLOSING}+(?=\s)|{_EASTERN}++{_EASTERN_CLOSING}+")
_CLOSED = re.compile(rf"[{_QUOTES})\]}}\u300d\u300f\uff09*_]")
# Behind a quotation: who says it.
_SAYING = """
    add admit agree announce answer ask beg boast bark begin breathe call chuckle command complain continue declare
    demand exclaim explain gasp groan growl grunt hiss inquire insist joke laugh moan mumble murmur mutter observe plead
    protest remark repeat respond scream shout shriek sigh sob stammer suggest urge wail warn whisper wonder yell
"""
_IRREGULAR = "said|says?|told|tells?|thought|thinks?|spoke|went|goes|began|begged|snap(?:s|ped)?|repl(?:y|ied|ies)"
_SAID = "|".join([rf"{verb.removesuffix('e')}e?[sd]?" for verb in _SAYING.split()] + [_IRREGULAR, "cr(?:y|ied|ies)"])
_WHO = r"[^\W\d_][\w'\u2019.-]*(?:\s+[^\W\d_][\w'\u2019.-]*){0,2}"
_TAG = re.compile(rf"\s+(?:{_WHO}\s+(?:{_SAID})|(?:{_SAID})\s+{_WHO})\b")
# Japanese quotes with a particle, Chinese with a verb behind.
_EASTERN_TAG = re.compile(
    "\u3068|\u3063\u3066|"
    "[^\u3002\uff01\uff1f\uff0c\u201c\u300c]{0,8}?[\u8bf4\u8aaa\u9053\u95ee\u554f\u558a\u53eb\u7b54\u60f3\u56b7]"
)
_LAST_WORD = re.compile(r"([^\s(\[\"'\u201c]+)\.$")
_FIRST_WORD = re.compile(r"\s*[\"'\u201c(\[]*([^\W\d_]+|\d)")
_INITIAL = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]$")


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text in order, without the white space and list marks around them; none is empty.

    A line break ends a sentence. So does a mark of . ! ? and their like before a space, but not the point of an
    abbreviation or initial that a sentence may go on after, or one before a small letter; nor the end of a quotation
    that a sentence goes on after: `"Really?" she asked.` is one. What has no letter or digit is no sentence.
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
    if _CLOSED.search(mark.group()) and _goes_on(line, mark.end()):
        return False
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


def _goes_on(line: str, end: int) -> bool:
    """Whether a sentence goes on behind a quotation: with a small letter, or with who says it."""
    following = _FIRST_WORD.match(line, end)
    if following is None:
        return False
    if following.group(1).islower():
        return True
    return bool((_TAG if line[end : end + 1].isspace() else _EASTERN_TAG).match(line, end))
