"""The third view: one score over all prompts that were sampled in the session."""

from __future__ import annotations

from textual.content import Content

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel, visible_columns
from alignbench.tui.styled import DIM, faint, heading, notes
from alignbench.tui.text import count, fitted
from alignbench.tui.widgets.bars import Scale, dot_plot

NAME = 20
CELL = 9


def spread_lines(scene: ScoresViewModel) -> Drawn:
    """A strip a column, then a line a prompt."""
    row, spread = scene.row, scene.spread
    label = f" {row.title} {row.arrow}".rstrip()
    if row.on_demand:
        return [heading(label), faint(" A score that runs on demand is of the prompt on the screen only.")], (0, 1)
    if spread is None or spread.row != row:
        return [heading(label), faint(f" {scene.waiting}")], (0, 1)
    known = [value for values in spread.values.values() for value in values.values() if value is not None]
    lines = [heading(f"{label}, {count(len(spread.prompts), 'prompt')} of this session")]
    if not known:
        return [*lines, faint(f" No value yet. {_why(scene)}")], (0, 1)
    low, high = min(known), max(known)
    left = NAME + 24
    width = max(16, scene.width - (4 if scene.narrow else left) - 2)
    scale = Scale(low, high, width)
    ends = f"{row.written(low)}{row.written(high):>{max(1, width - len(row.written(low)))}}"
    lines.append(faint(" " * (2 if scene.narrow else left) + ends))
    for at in range(len(scene.names)):
        lines += _strip(scene, at, scale, left)
    said = ["◆ this prompt  | mean  · : ⁝ # one, two, three, more prompts"]
    if len(spread.prompts) < MIN_PROMPTS and row.cross and scene.snapshot.roles.floor:
        said.append(f"A recovery has no interval under {MIN_PROMPTS} prompts.")
    lines += notes(said, scene.width)
    return [*lines, Content(""), *_prompts(scene)], (0, 1)


def _strip(scene: ScoresViewModel, at: int, scale: Scale, left: int) -> list[Content]:
    row, spread = scene.row, scene.spread
    assert spread is not None
    name = scene.names[at]
    similarity = spread.tables.cross.get(name, {}).get(row.metric.name) if row.cross else None
    entry = similarity or spread.tables.within.get(name, {}).get(row.metric.name) or Estimate()
    mean, interval = row.value(entry), row.interval(entry)
    values = [v for found in spread.values.values() if (v := found[name]) is not None]
    around = f"[{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
    style = "bold" if at == scene.selected else ""
    title = Content.styled(f" {fitted(f'{scene.title(at)} {name}', NAME)} {row.written(mean):>6} {around:<14}", style)
    plot = dot_plot(
        values,
        scale,
        mean=mean if len(values) > 1 else None,
        current=spread.values.get(scene.snapshot.prompt, {}).get(name),
    )
    recovery = ""
    if similarity is not None and similarity.recovery is not None and scene.role(at) not in ("ceiling", "floor"):
        ends = "" if similarity.recovery_ci is None else " [{:.0%}, {:.0%}]".format(*similarity.recovery_ci)
        recovery = f"recovery {similarity.recovery:.0%}{ends}"
    if scene.narrow:
        return [Content.assemble(title, recovery), Content.assemble("  ", plot)]
    gap = Content(" " * max(1, left - title.cell_length))
    return [Content.assemble(title, gap, plot), *([faint(f"   {recovery}")] if recovery else [])]


def _prompts(scene: ScoresViewModel) -> list[Content]:
    row, spread = scene.row, scene.spread
    assert spread is not None
    columns = visible_columns(len(scene.names), max(1, (scene.width - 30) // CELL), scene.selected, scene.reference)
    room = max(12, scene.width - CELL * len(columns) - 4)
    lines = [
        Content.assemble((f"  {fitted('prompt', room)}", DIM), *((f"{scene.title(at):>{CELL}}", DIM) for at in columns))
    ]
    for prompt in spread.prompts:
        here = prompt == scene.snapshot.prompt
        found = spread.values[prompt]
        cells = "".join(f"{row.written(found[scene.names[at]]):>{CELL}}" for at in columns)
        text = fitted(scene.snapshot.texts[prompt], room)
        lines.append(Content.styled(f"{'◆ ' if here else '  '}{text}{cells}", "bold" if here else ""))
    return lines


def _why(scene: ScoresViewModel) -> str:
    """Why the selected column has no value here."""
    return scene.entry(scene.row, scene.selected).reason if scene.names else ""
