"""The figures of a report: which of them it has, and what each one shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.registry import METRICS
from alignbench.output_files import check_output_folder, new_folder, write_bytes
from alignbench.reports.constraint_figure import constraint_figure
from alignbench.reports.contents import Report
from alignbench.reports.coverage_curves import Coverage
from alignbench.reports.dial_figure import dial_figure
from alignbench.reports.entropies import branching_curves
from alignbench.reports.figure import Figure, legend
from alignbench.reports.frontier import Frontier
from alignbench.reports.gate import QualityGate
from alignbench.reports.plotting import COLOURS, MARKERS, Axes, called, log_scale, with_interval
from alignbench.reports.pluralism_figures import matrix_figure, stance_figure
from alignbench.reports.recovery_text import MARK, share
from alignbench.reports.survey_figure import survey_figure
from alignbench.scoring.score_tables import CrossEstimate, MatchedEstimate, ScoreTables, WithinEstimate

WITHIN = ("words", "jaccard", "embedding_diversity")
CROSS = ("jaccard", "embedding_similarity", "bertscore_f1")
LINES = len(COLOURS)  # most curves in one figure


def figures(report: Report) -> list[Figure]:
    """Those that the report has numbers for."""
    drawn = [_within(report), _recovery(report), _branching(report.scores)]
    if (diversity := report.diversity) is not None:
        drawn += [_gate(diversity.gate), _coverage(diversity.coverage, report.meta.reference)]
        if diversity.frontier is not None:
            drawn.append(_frontier(diversity.frontier))
        drawn.append(dial_figure(diversity.dials))
    drawn.append(survey_figure(None if report.survey is None else report.survey.summary))
    drawn.append(constraint_figure(report.constraints))
    if (of_pluralism := report.pluralism) is not None:
        drawn += [stance_figure(of_pluralism.stances), matrix_figure(of_pluralism.matrices)]
    if report.meta.ladders:
        drawn.append(_ladder(report.scores, report.meta.ladders))
    return [figure for figure in drawn if figure is not None]


def write_figures(report: Report, folder: Path) -> list[Path]:
    """Every figure as PNG and as SVG into a folder, which is made, with all or none; the files that were written."""
    drawn: dict[Path, bytes] = {}
    for figure in figures(report):
        drawn[folder / f"{figure.name}.svg"] = figure.svg().encode()
        drawn[folder / f"{figure.name}.png"] = figure.png()
    if folder.exists():
        check_output_folder(folder)
        for file, content in drawn.items():
            write_bytes(file, content)
    else:
        with new_folder(folder) as part:
            for file, content in drawn.items():
                (part / file.name).write_bytes(content)
    return [*drawn]


def _title(metric: str) -> str:
    known = METRICS[metric]
    arrows = {"higher": " (→ more diverse)", "lower": " (← more diverse)", "": ""}
    return known.title + arrows[known.more_diverse]


def _beside(count: int) -> float:
    """Inches for so many conditions below each other."""
    return 1.0 + 0.26 * max(count, 2)


def _rows(axes: Axes, names: Sequence[str], *, labels: bool) -> None:
    """One row a name, the first on top; labels: on the leftmost panel only."""
    if labels:
        axes.set_yticks(range(len(names)), [called(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _within(report: Report) -> Figure | None:
    tables, matched = report.scores.within, report.scores.matched
    metrics = [m for m in WITHIN if any(_value(scores.get(m)) is not None for scores in tables.values())]
    lexical = [m for m in metrics if any(of[m].value is not None for of in matched.values() if m in of)]
    if not metrics:
        return None

    def draw(panels: Sequence[Axes]) -> None:
        for axes, metric in zip(panels, metrics, strict=False):
            for row, (condition, scores) in enumerate(tables.items()):
                own = condition == report.meta.reference
                if (value := _value(scores.get(metric))) is not None:
                    style = {"color": COLOURS[1 if own else 0], "marker": "D" if own else "o", "markersize": 5}
                    with_interval(axes, value, row, scores[metric].ci, across=True, **style)
            axes.set_title(METRICS[metric].title)
            axes.set_xlabel(_title(metric).partition("(")[2].rstrip(")") if metric != "words" else "a response")
            _rows(axes, [*tables], labels=axes is panels[0])
        for axes, metric in zip(panels[len(metrics) :], lexical, strict=True):
            for row, condition in enumerate(tables):
                _apart(axes, row, tables[condition][metric], matched.get(condition, {}).get(metric))
            axes.axvline(0.0, color="#5d5d5d", linewidth=0.8)
            axes.set_title(f"{METRICS[metric].title}, difference")
            axes.set_xlabel("○ as they come   ● matched length")
            _rows(axes, [*tables], labels=False)

    caption = "Means over prompts with 95% intervals; the diamond is the reference."
    if lexical:
        caption += " Longer responses share more words; at matched length all that are compared have equally many."
    return Figure("diversity", "Length and diversity", caption, draw, len(metrics) + len(lexical), _beside(len(tables)),
                  share_y=True)  # fmt: skip


def _apart(axes: Axes, row: int, raw: WithinEstimate, matched: MatchedEstimate | None) -> None:
    """A condition minus the reference, as responses come and at matched length."""
    if matched is None or raw.difference is None or raw.difference.value is None or matched.difference.value is None:
        return
    with_interval(axes, raw.difference.value, row - 0.14, raw.difference.ci, across=True, color=COLOURS[0], marker="o",
                  markerfacecolor="white")  # fmt: skip
    with_interval(axes, matched.difference.value, row + 0.14, matched.difference.ci, across=True, color=COLOURS[0],
                  marker="o")  # fmt: skip


def _recovery(report: Report) -> Figure | None:
    tables, reference, floor = report.scores.cross, report.meta.reference, report.meta.floor
    names = [name for name in tables if name != reference]
    compared = [name for name in names if name != floor] or names
    metrics = [m for m in CROSS if any(_value(tables[name].get(m)) is not None for name in compared)]
    if not metrics:
        return None

    def draw(panels: Sequence[Axes]) -> None:
        for axes, metric in zip(panels, metrics, strict=True):
            for row, name in enumerate(names):
                if _value(score := tables[name][metric]) is not None:
                    _bar(axes, row, score, labelled=name != floor)
            lines = [(s.value, s.floor, s.null, s.ceiling) for s in (tables[name][metric] for name in names)]
            values = [value for line in lines for value in line if value is not None]
            if min(values) > 0.5:  # what lies in a narrow band near 1 is not told apart from 0 on
                axes.set_xlim(left=min(values) - 0.15 * (max(values) - min(values)) - 0.01)
            axes.set_title(METRICS[metric].title)
            axes.margins(x=0.16)
            _rows(axes, names, labels=axes is panels[0])
        legend(panels, 5)

    caption = (
        f"Similarity to {called(str(reference))} with 95% intervals, between floor and ceiling of the same prompts; "
        f"the number is the recovery, {MARK} where it has no interval or is over 1. What a context is made from is "
        "held out; an open circle has it in."
    )
    height = _beside(len(names)) + 0.3
    return Figure("recovery", "Recovery of the reference", caption, draw, len(metrics), height, share_y=True)


def _bar(axes: Axes, row: int, score: CrossEstimate, *, labelled: bool) -> None:
    known = {*axes.get_legend_handles_labels()[1]}

    def label(text: str) -> str | None:
        return None if text in known else text

    value = score.value or 0.0
    axes.barh(row, value, height=0.56, color="#9ecae1", label=label("similarity"), zorder=1)
    if score.ci is not None:
        axes.plot(score.ci, [row, row], color="#1f4e79", linewidth=1.4, zorder=3)
    for at, text, style, colour in (
        (score.ceiling, "ceiling", "-", "#009e73"),
        (score.floor, "floor", "--", "#d55e00"),
        (score.null, "answers to other prompts", ":", "#5d5d5d"),
    ):
        if at is not None:
            axes.plot([at, at], [row - 0.42, row + 0.42], style, color=colour, linewidth=1.8, label=label(text),
                      zorder=2)  # fmt: skip
    if score.with_source is not None and score.with_source.value is not None:
        axes.plot([score.with_source.value], [row], "o", markerfacecolor="white", markeredgecolor="#1f4e79",
                  markersize=5, label=label("with source"), zorder=4)  # fmt: skip
    if labelled and (said := share(score)):
        right = max(v for v in (value, score.ceiling, *(score.ci or ())) if v is not None)
        axes.annotate(f" {said}", (right, row), va="center", fontsize=8)


def _branching(scores: ScoreTables) -> Figure | None:
    curves = dict([*branching_curves(scores).items()][:LINES])
    spans = [*max(curves.values(), key=len, default={})]
    if not spans:
        return None

    def draw(panels: Sequence[Axes]) -> None:
        (axes,) = panels
        for i, (name, curve) in enumerate(curves.items()):
            xs = [spans.index(span) for span in curve]
            style: dict[str, Any] = {"color": COLOURS[i], "marker": MARKERS[i], "markersize": 4}
            axes.plot(xs, [*curve.values()], label=called(name), **style)
        axes.set_xticks(range(len(spans)), spans)
        axes.set_xlabel("position of the token")
        log_scale(axes)
        axes.set_title(METRICS["branching_factor"].title)
        legend(panels, 2)

    caption = (
        "How many equally likely tokens there are to choose from; later positions are of the longer responses alone."
    )
    return Figure("branching", "Branching factor along the responses", caption, draw, 1, 3.2)


def _gate(gate: QualityGate) -> Figure | None:
    conditions = gate.conditions
    changes = {m: [gated.metrics.get(m) for gated in conditions.values()] for m in WITHIN}
    metrics = [m for m, of in changes.items() if any(one is not None and one.after.value is not None for one in of)]
    if not metrics:
        return None

    def draw(panels: Sequence[Axes]) -> None:
        for axes, metric in zip(panels, metrics, strict=True):
            for row, change in enumerate(changes[metric]):
                if change is None or (before := change.before.value) is None or (after := change.after.value) is None:
                    continue
                with_interval(axes, before, row - 0.14, change.before.ci, across=True, color=COLOURS[6], marker="o",
                              markerfacecolor="white", label="before" if row == 0 else None)  # fmt: skip
                with_interval(axes, after, row + 0.14, change.after.ci, across=True, color=COLOURS[0], marker="o",
                              label="after" if row == 0 else None)  # fmt: skip
            axes.set_title(METRICS[metric].title + (", matched length" if METRICS[metric].lexical else ""))
            axes.set_xlabel(_title(metric).partition("(")[2].rstrip(")"))
            _rows(axes, [*conditions], labels=axes is panels[0])
        legend(panels, 2)

    caption = f"Over the same prompts, those with two responses or more of {gate.threshold:g} or better on each side."
    height = _beside(len(conditions)) + 0.5
    return Figure("gate", "Diversity before and after the quality gate", caption, draw, len(metrics), height,
                  share_y=True)  # fmt: skip


def _coverage(coverage: Coverage, reference: str | None) -> Figure | None:
    """Solid the curves of one condition by the other, dashed those of a condition by itself."""
    shown = {name: of for name, of in coverage.conditions.items() if of.of_reference}
    drawn = {name: (i, of) for i, (name, of) in enumerate([*shown.items()][:LINES])}
    if not shown:
        return None

    def draw(panels: Sequence[Axes]) -> None:
        of_reference, of_condition = panels
        _curve(of_reference, coverage.reference, "o", "black", f"{called(str(reference))}, others", "--")
        for name, (i, of) in drawn.items():
            _curve(of_reference, of.of_reference, MARKERS[i], COLOURS[i], called(name))
            _curve(of_condition, of.by_reference, MARKERS[i], COLOURS[i])
            _curve(of_condition, of.of_itself, MARKERS[i], COLOURS[i], style="--")
        of_reference.set_title("of one reference response, said by k")
        of_condition.set_title("of one response, said by k of the reference (dashed: its own)")
        for axes in panels:
            axes.set_xlabel("k responses")
            axes.set_ylim(0, 1)
            longest = max(max(len(of.of_reference), len(of.by_reference)) for _, of in drawn.values())
            axes.set_xticks(range(1, longest + 1))
        of_reference.set_ylabel("share of its sentences")
        legend(panels, 2)

    caption = (
        f"Sentences that k responses say together, by cosine of {coverage.threshold:.2f} or more; bands are 95%. "
        "Dashed: said by k other responses of the condition that it is of, which any aggregation has to be over."
    )
    if len(shown) > LINES:
        caption += f" The first {LINES} of {len(shown)} conditions."
    title = f"How much {called(str(reference))} says of what the others say"
    return Figure("coverage", title, caption, draw, 2, 3.0 + 0.18 * min(LINES, len(shown)) / 2)


def _curve(axes: Axes, curve: Sequence[Estimate], marker: str, colour: str, label: str | None = None,
           style: str = "-") -> None:  # fmt: skip
    """By k, with a band."""
    points = [(k, p.value, p.ci) for k, p in enumerate(curve, start=1) if p.value is not None]
    ks = [k for k, _, _ in points]
    axes.plot(ks, [value for _, value, _ in points], style, marker=marker, color=colour, markersize=4, label=label)
    intervals = [ci for _, _, ci in points if ci is not None]
    if intervals and len(intervals) == len(points) and style == "-":
        low, high = zip(*intervals, strict=True)
        axes.fill_between(ks, low, high, color=colour, alpha=0.13, linewidth=0)


def _frontier(frontier: Frontier) -> Figure | None:
    sides = [
        (side, name)
        for side in ("quality", "similarity")
        for name in (("quality",) if side == "quality" else ("embedding_similarity", "jaccard"))
    ]
    metric = next((m for m in ("embedding_diversity", "jaccard") if _points(frontier, m, sides[0]) or
                   any(_points(frontier, m, side) for side in sides)), None)  # fmt: skip
    against = [side for side in sides if metric is not None and _points(frontier, metric, side)][:2]
    if metric is None or not against:
        return None

    def draw(panels: Sequence[Axes]) -> None:
        for axes, side in zip(panels, against, strict=True):
            for i, (group, points) in enumerate(_points(frontier, metric, side).items()):
                style: dict[str, Any] = {"color": COLOURS[i % LINES], "marker": MARKERS[i % LINES]}
                axes.plot(
                    [x for x, _, _ in points], [y for _, y, _ in points], markersize=5, label=called(group), **style
                )
                for x, y, temperature in points:
                    axes.annotate(f" {temperature:g}", (x, y), fontsize=7.5, textcoords="offset points", xytext=(2, 4))
            axes.set_xlabel(_title(metric))
            axes.set_title("judged quality" if side[0] == "quality" else f"{METRICS[side[1]].title} to the reference")
        legend(panels, 2)

    caption = "Each point is a temperature, which stands beside it; up and towards more diverse is better."
    return Figure("frontier", "Diversity against quality and similarity", caption, draw, len(against), 3.4)


def _ladder(scores: ScoreTables, ladders: Sequence[Sequence[str]]) -> Figure | None:
    stages = [name for ladder in ladders for name in ladder]
    tables: list[tuple[Mapping[str, Mapping[str, Estimate]], Sequence[str], str]] = [
        (scores.within, WITHIN, ""),
        (scores.cross, CROSS[:2], "\nto the reference"),
    ]
    shown = [
        (table, metric, f"{METRICS[metric].title}{beside}")
        for table, metrics, beside in tables
        for metric in metrics
        if any(_value(table.get(name, {}).get(metric)) is not None for name in stages)
    ]
    if not shown:
        return None
    longest = max(ladders, key=len)

    def draw(panels: Sequence[Axes]) -> None:
        for axes, (table, metric, title) in zip(panels, shown, strict=True):
            for i, ladder in enumerate(ladders[:LINES]):
                points = enumerate(table.get(name, {}).get(metric, Estimate()) for name in ladder)
                there = [(x, point.value, point.ci) for x, point in points if point.value is not None]
                style: dict[str, Any] = {"color": COLOURS[i], "marker": MARKERS[i], "markersize": 5}
                axes.plot([x for x, _, _ in there], [y for _, y, _ in there], color=COLOURS[i], linewidth=1)
                for x, y, ci in there:
                    label = called(ladder[-1]) if x == there[0][0] and len(ladders) > 1 else None
                    with_interval(axes, x, y, ci, across=False, label=label, **style)
            axes.set_title(title)
            names = (
                [called(name) for name in longest] if len(ladders) == 1 else [str(i + 1) for i in range(len(longest))]
            )
            axes.set_xticks(range(len(longest)), names, rotation=40, ha="right", rotation_mode="anchor")
            axes.margins(x=0.15)
        legend(panels, 2)

    caption = "Each stage of the ladder with its 95% interval over prompts."
    return Figure("ladder", "Along the revisions", caption, draw, len(shown), 3.6)


def _points(frontier: Frontier, metric: str, side: tuple[str, str]) -> dict[str, list[tuple[float, float, float]]]:
    """Diversity, the other side and temperature, group by group."""
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for point in frontier.points:
        other = point.quality if side[0] == "quality" else point.similarity.get(side[1])
        x, y = _value(point.diversity.get(metric)), _value(other)
        if x is not None and y is not None:
            groups.setdefault(point.group, []).append((x, y, point.temperature))
    return groups


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
