"""A folder of OpinionQA (Santurkar et al. 2023, arXiv 2303.17548): a wave of the American Trends Panel.

- info.csv: a question a row: key, question, references (a Python list of options), option_ordinal (the places of those
  that are no refusals; all alike where they have no order)
- responses.csv: a respondent a row, the chosen option under each key; columns of demographic attributes, and
  WEIGHT_<wave>
- metadata.csv, where it is there: key and options of the attributes; else those that the paper uses are looked for

Groups are `everyone` and each value of each attribute, such as `SEX: Female`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.errors import InputError
from alignbench.spec import Prompt
from alignbench.surveys.respondents import EVERYONE, Tally, weight_of
from alignbench.surveys.survey_file import SurveyFile, counted_notes
from alignbench.surveys.tables import ArchiveTable, python_list, read_table

INFO, RESPONSES, METADATA = "info.csv", "responses.csv", "metadata.csv"
REFUSED = "Refused"  # the one option that the paper leaves out of its distributions
ATTRIBUTES = ("CREGION", "AGE", "SEX", "EDUCATION", "CITIZEN", "MARITAL", "RELIG", "RELIGATTEND", "POLPARTY", "INCOME",
              "POLIDEOLOGY", "RACE")  # fmt: skip


def read_opinion_qa(folder: Path) -> SurveyFile:
    """The questions of a wave, in the order of info.csv. InputError names file, line and field."""
    info, responses = read_table(folder / INFO), read_table(folder / RESPONSES)
    info.need("key", "question", "references")
    attributes = _attributes(folder, responses)
    unknown: Counter[str] = Counter()
    prompts = []
    for line, row in info.rows:
        where = f"{info.path}, line {line}"
        options = _options(row, where)
        key = row["key"]
        if key not in responses.columns:
            raise InputError(f'{where}, field "key": {key!r} is no column of {responses.path.name}.')
        tally = Tally(len(options.options))
        places = {text: i for i, text in enumerate(options.texts)}
        weight = next((name for name in _weights(key) if name in responses.columns), "")
        for number, answers in responses.rows:
            if (answer := " ".join(answers[key].split())) in places:
                weighed = weight_of(answers, weight, f"{responses.path}, line {number}")
                tally.add(_groups(answers, attributes), places[answer], weighed)
            elif answer and answer.lower() != "nan":
                unknown[key] += 1
        answered = AnswerOptions(options.options, tuple(tally.groups(options.answers)))
        prompts.append(Prompt(key, " ".join(row["question"].split()), folder.name, answered))
    return SurveyFile(tuple(prompts), counted_notes(unknown, "answers that are no option of the question"))


def _options(row: Mapping[str, str], where: str) -> AnswerOptions:
    texts = [" ".join(str(each).split()) for each in python_list(row["references"], f'{where}, field "references"')]
    refusals = [text == REFUSED for text in texts]
    n = refusals.count(False)
    places: list[object] = [None] * n
    if ordinal := row.get("option_ordinal", ""):
        given = python_list(ordinal, f'{where}, field "option_ordinal"')
        if len({*given}) > 1:
            places = given
    if len(places) != n or not all(each is None or isinstance(each, int | float) for each in places):
        raise InputError(
            f'{where}, field "option_ordinal": {ordinal}; expected {n} numbers, one of each option but {REFUSED}.'
        )
    values = iter(places)
    try:
        return AnswerOptions(
            tuple(
                AnswerOption(text, refusal=True) if refusal else AnswerOption(text, _number(next(values)))
                for text, refusal in zip(texts, refusals, strict=True)
            )
        )
    except ValueError as error:
        raise InputError(f'{where}, field "references": {error}.') from None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _attributes(folder: Path, responses: ArchiveTable) -> dict[str, frozenset[str]]:
    """Values by attribute; no values where any counts."""
    if not (folder / METADATA).is_file():
        return {name: frozenset() for name in ATTRIBUTES if name in responses.columns}
    metadata = read_table(folder / METADATA)
    metadata.need("key", "options")
    return {
        row["key"]: frozenset(map(str, python_list(row["options"], f'{metadata.path}, line {line}, field "options"')))
        for line, row in metadata.rows
        if row["key"] in responses.columns
    }


def _groups(answers: Mapping[str, str], attributes: Mapping[str, frozenset[str]]) -> Iterator[str]:
    yield EVERYONE
    for name, values in attributes.items():
        value = answers[name]
        if value in values or (not values and value and value.lower() != "nan" and value != REFUSED):
            yield f"{name}: {value}"


def _weights(key: str) -> tuple[str, ...]:
    """Names that the column of weights may have."""
    return f"WEIGHT_{key.rpartition('_')[2]}", "WEIGHT"
