"""The first view: what moved, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from alignbench.tui.investigation.view_model import InvestigationViewModel
from alignbench.tui.styled import DIM, heading, paragraphs
from alignbench.tui.text import count, printable


def findings_lines(model: InvestigationViewModel) -> list[Content]:
    """The sentences of the report, then what its numbers rest on."""
    meta, investigation = model.study.report.meta, model.study.report.investigation
    if model.reference is None or investigation is None:
        sentences: Sequence[str] = ["No column is the reference, so nothing is compared: * on the Bench marks one."]
    else:
        sentences = [finding.text for finding in investigation.findings]
    lines = [heading(" What moved"), *paragraphs(map(printable, sentences), model.width, "· ")]
    rests = f"Over {count(meta.prompts, 'prompt')} and {count(meta.samples, 'sample')} of this session."
    notes = [rests, *meta.notes]
    return [*lines, Content(""), *paragraphs(map(printable, notes), model.width, style=DIM)]
