"""The sampler against transformers' logits processors, and its draws against the distribution it claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alignbench.engines.local.sampler import Sampler, pick, restrict, uniform
from alignbench.errors import EngineError
from alignbench.spec import Sampling

VOCAB = 5000

PARAMETERS = [
    Sampling(temperature=1.0),
    Sampling(temperature=0.7),
    Sampling(temperature=0.5, top_k=40),
    Sampling(temperature=1.0, top_p=0.9),
    Sampling(temperature=0.8, top_p=0.05),
    Sampling(temperature=1.0, min_p=0.05),
    Sampling(temperature=1.3, typical_p=0.9),
    Sampling(temperature=1.0, typical_p=0.2),
    Sampling(temperature=0.7, repetition_penalty=1.3),
    Sampling(temperature=0.7, top_k=200, top_p=0.95, min_p=0.01, typical_p=0.95, repetition_penalty=1.1),
    Sampling(temperature=1.0, top_k=1),
]


def some_logits(seed: int, rows: int = 1, vocab: int = VOCAB) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal((rows, vocab)) * 3).astype(np.float32)


def transformers_probabilities(
    row: NDArray[np.float32], params: Sampling, seen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The chain that `generate` builds, in its order."""
    torch = pytest.importorskip("torch")
    processors = pytest.importorskip("transformers.generation.logits_process")
    chain = []
    if params.repetition_penalty != 1:
        chain.append(processors.RepetitionPenaltyLogitsProcessor(params.repetition_penalty))
    chain.append(processors.TemperatureLogitsWarper(float(params.temperature)))
    if params.top_k:
        chain.append(processors.TopKLogitsWarper(params.top_k))
    if params.top_p < 1:
        chain.append(processors.TopPLogitsWarper(params.top_p))
    if params.min_p:
        chain.append(processors.MinPLogitsWarper(params.min_p))
    if params.typical_p < 1:
        chain.append(processors.TypicalLogitsWarper(params.typical_p))
    scores = torch.from_numpy(row[None].copy())
    for processor in chain:
        scores = processor(torch.from_numpy(seen[None]), scores)
    return np.asarray(torch.softmax(scores.double(), dim=-1)[0])


@pytest.mark.parametrize("params", PARAMETERS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_keeps_what_transformers_keeps(params: Sampling, seed: int) -> None:
    row = some_logits(seed)[0]
    seen = np.array([3, 17, 4999], np.int64)
    kept = restrict(row, params, seen)
    ours = np.zeros(VOCAB)
    ours[slice(None) if kept.ids is None else kept.ids] = kept.probabilities
    theirs = transformers_probabilities(row, params, seen)
    assert np.array_equal(ours > 0, theirs > 0)
    assert np.abs(ours - theirs).max() < 1e-6


@pytest.mark.parametrize("params", [PARAMETERS[1], PARAMETERS[9]], ids=str)
def test_draws_follow_the_distribution(params: Sampling) -> None:
    """Chi-square over 20,000 draws, ids of small expectation put together; the seeds are fixed."""
    stats = pytest.importorskip("scipy.stats")
    row = some_logits(5, vocab=50)[0]
    kept = restrict(row, params, np.array([1, 2], np.int64))
    drawn = np.array([pick(kept, uniform(seed, 9, 0)) for seed in range(20_000)])
    counts = np.bincount(drawn, minlength=len(kept.weights)).astype(float)
    expected = kept.probabilities * len(drawn)
    small = expected < 5
    if small.any():
        counts = np.append(counts[~small], counts[small].sum())
        expected = np.append(expected[~small], expected[small].sum())
    assert stats.chisquare(counts, expected).pvalue > 0.001


def test_uniform_is_the_documented_formula() -> None:
    generator = np.random.Philox(key=np.array([7, 11], np.uint64), counter=np.array([3, 0, 0, 0], np.uint64))
    assert uniform(7, 11, 3) == (int(generator.random_raw()) >> 11) / 2**53
    assert len({uniform(7, 11, step) for step in range(100)}) == 100


@given(
    st.integers(min_value=-(2**70), max_value=2**70),
    st.integers(min_value=0, max_value=2**64 - 1),
    st.integers(min_value=0, max_value=10**6),
)
def test_uniform_is_in_the_unit_interval(seed: int, stream: int, step: int) -> None:
    assert 0 <= uniform(seed, stream, step) < 1


@given(st.integers(min_value=0, max_value=1000), st.floats(min_value=0, max_value=1, exclude_max=True))
def test_pick_is_the_plain_inverse_cdf(seed: int, u: float) -> None:
    kept = restrict(some_logits(seed, vocab=3001)[0], Sampling(temperature=1.0))
    cumulative = np.cumsum(kept.weights.astype(np.float64))
    plain = min(int(np.searchsorted(cumulative, u * cumulative[-1], side="right")), len(cumulative) - 1)
    assert abs(pick(kept, u) - plain) <= (1 if np.isclose(cumulative, u * cumulative[-1], rtol=1e-12).any() else 0)


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    logits = some_logits(1, rows=8, vocab=20_000)
    uniforms = [uniform(i, 5, 2) for i in range(8)]
    together = Sampler(Sampling(), threads=2).draw(logits, uniforms)
    for i in range(8):
        alone = Sampler(Sampling()).draw(logits[i : i + 1], uniforms[i : i + 1])
        assert alone.ids[0] == together.ids[i]
        assert alone.logprob[0] == together.logprob[i]


def test_log_probs_and_entropies() -> None:
    logits = some_logits(2)
    draw = Sampler(Sampling(temperature=0.5)).draw(logits, [0.3])
    for temperature, logprob, entropy in (
        (1.0, draw.logprob[0], draw.entropy[0]),
        (0.5, draw.sampling_logprob[0], draw.sampling_entropy[0]),
    ):
        z = logits[0].astype(np.float64) / temperature
        log_p = z - z.max() - np.log(np.exp(z - z.max()).sum())
        assert logprob == pytest.approx(log_p[draw.ids[0]], abs=1e-5)
        assert entropy == pytest.approx(-(np.exp(log_p) * log_p).sum(), abs=1e-5)


def test_greedy_takes_the_best_and_says_so() -> None:
    logits = some_logits(3, rows=2)
    draw = Sampler(Sampling(temperature=0)).draw(logits, [0.99, 0.99])
    assert list(draw.ids) == list(logits.argmax(axis=1))
    assert list(draw.sampling_logprob) == [0, 0]
    assert (draw.logprob < 0).all()


def test_greedy_obeys_the_repetition_penalty() -> None:
    row = np.array([[2.0, 1.9, -1.0]], np.float32)
    sampler = Sampler(Sampling(temperature=0, repetition_penalty=2.0))
    assert sampler.draw(row, [0.0], [np.array([0])]).ids[0] == 1


def test_suppressed_ids_are_never_drawn() -> None:
    row = np.full((1, 4), -np.inf, np.float32)
    row[0, 2] = 1.0
    draw = Sampler(Sampling(temperature=1.0)).draw(row, [0.999999])
    assert draw.ids[0] == 2
    assert draw.entropy[0] == 0


def test_nan_logits_are_refused() -> None:
    with pytest.raises(EngineError, match="NaN"):
        Sampler(Sampling()).draw(np.full((1, 4), np.nan, np.float32), [0.5])
