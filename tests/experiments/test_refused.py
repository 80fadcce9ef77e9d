"""What is refused, or ends before anything is drawn, leaves no session."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignbench.api.sampling import open_sampling, sampling_job
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.samples import BASE, result

JOB = sampling_job([Prompt("q", "Why?")], [Condition.zero_shot(BASE)], 1)


def sessions(db: Path) -> int:
    if not db.exists():
        return 0
    with Store.read(db) as store:
        return len(store.sessions())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model", "nope"],
        ["--model", "llama:/no/such.gguf"],
        ["--model", "demo-base", "--context", "nope"],
        ["--model", "demo-base", "--seed", str(2**63 - 1)],
        ["--model", "demo-base", "--reference", "nope"],
        ["--model", "demo-base", "-n", "0"],
    ],
)
def test_a_refused_sample(tmp_path: Path, arguments: list[str]) -> None:
    db = tmp_path / "a.db"
    assert alignbench("sample", "--prompt", "Why?", *arguments, "--db", str(db)).returncode == 2
    assert sessions(db) == 0


def test_a_run_whose_report_cannot_be_written(tmp_path: Path) -> None:
    file, db = tmp_path / "a.toml", tmp_path / "a.db"
    Store.open(db).close()
    (tmp_path / "db.md").symlink_to("a.db")
    (tmp_path / "own.md").symlink_to("a.toml")
    (tmp_path / "questions.jsonl").write_text('{"id": "q", "prompt": "Why?"}\n')
    for report in ("db.md", "own.md", "no/such/folder.md"):
        file.write_text(
            '[prompts]\nfiles = ["questions.jsonl"]\n[output]\n'
            f'report = "{tmp_path / report}"\n[[conditions]]\nname = "base"\nmodel = "demo-base"\n'
        )
        before = file.read_bytes()
        done = alignbench("run", str(file), "--db", str(db))
        assert done.returncode in (1, 2)
        assert "cannot be written" in done.stderr, done.stderr
        assert file.read_bytes() == before
        assert sessions(db) == 0


def test_what_ends_before_the_first_sample(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with pytest.raises(KeyboardInterrupt), open_sampling(JOB, db):
        raise KeyboardInterrupt
    assert sessions(db) == 0
    with open_sampling(JOB, db) as run:
        (cell,) = run.store.cells(run.session)
        run.store.add_sample(cell.id, result(0, "so"))
    assert sessions(db) == 1
