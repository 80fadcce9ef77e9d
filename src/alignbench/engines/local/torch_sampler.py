"""The sampler of sampler.py in torch, for logits that are on a GPU: only what was drawn comes to the host.

The same parameters in the same order keep the same ids, the same uniform numbers (computed on the host) draw from
them by inverse CDF in float64 over ascending ids. Sums are added up in another order than numpy does, so a draw can
differ where u falls on a border to the last bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from alignbench.engines.local.arrays import Ids
from alignbench.engines.local.sampler import DrawnTokens
from alignbench.errors import EngineError
from alignbench.spec import Sampling


class TorchSampler:
    """Draws from rows of logits under fixed parameters; see sampler.Sampler."""

    def __init__(self, params: Sampling) -> None:
        self._params = params

    def close(self) -> None:
        """Nothing to end."""

    @torch.inference_mode()
    def draw(
        self, logits: Sequence[Tensor], uniforms: Sequence[float], seen: Sequence[Ids] | None = None
    ) -> DrawnTokens:
        """Draw a token for each row of raw logits, (vocab,) each; see sampler.Sampler.draw."""
        params = self._params
        rows = torch.stack(list(logits)).float()
        raw = _Weights(rows - rows.amax(-1, keepdim=True))
        nothing = torch.zeros_like(raw.entropy)
        if params.temperature == 0:
            best = penalized(rows, seen, params.repetition_penalty).argmax(-1)
            sampling = nothing, nothing
        else:
            kept = restrict(rows, params, seen)
            best = pick(kept.w, torch.tensor(uniforms, dtype=torch.float64, device=rows.device))
            sampling = kept.logprob(best), kept.entropy
        table = torch.stack((best.double(), raw.logprob(best), raw.entropy, *sampling)).cpu().numpy()
        if np.isnan(table[2]).any():
            raise EngineError("the model gave logits that are not numbers (NaN); its weights may be damaged")
        return DrawnTokens(table[0].astype(np.int32), *(column.astype(np.float32) for column in table[1:]))


class _Weights:
    """Distributions of n rows. z: (n, vocab) scores minus their maximum, -inf for an id that was cut. w: exp(z)."""

    def __init__(self, z: Tensor) -> None:
        self.z = z
        self.w = z.exp()
        self.total = self.w.sum(-1, dtype=torch.float64)

    @property
    def log_total(self) -> Tensor:
        return self.total.log()

    @property
    def entropy(self) -> Tensor:
        """(n,) nats: log Z - E[z]. Ids of no weight add nothing."""
        mean = torch.where(self.w == 0, 0.0, self.w * self.z).sum(-1, dtype=torch.float64) / self.total
        return (self.log_total - mean).clamp_min(0)

    def logprob(self, ids: Tensor) -> Tensor:
        return self.z.gather(-1, ids[:, None])[:, 0].double() - self.log_total

    def only(self, mask: Tensor) -> _Weights:
        return _Weights(self.z.masked_fill(~mask, float("-inf")))


def penalized(rows: Tensor, seen: Sequence[Ids] | None, penalty: float) -> Tensor:
    """Repetition penalty; see sampler.penalized."""
    if penalty == 1 or seen is None:
        return rows
    rows = rows.clone()
    for row, ids in zip(rows, seen, strict=True):
        at = torch.as_tensor(ids, device=rows.device)
        scores = row[at]
        row[at] = torch.where(scores < 0, scores * penalty, scores / penalty)
    return rows


def restrict(rows: Tensor, params: Sampling, seen: Sequence[Ids] | None) -> _Weights:
    """The sampling distributions of (n, vocab) raw logits, temperature over 0; see sampler.restrict."""
    scores = penalized(rows, seen, params.repetition_penalty)
    z = scores - scores.amax(-1, keepdim=True)
    if params.temperature != 1:
        z /= params.temperature
    if 0 < params.top_k < z.shape[-1]:
        z = z.masked_fill(z < z.topk(params.top_k).values[:, -1:], float("-inf"))
    kept = _Weights(z)
    if params.top_p < 1:
        kept = kept.only(_top_p(kept, params.top_p))
    if params.min_p > 0:
        kept = kept.only(kept.w >= params.min_p)
    if params.typical_p < 1:
        kept = kept.only(_typical(kept, params.typical_p))
    return kept


def _top_p(kept: _Weights, top_p: float) -> Tensor:
    ascending, order = kept.w.sort(dim=-1, stable=True)
    stays = ascending.cumsum(-1, dtype=torch.float64) > (1 - top_p) * kept.total[:, None]
    stays[:, -1] = True
    return torch.zeros_like(stays).scatter_(-1, order, stays)


def _typical(kept: _Weights, mass: float) -> Tensor:
    alive = kept.w > 0
    distance = (kept.log_total[:, None] - kept.z.double() - kept.entropy[:, None]).abs()
    distance = distance.float().masked_fill(~alive, float("inf"))
    nearest, order = distance.sort(dim=-1, stable=True)
    cumulative = kept.w.gather(-1, order).cumsum(-1, dtype=torch.float64) / kept.total[:, None]
    last = (cumulative < mass).sum(-1).minimum(alive.sum(-1) - 1)
    mask: Tensor = alive & (distance <= nearest.gather(-1, last[:, None]))
    return mask


def pick(weights: Tensor, uniforms: Tensor) -> Tensor:
    """Inverse CDF of each row: the first id at which the cumulative mass exceeds u times the whole."""
    cumulative = weights.cumsum(-1, dtype=torch.float64)
    at = torch.searchsorted(cumulative, (uniforms * cumulative[:, -1])[:, None], right=True)[:, 0]
    ids = torch.arange(weights.shape[-1], device=weights.device)
    last = torch.where(weights > 0, ids, 0).amax(-1)  # rounding at the very end: the last id that has any mass
    return at.minimum(last)
