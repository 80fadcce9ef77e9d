"""What the database keeps of one sample."""

from __future__ import annotations

from alignbench.engines.protocol import TokenStats
from alignbench.store import HintRow, Store


def token_stats(store: Store, sample_id: int) -> TokenStats | None:
    """The tokens of a sample; None for an error."""
    return store.token_stats([sample_id]).get(sample_id)


def sample_hint(store: Store, sample_id: int) -> HintRow | None:
    """The hint that a model wrote before a sample."""
    session = store.sample(sample_id).session
    hints = {hint.id: hint for hint in store.hints(session)}
    for row in store.db.query("SELECT hint_id FROM sample_hints WHERE sample_id = ?", [sample_id]):
        return hints[row["hint_id"]]
    return None
