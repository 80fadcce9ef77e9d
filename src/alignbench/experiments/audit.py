"""Two conditions side by side: every difference between them, those first that are not under study."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from alignbench.contexts.rendering import Part, render
from alignbench.engines.protocol import Capabilities
from alignbench.experiments.condition_changes import Change, changes
from alignbench.experiments.confounds import Study, is_studied
from alignbench.spec import NOT_RECORDED, Condition, Prompt, written_setting

if TYPE_CHECKING:
    from alignbench.experiments.context_preparer import Preparer

DifferenceKind = Literal["confound", "studied", "unknown", "same"]

_MARKERS = re.compile(r"<[^<>\s]+>|\[/?[A-Z]+\]|```|\b(?:system|user|assistant)\b|[#:]")
_DATE = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}\b", re.IGNORECASE
)
_INJECTED = 3  # words that are no marker


TITLES = {
    "confound": "Differences that are not under study: each may explain what the scores show",
    "studied": "Under study: {study}",
    "unknown": "Not recorded of either: each may differ",
    "same": "The same on both sides",
}
"""What is said of each kind of difference."""


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """A prompt as a model got it, or would get it.

    Attributes:
        text: The prompt, with what the tokenizer adds.
        n_tokens: Of the prompt; None behind a server.
        bos: How many beginning-of-sequence tokens the text begins with.
        adds_bos: Whether the tokenizer adds one.
        injected: Words that the template itself adds.
        date: Dates in the template's text.
        stops: All texts that end a response.
        file: The weights, in words.
    """

    text: str
    n_tokens: int | None
    bos: int
    adds_bos: bool
    injected: str
    date: str
    stops: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True)
class Side:
    """One condition.

    Attributes:
        condition: The condition.
        asked: Samples that are asked for.
        n, cut: Finished samples, and those of them that were cut by length.
        prompt: As its model got it; None where the model cannot be loaded.
    """

    condition: Condition
    asked: int
    n: int
    cut: int | None
    prompt: ShownPrompt | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is compared, on either side, and what a difference there means."""

    what: str
    a: str
    b: str
    kind: DifferenceKind


def shown_prompt(preparer: Preparer, prompt: Prompt, condition: Condition, cell: int = 0) -> ShownPrompt:
    """A prompt under a condition, whose model is loaded. Raises InputError or EngineError.

    cell: its row in the database, 0 where it has none.
    """
    from alignbench.experiments.plan import PlannedCell

    content = preparer.content(PlannedCell(cell, prompt, condition, 0, ()))
    shown = preparer.preview(prompt, condition, content)
    capabilities = preparer.capabilities(condition.model)
    rendered = render(prompt, condition.context, capabilities, content)
    text = shown.text if shown is not None else rendered.text
    return ShownPrompt(
        text=text,
        n_tokens=shown.n_tokens if shown is not None else None,
        bos=leading(text, capabilities.bos),
        adds_bos=capabilities.adds_bos,
        injected=injected_text(rendered.parts),
        date=", ".join(_DATE.findall(" ".join(part.text for part in rendered.parts if part.kind == "template"))),
        stops=(*dict.fromkeys((*rendered.stops, *condition.sampling.stop)), capabilities.eos),
        file=_file(capabilities),
    )


def side(condition: Condition, asked: int, ends: Sequence[str | None], prompt: ShownPrompt | None) -> Side:
    """One side. ends: why each finished sample ended, None where that was not recorded."""
    return Side(condition, asked, len(ends), None if None in ends else ends.count("length"), prompt)


def leading(text: str, bos: str) -> int:
    """How often a text begins with a token; further on it may be a marker of turns."""
    n = 0
    while bos and text.startswith(bos, n * len(bos)):
        n += 1
    return n


def injected_text(parts: tuple[Part, ...]) -> str:
    """What a layout adds beside its markers; empty where that is less than three words."""
    text = " ".join(" ".join(_MARKERS.sub(" ", part.text).split()) for part in parts if part.kind == "template")
    return text.strip() if len(text.split()) >= _INJECTED else ""


def rows(a: Side, b: Side, study: Study) -> list[Difference]:
    """Confounds first, then what is under study, what nobody recorded, and what is the same on both sides."""
    differences = [
        Difference(what, old, new, "studied" if is_studied(what, study) else "confound")
        for what, old, new in changes(a.condition, b.condition)
        if what not in ("context stops", "stop")
    ]
    for what, old, new in (
        *(_of_prompts(a.prompt, b.prompt) if a.prompt is not None and b.prompt is not None else ()),
        ("cut by length", _cut(a), _cut(b)),
        ("n", str(a.asked), str(b.asked)),
        ("samples", str(a.n), str(b.n)),
    ):
        differences.append(Difference(what, old, new, _alike(old) if old == new else "confound"))
    if a.prompt is not None and b.prompt is not None:
        files: DifferenceKind = "studied" if "model" in study else "confound"
        longer: DifferenceKind = "studied" if {"model", "context"}.intersection(study) else "confound"
        tokens = [("–" if s.n_tokens is None else str(s.n_tokens)) for s in (a.prompt, b.prompt)]
        for what, old, new, kind in (
            ("weights", a.prompt.file, b.prompt.file, files),
            ("prompt tokens", tokens[0], tokens[1], longer),
        ):
            differences.append(Difference(what, old, new, "same" if old == new else kind))
    differing = {row.what for row in differences}
    settings = [(a.condition.settings, b.condition.settings)]
    if not (a.condition.model.is_imported or b.condition.model.is_imported):  # which nobody loaded here
        settings.append((asdict(a.condition.model.options), asdict(b.condition.model.options)))
    for values, other in settings:
        for setting, value in values.items():
            name = setting.replace("_", " ")
            if name not in differing and name not in ("stop", "seed"):
                pair = written_setting(value), written_setting(other[setting])
                differences.append(Difference(name, *pair, _alike(pair[0])))
    order = ("confound", "studied", "unknown", "same")
    return sorted(differences, key=lambda row: order.index(row.kind))


def _alike(value: str) -> DifferenceKind:
    """What it means that both sides have a value."""
    return "unknown" if value == NOT_RECORDED else "same"


def _of_prompts(a: ShownPrompt, b: ShownPrompt) -> list[Change]:
    return [
        ("BOS in the prompt", _bos(a), _bos(b)),
        ("text the template adds", a.injected or "none", b.injected or "none"),
        ("date in the template", a.date or "none", b.date or "none"),
        ("stops", _stops(a), _stops(b)),
    ]


def _bos(of: ShownPrompt) -> str:
    added = "the tokenizer adds it" if of.adds_bos else "the tokenizer adds none"
    return f"{of.bos}, {added}" + (" (expected exactly 1)" if of.bos > 1 else "")


def _stops(of: ShownPrompt) -> str:
    return ", ".join(repr(stop) for stop in of.stops if stop)


def _cut(of: Side) -> str:
    if of.cut is None:
        return NOT_RECORDED
    return f"{of.cut} of {of.n} ({of.cut / of.n:.0%})" if of.n else "no samples"


def _file(capabilities: Capabilities) -> str:
    digest = f", {capabilities.file_hash[:12]}" if capabilities.file_hash else ""
    adapter = f", adapter {capabilities.adapter_hash[:12]}" if capabilities.adapter_hash else ""
    return f"{capabilities.description} on {capabilities.device}{digest}{adapter}"
