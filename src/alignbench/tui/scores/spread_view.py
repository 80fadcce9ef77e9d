"""The third view: one score over all prompts that were sampled in the session."""

from __future__ import annotations

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.reports.recovery_text import recovery_remarks, shown_recovery
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel, visible_columns
from alignbench.tui.styled import DIM, faint, heading, hue, notes
from alignbench.tui.text import count, fitted
from alignbench.tui.widgets.bars import Scale, dot_plot

NAME = 20
CELL = 9


def spread_lines(model: ScoresViewModel) -> Drawn:
    """A strip a column, then a line a prompt."""
    row, spread = model.row, model.spread
    label = f" {row.title} {row.arrow}".rstrip()
    if row.on_demand:
        return [heading(label), faint(" A score that runs on demand is of the prompt on the screen only.")], (0, 1)
    if spread is None or spread.row != row:
        return [heading(label), faint(f" {model.waiting}")], (0, 1)
    known = [value for values in spread.values.values() for value in values.values() if value is not None]
    lines = [heading(f"{label}, {count(len(spread.prompts), 'prompt')} of this session")]
    if not known:
        return [*lines, faint(f" No value yet. {_why(model)}")], (0, 1)
    low, high = min(known), max(known)
    left = NAME + 24
    width = max(16, model.width - (4 if model.narrow else left) - 2)
    scale = Scale(low, high, width)
    ends = f"{row.written(low)}{row.written(high):>{max(1, width - len(row.written(low)))}}"
    lines.append(faint(" " * (2 if model.narrow else left) + ends))
    for at in range(len(model.names)):
        lines += _strip(model, at, scale, left)
    said = ["◆ this prompt  | mean  · : ⁝ # one, two, three, more prompts"]
    if row.cross:
        compared = [name for at, name in enumerate(model.names) if model.role(at) not in ("ceiling", "floor")]
        tables = (spread.tables.cross.get(name, {}).get(row.metric.name) for name in compared)
        said += [f"{remark}." for remark in recovery_remarks(score for score in tables if score is not None)]
    lines += notes(said, model.width)
    return [*lines, Content(""), *_prompts(model)], (0, 1)


def _strip(model: ScoresViewModel, at: int, scale: Scale, left: int) -> list[Content]:
    row, spread = model.row, model.spread
    assert spread is not None
    name = model.names[at]
    similarity = spread.tables.cross.get(name, {}).get(row.metric.name) if row.cross else None
    entry = similarity or spread.tables.within.get(name, {}).get(row.metric.name) or Estimate()
    mean, interval = row.value(entry), row.interval(entry)
    values = [v for of_prompt in spread.values.values() if (v := of_prompt[name]) is not None]
    around = f"[{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
    style = f"{'bold ' if at == model.selected else ''}{hue(at)}"
    title = Content.styled(f" {fitted(f'{model.title(at)} {name}', NAME)} {row.written(mean):>6} {around:<14}", style)
    plot = dot_plot(
        values,
        scale,
        mean=mean if len(values) > 1 else None,
        current=spread.values.get(model.snapshot.prompt, {}).get(name),
        style=hue(at),
    )
    beside = ""
    if not row.cross and (matched := spread.tables.matched.get(name, {}).get(row.metric.name)) is not None:
        beside = model.matched_words(row, matched)
    if similarity is not None and similarity.recovery is not None and model.role(at) not in ("ceiling", "floor"):
        beside = f"recovery {shown_recovery(similarity)}"
    if model.narrow:
        return [title, Content.assemble("  ", plot), *([faint(f"  {beside}")] if beside else [])]
    gap = Content(" " * max(1, left - title.cell_length))
    return [Content.assemble(title, gap, plot), *([faint(f"   {beside}")] if beside else [])]


def _prompts(model: ScoresViewModel) -> list[Content]:
    row, spread = model.row, model.spread
    assert spread is not None
    columns = visible_columns(len(model.names), max(1, (model.width - 30) // CELL), model.selected, model.reference)
    room = max(12, model.width - CELL * len(columns) - 4)
    lines = [
        Content.assemble(
            (f"  {fitted('prompt', room)}", DIM), *((f"{model.title(at):>{CELL}}", hue(at)) for at in columns)
        )
    ]
    for prompt in spread.prompts:
        here = prompt == model.snapshot.prompt
        of_prompt = spread.values[prompt]
        cells = "".join(f"{row.written(of_prompt[model.names[at]]):>{CELL}}" for at in columns)
        text = fitted(model.snapshot.texts[prompt], room)
        lines.append(Content.styled(f"{'◆ ' if here else '  '}{text}{cells}", "bold" if here else ""))
    return lines


def _why(model: ScoresViewModel) -> str:
    """Why the selected column has no value here."""
    return model.entry(model.row, model.selected).reason if model.names else ""
