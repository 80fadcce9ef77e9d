"""Conditions at matched length: over prompts, and on the paper's data with its known answers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from alignbench.importing.save import save_import
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.sentences import sentences
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.metrics.words import words
from alignbench.overton.read import datasets, read_dataset
from alignbench.scoring.batch import score_responses
from alignbench.scoring.matched import matched_estimates, matched_values
from alignbench.scoring.responses import CellTexts, SessionResponses, opening
from alignbench.scoring.score_tables import MatchedEstimate
from alignbench.scoring.scorer import ScoreRequest
from alignbench.store import Store
from tests.support.given import GivenResponses
from tests.support.paper_data import OVERTON, needs_paper_data

A = ["Red blue green gold pink grey.", "Red blue green black white brown teal."]
B = ["Sun moon star sky rain.", "Sun moon wind fog hail snow ice."]
C = ["Salt salt salt salt salt.", "Salt salt salt salt salt."]


def test_a_condition_is_compared_with_the_reference_alone() -> None:
    """What else is in the report, here one that says much less, changes nothing."""
    texts = {f"p{i}": {"A": A, "B": B, "short": ["Too short.", "Too short."]} for i in range(3)}
    request = ScoreRequest(within=("words", "jaccard", "jaccard_2"), cross=(), reference="B", resamples=50)
    tables = score_responses(GivenResponses(texts), request, None)
    assert tables.within["A"]["jaccard"].value == pytest.approx(3 / 10)
    entry = tables.matched["A"]["jaccard"]
    assert (entry.value, entry.reference) == (pytest.approx(3 / 7), pytest.approx(2 / 8))
    assert entry.difference.value == pytest.approx(3 / 7 - 2 / 8)
    assert (entry.difference.n, entry.skipped) == (3, 0)
    alone = GivenResponses({prompt: {"A": A, "B": B} for prompt in texts})
    assert score_responses(alone, request, None).matched["A"]["jaccard"].value == entry.value
    none = tables.matched["short"]["jaccard"]
    assert (none.value, none.difference.value, none.skipped) == (None, None, 3)
    assert "under 5 words" in none.reason
    assert set(tables.matched) == {"A", "short"}


def test_prompts_count_alike_whatever_their_quadruples() -> None:
    prompts = [{"A": A, "B": B}, {"A": [*C, *C], "B": B}, {"A": ["Salt."], "B": B}]
    lexicon = Lexicon(WORKBENCH, stem)
    values = [
        matched_values({name: dict(enumerate(of)) for name, of in prompt.items()}, "B", ["jaccard"], lexicon)
        for prompt in prompts
    ]
    entry = matched_estimates(values, Uncertainty(resamples=50))["A"]["jaccard"]
    assert entry.value == pytest.approx((3 / 7 + 1) / 2)
    assert entry.reference == pytest.approx(2 / 8)
    assert entry.difference.n == 2


@pytest.fixture(scope="module")
def lima(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, CellTexts]:
    """The responses of LIMA-OE by prompt."""
    dataset = next(path for path in datasets(OVERTON) if path.name == "LIMA-OE")
    with Store.open(Path(tmp_path_factory.mktemp("lima")) / "runs.db") as store:
        responses = SessionResponses(store, save_import(store, read_dataset(dataset)).session)
        return {prompt: responses.cells(prompt) for prompt in responses.prompts}


def compared(prompts: Mapping[str, CellTexts], reference: str = "llama-2-chat") -> dict[str, MatchedEstimate]:
    lexicon = Lexicon(WORKBENCH, stem)
    values = [matched_values(cells, reference, ["jaccard"], lexicon) for cells in prompts.values()]
    return {name: of["jaccard"] for name, of in matched_estimates(values, Uncertainty(resamples=500)).items()}


@needs_paper_data
def test_the_papers_data_at_matched_length(lima: Mapping[str, CellTexts]) -> None:
    """Raw, base against chat is .0899 / .2869: a gap of -.197 that is length."""
    names = ("llama-2-base", "llama-2-icl", "llama-2-chat")
    entries = compared({prompt: {name: cells[name] for name in names} for prompt, cells in lima.items()})
    base, icl = entries["llama-2-base"], entries["llama-2-icl"]
    assert base.value == pytest.approx(0.0852, abs=0.006)
    assert base.reference == pytest.approx(0.0835, abs=0.006)
    assert base.difference.value == pytest.approx(0.0017, abs=0.0125), "one standard error"
    assert base.difference.ci[0] < 0 < base.difference.ci[1]
    assert (base.difference.n, base.skipped) == (50, 540)
    assert icl.value == pytest.approx(0.1783, abs=0.006)
    assert icl.reference == pytest.approx(0.1595, abs=0.006)
    assert icl.difference.value == pytest.approx(0.0188, abs=0.0067)
    assert icl.difference.ci[0] > 0
    assert (icl.difference.n, icl.skipped) == (50, 0)


@needs_paper_data
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_papers_chat_cut_to_base_lengths_is_as_diverse_as_chat(lima: Mapping[str, CellTexts], seed: int) -> None:
    """By an equal word budget these were more diverse by .026, se .006; here the standard error is .004 to .005."""

    def cut(text: str, n_words: int) -> str:
        pieces, kept = sentences(text), dict[int, str]()
        for i in random.Random(f"{seed} {text}").sample(range(len(pieces)), len(pieces)):
            kept[i] = opening(pieces[i], n_words)
            n_words -= len(words(kept[i]))
        return "\n".join(kept[i] for i in sorted(kept))

    null = {}
    for prompt, cells in lima.items():
        lengths = {i: len(words(text)) for i, text in cells["llama-2-base"].items()}
        chat = cells["llama-2-chat"]
        null[prompt] = {"cut": {i: cut(text, lengths[i]) for i, text in chat.items() if i in lengths}, "chat": chat}
    difference = compared(null, "chat")["cut"].difference
    assert abs(difference.value) < 0.0125
    assert difference.n == 50
