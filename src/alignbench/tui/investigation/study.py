"""What investigations of the columns on the Bench find, computed on a thread and kept."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from alignbench.api.embedding import embedding_cache
from alignbench.config import NOT_IN_USE
from alignbench.engines.embedder import default_embedder
from alignbench.judging.plan import plan_judging
from alignbench.judging.qualities import read_qualities
from alignbench.judging.stances import read_stances
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.progress import PERCENT, Progress
from alignbench.reports.caveats import said_first
from alignbench.reports.constraint_ladders import KIND as CONSTRAINTS
from alignbench.reports.contents import Report
from alignbench.reports.finding import Finding
from alignbench.reports.frontier import DIVERSITY, SIMILARITY, Frontier, frontier, ladder
from alignbench.reports.options import Options, default_metrics
from alignbench.reports.pluralism import Pluralism, pluralism
from alignbench.reports.pluralism_findings import pluralism_findings
from alignbench.reports.report import build_report
from alignbench.scoring.contested import is_contested
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.responses import SessionResponses
from alignbench.spec import Condition, Model
from alignbench.store import Store
from alignbench.tui.workbench.backends import Backends
from alignbench.tui.workbench.judging import run_judge
from alignbench.tui.workbench.roles import roles
from alignbench.tui.workbench.state import Bench


@dataclass(frozen=True, slots=True)
class Subject:
    """The columns of a session, with the samples that are finished.

    Attributes:
        session: Its number.
        conditions: Names of the columns.
        reference, floor: Names of two of them, None without one.
        ladder: Names of all conditions of the session that differ in their temperature alone.
        temperatures: Those of the ladder.
        counts: What is finished, so that two subjects are equal where nothing came between them.
    """

    session: int
    conditions: tuple[str, ...]
    reference: str | None
    floor: str | None
    ladder: tuple[str, ...]
    temperatures: tuple[float, ...]
    counts: tuple[tuple[Hashable, int], ...]

    @property
    def n(self) -> int:
        """Finished samples, those of the ladder included."""
        return sum(n for _, n in self.counts)


@dataclass(frozen=True, slots=True)
class Study:
    """The report of Investigation 1, pluralism with its sentences, and the frontier of the ladder; None without one."""

    subject: Subject
    report: Report
    pluralism: Pluralism
    pluralism_findings: tuple[Finding, ...]
    frontier: Frontier | None


def subject(bench: Bench) -> Subject | None:
    """What can be investigated now; None without a finished sample in a column."""
    hashes = {column.hash for column in bench.columns}
    done = {key: cell.done for key, cell in bench.cells.items() if cell.done}
    if bench.session is None or not any(hash in hashes for _, hash in done):
        return None
    rungs, temperatures = ladder([c for c in bench.used.values() if any(hash == c.hash for _, hash in done)])
    counted = hashes | {condition.hash for condition in rungs}
    known = roles(bench.columns, bench.reference)
    return Subject(
        session=bench.session,
        conditions=tuple(column.name for column in bench.columns if any(hash == column.hash for _, hash in done)),
        reference=known.reference,
        floor=known.floor,
        ladder=tuple(condition.name for condition in rungs),
        temperatures=temperatures,
        counts=tuple(sorted((key, n) for key, n in done.items() if key[1] in counted)),
    )


def study(backends: Backends, what: Subject, judge: Model | None, first: str, progress: Progress) -> Study:
    """The report of Investigation 1 over all prompts of the session, and the frontier of its ladder.

    Args:
        backends: What is computed with.
        what: The samples.
        judge: Who judges what it has not judged of them, before anything is computed.
        first: The kind of judgment that it begins with, if there is anything of it to judge.
        progress: Is called with what is being done.
    """
    progress("reading the session", 0, 1)
    with ExitStack() as stack:
        store = stack.enter_context(Store.read(backends.db) if judge is None else Store.open(backends.db))
        if judge is not None:
            _judge(store, what, judge, first, backends, progress)
        cache = stack.enter_context(embedding_cache())
        vectors, pieces = (Embeddings(s, backends.embed, default_embedder(), NOT_IN_USE) for s in (store, cache))
        options = Options(
            metrics=default_metrics(store, what.session, WORKBENCH, "diversity"),
            reference=what.reference if what.reference in what.conditions else None,
            floor=what.floor if what.floor in what.conditions else None,
            conditions=what.conditions,
            investigation="diversity",
            judge=None if judge is None else judge.reference,
        )
        investigated = build_report(store, what.session, options, vectors, pieces, progress)
        of_pluralism = pluralism(
            SessionResponses(store, what.session, what.conditions),
            read_stances(store, what.session, options.judge),
            options.reference,
            vectors,
            WORKBENCH,
            Uncertainty(),
            store.sources(what.session, options.reference),
        )
        sentences = pluralism_findings(investigated, of_pluralism)
        said = (*said_first(sentences, investigated), *sentences)
        if not what.ladder:
            return Study(what, investigated, of_pluralism, said, None)
        over = replace(
            options,
            metrics=("surprisal", *dict.fromkeys((*DIVERSITY, *SIMILARITY))),
            reference=what.reference if what.reference in what.ladder else None,
            floor=None,
            conditions=what.ladder,
            investigation=None,
        )
        tables = build_report(store, what.session, over, vectors, None, progress).scores
        rungs: list[Condition] = [c for c in store.conditions(what.session) if c.name in what.ladder]
        qualities = read_qualities(store, what.session, options.judge)
        of_ladder = frontier(rungs, what.temperatures, tables, qualities, Uncertainty())
        return Study(what, investigated, of_pluralism, said, of_ladder)


def _judge(store: Store, what: Subject, judge: Model, first: str, backends: Backends, progress: Progress) -> None:
    """The quality of all responses, the stance of those to contested prompts, and which constraints those to rungs of
    ladders keep to."""
    names = {*what.conditions, *what.ladder}
    prompts = judged_prompts(store, what.session, names)
    for kind in sorted(prompts, key=lambda kind: kind != first):
        progress(f"loading {judge.name}", 0, PERCENT)
        plan = plan_judging(store, what.session, kind, judge)
        items = sorted(
            (item for item in plan.items if item.condition in names),
            key=lambda item: item.condition not in what.conditions,
        )
        wanted = tuple(item for item in items if item.prompt_id in prompts[kind])
        run_judge(replace(plan, items=wanted), backends, store, progress)


def judged_prompts(store: Store, session: int, names: Collection[str]) -> dict[str, Collection[str]]:
    """By kind of judgment the ids of the prompts that these conditions have finished responses to it can be of; a kind
    without one is left out."""
    finished = {row.prompt_id for row in store.samples(session) if row.status == "done" and row.condition in names}
    prompts = [prompt for prompt in store.prompts(session) if prompt.id in finished]
    kinds = {
        "quality": {prompt.id for prompt in prompts},
        "stance": {prompt.id for prompt in prompts if is_contested(prompt)},
        CONSTRAINTS: {prompt.id for prompt in prompts if prompt.rung is not None and prompt.rung.k},
    }
    return {kind: ids for kind, ids in kinds.items() if ids}
