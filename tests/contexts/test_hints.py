"""What a hint gives away, what its maker is asked, and hints that the model writes first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignbench.contexts.hints import (
    HintFirst,
    give_away,
    hint_request,
    hint_template,
    made_levels,
    parse_hint_first,
)
from alignbench.errors import InputError

OVERTON = Path(__file__).parents[3] / "shared" / "data" / "overton" / "LIMA-OE" / "outputs"
RESPONSE = "Rest well, drink plenty of warm water and tea, and see a doctor if the fever stays high."


def test_a_shared_run_of_eight_words_is_a_quotation() -> None:
    eight = give_away("One should drink plenty of warm water and tea, and rest", RESPONSE)
    assert (eight.longest_quote, eight.quotes) == (8, True)
    assert give_away("DRINK plenty -- of warm water, and tea!", RESPONSE).longest_quote == 7
    assert not give_away("DRINK plenty -- of warm water, and tea!", RESPONSE).quotes


def test_recall_of_content_words() -> None:
    assert give_away("rest, water", "Rest and water; water and the tea.").recall == pytest.approx(2 / 3)
    assert give_away(RESPONSE, RESPONSE).recall == 1.0
    assert give_away("something else", RESPONSE).recall == 0.0
    assert give_away("anything", "and so on to it").recall is None


def test_every_level_but_free_and_first_has_a_template() -> None:
    assert made_levels() == ["keywords", "topics", "outline", "sentence", "summary"]
    for level in made_levels():
        text = hint_request(hint_template(level), "Why {response}?", "So {prompt}.")  # type: ignore[arg-type]
        assert "Why {response}?" in text
        assert "So {prompt}." in text
    with pytest.raises(InputError, match="Level first has no template"):
        hint_template("first")
    with pytest.raises(InputError, match=r"no \{response\}"):
        hint_request("Sum it up.", "Why?", "So.")


CODE = "Use this:\n\n```python\nprint(1)\n```\n\nIt prints 1."


@pytest.mark.parametrize(
    ("text", "hint", "answer"),
    [
        ("short\n```\n\n# Answer:\n```\nlong\n```", "short", "long"),
        ("short\n```\n\n# Answer:\n```\nlong", "short", "long"),
        ("\n```\n\n# Answer:\n```\nlong\n```", "", "long"),
        (f"short\n```\n\n# Answer:\n```\n{CODE}\n```", "short", CODE),
        ("only a hint that was cut", "only a hint that was cut", None),
        ("short\n```\n\n# Query:\n```\nelse", "short", None),
    ],
)
def test_hint_and_answer_are_parsed_apart(text: str, hint: str, answer: str | None) -> None:
    assert parse_hint_first(text) == HintFirst(hint, answer)


@pytest.mark.skipif(not OVERTON.is_dir(), reason="the paper's released samples are not beside this checkout")
def test_the_papers_hint_first_samples_come_apart() -> None:
    rows = (OVERTON / "llama-2-icl-chat-summary-cot" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [output["generated_text"] for row in rows for output in json.loads(row)["outputs"]]
    parsed = [parse_hint_first(text) for text in texts]
    assert len(parsed) == 250
    assert sum(bool(p.hint) and bool(p.answer) for p in parsed) > 200
