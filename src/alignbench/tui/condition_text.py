"""Contexts and how two conditions differ, in words."""

from __future__ import annotations

from dataclasses import fields

from alignbench.spec import Condition, Context, Examples, Hint, LoadOptions, Sampling
from alignbench.tui.text import count, one_line

_DEFAULTS = Sampling()
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
    """The sampling parameters in short: temperature always, the others where they are not the default."""
    sampling = condition.sampling
    parts = [f"T {sampling.temperature:g}"]
    for field, short in (
        ("top_p", "top-p"),
        ("top_k", "top-k"),
        ("min_p", "min-p"),
        ("repetition_penalty", "rep"),
        ("max_tokens", "max"),
    ):
        value = getattr(sampling, field)
        if value != getattr(_DEFAULTS, field):
            parts.append(f"{short} {value:g}")
    if sampling.stop:
        parts.append(f"stops {len(sampling.stop)}")
    if condition.seed:
        parts.append(f"seed {condition.seed}")
    if condition.mode != "strict":
        parts.append(condition.mode)
    return "  ".join(parts)


def changes(before: Condition, after: Condition) -> list[tuple[str, str, str]]:
    """What differs between two conditions, but for their names: (what, before, after)."""
    differing = [
        *_parted("model", before.model.reference, after.model.reference),
        *_parted("kind", before.model.kind, after.model.kind),
    ]
    for option in fields(LoadOptions):
        pair = getattr(before.model.options, option.name), getattr(after.model.options, option.name)
        differing += _parted(option.name.replace("_", " "), *pair)
    differing += _context_changes(before.context, after.context)
    for parameter in fields(Sampling):
        pair = getattr(before.sampling, parameter.name), getattr(after.sampling, parameter.name)
        differing += _parted(parameter.name.replace("_", " "), *pair)
    return [*differing, *_parted("seed", before.seed, after.seed), *_parted("mode", before.mode, after.mode)]


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
    if isinstance(value, tuple):
        return ", ".join(repr(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) or "none"


def pool_words(examples: Examples | None) -> str:
    """What a selection is made from."""
    if examples is None:
        return "none"
    if examples.condition:
        return f"samples of {examples.condition}"
    if examples.pool.gone:
        return f"{examples.pool.name or 'a set'} that is gone: F2 picks another"
    return f"{examples.pool.name or 'own set'} ({count(len(examples.pool.items), 'example')})"
