"""How well a set of responses compresses: what is said again and again takes little room."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from alignbench.metrics.formula import SetFormula
from alignbench.metrics.metric import Metric
from alignbench.metrics.values import Response, Value, too_few

if TYPE_CHECKING:
    from zlib import _Compress

_LEVEL = 9  # gzip's best, the default of Python's gzip module
_GZIP = 31  # zlib's window bits for the largest window and a gzip header


def compression_ratio(texts: Iterable[str]) -> float | None:
    """Bytes (UTF-8) over gzip bytes of texts joined by newlines, in the order given; None without a byte.

    Shaib et al. 2024, arXiv 2403.00553. Lower is more diverse. Below 1 for a few short texts, as gzip has a frame of 18
    bytes. It rises with the number of texts: compare it at equal n.
    """
    running = CompressionRatio()
    for i, text in enumerate(texts):
        running.add(Response(i, text))
    return running.value().value


class CompressionRatio:
    """`compression_ratio` of a set in the order of its sample indices.

    A response after all others costs its own compression; one before some of them, as it comes when samples finish out
    of order, costs compressing the set again when the value is read.
    """

    __slots__ = ("_compressed", "_compressor", "_fed", "_last", "_ratio", "_texts")

    def __init__(self) -> None:
        self._texts: dict[int, bytes] = {}
        self._ratio: float | None = None  # None where it has to be computed
        self._compressor = _compressor()
        self._compressed = 0  # bytes that came out of it
        self._fed = 0  # texts that went in
        self._last = 0  # sample index of the latest of them

    def add(self, response: Response) -> None:
        self._texts[response.sample] = response.text.encode("utf-8", "surrogatepass")
        self._ratio = None
        if self._fed and response.sample < self._last:
            self._restart()

    def value(self) -> Value:
        n = len(self._texts)
        if n == 0:
            return Value(None, 0, too_few(1, 0))
        size = sum(map(len, self._texts.values())) + n - 1
        if size == n - 1:
            return Value(None, n, "every response is empty")
        if self._ratio is None:
            self._feed()
            self._ratio = size / (self._compressed + len(self._compressor.copy().flush()))
        return Value(self._ratio, n)

    def _feed(self) -> None:
        waiting = sorted(self._texts) if not self._fed else sorted(s for s in self._texts if s > self._last)
        for sample in waiting:
            separator = b"\n" if self._fed else b""
            self._compressed += len(self._compressor.compress(separator + self._texts[sample]))
            self._fed += 1
            self._last = sample

    def _restart(self) -> None:
        self._compressor = _compressor()
        self._compressed = self._fed = 0


def _compressor() -> _Compress:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)


METRICS = (
    Metric(
        name="compression_ratio",
        title="compression ratio",
        meaning=(
            "Bytes of all responses over their bytes after gzip: high where they repeat themselves or each other. "
            "It rises as samples are added, so compare it at equal n."
        ),
        scope=("within",),
        low=0.0,
        high=None,
        more_diverse="lower",
        source="Shaib et al. 2024, arXiv 2403.00553; one gzip of the responses in order, joined by newlines",
        version="1",
        needs=("text",),
        min_samples=1,
        formula=SetFormula(lambda _: CompressionRatio()),
        moves_with_n=True,
        order=100,
        family="repetition",
    ),
)
