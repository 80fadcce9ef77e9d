"""Texts that the tests of scores share: known answers, many scripts, hostile ones."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from alignbench.metrics.values import WORKBENCH, Response, RunningScore, Value, WordMode

T3 = ["the cat sat on the mat", "the cat sat on the rug", "a dog ran in the park"]
ID3 = [T3[0]] * 3
JANE = ["Look, Jane.", "See Spot.", "See Spot run.", "Run, Spot, run.", "Jane sees Spot run."]
HOSTILE = [
    "[/] [INST] [@click=app.quit]x[/]",
    "\x1b]52;c;aGk=\x07 \x1b[2J",
    "\u202eright to left\u202c",
    "nul \x00 inside",
    "lone \ud800 surrogate",
    "x" * 10_000,
]

_WORDS = [
    "cat",
    "Dog",
    "the",
    "AND",
    "don't",
    "naïve",
    "straße",
    "кот",
    "СОБАКА",
    "猫",
    "犬を",
    "قطة",
    "हिन्दी",
    "😀",
    "3.14",
    "—",
]
texts = st.one_of(
    st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join),
    st.text(max_size=40),
    st.sampled_from([*HOSTILE, "", " \n"]),
)
"""Short texts of repeating words in several scripts, any Unicode at all, and hostile ones."""

SPLIT = WordMode("split", "split", lambda text: tuple(text.split()), frozenset())
"""Words are what stands between white space, as the reference packages take them here."""

_SCRIPTS = [
    ["the", "cat", "sat", "on", "a", "mat", "and", "ran", "home", "again"],
    ["кот", "сидел", "на", "коврике", "и", "снова", "пошёл", "домой"],
    list("猫坐在垫子上然后又回家了"),
    ["جلست", "القطة", "على", "السجادة", "ثم", "عادت", "إلى", "البيت"],
    ["😀", "👍🏽", "👩‍👩‍👧", "🎉", "🇩🇪"],
]
_VOCABULARY = [word for script in _SCRIPTS for word in script]
spaced = st.lists(st.sampled_from(_VOCABULARY), max_size=30).map(" ".join)
"""Random texts of repeating words in Latin, Cyrillic, Chinese, Arabic and emoji, a space between words."""


def value_of(score: RunningScore, texts: Sequence[str], mode: WordMode = WORKBENCH) -> Value:
    """A running score's value over texts."""
    for i, text in enumerate(texts):
        score.add(Response(i, text, mode))
    return score.value()
