"""docs/overton.md: what it says of the release is what the commands give."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from alignbench.overton.read import datasets, read_dataset
from tests.support.commands import alignbench
from tests.support.paper_data import OVERTON, needs_paper_data

PAGE = (Path(__file__).parents[2] / "docs" / "overton.md").read_text(encoding="utf-8")
SCORED = ("score", "--session", "1", "--reference", "llama-2-chat", "--floor", "llama-2-base", "--embedder", "none")
METRICS = "words,jaccard,abstention,list_markers,bertscore_f1"
SAMPLED = (
    "llama-2-base",
    "llama-2-icl",
    "llama-2-icl-chat",
    "llama-2-icl-chat-rand",
    "llama-2-icl-chat-summary",
    "llama-2-icl-chat-summary-cot",
)
REFERENCE = "llama-2-chat"
GREEDY = ("llama-2-chat@temp0", "gpt-3.5-turbo@temp0")

pytestmark = [needs_paper_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose session 1 is the release."""
    path = tmp_path_factory.mktemp("release") / "alignbench.db"
    assert alignbench("import", "overton", str(OVERTON), "--db", str(path)).returncode == 0
    return path


@pytest.fixture
def _session(release: Path, tmp_path: Path) -> None:
    """Session 1 of the test's own database."""
    shutil.copy(release, tmp_path)


def scored(*options: str) -> dict[str, Any]:
    ran = alignbench(*SCORED, *options, "--json")
    assert ran.returncode == 0, ran.stderr
    tables: dict[str, Any] = json.loads(ran.stdout)
    return tables


def number(value: float | None, places: int = 3, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.{places}f}"


def interval(ends: list[float] | None, places: int = 3) -> str:
    return "" if ends is None else f" [{', '.join(f'{end:.{places}f}' for end in ends)}]"


def share(value: float | None, ends: list[float] | None = None) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" + ("" if ends is None or ends[0] == ends[1] else " [{:.1%}, {:.1%}]".format(*ends))


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def ends_rows(tables: dict[str, Any], counts: dict[str, Any]) -> list[str]:
    """Length, what was cut, and what the responses look like."""
    return [
        row(
            f"`{name}`",
            number(scores["words"]["value"], 0),
            "not recorded" if (cut := counts[name]["truncated"]) is None else f"{cut} of {counts[name]['samples']}",
            f"{round(scores['empty']['value'] * scores['empty']['n'])}",
            share(scores["list_markers"]["value"]),
            share(scores["abstention"]["value"], scores["abstention"]["ci"]),
        )
        for name in (*SAMPLED, REFERENCE, *GREEDY)
        if (scores := tables["within"][name])
    ]


def diversity_rows(tables: dict[str, Any]) -> list[str]:
    """Lexical similarity inside a condition, as it comes and at matched length."""
    rows = []
    for name in SAMPLED:
        own, matched = tables["within"][name]["jaccard"], tables["matched"][name]["jaccard"]
        rows.append(
            row(
                f"`{name}`",
                number(own["value"]),
                number(matched["value"]),
                number(matched["reference"]),
                number(matched["difference"], sign="+") + interval(matched["ci"]),
            )
        )
    return rows


def recovery_rows(tables: dict[str, Any]) -> list[str]:
    """Similarity to the teacher, held out where a hint told of one of its answers."""
    rows = []
    for name in (*SAMPLED, *GREEDY):
        score = tables["cross"][name]["jaccard"]
        whole = score["with_source"]
        rows.append(
            row(
                f"`{name}`",
                number(score["value"]),
                share(score["recovery"], score["recovery_ci"]),
                share(whole["recovery"], whole["recovery_ci"]) if whole is not None else "",
                number(score["mmd2"]) + interval(score["mmd2_ci"]),
            )
        )
    return rows


@pytest.mark.usefixtures("_session")
def test_the_tables_are_what_the_release_gives() -> None:
    tables = scored("--mode", "workbench", "--metrics", METRICS)
    report = alignbench(
        "report", "1", "--mode", "workbench", "--metrics", "words", "--embedder", "none", "--format", "json"
    )
    counts = json.loads(report.stdout)["counts"]
    for rows in (ends_rows(tables, counts), diversity_rows(tables), recovery_rows(tables)):
        assert "".join(rows) in PAGE
    openings = scored("--mode", "workbench", "--metrics", "jaccard", "--truncate", "50")["within"]
    alike = [number(openings[name]["jaccard"]["value"]) for name in (REFERENCE, "llama-2-base")]
    assert alike == ["0.329", "0.096"]
    assert all(each in PAGE for each in alike)
    bertscore = {name: tables["cross"][name]["bertscore_f1"] for name in ("llama-2-chat", "llama-2-base")}
    assert "0.9132" in PAGE
    assert number(bertscore["llama-2-chat"]["value"], 4) == "0.9132"
    assert number(bertscore["llama-2-chat"]["ceiling"], 4) == "0.8915"
    assert number(bertscore["llama-2-base"]["value"], 4) == "0.8273"


@pytest.mark.usefixtures("_session", "nltk_data")
def test_the_papers_own_numbers_come_out() -> None:
    tables = scored("--mode", "paper", "--metrics", "jaccard")
    inside = [
        number(tables["within"][name]["jaccard"]["value"], 4) for name in ("llama-2-base", "llama-2-icl", REFERENCE)
    ]
    assert inside == ["0.0891", "0.1989", "0.2790"]
    assert ", ".join(inside[:2]) in PAGE
    summary, random = (tables["cross"][f"llama-2-icl-chat-{name}"]["jaccard"] for name in ("summary", "rand"))
    told = [summary["with_source"]["recovery"], summary["recovery"], random["recovery"]]
    assert [share(each) for each in told] == ["59.0%", "55.7%", "58.4%"]
    assert all(share(each) in PAGE for each in told)


def test_answers_without_a_closing_mark() -> None:
    (dataset,) = datasets(OVERTON)
    open_ended = {
        each.condition.name: sum(
            sample.text.rstrip()[-1:] not in ".!?:)\"'*]"
            for cell in each.cells
            for sample in cell.samples
            if sample.text
        )
        for each in read_dataset(dataset).conditions
    }
    assert (open_ended[REFERENCE], open_ended["llama-2-chat@temp0"]) == (10, 21)
    assert "10 of its 250 sampled answers end without a closing mark, and 21" in PAGE
