"""Zero-shot layouts, and templates that came with weights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.contexts.rendering import render
from alignbench.errors import InputError
from alignbench.spec import Context, Prompt
from tests.fakes import CAPABILITIES

PLAIN, CHAT = Context(template="plain"), Context(template="chat")


def test_plain_is_the_zero_shot_fence_layout() -> None:
    rendered = render(Prompt.typed("  Why?\n"), PLAIN, CAPABILITIES["base"])
    assert rendered.text == "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"
    assert rendered.context == "# Query:\n```\n"
    assert rendered.stops == ("```",)


def test_chat_uses_the_models_own_template_and_splits_before_the_query() -> None:
    rendered = render(Prompt.typed("Why?"), CHAT, CAPABILITIES["aligned"])
    assert (rendered.context, rendered.query) == ("<|user|>", "Why?<|assistant|>")


def test_chat_needs_a_template() -> None:
    with pytest.raises(InputError, match="no chat template"):
        render(Prompt.typed("Why?"), CHAT, CAPABILITIES["base"])


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        render(Prompt.typed(" \n"), PLAIN, CAPABILITIES["base"])


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.__class__.__mro__ }}",
        "{{ raise_exception('roles must alternate') }}",
        "{% for x in %}",
        "{{ messages.append(1) }}",
    ],
)
def test_a_bad_or_hostile_template_is_one_clear_error(source: str) -> None:
    with pytest.raises(InputError, match="chat template of fake aligned failed"):
        render(Prompt.typed("Why?"), CHAT, replace(CAPABILITIES["aligned"], chat_template=source))
