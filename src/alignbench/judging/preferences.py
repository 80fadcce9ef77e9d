"""How far people who label agree with each other, and with the judges of a session on which sample is better."""

from __future__ import annotations

from collections.abc import Hashable

from alignbench.judging.labels import LABELS, PREFERENCE
from alignbench.judging.qualities import read_qualities
from alignbench.judging.stored import readable_judgments
from alignbench.judging.summary import Agreement, judgments_of, latest
from alignbench.metrics.agreement import krippendorff_alpha
from alignbench.store import Store


def label_agreement(store: Store, session: int) -> dict[str, dict[str, Agreement]]:
    """Of each kind of label that some agreement can be said of, by the name of the comparison."""
    agreed = {kind: people_agreement(store, session, kind) for kind in LABELS}
    agreed[PREFERENCE] |= preference_agreement(store, session)
    return {kind: compared for kind, compared in agreed.items() if compared}


def people_agreement(store: Store, session: int, kind: str) -> dict[str, Agreement]:
    """Nominal agreement of those who labelled pairs with each other; nothing of one person alone."""
    people = store.judges(session, kind)
    if len(people) < 2:
        return {}
    units: dict[Hashable, dict[str, Hashable]] = {}
    for row in latest(readable_judgments(store, session, kind=kind)):
        said = row.judgment
        question = (said.template_hash, said.sample_id, said.reference_sample_id)
        units.setdefault(question, {})[said.judge] = said.fields["preferred" if kind == PREFERENCE else "tag"]
    shared = [unit for unit in units.values() if len(unit) >= 2]
    return {"people": Agreement(krippendorff_alpha(shared, "nominal"), len(shared), tuple(people))}


def preference_agreement(store: Store, session: int) -> dict[str, Agreement]:
    """Nominal agreement of each who labelled pairs with each judge of quality, by the name of the comparison.

    A judge of quality prefers the sample with the higher mean of its aspects. items: pairs that both have judged.
    """
    agreed: dict[str, Agreement] = {}
    people = store.judges(session, PREFERENCE)
    for who in people:
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
            name = f"quality, {judge}" if len(people) == 1 else f"{who} and quality, {judge}"
            agreed[name] = Agreement(alpha, len(units), (who, judge))
    return agreed
