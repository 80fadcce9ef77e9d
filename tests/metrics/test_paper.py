from __future__ import annotations

import json
import os
import pickle
import sys
from types import SimpleNamespace

import pytest

from alignbench.errors import AlignbenchError
from alignbench.metrics import paper
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import WordMode
from alignbench.metrics.words import STOP_WORDS
from tests.support.later import later
from tests.support.paper_data import OVERTON
from tests.support.texts import T3

PROMPTS = OVERTON / "LIMA-OE" / "outputs"

later("nltk")


@pytest.fixture(scope="module")
def mode(nltk_data: None) -> WordMode:  # noqa: ARG001
    return paper.paper_mode()


def cell(texts: list[str], mode: WordMode, *metrics: str) -> CellScores:
    scores = CellScores(metrics or ("words", "jaccard", "jaccard_2"), mode)
    for i, text in enumerate(texts):
        scores.add(i, text)
    return scores


def test_known_answers(mode: WordMode) -> None:
    assert mode.version == "nltk179"
    assert set(mode.words("The cat. the cat")) - mode.stop_words == {"The", "cat"}
    within = cell(T3, mode).within()
    assert within["jaccard"].value == pytest.approx(1 / 6)
    assert within["jaccard_2"].value == pytest.approx(1 / 9)
    kept = WordMode("kept", "kept", mode.words, frozenset())
    within = cell(T3, kept).within()
    assert within["jaccard"].value == pytest.approx(0.288889, abs=1e-6)
    assert within["jaccard_2"].value == pytest.approx(0.222222, abs=1e-6)


def test_case_is_kept_and_tokens_of_punctuation_are_out(mode: WordMode) -> None:
    assert mode.words("He said: ``Don't -- ever!'' (Really...)") == ("He", "said", "Do", "n't", "ever", "Really")
    assert mode.words("猫 кот ...") == ("猫", "кот")
    assert mode.words("") == ()
    assert pickle.loads(pickle.dumps(mode)) == mode  # processes that share the work are told it
    assert mode.stop_words != STOP_WORDS


def test_empty_responses_stay_in_as_the_paper_has_it(mode: WordMode) -> None:
    within = cell(["the same cat"] * 3 + ["", ""], mode).within()
    assert within["jaccard"].value == pytest.approx(3 / 9)
    assert within["empty"].value == 2.0


def test_two_modes_do_not_compare(mode: WordMode) -> None:
    with pytest.raises(ValueError, match="different modes"):
        CellPair(cell(T3, mode), CellScores())


def test_missing_data_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise LookupError

    import nltk.corpus

    paper.paper_mode.cache_clear()
    monkeypatch.setattr(nltk.corpus, "stopwords", SimpleNamespace(words=gone))  # NLTK's own looks for the data itself
    with pytest.raises(AlignbenchError, match="NLTK_DATA"):
        paper.paper_mode()
    monkeypatch.setitem(sys.modules, "nltk.tokenize", None)
    with pytest.raises(AlignbenchError, match="not installed"):
        paper.paper_mode()


def responses(condition: str) -> list[list[str]]:
    """The samples of each prompt."""
    path = PROMPTS / condition / "samples.jsonl"
    if not path.is_file():
        pytest.skip(f"the paper's data is not in {os.path.relpath(path.parent)}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [[without_fence(output["generated_text"]) for output in row["outputs"]] for row in rows]


def without_fence(text: str) -> str:
    """Few-shot conditions keep the closing fence that stopped them."""
    return text.rstrip().removesuffix("```")


def mean(values: list[float | None]) -> float:
    there = [value for value in values if value is not None]
    return sum(there) / len(there)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "metric", "expected", "within"),
    [
        ("llama-2-base", "jaccard", 0.0891, 0.001),
        ("llama-2-icl", "jaccard", 0.1989, 0.001),
        ("llama-2-chat", "jaccard", 0.2790, 0.001),
        ("llama-2-chat", "jaccard_stem", 0.337, 0.001),
        ("llama-2-chat", "jaccard_2", 0.082, 0.001),
        ("llama-2-base", "words", 129.0, 0.1),
        ("llama-2-icl", "words", 223.8, 0.1),
        ("llama-2-chat", "words", 475.7, 0.1),
    ],
)
def test_numbers_of_the_paper(mode: WordMode, condition: str, metric: str, expected: float, within: float) -> None:
    values = [cell(texts, mode, metric).within()[metric].value for texts in responses(condition)]
    assert mean(values) == pytest.approx(expected, abs=within)


@pytest.mark.slow
@pytest.mark.parametrize(("condition", "expected"), [("llama-2-base", 0.0717), ("llama-2-icl-chat", 0.1848)])
def test_cross_numbers_of_the_paper(mode: WordMode, condition: str, expected: float) -> None:
    pairs = zip(responses("llama-2-chat"), responses(condition), strict=True)
    values = [CellPair(cell(a, mode), cell(b, mode)).cross()["jaccard"].value for a, b in pairs]
    assert mean(values) == pytest.approx(expected, abs=0.001)
