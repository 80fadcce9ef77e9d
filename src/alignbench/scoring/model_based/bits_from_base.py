"""How far a condition is from its base model without a context, in bits a byte of what it says itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from alignbench.contexts.source_samples import no_sources
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.statistics import Uncertainty
from alignbench.models.reference import parted_model
from alignbench.progress import Progress
from alignbench.scoring.aggregate import score_tables
from alignbench.scoring.endings import EndCounts
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.alignment_gap import GAP, session_gaps
from alignbench.scoring.responses import Responses
from alignbench.spec import Condition
from alignbench.store import Store


@dataclass(frozen=True, slots=True)
class BitsFromBase:
    """What a condition's own responses and their ends cost more under the base model than under the condition.

    Attributes:
        estimate: bits a byte; no value where its reason says why.
        no_kl: why it is a difference of cross-entropies; empty where it estimates KL(condition || base), and where
            there is no value.
        ends: of how many responses the end is counted; of the others it is the text so far.
    """

    estimate: Estimate
    no_kl: str = ""
    ends: EndCounts = field(default_factory=EndCounts)


def bits_from_base(
    store: Store,
    session: int,
    responses: Responses,
    condition: Condition,
    base: Condition,
    likelihoods: LikelihoodCache,
    uncertainty: Uncertainty,
    progress: Progress,
) -> BitsFromBase:
    """Of one condition, over the prompts that both have responses to.

    It is 0 where the two say the same in the same layout; in different layouts it is not, though the weights be equal.

    Args:
        store, session: What the models saw, and how responses ended.
        responses: Those of the session.
        condition: Has a model with an adapter.
        base: The condition of its base model without a context.
        likelihoods: What the models say; both are loaded where it does not have it yet.
        uncertainty: Of the mean.
        progress: Told of prompts.
    """
    if why_not := _no_base(condition, base, likelihoods):
        return BitsFromBase(Estimate(reason=why_not))
    names = (condition.name, base.name)
    gaps = session_gaps(
        store, session, responses, condition.name, None, no_sources, likelihoods, progress, among=names
    )  # fmt: skip
    tables = score_tables(
        [*gaps.compared.values()],
        [*dict.fromkeys(names)],
        within=(),
        cross=(GAP,),
        reference=condition.name,
        floor=None,
        uncertainty=uncertainty,
    )
    gap = tables.cross[base.name][GAP]
    estimate = Estimate(gap.value, gap.ci, gap.n, gap.reason)
    if gap.value is None:
        return BitsFromBase(estimate)
    return BitsFromBase(estimate, gaps.cross_entropies.get(base.name, ""), gaps.ends[base.name])


def _no_base(condition: Condition, base: Condition, likelihoods: LikelihoodCache) -> str:
    """Why the one is no condition of the other's base model; empty where it is, or nobody can tell."""
    own, _ = parted_model(condition.model)
    other, adapter = parted_model(base.model)
    if adapter is not None and adapter.scale != 0:
        return f"{base.name} has an adapter, so it is no base model"
    if own.reference != other.reference and likelihoods.identity(own) != likelihoods.identity(other):
        return f"{base.name} is another model than {own.reference}"
    return ""
