from __future__ import annotations

import pytest

from alignbench.errors import InputError
from alignbench.launch import variables, words
from alignbench.spec import LoadOptions


def test_lists_and_tables_of_texts_become_values_that_hash() -> None:
    options = LoadOptions(args=["--seed", "1"], env={"B": "2", "A": "1"})  # type: ignore[arg-type]
    assert options.args == ("--seed", "1")
    assert options.env == (("A", "1"), ("B", "2"))
    assert LoadOptions(args=["--seed", "1"], env=[["A", "1"], ["B", "2"]]) == options  # type: ignore[arg-type]
    assert hash(options)


@pytest.mark.parametrize("value", ["--seed 1", [1], {"a": "b"}, None])
def test_what_is_no_list_of_texts_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"args is .*expected a list of texts"):
        words("args", value)


@pytest.mark.parametrize(
    ("value", "said"), [("A=1", "expected a table"), ({"A": 1}, "env.A is 1"), ({"A B": ""}, "'A B'")]
)
def test_what_is_no_table_of_texts_is_refused(value: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        variables(value)


@pytest.mark.parametrize("name", ["HF_TOKEN", "OPENAI_API_KEY", "db_password"])
def test_no_secret_is_stored_with_a_session(name: str) -> None:
    with pytest.raises(InputError, match="the environment of alignbench") as refusal:
        variables({name: "hidden-value"})
    assert "hidden-value" not in str(refusal.value)
    assert variables({"TOKENIZERS_PARALLELISM": "false", "KEYBOARD": ""})
