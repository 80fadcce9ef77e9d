"""Words of a text in workbench mode: Unicode words, compatibility-normalized and case folded.

A word is a run of letters, digits and their combining marks; an apostrophe between letters and a point or comma
between digits belong to it (`don't`, `3.14`), a hyphen does not. Scripts that are written without spaces have no
words to find without a dictionary: there every character with its marks counts as one (Chinese characters, kana,
bopomofo, Thai, Lao, Burmese, Khmer). Korean is written with spaces and split at them. Punctuation, symbols and emoji
are no words. The boundaries follow Unicode's default ones (UAX 29) but for the choices named here.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache

VERSION = "1"  # of these rules and of the stop list; part of the version of every score that counts words

# Scripts without spaces: Thai and Lao, Burmese, Khmer, ideographic marks, kana and bopomofo, Chinese characters.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u3005-\u3007\u3021-\u3029\u3031-\u303c\u3041-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9fe\uaa60-\uaa7f\uf900-\ufaff\U0001b000-\U0001b16f"
    "\U00020000-\U0003ffff"
)
_JOINERS = "\u200c\u200d"  # invisible, inside words of Persian and of Indian scripts

# Function words of English: they say how a sentence is built and little of what it says. Contractions stand as they
# are written, with a straight apostrophe.
_FUNCTION_WORDS = """
    a an the
    i me my mine myself we us our ours ourselves you your yours yourself yourselves
    he him his himself she her hers herself it its itself they them their theirs themselves one ones oneself
    this that these those here there
    who whom whose which what whoever whatever whichever where when why how wherever whenever however
    someone somebody something somewhere anyone anybody anything anywhere everyone everybody everything everywhere
    nobody nothing nowhere none
    some any each every either neither both all few many much more most less least other others another such own same
    several enough no not nor
    about above across after against along among amongst around as at before behind below beneath beside besides
    between beyond by despite down during except for from in inside into like near of off on onto out outside over per
    since through throughout till to toward towards under underneath until unto up upon via with within without
    and or but if then else than so because while whereas although though unless whether yet once
    am is are was were be been being do does did doing done have has had having
    can could may might must shall should will would ought cannot
    very too also just only even still again already ever never often quite rather almost perhaps maybe well
    now thus therefore hence furthermore moreover nevertheless otherwise
    i'm i've i'd i'll we're we've we'd we'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd
    it'll they're they've they'd they'll that's that'd that'll there's there'd there'll here's who's who'd who'll what's
    what're what'll where's when's why's how's let's
    isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't mayn't mightn't mustn't shan't
    shouldn't won't wouldn't needn't oughtn't ain't y'all
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())

_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")  # controls, joiners and marks of direction, spaces, ends of lines


def is_empty(text: str) -> bool:
    """Whether nothing in a text can be seen: no character, or white space, controls and zero-width marks alone."""
    return all(unicodedata.category(character) in _INVISIBLE for character in text)


def words(text: str) -> tuple[str, ...]:
    """The words of a text in order, case folded, stop words included."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").replace("\u00ad", "")
    # Interned: a set of responses says the same words over and over.
    return tuple(map(sys.intern, _pattern(folded.isascii()).findall(folded)))


def word_spans(text: str) -> list[tuple[int, int, str]]:
    """Where the words stand in the text as it was written: start, end, and the word as `words` gives it.

    For marking words in a text; a few letters that normalization joins with their neighbours may be told otherwise.
    """
    matches = _pattern(False).finditer(text.replace("\u2019", "'"))
    return [(match.start(), match.end(), word) for match in matches if (word := "".join(words(match.group())))]


def content_words(of: Iterable[str]) -> frozenset[str]:
    """The set of words that are no stop words."""
    return frozenset(of) - STOP_WORDS


@cache
def _pattern(ascii_only: bool) -> re.Pattern[str]:
    """What a word looks like. ASCII has a pattern of its own, which finds the same words in half the time."""
    if ascii_only:
        return re.compile(_word("[a-z0-9]", inside=""))
    # Read from Python's own character database at first use, in some 20 ms.
    marks = _ranges(c for c in range(0x300, 0x1F000) if unicodedata.category(chr(c))[0] == "M")
    marks = f"[{marks}\U000e0100-\U000e01ef{_JOINERS}]"
    spaced = _word(rf"[^\W_{_UNSPACED}]", inside=f"{marks}+|")
    return re.compile(rf"{spaced}|(?!_)\w(?<=[{_UNSPACED}]){marks}*")


def _word(letter: str, inside: str) -> str:
    """A run of letters, and what may stand inside it: an apostrophe, a point or comma between digits, and `inside`."""
    return rf"{letter}+(?:(?:{inside}'(?={letter})|(?<=\d)[.,](?=\d)){letter}*)*"


def _ranges(points: Iterable[int]) -> str:
    """Ascending code points as the inside of a character class."""
    runs: list[list[int]] = []
    for point in points:
        if runs and runs[-1][1] == point - 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in runs)
