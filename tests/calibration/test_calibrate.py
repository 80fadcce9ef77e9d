"""Runs of planted experiments: the same numbers from the same seed, and what a source cannot give is said."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from alignbench.calibration import calibrate as module
from alignbench.calibration.calibrate import CalibrationRequest, calibrate, run
from alignbench.calibration.experiments import EXPERIMENTS, PlantedExperiment
from alignbench.calibration.planted import OTHER, REFERENCE, PlantedCells, PlantedPrompts, PlantedResponse
from alignbench.calibration.scored import ScoredPrompts
from alignbench.calibration.stored_texts import StoredPrompt, StoredTexts
from alignbench.calibration.tally import Rate
from alignbench.errors import InputError
from alignbench.reports.finding import Claim

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}
SMALL = CalibrationRequest(prompts=(3, 5), n=2, repetitions=4, pool=2)


@dataclass(frozen=True)
class Stored:
    """Prompts whose responses name them."""

    samples: int

    def source(self, prompts: int) -> StoredTexts:
        return StoredTexts(
            "stored",
            tuple(
                StoredPrompt(tuple(f"Prompt{p} says word{i} here. More of it{i}." for i in range(self.samples)))
                for p in range(prompts)
            ),
        )


def test_a_seed_gives_the_same_numbers_in_any_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXPERIMENTS", EXPERIMENTS[:2])
    told: list[tuple[str, int, int]] = []
    alone = calibrate(SMALL, lambda *step: told.append(step))
    assert told == [("planted experiments", done, 2) for done in range(3)]
    assert alone == calibrate(SMALL, processes=2)
    assert {claim.prompts for claim in alone.claims} == {3, 5}
    assert all(claim.rate.n == 4 for claim in alone.claims)


def test_a_choice_of_prompts_is_reported_as_if_it_were_all_there_is() -> None:
    experiment = BY_NAME["gate"]
    planted = PlantedPrompts(experiment.plant, SMALL.source, 4, 6, np.random.default_rng(0))
    chosen = planted.choice(4, np.random.default_rng(1))
    assert len({*chosen}) == 4
    part = ScoredPrompts(experiment, planted.cells, 100).report(chosen)
    alone = ScoredPrompts(experiment, {prompt: planted.cells[prompt] for prompt in chosen}, 100).report(chosen)
    assert part.scores.within == alone.scores.within
    assert part.scores.matched == alone.scores.matched
    assert part.diversity is not None
    assert alone.diversity is not None
    assert part.diversity.gate == alone.diversity.gate


def test_claims_are_counted_by_what_was_planted() -> None:
    diverse, cut = BY_NAME["diversity"], BY_NAME["cut"]
    more, less = (Claim("matched diversity", "jaccard", says) for says in ("more diverse", "less diverse"))
    assert diverse.is_due(more)
    assert diverse.is_error(less)
    assert cut.is_error(more)
    shorter = Claim("length", "words", "shorter")
    assert not cut.is_due(shorter)
    assert not cut.is_error(shorter)


def test_a_claim_that_is_always_made_has_a_rate_of_one() -> None:
    def plant(_: object, __: object, n: int, ___: object) -> PlantedCells:
        said = ["One two three four five six.", "One two three four five seven."]
        return {
            OTHER: [PlantedResponse(f"{text} {text} And more.") for text in said[:n]],
            REFERENCE: [PlantedResponse(text) for text in said[:n]],
        }

    longer = PlantedExperiment("same", "", plant, {"length": "longer"})
    (rate,) = (c.rate for c in run_of(longer).claims if c.kind == "length" and c.due)
    assert rate == Rate(4, 4)


def run_of(experiment: PlantedExperiment) -> module.Outcome:
    replaced = replace(EXPERIMENTS[0], plant=experiment.plant, due=experiment.due, besides=("distribution",))
    return run(CalibrationRequest(prompts=(20,), n=2, repetitions=4, pool=1), replaced, 0)


def test_stored_prompts_are_drawn_once_in_a_repetition() -> None:
    planted = PlantedPrompts(BY_NAME["same"].plant, Stored(4).source(5), 2, 20, np.random.default_rng(0))
    chosen = planted.choice(5, np.random.default_rng(0))
    firsts = {planted.cells[prompt][REFERENCE][0].text.split()[0] for prompt in chosen}
    assert len(firsts) == 5
    for cells in planted.cells.values():
        texts = [response.text for side in cells.values() for response in side]
        assert len({*texts}) == 4


def test_an_experiment_that_needs_more_samples_is_left_out_with_its_reason() -> None:
    request = replace(SMALL, source=Stored(4).source(5))
    assert "draws 6 responses to a prompt, and one has 4" in run(request, BY_NAME["more samples"], 0).skipped
    assert not run(request, BY_NAME["same"], 0).skipped


def test_a_source_has_to_have_the_prompts() -> None:
    with pytest.raises(InputError, match="50 prompts cannot be drawn from 5"):
        CalibrationRequest(source=Stored(4).source(5))
    with pytest.raises(InputError, match="two prompts"):
        Stored(4).source(1)
