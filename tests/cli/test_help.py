"""Help: commands by what they are for, summaries of one line, examples that are commands, one word for one thing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any, get_args

from typer.core import TyperGroup
from typer.main import get_command

from alignbench.cli import choices
from alignbench.cli.app import app
from alignbench.cli.former_options import as_argument
from alignbench.cli.groups import PANELS
from alignbench.cli.help_examples import EXAMPLES
from alignbench.cli.late import SUMMARY
from tests.support.commands import alignbench

ROOT = get_command(app)
assert isinstance(ROOT, TyperGroup)


def commands(group: TyperGroup, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by the words it is called with, groups of them too."""
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before}{name} ")


ALL = dict(commands(ROOT))
LEAVES = {name: command for name, command in ALL.items() if not isinstance(command, TyperGroup)}


def test_the_summary_of_a_command_is_one_short_line() -> None:
    for command in ALL.values():
        summary = command.help.split("\n\n")[0]
        assert len(summary) <= SUMMARY, summary
        assert summary.endswith("."), summary
        assert command.get_short_help_str(80).rstrip(".") == summary.rstrip("."), "its first sentence is all of it"


def test_a_command_is_listed_by_what_it_is_for() -> None:
    for name, command in ROOT.commands.items():
        assert getattr(command, "rich_help_panel", None) in PANELS, name


def test_the_help_of_all_commands_is_grouped() -> None:
    _, *lines = alignbench("--help").stdout.splitlines()
    headings = [line.removesuffix(":") for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options", *PANELS]
    listed = {line.split()[0] for line in lines[lines.index("Draw:") :] if line.startswith("  ")}
    assert listed == {*ROOT.commands}
    assert not [line for line in lines if line.endswith("...")], "no summary is cut"


def test_every_command_has_examples_and_no_other() -> None:
    assert {*EXAMPLES} == {*LEAVES}


def test_the_examples_of_a_command_are_calls_of_it() -> None:
    for name, example in ((name, example) for name, examples in EXAMPLES.items() for example in examples):
        given = shlex.split(example)
        if ">" in given:
            given = given[: given.index(">")]
        named = name.split()
        assert given[: 1 + len(named)] == ["alignbench", *named]
        LEAVES[name].make_context(name, given[1 + len(named) :])


def test_examples_stand_at_the_end_of_help_as_they_are_typed() -> None:
    *_, heading, first, second = alignbench("sample", "--help").stdout.splitlines()
    assert heading.strip() == "Examples:"
    assert (first.strip(), second.strip()) == EXAMPLES["sample"]


def test_one_word_for_one_thing() -> None:
    for parameter in (parameter for command in LEAVES.values() for parameter in command.params):
        is_session = parameter.name.startswith(("session", "first", "second"))
        shown = parameter.metavar or ""
        if is_session:
            assert parameter.param_type_name == "argument"
            assert shown in ("SESSION", "SESSION SESSION...")
        else:
            assert "SESSION" not in shown
        assert "--session" not in parameter.opts


def test_a_session_may_be_given_as_an_option_as_before() -> None:
    assert as_argument("--session", ["--session", "3", "--json"]) == ["3", "--json"]
    assert as_argument("--session", ["--json", "--session=3"]) == ["--json", "3"]
    assert as_argument("--session", ["--", "--session", "3"]) == ["--", "--session", "3"]
    for name in ("score", "calibrate", "render", "ledger", "tui", "hints make", "hints list", "examples build"):
        assert LEAVES[name].make_context(name, ["--session", "7"], resilient_parsing=True).params["session"] in (7, "7")
    assert LEAVES["plan"].make_context("plan", ["--from", "7"], resilient_parsing=True).params["session"] == 7


def test_an_option_without_its_session_is_a_usage_error() -> None:
    for arguments in (("score", "--session"), ("plan", "--effect", "1", "--from")):
        ran = alignbench(*arguments)
        assert ran.returncode == 2
        assert "needs a session's number" in ran.stderr


def test_the_model_that_acts_is_called_model() -> None:
    for name in {*LEAVES} - {"score"}:  # which has --base for one kind of score
        if name.startswith("import "):  # where it says which of the models there is one
            continue
        options = {option for parameter in LEAVES[name].params for option in parameter.opts}
        for other in ("--maker", "--base"):
            assert other not in options or "--model" in options, name


def test_choices_are_those_of_the_core() -> None:
    from alignbench.judging.templates import KINDS
    from alignbench.reports.options import INVESTIGATIONS
    from alignbench.reports.writing import FORMATS
    from alignbench.spec import Level
    from alignbench.surveys.asking import Orders

    assert get_args(choices.JudgeKind) == KINDS
    assert get_args(choices.InvestigationName) == INVESTIGATIONS
    assert {*get_args(choices.ReportFormat)} == {"table", *FORMATS}
    assert (*get_args(choices.HintLevel), "first") == get_args(Level)
    assert {*get_args(choices.OptionOrders)} == {*get_args(Orders)}
