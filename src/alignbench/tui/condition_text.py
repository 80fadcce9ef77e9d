"""Settings and sets of examples in the few words that a column has room for."""

from __future__ import annotations

from alignbench.models.embedded import present_name
from alignbench.spec import (
    NOT_RECORDED,
    SETTINGS,
    Condition,
    Examples,
    Model,
    Sampling,
    written_setting,
)
from alignbench.tui.text import count

_DEFAULTS = Sampling()
SHORT = {
    "temperature": "T",
    "top_p": "top-p",
    "top_k": "top-k",
    "min_p": "min-p",
    "typical_p": "typical-p",
    "repetition_penalty": "rep",
    "max_tokens": "max",
    "stop": "stops",
    "context_stops": "stops",
}
"""Settings in short, where a name would take too much room."""


def settings(condition: Condition) -> str:
    """The model's adapter, and the sampling parameters in short: temperature, and others than the default."""
    if condition.unrecorded.issuperset(SETTINGS):
        return f"settings {NOT_RECORDED}"
    own = condition.settings
    parts = [*_adapter(condition.model), f"T {written_setting(own['temperature'])}"]
    for field in ("top_p", "top_k", "min_p", "typical_p", "repetition_penalty", "max_tokens"):
        if own[field] not in (None, getattr(_DEFAULTS, field)):
            parts.append(f"{SHORT[field]} {own[field]:g}")
    if own["stop"]:
        parts.append(f"stops {len(own['stop'])}")
    if own["seed"]:
        parts.append(f"seed {own['seed']}")
    if own["mode"] not in (None, "strict"):
        parts.append(own["mode"])
    if condition.unrecorded - {"temperature"}:
        parts.append(f"others {NOT_RECORDED}")
    return "  ".join(parts)


def _adapter(model: Model) -> list[str]:
    """The adapter; of a model that was renamed since its session, the name that it has now."""
    if "+" not in model.reference:  # which spares the first paint an import
        return [now] if (now := present_name(model.reference)) != model.reference else []
    from alignbench.models.reference import adapter_words

    return [words] if (words := adapter_words(model)) else []


def pool_words(examples: Examples | None) -> str:
    """What a selection is made from."""
    if examples is None:
        return "none"
    if examples.condition:
        return f"samples of {examples.condition}"
    if examples.pool.gone:
        return f"{examples.pool.name or 'a set'} that is gone: F2 picks another"
    return f"{examples.pool.name or 'own set'} ({count(len(examples.pool.items), 'example')})"
