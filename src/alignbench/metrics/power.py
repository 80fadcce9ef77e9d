"""How many prompts and samples a comparison of two conditions needs, from a pilot.

Power of a paired comparison by the normal approximation; the variance of the differences split into what prompts and
what samples give, as in a nested design (Cochran 1977, Sampling Techniques, 10.6).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from alignbench.metrics.intervals import LEVEL, Interval

POWER = 0.8  # chance to find the difference
MIN_PILOT = 3  # prompts under which a pilot tells nothing of how differences spread

_NORMAL = NormalDist()


def prompts_needed(sd: float, effect: float, power: float = POWER) -> int:
    """Fewest prompts on which a mean difference of `effect` comes out at the 5% level, two-sided, with this power.

    ((z.975 + z.8) sd / effect)^2, rounded up: the normal approximation, as if sd were known. Student's t needs about
    two prompts more where it says few (Guenther 1981), and a correction for several comparisons more again. sd: of the
    paired difference over prompts; effect over 0, in the same units.
    """
    z = _NORMAL.inv_cdf((1 + LEVEL) / 2) + _NORMAL.inv_cdf(power)
    return max(1, math.ceil((z * sd / effect) ** 2 - 1e-9))


@dataclass(frozen=True, slots=True)
class PromptDifference:
    """A prompt of a pilot.

    Attributes:
        value: one condition's score minus the other's.
        variance: what the samples of both give it; None where there are too few to tell.
        of_one_sample: the same if there were one sample a side, which n samples divide by n.
    """

    value: float
    variance: float | None = None
    of_one_sample: float | None = None


@dataclass(frozen=True, slots=True)
class PilotSpread:
    """How the paired difference of two conditions spreads in a pilot.

    Attributes:
        difference: its mean over prompts.
        sd: its standard deviation over prompts, at the pilot's number of samples.
        sd_ci: 95% interval of that, for normal differences.
        n_prompts: of the pilot.
        of_prompts: variance that is left however many samples a prompt has.
        of_samples: variance that one sample a side adds; None where the pilot has too few samples to tell, and
            of_prompts is then all of it.
    """

    difference: float
    sd: float
    sd_ci: Interval
    n_prompts: int
    of_prompts: float
    of_samples: float | None

    @classmethod
    def of(cls, prompts: Sequence[PromptDifference]) -> PilotSpread:
        """ValueError for fewer than three prompts."""
        n = len(prompts)
        if n < MIN_PILOT:
            raise ValueError(f"a pilot needs {MIN_PILOT} prompts, there are {n}")
        values = [prompt.value for prompt in prompts]
        sd = statistics.stdev(values)
        ends = tuple(
            sd * math.sqrt((n - 1) / _chi_square(level, n - 1)) for level in ((1 + LEVEL) / 2, (1 - LEVEL) / 2)
        )
        within = [prompt.variance for prompt in prompts if prompt.variance is not None]
        of_one = [prompt.of_one_sample for prompt in prompts if prompt.of_one_sample is not None]
        if len(within) < MIN_PILOT:
            return cls(statistics.fmean(values), sd, (ends[0], ends[1]), n, sd**2, None)
        of_prompts = max(0.0, sd**2 - statistics.fmean(within))
        return cls(statistics.fmean(values), sd, (ends[0], ends[1]), n, of_prompts, statistics.fmean(of_one))

    def sd_at(self, n_samples: int) -> float:
        """The standard deviation over prompts at so many samples of each; the pilot's own where it cannot tell."""
        return self.sd if self.of_samples is None else math.sqrt(self.of_prompts + self.of_samples / n_samples)


def _chi_square(level: float, freedom: int) -> float:
    """Quantile of the chi-square distribution (Wilson and Hilferty 1931), within 1% from 5 degrees of freedom on."""
    spread = 2.0 / (9.0 * freedom)
    return max(1e-3, freedom * (1.0 - spread + _NORMAL.inv_cdf(level) * math.sqrt(spread)) ** 3)
