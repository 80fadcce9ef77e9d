"""Two models of texts of one letter, whose KL divergence is known: where a text may end is all they differ in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from alignbench.engines.protocol import Failed, LikelihoodRequest, SampleRequest, SampleResult, Scored, Sink
from alignbench.spec import Model
from tests.support.books import Pool

P_END = {"aligned": 0.5, "base": 0.1}
# Every text is one certain letter, and then ends or goes on: one end a text, and on average one letter more.
KL = (0.5 * math.log2(0.5 / 0.9) + 0.5 * math.log2(0.5 / 0.1)) / 0.5
WITHOUT_ENDS = math.log2(0.5 / 0.9)


@dataclass
class EndsPool(Pool):
    """Says texts of 2, 1 and 3 letters; the last two are as long as all are on average.

    Attributes:
        tells: whether models say how likely the end is.
        cut: samples that max tokens cut.
        raw: what samples generated, where that is more than their text.
    """

    tells: bool = True
    cut: frozenset[int] = frozenset()
    raw: dict[int, str] = field(default_factory=dict)

    def sample(self, model: Model, request: SampleRequest, sink: Sink) -> None:
        self.texts = {model.name: ["aa", "a", "aaa"]}
        super(Pool, self).sample(model, request, sink)

    def _result(self, i: int, pieces: list[str], reason: str) -> SampleResult:
        result = super()._result(i, pieces, "length" if i in self.cut else reason)
        return replace(result, raw_text=self.raw.get(i, result.raw_text))

    def score(self, model: Model, request: LikelihoodRequest, sink: Callable[[Scored | Failed], None]) -> None:
        self.scored.append((model.name, request))
        n, p = len(request.continuation), P_END[model.kind]
        logprob = np.full(n, math.log(1 - p), np.float32)
        logprob[:1] = 0.0
        sink(
            Scored(
                request.key, np.zeros(n, np.int32), ("a",) * n, logprob, np.ones(n, np.int32),
                np.empty((n, 0), np.int32), np.empty((n, 0), np.float32), ((),) * n, 1,
                math.log(p) if self.tells and request.closings is not None else None,
            )
        )  # fmt: skip
