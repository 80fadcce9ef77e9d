"""Ladders of constraints in the JSON of a report. Every key here is public."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from alignbench.reports.constraint_ladders import ConstraintLadders


def constraints_json(ladders: ConstraintLadders) -> dict[str, Any]:
    """{"judge", "reference", "conditions": {name: [{"k", "scores": {name: {"value", "ci", "n", "reason"}},
    "differences": {name: {"value", "ci", "p", "n", "p_holm", "means"}}}]}}."""
    return {
        "judge": ladders.judge or None,
        "reference": ladders.reference,
        "conditions": {
            condition: [
                {
                    "k": rung.k,
                    "scores": {name: asdict(score) for name, score in rung.scores.items()},
                    "differences": {name: asdict(one) for name, one in rung.differences.items()},
                }
                for rung in rungs
            ]
            for condition, rungs in ladders.conditions.items()
        },
    }
