"""What a model would get, for the screen: its tokens part by part, the window, and the text with its parts marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from alignbench.tui.styled import DIM
from alignbench.tui.text import bar, one_line
from alignbench.tui.widgets.marked_pane import StyledRun

if TYPE_CHECKING:
    from alignbench.contexts.preview import Preview
    from alignbench.experiments.context_preparer import FilledContext

# A style each for what the tokenizer adds, what was written or chosen here, and the query.
_STYLES = {
    "special": "strong",
    "hint": "shared",
    "prefill": "shared",
    "turn": "covered",
    "query": "covered",
    "instruction": "marginal",
}
_BAR = 12


def window_line(shown: Preview | None) -> Content:
    """Tokens of the prompt and of the longest response, and how much of the window they take."""
    if shown is None:
        return Content.styled(
            "This model is behind a server: its tokens and its window are not known here.", "$text-warning"
        )
    text = f"{shown.n_tokens} tokens + {shown.max_tokens} of the response"
    if shown.share is None:
        return Content(f"{text}; the window is not known")
    share = f" = {shown.share:.0%} of {shown.window} {bar(shown.share, _BAR)}"
    return Content.assemble(text, (share, "bold $text-error" if shown.overflow else ""))


def part_words(shown: Preview) -> list[str]:
    """Tokens part by part, in the order of the text; the template's pieces together, at the end."""
    words: list[str] = []
    template = 0
    for part in shown.parts:
        if part.kind == "template":
            template += part.n_tokens
            continue
        name = f"{part.kind} {part.number}" if part.number else part.kind
        if words and words[-1].rpartition(" ")[0] == name:  # pieces of one example
            words[-1] = f"{name} {int(words[-1].rpartition(' ')[2]) + part.n_tokens}"
        else:
            words.append(f"{name} {part.n_tokens}")
    return [*words, f"template {template}"]


def example_tokens(shown: Preview | None) -> dict[int, int]:
    """Tokens of each example, by its number in the prompt, from 1."""
    by_example: dict[int, int] = {}
    for part in shown.parts if shown is not None else ():
        if part.kind == "example":
            by_example[part.number] = by_example.get(part.number, 0) + part.n_tokens
    return by_example


def text_runs(shown: Preview) -> list[StyledRun]:
    """The exact text; what the tokenizer adds and the pieces of the context are marked."""
    return [StyledRun(part.text, _STYLES.get(part.kind, "plain")) for part in shown.parts if part.text]


def exact_text(prepared: FilledContext | None) -> str:
    """All that the model gets; empty where that is not known yet."""
    shown = prepared.preview if prepared is not None else None
    return "".join(part.text for part in shown.parts) if shown is not None else ""


def place_of(shown: Preview, kind: str, number: int = 0) -> int | None:
    """Which of the runs of `text_runs` is the first of a kind, of an example by its number; None where none is."""
    parts = [part for part in shown.parts if part.text]
    return next((at for at, part in enumerate(parts) if (part.kind, part.number) == (kind, number)), None)


def note_lines(prepared: FilledContext, overflow: str) -> list[Content]:
    """What a person should know of it, and what happens with a context that is too long."""
    fate = "the farthest example is dropped" if overflow == "drop" else "it is refused"
    lines = [Content.styled(f"! {one_line(note)}", "bold $text-warning") for note in prepared.notes]
    return [*lines, Content.styled(f"If it does not fit the window: {fate}.", DIM)]


def similarity_of(prepared: FilledContext | None, index: int) -> tuple[int | None, str]:
    """Where an example of the pool stands in the prompt (from 1, None where it does not), and why, in a word."""
    if prepared is None or prepared.selection is None:
        return None, ""
    selection = prepared.selection
    for place, selected in enumerate(selection.chosen, start=1):
        if selected.index == index:
            return place, "" if selected.similarity is None else f"{selected.similarity:.2f}"
    for why, group in (("is the query", selection.left_out), ("no room", selection.dropped)):
        if any(selected.index == index for selected in group):
            return None, why
    return None, "not chosen"


def listed(words: Sequence[str]) -> Content:
    """Words with dots between them."""
    return Content.styled(" · ".join(words), DIM)
