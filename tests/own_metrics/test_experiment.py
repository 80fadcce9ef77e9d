"""An experiment that names a function of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alignbench.errors import InputError
from alignbench.experiments.experiment import read_experiment

Written = Callable[..., Path]

EXPERIMENT = """
[prompts]
sets = ["open-ended"]

[[conditions]]
name = "base"
model = "demo-base"

[scores]
metrics = ["jaccard", "{metric}"]
"""


def test_its_file_is_looked_for_beside_the_experiment(written: Written) -> None:
    mine = written("def letters(texts): return 1\n")
    path = written(EXPERIMENT.replace("{metric}", "mine.py:letters"), "exp.toml")
    assert read_experiment(path).metrics == ("jaccard", f"{mine}:letters")


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("mine.py:lettres", r"exp.toml: scores.metrics: .*has no function 'lettres'. Did you mean letters\?"),
        ("gone.py:letters", "exp.toml: scores.metrics: there is no file .*gone.py"),
        ("jacard", "exp.toml.*metrics.*jacard.*Did you mean jaccard"),
    ],
)
def test_a_wrong_one_names_file_and_field(written: Written, metric: str, message: str) -> None:
    written("def letters(texts): return 1\n")
    with pytest.raises(InputError, match=message):
        read_experiment(written(EXPERIMENT.replace("{metric}", metric), "exp.toml"))
