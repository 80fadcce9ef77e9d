"""Layouts, templates that came with weights, and templates of the user's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.contexts.rendering import Content, Part, render
from alignbench.engines.thoughts import ThoughtMarks
from alignbench.errors import InputError
from alignbench.spec import Context, Example, Examples, ExampleSet, Hint, Prefill, Prompt
from tests.support.fakes import CAPABILITIES

PLAIN, CHAT = Context(template="plain"), Context(template="chat")
BASE, ALIGNED = CAPABILITIES["base"], CAPABILITIES["aligned"]
WHY = Prompt.typed("Why?")
ITEMS = (Example("How?", "Thus.", "a way"), Example("Who?", "They."))
FIXED, EACH = Examples(ExampleSet(ITEMS)), Examples(ExampleSet(ITEMS), select="random", k=2)


def test_plain_is_the_zero_shot_fence_layout() -> None:
    rendered = render(Prompt.typed("  Why?\n"), PLAIN, BASE)
    assert rendered.text == "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"
    assert rendered.context == "# Query:\n```\n"
    assert rendered.stops == ("```",)


def test_plain_carries_instruction_examples_hint_query_and_prefill() -> None:
    context = Context(
        "plain",
        instruction=" Be kind. ",
        examples=FIXED,
        hint=Hint("summary", text=" sums it up "),
        prefill=Prefill(text=" Because"),
    )
    rendered = render(WHY, context, BASE)
    assert rendered.text == (
        "# Instructions:\n\nBe kind.\n\n"
        "# Query:\n```\nHow?\n```\n\n# Summary:\n```\na way\n```\n\n# Answer:\n```\nThus.\n```\n\n"
        "# Query:\n```\nWho?\n```\n\n# Answer:\n```\nThey.\n```\n\n"
        "# Query:\n```\nWhy?\n```\n\n# Summary:\n```\nsums it up\n```\n\n# Answer:\n```\nBecause"
    )
    assert rendered.query.startswith("Why?")
    kinds = [(part.kind, part.number) for part in rendered.parts]
    assert kinds == [
        ("instruction", 0), ("example", 1), ("example", 2), ("template", 0), ("query", 0), ("hint", 0),
        ("template", 0), ("prefill", 0),
    ]  # fmt: skip
    assert "".join(part.text for part in rendered.parts) == rendered.text


def test_hints_of_examples_stand_only_beside_a_hint_of_the_query() -> None:
    assert "a way" not in render(WHY, Context("plain", examples=FIXED), BASE).text


def test_where_thoughts_stand_is_told_by_the_context_else_by_the_layout() -> None:
    thinker = replace(ALIGNED, chat_template="{{ messages[0].content }}{# <think></think> #}")
    opened = replace(ALIGNED, chat_template="{{ messages[0].content }}<think>\n")
    server = replace(ALIGNED, chat_template=None, renders_chat=True)
    told = replace(CHAT, thinking_end="[/THINK]")
    for context, model, thoughts in (
        (PLAIN, BASE, None),
        (PLAIN, server, None),
        (CHAT, ALIGNED, None),
        (CHAT, thinker, ThoughtMarks(opened=False)),
        (CHAT, opened, ThoughtMarks()),
        (CHAT, server, ThoughtMarks(opened=False)),
        (told, server, ThoughtMarks("[/THINK]")),
        (told, ALIGNED, ThoughtMarks("[/THINK]")),
    ):
        assert render(WHY, context, model).thoughts == thoughts


def test_a_hint_that_the_model_writes_first_is_left_open_and_has_fences_of_its_own() -> None:
    rendered = render(WHY, Context("plain", hint=Hint("first")), BASE)
    assert rendered.text.endswith("Why?\n```\n\n# Summary:\n```\n")
    assert (rendered.stops, rendered.passes) == (("```",), 2)


@pytest.mark.parametrize("template", ["plain", "chat"])
def test_examples_of_one_prompt_alone_are_no_part_of_the_shared_context(template: str) -> None:
    model = BASE if template == "plain" else ALIGNED
    shared = render(WHY, Context(template, instruction="Be kind.", examples=FIXED), model)
    assert "They." in shared.context
    own = render(WHY, Context(template, instruction="Be kind.", examples=EACH), model)
    assert "Be kind." in own.context
    assert not any(word in own.context for word in ("How?", "Thus.", "They."))
    assert all(word in own.query for word in ("How?", "Thus.", "They.", "Why?"))


def test_chat_uses_the_models_own_template_and_splits_before_the_query() -> None:
    rendered = render(WHY, CHAT, ALIGNED)
    assert (rendered.context, rendered.query) == ("<|user|>", "Why?<|assistant|>")


def test_chat_carries_the_same_pieces_as_messages() -> None:
    context = Context(
        "chat", instruction="Be kind.", examples=FIXED, hint=Hint("keywords", text="a, b"), prefill=Prefill(text="So")
    )
    rendered = render(WHY, context, ALIGNED)
    assert rendered.text == (
        "<|system|>Be kind.<|user|>How?\n\nKeywords of the answer:\na way<|assistant|>Thus."
        "<|user|>Who?<|assistant|>They.<|user|>Why?\n\nKeywords of the answer:\na, b<|assistant|>So"
    )
    assert "".join(part.text for part in rendered.parts) == rendered.text
    assert [part.text for part in rendered.parts if part.kind == "hint"] == ["a, b"]


def test_a_server_that_applies_the_template_gets_messages() -> None:
    context = Context("chat", instruction="Be kind.", examples=FIXED)
    rendered = render(WHY, context, replace(ALIGNED, chat_template=None, renders_chat=True))
    assert rendered.messages[0] == ("system", "Be kind.")
    assert rendered.messages[-1] == ("user", "Why?")
    with pytest.raises(InputError, match="takes no prefill"):
        render(WHY, Context("chat", prefill=Prefill(text="So")), replace(ALIGNED, renders_chat=True))


def test_arguments_reach_the_chat_template() -> None:
    model = replace(ALIGNED, chat_template="{{ 'thinking' if enable_thinking }}{{ messages[0].content }}")
    assert render(WHY, Context("chat", arguments='{"enable_thinking": true}'), model).text == "thinkingWhy?"
    assert render(WHY, CHAT, model).text == "Why?"


def test_chat_needs_a_template() -> None:
    with pytest.raises(InputError, match="no chat template"):
        render(WHY, CHAT, BASE)


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        render(Prompt.typed(" \n"), PLAIN, BASE)


def test_what_has_to_be_prepared_is_said() -> None:
    hinted = Context("plain", name="hinted", hint=Hint("summary", condition="demo-smollm2"))
    with pytest.raises(InputError, match="hint of hinted is made from a sample of 'demo-smollm2'"):
        render(WHY, hinted, BASE)
    assert "found" in render(WHY, hinted, BASE, Content(hint="found")).text
    nearest = Context("plain", examples=Examples(ExampleSet(ITEMS), select="nearest-prompt", k=1))
    with pytest.raises(InputError, match="needs embeddings"):
        render(WHY, nearest, BASE)


def test_a_template_of_the_users_own_gets_every_piece_and_keeps_its_last_line_end() -> None:
    source = "{{ instruction }}\n{% for e in examples %}Q {{ e.prompt }} H {{ e.hint }} A {{ e.response }}\n"
    source += "{% endfor %}Q {{ query }} {{ heading }} {{ hint }} A\n"
    context = Context("mine.jinja", source=source, instruction="I", examples=FIXED, hint=Hint("free", text="h"))
    rendered = render(WHY, replace(context, stops=("\n",)), BASE)
    assert rendered.text == "I\nQ How? H a way A Thus.\nQ Who? H  A They.\nQ Why? Hint h A\n"
    assert rendered.context.endswith("They.\nQ ")
    assert rendered.stops == ("\n",)
    assert Part("query", "Why?") in rendered.parts


HOSTILE = [
    ("{{ messages.__class__.__mro__ }}", "unsafe|undefined"),
    ("{{ messages.append(1) }}", "unsafe"),
    ("{% for x in %}", "line 1: Expected an expression"),
    ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "calls itself too often"),
    ("{{ 'a' * 10 ** 10 }}", "needed more than 1024 MiB"),
    ("{% for a in range(90000) %}{{ 'a' * 1000 }}{% endfor %}", "wrote more than 8,000,000 characters"),
]
ENDLESS = [
    (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}"
        "{% endfor %}{% endfor %}",
        "ran for more than 2 seconds",
    ),
    ("{{ 9 ** (9 ** 9) }}", "ran for more than 2 seconds"),
]


@pytest.mark.parametrize(("source", "message"), [*HOSTILE, ("{{ raise_exception('roles must alternate') }}", "roles")])
def test_a_bad_or_hostile_chat_template_is_one_clear_error(source: str, message: str) -> None:
    with pytest.raises(InputError, match=f"chat template of fake aligned failed: .*(?:{message})"):
        render(WHY, CHAT, replace(ALIGNED, chat_template=source))
    assert render(WHY, CHAT, ALIGNED).text == "<|user|>Why?<|assistant|>"  # nothing is lost


@pytest.mark.parametrize(
    ("source", "message"),
    [*HOSTILE, *ENDLESS, ("{{ querry }}", "'querry' is undefined"), ("{{ examples[0].anser }}", "anser")],
)
def test_a_bad_or_hostile_file_is_one_clear_error(source: str, message: str) -> None:
    with pytest.raises(InputError, match=f"template mine.jinja failed: .*(?:{message})"):
        render(WHY, Context("mine.jinja", source=source, examples=FIXED), BASE)
