"""Log-prob, rank and alternatives of given tokens, from logits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from alignbench.engines.local.arrays import Floats32
from alignbench.engines.protocol import LikelihoodRequest, Scored

CHUNK = 64  # positions whose logits are held at once: 64 MiB at 262,144 ids


def continuation_start(prompt_ids: Sequence[object], ids: Sequence[object]) -> int:
    """Where the continuation begins in the tokens of prompt + continuation: the end of what the prompt alone decides.

    A token that spans the border counts as the continuation's. At least one token stays before it.
    """
    start = 0
    while start < min(len(prompt_ids), len(ids)) and prompt_ids[start] == ids[start]:
        start += 1
    return max(1, start)


def score_tokens(
    request: LikelihoodRequest,
    ids: Sequence[int],
    n_context_tokens: int,
    logits: Iterable[Floats32],
    text: Callable[[int], str],
) -> Scored:
    """Score T tokens.

    Args:
        request: that is answered
        ids: the T tokens
        n_context_tokens: before them
        logits: chunks of rows (m, vocab), T rows in all; row t predicts token t
        text: of a token
    """
    n, top = len(ids), request.top
    logprob, rank = np.empty(n, np.float32), np.empty(n, np.int32)
    top_ids, top_logprob = np.empty((n, top), np.int32), np.empty((n, top), np.float32)
    at = 0
    for chunk in logits:
        for row in chunk:
            z = row - row.max()
            log_total = np.log(np.exp(z).sum(dtype=np.float64))
            logprob[at] = z[ids[at]] - log_total
            rank[at] = 1 + int((row > row[ids[at]]).sum())
            best = np.argpartition(row, -top)[-top:] if top else np.empty(0, np.int64)
            best = best[np.argsort(-row[best], kind="stable")]
            top_ids[at], top_logprob[at] = best, z[best] - log_total
            at += 1
    assert at == n
    return Scored(
        key=request.key,
        ids=np.asarray(ids, np.int32),
        pieces=tuple(text(token) for token in ids),
        logprob=logprob,
        rank=rank,
        top_ids=top_ids,
        top_logprob=top_logprob,
        top_pieces=tuple(tuple(text(int(token)) for token in row) for row in top_ids),
        n_context_tokens=n_context_tokens,
    )
