"""Pieces of a context where they stand in the text, and the text without them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.contexts.rendering import NO_MODEL, Content, render
from alignbench.errors import EngineError, InputError
from alignbench.ledger.ablation import ContextPart, PreparedContext, piece_passage
from alignbench.prompt_parts import Turn
from alignbench.spec import Context, Example, Examples, ExampleSet, Hint, Prompt
from tests.support.fakes import CAPABILITIES

PROMPT = Prompt("p", "Why?")
EXAMPLES = (Example("How?", "Thus.", "so"), Example("When?", "Soon."))
CONTEXT = Context(
    "plain",
    "all",
    instruction="Be kind.",
    examples=Examples(pool=ExampleSet(EXAMPLES)),
    hint=Hint("keywords", "because"),
)
SHOWN = PreparedContext("all", CONTEXT, {"p": Content(EXAMPLES, "because")}, frozenset({0}))
ORDER: tuple[ContextPart, ...] = ("instruction", "examples", "hint")


def test_pieces_and_the_text_between_them_are_the_whole_text() -> None:
    rendered = SHOWN.rendered(PROMPT, NO_MODEL)
    assert SHOWN.pieces == ORDER
    passages = [piece_passage(rendered, piece) for piece in ORDER]
    assert [passage.response if passage else "" for passage in passages] == [
        "# Instructions:\n\nBe kind.\n\n",
        "# Query:\n```\nHow?\n```\n\n# Keywords:\n```\nso\n```\n\n# Answer:\n```\nThus.\n```\n\n"
        "# Query:\n```\nWhen?\n```\n\n# Answer:\n```\nSoon.\n```\n\n",
        "# Keywords:\n```\nbecause\n```\n\n",
    ]
    for passage in passages:
        assert passage is not None
        assert rendered.text.startswith(passage.context + passage.query + passage.response)
    hint = passages[-1]
    assert hint is not None
    assert hint.context == rendered.context  # what prompts share is computed once for the hints too
    assert hint.query == "Why?\n```\n\n"


@pytest.mark.parametrize("piece", ORDER)
def test_without_a_piece_the_rest_stands_as_it_was(piece: ContextPart) -> None:
    shown = SHOWN.without(piece)
    assert shown.pieces == tuple(other for other in ORDER if other != piece)
    text = shown.rendered(PROMPT, NO_MODEL).text
    assert text.endswith("# Answer:\n```\n")
    assert ("Be kind." in text, "Thus." in text, "because" in text) == tuple(other != piece for other in ORDER)
    assert ("\nso\n" in text) == (piece == "instruction")  # an example shows its hint only where the query has one


def test_without_all_pieces_it_is_the_bare_prompt() -> None:
    bare = SHOWN.without("hint").without("instruction").without("examples")
    assert bare.rendered(PROMPT, NO_MODEL).text == "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"


def test_a_chat_layout_shows_the_text_of_a_piece_alone() -> None:
    context = Context("chat", instruction="Be kind.", hint=Hint("keywords", "because"))
    shown = PreparedContext("chat", context, {"p": Content((), "because")}, frozenset())
    rendered = shown.rendered(PROMPT, CAPABILITIES["aligned"])
    passages = [piece_passage(rendered, piece) for piece in shown.pieces]
    assert [passage.response if passage else "" for passage in passages] == ["Be kind.", "because"]
    assert piece_passage(rendered, "examples") is None


def test_a_server_that_renders_chats_itself_is_refused() -> None:
    server = replace(
        CAPABILITIES["aligned"], renders_chat=True, chat_template=None, description="a server", no_template="ask it"
    )
    with pytest.raises(EngineError, match=r"its server renders chats itself and does not say how \(ask it\)"):
        PreparedContext("chat", Context("chat"), {"p": Content()}, frozenset()).rendered(PROMPT, server)


def test_a_server_that_gives_its_template_is_read_as_a_local_model_is() -> None:
    local = CAPABILITIES["aligned"]
    shown = PreparedContext("chat", Context("chat", instruction="Be kind."), {"p": Content()}, frozenset())
    server = replace(local, renders_chat=True)
    assert shown.rendered(PROMPT, server).parts == shown.rendered(PROMPT, local).parts
    assert render(PROMPT, shown.context, server).messages  # which it is sampled with
    probed = replace(server, chat_probe="One. Two. Three? in another layout")
    with pytest.raises(InputError, match="is rendered otherwise there than here"):
        shown.rendered(PROMPT, probed)
    turns = (Turn("user", "One."), Turn("assistant", "Two."))
    theirs = render(Prompt("p", "Three?", earlier=turns), Context("chat"), local).text
    assert not shown.rendered(PROMPT, replace(server, chat_probe=theirs)).messages
