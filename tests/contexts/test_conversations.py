"""Prompts after earlier messages: how each layout writes them, and which cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.contexts.rendering import Content, render
from alignbench.errors import InputError
from alignbench.prompt_parts import Turn
from alignbench.spec import Context, Example, Examples, ExampleSet, Hint, Prompt
from tests.support.fakes import CAPABILITIES

BASE, ALIGNED = CAPABILITIES["base"], CAPABILITIES["aligned"]
EARLIER = (Turn("system", "Be brief."), Turn("user", "Hello."), Turn("assistant", "Good day."))
TALK = Prompt.typed("Why?", EARLIER)
SHOWN = Examples(ExampleSet((Example("How?", "Thus."),)))


def test_plain_has_earlier_turns_as_blocks_and_the_system_message_as_the_instruction() -> None:
    rendered = render(TALK, Context("plain", examples=SHOWN), BASE)
    assert rendered.text == (
        "# Instructions:\n\nBe brief.\n\n"
        "# Query:\n```\nHow?\n```\n\n# Answer:\n```\nThus.\n```\n\n"
        "# Query:\n```\nHello.\n```\n\n# Answer:\n```\nGood day.\n```\n\n"
        "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"
    )
    assert rendered.query.startswith("Hello.")  # what is the prompt's own is no part of what prompts share
    assert "".join(part.text for part in rendered.parts) == rendered.text
    assert [part.number for part in rendered.parts if part.kind == "turn"] == [1, 2]
    other = render(Prompt.typed("What?", (EARLIER[0], Turn("user", "Bye."), EARLIER[2])), Context("plain"), BASE)
    assert other.context == render(TALK, Context("plain"), BASE).context


def test_a_system_message_stands_below_the_instruction_of_the_context() -> None:
    text = render(TALK, Context("plain", instruction="Answer in full."), BASE).text
    assert text.startswith("# Instructions:\n\nAnswer in full.\n\nBe brief.\n\n# Query:")
    chat = render(TALK, Context("chat", instruction="Answer in full."), ALIGNED).text
    assert chat.startswith("<|system|>Answer in full.\n\nBe brief.<|user|>Hello.")


def test_the_chat_template_gets_the_messages_after_examples_and_the_hint_below_the_last() -> None:
    context = Context("chat", examples=SHOWN, hint=Hint("summary", text="It sums up."))
    rendered = render(TALK, context, ALIGNED, Content((Example("How?", "Thus."),), "It sums up."))
    assert rendered.text == (
        "<|system|>Be brief.<|user|>How?<|assistant|>Thus.<|user|>Hello.<|assistant|>Good day."
        "<|user|>Why?\n\nSummary of the answer:\nIt sums up.<|assistant|>"
    )
    assert rendered.context.endswith("Thus.<|user|>")
    assert [(part.kind, part.text) for part in rendered.parts if part.kind in ("instruction", "turn")] == [
        ("instruction", "Be brief."),
        ("turn", "Hello."),
        ("turn", "Good day."),
    ]


def test_a_server_that_renders_chats_gets_messages() -> None:
    server = replace(ALIGNED, chat_template=None, renders_chat=True)
    rendered = render(TALK, Context("chat"), server)
    assert rendered.messages == (*((turn.role, turn.content) for turn in EARLIER), ("user", "Why?"))
    assert "Good day." in rendered.text  # what is kept of the cell
    alone = render(Prompt.typed("Why?"), Context("chat"), server)
    assert (alone.messages, alone.text) == ((("user", "Why?"),), "Why?")


def test_a_template_of_ones_own_may_use_the_messages() -> None:
    source = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "
    text = render(TALK, Context("talk.jinja", source=source), BASE).text
    assert text == "system: Be brief.\nuser: Hello.\nassistant: Good day.\nuser: Why?\nassistant: "


NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ m.content }}{% endfor %}"
)
DROPS_SYSTEM = "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}"


@pytest.mark.parametrize(
    ("context", "template", "said"),
    [
        (Context("chat"), NO_SYSTEM, "The chat template of fake aligned failed: System role not supported"),
        (Context("chat"), DROPS_SYSTEM, "The chat template of fake aligned leaves out a message of the system"),
        (
            Context("own.jinja", source="{{ instruction }} {{ query }}"),
            None,
            "The template own.jinja leaves out a message of the user before the prompt; expected a template that uses "
            "`messages`.",
        ),
    ],
)
def test_what_a_layout_cannot_carry_is_refused(context: Context, template: str | None, said: str) -> None:
    with pytest.raises(InputError) as refused:
        render(TALK, context, replace(ALIGNED, chat_template=template))
    assert said in str(refused.value)
