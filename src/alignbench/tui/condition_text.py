"""Contexts and how two conditions differ, in words."""

from __future__ import annotations

from dataclasses import fields

from alignbench.models.embedded import present_name
from alignbench.spec import (
    NOT_RECORDED,
    SETTINGS,
    Condition,
    Context,
    Examples,
    Hint,
    LoadOptions,
    Model,
    Sampling,
    written_setting,
)
from alignbench.tui.text import count, one_line

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
SELECT_WORDS = {
    "fixed": "",
    "random": "random ",
    "nearest-prompt": "nearest ",
    "nearest-response": "nearest-response ",
    "nearest-format": "nearest-format ",
}


def context_words(context: Context) -> str:
    """A context in a few words: `zero-shot`, `3 nearest examples + summary`."""
    parts = []
    if context.verbalized:
        parts.append(f"{context.verbalized} answers a reply")
    elif context.instruction:
        parts.append("instruction")
    if context.examples is not None:
        parts.append(examples_words(context.examples))
    if context.hint is not None:
        parts.append(hint_words(context.hint))
    if context.prefill is not None:
        parts.append("prefill")
    return " + ".join(parts) or "zero-shot"


def examples_words(examples: Examples) -> str:
    """`5 examples`, `3 random examples`, `3 nearest examples of demo-aligned`."""
    if examples.pool.gone:
        return "examples that are gone"
    n = examples.k if examples.k is not None else len(examples.pool.items)
    hinted = " with hints" if examples.hints else ""
    if examples.k is None and examples.condition:
        return f"examples of {examples.condition}{hinted}"
    return f"{n} {SELECT_WORDS[examples.select]}example{'' if n == 1 else 's'}{hinted}"


def hint_words(hint: Hint) -> str:
    """`summary`, or `hint by hand`."""
    if hint.text:
        return "hint by hand" if hint.level == "free" else f"{hint.level} by hand"
    return "hint first" if hint.level == "first" else hint.level


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


def changes(before: Condition, after: Condition) -> list[tuple[str, str, str]]:
    """What differs between two conditions, but for their names: (what, before, after)."""
    differing = [*_model_changes(before.model, after.model), *_parted("kind", before.model.kind, after.model.kind)]
    for option in fields(LoadOptions):
        pair = getattr(before.model.options, option.name), getattr(after.model.options, option.name)
        differing += _parted(option.name.replace("_", " "), *pair)
    differing += _context_changes(before.context, after.context)
    theirs = after.settings
    for name, value in before.settings.items():
        differing += _parted(name.replace("_", " "), value, theirs[name])
    return differing


def _adapter(model: Model) -> list[str]:
    """The adapter; of a model that was renamed since its session, the name that it has now."""
    if "+" not in model.reference:  # which spares the first paint an import
        return [now] if (now := present_name(model.reference)) != model.reference else []
    from alignbench.models.reference import adapter_words

    return [words] if (words := adapter_words(model)) else []


def _model_changes(before: Model, after: Model) -> list[tuple[str, str, str]]:
    """Of one base model it is the adapter, or its scale alone."""
    if "+" not in before.reference + after.reference:
        return _parted("model", before.reference, after.reference)
    from alignbench.models.adapter import written_scale
    from alignbench.models.reference import parted_model

    (base, adapter), (other, theirs) = parted_model(before), parted_model(after)
    if base.reference != other.reference:
        return _parted("model", before.reference, after.reference)
    if adapter is not None and theirs is not None and adapter.target == theirs.target:
        return _parted("adapter scale", written_scale(adapter.scale), written_scale(theirs.scale))
    return _parted("adapter", str(adapter or "none"), str(theirs or "none"))


def _context_changes(before: Context, after: Context) -> list[tuple[str, str, str]]:
    differing = [
        *_parted("template", before.template, after.template),
        *_parted("template text", len(before.source), len(after.source)),
        *_parted("instruction", before.instruction, after.instruction),
        *_parted("examples", _examples(before.examples), _examples(after.examples)),
        *_parted("hint", _hint(before.hint), _hint(after.hint)),
        *_parted("prefill", before.prefill or "none", after.prefill or "none"),
        *_parted("context stops", before.stops, after.stops),
        *_parted("template arguments", before.arguments, after.arguments),
        *_parted("answers a reply", before.verbalized or 1, after.verbalized or 1),
        *_parted("overflow", before.overflow, after.overflow),
    ]
    if before.source != after.source and len(before.source) == len(after.source):
        differing.append(("template text", "another one", "another one"))
    return differing


def _examples(examples: Examples | None) -> str:
    if examples is None:
        return "none"
    pool = examples.pool
    source = examples.condition or (f"{pool.name or 'set'} {pool.hash[:8]}")
    parts = [examples_words(examples), f"of {source}"]
    if (prompt := examples.embedder_prompt) is not None:
        parts.append(f"found with {one_line(prompt.query, 40)!r} and {one_line(prompt.document, 40)!r}")
    if examples.order != "given" or examples.select == "random":
        parts.append(f"{examples.order}, seed {examples.seed}")
    return " ".join(parts)


def _hint(hint: Hint | None) -> str:
    if hint is None:
        return "none"
    if hint.text:
        return f"{hint.level}: {one_line(hint.text, 60)}"
    made = f" by {hint.maker} of {hint.condition}, sample {hint.sample + 1}" if hint.condition else ""
    return f"{hint.level}{made}"


def _parted(what: str, before: object, after: object) -> list[tuple[str, str, str]]:
    if before == after:
        return []
    return [(what, _value(before), _value(after))]


def _value(value: object) -> str:
    return written_setting(value) or "none"


def pool_words(examples: Examples | None) -> str:
    """What a selection is made from."""
    if examples is None:
        return "none"
    if examples.condition:
        return f"samples of {examples.condition}"
    if examples.pool.gone:
        return f"{examples.pool.name or 'a set'} that is gone: F2 picks another"
    return f"{examples.pool.name or 'own set'} ({count(len(examples.pool.items), 'example')})"
