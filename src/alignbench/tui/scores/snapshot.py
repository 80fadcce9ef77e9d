"""The finished samples that scores rest on, taken from the Bench in the app's thread and scored in another one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alignbench.experiments.condition_changes import context_words
from alignbench.metrics.registry import METRICS, live
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import Cross, Value
from alignbench.scoring.aggregate import COUNTS, score_tables
from alignbench.scoring.contested import blind_to_stance, is_contested
from alignbench.scoring.equivalence import Equivalence
from alignbench.scoring.held_out import HeldOut
from alignbench.scoring.on_request import Answers, OnRequestScores
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.responses import CellTexts
from alignbench.scoring.score_tables import ScoreTables
from alignbench.scoring.token_scores import StoredTokens, stored_scores, token_scores
from alignbench.spec import Model
from alignbench.store import SampleRow
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.comparison import lowest_version, source_samples
from alignbench.tui.workbench.metric_rows import MetricRow, rows
from alignbench.tui.workbench.roles import Roles, roles
from alignbench.tui.workbench.state import Bench

NULLS = 5  # other prompts that the null is the mean of, at most


@dataclass(frozen=True, slots=True)
class Earlier:
    """A version of a column that is not the one on the Bench, and has samples of the prompt on the screen."""

    column: int
    name: str
    sign: str
    words: str
    samples: tuple[SampleRow, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What scores are computed from.

    Attributes:
        prompt: Key of the one on the screen.
        texts: Of the prompts, by key.
        samples: By prompt key and column name.
        contested: Keys of such prompts.
        conditions: Names of the columns.
        roles: What each column is to the reference.
        earlier: Versions that are not on the Bench.
        source_samples: By column or version, indices of the reference's samples that its context is made from.
        hints: Texts of those that were written by hand, by column or version; made ones are in the database.
        base: The base model that responses are read under, the floor's where there is one.
        session: Its number.
        running: Columns that are being sampled.
        key: Changes with all that decides a score.
    """

    prompt: str
    texts: Mapping[str, str]
    samples: Mapping[str, Mapping[str, tuple[SampleRow, ...]]]
    contested: frozenset[str]
    conditions: tuple[str, ...]
    roles: Roles
    earlier: tuple[Earlier, ...]
    source_samples: Mapping[str, frozenset[int]]
    hints: Mapping[str, str]
    base: Model | None
    session: int | None
    running: frozenset[str]
    key: Hashable

    @property
    def held_out(self) -> HeldOut | None:
        """What is held out of the comparisons; None without a reference."""
        of = self.roles
        return None if of.reference is None else HeldOut(of.reference, of.floor, self.source_samples)

    @property
    def prompt_id(self) -> str:
        """The database's name of the prompt on the screen; empty before it has a sample."""
        return self.id_of(self.prompt)

    def id_of(self, prompt: str) -> str:
        """The database's name of a prompt, by key; empty before it has a sample."""
        return next((row.prompt_id for of_column in self.samples[prompt].values() for row in of_column), "")

    def answers(self, prompt: str, no_embeddings: Mapping[str, str], tokens: StoredTokens | None = None) -> Answers:
        """A prompt's samples as `OnRequestScores` takes them, with what their tokens say. tokens: finds these."""
        cells = {name: {row.sample: row.text for row in of_column} for name, of_column in self.samples[prompt].items()}
        of_tokens = {}
        if tokens is not None:
            names = stored_scores(METRICS)
            of_tokens = {name: token_scores(rows, tokens, names) for name, rows in self.samples[prompt].items()}
        if prompt == self.prompt:
            cells |= {one.name: {row.sample: row.text for row in one.samples} for one in self.earlier}
        return Answers(cells, of_tokens, no_embeddings=no_embeddings)

    def sighted(self) -> dict[str, CellTexts]:
        """The texts of every prompt on which embeddings say something, by its id: what classes are calibrated on."""
        return {
            self.id_of(prompt): {name: {row.sample: row.text for row in of} for name, of in cells.items()}
            for prompt, cells in self.samples.items()
            if prompt not in self.contested and any(cells.values())
        }

    def responses(self) -> SnapshotResponses:
        """The samples of every prompt that has some, as the batch scores take responses."""
        return SnapshotResponses(self)

    def cells(self) -> dict[str, dict[int, str]]:
        """The texts of the prompt on the screen, by column and sample."""
        return {
            name: {row.sample: row.text for row in of_column} for name, of_column in self.samples[self.prompt].items()
        }


