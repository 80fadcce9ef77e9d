"""Scoring shared between processes: chunks of prompts go out, their scores come back in the same order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial

from alignbench.scoring.process_pool import process_pool
from alignbench.scoring.prompt_scores import PromptScores
from alignbench.scoring.scorer import CellResponses, PromptResponses, Scorer, ScoreRequest

Chunk = tuple[Sequence[PromptResponses], CellResponses | None]  # prompts; the reference's answers to the next one

_SHARE = 1_000  # responses: fewer are scored by the time that a process has started
_MOST = 8  # processes, of some 100 MB each

_scorer: Scorer  # of a process that scores for another one


def worth_starting(processes: int, n: int) -> int:
    """How many of these processes pay for n responses."""
    return max(1, min(processes, n // _SHARE, _MOST))


def scored_chunks(request: ScoreRequest, chunks: Iterable[Chunk], processes: int) -> Iterator[list[PromptScores]]:
    """The scores of each chunk in order. processes: how many share the work, 1 is this one.

    AlignbenchError where a process is killed.
    """
    if processes == 1:
        scorer = Scorer(request)
        yield from (scorer.scores(*chunk) for chunk in chunks)
        return
    flying: deque[Future[list[PromptScores]]] = deque()
    with process_pool(processes, "scored responses", partial(_start, request)) as pool:
        for chunk in chunks:
            flying.append(pool.submit(_score, chunk))
            if len(flying) > 2 * processes:  # so that texts do not pile up
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()


def _start(request: ScoreRequest) -> None:
    global _scorer
    _scorer = Scorer(request)


def _score(chunk: Chunk) -> list[PromptScores]:
    return _scorer.scores(*chunk)
