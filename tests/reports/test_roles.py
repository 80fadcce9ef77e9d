"""What is called an impostor, and what comes from the reference's own weights."""

from __future__ import annotations

import pytest

from alignbench.reports.roles import role_of
from alignbench.spec import Condition, Model, Sampling

LADDER = "demo-base+demo-sft"


def condition(name: str, reference: str, **fields: object) -> Condition:
    return Condition.zero_shot(Model(name, reference, "aligned"), name=name, **fields)


@pytest.mark.parametrize(
    ("reference", "other", "role"),
    [
        (LADDER, f"{LADDER}*0.5", ""),
        (f"{LADDER}*0.5", LADDER, ""),
        (LADDER, "demo-base+demo-dpo", ""),
        (LADDER, "demo-base", ""),
        ("demo-base", LADDER, ""),
        ("hf:org/base+org/one", "hf:org/base+org/two", ""),
        (LADDER, "demo-smollm2", "impostor"),
        (LADDER, "hf:org/base+org/one", "impostor"),
        ("hf:org/one", "hf:org/two", "impostor"),
    ],
)
def test_an_impostor_is_of_another_base(reference: str, other: str, role: str) -> None:
    assert role_of(condition("other", other), condition("reference", reference), None) == role


def test_greedy_stays_what_it_was() -> None:
    cold = condition("cold", LADDER, sampling=Sampling(temperature=0.0))
    assert role_of(cold, condition("reference", LADDER), None) == "greedy"