class SnapshotResponses:
    """All samples of a snapshot; prompts go by their keys."""

    left_out = 0

    def __init__(self, snapshot: Snapshot) -> None:
        self._samples = {prompt: of for prompt, of in snapshot.samples.items() if any(of.values())}
        self.prompts, self.conditions = tuple(self._samples), snapshot.conditions
        self.contested = snapshot.contested
        self.n = sum(len(rows) for of in self._samples.values() for rows in of.values())

    def cells(self, prompt: str) -> CellTexts:
        return {name: {row.sample: row.text for row in rows} for name, rows in self._samples[prompt].items()}

    def token_scores(self, *_: object) -> dict[str, dict[str, Value]]:
        return {}


def take(bench: Bench, version: int) -> Snapshot:
    """What is finished now. version: changes when embeddings arrive."""
    earlier = tuple(_earlier(bench))
    known = roles(bench.columns, bench.reference)
    if known.floor is None and (floor := lowest_version(bench)) in {one.name for one in earlier}:
        known = replace(known, floor=floor, no_floor="")
    conditions = [condition for column in bench.columns for condition in column.history]
    prompts = {prompt.key: prompt for prompt in (*bench.asked, bench.prompt)}
    samples = {key: {column.name: bench.draws(key, column.hash) for column in bench.columns} for key in prompts}
    counts = tuple((key, *(len(of_column) for of_column in cells.values())) for key, cells in samples.items())
    columns = tuple((column.name, column.hash) for column in bench.columns)
    return Snapshot(
        prompt=bench.prompt.key,
        texts={key: prompt.text for key, prompt in prompts.items()},
        samples=samples,
        contested=frozenset(key for key, prompt in prompts.items() if is_contested(prompt)),
        conditions=tuple(column.name for column in bench.columns),
        roles=known,
        earlier=earlier,
        source_samples=source_samples(bench) if known.reference else {},
        hints={c.name: c.context.hint.text for c in conditions if c.context.hint is not None and c.context.hint.text},
        base=_base(bench, known.floor),
        session=bench.session,
        running=frozenset(column.name for column in bench.columns if bench.cell(column).busy),
        key=(
            bench.session, bench.prompt.key, columns, counts, tuple((one.name, len(one.samples)) for one in earlier),
            known.reference, known.floor, version,
        ),
    )  # fmt: skip


def _earlier(bench: Bench) -> Iterator[Earlier]:
    for at, column in enumerate(bench.columns):
        for version, condition in enumerate(column.history):
            cell = bench.cells.get((bench.prompt.key, condition.hash))
            if condition.hash != column.hash and cell is not None and cell.done:
                sign, words = f"{letter(at)}{version + 1}", context_words(condition.context)
                yield Earlier(at, condition.name, sign, words, cell.draws)


def _base(bench: Bench, floor: str | None) -> Model | None:
    columns = [column for column in bench.columns if column.condition.model.kind == "base"]
    base = next((column for column in columns if column.name == floor), next(iter(columns), None))
    return base.condition.model if base else None


@dataclass(frozen=True, slots=True)
class PromptPanel:
    """All scores of one prompt.

    Attributes:
        prompt: Its key.
        tables: As `alignbench score` has them.
        modes: Which answer each sample gives, by column.
        hints: By column or version with a hint, the similarities of the hint's text itself, as if it were an answer.
        others: How many prompts' answers the null is the mean of.
        equivalence: What two samples of one answer have in common.
    """

    prompt: str
    tables: ScoreTables
    modes: Mapping[str, Mapping[int, int]]
    hints: Mapping[str, Mapping[str, Cross]]
    others: int
    equivalence: Equivalence


@dataclass(frozen=True, slots=True)
class PromptSpread:
    """One score over the prompts of the session.

    Attributes:
        row: The score.
        prompts: Their keys.
        values: By prompt key and column, None where there is none.
        tables: Of this score, over all of them.
    """

    row: MetricRow
    prompts: tuple[str, ...]
    values: Mapping[str, Mapping[str, float | None]]
    tables: ScoreTables = field(default_factory=ScoreTables)


@dataclass(frozen=True, slots=True)
class OnDemandResult:
    """What one run on demand found: of one set by score and column, and of the reference and each column.

    notes: what a reader of the numbers has to know.
    """

    within: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    compared: PromptScores = field(default_factory=PromptScores)
    notes: tuple[str, ...] = ()


