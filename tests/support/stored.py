"""What the database keeps and no command reads back."""

from __future__ import annotations

from dataclasses import fields

from alignbench.engines.protocol import TokenStats
from alignbench.store import HintRow, Store
from alignbench.store.encoding import unpack_floats, unpack_ids

_ARRAYS = tuple(field.name for field in fields(TokenStats))[1:]


def token_stats(store: Store, sample_id: int) -> TokenStats | None:
    """The tokens of a sample; None for an error."""
    for row in store.db.query("SELECT * FROM sample_tokens WHERE sample_id = ?", [sample_id]):
        return TokenStats(unpack_ids(row["ids"]), *(unpack_floats(row[name]) for name in _ARRAYS))
    return None


def sample_hint(store: Store, sample_id: int) -> HintRow | None:
    """The hint that a model wrote before a sample."""
    session = store.sample(sample_id).session
    hints = {hint.id: hint for hint in store.hints(session)}
    for row in store.db.query("SELECT hint_id FROM sample_hints WHERE sample_id = ?", [sample_id]):
        return hints[row["hint_id"]]
    return None
