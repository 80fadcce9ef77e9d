"""Porter's stemmer for English (Porter 1980, An algorithm for suffix stripping), with the extensions NLTK gives it.

The paper's numbers are those of NLTK's `PorterStemmer`, and this one gives the same stems. Importing NLTK alone takes
longer than to count all words of a thousand responses. Words of other languages mostly stay as they are.
"""

from __future__ import annotations

from collections.abc import Container
from functools import cache

_IRREGULAR = {
    form: stem
    for stem, forms in {
        "sky": ("sky", "skies"),
        "die": ("dying",),
        "lie": ("lying",),
        "tie": ("tying",),
        "news": ("news",),
        "inning": ("innings", "inning"),
        "outing": ("outings", "outing"),
        "canning": ("cannings", "canning"),
        "howe": ("howe",),
        "proceed": ("proceed",),
        "exceed": ("exceed",),
        "succeed": ("succeed",),
    }.items()
    for form in forms
}

# Of each step the endings and what takes their place; the longest that fits is the only one tried.
_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize", "bli": "ble", "alli": "al",
    "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize", "ation": "ate", "ator": "ate", "alism": "al",
    "iveness": "ive", "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble",
    "fulli": "ful", "logi": "log",
}  # fmt: skip
_STEP_3 = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": ""}
_STEP_4 = frozenset({
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
})  # fmt: skip


@cache
def stem(word: str) -> str:
    """The stem of a word, lower case."""
    lower = word.lower()
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if len(word) <= 2:
        return lower
    return _step_5(_step_4(_step_3(_step_2(_step_1c(_step_1b(_step_1a(lower)))))))


def _step_1a(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _step_1b(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        if word.endswith(ending) and "v" in _shape(word[: -len(ending)]):
            return _mended(word[: -len(ending)])
    return word


def _mended(word: str) -> str:
    """What -ed and -ing leave, as a word again: conflat(ed) to conflate, hopp(ing) to hop, fil(ing) to file."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if len(word) > 1 and word[-1] == word[-2] and _shape(word)[-1] == "c":
        return word if word[-1] in "lsz" else word[:-1]
    return word + "e" if _measure(word) == 1 and _ends_short(word) else word


def _step_1c(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and len(word) > 2 and _shape(word[:-1])[-1] == "c" else word


def _step_2(word: str) -> str:
    if word.endswith("alli") and _measure(word[:-4]) > 0:
        return _step_2(word[:-2])
    before, ending = _cut(word, _STEP_2)
    # The l of -logi counts with what stands before it, so that geo- and theo- go like archaeo-.
    counted = before + "l" if ending == "logi" else before
    return before + _STEP_2[ending] if ending and _measure(counted) > 0 else word


def _step_3(word: str) -> str:
    before, ending = _cut(word, _STEP_3)
    return before + _STEP_3[ending] if ending and _measure(before) > 0 else word


def _step_4(word: str) -> str:
    before, ending = _cut(word, _STEP_4)
    if not ending or _measure(before) < 2 or (ending == "ion" and before[-1] not in "st"):
        return word
    return before


def _step_5(word: str) -> str:
    if word.endswith("e"):
        measure = _measure(word[:-1])
        if measure > 1 or (measure == 1 and not _ends_short(word[:-1])):
            word = word[:-1]
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _cut(word: str, endings: Container[str]) -> tuple[str, str]:
    """The word without the longest of the endings, and that ending; the whole word and nothing where it has none."""
    for length in range(min(7, len(word)), 1, -1):
        if word[-length:] in endings:
            return word[:-length], word[-length:]
    return word, ""


def _measure(word: str) -> int:
    """Porter's m: how often consonants follow vowels."""
    return _shape(word).count("vc")


def _ends_short(word: str) -> bool:
    """Consonant, vowel, consonant at the end, the last not w, x or y; or a word of a vowel and a consonant."""
    shape = _shape(word)
    return shape == "vc" or (shape.endswith("cvc") and word[-1] not in "wxy")


class _Letters(dict[int, str]):
    def __missing__(self, _: int) -> str:
        return "c"


_LETTERS = _Letters({ord(vowel): "v" for vowel in "aeiou"} | {ord("y"): "y"})


def _shape(word: str) -> str:
    """The word's letters as c and v, consonants and vowels; y is a vowel after a consonant."""
    shape = word.translate(_LETTERS)
    if "y" not in shape:
        return shape
    letters = ""
    for letter in shape:
        letters += letter if letter != "y" else "v" if letters.endswith("c") else "c"
    return letters
