"""How far people agree with the judges of a session on which of two samples is better."""

from __future__ import annotations

from alignbench.judging.labels import PREFERENCE
from alignbench.judging.qualities import read_qualities
from alignbench.judging.summary import Agreement, judgments_of
from alignbench.metrics.agreement import krippendorff_alpha
from alignbench.store import Store


def preference_agreement(store: Store, session: int) -> dict[str, Agreement]:
    """Nominal agreement of each who labelled pairs with each judge of quality, by the name of the comparison.

    A judge of quality prefers the sample with the higher mean of its aspects. items: pairs that both have judged.
    """
    agreed: dict[str, Agreement] = {}
    for who in store.judges(session, PREFERENCE):
        rows = judgments_of(store, session, PREFERENCE, who)
        for judge in store.judges(session, "quality"):
            quality = read_qualities(store, session, judge).of
            units = []
            for row in rows:
                own = quality.get((row.condition, row.prompt_id, row.sample))
                other = quality.get((str(row.reference), row.prompt_id, row.reference_sample or 0))
                if own is not None and other is not None:
                    preferred = "same" if own == other else "b" if own > other else "a"
                    units.append({who: row.judgment.fields["preferred"], judge: preferred})
            alpha = krippendorff_alpha(units, "nominal")
            agreed[f"quality, {judge}"] = Agreement(alpha, len(units), (who, judge))
    return agreed
