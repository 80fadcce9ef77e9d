"""Prompts in URIAL's layout, read and written again byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.contexts.rendering import Content, render
from alignbench.contexts.urial import parse_urial
from alignbench.errors import InputError
from alignbench.spec import Context, Example, Examples, ExampleSet, Hint, Prompt
from tests.support.fakes import CAPABILITIES

OVERTON = Path(__file__).parents[3] / "shared" / "data" / "overton" / "LIMA-OE" / "outputs"
BASE = CAPABILITIES["base"]

CODE = """Use a list comprehension:

```python
squares = [n * n for n in range(10)]
```

It reads from left to right:

```
0, 1, 4, ...
```"""


def written_again(text: str) -> str:
    """The same prompt, rendered from what was read from it."""
    read = parse_urial(text, "prompt")
    context = Context("plain", instruction=read.instruction, examples=_all_of(read.examples))
    return render(Prompt.typed(read.query), context, BASE).text


def _all_of(items: tuple[Example, ...]) -> Examples | None:
    return Examples(ExampleSet(items)) if items else None


@pytest.mark.skipif(not OVERTON.is_dir(), reason="the paper's released prompts are not beside this checkout")
@pytest.mark.parametrize(("condition", "n_examples"), [("llama-2-icl-chat-rand", 3), ("llama-2-base", 0)])
def test_the_papers_prompts_are_rebuilt_byte_for_byte(condition: str, n_examples: int) -> None:
    rows = (OVERTON / condition / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    prompts = [json.loads(row)["prompt"] for row in rows]
    assert len(prompts) == 50
    for prompt in prompts:
        assert len(parse_urial(prompt, condition).examples) == n_examples
        assert written_again(prompt).encode() == prompt.encode()


@pytest.mark.skipif(not OVERTON.is_dir(), reason="the paper's released prompts are not beside this checkout")
@pytest.mark.parametrize("condition", ["llama-2-icl-chat-summary", "llama-2-icl-chat-summary-cot"])
def test_the_papers_hinted_prompts_are_rebuilt_byte_for_byte(condition: str) -> None:
    rows = (OVERTON / condition / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    for row in rows:
        prompt = json.loads(row)["prompt"]
        read = parse_urial(prompt, condition)
        hint = Hint("summary", text=read.hint) if read.hint else Hint("first")
        context = Context("plain", instruction=read.instruction, examples=_all_of(read.examples), hint=hint)
        assert render(Prompt.typed(read.query), context, BASE).text == prompt


def test_code_fences_inside_an_answer_belong_to_it() -> None:
    examples = (Example("How do I square numbers in Python?", CODE), Example("And now?", "```\nrest"))
    context = Context("plain", instruction="Answer well.", examples=Examples(ExampleSet(examples)))
    text = render(Prompt.typed("Why?"), context, BASE).text
    read = parse_urial(text, "prompt")
    assert read.examples == examples
    assert (read.instruction, read.query) == ("Answer well.", "Why?")
    assert written_again(text) == text


_TEXTS = st.text(st.sampled_from("ab `\n#:"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.builds(Example, _TEXTS, _TEXTS), max_size=3), _TEXTS)
def test_any_text_without_a_heading_of_its_own_comes_back(examples: list[Example], query: str) -> None:
    context = Context("plain", examples=_all_of(tuple(examples)))
    text = render(Prompt.typed(query), context, BASE, Content(tuple(examples))).text
    read = parse_urial(text, "prompt")
    assert list(read.examples) == examples
    assert read.query == query


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Query:\n```\nWhy?\n\n# Answer:\n```\nBecause.\n```\n", 'f.txt, line 2: the fence below "# Query:" is'),
        ("# Query:\n```\nWhy?\n```\n\n# Answer:\n```\nBecause.\n", 'f.txt, line 7: the fence below "# Answer:" is'),
        ("# Query:\n```\nA\n```\n\n# Query:\n```\nB\n```\n", 'f.txt, line 6: "# Query:"; expected "# Summary:" or'),
        ("# Query:\n```\nA\n```\n", 'f.txt, line 1: no "# Answer:" follows'),
        ("# Query:\n```\nA\n```\n\n# Answer:\n```\n```\n", "f.txt, line 6: The response of an example is empty"),
        ("# Answer:\n```\nA\n```\n", 'f.txt, line 1: "# Answer:"; expected "# Query:"'),
        ("Hello.\n\n# Query:\n```\nA\n```\n", 'f.txt, line 1: expected "# Instructions:"'),
        ("nothing here", 'f.txt: no "# Query:"'),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        parse_urial(text, "f.txt")


def test_blank_lines_between_blocks_do_not_count() -> None:
    text = "# Query:\n```\nWhy? \n```\n \n# Answer:\n```\nSo.\n\n```\n\n\n"
    text += "# Query:\n```\nHow?\n```\n \n# Answer:\n```\nThus.\n```"
    assert parse_urial(text, "f.txt").examples == (Example("Why?", "So."), Example("How?", "Thus."))


def test_a_file_with_windows_line_ends_and_without_a_query() -> None:
    text = "# Instruction\n\nBe kind.\n\n# Query:\n```\nWhy?\n```\n\n# Answer:\n```\nSo.\n```\n"
    read = parse_urial(text.replace("\n", "\r\n"), "f.txt")
    assert (read.instruction, read.examples, read.query) == ("Be kind.", (Example("Why?", "So."),), "")
