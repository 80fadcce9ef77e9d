from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.metrics import porter
from alignbench.metrics.porter import stem
from tests.support.texts import texts

# Porter's own examples, and those that NLTK's extensions are for.
EXAMPLES = {
    "caresses": "caress", "ponies": "poni", "ties": "tie", "cats": "cat", "feed": "feed", "agreed": "agre",
    "plastered": "plaster", "motoring": "motor", "conflated": "conflat", "troubled": "troubl", "sized": "size",
    "hopping": "hop", "falling": "fall", "hissing": "hiss", "fizzed": "fizz", "filing": "file", "happy": "happi",
    "enjoy": "enjoy", "relational": "relat", "conditional": "condit", "digitizer": "digit", "radically": "radic",
    "geology": "geolog", "theology": "theolog", "triplicate": "triplic", "hopeful": "hope", "goodness": "good",
    "revival": "reviv", "adoption": "adopt", "effective": "effect", "probate": "probat", "rate": "rate",
    "cease": "ceas", "controlling": "control", "rolling": "roll", "died": "die", "Skies": "sky", "as": "as",
}  # fmt: skip


def test_known_stems() -> None:
    assert {word: stem(word) for word in EXAMPLES} == EXAMPLES


endings = st.sampled_from(
    sorted({*porter._STEP_2, *porter._STEP_3, *porter._STEP_4, "", "s", "ies", "sses", "ed", "ing", "eed", "y", "e"})
)
english = st.builds(lambda *parts: "".join(parts), st.text("aeiouybdlstwxz", max_size=7), endings, endings)


@given(st.one_of(english, texts))
def test_stems_are_those_of_nltk(word: str) -> None:
    oracle = pytest.importorskip("nltk.stem.porter", reason="NLTK is what the stems are compared with").PorterStemmer()
    assert stem(word) == oracle.stem(word)
