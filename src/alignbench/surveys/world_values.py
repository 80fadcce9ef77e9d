"""A folder with respondents as the World Values Survey publishes them, and a codebook of the questions to be asked.

- codebook.csv: an option a row: variable, question, code, label, and perhaps value, its place on an ordinal scale
- one other CSV file: a respondent a row, codes under each variable; B_COUNTRY_ALPHA says where the respondent lives,
  W_WEIGHT how much an answer weighs, where they are there

Codes under 0 say that there is no answer. Those that the codebook lists are options of refusal, -1 (don't know) and -2
(no answer) as a rule; the others, such as -4 (not asked), are left out.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

from alignbench.answer_options import AnswerOption, AnswerOptions
from alignbench.errors import InputError
from alignbench.spec import Prompt
from alignbench.surveys.respondents import EVERYONE, Tally, weight_of
from alignbench.surveys.survey_file import SurveyFile, counted_notes
from alignbench.surveys.tables import ArchiveTable, read_table

CODEBOOK = "codebook.csv"
COUNTRY, WEIGHT = "B_COUNTRY_ALPHA", "W_WEIGHT"


def read_world_values(folder: Path) -> SurveyFile:
    """The questions of the codebook, in its order. InputError names file, line and field."""
    codebook = read_table(folder / CODEBOOK)
    codebook.need("variable", "question", "code", "label")
    people = read_table(_people(folder))
    weight = WEIGHT if WEIGHT in people.columns else ""
    unknown: Counter[str] = Counter()
    prompts = []
    for variable, (line, question, options) in _questions(codebook).items():
        where = f"{codebook.path}, line {line}"
        if variable not in people.columns:
            raise InputError(f'{where}, field "variable": {variable!r} is no column of {people.path.name}.')
        try:
            answers = AnswerOptions(tuple(options.values()))
        except ValueError as error:
            raise InputError(f'{where}, field "label": {error}.') from None
        places = {code: i for i, code in enumerate(options)}
        tally = Tally(len(places))
        for number, row in people.rows:
            at = f"{people.path}, line {number}"
            code = _code(row[variable], at, variable)
            if code in places:
                country = row.get(COUNTRY, "")
                groups = (EVERYONE, country) if country else (EVERYONE,)
                tally.add(groups, places[code], weight_of(row, weight, at))
            elif code is not None and code >= 0:
                unknown[variable] += 1
        answered = AnswerOptions(answers.options, tuple(tally.groups(answers.answers)))
        prompts.append(Prompt(variable, question, folder.name, answered))
    if not prompts:
        raise InputError(f"{codebook.path} holds no questions.")
    return SurveyFile(tuple(prompts), counted_notes(unknown, "answers with codes that the codebook does not have"))


_Question = tuple[int, str, dict[float, AnswerOption]]  # line of its first option, text, options by code


def _questions(codebook: ArchiveTable) -> dict[str, _Question]:
    questions: dict[str, _Question] = {}
    for line, row in codebook.rows:
        where = f"{codebook.path}, line {line}"
        variable, text = row["variable"], " ".join(row["question"].split())
        _, asked, options = questions.setdefault(variable, (line, text, {}))
        if not asked:
            raise InputError(f'{where}, field "question": empty; expected what is asked.')
        if text not in ("", asked):
            raise InputError(f'{where}, field "question": {variable!r} has another one before; expected one text.')
        code = _code(row["code"], where, "code")
        if code is None or code in options:
            what = "empty" if code is None else f"{row['code']} is there twice"
            raise InputError(f'{where}, field "code": {what}; expected each code of {variable!r} once.')
        value = _code(row.get("value", ""), where, "value")
        label = " ".join(row["label"].split())
        options[code] = AnswerOption(label, refusal=True) if code < 0 else AnswerOption(label, value)
    return questions


def _people(folder: Path) -> Path:
    others = sorted(path for path in folder.glob("*.csv") if path.name != CODEBOOK)
    if len(others) != 1:
        there = ", ".join(path.name for path in others) or "none"
        raise InputError(f"{folder} has {there} beside {CODEBOOK}; expected one CSV file of respondents.")
    return others[0]


def _code(text: str, where: str, column: str) -> float | None:
    """A number; None for an empty cell."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f'{where}, field "{column}": {text!r}; expected a number.')
    return number
