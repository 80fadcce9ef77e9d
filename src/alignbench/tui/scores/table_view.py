"""The first view: a row a score, a column a condition."""

from __future__ import annotations

from textual.content import Content

from alignbench.reports.entropies import branching_curve
from alignbench.reports.numbers import LENGTH
from alignbench.reports.recovery_text import share
from alignbench.scoring.score_tables import CrossEstimate
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel, visible_columns
from alignbench.tui.styled import DIM, SELECTED, faint, hue
from alignbench.tui.text import cells, fitted, number
from alignbench.tui.widgets.bars import recovery_bar
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.comparison_values import HELD_OUT
from alignbench.tui.workbench.metric_rows import SIMILARITY, MetricRow, rows

LABEL = 30
COLUMN, WIDEST = 15, 24
BAR = 40


def table_lines(model: ScoresViewModel) -> Drawn:
    """The scores by family; the cursor is the chosen one."""
    columns, wide = _columns(model)
    lines: list[Content] = []
    family, cursor = "", 0
    for row in rows():
        if row.family != family:
            family = row.family
            lines.append(_family(model, family))
        if row == model.row:
            cursor = len(lines)
        lines.append(_line(model, row, columns, wide))
        if any(model.matched(row, at) for at in columns):
            lines.append(_matched_line(model, row, columns, wide))
    return lines, (0 if cursor < 3 else cursor - 1, cursor + 1)


def table_head(model: ScoresViewModel) -> list[Content]:
    """Names, roles, and what stands beside every set: samples, exact duplicates, empty responses."""
    return _head(model, *_columns(model))


