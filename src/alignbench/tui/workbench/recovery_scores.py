"""Recovery of the columns and their versions, computed on a thread as samples come: on the prompt on the screen, there
at matched length too, and over all prompts of the session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alignbench.tui.workbench.background_job import BackgroundJob
from alignbench.tui.workbench.cell import BenchCell
from alignbench.tui.workbench.column import letter
from alignbench.tui.workbench.comparison_values import HELD_OUT, prompt_id
from alignbench.tui.workbench.job_cache import JobCache
from alignbench.tui.workbench.latest_thread import LatestThread
from alignbench.tui.workbench.state import Bench

if TYPE_CHECKING:
    from alignbench.metrics.intervals import Interval
    from alignbench.progress import Progress
    from alignbench.scoring.aggregate import ScoreKey
    from alignbench.scoring.embedding_cache import Vector
    from alignbench.scoring.on_request import OnRequestScores
    from alignbench.scoring.prompt_scores import PromptScores
    from alignbench.scoring.score_tables import CrossEstimate
    from alignbench.store import Store
    from alignbench.tui.workbench.backends import Backends

_KEPT = 4  # results

Texts = Mapping[int, str]  # of samples, by index
Recoveries = Mapping[str, Mapping[str, "CrossEstimate"]]  # by metric and condition


@dataclass(frozen=True, slots=True)
class BandColumn:
    """A column, or an earlier version of the selected one, that stands on the band.

    Attributes:
        place: Of the column, from the left.
        sign: Its letter, with the version where there is more than one, and marked where its context is made from
            samples of the reference, which are held out of the comparison.
        name: Of the condition.
        n: Finished samples of the prompt on the screen.
        selected: Whether it is the selected column as it is on the Bench.
    """

    place: int
    sign: str
    name: str
    n: int
    selected: bool


@dataclass(frozen=True, slots=True)
class RecoveryRequest:
    """What recovery is computed from.

    Attributes:
        cells: By prompt id and condition, the finished samples: of the prompt on the screen, or of all.
        columns: Those that are compared.
        reference, floor: Names of conditions.
        sources: By condition, the reference's samples that its context is made from.
        contested: Ids of such prompts.
    """

    cells: Mapping[str, Mapping[str, Texts]]
    columns: tuple[BandColumn, ...]
    reference: str
    floor: str
    sources: Mapping[str, frozenset[int]]
    contested: Collection[str]


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """What was computed.

    Attributes:
        raw: As the responses are.
        matched: Of lexical similarities on one prompt, at matched length; empty over several.
        prompts: How many it is over.
    """

    raw: Recoveries = field(default_factory=dict)
    matched: Recoveries = field(default_factory=dict)
    prompts: int = 1


def band_columns(bench: Bench, floor: str | None) -> tuple[BandColumn, ...]:
    """What is compared with reference and floor: the columns, the selected one with its versions."""
    from alignbench.tui.workbench.comparison import source_samples

    sources = source_samples(bench)
    columns = []
    for place, column in enumerate(bench.columns):
        for version, condition in enumerate(column.history):
            current = version == column.version
            cell = bench.cells.get((bench.prompt.key, condition.hash))
            n = 0 if cell is None else cell.done
            if condition.name in (bench.reference, floor) or not (current or (place == bench.selected and n)):
                continue
            sign = letter(place) + (str(version + 1) if len(column.history) > 1 else "")
            sign += HELD_OUT if condition.name in sources else ""
            columns.append(BandColumn(place, sign, condition.name, n, current and place == bench.selected))
    return tuple(columns)


def floor_of(bench: Bench) -> tuple[str | None, str]:
    """Name of the floor, a column or a version of one; and why there is none."""
    from alignbench.tui.workbench.comparison import lowest_version
    from alignbench.tui.workbench.roles import roles

    known = roles(bench.columns, bench.reference)
    floor = known.floor or lowest_version(bench)
    return floor, "" if floor is not None else known.no_floor


def recovery_request(bench: Bench, floor: str, *, everywhere: bool) -> RecoveryRequest | None:
    """Of the prompt on the screen, or of all that were sampled; None before reference and floor have a sample."""
    from alignbench.scoring.contested import is_contested
    from alignbench.tui.workbench.comparison import source_samples

    columns = band_columns(bench, floor)
    names = {bench.reference or "", floor, *(column.name for column in columns)}
    compared = [condition for column in bench.columns for condition in column.history if condition.name in names]
    cells: dict[str, dict[str, Texts]] = {}
    contested = set()
    for prompt in {each.key: each for each in (*bench.asked, bench.prompt)}.values() if everywhere else [bench.prompt]:
        there = {c.name: cell for c in compared if (cell := bench.cells.get((prompt.key, c.hash))) is not None}
        id = next((id for cell in there.values() if (id := prompt_id(cell)) is not None), None)
        if id is None or not all(name in there and there[name].done for name in (bench.reference, floor)):
            continue
        cells[id] = {name: _texts(cell) for name, cell in there.items()}
        if is_contested(prompt):
            contested.add(id)
    if not cells:
        return None
    return RecoveryRequest(cells, columns, bench.reference or "", floor, source_samples(bench), contested)


def request_key(bench: Bench, floor: str, *, everywhere: bool) -> Hashable:
    """Changes with all that a recovery rests on, but for embeddings that come."""
    columns = band_columns(bench, floor)
    names = (bench.reference, floor, *(column.name for column in columns))
    if not everywhere:
        hashes = [c.hash for column in bench.columns for c in column.history if c.name in names]
        cells = [bench.cells.get((bench.prompt.key, hash)) for hash in hashes]
        return bench.session, bench.prompt.key, names, tuple(0 if cell is None else cell.done for cell in cells)
    return bench.session, names, sum(cell.done for cell in bench.cells.values())


def prompts_compared(bench: Bench, floor: str) -> int:
    """On how many prompts reference and floor have samples."""
    sides = {c.name: c.hash for column in bench.columns for c in column.history if c.name in (bench.reference, floor)}
    keys = {prompt.key for prompt in (*bench.asked, bench.prompt)}
    cells = ([bench.cells.get((key, hash)) for hash in sides.values()] for key in keys)
    return sum(len(of) == 2 and all(cell is not None and cell.done for cell in of) for of in cells)


def _texts(cell: BenchCell) -> dict[int, str]:
    from alignbench.scoring.draws import is_draw

    rows = (sample.row for _, sample in sorted(cell.samples.items()) if sample.status == "done")
    return {row.sample: row.text for row in rows if row is not None and is_draw(row)}


class RecoveryScores:
    """Recoveries of one session. `close` ends its thread."""

    def __init__(self, backends: Backends, changed: Callable[[], None]) -> None:
        """changed: called from a thread when there is something new to see; it must not block."""
        self._backends = backends
        self._thread = LatestThread(self._close_store)
        self._jobs = JobCache(changed, self._thread.start, _KEPT)
        # These two are used from the thread only.
        self._scores: OnRequestScores | None = None
        self._store: Store | None = None

    def ask(self, key: Hashable, request: Callable[[], RecoveryRequest | None]) -> BackgroundJob[RecoveryResult] | None:
        """The job of this key. request: what is computed, asked for where it is not there; None computes nothing."""
        job = self._jobs.get(key)
        if job is not None and not job.dropped:
            return job
        if (wanted := request()) is None:
            return None

        def work(_: Progress) -> RecoveryResult:
            return self._compute(wanted)

        return self._jobs.begin(key, work)

    def close(self) -> None:
        """Do nothing more."""
        self._thread.close()

    def _compute(self, wanted: RecoveryRequest) -> RecoveryResult:
        from alignbench.metrics.registry import CROSS
        from alignbench.metrics.statistics import Uncertainty
        from alignbench.scoring.aggregate import score_tables
        from alignbench.scoring.held_out import HeldOut
        from alignbench.scoring.on_request import Answers, OnRequestScores

        if self._scores is None:
            self._scores = OnRequestScores(self._vectors)
        names = [wanted.reference, wanted.floor, *(column.name for column in wanted.columns)]
        rule = HeldOut(wanted.reference, wanted.floor, wanted.sources)
        answers = {prompt: Answers(cells) for prompt, cells in wanted.cells.items()}
        scores = self._scores.scores(
            answers, [*answers], names, CROSS, wanted.reference,
            floor=wanted.floor, sources=wanted.sources, contested=wanted.contested, nulls=0, matched=False,
        )  # fmt: skip
        one = next(iter(answers.values())) if len(answers) == 1 else None

        def recoveries(prompts: list[PromptScores], intervals: Mapping[ScoreKey, Interval]) -> Recoveries:
            tables = score_tables(
                prompts, names, within=(), cross=CROSS, reference=wanted.reference, floor=wanted.floor,
                uncertainty=Uncertainty(), jackknifed=intervals,
            )  # fmt: skip
            return {metric: {name: tables.cross[name][metric] for name in names} for metric in CROSS}

        ordered = [scores[prompt] for prompt in sorted(scores)]
        if one is None:
            return RecoveryResult(recoveries(ordered, {}), prompts=len(ordered))
        matched = self._scores.matched_recoveries(one, CROSS, rule)
        at_length = recoveries([matched.scores], matched.gaps)
        lexical = {metric: of for metric, of in at_length.items() if any(e.value is not None for e in of.values())}
        return RecoveryResult(recoveries(ordered, self._scores.gap_intervals(one, names, CROSS, rule)), lexical)

    def _vectors(self, keys: Collection[str]) -> Mapping[str, Vector]:
        """Vectors that the live scores' worker has made and kept."""
        from alignbench.engines.embedder import default_embedder
        from alignbench.errors import StoreError

        try:
            if self._store is None and self._backends.db.exists():
                from alignbench.store import Store

                self._store = Store.read(self._backends.db)
            return {} if self._store is None else self._store.embeddings(default_embedder(), keys)
        except StoreError:
            return {}

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
