"""What a file or folder of survey questions holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignbench.spec import Prompt


@dataclass(frozen=True, slots=True)
class SurveyFile:
    """prompts: all with options. notes: what a reader of the numbers should know, such as what was left out."""

    prompts: tuple[Prompt, ...]
    notes: tuple[str, ...] = ()


def counted_notes(counts: Mapping[str, int], what: str) -> tuple[str, ...]:
    """One note on things that were left out, by the question that they are of; none where there are none."""
    if not counts:
        return ()
    most = ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda each: -each[1])[:5])
    return (f"{sum(counts.values())} {what} are left out: {most}{', ...' if len(counts) > 5 else ''}",)
