"""How two conditions differ, and a context, in words."""

from __future__ import annotations

from dataclasses import fields

from alignbench.spec import Condition, Context, Examples, Hint, LoadOptions, Model, written_setting

Change = tuple[str, str, str]
"""What differs, and how either condition has it."""

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


def changes(before: Condition, after: Condition) -> list[Change]:
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


def _model_changes(before: Model, after: Model) -> list[Change]:
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


def _context_changes(before: Context, after: Context) -> list[Change]:
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
        parts.append(f"found with {_short(prompt.query, 40)!r} and {_short(prompt.document, 40)!r}")
    if examples.order != "given" or examples.select == "random":
        parts.append(f"{examples.order}, seed {examples.seed}")
    return " ".join(parts)


def _hint(hint: Hint | None) -> str:
    if hint is None:
        return "none"
    if hint.text:
        return f"{hint.level}: {_short(hint.text, 60)}"
    made = f" by {hint.maker} of {hint.condition}, sample {hint.sample + 1}" if hint.condition else ""
    return f"{hint.level}{made}"


def _parted(what: str, before: object, after: object) -> list[Change]:
    if before == after:
        return []
    return [(what, _value(before), _value(after))]


def _value(value: object) -> str:
    return written_setting(value) or "none"


def _short(text: str, most: int) -> str:
    """A text on one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
