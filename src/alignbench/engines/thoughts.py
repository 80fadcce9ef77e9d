"""Thoughts and answer apart, where a model writes both into one text."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from alignbench.engines.protocol import SampleResult, TokenStats

THINK, THINK_END = "<think>", "</think>"  # as nearly all models that think write them


@dataclass(frozen=True, slots=True)
class ThoughtMarks:
    """How thoughts stand in a response.

    Attributes:
        end: what stands between them and the answer
        opened: whether a response begins inside of them; else they are only where it opens them itself
    """

    end: str = THINK_END
    opened: bool = True

    @property
    def opening(self) -> str:
        """What stands before thoughts that a response opens itself, as `end` tells; empty where it does not."""
        return self.end.replace("/", "", 1) if "/" in self.end else ""


def parted(text: str, marks: ThoughtMarks, *, complete: bool) -> tuple[str | None, str]:
    """The thoughts, None where there are none, and the answer.

    complete: whether the text ended by itself, or broke off who knows where. Without the end mark it is an answer then,
    unless it has opened its thoughts; a text that was cut before the mark is thoughts alone.
    """
    before, mark, after = text.partition(marks.end)
    opens = bool(marks.opening) and before.lstrip().startswith(marks.opening)
    if not opens and (not marks.opened or (complete and not mark)):
        return None, text
    thoughts = before.lstrip().removeprefix(marks.opening) if opens else before
    return thoughts.strip() or None, after.strip()


def answer_alone(result: SampleResult, marks: ThoughtMarks | None) -> SampleResult:
    """A result whose text, tokens and log-probs are those of the answer; one that has its thoughts apart as it is."""
    if marks is None or result.thinking is not None:
        return result
    thinking, answer = parted(result.text, marks, complete=result.finish_reason in ("stop", "error"))
    if answer == result.text:
        return replace(result, n_thinking_tokens=None)
    n = result.n_thinking_tokens if marks.end in result.text else result.n_tokens
    if n is not None and result.n_tokens is not None and n > result.n_tokens:
        n = None  # a server's counts may contradict each other
    result = replace(result, text=answer, thinking=thinking, n_thinking_tokens=n)
    if n is None or result.n_tokens is None:
        return replace(
            result, n_tokens=None, logprob=float("nan"), tokens=_after(result.tokens, len(result.tokens.ids))
        )
    tokens = _after(result.tokens, n)
    logprob = float(tokens.logprob.sum(dtype=np.float64)) if len(tokens.ids) else float("nan")
    return replace(result, n_tokens=result.n_tokens - n, logprob=logprob, tokens=tokens)


def _after(tokens: TokenStats, n: int) -> TokenStats:
    return TokenStats(*(getattr(tokens, field.name)[n:] for field in fields(TokenStats)))
