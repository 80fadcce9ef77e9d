"""What `visible` lets through, and what it shows instead."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.display import escaped, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [/] text\n\twith [bold", "plain [/] text\n\twith [bold"),
        ("Größe, 日本語, 👍🏽", "Größe, 日本語, 👍🏽"),
        ("\x1b[31mred\x07\x00\r\n", "␛[31mred␇␀␍\n"),
        ("\x1b]52;c;aGk=\x1b\\", "␛]52;c;aGk=␛\\"),
        ("\x7f\x9b\x85", "␡\\u009b\\u0085"),
        ("\u202eevil\u2066x\u2069\u200f", "\\u202eevil\\u2066x\\u2069\\u200f"),
        ("a\u200bb\ufeff\u2028", "a\\u200bb\\ufeff\\u2028"),
        ("\ud800\udfff", "\\ud800\\udfff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_fonts_without_control_pictures_get_escapes() -> None:
    assert escaped("\x1b[31m\x7f \u202e ü") == "\\u001b[31m\\u007f \\u202e ü"


@given(st.text(st.characters()))
def test_what_is_shown_can_be_encoded_and_holds_no_control(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert not [
        c
        for c in shown
        if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    ]
    assert visible(shown) == shown
