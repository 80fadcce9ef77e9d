"""Made texts and what is done to them."""

from __future__ import annotations

import numpy as np
import pytest

from alignbench.calibration.bags import BagsOfWords
from alignbench.calibration.experiments import EXPERIMENTS, responses
from alignbench.calibration.made_texts import MadeTexts
from alignbench.calibration.planted import FLOOR, OTHER, REFERENCE, PlantedCells
from alignbench.calibration.plants import longer, nonsense, otherwise_written, repeating, some_sentences, union
from alignbench.metrics.sentences import sentences
from alignbench.metrics.values import WORKBENCH
from alignbench.metrics.words import words
from alignbench.reports.cells import cell_values

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}


def planted(name: str, n: int = 4, seed: int = 0) -> PlantedCells:
    rng = np.random.default_rng(seed)
    return BY_NAME[name].plant(*MadeTexts().pair(0, rng), n, rng)


def texts(cells: PlantedCells, condition: str) -> list[str]:
    return [response.text for response in cells[condition]]


@pytest.mark.parametrize("name", BY_NAME)
def test_an_experiment_is_its_seeds(name: str) -> None:
    assert planted(name) == planted(name)
    assert planted(name) != planted(name, seed=1)
    assert {OTHER, REFERENCE} <= {*planted(name)}


def test_made_texts_are_like_real_ones_to_the_scores() -> None:
    rng = np.random.default_rng(0)
    cells = [MadeTexts().pair(0, rng)[0].draw(5, rng) for _ in range(60)]
    values = [cell_values(dict(enumerate(cell)), ("words", "jaccard"), WORKBENCH, None) for cell in cells]
    length, shared = (np.mean([value[name].value for value in values]) for name in ("words", "jaccard"))
    assert 50 < length < 90
    assert 0.08 < shared < 0.13


def test_vectors_of_texts_that_share_words_are_alike() -> None:
    vectors = BagsOfWords().vectors(["tale talk", "talker talking", "different matters", "the of"])
    talk, talking, different, nothing = vectors.values()
    assert np.linalg.norm(talk) == pytest.approx(1.0, abs=1e-6)
    assert talk @ talking > 0.4
    assert abs(talk @ different) < 0.4
    assert not nothing.any()


def test_texts_are_changed_in_what_is_planted_alone() -> None:
    rng = np.random.default_rng(0)
    (text,) = MadeTexts().pair(0, rng)[0].draw(1, rng)
    assert words(otherwise_written(text)) == words(text)
    assert otherwise_written(text) != text
    assert len(sentences(otherwise_written(text))) == len(sentences(text))
    assert [len(words(some_sentences(text, n, rng))) for n in (5, 7)] == [5, 7]
    assert some_sentences(text, len(words(text)), rng) == text
    assert repeating([text], "Other words.", 0.0, rng) == [text]
    assert {*sentences(repeating([text], "Other words.", 1.0, rng)[0])} == {"Other words."}
    assert longer(["One."], ["two three four five"], 0.5, rng) == ["One. two three"]
    assert not {*words(nonsense(text, rng))} & {*words(text)}
    assert len(words(nonsense(text, rng))) == len(words(text))


def test_a_union_says_once_what_is_said_alike() -> None:
    assert union(["Lions roar. Ships sail.", "Lions roar."]) == "Lions roar. Ships sail."


def test_what_a_limit_cuts_is_marked() -> None:
    cells = planted("truncated", 5)
    marked = [response for response in cells[OTHER] if response.truncated]
    assert marked
    assert len({len(words(response.text)) for response in marked}) == 1
    assert not any(response.truncated for response in cells[REFERENCE])


def test_a_leak_is_in_the_source_alone() -> None:
    cells = planted("leaked")
    source, *rest = texts(cells, REFERENCE)
    leaked = {*words(texts(cells, OTHER)[0])} & {*words(source)} - {*words(texts(cells, FLOOR)[0])}
    marks = {word for word in leaked if word[0].isdigit()}
    assert len(marks) == 8
    assert not marks & {*words(" ".join(rest))}


def test_other_tokens_are_as_many_bits() -> None:
    cells = planted("tokenized")
    same = responses(texts(cells, OTHER))
    assert [response.bits for response in cells[OTHER]] == [response.bits for response in same]
    assert [response.n_tokens for response in cells[OTHER]] == [2 * response.n_tokens for response in same]
