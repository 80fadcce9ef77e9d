"""A calibration as JSON."""

from __future__ import annotations

from typing import Any

from alignbench.calibration.experiments import EXPERIMENTS
from alignbench.calibration.tally import Calibration, Rate


def calibration_json(calibration: Calibration) -> dict[str, Any]:
    """{"source", "prompts", "n", "repetitions", "seed", "experiments", "claims", "coverage", "skipped"}."""
    return {
        "source": calibration.source,
        "prompts": [*calibration.prompts],
        "n": calibration.n,
        "repetitions": calibration.repetitions,
        "seed": calibration.seed,
        "experiments": {experiment.name: experiment.planted for experiment in EXPERIMENTS},
        "claims": [
            {
                "experiment": claim.experiment,
                "prompts": claim.prompts,
                "kind": claim.kind,
                "metric": claim.metric,
                "due": claim.due,
                **_rate(claim.rate),
            }
            for claim in calibration.claims
        ],
        "coverage": [
            {
                "experiment": coverage.experiment,
                "prompts": coverage.prompts,
                "number": coverage.number,
                **_rate(coverage.rate),
            }
            for coverage in calibration.coverages
        ],
        "skipped": {**calibration.skipped},
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {"rate": rate.value, "ci": [*rate.ci], "n": rate.n}
