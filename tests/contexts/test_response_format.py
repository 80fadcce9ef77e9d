"""Responses by their form."""

from __future__ import annotations

import numpy as np

from alignbench.contexts.response_format import format_vectors

NUMBERED = "Here are three:\n\n1. One thing\n2. Another thing\n3. A third"
SAME_FORM = "Consider these:\n\n1. Apples rise\n2. Pears fall\n3. Plums stay"
BULLETS = "Here are three:\n\n- One thing\n- Another thing\n- A third"
PROSE = "One thing leads to another, and a third comes after that."
CODE = "# How\n\n```python\nprint(1)\n```\n\nThat is **all** of it."


def test_what_is_said_does_not_count() -> None:
    vectors = format_vectors([NUMBERED, SAME_FORM])
    assert vectors[0] @ vectors[1] > 0.999


def test_lists_prose_and_code_lie_apart() -> None:
    vectors = format_vectors([NUMBERED, BULLETS, PROSE, CODE])
    cosines = vectors @ vectors.T
    assert np.allclose(np.diag(cosines), 1.0, atol=1e-6)
    assert cosines[~np.eye(4, dtype=bool)].max() < 0.8


def test_a_blank_text_has_no_form() -> None:
    assert format_vectors(["", " \n"]).tolist() == [[0.0] * 7] * 2
    assert format_vectors([]).shape == (0, 7)
