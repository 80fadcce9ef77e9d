"""Settings of the release's args.json files."""

from __future__ import annotations

import pytest

from alignbench.errors import InputError
from alignbench.overton.args import GREEDY, SAMPLED, facts_of, neighbours, sampling_of


def test_settings_of_both_servers() -> None:
    tgi = {"params": {"do_sample": True, "temperature": 0.5, "top_k": None, "repetition_penalty": 1.1,
                      "max_new_tokens": 1024, "stop": ["```"]}}  # fmt: skip
    sampling = sampling_of(tgi, greedy=False)
    assert (sampling.temperature, sampling.max_tokens, sampling.stop) == (0.5, 1024, ("```",))
    greedy = sampling_of({"params": {"do_sample": False, "temperature": None, "max_new_tokens": 700}}, greedy=True)
    assert greedy.temperature == 0
    openai = sampling_of({"openai_params": {"temperature": 0, "max_tokens": 700, "n": 1}}, greedy=True)
    assert (openai.temperature, openai.repetition_penalty) == (0, 1)


def test_without_settings_the_papers_own_are_assumed() -> None:
    assert sampling_of({}, greedy=False) == SAMPLED
    assert sampling_of({}, greedy=True) == GREEDY


@pytest.mark.parametrize("params", [{"temperature": "hot"}, {"temperature": -1}, {"stop": "x", "max_new_tokens": True}])
def test_a_setting_that_cannot_be_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        sampling_of({"params": params}, greedy=False)


def test_neighbours_by_either_name() -> None:
    assert neighbours({"side_info_args": {"k": 5}}) == 5
    assert neighbours({"embedding_args": {"top_k": 3}, "side_info_args": None}) == 3
    assert neighbours({"side_info_args": None}) is None
    assert facts_of({"server": {"model_id": "m"}, "side_info_args": {"k": 3}}) == {"model": "m", "examples": 3}
