"""`alignbench plan` as a user runs it."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from alignbench.store import Store
from tests.support.commands import alignbench

WORDS = ["river", "stone", "cloud", "grass", "light", "window", "garden", "letter", "music", "bread", "table", "candle"]


def imported(tmp_path: Path, n_prompts: int, n: int = 4, conditions: str = "AB") -> None:
    """Session 1, or the next one."""
    rows = [
        {
            "prompt_id": f"p{p}",
            "prompt": f"What about {p}?",
            "condition": c,
            "text": " ".join(WORDS[(p * k + i * (k % 3 + (c == "B"))) % 12] for k in range(1, 9)),
        }
        for p in range(n_prompts)
        for c in conditions
        for i in range(n)
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = alignbench("import", "jsonl", str(path))
    assert ran.returncode == 0, ran.stderr


def planned(*arguments: object) -> dict[str, Any]:
    ran = alignbench("plan", *map(str, arguments), "--json")
    assert ran.returncode == 0, ran.stderr
    plan: dict[str, Any] = json.loads(ran.stdout)
    return plan


def test_prompts_by_the_number_of_samples(tmp_path: Path) -> None:
    imported(tmp_path, 10)
    plan = planned("--effect", ".05", "--from", 1, "--reference", "A")
    assert {key: plan[key] for key in ("session", "reference", "effect", "power", "level")} == {
        "session": 1, "reference": "A", "effect": 0.05, "power": 0.8, "level": 0.95,
    }  # fmt: skip
    keys = [(one["condition"], one["metric"], one["matched"]) for one in plan["comparisons"]]
    assert keys == [("B", "jaccard", True), ("B", "jaccard", False)], "no vectors are kept"
    for one in plan["comparisons"]:
        needed = ((1.959964 + 0.841621) * one["sd"] / 0.05) ** 2
        assert one["prompts"] == math.ceil(needed)
        assert one["n"] == 10
        assert list(one["by_samples"]) == ["3", "5", "10", "20", "50"]
        for n, prompts in one["by_samples"].items():
            variance = one["of_prompts"] + one["of_samples"] / int(n)
            assert prompts == max(1, math.ceil((1.959964 + 0.841621) ** 2 * variance / 0.05**2))
    halved = planned("--effect", ".025", "--from", 1, "--reference", "A")["comparisons"][1]["prompts"]
    assert halved == pytest.approx(4 * plan["comparisons"][1]["prompts"], abs=4)


def test_the_table_and_what_is_said_beside_it(tmp_path: Path) -> None:
    imported(tmp_path, 10)
    ran = alignbench("plan", "--effect", "2", "--from", "1", "--reference", "A", "--metrics", "words,rouge_l")
    assert ran.returncode == 0, ran.stderr
    assert [" ".join(line.split()[:3]) for line in ran.stdout.splitlines()[1:]] == [
        "B words +0.0000",
        "B ROUGE-L at",
        "B ROUGE-L, raw",
    ]
    assert "normal approximation" in ran.stderr
    assert "no claim under 20 prompts" in ran.stderr
    assert "A pilot of 10 prompts" in ran.stderr


def test_faults_have_one_clear_message(tmp_path: Path) -> None:
    imported(tmp_path, 5)
    imported(tmp_path, 2)
    imported(tmp_path, 5, conditions="A")
    with Store.open(os.environ["ALIGNBENCH_DB"]) as store:
        store.set_reference(1, None)
    for arguments, message in (
        (("--effect", "0", "--from", "1"), "--effect is 0.0; expected over 0"),
        (("--effect", "-.1", "--from", "1"), "--effect is -0.1; expected over 0"),
        (("--effect", "nan", "--from", "1"), "--effect is 'nan'; expected a number, over 0"),
        (("--effect", ".1", "--from", "9"), "There is no session 9"),
        (("--effect", ".1", "--from", "1"), "Session 1 has no reference; name one with --reference"),
        (("--effect", ".1", "--from", "1", "--reference", "X"), "there is no condition named 'X'"),
        (("--effect", ".1", "--from", "2", "--reference", "A"), "needs 3 prompts (B, jaccard: needs 3 prompts, has 2)"),
        (("--effect", ".1", "--from", "3", "--reference", "A"), "has nothing to compare with A"),
        (("--effect", ".1", "--from", "1", "--reference", "A", "--metrics", "jacard"), "Did you mean jaccard"),
        (("--effect", ".1", "--from", "1", "--reference", "A", "--metrics", "distinct_2"), "cannot be planned for"),
        (
            ("--effect", ".1", "--from", "1", "--reference", "A", "--metrics", "embedding_diversity"),
            "not kept yet: alignbench score 1",
        ),
    ):
        ran = alignbench("plan", *arguments)
        assert ran.returncode == 2, (arguments, ran.stderr)
        assert message in ran.stderr
        assert ran.stderr.count("\n") == 1
        assert ran.stdout == ""
