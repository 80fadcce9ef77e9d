"""What `alignbench survey` prints."""

from __future__ import annotations

from collections.abc import Sequence

from alignbench.cli.tables import print_titled
from alignbench.reports.survey_sections import answers_section, survey_sections
from alignbench.surveys.distribution import AnswerDistribution
from alignbench.surveys.summary import SurveySummary


def print_survey(answers: Sequence[AnswerDistribution], summary: SurveySummary) -> None:
    """The distribution of every question, then what they come to over questions, each beside what chance gives."""
    print_titled([answers_section(answers), *survey_sections(summary)])
