"""Texts that the tests of scores share: known answers, many scripts, hostile ones."""

from __future__ import annotations

from hypothesis import strategies as st

T3 = ["the cat sat on the mat", "the cat sat on the rug", "a dog ran in the park"]
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
