"""Users' functions among the scores of commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alignbench as package
from alignbench.errors import InputError
from alignbench.metrics.registry import METRICS, live, shipped
from alignbench.own_metrics import registration
from alignbench.own_metrics.declaration import Declaration
from tests.support.commands import alignbench

Written = Callable[..., Path]
LEXICAL = ("--embedder", "none", "--bootstrap", "200")

MINE = """
import alignbench

@alignbench.metric(range=(0, 1), direction="more is more diverse", moves_with_n=False)
def starts(texts):
    "Share of different first words."
    print("not data")
    return len({text.split()[0] for text in texts}) / len(texts)

@alignbench.metric(direction="more is more diverse", symmetric=True)
def apart(a, b):
    return abs(len(a) - len(b))

def later(a, b):
    return float(a > b)

def picky(texts):
    if any("bad" in text for text in texts):
        raise ValueError("no bad ones")
    return len(texts)

def jaccard(texts):
    return 1
"""


@pytest.fixture
def mine(written: Written) -> Path:
    return written(MINE)


def answers(path: Path, texts: dict[str, dict[str, list[str]]]) -> Path:
    """texts: by prompt and condition."""
    rows = [
        {"prompt_id": prompt, "condition": condition, "text": text}
        for prompt, conditions in texts.items()
        for condition, said in conditions.items()
        for text in said
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    of_each = {"A": ["x aa", "y b", "x aa"], "B": ["x bad", "x", "x bbbbb"]}
    return answers(tmp_path / "answers.jsonl", {"p": of_each, "q": of_each, "r": of_each})


def scored(*arguments: object) -> dict[str, Any]:
    ran = alignbench("score", *map(str, arguments), *LEXICAL, "--json")
    assert ran.returncode == 0, ran.stderr
    tables: dict[str, Any] = json.loads(ran.stdout)
    return tables


def test_a_function_of_a_set_and_one_of_a_pair_are_scored(file: Path, mine: Path) -> None:
    asked = f"distinct_1,{mine}:starts,{mine}:apart"
    tables = scored("--file", file, "--reference", "A", "--metrics", asked)
    assert list(tables["within"]["A"]) == ["words", "distinct_1", "starts", "apart", "duplicates", "empty"]
    starts = {name: tables["within"][name]["starts"] for name in "AB"}
    assert {name: of["value"] for name, of in starts.items()} == {
        "A": pytest.approx(2 / 3), "B": pytest.approx(1 / 3),
    }  # fmt: skip
    assert starts["B"]["difference"]["value"] == pytest.approx(-1 / 3)
    # lengths 4, 3, 4 and 5, 1, 7
    assert tables["within"]["A"]["apart"]["value"] == pytest.approx(2 / 3)
    assert tables["within"]["B"]["apart"]["value"] == pytest.approx(4)
    assert tables["cross"]["B"]["apart"]["value"] == pytest.approx(((1 + 2 + 1) + (3 + 2 + 3) + (3 + 4 + 3)) / 9)
    distance = 2 * tables["cross"]["B"]["apart"]["value"] - 4 - 2 / 3
    assert tables["cross"]["B"]["apart"]["mmd2"] == pytest.approx(distance), "the energy distance, 0 where alike"
    assert tables["meta"]["metrics"]["starts"] == METRICS["starts"].version


def test_a_pair_is_the_mean_of_both_orders_unless_it_is_symmetric(file: Path, mine: Path) -> None:
    tables = scored("--file", file, "--reference", "A", "--metrics", f"{mine}:later")
    assert tables["within"]["B"]["later"]["value"] == 0.5
    assert tables["cross"]["B"]["later"]["value"] == 0.5


def test_prompts_without_a_value_are_left_out_with_their_reason_counted(tmp_path: Path, mine: Path) -> None:
    texts = {"p": {"A": ["x", "y"], "B": ["bad", "y"]}, "q": {"A": ["x", "y"], "B": ["z", "w"]}}
    file = answers(tmp_path / "some.jsonl", texts)
    ran = alignbench("score", "--file", str(file), "--metrics", f"{mine}:picky", *LEXICAL, "--json")
    tables = json.loads(ran.stdout)
    assert [tables["within"][name]["picky"]["n"] for name in "AB"] == [2, 1]
    said = "picky: no value from 1 of 3 calls: ValueError: no bad ones (mine.py, line 19) (1)"
    assert said in tables["meta"]["notes"]


def test_one_prompt_gets_an_interval_from_leaving_out_responses(tmp_path: Path, mine: Path) -> None:
    texts = {"p": {"A": ["a b", "b cc", "c ddd", "d"], "B": ["a", "a b", "a c", "a dddd"]}}
    file = answers(tmp_path / "one.jsonl", texts)
    tables = scored("--file", file, "--reference", "A", "--metrics", f"{mine}:starts,{mine}:apart")
    assert tables["within"]["B"]["apart"]["ci"] is not None
    assert tables["cross"]["B"]["apart"]["ci"] is not None
    assert tables["within"]["B"]["starts"]["ci"] is not None


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("jaccard", "there is a score named 'jaccard' already, one that ships; give this one another name"),
        ("stats", "has no function 'stats'. Did you mean starts?"),
        ("", "is given without a function, expected mine.py:FUNCTION; it has starts, apart, later, picky, jaccard"),
    ],
)
def test_a_wrong_function_is_one_line_and_exit_code_2(file: Path, mine: Path, function: str, message: str) -> None:
    ran = alignbench("score", "--file", str(file), "--metrics", f"{mine}:{function}" if function else str(mine))
    assert ran.returncode == 2
    assert message in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


def test_a_name_that_is_none_says_how_a_file_is_given(file: Path) -> None:
    ran = alignbench("score", "--file", str(file), "--metrics", "mine:starts")
    assert ran.returncode == 2
    assert "A function of your own is FILE.py:FUNCTION." in " ".join(ran.stderr.split())


def test_a_changed_file_is_another_version_and_loaded_anew(file: Path, mine: Path) -> None:
    scored("--file", file, "--metrics", f"{mine}:starts")
    before = METRICS["starts"].version
    mine.write_text(MINE.replace("/ len(texts)", "/ len(texts) / 2"))
    tables = scored("--file", file, "--metrics", f"{mine}:starts")
    assert tables["within"]["A"]["starts"]["value"] == pytest.approx(1 / 3)
    assert tables["meta"]["metrics"]["starts"] == METRICS["starts"].version != before


def test_live_and_all_are_those_that_ship(mine: Path) -> None:
    assert registration.registered([f"{mine}:starts"]) == ["starts"]
    assert "starts" in METRICS
    assert "starts" not in {*live(), *shipped()}


def test_one_that_takes_embeddings_gets_unit_vectors_and_is_null_without(file: Path, written: Written) -> None:
    path = written(
        "import alignbench\n@alignbench.metric(needs='embeddings')\ndef spread(v):\n"
        "    assert abs((v ** 2).sum(axis=1) - 1).max() < 1e-6\n    return v.shape[0]\n"
    )
    tables = scored("--file", file, "--metrics", f"{path}:spread")
    assert tables["within"]["A"]["spread"]["value"] is None
    assert tables["within"]["A"]["spread"]["reason"]


def test_metrics_lists_what_is_asked_about(mine: Path) -> None:
    listed = [
        json.loads(line) for line in alignbench("metrics", f"{mine}:starts", "jaccard", "--json").stdout.splitlines()
    ]
    assert [each["name"] for each in listed] == ["starts", "jaccard"]
    assert listed[0]["meaning"] == "Share of different first words."
    assert (listed[0]["low"], listed[0]["high"], listed[0]["more_diverse"]) == (0.0, 1.0, "higher")


def test_an_installed_package_offers_scores_by_name(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    (folder / "stylo-1.2.dist-info").mkdir(parents=True)
    (folder / "stylo.py").write_text("def commas(texts):\n    'Commas.'\n    return sum(t.count(',') for t in texts)\n")
    (folder / "stylo-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: stylo\nVersion: 1.2\n")
    (folder / "stylo-1.2.dist-info" / "entry_points.txt").write_text(
        "[alignbench.metrics]\nstylo_commas = stylo:commas\nstylo_gone = stylo:gone\nwords = stylo:commas\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    tables = scored("--file", file, "--metrics", "stylo_commas")
    assert tables["within"]["A"]["stylo_commas"]["value"] == 0
    ran = alignbench("metrics", "--json")
    assert json.loads(ran.stdout.splitlines()[-1])["name"] == "stylo_commas"
    assert "stylo_gone of alignbench.metrics: module stylo has no function 'gone'" in " ".join(ran.stderr.split())
    assert "words of alignbench.metrics: there is a score of this name that ships" in " ".join(ran.stderr.split())
    assert "stylo" not in sys.modules, "it is loaded in its own process alone"


def test_a_module_that_a_database_names_is_not_called() -> None:
    registration.add_stand_in("move", "shutil:move", "1", Declaration("move", "move", of="pair"))
    with pytest.raises(InputError, match="no installed package offers shutil:move as a score"):
        registration.load("move")


def test_python_takes_them_too(file: Path, mine: Path) -> None:
    result = package.score(file=file, metrics=["words", f"{mine}:starts"], embedder="none", resamples=200)
    assert result.tables.within["A"]["starts"].value == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="there is no file"):
        package.score(file=file, metrics="nothing.py:f")
