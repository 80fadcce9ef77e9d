"""The second view: every similarity to the reference between its lines, with recovery and distance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from textual.content import Content

from alignbench.metrics.recovery import recovered
from alignbench.reports.recovery_text import recovery_remarks, share
from alignbench.scoring.score_tables import CrossEstimate
from alignbench.tui.scores.snapshot import Earlier
from alignbench.tui.scores.table_view import hint_value, recovery_words, similarity_bar, source_words
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel, how_on_demand
from alignbench.tui.styled import DIM, faint, hue, notes
from alignbench.tui.text import count, fitted, number
from alignbench.tui.workbench.comparison_values import HELD_OUT
from alignbench.tui.workbench.metric_rows import MetricRow, rows


def recovery_lines(model: ScoresViewModel) -> Drawn:
    """A block a similarity; the cursor is the chosen one."""
    if model.reference is None:
        return [Content(" Mark a reference column with * on the Bench: the others are compared with it.")], (0, 1)
    lines: list[Content] = []
    cursor = (0, 1)
    for row in rows():
        if row.similarity:
            block = _block(model, row)
            if row == model.row:
                cursor = (len(lines), len(lines) + len(block))
            lines += [*block, Content("")]
    return [*lines, *notes(_footnotes(model), model.width)], cursor


def _block(model: ScoresViewModel, row: MetricRow) -> list[Content]:
    chosen = row == model.row
    lines = [Content.styled(f"{'▶ ' if chosen else '  '}{row.label}", "bold" if chosen else "")]
    job = (model.jobs or {}).get(row.run)
    if row.on_demand and (job is None or job.result is None):
        return [*lines, faint(f"    {how_on_demand(job)}")]
    lines.append(Content.assemble("    ", similarity_bar(model, row, max(12, model.width - 48))))
    order = sorted(range(len(model.names)), key=lambda at: _ORDER.index(model.role(at)))
    for at in order:
        lines += [_condition(model, row, at), *_hinted(model, row, model.names[at], model.similarity(row, at))]
        for one in model.snapshot.earlier:
            if one.column == at:
                entry = model.version(row, one)
                lines += [_version(model, row, one, entry), *_hinted(model, row, one.name, entry)]
    lines.append(_null(model, row))
    return lines


_ORDER = ("ceiling", "greedy", "impostor", "", "floor")


def _condition(model: ScoresViewModel, row: MetricRow, at: int) -> Content:
    entry = model.similarity(row, at)
    name = 12 if model.narrow else 30
    role, value = model.role(at), row.value(entry)
    style = "bold" if at == model.selected else ""
    parts = [(f"    {role:<9}", DIM), (fitted(f"{model.title(at)} {model.names[at]}", name), f"{style} {hue(at)}")]
    if value is None:
        room = max(8, model.width - name - 18)
        return Content.assemble(*parts, (f"  –  {fitted(entry.reason, room).rstrip()}", DIM))
    parts.append((f" {_value(row, entry, value)}", f"{style} {hue(at)}"))
    if at != model.reference:
        words = recovery_words(model, row, at)
        warned = bool(entry.warning)
        parts.append((f" {words}", "bold $text-warning" if warned else style))
    return Content.assemble(*parts)


def _version(model: ScoresViewModel, row: MetricRow, one: Earlier, entry: CrossEstimate) -> Content:
    """A version of a column that is not on the Bench."""
    name = 12 if model.narrow else 30
    role = "floor" if one.name == model.snapshot.roles.floor else "version"
    who = f"    {role:<9}{fitted(f'{one.sign} {one.words}', name)}"
    if (value := row.value(entry)) is None:
        return faint(f"{who}  –  {fitted(entry.reason, max(8, model.width - name - 18)).rstrip()}")
    words = f"recovery {recovered}" if role != "floor" and (recovered := share(entry)) else ""
    return faint(f"{who} {_value(row, entry, value)} {words}")


def _value(row: MetricRow, entry: CrossEstimate, value: float) -> str:
    """A similarity with its interval, marked where it is held out."""
    interval = row.interval(entry)
    around = f"[{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
    mark = " " if entry.held_out is None else HELD_OUT
    return f"{row.written(value):>5}{mark}{around:<13}"


def _hinted(model: ScoresViewModel, row: MetricRow, name: str, entry: CrossEstimate) -> list[Content]:
    """What stands apart of a context that tells of the reference's samples, and its hint without a model."""
    parts = [beside] if (beside := source_words(entry)) else []
    if (said := hint_value(model, row, name)) is not None:
        parts.append(f"the hint itself {number(said)}{_share(entry, said)}")
    lines = parts if model.narrow else ["   ".join(parts)] * bool(parts)
    return [faint(f"      {'':<7}{line}") for line in lines]


def _share(entry: CrossEstimate, value: float) -> str:
    """The recovery of another value in place of an entry's."""
    if entry.floor is None or entry.ceiling is None:
        return ""
    other = replace(entry, recovery=recovered(value, entry.floor, entry.ceiling), recovery_ci=None)
    return f" (recovery {said})" if (said := share(other)) else ""


def _null(model: ScoresViewModel, row: MetricRow) -> Content:
    entry = model.similarity(row, model.reference or 0)
    name = 12 if model.narrow else 30
    null = entry.null
    if null is None:
        why = "–  sample the reference on another prompt" if model.panel and not model.panel.others else "–"
        return Content.assemble((f"    {'null':<9}", DIM), (f"{'':<{name}}  {why}", DIM))
    others = count(model.panel.others, "other prompt") if model.panel is not None else "other prompts"
    what = fitted(f"{model.title(model.reference or 0)} on {others}", name)
    return Content.assemble((f"    {'null':<9}", DIM), f"{what} {number(null):>5}")


def _footnotes(model: ScoresViewModel) -> list[str]:
    notes = [
        "recovery = (similarity - floor) / (ceiling - floor).  MMD² is 0 where both sets are alike; of "
        "cosines it compares means only."
    ]
    jobs = (model.jobs or {}).values()
    notes += [f"{note}." for job in jobs if job.result is not None for note in job.result.notes]
    if model.snapshot.roles.no_floor:
        notes.append(f"No recovery: {model.snapshot.roles.no_floor}.")
    notes.append("[ ] around a similarity: jackknife over samples, 95%.")
    notes += [f"{remark}." for remark in recovery_remarks(_recovered(model))]
    if model.panel is not None and model.panel.others:
        notes.append(f"The null is the mean over {count(model.panel.others, 'other prompt')} of this session.")
    if model.panel is not None and model.panel.hints:
        notes.append("h before a letter: that column's hint itself, as if it were an answer.")
    if model.snapshot.source_samples:
        notes.append(
            f"{HELD_OUT} held out: similarity to the samples of the reference that a context is not made from, floor "
            "and null too. With source: to all of them."
        )
    if model.snapshot.earlier:
        notes.append("Versions of a column are numbered from the oldest; v on the Bench compares them.")
    return notes


def _recovered(model: ScoresViewModel) -> Iterator[CrossEstimate]:
    """Of the columns that have a recovery."""
    columns = [at for at in range(len(model.names)) if model.role(at) not in ("ceiling", "floor")]
    return (model.similarity(row, at) for row in rows() if row.similarity for at in columns)
