"""The one sampler of the local engines: from logits to token ids, by counter-based randomness.

Order and meaning of the parameters are those of transformers' logits processors: repetition penalty, temperature,
top_k, top_p, min_p, typical_p. The draw is by inverse CDF in float64 over the kept ids in ascending order, with one
uniform number that is a function of (seed, cell, step) alone, so what a sample draws does not depend on what runs
beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignbench.engines.local.arrays import Floats32, Ids
from alignbench.errors import EngineError
from alignbench.spec import Sampling

_WORD = (1 << 64) - 1
_BLOCK = 1024  # ids summed at once in the inverse CDF


def uniform(seed: int, stream: int, step: int, draw: int = 0) -> float:
    """A number in [0, 1): (Philox(key=[seed, stream], counter=[step, draw, 0, 0]).random_raw() >> 11) / 2^53.

    Philox is the counter-based generator of Salmon et al. 2011, as in numpy.

    Args:
        seed: of the sample, modulo 2^64
        stream: of the cell, modulo 2^64
        step: tokens drawn before
        draw: 0, and 1 for the second draw of a step whose first was refused
    """
    key = np.array([seed & _WORD, stream & _WORD], dtype=np.uint64)
    counter = np.array([step, draw, 0, 0], dtype=np.uint64)
    return float((int(np.random.Philox(key=key, counter=counter).random_raw()) >> 11) / 2.0**53)


@dataclass(frozen=True, slots=True)
class DrawnTokens:
    """One drawn token a row; arrays of shape (n,). Log-probs and entropies in nats, as in protocol.TokenStats."""

    ids: NDArray[np.int32]
    logprob: Floats32
    entropy: Floats32
    sampling_logprob: Floats32
    sampling_entropy: Floats32


@dataclass(frozen=True, slots=True)
class SamplingDistribution:
    """The distribution a token is drawn from."""

    ids: Ids | None  # ascending, or None when nothing was cut
    z: Floats32  # scores minus their maximum
    weights: Floats32  # exp(z), not normalized

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Normalized weights, summing to 1."""
        weights = self.weights.astype(np.float64)
        weights /= weights.sum()
        return weights


class Sampler:
    """Draws from (n, vocab) float32 logits under fixed parameters. Rows are spread over `threads` threads."""

    def __init__(self, params: Sampling, threads: int = 1) -> None:
        self._params = params
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads) if threads > 1 else None
        self._buffers: dict[int, Floats32] = {}

    def close(self) -> None:
        """End the threads."""
        if self._executor:
            self._executor.shutdown(wait=False)

    def draw(
        self, logits: Sequence[Floats32], uniforms: Sequence[float], seen: Sequence[Ids] | None = None
    ) -> DrawnTokens:
        """Draw a token for each row.

        logits: n rows of (vocab,), raw. uniforms: n numbers in [0, 1). seen: for each row the distinct ids of its
        prompt and its generation so far; needed when there is a repetition penalty. Raises EngineError when a row
        holds NaN.
        """
        n, n_vocab = len(uniforms), len(logits[0])
        out = DrawnTokens(np.empty(n, np.int32), *(np.empty(n, np.float32) for _ in range(4)))

        def work(rows: range) -> None:
            scratch = self._scratch(rows.start, n_vocab)
            for i in rows:
                self._draw_row(logits[i], uniforms[i], seen[i] if seen is not None else None, out, i, scratch)

        if self._executor is None or n == 1 or n_vocab < 8192:
            work(range(n))
        else:
            for done in [self._executor.submit(work, range(t, n, self._threads)) for t in range(self._threads)]:
                done.result()
        return out

    def _scratch(self, thread: int, n_vocab: int) -> tuple[Floats32, Floats32, Floats32]:
        """Three (vocab,) buffers of a thread, kept: fresh megabytes cost page faults at every step."""
        if thread not in self._buffers or self._buffers[thread].shape[1] != n_vocab:
            self._buffers[thread] = np.empty((3, n_vocab), np.float32)
        z, weights, scaled = self._buffers[thread]
        return z, weights, scaled

    def _draw_row(
        self,
        row: Floats32,
        u: float,
        seen: Ids | None,
        out: DrawnTokens,
        i: int,
        scratch: tuple[Floats32, Floats32, Floats32],
    ) -> None:
        z, weights, scaled = scratch
        np.subtract(row, row.max(), out=z)
        np.exp(z, out=weights)
        log_total = float(np.log(weights.sum()))
        raw_entropy = _entropy(z, weights, log_total)
        if np.isnan(raw_entropy):
            raise EngineError("the model gave logits that are not numbers (NaN); its weights may be damaged")
        params = self._params
        if params.temperature == 0:
            best = int(penalized(row, seen, params.repetition_penalty).argmax())
            sampling_logprob, sampling_entropy = 0.0, 0.0
        else:
            if params.repetition_penalty == 1:
                kept = truncated(z, params, (scaled, weights))
            else:
                scores = penalized(row, seen, params.repetition_penalty)
                kept = truncated(np.subtract(scores, scores.max(), out=scaled), params, (scaled, weights))
            masses = cumulative_masses(kept.weights)
            at = pick(kept, u, masses)
            best = at if kept.ids is None else int(kept.ids[at])
            log_kept = float(np.log(masses[-1]))
            sampling_logprob = float(kept.z[at]) - log_kept
            sampling_entropy = _entropy(kept.z, kept.weights, log_kept)
        out.ids[i] = best
        out.logprob[i] = float(z[best]) - log_total
        out.entropy[i] = raw_entropy
        out.sampling_logprob[i] = sampling_logprob
        out.sampling_entropy[i] = sampling_entropy


