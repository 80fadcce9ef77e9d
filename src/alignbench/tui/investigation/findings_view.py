"""The first view: what moved, in sentences."""

from __future__ import annotations

from textual.content import Content

from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.tui.investigation.view_model import InvestigationViewModel, paragraphs
from alignbench.tui.scores.view_model import heading
from alignbench.tui.text import count, printable
from alignbench.tui.widgets.bars import DIM


def findings_lines(page: InvestigationViewModel) -> list[Content]:
    """The sentences of the report, then what its numbers rest on."""
    meta = page.study.report["meta"]
    if page.reference is None:
        sentences = ["No column is the reference, so nothing is compared: * on the Bench marks one."]
    else:
        sentences = page.found["findings"]
    lines = [heading(" What moved"), *paragraphs(map(printable, sentences), page.width, "· ")]
    rests = f"Over {count(meta['prompts'], 'prompt')} and {count(meta['samples'], 'sample')} of this session."
    if meta["prompts"] < MIN_PROMPTS:
        rests += f" Under {MIN_PROMPTS} prompts an interval carries no claim."
    notes = [rests, *meta["notes"]]
    return [*lines, Content(""), *paragraphs(map(printable, notes), page.width, style=DIM)]
