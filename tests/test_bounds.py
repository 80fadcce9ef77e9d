"""Every number that a person gives has a bound, which the message names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
import typer

from alignbench import bounds
from alignbench.bounds import Bound
from alignbench.cli.app import app
from alignbench.errors import InputError
from alignbench.spec import LoadOptions, Sampling
from alignbench.store import Store
from alignbench.tui.dialogs.condition import FIELDS
from tests.support.commands import alignbench

ABSURD = ("1e400", "-1e400", "nan", "inf", "-inf", "9" * 39, "9" * 5000, "-" + "9" * 39, "١٢", "1_0", "0x10", "", " ",
          "1 2", "½", "1,000", "\x1b[31m", "\udcff")  # fmt: skip
ALL = {name: bound for name, bound in vars(bounds).items() if isinstance(bound, Bound)}


def numbers(of: typer.Typer) -> Iterator[tuple[str, Any]]:
    """What every command says of its options and arguments that take numbers."""
    for group in of.registered_groups:
        assert group.typer_instance is not None
        yield from numbers(group.typer_instance)
    for command in of.registered_commands:
        assert command.callback is not None
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            kind, *about = get_args(hint) if get_origin(hint) is Annotated else [hint]
            if any(each in (int, float) for each in (kind, *get_args(kind))):
                yield f"{command.callback.__module__} {name}", about


def test_every_option_that_takes_a_number_has_a_bound() -> None:
    taken = list(numbers(app))
    assert len(taken) > 40
    for name, about in taken:
        assert about, name
        assert about[0].parser is not None, name


def test_an_absurd_number_is_one_line_that_names_what_was_expected() -> None:
    for name, (about,) in numbers(app):
        for text in ABSURD:
            with pytest.raises(InputError, match=r"(?s) is .*; expected .*\d.*\.$") as error:
                about.parser(text)
            assert len(str(error.value)) < 200, name


@pytest.mark.parametrize("name", ALL)
def test_a_bound_takes_its_ends_and_nothing_beside_them(name: str) -> None:
    bound = ALL[name]
    assert bound.has(bound.least) is not bound.over
    assert bound.has(bound.most) is not bound.under
    for beyond in (bound.least - 1, bound.most * 2 + 1, float("nan"), float("inf"), True, None, "1", [1]):
        assert not bound.has(beyond)
    if bound.whole:
        assert not bound.has(1.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--temperature", "1000000.0"), "temperature is 1000000.0; expected 0 to 100 (0 is greedy)."),
        (("--temperature", "1e400"), "temperature is inf; expected 0 to 100 (0 is greedy)."),
        (("--temperature", "nan"), "temperature is 'nan'; expected a number, 0 to 100 (0 is greedy)."),
        (("-n", "1" + "0" * 18), "-n is 1000000000000000000; expected 1 to 10,000."),
        (("-n", "١٢"), "-n is '١٢'; expected a whole number, 1 to 10,000."),
        (("--max-tokens", "1000000000"), "--max-tokens is 1000000000; expected 1 to 10,000,000."),
        (("--seed", "-1"), "--seed is -1; expected 0 to 2^62."),
        (("--seed", str(2**70)), f"--seed is {2**70}; expected 0 to 2^62."),
        (("--min-p", "1"), "--min-p is 1.0; expected 0 or more and under 1 (0 is off)."),
    ],
)
def test_sample_says_what_it_takes(arguments: tuple[str, str], message: str) -> None:
    ran = alignbench("sample", "--prompt", "a", "--model", "demo-base", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("alignbench: ")
    assert ran.stderr.endswith(message + "\n")
    assert ran.stderr.count("\n") == 1


def test_python_is_told_the_same() -> None:
    with pytest.raises(InputError, match=r"^temperature is 1000000\.0; expected 0 to 100 \(0 is greedy\)\.$"):
        Sampling(temperature=1e6)
    with pytest.raises(InputError, match=r"^max_tokens is 1000000000; expected 1 to 10,000,000\.$"):
        Sampling(max_tokens=10**9)
    with pytest.raises(InputError, match="temperature is '1'; expected a number, 0 to 100"):
        Sampling(temperature="1")  # type: ignore[arg-type]


def test_a_session_of_an_absurd_number_is_not_there(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        for number in (2**63, 10**30, -1, 0):
            with pytest.raises(InputError, match=f"There is no session {number}"):
                store.session(number)


def test_a_model_has_a_number_of_layers() -> None:
    with pytest.raises(InputError, match=r"gpu_layers is 1\d*; expected a number of layers, -1 to 100,000"):
        LoadOptions(gpu_layers=10**30)


def test_fields_of_the_app_have_the_same_bounds() -> None:
    fields = {field.key: field for field in FIELDS}
    for key in ("n", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "seed"):
        for text in ABSURD:
            with pytest.raises(InputError, match="; expected "):
                fields[key].read(text)