def prompt_panel(
    scorer: OnRequestScores,
    snapshot: Snapshot,
    no_embeddings: Mapping[str, str],
    outcomes: Mapping[str, OnDemandResult],
    hints: Mapping[str, str],
    tokens: StoredTokens,
    exact: bool,
) -> PromptPanel:
    """Score the prompt on the screen, versions of its columns included.

    Args:
        scorer: Computes the scores, and keeps what they are made of.
        snapshot: The samples.
        no_embeddings: Why vectors that are missing will not come, by column.
        outcomes: Of the runs on demand, by what was run.
        hints: Texts of hints, by column or version.
        tokens: Finds the tokens of samples.
        exact: With intervals, which takes as long again for every sample.
    """
    of, names = snapshot.roles, (*snapshot.conditions, *(one.name for one in snapshot.earlier))
    others = [prompt for prompt, cells in snapshot.samples.items() if of.reference and cells[of.reference]]
    prompts = {prompt: snapshot.answers(prompt, no_embeddings) for prompt in others}
    own = snapshot.answers(snapshot.prompt, no_embeddings, tokens)
    answers = prompts[snapshot.prompt] = _with_outcomes(own, names, outcomes)
    there = [row for row in rows() if not row.on_demand or row.run in outcomes]
    within = tuple(row.metric.name for row in there if not row.cross)
    cross = tuple(row.metric.name for row in there if row.cross)
    metrics = tuple(dict.fromkeys((*within, *cross)))
    classes = scorer.calibrate(snapshot.sighted())
    scores = scorer.scores(
        prompts, [snapshot.prompt], names, metrics, of.reference,
        floor=of.floor, sources=snapshot.source_samples, contested=snapshot.contested, nulls=NULLS,
    )  # fmt: skip
    intervals = {}
    if (rule := snapshot.held_out) is not None:
        intervals = scorer.gap_intervals(answers, names, live(), rule)
        if exact:
            intervals |= scorer.intervals(snapshot.prompt, answers, names, live(), rule)
    tables = score_tables(
        [*scores.values()], names, within=(*within, *COUNTS), cross=cross, reference=of.reference, floor=of.floor,
        uncertainty=Uncertainty(), jackknifed=intervals,
    )  # fmt: skip
    modes: dict[str, dict[int, int]] = {}
    if snapshot.prompt not in snapshot.contested:
        modes = {name: scorer.cell(snapshot.prompt, name, answers, metrics).modes() for name in snapshot.conditions}
    of_hints = {}
    if (rule := snapshot.held_out) is not None:
        blind = snapshot.prompt in snapshot.contested
        similarities = [metric for metric in cross if metric in live() and not (blind and blind_to_stance(metric))]
        of_hints = {
            name: scorer.as_answer(snapshot.prompt, answers, text, rule.part(name), similarities, rule.reference)
            for name, text in hints.items()
            if name in names
        }
    n_others = min(NULLS, len({*others} - {snapshot.prompt}))
    return PromptPanel(snapshot.prompt, tables, modes, of_hints, n_others, Equivalence(threshold=classes))


def _with_outcomes(answers: Answers, names: Sequence[str], outcomes: Mapping[str, OnDemandResult]) -> Answers:
    within = {name: dict(answers.within.get(name, {})) for name in names}
    compared = PromptScores()
    for outcome in outcomes.values():
        for metric, values in outcome.within.items():
            for name, value in values.items():
                within[name][metric] = value
        compared |= outcome.compared
    return replace(answers, within=within, compared=compared)


def spread(
    scorer: OnRequestScores,
    snapshot: Snapshot,
    row: MetricRow,
    no_embeddings: Mapping[str, str],
    tokens: StoredTokens,
) -> PromptSpread:
    """One score of every prompt that has samples.

    Args:
        scorer: Computes the scores.
        snapshot: The samples.
        row: The score.
        no_embeddings: Why vectors that are missing will not come, by column.
        tokens: Finds the tokens of samples.
    """
    of, names, metric = snapshot.roles, snapshot.conditions, row.metric.name
    there = [prompt for prompt, cells in snapshot.samples.items() if any(cells.values())]
    looked_up = tokens if row.metric.stored else None
    prompts = {prompt: snapshot.answers(prompt, no_embeddings, looked_up) for prompt in there}
    floor = of.floor if of.floor in names else None
    scorer.calibrate(snapshot.sighted())
    scores = scorer.scores(
        prompts, there, names, [metric], of.reference,
        floor=floor, sources=snapshot.source_samples, contested=snapshot.contested, matched=not row.cross,
    )  # fmt: skip
    tables = score_tables(
        [scores[prompt] for prompt in sorted(scores, key=snapshot.id_of)], names, within=() if row.cross else (metric,),
        cross=(metric,) if row.cross else (), reference=of.reference,
        floor=floor, uncertainty=Uncertainty(),
    )  # fmt: skip
    values: dict[str, dict[str, float | None]] = {}
    for prompt, of_prompt in scores.items():
        of_kind = of_prompt.held_out.cross if row.cross else of_prompt.within
        values[prompt] = {name: _number(row, of_kind.get(name, {}).get(metric)) for name in names}
    return PromptSpread(row, tuple(there), values, tables)


def _number(row: MetricRow, score: Value | Cross | None) -> float | None:
    return None if score is None else row.value(score)
