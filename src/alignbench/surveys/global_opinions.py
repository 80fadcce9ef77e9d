"""GlobalOpinionQA (Durmus et al. 2023, arXiv 2306.16388): one CSV file with `question`, `selections` and `options`.

selections: a Python dict of countries, each with the shares of its people, one of each option. Shares are rounded
there; a country's are scaled to a sum of 1. Rows without a question, or with fewer than two options that answer it,
are left out and counted, as are countries that have no shares of a question.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from alignbench.answer_options import AnswerOption, AnswerOptions, HumanGroup
from alignbench.errors import InputError
from alignbench.spec import Prompt, content_hash, made_id
from alignbench.surveys.respondents import is_refusal
from alignbench.surveys.survey_file import SurveyFile, counted_notes
from alignbench.surveys.tables import python_list, python_value, read_table

COLUMNS = ("question", "selections", "options")
_SELECTIONS = "shares by country like {'Chile': [0.6, 0.4]}"


def read_global_opinions(path: Path) -> SurveyFile:
    """The questions of the file, in its order. InputError names line and field."""
    table = read_table(path)
    table.need(*COLUMNS)
    prompts: list[Prompt] = []
    unusable: Counter[str] = Counter()
    without: Counter[str] = Counter()
    ids: Counter[str] = Counter()
    for line, row in table.rows:
        where = f"{path}, line {line}"
        question = " ".join(row["question"].split())
        texts = [" ".join(str(each).split()) for each in python_list(row["options"], f'{where}, field "options"')]
        try:
            options = AnswerOptions(tuple(AnswerOption(text, refusal=is_refusal(text)) for text in texts))
        except ValueError as error:
            unusable[str(error)] += 1
            continue
        if not question:
            unusable["no question"] += 1
            continue
        id = made_id(content_hash(question), path.stem)
        ids[id] += 1
        groups = tuple(_groups(row["selections"], options, where, without))
        called = id if ids[id] == 1 else f"{id}-{ids[id]}"
        prompts.append(Prompt(called, question, path.stem, AnswerOptions(options.options, groups)))
    if not prompts:
        raise InputError(f"{path} holds no question with options.")
    notes = counted_notes(unusable, "rows without a question that can be asked")
    return SurveyFile(tuple(prompts), (*notes, *counted_notes(without, "countries without shares of a question")))


def _groups(cell: str, options: AnswerOptions, where: str, without: Counter[str]) -> Iterator[HumanGroup]:
    at = f'{where}, field "selections"'
    selections = python_value(cell, at, _SELECTIONS)
    if not isinstance(selections, Mapping):
        raise InputError(f"{at}: {cell[:60]!r}; expected {_SELECTIONS}.")
    for country, given in selections.items():
        shares = _shares(given, len(options.options), f"{at}, {country!r}")
        if any(shares[i] for i in options.answers):
            total = math.fsum(shares)
            yield HumanGroup(str(country), tuple(share / total for share in shares))
        else:
            without[str(country)] += 1


def _shares(given: object, k: int, at: str) -> Sequence[float]:
    if not isinstance(given, list) or not all(isinstance(each, int | float) for each in given):
        raise InputError(f"{at}: expected a list of shares.")
    if len(given) != k:
        raise InputError(f"{at}: {len(given)} shares; expected {k}, one of each option.")
    if not all(0.0 <= each <= 1.0 for each in given):
        raise InputError(f"{at}: a share is not from 0 to 1.")
    return [float(each) for each in given]
