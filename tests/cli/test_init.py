"""`alignbench init`: a new experiment file, which runs as it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from alignbench import paths
from alignbench.experiments.experiment import parse_experiment, read_experiment
from alignbench.experiments.new_experiment import experiment_text
from alignbench.file_schemas.experiments import experiment_schema
from tests.support.commands import alignbench


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_new_file_runs_as_it_is() -> None:
    ran = alignbench("init", "study.toml")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.splitlines() == ["wrote study.toml", "next: alignbench run study.toml --dry-run"]
    experiment = read_experiment(Path("study.toml"))
    assert [each.name for each in experiment.conditions] == ["demo-aligned", "demo-base"]
    assert (experiment.name, experiment.reference, experiment.floor) == ("study", "demo-aligned", "demo-base")
    assert len(experiment.prompts) == 60
    ran = alignbench("run", "study.toml", "--dry-run")
    assert ran.returncode == 0
    assert "demo-aligned" in ran.stdout


def test_it_is_for_the_models_and_prompts_that_are_named() -> None:
    Path("mine.txt").write_text("Why?\nHow?\n")
    Path("sub").mkdir()
    models = [part for name in ("demo-base", "demo-sft*0.5", "demo-smollm2") for part in ("--model", name)]
    assert alignbench("init", "sub/my study.toml", *models, "--prompts", "mine.txt").returncode == 0
    text = Path("sub/my study.toml").read_text()
    assert 'files = ["../mine.txt"]' in text
    assert "alignbench run 'my study.toml' --dry-run" in text
    experiment = read_experiment(Path("sub/my study.toml"))
    assert [each.name for each in experiment.conditions] == ["demo-base", "demo-sft*0.5", "demo-smollm2"]
    assert experiment.reference == "demo-sft*0.5"


def test_prompts_are_named_with_their_fields() -> None:
    Path("sub").mkdir()
    Path("trivia.csv").write_text("Question Text,Key\nWhy is the sky blue?,a\n")
    assert alignbench("init", "sub/study.toml", "--prompts", "trivia.csv?field=question text&id=key").returncode == 0
    (prompt,) = read_experiment(Path("sub/study.toml")).prompts
    assert (prompt.id, prompt.text) == ("a", "Why is the sky blue?")


@pytest.mark.parametrize(
    ("prompts", "seen"),
    [
        ("dataset:org/name?field=question&split=test", "dataset:org/name?field=question&split=test"),
        ("dataset:./sets?split=train", "dataset:./../sets?split=train"),
    ],
)
def test_a_data_set_is_one_in_the_file_too(prompts: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignbench.experiments.new_experiment.parse_experiment", lambda *_: None)
    text = experiment_text(Path("sub/study.toml"), ["demo-base"], prompts)
    assert tomllib.loads(text)["prompts"]["files"] == [seen]


def test_without_an_aligned_model_there_is_no_reference() -> None:
    assert alignbench("init", "study.toml", "--model", "demo-base").returncode == 0
    assert read_experiment(Path("study.toml")).reference is None


def test_a_reference_gets_a_name() -> None:
    ran = alignbench("init", "study.toml", "--model", "openai:http://127.0.0.1:1/v1#some/model")
    assert ran.returncode == 0, ran.stderr
    assert "[models]" in Path("study.toml").read_text()
    (condition,) = read_experiment(Path("study.toml")).conditions
    assert condition.model.reference == "openai:http://127.0.0.1:1/v1#some/model"


def test_what_is_commented_out_can_be_taken_in(tmp_path: Path) -> None:
    assert alignbench("init", "study.toml").returncode == 0
    text = re.sub(r"^# (?=\[|[a-z_]+ = )", "", Path("study.toml").read_text(), flags=re.MULTILINE)
    experiment = parse_experiment(text, tmp_path / "study.toml")
    assert [each.name for each in experiment.conditions][-1] == "demo-base + fixed-3"
    assert (len(experiment.prompts), experiment.report) == (10, Path("study.html"))
    assert not [*Draft202012Validator(experiment_schema()).iter_errors(tomllib.loads(text))]


def test_the_file_of_settings_counts_where_nothing_is_named() -> None:
    paths.config_dir().mkdir()
    paths.config_file().write_text('models = ["demo-smollm2"]\nprompts = "contested"')
    assert alignbench("init", "study.toml").returncode == 0
    experiment = read_experiment(Path("study.toml"))
    assert [each.name for each in experiment.conditions] == ["demo-smollm2"]
    assert {prompt.set for prompt in experiment.prompts} == {"contested"}


def test_a_file_that_is_there_stays() -> None:
    Path("study.toml").write_text("mine")
    ran = alignbench("init", "study.toml")
    assert ran.returncode == 2
    assert "study.toml is there already; --force writes over it." in ran.stderr
    assert Path("study.toml").read_text() == "mine"
    assert alignbench("init", "study.toml", "--force").returncode == 0
    assert "[[conditions]]" in Path("study.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["study.toml", "--model", "demo-bas"], "There is no model 'demo-bas'"),
        (["study.toml", "--prompts", "open"], "There is no prompt set or file 'open'"),
        (["study.toml", "--model", "demo-base", "--model", "demo-base"], "Two conditions would be called 'demo-base'"),
        (["study.toml", "--model", "demo-aligned", "--model", "demo-sft"], "are the same condition"),
        (["study.json"], "expected a name that ends in .toml"),
        (["none/study.toml"], "there is no folder"),
    ],
)
def test_nothing_is_written_where_a_name_is_wrong(arguments: list[str], words: str) -> None:
    ran = alignbench("init", *arguments)
    assert ran.returncode in (1, 2)
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not [*Path().glob("**/study*")]
