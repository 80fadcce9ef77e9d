"""`render`, `examples`, `hints` and `sample --context` as a user runs them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from alignbench.contexts.example_files import shipped_example_set, shipped_example_sets, write_examples
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.samples import result

TEACHER = Model("demo-smollm2", "demo-smollm2", "aligned")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A session with two prompts that a teacher has answered."""
    path = tmp_path / "alignbench.db"
    with Store.open(path) as store:
        session = store.create_session("taught", reference="demo-smollm2")
        for id, prompt, answer in (("p1", "Why diaries?", "To remember."), ("p2", "Why gardens?", "To grow things.")):
            cell = store.add_cell(session, Prompt(id, prompt), Condition.zero_shot(TEACHER), 1)
            store.add_sample(cell, result(0, answer))
    return path


def test_render_writes_the_exact_bytes_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'template = "plain"\ninstruction = "Be kind."\n[[examples.items]]\nprompt = "How?"\nresponse = "Thus."\n',
        encoding="utf-8",
    )
    ran = alignbench("render", "--prompt", " Why? ", "--context", str(path))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (
        "# Instructions:\n\nBe kind.\n\n# Query:\n```\nHow?\n```\n\n# Answer:\n```\nThus.\n```\n\n"
        "# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n"
    )


@pytest.mark.models
def test_render_counts_tokens_and_gives_ids_with_one_bos() -> None:
    ran = alignbench("render", "--prompt", "Why?", "--model", "demo-base", "--context", "fixed-3")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n")
    assert "example 3" in ran.stderr
    ids = json.loads(alignbench("render", "--prompt", "Why?", "--model", "demo-base", "--ids").stdout)
    assert ids.count(2) == 1
    assert ids[0] == 2


@pytest.mark.models
def test_a_chat_template_can_be_given_to_another_model(tmp_path: Path) -> None:
    (tmp_path / "sibling.jinja").write_text(alignbench("models", "template", "demo-smollm2").stdout, encoding="utf-8")
    (tmp_path / "c.toml").write_text('template = "sibling.jinja"\ninstruction = "Be kind."\n', encoding="utf-8")
    asked = ["render", "--prompt", "Why?", "--context"]
    own = alignbench(*asked, "chat-system", "--model", "demo-smollm2").stdout
    lent = alignbench(*asked, str(tmp_path / "c.toml"), "--model", "demo-base")
    assert lent.returncode == 0, lent.stderr
    assert lent.stdout == own.replace("Answer in full, in clear language and in good order.", "Be kind.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prompt", " "], "--prompt is empty"),
        (["--prompt", "Why?", "--context", "no-such"], "There is no context or file 'no-such'"),
        (["--prompt", "Why?", "--context", "chat"], "--model is missing; the chat template"),
        (["--prompt", "Why?", "--ids"], "--ids needs --model"),
        (
            ["--prompt", "Why?", "--context", "keywords", "--model", "demo-base"],
            "made of samples of demo-aligned",
        ),
    ],
)
def test_render_refuses(arguments: list[str], message: str) -> None:
    ran = alignbench("render", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr


def test_examples_are_imported_built_listed_and_shown(database: Path, tmp_path: Path) -> None:
    urial = tmp_path / "public.txt"
    urial.write_text("# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n```py\n1\n```\n```\n", encoding="utf-8")
    assert alignbench("examples", "import", str(urial), "--db", str(database)).returncode == 0
    built = alignbench(
        "examples",
        "build",
        "--session",
        "taught",
        "--condition",
        "demo-smollm2",
        "--name",
        "mine",
        "--db",
        str(database),
    )
    assert built.returncode == 0, built.stderr
    listed = alignbench("examples", "list", "--db", str(database), "--json")
    rows = {row["name"]: row["examples"] for row in map(json.loads, listed.stdout.splitlines())}
    shipped = {name: len(shipped_example_set(name).items) for name in shipped_example_sets()}
    assert rows == {**shipped, "mine": 2, "public": 1}
    shown = alignbench("examples", "show", "public", "--db", str(database), "--json")
    assert json.loads(shown.stdout) == {"prompt": "Why?", "response": "```py\n1\n```"}
    assert alignbench("examples", "show", "short", "--json").stdout == write_examples(shipped_example_set("short"))


def test_a_name_of_examples_that_passes_to_others_is_said(tmp_path: Path) -> None:
    for file, answer in (("one", "Because."), ("two", "So.")):
        (tmp_path / f"{file}.jsonl").write_text(json.dumps({"prompt": "Why?", "response": answer}) + "\n")

    def said(file: str, name: str) -> str:
        return alignbench("examples", "import", str(tmp_path / f"{file}.jsonl"), "--name", name).stderr

    assert said("one", "mine") == said("one", "mine")
    assert "mine: the same examples; they are called other from now on" in said("one", "other")
    assert "other: stood for other examples, which stay under their hash" in said("two", "other")


@pytest.mark.models
def test_examples_select_shows_what_would_stand_before_a_prompt() -> None:
    ran = alignbench("examples", "select", "short", "--prompt", "How can I remember names?", "--k", "2", "--json")
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["rank"] for row in rows] == [1, 2]
    assert rows[0]["prompt"] == "How can I get better at remembering people's names?"
    assert rows[0]["similarity"] > rows[1]["similarity"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "shrt"], "field examples.set: 'shrt'; expected the name of an example set or a file. Did you mean"),
        (["select", "short", "--prompt", "Why?", "--k", "9"], "field examples.k: 9, but short has 6 examples"),
        (["select", "short", "--prompt", "Why?", "--select", "nearest-response"], "--response is missing"),
        (["import", "missing.csv"], "There is no file missing.csv"),
        (["build", "--session", "3", "--condition", "x"], "There are no sessions yet"),
    ],
)
def test_examples_refuse(arguments: list[str], message: str) -> None:
    ran = alignbench("examples", *arguments)
    assert ran.returncode == 2, ran.stdout
    assert message in ran.stderr


