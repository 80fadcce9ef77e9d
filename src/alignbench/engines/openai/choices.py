"""What a choice of a server's answer holds."""

from __future__ import annotations

from collections.abc import Iterator


def token_logprobs(logprobs: object) -> Iterator[tuple[int, float]]:
    """(token id or -1, log-prob) of a choice's tokens, in the form of chat or of completions."""
    if not isinstance(logprobs, dict):
        return
    if isinstance(content := logprobs.get("content"), list):
        for item in content:
            token = item.get("id", -1)
            yield token if isinstance(token, int) else -1, _number(item.get("logprob"))
    elif isinstance(values := logprobs.get("token_logprobs"), list):
        yield from ((-1, _number(value)) for value in values)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")
