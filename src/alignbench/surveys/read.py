"""Survey questions from a set that ships, a file of prompts, or a folder or file of a survey archive."""

from __future__ import annotations

from pathlib import Path

from alignbench.errors import InputError
from alignbench.prompt_files.source import PromptSource
from alignbench.prompts import load_prompts, prompt_source, set_path
from alignbench.surveys import global_opinions, opinion_qa, world_values
from alignbench.surveys.survey_file import SurveyFile
from alignbench.surveys.tables import columns_of


def read_survey(name_or_path: str) -> SurveyFile:
    """The questions of a shipped set (by name), a file, a folder or a data set; its layout tells what it is.

    Raises InputError, naming file, line and field, for what is not as it should be, and for a prompt without options.
    """
    source = prompt_source(name_or_path)
    path: Path | PromptSource = source
    if not source.is_dataset:
        path = set_path(source.location)
        if path.is_dir():
            return _folder(path)
        if path.suffix.lower() == ".csv" and {*global_opinions.COLUMNS} <= {*columns_of(path)}:
            return global_opinions.read_global_opinions(path)
    prompts = load_prompts(source)
    if without := [prompt.id for prompt in prompts if prompt.answers is None]:
        raise InputError(
            f'{path}: the prompt {without[0]!r} has no field "options"; expected survey questions, each with 2 options '
            "or more."
        )
    return SurveyFile(tuple(prompts))


def _folder(path: Path) -> SurveyFile:
    if (path / opinion_qa.INFO).is_file():
        return opinion_qa.read_opinion_qa(path)
    if (path / world_values.CODEBOOK).is_file():
        return world_values.read_world_values(path)
    raise InputError(
        f"{path} is no folder of a survey; expected {opinion_qa.INFO} and {opinion_qa.RESPONSES} as in OpinionQA, or "
        f"{world_values.CODEBOOK} beside the respondents of a World Values Survey."
    )
