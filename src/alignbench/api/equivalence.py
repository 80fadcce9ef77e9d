"""What says which responses are the same answer: embeddings, an NLI model or a judge."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from alignbench.errors import InputError
from alignbench.judging.equivalences import read_equivalences
from alignbench.progress import Progress, silent
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.scoring.equivalence import EMBEDDING, Equivalence, embedding_equivalence
from alignbench.scoring.given_classes import ClassScores, given_classes
from alignbench.scoring.nli_equivalence import NliPairs
from alignbench.scoring.responses import Responses
from alignbench.store import Store
from alignbench.textfiles import home_expanded

JUDGE, NLI = "judge", "nli:"


def known_equivalence(wanted: str, *, of_session: bool) -> str:
    """InputError for words that name none. of_session: whether what is scored is a session's."""
    if wanted == JUDGE and not of_session:
        raise InputError("--equivalence judge needs a session: judgments are kept with the samples they are of.")
    if wanted in (EMBEDDING, JUDGE):
        return wanted
    if not wanted.startswith(NLI):
        raise InputError(f"--equivalence {wanted!r}: expected embedding, judge, or nli:FOLDER of a cross-encoder.")
    if not home_expanded(wanted.removeprefix(NLI)).is_dir():
        raise InputError(f"--equivalence {wanted!r}: there is no such folder; expected that of a cross-encoder.")
    return wanted


def class_scores(
    wanted: str,
    responses: Responses,
    session: tuple[Store, int] | None,
    prompt_text: Callable[[str], str | None],
    embeddings: Embeddings | None,
    progress: Progress = silent,
) -> ClassScores:
    """What responses are one answer by, with the scores of their classes where that is no cosine.

    Args:
        wanted: as `known_equivalence` takes it
        responses: what is scored
        session: where they are from, None for a file
        prompt_text: the text of a prompt by its id, None where it is not known
        embeddings: of whole responses; None without
        progress: told of texts
    """
    if wanted == EMBEDDING:
        return ClassScores(embedding_equivalence(responses, embeddings, progress))
    if wanted == JUDGE:
        assert session is not None
        judged = read_equivalences(*session)
        of = judged.of
        scores = given_classes(responses, lambda prompt, condition, _: of.get((condition, prompt), {}))
        if judged.judge:
            return ClassScores(Equivalence(f"judge {judged.judge}", None), scores)
        none = "no pair is judged; alignbench judge SESSION --kind equivalence --model MODEL does"
        return ClassScores(Equivalence("a judge", None), scores, (none,))
    from alignbench.engines.workers.nli import NliWorker

    with closing(NliWorker(home_expanded(wanted.removeprefix(NLI)))) as worker:
        pairs = NliPairs(worker, prompt_text)
        scores = given_classes(responses, pairs.pairs_of)
    notes = (pairs.note,) if pairs.note else ()
    return ClassScores(Equivalence(f"NLI model {pairs.model}", None), scores, notes)
