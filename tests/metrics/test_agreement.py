"""Krippendorff's alpha on the worked example of Krippendorff (2011), section C: 4 observers, 12 units, gaps."""

from __future__ import annotations

import pytest

from alignbench.metrics.agreement import krippendorff_alpha

_OBSERVERS = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}
EXAMPLE = [{name: int(row.split()[i]) for name, row in _OBSERVERS.items() if row.split()[i] != "."} for i in range(12)]


def test_known_answers() -> None:
    assert krippendorff_alpha(EXAMPLE, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(EXAMPLE, "ordinal") == pytest.approx(0.815, abs=5e-4)


def test_binary_known_answer() -> None:
    # Section A of the same paper: two observers, ten units.
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    units = [{"a": x, "b": y} for x, y in zip(a, b, strict=True)]
    assert krippendorff_alpha(units, "nominal") == pytest.approx(0.095, abs=5e-4)


def test_agreement_is_one_and_words_will_do() -> None:
    units = [{"a": word, "b": word} for word in ("yes", "no", "both", "no")]
    assert krippendorff_alpha(units, "nominal") == pytest.approx(1.0)


def test_ordinal_forgives_a_near_miss_and_nominal_does_not() -> None:
    near = [{"a": x, "b": y} for x, y in ((1, 1), (2, 3), (4, 4), (5, 5), (3, 2))]
    far = [{"a": x, "b": y} for x, y in ((1, 1), (2, 5), (4, 4), (5, 2), (3, 3))]
    assert krippendorff_alpha(near, "ordinal") > krippendorff_alpha(far, "ordinal")
    assert krippendorff_alpha(near, "nominal") == pytest.approx(krippendorff_alpha(far, "nominal"))


@pytest.mark.parametrize("units", [[], [{"a": 1, "b": 2}], [{"a": 1}, {"b": 1}], [{"a": 3, "b": 3}] * 5])
def test_without_two_items_or_two_ratings_there_is_none(units: list[dict[str, int]]) -> None:
    assert krippendorff_alpha(units, "ordinal") is None
