"""Templates of a user's own: what they may be, and what their judgments come to."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from alignbench import paths
from alignbench.errors import InputError
from alignbench.judging.plan import plan_judging
from alignbench.judging.replies import read_reply
from alignbench.judging.rubrics import columns_of_values, keep_columns, kept_columns, read_rubric, rubric_columns
from alignbench.judging.summary import judged_tables, judgments_of, summarize
from alignbench.judging.templates import JudgeTemplate, judge_template
from alignbench.metrics.intervals import UNBOUNDED
from alignbench.metrics.statistics import Uncertainty
from alignbench.spec import content_hash
from alignbench.store import Judgment, Store
from tests.support.judged import fill
from tests.support.samples import ALIGNED

FIELDS = {
    "why": {"type": "string"},
    "grade": {"enum": [1, 2, 3, "N/A"]},
    "share": {"type": "number", "minimum": 0, "maximum": 1},
    "count": {"type": "integer"},
    "plain": {"type": "boolean"},
    "tone": {"enum": ["warm", "cold"]},
}


def written(path: Path, fields: object = FIELDS, prompt: str = "Rate {{ response }}", more: str = "") -> Path:
    schema = json.dumps({"type": "object", "properties": fields})
    path.write_text(f"{more}\nschema = '''{schema}'''\nprompt = '''{prompt}'''\n")
    return path


@pytest.fixture
def rubric(tmp_path: Path) -> JudgeTemplate:
    return read_rubric(written(tmp_path / "mine.toml"))


def test_the_schema_tells_what_is_summarized(rubric: JudgeTemplate) -> None:
    assert (rubric.kind, rubric.of, rubric.max_tokens) == ("mine", "response", 400)
    assert rubric_columns(rubric) == {
        "grade": (1, 3), "share": (0, 1), "count": UNBOUNDED, "plain": (0, 1), "tone=warm": (0, 1), "tone=cold": (0, 1),
    }  # fmt: skip
    assert rubric.ask("Why?", ["{{ x }}"]) == "Rate {{ x }}"
    assert json.loads(rubric.schema)["required"] == [*FIELDS]


def test_the_templates_that_ship_keep_their_hashes_and_any_change_of_ones_own_is_another(tmp_path: Path) -> None:
    shipped = judge_template("stance")
    assert shipped.hash == content_hash({k: v for k, v in asdict(shipped).items() if k != "of"})
    prompts = ("A {{ response }}", "A {{ response }}", "B {{ response }}")
    one, same, other = (read_rubric(written(tmp_path / "one.toml", prompt=prompt)) for prompt in prompts)
    assert one.hash == same.hash != other.hash


def test_a_reply_is_read_by_the_schema(rubric: JudgeTemplate) -> None:
    reply = {"why": "so", "grade": "2", "share": 0.5, "count": 3.0, "plain": "yes", "tone": "Warm"}
    read = read_reply(rubric, f"Sure: {json.dumps(reply)}")
    assert (read.status, read.fields) == (
        "valid", {"why": "so", "grade": 2, "share": 0.5, "count": 3, "plain": True, "tone": "warm"},
    )  # fmt: skip
    assert read_reply(rubric, json.dumps({**reply, "grade": "N/A"})).fields["grade"] is None
    for wrong in ({"share": 2}, {"count": 1.5}, {"plain": 3}, {"tone": "hot"}, {"count": "Infinity"}):
        assert read_reply(rubric, json.dumps({**reply, **wrong})).status == "invalid"


def test_a_pair_is_stored_by_whose_answer_it_is(tmp_path: Path) -> None:
    fields = {"better": {"enum": ["first", "second", "same"]}, "gap": {"type": "number"}}
    prompt = "{% for text in shown %}{{ text }} {% endfor %}"
    pair = read_rubric(written(tmp_path / "p.toml", fields, prompt, 'of = "pair"'))
    assert pair.ask("q", ["REF", "NEW"], flipped=True).startswith("NEW REF")
    reply = '{"better": "first", "gap": 1}'
    assert read_reply(pair, reply, flipped=False).fields == {"better": "reference", "gap": 1}
    assert read_reply(pair, reply, flipped=True).fields == {"better": "response", "gap": 1}
    assert [*rubric_columns(pair)] == ["better=reference", "better=response", "better=same", "gap"]


def judged(sample: int, template: JudgeTemplate, **fields: Any) -> Judgment:
    return Judgment(
        kind=template.kind, judge="demo-smollm2", template_hash=template.hash, sample_id=sample,
        reference_sample_id=None, status="valid", fields=fields,
    )  # fmt: skip


def test_numbers_are_means_and_choices_are_shares(store: Store, rubric: JudgeTemplate) -> None:
    samples = fill(store)
    own = [row for (_, name, _), row in samples.items() if name == "demo-base"]
    said = [
        {"grade": 1, "share": 0.0, "count": 2, "plain": True, "tone": "warm"},
        {"grade": 3, "share": 1.0, "count": 4, "plain": False, "tone": "cold"},
        {"grade": None, "share": 0.5, "count": 6, "plain": True, "tone": "cold"},
        {"grade": 2, "share": 0.5, "count": 8, "plain": True, "tone": "cold"},
    ]
    judgments = [judged(row, rubric, why=f"reason {row}", **fields) for row, fields in zip(own, said, strict=True)]
    store.add_judgments(1, judgments)
    with Store.open(store.path) as other:
        keep_columns(other, 1, rubric)
        kept = judged_tables(other, 1)["mine"]
    assert kept_columns(store, 1, "mine", "another") is None
    assert kept_columns(store, 1, "mine", rubric.hash) == rubric_columns(rubric)
    for tables in (
        summarize(
            "mine", judgments_of(store, 1, "mine", "demo-smollm2"), Uncertainty(), columns=rubric_columns(rubric)
        ),
        judged_tables(store, 1)["mine"],  # as a report does, which has no template
        kept,
    ):
        table = tables["demo-base"]
        values = {field: one.value for field, one in table.items()}
        assert values == {
            "grade": 2.0, "share": 0.5, "count": 5.0, "plain": 0.75, "tone=warm": 0.25, "tone=cold": 0.75,
        }  # fmt: skip
        assert (table["grade"].n, table["grade"].na, table["grade"].prompts) == (3, 1, 2)
        assert table["count"].ci is not None
    assert columns_of_values([{"a": 1}, {"a": "x"}, {"a": [1]}]) == {}


def test_of_two_versions_the_last_alone_is_summarized(store: Store, tmp_path: Path) -> None:
    samples = fill(store)
    before, after = (
        read_rubric(written(tmp_path / "mine.toml", prompt=f"{word} {{{{ response }}}}")) for word in ("Old", "New")
    )
    rows = [*samples.values()]
    store.add_judgments(1, [judged(row, before, grade=1) for row in rows])
    assert not plan_judging(store, 1, before, ALIGNED).items
    assert len(plan_judging(store, 1, after, ALIGNED).items) == len(rows)
    store.add_judgments(1, [judged(rows[0], after, grade=3)])
    table = judged_tables(store, 1)["mine"]
    assert [(name, of["grade"].value, of["grade"].n) for name, of in table.items()] == [("demo-base", 3.0, 1)]


@pytest.mark.parametrize("name", ["hedging", "more-candid"])
def test_the_examples_that_ship_are_such_templates(name: str) -> None:
    template = read_rubric(paths.shipped_prompts() / "judges" / "examples" / f"{name}.toml")
    assert template.kind == name
    assert rubric_columns(template)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt = = 1", "not TOML: .*line 2"),
        ("prompt = ''", "prompt"),
        ("prompt = 'x {{ response }}'", "schema is missing"),
        ("schema = '{'\nprompt = 'x'", "schema: not JSON: .*line 1 column 2"),
        ("schema = '[]'\nprompt = 'x'", r"schema is a list|schema is \[\]"),
        ("schema = '{\"type\": \"object\"}'\nprompt = 'x'", "schema.properties is not there"),
        ("promt = 'x'\nprompt = 'x'", "promt"),
        ("name = 'quality'\nprompt = 'x'", "name"),
        ("of = 'pairs'\nprompt = 'x'", "of"),
    ],
)
def test_a_file_that_is_none_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    schema = json.dumps({"type": "object", "properties": {"a": {"type": "boolean"}}})
    path.write_text(text if "schema" in text or "missing" in message else f"schema = '{schema}'\n{text}")
    with pytest.raises(InputError, match=message) as error:
        read_rubric(path)
    assert "bad.toml" in str(error.value)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"type": "array"}, r"schema.properties.a.type is \"array\"; expected"),
        ({"type": "number", "minimum": "0"}, r"a.minimum is \"0\"; expected a number"),
        ({"type": "number", "minimum": 2, "maximum": 1}, "a.minimum is 2 and maximum 1"),
        ({"enum": ["one"]}, "a.enum is .*expected a list of 2"),
        ({"enum": ["x", 1]}, "a.enum is .*different texts alone, or numbers"),
        ({"enum": ["x", "x"]}, "different texts alone"),
        ({"type": "string"}, "texts alone"),
        (3, "schema.properties.a is 3"),
    ],
)
def test_a_field_that_cannot_be_summarized_is_named(tmp_path: Path, field: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_rubric(written(tmp_path / "mine.toml", {"a": field}))


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("Rate it", "does not show what is judged; expected {{ response }}"),
        ("Rate {{ answer }}", "'answer' is undefined; a response has question, response"),
        ("One\n{% for %}", "prompt, line 2"),
        ("{{ response.__class__.__mro__ }} {{ response }}", "prompt"),
        ("{{ 1 / 0 }} {{ response }}", "division by zero"),
    ],
)
def test_a_prompt_that_cannot_be_asked_is_said(tmp_path: Path, prompt: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_rubric(written(tmp_path / "mine.toml", prompt=prompt))
