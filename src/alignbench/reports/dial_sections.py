"""The dial as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alignbench.metrics.estimates import Estimate
from alignbench.metrics.length_matched import MIN_WORDS
from alignbench.metrics.registry import METRICS
from alignbench.reports.dial import Dial, DialPoint
from alignbench.reports.numbers import counted
from alignbench.reports.section import Section, metric_digits, metric_title, shown_difference, shown_share, shown_value
from alignbench.scoring.truncation import Truncations, too_many_cut

_Cell = Callable[[DialPoint], str]


def dial_sections(dials: Sequence[Dial], truncations: Truncations) -> Iterator[Section]:
    """A table for each, a row a scale."""
    for dial in dials:
        columns = dict(_columns(dial))
        rows = tuple(tuple(cell(point) for cell in columns.values()) for point in dial.points)
        yield Section(f"Dial: {dial.name}", (*columns,), rows, tuple(_notes(dial, truncations)))


def _columns(dial: Dial) -> Iterator[tuple[str, _Cell]]:
    lowest = f"{dial.points[0].scale:g}"
    yield "scale", lambda point: f"{point.scale:g}"
    yield "condition", lambda point: point.condition
    said_below = bool(_no_bits(dial))
    yield (
        f"{bits_title([dial], dial.base or 'the base')}, bits a byte",
        lambda point: "-" if said_below else shown_value(point.bits.estimate),
    )
    yield "ends by itself", lambda point: shown_share(point.ended)
    yield "words", lambda point: shown_value(point.words, metric_digits("words"))
    for metric in dict.fromkeys(name for point in dial.points for name in point.diversity):
        yield from _diversity(metric, lowest, lexical=METRICS[metric].lexical)
    if any(point.quality.value is not None for point in dial.points):
        yield "quality", lambda point: shown_value(point.quality)


def _diversity(metric: str, lowest: str, *, lexical: bool) -> Iterator[tuple[str, _Cell]]:
    """As responses come, and of what is lexical at common lengths beside it."""
    yield metric_title(metric), lambda point: shown_value(point.diversity.get(metric, Estimate()))
    if not lexical:
        return

    def matched(point: DialPoint) -> str:
        return shown_value(point.matched[metric].estimate) if metric in point.matched else "-"

    def apart(point: DialPoint) -> str:
        return shown_difference(point.matched[metric].difference) if metric in point.matched else ""

    yield "at common length", matched
    yield f"against scale {lowest}", apart


def bits_title(dials: Sequence[Dial], base: str) -> str:
    """What the bits are: KL, or cross-entropy where one of them estimates no KL divergence. base: what it is called."""
    no_kl = any(point.bits.no_kl for dial in dials for point in dial.points)
    return f"cross-entropy over {base}" if no_kl else f"KL from {base}"


def _no_bits(dial: Dial) -> str:
    """Why there are none, where no scale has any for one reason."""
    reasons = {point.bits.estimate.reason for point in dial.points}
    there = any(point.bits.estimate.value is not None for point in dial.points)
    return "" if there or len(reasons) > 1 else reasons.pop()


def _notes(dial: Dial, truncations: Truncations) -> Iterator[str]:
    if no_bits := _no_bits(dial):
        yield f"No bits from the base: {no_bits}."
    else:
        yield (
            "Bits from the base: what a byte of a scale's own responses, and their ends, costs more under "
            f"{dial.base} than under the scale itself."
        )
        yield from _of_bits(dial)
    if dial.points[0].scale == 0 and dial.base is not None and not dial.same_layout:
        yield f"Scale 0 is the base model in the adapter's layout, which is not that of {dial.base}."
    for metric, skipped in dial.skipped.items():
        over = counted(dial.points[0].matched[metric].estimate.n, "prompt")
        few = f"; skipped: {skipped:,} with a response under {MIN_WORDS} words" if skipped else ""
        yield (
            f"{METRICS[metric].title} at common length: over choices of two responses of every scale, which are cut "
            f"to the words of the shortest of them all, by sentences drawn at random, on {over}{few}."
        )
    if any(not METRICS[name].lexical for point in dial.points for name in point.diversity):
        yield "Embeddings of longer responses are more alike, and have no twin at common length: read them by words."
    if cut := too_many_cut(truncations, *(point.condition for point in dial.points)):
        yield f"Lengths and texts: {cut}."


def _of_bits(dial: Dial) -> Iterator[str]:
    for why in dict.fromkeys(point.bits.no_kl for point in dial.points if point.bits.no_kl):
        scales = ", ".join(f"{point.scale:g}" for point in dial.points if point.bits.no_kl == why)
        yield f"A difference of cross-entropies, no KL divergence, since {why}: scale {scales}."
    endless = [(point.scale, point.bits.ends) for point in dial.points if point.bits.ends.so_far]
    if endless:
        counts = ", ".join(f"{ends.n - ends.counted} of {ends.n} at scale {scale:g}" for scale, ends in endless)
        yield f"Of responses whose end is not counted, as they were cut, bits of the text so far: {counts}."
