"""How often 95% intervals around a mean over prompts cover it, by method, shape of the scores and number of prompts.

    python benchmarks/interval_coverage.py [--repetitions N]

Each repetition draws the scores of n prompts anew; a cell is the share of N intervals that hold the true mean.
Percentile, BCa (Efron 1987) and studentized bootstrap (Efron 1981), each of 2,000 resamples, Student's t, and what the
tool uses. Prints tables in Markdown; ends with 1 where another method comes nearer to 95% on average than the tool.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from alignbench.metrics.intervals import LEVEL, Ratios
from alignbench.metrics.statistics import MIN_PROMPTS, Uncertainty

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
Ends = tuple[Floats, Floats]

RESAMPLES = 2_000
FEW, MANY = (2, 3, 5, 10), (20, 30, 50, 100)

SHAPES: Mapping[str, tuple[Draw, float]] = {
    "normal": (lambda rng, shape: rng.normal(size=shape), 0.0),
    "skewed (exponential)": (lambda rng, shape: rng.exponential(size=shape), 1.0),
    "similarities, beta(2, 18)": (lambda rng, shape: rng.beta(2.0, 18.0, shape), 0.1),
    "near a bound, beta(.5, 4.5)": (lambda rng, shape: rng.beta(0.5, 4.5, shape), 0.1),
    "ties, 4.5 of 5 pass": (lambda rng, shape: rng.binomial(5, 0.9, shape) / 5, 0.9),
    "70% exactly 0": (lambda rng, shape: rng.binomial(1, 0.3, shape) * rng.normal(1.0, 1.0, shape), 0.3),
    "difference, one side skewed": (lambda rng, shape: rng.exponential(size=shape) - rng.normal(1.0, 0.5, shape), 0.0),
    "heavy tails, t(3)": (lambda rng, shape: rng.standard_t(3, shape), 0.0),
}


def resampled_means(values: Floats) -> Floats:
    return Uncertainty(resamples=RESAMPLES).means(values)


def percentile(values: Floats) -> Ends:
    low, high = np.quantile(resampled_means(values), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def bca(values: Floats) -> Ends:
    normal, means = NormalDist(), resampled_means(values)
    centre, n_draws = values.mean(axis=0), len(means)
    below = ((means < centre).sum(axis=0) + (means == centre).sum(axis=0) / 2) / n_draws
    bias = np.array([normal.inv_cdf(share) for share in np.clip(below, 1 / n_draws, 1 - 1 / n_draws)])
    gaps = values - centre
    skew = (gaps**3).sum(axis=0) / (6 * np.maximum((gaps**2).sum(axis=0), 1e-20) ** 1.5)
    ordered = np.sort(means, axis=0)
    ends = []
    for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        z = bias + normal.inv_cdf(tail)
        levels = np.array([normal.cdf(each) for each in bias + z / (1 - skew * z)])
        rank = np.clip(levels * (n_draws - 1), 0, n_draws - 1).round().astype(int)
        ends.append(ordered[rank, np.arange(ordered.shape[1])])
    return ends[0], ends[1]


def student(values: Floats) -> Ends:
    ratios = Ratios.of(values)
    low, high = ratios.t_reaches()
    return ratios.values - low, ratios.values + high


def studentized(values: Floats) -> Ends:
    ratios = Ratios.of(values)
    low, high = ratios.studentized_reaches(RESAMPLES, 0)
    return ratios.values - low, ratios.values + high


def tool(values: Floats) -> Ends:
    low, high = np.array(Uncertainty(resamples=RESAMPLES).intervals(values)).T
    return low, high


METHODS = {"percentile": percentile, "BCa": bca, "Student's t": student, "studentized": studentized, "the tool": tool}


def coverage(draw: Draw, truth: float, n: int, repetitions: int, method: str) -> float:
    values = draw(np.random.default_rng(n), (n, repetitions))
    low, high = METHODS[method](values)
    return float(((low <= truth) & (truth <= high)).mean())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=4_000, metavar="N")
    repetitions = parser.parse_args().repetitions
    missed = False
    for sizes in (FEW, MANY):
        off = dict.fromkeys(METHODS, 0.0)
        print(f"\n| scores | method | {' | '.join(map(str, sizes))} |\n|---|---|{'---:|' * len(sizes)}")
        for shape, (draw, truth) in SHAPES.items():
            for method in METHODS:
                if method in ("BCa", "studentized") and sizes[0] < MIN_PROMPTS:
                    continue
                shares = [coverage(draw, truth, n, repetitions, method) for n in sizes]
                off[method] += sum(abs(share - LEVEL) for share in shares) / len(sizes) / len(SHAPES)
                print(f"| {shape} | {method} | {' | '.join(f'{share:.1%}' for share in shares)} |")
        tried = {method: each for method, each in off.items() if each}
        print("\nMean distance from 95%: " + ", ".join(f"{method} {each:.1%}" for method, each in tried.items()))
        missed |= any(each < tried["the tool"] - 1e-9 for each in tried.values())
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
