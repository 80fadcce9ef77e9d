"""A metric that is registered is everywhere: nothing else names metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from alignbench import metrics
from alignbench.metrics import registry
from alignbench.metrics.formula import of_responses, of_two_responses
from alignbench.metrics.metric import Metric
from alignbench.metrics.running_cell import CellPair, CellScores
from alignbench.metrics.values import Response
from alignbench.store import Store
from alignbench.tui.scores.screen import ScoresScreen
from tests.support.app import WIDE, make_app, ready, sampled, screen_text, shows, until
from tests.support.commands import alignbench
from tests.support.fakes import FakePool, LetterEmbedder
from tests.support.judged import fill


def letters(responses: Sequence[Response]) -> float | None:
    """Different letters in a set."""
    return float(len(set("".join(response.text for response in responses)))) or None


def same_length(a: Response, b: Response) -> float | None:
    """1 for texts of one length, else 0; None for two empty ones."""
    return float(len(a.text) == len(b.text)) if a.text or b.text else None


LETTERS = Metric(
    name="letters", title="alphabet used", meaning="How many letters are in use.", scope=("within",), low=0.0,
    high=None, more_diverse="higher", source="This test", version="1", needs=("text",), min_samples=2,
    formula=of_responses(letters, min_samples=2),
)  # fmt: skip
LENGTH = Metric(
    name="same_length", title="equal length", meaning="Whether texts have one length.", scope=("within", "cross"),
    low=0.0, high=1.0, more_diverse="lower", source="This test", version="1", needs=("text",), min_samples=2,
    formula=of_two_responses(same_length),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for metric in (LETTERS, LENGTH):
        monkeypatch.setitem(registry.METRICS, metric.name, metric)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    texts = {"A": ("abc", "abd", "ab"), "B": ("xy", "x", "xyz")}
    rows = [
        {"prompt_id": prompt, "condition": condition, "text": text}
        for prompt in ("p", "q")
        for condition, said in texts.items()
        for text in said
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_it_is_listed() -> None:
    listed = [json.loads(line) for line in alignbench("metrics", "--json").stdout.splitlines()]
    assert [(each["name"], each["live"]) for each in listed[-2:]] == [("letters", True), ("same_length", True)]
    assert "How many letters are in use." in " ".join(alignbench("metrics").stdout.split())


def test_it_is_scored(file: Path) -> None:
    command = ("score", "--file", str(file), "--reference", "A", "--embedder", "none", "--bootstrap", "50")
    tables = json.loads(alignbench(*command, "--json").stdout)
    assert tables["within"]["A"]["letters"]["value"] == 4
    assert tables["within"]["A"]["same_length"]["value"] == pytest.approx(1 / 3)
    assert tables["cross"]["B"]["same_length"]["value"] == pytest.approx(3 / 9)
    assert tables["cross"]["B"]["same_length"]["ceiling"] == pytest.approx(1 / 3)
    shown = alignbench(*command).stdout
    assert "alphabet used" in shown
    assert "equal length to A" in shown


def test_cells_that_grow_have_it() -> None:
    reference, other = CellScores(["letters", "same_length"]), CellScores(["letters", "same_length"])
    pair = CellPair(reference, other)
    assert reference.within()["letters"].reason == "needs 2 samples, has 0"
    for i, (one, two) in enumerate((("abc", "x"), ("abd", "xyz"), ("", ""))):
        reference.add(i, one)
        other.add(i, two)
        pair.cross()
    assert reference.within()["letters"].value == 4
    assert other.within()["same_length"].value == 0
    assert pair.cross()["same_length"].value == pytest.approx(2 / 4), "the empty ones are in no pair"
    assert pair.cross()["same_length"].skipped == 0


def test_a_report_has_it(tmp_path: Path) -> None:
    db = str(tmp_path / "runs.db")
    with Store.open(db) as store:
        fill(store)
    tables = json.loads(alignbench("report", "1", "--db", db, "--format", "json", "--bootstrap", "50").stdout)
    assert tables["within"]["demo-base"]["letters"]["value"] > 0
    assert tables["cross"]["demo-base"]["same_length"]["value"] is not None
    page = alignbench("report", "1", "--db", db, "--format", "md", "--bootstrap", "50").stdout
    assert "alphabet used" in page
    assert "equal length: similarity to demo-smollm2" in page


async def test_the_app_has_a_row_for_it(tmp_path: Path) -> None:
    texts = {"demo-smollm2": ["abc", "abd"], "demo-base": ["x", "xyz"]}
    app = make_app(tmp_path / "x.db", FakePool(texts=texts), LetterEmbedder())
    async with app.run_test(size=(WIDE[0], 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen) and "alphabet used ↑" in screen_text(app))
        await shows(pilot, "others", "equal length ↓")


def test_a_file_in_the_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {metric.name for metric in registry.discovered()}
    tmp_path.joinpath("vowels.py").write_text(
        "from alignbench.metrics.metric import Metric\n"
        "METRICS = (Metric('vowels', 'vowels', 'Vowels.', ('within',), 0.0, None, '', 'a test', '1', ('text',), 1),)\n"
    )
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    assert {metric.name for metric in registry.discovered()} - before == {"vowels"}
