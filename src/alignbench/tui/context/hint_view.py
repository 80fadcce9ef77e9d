"""A hint as it is shown: found or made, its size, and how much of its source it gives away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from alignbench.contexts.hints import QUOTE, give_away
from alignbench.spec import Hint, Level, Prompt
from alignbench.tui.styled import DIM, SELECTED
from alignbench.tui.text import count

if TYPE_CHECKING:
    from alignbench.experiments.context_preparer import Preparer

LEVELS: tuple[Level, ...] = ("keywords", "topics", "outline", "sentence", "summary")


@dataclass(frozen=True, slots=True)
class HintShown:
    """A hint, and what it gives away.

    Attributes:
        text: The hint.
        recall: Share of the source's content words that are in the text, 0 to 1, None where there is no source or it
            has none.
        longest_quote: Words of the longest run that both share.
    """

    text: str
    recall: float | None
    longest_quote: int


def find_hint(preparer: Preparer, prompt: Prompt, hint: Hint | None, source: str, make: bool) -> HintShown | None:
    """A hint for a prompt; None where there is none yet.

    Args:
        preparer: Finds and makes hints.
        prompt: The prompt.
        hint: What hint it is.
        source: Text of the sample that it is made from.
        make: Whether it is made now if it is not there.
    """
    if hint is None or not (hint.text or source):
        return None
    text = hint.text
    if not text:
        row = preparer.made_hint(prompt, hint)[0] if make else preparer.known_hint(prompt, hint)
        text = row.text if row is not None else ""
    if not text:
        return None
    given_away = give_away(text, source)
    return HintShown(text, given_away.recall if source else None, given_away.longest_quote)


def slider(level: str) -> Content:
    """All levels in a row, the chosen one marked; an empty level chooses none."""
    parts: list[Content | tuple[str, str]] = [("less ◂ ", DIM)]
    for at, name in enumerate(LEVELS):
        parts.append((" ─ ", DIM) if at else ("", ""))
        parts.append((f"[{name}]", SELECTED) if name == level else (name, ""))
    parts.append((" ▸ more of the text", DIM))
    return Content.assemble(*parts)


def facts(hint: HintShown | None, n_tokens: int | None) -> Content:
    """Size, give-away and quotation. n_tokens: of the hint's part of the prompt."""
    if hint is None:
        return Content("")
    size = f"{count(n_tokens, 'token')} in the prompt" if n_tokens is not None else f"{len(hint.text)} characters"
    gives = "" if hint.recall is None else f"   gives away {hint.recall:.0%} of the source's content words"
    quote = f"   longest run of its words {hint.longest_quote}" if hint.recall is not None else ""
    flag = f"   ! quotes {hint.longest_quote} words" if hint.longest_quote >= QUOTE and hint.recall is not None else ""
    return Content.assemble(size, gives, ("" if flag else quote), (flag, "bold $text-warning"))