def _columns(model: ScoresViewModel) -> tuple[list[int], int]:
    """The columns that fit, and how wide they are."""
    room = max(1, (model.width - LABEL - 2) // COLUMN)
    columns = visible_columns(len(model.names), room, model.selected, model.reference)
    return columns, min(WIDEST, (model.width - LABEL - 2) // max(1, len(columns)))


def _head(model: ScoresViewModel, columns: list[int], wide: int) -> list[Content]:
    names, roles = [Content(" " * LABEL)], [Content(" " * LABEL)]
    counts, odd = [faint(f"{'  samples':<{LABEL}}")], [faint(f"{'  exact duplicates, empty':<{LABEL}}")]
    for at in columns:
        name = fitted(f"{model.title(at)} {model.names[at]}", wide - 2).rstrip()
        names += [
            Content(" " * (wide - cells(name))),
            Content.styled(name, SELECTED if at == model.selected else f"bold {hue(at)}"),
        ]
        roles.append(faint(f"{model.role(at):>{wide}}"))
        counts.append(Content(f"{f'n {model.n(at)}':>{wide}}"))
        odd_ones = [model.count(name, at) for name in ("duplicates", "empty")]
        odd.append(Content(f"{', '.join('–' if c is None else str(c) for c in odd_ones):>{wide}}"))
    lines = [Content("").join(names), Content("").join(counts), Content("").join(odd)]
    if any(model.role(at) for at in columns):
        lines.insert(1, Content("").join(roles))
    return lines


def _family(model: ScoresViewModel, family: str) -> Content:
    if family != SIMILARITY:
        return faint(f" {family}")
    if model.reference is None:
        return faint(f" {SIMILARITY}: mark one with * on the Bench")
    name = fitted(model.names[model.reference], 30).rstrip()
    return faint(f" similarity to {model.title(model.reference)} {name}, with recovery")


def _line(model: ScoresViewModel, row: MetricRow, columns: list[int], wide: int) -> Content:
    chosen = row == model.row
    mark = "▶ " if chosen else "  "
    label = f"{fitted(row.label, LABEL - 4).rstrip()} {row.arrow}"
    parts = [Content.styled(f"{mark}{label:<{LABEL - 2}}", "bold" if chosen else "")]
    if row.on_demand:
        job = (model.jobs or {}).get(row.run)
        if (job is None or job.result is None) and not (job is None and model.is_kept(row)):
            text = model.entry(row, 0).reason if model.names else ""
            parts.append(faint("  " + fitted(text, max(4, model.width - LABEL - 3)).rstrip()))
            return Content("").join(parts)
    for at in columns:
        text = cell(model, row, at)
        here = chosen and at == model.selected
        style = SELECTED if here else DIM if text == "–" else hue(at)
        parts += [Content(" " * max(1, wide - len(text))), Content.styled(text, style)]
    return Content("").join(parts)


def _matched_line(model: ScoresViewModel, row: MetricRow, columns: list[int], wide: int) -> Content:
    """Below a lexical score, the same at matched length: of a column, and how far that is from the reference's."""
    texts = [f"    {'at matched length':<{LABEL - 4}}"]
    for at in columns:
        matched = model.matched(row, at)
        value = None if matched is None else row.shown(matched.value)
        text = "" if matched is None else row.written(value)
        if matched is not None and value is not None:
            text += f" {row.difference(matched.difference)}"
        texts.append(f"{text:>{wide}}")
    return faint("".join(texts))


def cell(model: ScoresViewModel, row: MetricRow, at: int) -> str:
    """A score in short: its value, and what it is where the column is ceiling or floor, else the recovery."""
    text = row.written(row.value(model.entry(row, at)))
    if text == "–":
        return text
    if not row.cross:
        sd = model.within(row, at).sd
        return text if sd is None else f"{text} ± {row.written(sd)}"
    if row.similarity and model.role(at) in ("ceiling", "floor"):
        return f"{model.role(at)} {text}"
    if not row.similarity:
        return text
    entry = model.similarity(row, at)
    mark = "" if entry.held_out is None else HELD_OUT
    return f"{text}{mark} {share(entry)}".rstrip()


def detail(model: ScoresViewModel, bar: bool) -> list[Content]:
    """The chosen score of the selected column: its value and interval or why there is none, and what it means.

    bar: of a similarity, also where it stands between floor and ceiling.
    """
    row, lines = model.row, []
    if model.names:
        at = model.selected
        entry = model.entry(row, at)
        who = f"{model.title(at)} {fitted(model.names[at], 30).rstrip()}, {row.title}"
        value = row.value(entry)
        if value is None:
            lines.append(Content.styled(f"{who}: no value: {entry.reason or 'not computed'}", "bold $text-warning"))
        else:
            interval = row.interval(entry)
            around = f" [{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
            said = cell(model, row, at) if not row.cross else row.written(value)
            lines.append(Content.assemble((f"{who}: {said}{around}", "bold"), (_beside(model, at), DIM)))
        if (matched := model.matched(row, at)) is not None:
            lines.append(faint(model.matched_words(row, matched)))
        if curve := {} if row.cross else branching_curve(model.within(row, at).extra):
            points = ", ".join(f"{span}: {number(factor)}" for span, factor in curve.items())
            lines.append(faint(f"by position of the token {points}"))
        if row.similarity and bar and value is not None:
            lines += _similarity(model, row)
        warning = model.similarity(row, at).warning if row.similarity else ""
        if warning and model.role(at) not in ("ceiling", "floor"):
            lines.append(Content.styled(f"! recovery {warning}", "bold $text-warning"))
        job = (model.jobs or {}).get(row.run)
        if row.metric.origin and job is not None and job.result is not None:
            lines += [faint(note) for note in job.result.notes]
        if model.panel is not None and (kept := model.panel.kept.get(row.metric.name)):
            lines.append(faint(f"{kept}; o runs it"))
        if row.metric.moves_with_n and len({model.n(at) for at in range(len(model.names))} - {0}) > 1:
            lines.append(Content.styled("! Columns differ in n, and this score moves with n.", "bold $text-warning"))
    return [*lines, *(Content(text) if i == 0 else faint(text) for i, text in enumerate(row.help()))]


def _beside(model: ScoresViewModel, at: int) -> str:
    """How long the responses are: length confounds overlap."""
    if model.row.metric.family == "length" or model.panel is None:
        return ""
    if model.row.judged:
        judged = model.within(model.row, at)
        invalid, na = (judged.extra[count] for count in ("invalid", "na"))
        return f"   n {judged.samples}, replies that cannot be read {invalid:.0f}, N/A {na:.0f}"
    entry = model.panel.tables.within[model.names[at]]["words"]
    if entry.value is None:
        return ""
    sd = "" if entry.sd is None else f" ± {number(entry.sd, LENGTH)}"
    return f"   {number(entry.value, LENGTH)}{sd} words"


def _similarity(model: ScoresViewModel, row: MetricRow) -> list[Content]:
    """Floor, ceiling and columns on a line; the selected column's recovery and distance."""
    entry = model.entry(row, model.selected)
    lines = [similarity_bar(model, row, min(BAR, max(12, model.width - 44)))]
    if model.selected != model.reference and entry.value is not None:
        lines.append(Content(recovery_words(model, row, model.selected)))
    if beside := source_words(model.similarity(row, model.selected)):
        lines.append(faint(f"{HELD_OUT} held out; {beside}"))
    return lines


def source_words(entry: CrossEstimate) -> str:
    """What stands apart from a held-out similarity: that over all samples of the reference, its source included, and
    that to its source alone. Empty where nothing is held out."""
    whole = entry.with_source
    if whole is None:
        return ""
    value = "–" if whole.value is None else number(whole.value)
    recovered = f" (recovery {said})" if (said := share(whole)) else ""
    only = "no source" if entry.source is None else f"its source alone {number(entry.source)}"
    return f"with source {value}{recovered}, {only}"


def hint_value(model: ScoresViewModel, row: MetricRow, name: str) -> float | None:
    """Similarity of a hint's own text, as if it were an answer; None where the condition has no hint."""
    similarity = model.panel.hints.get(name, {}).get(row.metric.name) if model.panel is not None else None
    return None if similarity is None else similarity.value


def recovery_words(model: ScoresViewModel, row: MetricRow, at: int) -> str:
    """Recovery, or why there is none, and MMD² beside it."""
    entry = model.similarity(row, at)
    distance = entry.mmd2
    beside = f"MMD² {number(distance, 3)}" if distance is not None else "no MMD²"
    if distance is None and row.metric.live:
        beside += ": needs 2 samples on each side"
    if model.role(at) == "floor":
        return f"the floor   {beside}"
    if recovered := share(entry):
        return f"recovery {recovered}   {beside}"
    why = model.snapshot.roles.no_floor or entry.recovery_reason or ""
    return f"{beside}   no recovery: {why}"


def similarity_bar(model: ScoresViewModel, row: MetricRow, width: int) -> Content:
    """floor .31 |=====C----| ceiling .74, with the null."""
    reference = model.reference
    if reference is None or model.panel is None:
        return faint(model.waiting if reference is not None else "no reference")
    entries = {at: model.similarity(row, at) for at in range(len(model.names))}
    ceiling = entries[reference].value
    floor = entries[reference].floor
    null = entries[reference].null
    marks = {
        letter(at): value
        for at, entry in entries.items()
        if model.role(at) not in ("ceiling", "floor") and (value := entry.value) is not None
    }
    for one in model.snapshot.earlier:
        if one.name != model.snapshot.roles.floor and (value := model.version(row, one).value) is not None:
            marks[one.sign] = value
    for at in entries:
        if (said := hint_value(model, row, model.names[at])) is not None:
            marks[f"h{letter(at)}"] = said
    bar = recovery_bar(width, marks, floor=floor, ceiling=ceiling, null=null)
    left = _named(("null", null), ("floor", floor))
    right = f" ceiling {number(ceiling)}" if ceiling is not None else " no ceiling: the reference needs 2 samples"
    return Content.assemble((left, DIM), bar, (right, DIM))


def _named(*marks: tuple[str, float | None]) -> str:
    """Names and values of the lines that are there."""
    return "".join(f"{name} {number(value)}  " for name, value in marks if value is not None)
