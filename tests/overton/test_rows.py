"""Rows of the paper's release: fences, hints before answers, errors in place of text."""

from __future__ import annotations

import pytest

from alignbench.overton.rows import NotARow, close_fence, hint_first, read_row

ZERO_SHOT = "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"


def test_one_closing_fence_is_cut_and_a_text_without_one_was_cut_by_length() -> None:
    closed = close_fence("Because.\n```")
    assert (closed.text, closed.raw_text, closed.finish) == ("Because.\n", "Because.\n```", "stop")
    assert close_fence("Because``````").text == "Because```"
    open_ended = close_fence("Because it")
    assert (open_ended.text, open_ended.finish) == ("Because it", "length")


def test_a_hint_first_answer_ends_at_its_own_fence() -> None:
    raw = "Short.\n```\n\n# Answer:\n```\nThe long answer.\n```\n\n# Query:\n```\nAnother?"
    sample = hint_first(raw)
    assert (sample.hint, sample.text, sample.finish, sample.raw_text) == ("Short.", "The long answer.\n", "stop", raw)
    cut = hint_first("Short.\n```\n\n# Answer:\n```\nThe long an")
    assert (cut.text, cut.finish) == ("The long an", "length")


def test_an_answer_to_the_next_query_is_no_answer_to_this_one() -> None:
    raw = "All in the hint.\n```\n\n# Query:\n```\nNext?\n```\n\n# Summary:\n```\nS\n```\n\n# Answer:\n```\nNo.\n```"
    sample = hint_first(raw)
    assert (sample.text, sample.hint) == ("", "All in the hint.")
    assert hint_first("never ended").text == ""


def test_rows_of_both_servers() -> None:
    outputs = [{"generated_text": "A```"}, {"error": "too long", "error_type": "validation"}]
    rendered, samples = read_row({"prompt": ZERO_SHOT, "outputs": outputs}, 2)
    assert rendered == ZERO_SHOT
    assert [(s.text, s.error) for s in samples] == [("A", ""), ("", "too long")]
    row = {"ok": True, "outputs": [{"finish_reason": "length", "index": 0, "message": {"content": "B```"}}]}
    assert [(s.text, s.finish) for s in read_row(row, 1)[1]] == [("B```", "length")]
    refused = {"ok": True, "outputs": [{"finish_reason": "content_filter", "message": {"content": None}}]}
    assert "content_filter" in read_row(refused, 1)[1][0].error
    failed = read_row({"ok": False, "error": "overloaded"}, 3)[1]
    assert [s.error for s in failed] == ["overloaded"] * 3


def test_a_chat_text_is_left_alone() -> None:
    (sample,) = read_row({"prompt": "<s>[INST] Why? [/INST]", "outputs": [{"generated_text": "  So:\n```"}]}, 1)[1]
    assert (sample.text, sample.finish) == ("  So:\n```", None)


@pytest.mark.parametrize("row", [{}, {"outputs": "x"}, {"outputs": [{}]}, {"prompt": 3, "outputs": []}])
def test_other_rows_are_refused(row: dict[str, object]) -> None:
    with pytest.raises(NotARow):
        read_row(row, 1)
