"""A context prepared for many prompts, the pieces it is made of, and the same without one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from alignbench.contexts.rendering import Content, PartKind, Rendered, render, why_no_text
from alignbench.engines.protocol import Capabilities
from alignbench.errors import EngineError
from alignbench.scoring.likelihood_cache import Passage
from alignbench.spec import Context, Prompt

ContextPart = str  # instruction, examples or hint; `example 2` where each example is a piece of its own

_PARTS: Final[dict[ContextPart, PartKind]] = {"instruction": "instruction", "examples": "example", "hint": "hint"}
_EXAMPLE = "example "


@dataclass(frozen=True, slots=True)
class PreparedContext:
    """A context with its examples and hints for many prompts."""

    name: str
    context: Context
    contents: Mapping[str, Content]  # by prompt id
    source: frozenset[int]  # the teacher's samples, by index, that it may be made from
    apart: bool = False  # whether each example is a piece of its own

    @property
    def pieces(self) -> tuple[ContextPart, ...]:
        """What the context is made of, in the order of the built-in layouts."""
        examples = ["examples"] if self.context.examples is not None else []
        if self.apart:
            most = max((len(content.examples) for content in self.contents.values()), default=0)
            examples = [f"{_EXAMPLE}{number}" for number in range(1, most + 1)]
        return (
            *(["instruction"] if self.context.instruction.strip() else []),
            *examples,
            *(["hint"] if self.context.hint is not None else []),
        )

    def without(self, piece: ContextPart) -> PreparedContext:
        """The same context without a piece. Without the hint, no example shows a hint either."""
        context, contents = self.context, self.contents
        match piece:
            case "instruction":
                context = replace(self.context, instruction="")
            case "examples":
                context = replace(self.context, examples=None)
                contents = {prompt: replace(content, examples=()) for prompt, content in contents.items()}
            case "hint":
                context = replace(self.context, hint=None)
                contents = {prompt: replace(content, hint="") for prompt, content in contents.items()}
            case _:
                at = _number(piece) - 1
                contents = {
                    prompt: replace(content, examples=(*content.examples[:at], *content.examples[at + 1 :]))
                    for prompt, content in contents.items()
                }
        return replace(self, context=context, contents=contents)

    def rendered(self, prompt: Prompt, model: Capabilities) -> Rendered:
        """What a model sees of a prompt it was prepared for. EngineError where only its server knows that."""
        rendered = render(prompt, self.context, model, self.contents[prompt.id], as_text=True)
        if why_not := why_no_text(rendered, model):
            raise EngineError(
                f"{model.description}: what stands before a response is not known: {why_not}. Expected a local model, "
                "or a base model with the plain layout."
            )
        return rendered


def piece_passage(rendered: Rendered, piece: ContextPart) -> Passage | None:
    """A piece as a continuation of all that comes before it; None where the layout changes its text.

    It runs from its first part to its last: in the plain layout its headings and fences are a part of it, in others
    it is the text alone.
    """
    kind, number = _PARTS.get(piece, "example"), _number(piece)
    at = [i for i, part in enumerate(rendered.parts) if part.kind == kind and number in (0, part.number)]
    if not at:
        return None
    before = "".join(part.text for part in rendered.parts[: at[0]])
    text = "".join(part.text for part in rendered.parts[at[0] : at[-1] + 1])
    if before.startswith(rendered.context):
        return Passage(rendered.context, before[len(rendered.context) :], text)
    return Passage(before, "", text)


def _number(piece: ContextPart) -> int:
    """Which example a piece is, from 1; 0 for other pieces."""
    return int(piece.removeprefix(_EXAMPLE)) if piece.startswith(_EXAMPLE) else 0
