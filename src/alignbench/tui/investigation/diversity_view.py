"""The second view: every score of one set with its interval, and how far each condition is from the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.content import Content

from alignbench.metrics.statistics import MIN_PROMPTS, PairedDifference
from alignbench.scoring.score_tables import MatchedEstimate, WithinEstimate
from alignbench.scoring.truncation import too_many_cut
from alignbench.tui.investigation.view_model import WHO, InvestigationViewModel, shown_p
from alignbench.tui.styled import DIM, faint, paragraphs
from alignbench.tui.text import count, printable
from alignbench.tui.widgets.bars import Scale
from alignbench.tui.widgets.plot import interval_bar
from alignbench.tui.workbench.metric_rows import MetricRow, rows

FIRST = ("words", "jaccard", "embedding_diversity", "sampling_entropy")  # read beside length and entropy
VALUE, DIFFERENCE = 22, 32


def diversity_lines(model: InvestigationViewModel) -> list[Content]:
    """A block a score, lexical ones at matched length too: first those that findings speak of, then openings."""
    within = model.within
    scored = next(iter(within.values()), {})
    of_set = {row.metric.name: row for row in rows() if not row.cross and row.metric.name in scored}
    lines = []
    for metric in FIRST:
        if metric in of_set:
            lines += _raw_and_matched(model, of_set[metric])
    openings = model.diversity.openings
    if openings.metric in of_set:
        lines += block(model, of_set[openings.metric], openings.scores, f", openings of {openings.words} words")
    for metric, row in of_set.items():
        if metric not in FIRST:
            lines += _raw_and_matched(model, row)
    return [*lines, *paragraphs(_notes(model), model.width, style=DIM)]


def _raw_and_matched(model: InvestigationViewModel, row: MetricRow) -> list[Content]:
    """A score of every condition; of a lexical one also at matched length."""
    metric = row.metric.name
    lines = block(model, row, {name: model.within[name][metric] for name in model.names})
    matched = {name: of[metric] for name, of in model.study.report.scores.matched.items() if metric in of}
    return [*lines, *(_matched_block(model, row, matched) if matched else ())]


def _matched_block(
    model: InvestigationViewModel, row: MetricRow, matched: Mapping[str, MatchedEstimate]
) -> list[Content]:
    """Of every condition and of the reference at matched length, and how far they are apart."""
    reference = model.sign(model.reference or "")
    title = f" {row.label}, matched length {row.arrow}".rstrip()
    pad = " " * max(1, WHO + VALUE + _plot_width(model) - len(title))
    lines = [Content.assemble((title, "bold"), pad, (f"against {reference}", DIM))]
    apart = {name: row.oriented(one.difference) for name, one in matched.items()}
    known = [0.0, *(end for one in apart.values() if one.value is not None for end in (one.ci or (one.value,)))]
    for name, one in matched.items():
        shown = apart[name]
        if shown.value is None:
            lines.append(Content.assemble(model.who(name), (f"–  {one.reason}", DIM)))
            continue
        values = f"{row.written(row.shown(one.value))}, {reference} {row.written(row.shown(one.reference))}"
        bar = interval_bar(shown.value, shown.ci, Scale(min(known), max(known), _plot_width(model)))
        bar = bar.stylize(model.colour(name))
        lines.append(
            Content.assemble(model.who(name), f"{values:<{VALUE}}", bar, "  ", difference_words(row, one.difference))
        )
    return [*lines, Content("")]


def _notes(model: InvestigationViewModel) -> Iterator[str]:
    yield "[ ] 95% intervals. ↑ a higher number is more diverse, ↓ a lower one."
    yield "Longer responses share more words by chance: at matched length all that are compared have equally many."
    yield "Equal temperatures are not equal entropies: that of what was drawn from, in bits a token, stands beside."
    if model.study.report.meta.prompts >= MIN_PROMPTS:
        yield "* the p, corrected (Holm) for all that is compared, is 0.05 or less."
    if cut := too_many_cut(model.study.report.truncations, *model.names):
        yield f"{printable(cut)}."


def block(
    model: InvestigationViewModel, row: MetricRow, scores: Mapping[str, WithinEstimate], more: str = ""
) -> list[Content]:
    """A score of every condition.

    Args:
        model: What the view is drawn from.
        row: The score.
        scores: By condition.
        more: Behind its name.
    """
    against = f"against {model.sign(model.reference)}" if model.reference is not None else ""
    title = f" {row.label}{more} {row.arrow}".rstrip()
    room = max(0, model.width - len(title) - len(against) - 1)
    pad = min(room, WHO + VALUE + _plot_width(model) - len(title))
    lines = [Content.assemble((title, "bold"), " " * max(1, pad), (against, DIM))]
    known = [end for score in scores.values() for end in _ends(row, score)]
    for name, score in scores.items():
        value = row.value(score)
        if value is None:
            room = max(10, model.width - WHO - 4)
            why = paragraphs([f"–  {score.reason or 'no value'}"], room)[0]
            lines.append(Content.assemble(model.who(name), (why.plain, DIM)))
            continue
        interval = row.interval(score)
        around = f" [{row.written(interval[0])}, {row.written(interval[1])}]" if interval else ""
        bar = interval_bar(value, interval, Scale(min(known), max(known), _plot_width(model)))
        bar = bar.stylize(model.colour(name))
        said = f"{row.written(value)}{around}"
        lines.append(
            Content.assemble(model.who(name), f"{said:<{VALUE}}", bar, "  ", difference_words(row, score.difference))
        )
        if score.difference is not None and (own := _own_means(row, score, scores.get(model.reference or ""))):
            lines.append(faint(f"  {'':<{WHO - 2}}{own}"))
    return [*lines, Content("")]


def _own_means(row: MetricRow, score: WithinEstimate, reference: WithinEstimate | None) -> str:
    """The two means that a difference is of, where it is of other prompts or responses than those above; else empty."""
    difference = score.difference
    if difference is None or difference.means is None or reference is None:
        return ""
    own = [row.written(row.shown(mean)) for mean in difference.means]
    if own == [row.written(row.value(one)) for one in (score, reference)]:
        return ""
    return f"the difference is of {own[0]} and {own[1]}, over {count(difference.n, 'prompt')}"


def _plot_width(model: InvestigationViewModel) -> int:
    return max(8, min(40, model.width - WHO - VALUE - DIFFERENCE))


def _ends(row: MetricRow, score: WithinEstimate) -> Iterator[float]:
    value = row.value(score)
    if value is not None:
        yield from row.interval(score) or (value,)


def difference_words(row: MetricRow, difference: PairedDifference | None) -> str:
    """A condition minus the reference as it is shown, with interval and p; empty where they do not compare."""
    if difference is None or difference.value is None:
        return ""
    return f"{row.difference(difference, interval=True)} {shown_p(difference)}".rstrip()