def penalized(row: Floats32, seen: Ids | None, penalty: float) -> Floats32:
    """Repetition penalty of Keskar et al. 2019: scores of seen ids are divided by it, or multiplied where negative."""
    if penalty == 1 or seen is None:
        return row
    row = row.copy()
    scores = row[seen]
    row[seen] = np.where(scores < 0, scores * np.float32(penalty), scores / np.float32(penalty))
    return row


def restrict(row: Floats32, params: Sampling, seen: Ids | None = None) -> SamplingDistribution:
    """The sampling distribution of one row of raw logits (vocab,), temperature over 0. At least one id is kept."""
    scores = penalized(row, seen, params.repetition_penalty)
    return truncated(scores - scores.max(), params)


def truncated(z: Floats32, params: Sampling, scratch: tuple[Floats32, Floats32] | None = None) -> SamplingDistribution:
    """Temperature and truncation of scores (vocab,), penalized already, their maximum 0.

    scratch: two (vocab,) buffers that may be overwritten; the first one may be z itself.
    """
    if params.temperature != 1:
        z = np.divide(z, np.float32(params.temperature), out=scratch[0] if scratch else None)
    ids: Ids | None = None
    if 0 < params.top_k < len(z):
        ids = np.flatnonzero(z >= np.partition(z, -params.top_k)[-params.top_k])
        z = z[ids]
    kept = SamplingDistribution(ids, z, np.exp(z, out=scratch[1] if scratch and ids is None else None))
    if params.top_p < 1:
        kept = _only(kept, _top_p(kept.weights, params.top_p))
    if params.min_p > 0:  # relative to the largest weight, which is exp(0) = 1
        kept = _only(kept, kept.weights >= np.float32(params.min_p))
    if params.typical_p < 1:
        kept = _only(kept, _typical(kept.z, kept.weights, params.typical_p))
    return kept


def _only(kept: SamplingDistribution, mask: NDArray[np.bool_]) -> SamplingDistribution:
    at = np.flatnonzero(mask)
    return SamplingDistribution(at if kept.ids is None else kept.ids[at], kept.z[at], kept.weights[at])


def _top_p(weights: Floats32, top_p: float) -> NDArray[np.bool_]:
    """Nucleus sampling (Holtzman et al. 2020): drop the least likely ids whose joint mass is at most 1 - top_p.

    Ids under (1 - top_p) / vocab are dropped together whatever their order, so only the rest is sorted.
    """
    total = weights.sum(dtype=np.float64)
    mask: NDArray[np.bool_] = weights > (1 - top_p) * total / len(weights)
    candidates = np.flatnonzero(mask)
    if not len(candidates):
        candidates = np.array([weights.argmax()])
    tail = total - weights[candidates].sum(dtype=np.float64)
    ascending = candidates[np.argsort(weights[candidates], kind="stable")]
    cumulative = tail + np.cumsum(weights[ascending], dtype=np.float64)
    removed = cumulative <= (1 - top_p) * total
    removed[-1] = False
    mask[:] = False
    mask[ascending[~removed]] = True
    return mask


def _typical(z: Floats32, weights: Floats32, mass: float) -> NDArray[np.bool_]:
    """Locally typical sampling (Meister et al. 2023): ids whose surprisal is nearest the entropy, up to `mass`."""
    log_total = _log_sum(weights)
    shifted = np.abs(log_total - z - np.float32(_entropy(z, weights, log_total)))
    order = np.argsort(shifted, kind="stable")
    cumulative = np.cumsum(weights[order], dtype=np.float64) / weights.sum(dtype=np.float64)
    last = min(int((cumulative < mass).sum()), len(order) - 1)
    mask: NDArray[np.bool_] = shifted <= shifted[order[last]]
    return mask


def cumulative_masses(weights: Floats32) -> NDArray[np.float64]:
    """Joint weight of the first 1, 2, ... blocks of _BLOCK ids, the last block what is left over, maybe nothing."""
    n_blocks = len(weights) // _BLOCK
    sums = weights[: n_blocks * _BLOCK].reshape(n_blocks, _BLOCK).sum(axis=1, dtype=np.float64)
    rest = weights[n_blocks * _BLOCK :]
    return np.cumsum(np.append(sums, rest.sum(dtype=np.float64)))


def pick(kept: SamplingDistribution, u: float, masses: NDArray[np.float64] | None = None) -> int:
    """Inverse CDF: the first position (in ascending order of id) at which the cumulative mass exceeds u.

    masses: the cumulative_masses of its weights, where the caller has them.
    """
    weights = kept.weights
    if masses is None:
        masses = cumulative_masses(weights)
    target = u * masses[-1]
    block = min(int(np.searchsorted(masses, target, side="right")), len(masses) - 1)
    start = block * _BLOCK
    inside = np.cumsum(weights[start : start + _BLOCK], dtype=np.float64)
    if block:
        inside += masses[block - 1]
    at = start + int(np.searchsorted(inside, target, side="right"))
    if at >= len(weights) or weights[at] == 0:  # rounding at the very end: the last id that has any mass
        at = int(np.flatnonzero(weights[: at + 1])[-1])
    return at


def _log_sum(weights: Floats32) -> float:
    return float(np.log(weights.sum(dtype=np.float64)))


def _entropy(z: Floats32, weights: Floats32, log_total: float) -> float:
    """-sum p log p = log Z - E[z], nats. Ids of no weight (z = -inf) add nothing."""
    with np.errstate(invalid="ignore"):  # 0 * -inf; mended below
        mean_z = float(np.dot(weights, z)) / float(np.exp(log_total))
    if np.isnan(mean_z):
        alive = weights > 0
        mean_z = float(np.dot(weights[alive], z[alive])) / float(np.exp(log_total))
    return max(log_total - mean_z, 0.0)
