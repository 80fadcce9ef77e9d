"""The scores of one prompt as a table: what the strip on the Bench and the scores screen show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alignbench.tui.text import number
from alignbench.tui.workbench.state import Bench, Cell

if TYPE_CHECKING:
    from alignbench.metrics.running_cell import Cross, Value
    from alignbench.scoring.aggregate import PromptScores
    from alignbench.tui.workbench.comparison import Standing

DASH = "–"
NOT_SAMPLED = "No sample of this prompt is finished yet; F5 samples."


class Scorer(Protocol):
    """Where scores come from: `alignbench.scoring.LiveScores`."""

    def within(self, prompt_id: str, condition: str) -> Mapping[str, Value]: ...

    def cross(self, prompt_id: str, reference: str, condition: str) -> Mapping[str, Cross]: ...

    def held_out(self, prompt_id: str, reference: str, condition: str, told: frozenset[int]) -> Mapping[str, Cross]: ...


@dataclass(frozen=True, slots=True)
class Metric:
    """A score as the app calls it. invert: the table shows 1 - value. arrow: which way is more diverse."""

    key: str
    label: str
    short: str
    help: str
    invert: bool = False
    arrow: str = ""


WITHIN = (
    Metric(
        "words",
        "words",
        "words",
        "Length of a sample in words: mean and standard deviation over the samples of the column.",
    ),
    Metric(
        "jaccard",
        "lexical diversity",
        "lexical div.",
        "1 minus the mean Jaccard similarity of the word sets of two samples, over all pairs; stop words and case "
        "are left out. 1: no word in common. 0: the same words in every sample.",
        invert=True,
        arrow="↑",
    ),
    Metric(
        "distinct_2",
        "distinct-2",
        "distinct-2",
        "Different pairs of neighbouring words, as a share of all pairs of neighbouring words in the column's samples. "
        "Longer texts repeat more, so compare it at like lengths only.",
        arrow="↑",
    ),
    Metric(
        "embedding_diversity",
        "embedding diversity",
        "embedding div.",
        "1 minus the mean cosine similarity of the sentence embeddings (all-MiniLM-L6-v2) of two samples, over all "
        "pairs. 0: the samples say the same thing.",
        arrow="↑",
    ),
)
COUNTS = (
    Metric("duplicates", "exact duplicates", "duplicates", "Samples that repeat the text of another one exactly."),
    Metric("empty", "empty samples", "empty", "Samples with nothing but white space; most scores leave them out."),
)
CROSS = (
    Metric(
        "jaccard",
        "Jaccard",
        "jaccard",
        "Mean Jaccard similarity of the word sets of a sample of this column and one of the reference. Its ceiling is "
        "the same number between different samples of the reference itself.",
    ),
    Metric(
        "embedding_similarity",
        "cosine",
        "cosine",
        "Mean cosine similarity of the embeddings of a sample of this column and one of the reference. Its ceiling is "
        "the same number between different samples of the reference itself.",
    ),
)


@dataclass(frozen=True, slots=True)
class Score:
    """A number to show, or a dash and why."""

    value: float | None = None
    reason: str = ""
    sd: float | None = None
    whole: bool = False  # shown without decimals

    @property
    def text(self) -> str:
        if self.value is None:
            return DASH
        if self.sd is not None:
            return f"{self.value:.0f} ± {self.sd:.0f}"
        if self.whole:
            return f"{self.value:.0f}"
        return number(self.value)


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarity to the reference: a score per column (None for the reference itself), and the ceiling."""

    ceiling: Score
    scores: tuple[Score | None, ...]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """names, n: of the columns from left to right. reference: which of them, None where there is none.

    standings: where columns and versions stand to the reference, the floor first.
    """

    names: tuple[str, ...] = ()
    n: tuple[int, ...] = ()
    selected: int = 0
    reference: int | None = None
    within: Mapping[str, tuple[Score, ...]] | None = None
    cross: Mapping[str, Similarity] | None = None
    standings: tuple[Standing, ...] = ()

    @property
    def floor(self) -> Standing | None:
        return next((standing for standing in self.standings if standing.role == "floor"), None)

    def missing(self) -> list[str]:
        """Why dashes are dashes, a line a score."""
        lines = []
        for metric in WITHIN:
            for name, score in zip(self.names, (self.within or {}).get(metric.key, ()), strict=False):
                if score.reason:
                    lines.append(f"{name}, {metric.label}: {score.reason}")
        for metric in CROSS:
            row = (self.cross or {}).get(metric.key)
            for name, similarity in zip(self.names, row.scores if row else (), strict=False):
                found = similarity or (row.ceiling if row else Score())
                if found.reason:
                    lines.append(f"{name}, {metric.label} to the reference: {found.reason}")
        return lines


