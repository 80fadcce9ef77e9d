"""Contexts and example sets in files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignbench.contexts.example_files import (
    read_examples,
    shipped_example_set,
    shipped_example_sets,
    write_examples,
)
from alignbench.contexts.files import load_context, shipped_contexts
from alignbench.contexts.hints import example_hint, hint_template
from alignbench.errors import InputError
from alignbench.prompts import load_prompts, shipped_sets
from alignbench.spec import Context, EmbedderPrompt, Example, Examples, ExampleSet, Hint, Prefill

SET = ExampleSet((Example("Why?", "So."), Example("How?", "Thus.", "a hint")))


class Shelf:
    """A database with one set and one session."""

    def named(self, name: str) -> ExampleSet | None:
        return SET if name == "mine" else None

    def of_session(self, session: str | int, condition: str, sample: int) -> ExampleSet:
        assert (session, condition, sample) == (3, "demo-smollm2", 1)
        return SET


def context(tmp_path: Path, text: str) -> Context:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    return load_context(str(path), Shelf())


def test_every_key(tmp_path: Path) -> None:
    (tmp_path / "i.txt").write_text("\nBe kind.\n", encoding="utf-8")
    (tmp_path / "t.jinja").write_text("{{ query }}\n", encoding="utf-8")
    (tmp_path / "h.txt").write_text("Sum up {response}", encoding="utf-8")
    (tmp_path / "embedder").mkdir()
    text = """
        name = "all of it"
        template = "t.jinja"
        instruction = { file = "i.txt" }
        stop = ["###"]
        arguments = { enable_thinking = false, date = "1 May" }
        overflow = "refuse"
        thinking_end = "</think>"
        [examples]
        set = { session = 3, condition = "demo-smollm2" }
        select = "nearest-response"
        k = 2
        seed = 7
        sample = 1
        order = "similar-last"
        mmr = 0.5
        near_duplicate = 0.9
        teacher = "other"
        embedder = "embedder"
        [hint]
        level = "free"
        template = { file = "h.txt" }
        maker = "demo-base"
        source = { condition = "demo-smollm2", sample = 2 }
        [prefill]
        source = { condition = "demo-smollm2" }
        tokens = 4
    """
    assert context(tmp_path, text) == Context(
        template="t.jinja",
        name="all of it",
        instruction="Be kind.",
        examples=Examples(
            SET, "", "nearest-response", 2, 7, "similar-last", "prompt", 0.5, 0.9, "other", 1,
            str((tmp_path / "embedder").resolve()),
        ),
        hint=Hint("free", "", "demo-smollm2", 2, "demo-base", "Sum up {response}"),
        prefill=Prefill("", "demo-smollm2", 0, 4),
        source="{{ query }}\n",
        stops=("###",),
        arguments='{"date": "1 May", "enable_thinking": false}',
        overflow="refuse",
        thinking_end="</think>",
    )  # fmt: skip


def test_little_is_needed(tmp_path: Path) -> None:
    assert context(tmp_path, 'template = "plain"') == Context("plain", "c")
    text = 'template = "plain"\n[[examples.items]]\nprompt = " Why?"\nresponse = "So."\n'
    assert context(tmp_path, text).examples == Examples(ExampleSet(SET.items[:1]))
    text = 'template = "plain"\n[hint]\nlevel = "summary"\nsource = { condition = "t" }\n'
    assert context(tmp_path, text).hint == Hint("summary", "", "t", 0, "t", hint_template("summary"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"query: "', EmbedderPrompt("query: ", "query: ")),
        ('{ query = "q: " }', EmbedderPrompt("q: ", "")),
        ('{ query = "q: ", document = "d: " }', EmbedderPrompt("q: ", "d: ")),
        ('""', EmbedderPrompt()),  # nothing, on purpose
    ],
)
def test_what_stands_before_the_texts_that_are_embedded(tmp_path: Path, written: str, expected: EmbedderPrompt) -> None:
    examples = 'template = "plain"\n[examples]\nset = "short"\nselect = "nearest-prompt"\nk = 2\n'
    read = context(tmp_path, f"{examples}embedder_prompt = {written}")
    assert read.examples is not None
    assert read.examples.embedder_prompt == expected
    assert Context.from_json(read.to_json(), lambda _: read.examples.pool) == read  # type: ignore[union-attr]
    assert read.hash != context(tmp_path, examples).hash


def test_hints_of_examples_are_made_as_the_querys_is(tmp_path: Path) -> None:
    examples = '[examples]\nset = { condition = "t" }\nselect = "random"\nk = 2\nsample = 1\nhints = true\n'
    hint = '[hint]\nlevel = "topics"\nsource = { condition = "u" }\nmaker = "m"\n'
    read = context(tmp_path, f'template = "plain"\n{examples}{hint}')
    assert example_hint(read) == Hint("topics", "", "t", 1, "m", hint_template("topics"))
    assert read.examples is not None
    assert read.to_json()["examples"]["hints"] is True
    assert Context.from_json(read.to_json(), lambda _: ExampleSet()) == read
    assert read.hash != replace(read, examples=replace(read.examples, hints=False)).hash

    first = context(tmp_path, f'template = "plain"\n{examples}[hint]\nlevel = "first"\n')
    assert example_hint(first) == Hint("summary", "", "t", 1, "t", hint_template("summary"))
    without = context(tmp_path, 'template = "plain"\n' + examples.replace("hints = true\n", "") + hint)
    assert example_hint(without) is None
    assert "hints" not in without.to_json()["examples"]  # so that hashes of before are what they were


@pytest.mark.parametrize("reference", ["s.jsonl", "s.csv", "mine"])
def test_a_set_by_file_and_by_name(tmp_path: Path, reference: str) -> None:
    (tmp_path / "s.jsonl").write_text(write_examples(SET), encoding="utf-8")
    (tmp_path / "s.csv").write_text("Prompt,response,hint\nWhy?,So.,\nHow?,Thus.,a hint\n", encoding="utf-8")
    examples = context(tmp_path, f'template = "plain"\n[examples]\nset = "{reference}"').examples
    assert examples is not None
    assert examples.pool == SET


BAD: list[tuple[str, str]] = [
    ("template = plain\n", r"c.toml: not TOML: .*line 1"),
    ("", "field template: ''; expected plain, chat or a .jinja file."),
    ('template = "plan"', r"expected plain, chat or a .jinja file. Did you mean plain\?"),
    ('template = "no.jinja"', "There is no file .*no.jinja"),
    ('template = "plain"\nintruction = "x"', r"field intruction: unknown. Did you mean instruction\?"),
    ('template = "plain"\ninstruction = 3', "field instruction: 3; expected a text or"),
    ('template = "plain"\ninstruction = { file = "no.txt" }', "There is no file"),
    ('template = "plain"\noverflow = "cut"', "field overflow: 'cut'; expected one of drop, refuse"),
    ('template = "plain"\nexamples = 3', "field examples: 3; expected a table"),
    ('template = "plain"\n[examples]', r"field examples.set: expected either set or \[\[examples.items\]\]"),
    ('template = "plain"\n[examples]\nset = "shrt"', "field examples.set: 'shrt'; expected the name .* mean short"),
    ('template = "plain"\n[examples]\nset = {session = 1}', "field examples.set.condition: missing"),
    ('template = "plain"\n[examples]\nset = "short"\nselect = "randm"', r"examples.select: .* Did you mean random\?"),
    ('template = "plain"\n[examples]\nset = "short"\nselect = "random"', "field examples.k: missing"),
    ('template = "plain"\n[examples]\nset = "short"\nk = 9', "field examples.k: 9, but short has 6 examples"),
    ('template = "plain"\n[examples]\nset = "short"\nk = 0', "field examples.k: 0; expected 1 to 10,000"),
    ('template = "plain"\n[examples]\nset = "short"\nmmr = 0.5', "examples.mmr: expected only with select = nearest"),
    ('template = "plain"\n[examples]\nset = "short"\norder = "similar-last"', "examples.order: expected only with"),
    ('template = "plain"\n[[examples.items]]\nprompt = "a"\nresponse = " "', "examples.items 1, field 'response': emp"),
    ('template = "plain"\n[[examples.items]]\nprompt = "a"', "examples.items 1, field 'response': missing"),
    ('template = "plain"\n[[examples.items]]\nprompt = "a"\nanswer = "b"', "examples.items 1, field 'answer': unknown"),
    ('template = "plain"\n[hint]\ntext = "x"', "field hint.level: missing"),
    ('template = "plain"\n[hint]\nlevel = "sumary"', r"field hint.level: 'sumary'; .* Did you mean summary\?"),
    ('template = "plain"\n[hint]\nlevel = "summary"', "hint: expected either text or source"),
    ('template = "plain"\n[hint]\nlevel = "first"\ntext = "x"', "level first takes no key but maker"),
    ('template = "plain"\n[hint]\nlevel = "first"\nmaker = "m"', "field hint.maker: 'm'; expected none"),
    ('template = "plain"\n[hint]\nlevel = "topics"\ntext = "a"\nmaker = "m"', "field hint.maker: 'm'; expected none"),
    ('template = "plain"\n[examples]\nset = "short"\nembedder_prompt = "q"', "embedder_prompt: expected only with"),
    (
        'template = "plain"\n[examples]\nset = "short"\nk = 1\nselect = "nearest-format"\nembedder_prompt = "q"',
        "embedder_prompt: expected only with select = nearest-prompt or nearest-response",
    ),
    (
        'template = "plain"\n[examples]\nset = "short"\nk = 1\nselect = "nearest-prompt"\nembedder_prompt = 3',
        "field examples.embedder_prompt: 3; expected a text or",
    ),
    (
        'template="plain"\n[examples]\nset="short"\nk = 1\nselect = "nearest-prompt"\nembedder_prompt = {qery = ""}',
        "field examples.embedder_prompt.qery: unknown. Did you mean query",
    ),
    ('template = "plain"\n[examples]\nset = "short"\nhints = "yes"', "field examples.hints: 'yes'; expected true or"),
    ('template = "plain"\n[examples]\nset = "short"\nhints = true', "field examples.hints: True; expected false, or a"),
    (
        'template = "plain"\n[examples]\nset = "short"\nhints = true\n[hint]\nlevel = "first"',
        "field hint.maker: missing; expected who makes the hints",
    ),
    ('template = "plain"\n[hint]\nlevel = "free"\nsource = {condition = "t"}', "field hint.template: missing"),
    ('template = "plain"\n[hint]\nlevel = "topics"\nsource = {sample = 1}', "field hint.source.condition: missing"),
    ('template = "plain"\n[prefill]\nsource = {condition = "t"}', "prefill: expected either text, or source and"),
    ('template = "chat"\narguments = {messages = []}', r"field arguments.messages: \[\]; expected another name"),
    ('template = "chat"\narguments = {a = 2020-01-01}', "field arguments: .*; expected a table of texts, numbers"),
]


def test_arguments_keep_their_order_within_a_variable(tmp_path: Path) -> None:
    """A template may write a variable as JSON; of variables the order is nothing."""
    text = 'template = "chat"\n[arguments]\nb = {type = "function", name = "f", a = 1}\na = 1\n'
    (tmp_path / "c.toml").write_text(text)
    arguments = load_context(str(tmp_path / "c.toml")).arguments
    assert arguments == '{"a": 1, "b": {"type": "function", "name": "f", "a": 1}}'


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_wrong_is_named_with_its_field(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        context(tmp_path, text)


def test_an_unknown_context_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no context or file 'sumary'. Did you mean summary"):
        load_context("sumary")


def test_a_session_needs_a_database(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('template = "plain"\n[examples]\nset = {session = 1, condition = "a"}', encoding="utf-8")
    with pytest.raises(InputError, match="no database is in use"):
        load_context(str(path))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.jsonl", '{"prompt": "a", "response": "b"}\nnope', "line 2: not JSON"),
        ("s.jsonl", '{"prompt": "a"}', "line 1, field 'response': missing"),
        ("s.jsonl", '{"prompt": "a", "response": " "}', "line 1, field 'response': empty; expected a text"),
        ("s.jsonl", "[]", "is one JSON list; expected JSON Lines"),
        ("s.jsonl", "\n", "holds no examples"),
        ("s.csv", "prompt,answer\na,b\n", "line 1: columns prompt, answer; expected one called response"),
        ("s.csv", 'prompt,response\n"a\nb",c\nd\n', "line 4: 1 fields; expected 2 as in the header"),
        ("s.txt", "# Query:\n```\na\n", "line 2: the fence"),
        ("s.doc", "", "unknown kind of file '.doc'"),
    ],
)
def test_a_broken_example_file_is_named_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_examples(path)


def test_what_ships_is_sound() -> None:
    styles = ["conversational", "short", "structured"]
    assert shipped_example_sets() == [*styles, "tuning", "tuning-held-out"]
    sets: list[Any] = [shipped_example_set(name) for name in styles]
    asked = {prompt.text for name in shipped_sets() for prompt in load_prompts(name)}
    for examples in sets:
        assert 5 <= len(examples.items) <= 8
        assert [item.prompt for item in examples.items] == [item.prompt for item in sets[0].items]
        assert all(item.hint for item in examples.items)
        assert not asked & {item.prompt for item in examples.items}
    contexts = {name: load_context(name) for name in shipped_contexts()}
    assert contexts["zero-shot"].zero_shot
    assert len({context.hash for context in contexts.values()}) == len(contexts)
