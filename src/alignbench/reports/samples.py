"""Samples side by side for a page that is sent around: so many prompts, samples and characters, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alignbench.metrics.shared_words import Mark, marked, shared_words
from alignbench.metrics.words import is_empty
from alignbench.store import SampleRow, Store

PROMPTS = 40
SAMPLES = 5  # of a condition and prompt
CHARACTERS = 3_000  # of a sample
TOGETHER = 2_000_000  # characters of all samples

MarkedText = tuple[str, Mark]


@dataclass(frozen=True, slots=True)
class SampleView:
    """One sample: its text in pieces, marked where the reference has the word too, and a remark on how it ended."""

    sample: int
    pieces: tuple[MarkedText, ...]
    remark: str


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One prompt;

    Attributes:
        rows: by index of the sample, one of each condition, None where it has none
    """

    prompt_id: str
    prompt: str
    rows: tuple[tuple[SampleView | None, ...], ...]


@dataclass(frozen=True, slots=True)
class SamplesPage:
    """The samples that a report shows side by side."""

    reference: str | None
    conditions: tuple[str, ...]  # heads of the columns, the reference first
    prompts: tuple[SideBySide, ...]
    left_out: tuple[str, ...]  # sentences on what is not here


def shown_samples(store: Store, session: int, reference: str | None) -> SamplesPage:
    """The first samples of the first prompts of a session, as far as the limits of this module go."""
    conditions = sorted((c.name for c in store.conditions(session)), key=lambda name: name != reference)
    cells: dict[str, dict[str, int]] = {}
    for cell in (cell for cell in store.cells(session) if cell.n):
        cells.setdefault(cell.prompt_id, {})[cell.condition] = cell.id
    prompts = [prompt for prompt in store.prompts(session) if prompt.id in cells]
    pages: list[SideBySide] = []
    room = TOGETHER
    fewer = cut = 0
    for prompt in prompts[:PROMPTS]:
        rows = {name: list(store.samples(session, cell_id=id)) for name, id in cells.get(prompt.id, {}).items()}
        taken = {name: samples[:SAMPLES] for name, samples in rows.items()}
        room -= sum(min(len(row.text), CHARACTERS) for samples in taken.values() for row in samples)
        if room < 0 and pages:
            break
        fewer += any(len(samples) > SAMPLES for samples in rows.values())
        cut += sum(len(row.text) > CHARACTERS for samples in taken.values() for row in samples)
        pages.append(SideBySide(prompt.id, prompt.shown, tuple(_rows(taken, conditions, reference))))
    left_out = []
    if len(pages) < len(prompts):
        left_out.append(f"These are the first {len(pages)} of {len(prompts)} prompts.")
    if fewer:
        left_out.append(f"Of each condition, the first {SAMPLES} samples of a prompt are here.")
    if cut:
        left_out.append(f"{cut} samples are cut after {CHARACTERS:,} characters, which is said below them.")
    return SamplesPage(reference, tuple(conditions), tuple(pages), tuple(left_out))


def _rows(
    taken: Mapping[str, Sequence[SampleRow]], conditions: Sequence[str], reference: str | None
) -> Iterator[tuple[SampleView | None, ...]]:
    by_index = {name: {row.sample: row for row in samples} for name, samples in taken.items()}
    theirs = {i: row.text for i, row in by_index.get(reference or "", {}).items() if row.status == "done"}
    for sample in sorted({index for samples in by_index.values() for index in samples}):
        others = [text for i, text in theirs.items() if i != sample]
        yield tuple(
            _shown(row, others if name == reference else [*theirs.values()]) if row is not None else None
            for name in conditions
            for row in (by_index.get(name, {}).get(sample),)
        )


def _shown(row: SampleRow, theirs: Sequence[str]) -> SampleView:
    """theirs: the reference's samples, without this one."""
    text = row.text[:CHARACTERS]
    if row.status == "error":
        return SampleView(row.sample, ((text, "plain"),) if text else (), f"failed: {row.error}")
    ends = {"length": "cut by length", "cancelled": "cancelled"}
    remarks = [ends[row.finish_reason]] if row.finish_reason in ends else []
    if row.refused:
        remarks.append("a refusal")
    if row.thinking:
        remarks.append("its thoughts are not shown")
    if is_empty(text):
        remarks.append("empty")
    if len(row.text) > CHARACTERS:
        remarks.append(f"{len(row.text) - CHARACTERS:,} more characters are not shown")
    return SampleView(row.sample, tuple(marked(text, shared_words(text, theirs))), ", ".join(remarks))
