"""`alignbench import` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.commands import alignbench
from tests.support.paper_data import OVERTON, needs_paper_data


def test_jsonl_lands_and_cannot_be_sampled(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    rows = [{"prompt_id": i, "prompt": f"Why {i}?", "condition": c, "text": f"{c} {i}"} for i in (0, 1) for c in "ab"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ran = alignbench("import", "jsonl", str(file), "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [{"session": 1, "dataset": "mine", "samples": 4, "errors": 0}]
    assert "imported:a" in alignbench("sessions", "show", "1").stdout
    refused = alignbench("sample", "--prompt", "Why?", "--model", "imported:a")
    assert refused.returncode == 2
    assert "cannot be sampled" in refused.stderr
    missing = alignbench("import", "jsonl", str(tmp_path / "gone.jsonl"))
    assert missing.returncode == 2
    assert "There is no file" in missing.stderr


@needs_paper_data
def test_the_release_lands_whole() -> None:
    ran = alignbench("import", "overton", str(OVERTON), "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [{"session": 1, "dataset": "LIMA-OE", "samples": 1860, "errors": 240}]
    assert "240 of 250 samples are errors" in ran.stderr
