"""The fourth view: the different answers of each condition, with how many samples give each."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from alignbench.scoring.equivalence import Equivalence
from alignbench.tui.scores.view_model import Drawn, ScoresViewModel
from alignbench.tui.styled import DIM, SELECTED, hue, notes
from alignbench.tui.text import count, fitted


@dataclass(frozen=True, slots=True)
class AnswerCluster:
    """Samples of one column that say the same, the first of them the one that stands for it."""

    column: int
    samples: tuple[int, ...]


def answers(model: ScoresViewModel) -> list[AnswerCluster]:
    """Of every column, the most frequent first."""
    clusters = []
    for at, name in enumerate(model.names):
        classes: dict[int, list[int]] = {}
        for sample, label in (model.panel.modes.get(name, {}) if model.panel else {}).items():
            classes.setdefault(label, []).append(sample)
        clusters += [
            AnswerCluster(at, tuple(samples)) for samples in sorted(classes.values(), key=lambda s: (-len(s), s[0]))
        ]
    return clusters


def answer_lines(model: ScoresViewModel) -> Drawn:
    """A block a column, a line an answer; the cursor is the chosen one."""
    lines: list[Content] = []
    cursor = (0, 1)
    clusters = answers(model)
    for at in range(len(model.names)):
        own = [(i, answer) for i, answer in enumerate(clusters) if answer.column == at]
        lines.append(_head(model, at, len(own), sum(len(answer.samples) for _, answer in own)))
        for i, answer in own:
            if i == model.answer:
                cursor = (0 if len(lines) < 4 else len(lines) - 1, len(lines) + 1)
            lines.append(_answer(model, answer, i == model.answer))
        lines.append(Content(""))
    equivalence = model.panel.equivalence if model.panel is not None else Equivalence()
    said = (
        f"A sample joins the first answer that says the same: {equivalence.words}.",
        "Embeddings do not see stance: yes and no to one question may count as one answer.",
    )
    return [*lines, *notes(said, model.width)], cursor


def _head(model: ScoresViewModel, at: int, classes: int, embedded: int) -> Content:
    n = model.n(at)
    name = f" {model.title(at)} {fitted(model.names[at], 34).rstrip()}"
    words = f"  {count(classes, 'distinct answer')} in {count(n, 'sample')}" if embedded else f"  {count(n, 'sample')}"
    missing = ""
    if embedded < n:
        why = model.waiting
        if model.panel is not None:
            diversity = model.panel.tables.within[model.names[at]]["embedding_diversity"]
            why = diversity.reason or "empty, or without a token to embed"
        missing = f"  {n - embedded} left out: {why}"
    style = SELECTED if at == model.selected else f"bold {hue(at)}"
    return Content.assemble((name, style), words, (missing, DIM))


def _answer(model: ScoresViewModel, answer: AnswerCluster, chosen: bool) -> Content:
    rows = {row.sample: row for row in model.snapshot.samples[model.snapshot.prompt][model.names[answer.column]]}
    numbers = ",".join(str(sample + 1) for sample in answer.samples)
    many = len(answer.samples)
    share = fitted("█" * max(1, round(8 * many / max(1, model.n(answer.column)))), 8)
    many_of, which = f"{'▶' if chosen else ' '} {many:>3}×  ", f"  {fitted('#' + numbers, 12)} "
    side = f"{many_of}{share}{which}"
    text = rows[answer.samples[0]].text if answer.samples[0] in rows else ""
    excerpt = fitted(text, max(8, model.width - len(side) - 2)).rstrip()
    style = "bold" if chosen else ""
    return Content.assemble(
        (many_of, style), (share, hue(answer.column)), (which, style), (excerpt, SELECTED if chosen else "")
    )
