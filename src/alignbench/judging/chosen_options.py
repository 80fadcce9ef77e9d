"""Which options of survey questions a judge finds replies to choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alignbench.answer_options import AnswerOptions
from alignbench.judging.qualities import SampleKey
from alignbench.judging.summary import judgments_of
from alignbench.metrics.option_replies import REFUSAL
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class ChosenOptions:
    """judge: a model's reference; empty without one. of: by condition, prompt id and sample, the text of the option
    that is chosen, None where the reply declines; without those that the judge could not tell."""

    judge: str = ""
    of: Mapping[SampleKey, str | None] = field(default_factory=dict)

    def place(self, key: SampleKey, answers: AnswerOptions) -> int | None:
        """The place of the option that a reply chooses, or REFUSAL; None where no judge tells."""
        if key not in self.of:
            return None
        text = self.of[key]
        if text is None:
            return REFUSAL
        return answers.texts.index(text) if text in answers.texts else None


def read_chosen_options(store: Store, session: int, judge: str | None = None) -> ChosenOptions:
    """By one judge; without a name, by the judge with the most judgments."""
    chosen = judge if judge is not None else next(iter(store.judges(session, "option")), "")
    of: dict[SampleKey, str | None] = {}
    for row in judgments_of(store, session, "option", chosen) if chosen else ():
        if row.judgment.status == "valid":
            of[row.condition, row.prompt_id, row.sample] = row.judgment.fields["option"]
    return ChosenOptions(chosen, of)
