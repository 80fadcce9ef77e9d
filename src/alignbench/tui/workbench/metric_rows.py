"""The scores as rows: which there are, in families, and how each is named, written and explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from alignbench.judging.summary import DISTINCT, STANCES
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.intervals import Interval
from alignbench.metrics.metric import FAMILIES, Metric
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference
from alignbench.metrics.values import Cross, Value
from alignbench.reports.numbers import digits_of
from alignbench.scoring.model_based.stances import STANCE_SCORES
from alignbench.tui.text import number

SIMILARITY = "similarity to the reference"
JUDGED = "judged"
_GRADE = (
    'A judge\'s grade from 1 to 5 of each response: {}. The mean over responses; "N/A" and broken replies left out.'
)
_STANCE = "Share of the responses whose answer a judge takes as {}."
_TOPICS = "Topics that a judge finds {}, the mean over pairs of a response and the reference's of the same number."
_JUDGED: tuple[tuple[str, str, str, float, float | None], ...] = (
    *(
        (f"quality.{aspect}", aspect, _GRADE.format(aspect), 1.0, 5.0)
        for aspect in ("helpfulness", "clarity", "factuality", "depth", "engagement")
    ),
    *((f"stance.{stance}", f"stance: {stance}", _STANCE.format(stance), 0.0, 1.0) for stance in STANCES),
    (f"stance.{DISTINCT}", "different stances", "How many different stances the responses take.", 1.0, 4.0),
    (
        "new-information.score", "new information",
        "A judge's grade from 1 to 5 of what a response adds to the reference's of the same number.", 1.0, 5.0,
    ),
    ("topics.a", "topics the reference alone has", _TOPICS.format("in the reference's response only"), 0.0, None),
    ("topics.b", "topics it alone has", _TOPICS.format("in this response only"), 0.0, None),
    ("topics.both", "topics both have", _TOPICS.format("in both"), 0.0, None),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A score as a row of a table.

    Attributes:
        metric: What is registered of it.
        cross: Whether it is of a set and the reference's, not of one set.
        family: The heading it stands under.
    """

    metric: Metric
    cross: bool
    family: str

    @property
    def inverted(self) -> bool:
        """Shown as 1 - value, so that more is more diverse."""
        return not self.cross and bool(self.metric.inverted)

    @property
    def run(self) -> str:
        """What is run for it on demand: its name, or the kind of judgment that it is read from."""
        return self.metric.name.partition(".")[0]

    @property
    def digits(self) -> int:
        """Decimals that it is shown with."""
        return digits_of(self.metric)

    @property
    def judged(self) -> bool:
        return self.family == JUDGED

    @property
    def similarity(self) -> bool:
        """A similarity to the reference, which has a ceiling; a gap to it has none."""
        return self.cross and not self.metric.is_distance

    @property
    def label(self) -> str:
        if self.inverted:
            return self.metric.inverted
        return self.metric.label or self.metric.title

    @property
    def title(self) -> str:
        """Its label where it stands alone."""
        return f"similarity by {self.label}" if self.similarity else self.label

    @property
    def arrow(self) -> str:
        """Which way is more diverse; empty where the score does not say, as one of two sets never does."""
        if self.cross or not self.metric.more_diverse:
            return ""
        return "↑" if self.inverted or self.metric.more_diverse == "higher" else "↓"

    @property
    def on_demand(self) -> bool:
        """Too costly to run while samples arrive."""
        return not self.metric.live and not self.metric.stored

    def value(self, score: Estimate | Value | Cross) -> float | None:
        """The value of a score as it is shown."""
        return self.shown(score.value)

    def shown(self, value: float | None) -> float | None:
        """A value of this score as it is shown."""
        return 1.0 - value if value is not None and self.inverted else value

    def difference(self, difference: PairedDifference, *, interval: bool = False) -> str:
        """A difference as it is shown, with its sign; empty where there is none. interval: behind it, if it has one."""
        shown = self.oriented(difference)
        if shown.value is None:
            return ""

        def signed(value: float) -> str:
            return number(value, self.digits or 1, sign=True)

        ends = f" [{signed(shown.ci[0])}, {signed(shown.ci[1])}]" if interval and shown.ci is not None else ""
        return signed(shown.value) + ends

    def oriented(self, difference: PairedDifference) -> PairedDifference:
        """A difference of values as they are shown."""
        if not self.inverted or difference.value is None:
            return difference
        ci = None if difference.ci is None else (-difference.ci[1], -difference.ci[0])
        return replace(difference, value=-difference.value, ci=ci)

    def interval(self, score: Estimate) -> Interval | None:
        """The interval around the value, low end first."""
        if score.ci is None:
            return None
        low, high = score.ci
        return (1.0 - high, 1.0 - low) if self.inverted else score.ci

    def written(self, value: float | None) -> str:
        """A value as text; a dash where there is none."""
        return "–" if value is None else number(value, self.digits)

    def help(self) -> list[str]:
        """What it means, which way is more diverse, its range, name and source: a paragraph each."""
        metric = self.metric
        lines = [metric.meaning]
        if self.arrow:
            lines.append(f"{self.arrow} {'a higher' if self.arrow == '↑' else 'a lower'} number is more diverse.")
        low, high = (0.0, 1.0) if self.inverted else (metric.low, metric.high)
        shown = f"1 - {metric.name}" if self.inverted else metric.name
        lines.append(f"{shown}, {_range(low, high)}. {metric.source}.")
        return lines


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "any number" if high is None else f"up to {high:g}"
    return f"from {low:g}" if high is None else f"{low:g} to {high:g}"


def rows() -> tuple[MetricRow, ...]:
    """Every score there is, those of one set in families, then those of two."""
    return tuple(_rows())


def _rows() -> Iterator[MetricRow]:
    of_one_set = [metric for metric in [*METRICS.values()] if "within" in metric.scope and "judge" not in metric.needs]
    for metric in sorted(of_one_set, key=lambda metric: (FAMILIES.index(metric.family), metric.place)):
        yield MetricRow(metric, False, metric.family)
    for metric in sorted(METRICS.values(), key=lambda metric: metric.is_distance):
        if "cross" in metric.scope:
            yield MetricRow(metric, True, SIMILARITY if not metric.is_distance else "distance from the reference")
    for fields in _JUDGED:
        yield MetricRow(_judged(*fields), False, JUDGED)
    for name in STANCE_SCORES:  # read from the judgments of stance
        yield MetricRow(replace(METRICS[name], name=stance_row(name)), False, JUDGED)


def stance_row(score: str) -> str:
    """What a score of stances is called as a row, which is run by having stances judged."""
    return f"stance.{score}"


def _judged(name: str, title: str, meaning: str, low: float, high: float | None) -> Metric:
    return Metric(
        name=name, title=title, meaning=meaning, scope=("within",), low=low, high=high, more_diverse="",
        source="An LLM judge, held to a JSON schema; it is as good as the judge is", version="1", needs=(),
        min_samples=1,
    )  # fmt: skip