@pytest.mark.models
def test_hints_are_made_and_listed(database: Path) -> None:
    asked = ["--session", "1", "--db", str(database), "--json"]
    make = ["hints", "make", "--condition", "demo-smollm2", "--level", "keywords", *asked]
    made = alignbench(*make)
    assert made.returncode == 0, made.stderr
    rows = [json.loads(line) for line in made.stdout.splitlines()]
    assert [(row["prompt_id"], row["level"], row["source_sample"]) for row in rows] == [
        ("p1", "keywords", 0),
        ("p2", "keywords", 0),
    ]
    assert all(row["text"] and row["n_tokens"] and row["give_away"] is not None for row in rows)
    assert alignbench("hints", "list", *asked).stdout == made.stdout
    assert alignbench(*make).stdout == made.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--condition", "demo-smollm2", "--level", "sumary"], "'sumary' is not one of 'keywords'"),
        (["--condition", "demo-smollm2", "--prompt", "p9"], "Session 1 has no prompt 'p9'. It has: p1, p2."),
    ],
)
def test_hints_refuse(database: Path, arguments: list[str], message: str) -> None:
    ran = alignbench("hints", "make", "--session", "1", "--db", str(database), *arguments)
    assert ran.returncode == 2, ran.stderr
    assert message in ran.stderr


@pytest.mark.models
@pytest.mark.slow
def test_sampling_under_contexts_is_stored_and_the_same_again(tmp_path: Path) -> None:
    prompts = tmp_path / "p.csv"
    prompts.write_text("id,prompt\na,Why do people keep diaries?\nb,How does one become braver?\n", encoding="utf-8")
    context = tmp_path / "near.toml"
    context.write_text(
        'template = "plain"\n[examples]\nset = { condition = "demo-smollm2" }\nselect = "nearest-prompt"\nk = 1\n'
        '[hint]\nlevel = "keywords"\nsource = { condition = "demo-smollm2" }\n',
        encoding="utf-8",
    )
    command = [
        "sample", "--prompts", str(prompts), "--model", "demo-base", "--model", "demo-smollm2",
        "--context", str(context), "--condition", "zero=demo-base", "-n", "2", "--max-tokens", "8", "--json",
    ]  # fmt: skip
    first = alignbench(*command, "--db", str(tmp_path / "one.db"))
    assert first.returncode == 0, first.stderr
    lines = [json.loads(line) for line in first.stdout.splitlines()]
    texts = {(row["condition"], row["prompt_id"], row["sample"]): row["text"] for row in lines[:-1]}
    assert {key[0] for key in texts} == {"demo-base + near", "demo-smollm2", "zero"}
    assert len(texts) == 3 * 2 * 2
    assert lines[-1]["scores"]["cross"]["demo-base + near"]["jaccard"]["floor"] is not None
    db = sqlite3.connect(tmp_path / "one.db")
    assert db.execute("SELECT count(*) FROM selections WHERE place IS NOT NULL").fetchone() == (2,)
    assert db.execute("SELECT count(*) FROM cell_hints").fetchone() == (2,)
    again = alignbench(*command, "--db", str(tmp_path / "two.db"))
    rows = [json.loads(line) for line in again.stdout.splitlines()][:-1]
    assert {(row["condition"], row["prompt_id"], row["sample"]): row["text"] for row in rows} == texts


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "demo-smollm2", "--context", "zero-shot"], "--context is for base models, and no --model is one"),
        (
            ["--model", "demo-base", "--context", "keywords"],
            "made of samples of 'demo-aligned', which is no",
        ),
        (["--condition", "x=demo-base,context="], "expected NAME=MODEL[,context=FILE]"),
        (["--condition", "x=demo-base,context=no-such"], "There is no context or file 'no-such'"),
        (
            ["--model", "demo-base", "--context", "fixed-3", "--context", "fixed-3"],
            "Two conditions would be called 'demo-base + fixed-3'",
        ),
    ],
)
def test_sample_refuses_before_anything_is_stored(tmp_path: Path, arguments: list[str], message: str) -> None:
    path = tmp_path / "none.db"
    ran = alignbench("sample", "--prompt", "Why?", *arguments, "--db", str(path))
    assert ran.returncode == 2
    assert message in ran.stderr
    assert not path.exists()