def prompt_id(cell: Cell) -> str | None:
    """The database's name of the prompt that a cell's samples answer."""
    return next((sample.row.prompt_id for sample in cell.samples.values() if sample.row is not None), None)


def _score(value: Value | None, metric: Metric, missing: str) -> Score:
    if value is None:
        return Score(reason=missing)
    if value.value is None:
        return Score(reason=value.reason or missing)
    shown = 1 - value.value if metric.invert else value.value
    if metric.key == "words":
        return Score(shown, sd=value.sd, whole=True)
    return Score(shown, whole=metric in COUNTS)


def _similarity(found: Sequence[Cross | None], reference: int, missing: str) -> Similarity:
    """Scores of all columns against the reference; its own is the ceiling."""
    own = found[reference]
    ceiling = Score(reason=missing) if own is None else Score(own.ceiling, own.ceiling_reason)
    scores = [Score(reason=missing) if cross is None else Score(cross.value, cross.reason) for cross in found]
    return Similarity(ceiling, tuple(None if at == reference else score for at, score in enumerate(scores)))


def score_table(bench: Bench, scorer: Scorer | None) -> ScoreTable:
    """The table for the prompt on the screen."""
    cells = [bench.cell(column) for column in bench.columns]
    names = tuple(column.name for column in bench.columns)
    reference = names.index(bench.reference) if bench.reference in names else None
    prompt = next((found for cell in cells if (found := prompt_id(cell)) is not None), None)
    missing = NOT_SAMPLED
    scores = _scores(scorer, prompt, bench, names, reference) if scorer is not None and prompt is not None else None
    within = [scores.within[name] if scores else {} for name in names]
    rows = {m.key: tuple(_score(values.get(m.key), m, missing) for values in within) for m in (*WITHIN, *COUNTS)}

    cross: dict[str, Similarity] = {}
    if reference is not None:
        pairs = [scores.cross[name] if scores else {} for name in names]
        cross = {m.key: _similarity([values.get(m.key) for values in pairs], reference, missing) for m in CROSS}
    return ScoreTable(names, tuple(cell.done for cell in cells), bench.selected, reference, rows, cross or None)


def _scores(scorer: Scorer, prompt: str, bench: Bench, names: Sequence[str], reference: int | None) -> PromptScores:
    """What is known of a prompt; on a contested one without the scores that are blind to stance."""
    from alignbench.scoring.aggregate import PromptScores

    within = {name: scorer.within(prompt, name) for name in names}
    against = None if reference is None else names[reference]
    cross = {} if against is None else {name: scorer.cross(prompt, against, name) for name in names}
    return _seen(bench, PromptScores(within, cross))


def _seen(bench: Bench, scores: PromptScores) -> PromptScores:
    from alignbench.scoring.contested import is_contested, without_the_blind

    return without_the_blind(scores) if is_contested(bench.prompt) else scores


def seen(bench: Bench, found: Mapping[str, Cross]) -> Mapping[str, Cross]:
    """Similarities of one condition; on a contested prompt without those that are blind to stance."""
    from alignbench.scoring.aggregate import PromptScores

    return _seen(bench, PromptScores({}, {"": found})).cross[""]
