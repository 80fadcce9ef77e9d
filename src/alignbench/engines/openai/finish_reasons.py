"""How a response ended, from the words that servers have for it. Only what is known to be an end is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_STOP = frozenset((
    "stop", "stopped", "eos", "eos_token", "eos_id", "end_turn", "end_of_turn", "end_of_text", "end_of_sequence",
    "endoftext", "stop_sequence", "stop_string", "stop_str", "stop_token", "stop_token_id", "stop_word",
    "stop_words", "end", "complete", "completed", "finish", "finished", "done", "normal", "success",
))  # fmt: skip
_LENGTH = frozenset((
    "length", "max_length", "max_tokens", "max_token", "max_new_tokens", "max_output_tokens",
    "max_completion_tokens", "max_tokens_reached", "max_generation_length", "token_limit", "length_limit",
    "length_capped", "model_length", "context_length", "context_length_exceeded", "context_window_exceeded",
    "model_context_window_exceeded", "context_limit",
))  # fmt: skip
_OPEN = frozenset(("", "null", "none", "unspecified", "not_finished", "unfinished", "in_progress"))
_BROKEN = frozenset((
    "abort", "aborted", "cancel", "cancelled", "canceled", "error", "errored", "failed", "failure",
    "server_error", "internal_error", "engine_error", "timeout", "time_limit", "time_out", "interrupted",
    "insufficient_system_resource", "overloaded",
))  # fmt: skip
_FILTER = frozenset((
    "content_filter", "content_filtered", "content_filtering", "filtered", "safety", "image_safety", "recitation",
    "blocklist", "prohibited_content", "spii", "sensitive", "moderation", "guardrail_intervened", "guardrails",
))  # fmt: skip
_TOOL = frozenset((
    "tool_calls", "tool_call", "tool_use", "function_call", "function_calls", "function",
    "malformed_function_call",
))  # fmt: skip

CALLED_A_TOOL = "tool_calls"
REFUSED = "refusal"  # a word of its own: it is the end of a refusal, and cuts anything else off


@dataclass(frozen=True, slots=True)
class Ending:
    """reason: None where the response failed. why: then what is said of it. retry: another try may help."""

    reason: Literal["stop", "length"] | None
    why: str = ""
    retry: bool = False


def ending_of(word: str) -> Ending | None:
    """What a `finish_reason` means; None where the response goes on."""
    name = word.strip().lower().replace("-", "_").replace(" ", "_").rpartition(".")[2]
    name = name.removeprefix("finish_reason_").removeprefix("finishreason_")
    said = f"(finish_reason {word[:60]!r})"
    if name in _OPEN:
        return None
    if name in _STOP:
        return Ending("stop")
    if name in _LENGTH:
        return Ending("length")
    if name in _BROKEN:
        return Ending(None, f"The server broke the response off {said}.", retry=True)
    if name in _FILTER or name == REFUSED:
        return Ending(None, f"The server's content filter cut the response {said}.")
    if name in _TOOL:
        return Ending(None, f"The model called a tool in place of an answer {said}; no tools were offered to it.")
    return Ending(None, f"The server ended the response in a way that is not known here {said}.")
