"""Survey questions that somebody else asked: the prompt is as they wrote it, its options in it or not."""

from __future__ import annotations

from dataclasses import replace

from alignbench.spec import Prompt
from alignbench.surveys.asking import listed_order, options_of, question_of
from alignbench.tui.workbench.state import Bench


def imported_prompts(bench: Bench) -> list[Prompt]:
    """The survey prompt on the Bench, with the order in which its own text lists the options; none where no column has
    imported responses."""
    if not any(column.condition.model.is_imported for column in bench.columns):
        return []
    answers = options_of(bench.prompt)
    shown = answers.shown or listed_order(bench.prompt)
    return [replace(bench.prompt, answers=answers.in_order(shown, question_of(bench.prompt).id))]
