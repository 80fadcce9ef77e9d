"""Bits per byte of the texts of a file under conditions, with the models that read them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from alignbench.contexts.rendering import Content
from alignbench.contexts.source_samples import unknown_conditions
from alignbench.engines.workers.pool import WorkerPool
from alignbench.errors import InputError
from alignbench.experiments.scratch_preparer import trial_preparer
from alignbench.importing.texts import GivenText
from alignbench.metrics.statistics import Uncertainty
from alignbench.progress import Progress, silent, tracked
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.text_bits import TextBits, text_bits
from alignbench.spec import Condition
from alignbench.store import Store


def read_under_conditions(
    texts: Sequence[GivenText],
    conditions: Sequence[Condition],
    db: Path,
    *,
    threads: int | None = None,
    progress: Progress = silent,
) -> TextBits:
    """Load the models and read the texts; what was read before is in the database. InputError for a context that does
    not go with the texts.

    Args:
        texts: one or more.
        conditions: no two of one name.
        db: keeps log-probs; it is made where there is none.
        threads: CPU threads that all models share, every core by default.
        progress: told of texts.
    """
    for condition in conditions:
        _check(condition, texts)
    with Store.open(db) as store, closing(WorkerPool(threads=threads)) as pool:
        contents = {
            condition.name: _contents(pool, condition, texts, progress)
            for condition in conditions
            if not condition.context.zero_shot and any(text.prompt for text in texts)
        }
        likelihoods = LikelihoodCache(store, pool)
        return text_bits(texts, conditions, contents, pool, likelihoods, Uncertainty(), progress)


def _check(condition: Condition, texts: Sequence[GivenText]) -> None:
    context = condition.context
    if unknown := unknown_conditions([context], None, []):
        raise InputError(
            f"The context {context.name!r} is made of samples of {unknown[0]!r}, which only a session has; expected "
            "one whose examples and hint are given."
        )
    if context.examples is not None and context.examples.select.startswith("nearest"):
        for text in texts:
            if text.prompt is None:
                raise InputError(
                    f"The context {context.name!r} selects its examples by the prompt, and the text {text.id} has "
                    'none; expected texts with a field "prompt", or a context with the same examples for all.'
                )


def _contents(
    pool: WorkerPool, condition: Condition, texts: Sequence[GivenText], progress: Progress
) -> list[Content | None]:
    """What the context holds for each text that has a prompt."""
    contents: list[Content | None] = []
    with trial_preparer(pool, None, None) as preparer:
        for text in tracked(texts, progress, f"preparing {condition.context.name}"):
            prompt = text.prompt
            contents.append(None if prompt is None else preparer.compose(prompt, condition).content)
    return contents
