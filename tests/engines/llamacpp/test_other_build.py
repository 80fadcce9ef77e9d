"""What is true of the second build of llama.cpp that the model tests run on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(
        "LLAMA_CPP_LIB_PATH" not in os.environ, reason="make test-other-build runs this, on the second build"
    ),
]

SYSTEM_INFO = "from alignbench.engines.llamacpp.engine import system_info; print(system_info())"
LIKELIHOOD = ["-m", "alignbench", "likelihood", "--model", "demo-smollm2", "--json"]
LIKELIHOOD += ["--prompt", "What is tea?", "--response", "Tea is a drink that is made of leaves in hot water."]


def with_this_build(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout


def with_the_usual_build(*arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "LLAMA_CPP_LIB_PATH"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_it_was_built_for_a_simpler_cpu() -> None:
    assert with_this_build("-c", SYSTEM_INFO) != with_the_usual_build("-c", SYSTEM_INFO)


def test_its_log_probs_are_near_those_of_the_usual_build_and_not_the_same() -> None:
    one, other = (
        np.array([json.loads(line)["logprob"] for line in run(*LIKELIHOOD).splitlines() if '"token"' in line])
        for run in (with_this_build, with_the_usual_build)
    )
    assert len(one) == len(other) > 5
    assert np.mean(np.abs(one - other)) < 0.3
    assert (one != other).any()
