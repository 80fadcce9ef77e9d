"""Settings of the release's args.json files."""

from __future__ import annotations

import pytest

from alignbench.errors import InputError
from alignbench.overton.args import facts_of, neighbours, settings_of


def test_settings_of_both_servers() -> None:
    tgi = {"params": {"do_sample": True, "temperature": 0.5, "top_k": None, "repetition_penalty": 1.1,
                      "max_new_tokens": 1024, "stop": ["```"]}}  # fmt: skip
    settings = settings_of(tgi, greedy=False)
    assert settings == {
        "temperature": 0.5, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0, "repetition_penalty": 1.1,
        "max_tokens": 1024, "stop": ("```",), "seed": None, "mode": None,
    }  # fmt: skip
    greedy = settings_of({"params": {"do_sample": False, "temperature": None, "max_new_tokens": 700}}, greedy=True)
    assert greedy["temperature"] == 0
    openai = settings_of({"openai_params": {"temperature": 0, "max_tokens": 700, "n": 1}}, greedy=True)
    assert {name for name, value in openai.items() if value is not None} == {"temperature", "max_tokens"}


def test_without_settings_none_is_made_up() -> None:
    assert {*settings_of({}, greedy=False).values()} == {None}
    told = {name: value for name, value in settings_of({}, greedy=True).items() if value is not None}
    assert told == {"temperature": 0.0}  # as the folder is called


@pytest.mark.parametrize("params", [{"temperature": "hot"}, {"temperature": -1}, {"stop": "x", "max_new_tokens": True}])
def test_a_setting_that_cannot_be_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        settings_of({"params": params}, greedy=False)


def test_neighbours_by_either_name() -> None:
    assert neighbours({"side_info_args": {"k": 5}}) == 5
    assert neighbours({"embedding_args": {"top_k": 3}, "side_info_args": None}) == 3
    assert neighbours({"side_info_args": None}) is None
    assert facts_of({"server": {"model_id": "m"}, "side_info_args": {"k": 3}}) == {"model": "m", "examples": 3}
