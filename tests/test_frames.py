"""Sessions as DataFrames, and the example script of docs/python.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import alignbench
from alignbench.errors import AlignbenchError, InputError
from alignbench.exporting.samples import COLUMNS
from alignbench.frames import Session
from alignbench.judging.replies import ASPECTS
from alignbench.judging.stances import NO_STANCES
from alignbench.reports.report import Options, build_report
from alignbench.reports.to_json import report_json
from alignbench.scoring.embedding_cache import Embeddings
from alignbench.spec import Condition, Prompt
from alignbench.store import Judgment, Store
from tests.support.samples import ALIGNED, BASE, result
from tests.support.stances import ALIGNED_SAID, BASE_SAID, contested_session
from tests.support.waiting import LIMIT

ROOT = Path(__file__).parents[1]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Three prompts under a base and an aligned condition, two samples of each, an error, two judgments."""
    path = tmp_path / "runs.db"
    with Store.open(path) as store:
        number = store.create_session("s", reference="demo-smollm2")
        for p in range(3):
            for condition in (Condition.zero_shot(BASE), Condition.zero_shot(ALIGNED)):
                cell = store.add_cell(number, Prompt(f"q{p}", f"Why {p}?"), condition, 2)
                rows = [store.add_sample(cell, result(i, f"{condition.name} sun{i} moon{p}")) for i in range(2)]
        store.add_error(cell, 2, "overflow")
        fields: tuple[dict[str, int | None], ...] = (
            {**dict.fromkeys(ASPECTS, 3), "depth": 4, "clarity": None},
            {**dict.fromkeys(ASPECTS, 3), "depth": 2, "clarity": 5},
        )
        store.add_judgments(
            number, [Judgment("quality", "me", "t", r.id, None, "valid", f) for r, f in zip(rows, fields, strict=True)]
        )
    return alignbench.open(path).session(1)


def test_samples_are_a_row_each(session: Session) -> None:
    samples = session.samples()
    assert tuple(samples.columns) == COLUMNS
    assert len(samples) == 13
    assert samples.groupby("condition")["n_tokens"].mean().to_dict() == {"demo-smollm2": 3.0, "demo-base": 3.0}
    assert samples[samples.status == "error"]["error"].tolist() == ["overflow"]


def test_judgments_have_a_column_for_each_field(session: Session) -> None:
    judgments = session.judgments(kind="quality")
    assert judgments["depth"].tolist() == [4, 2]
    assert judgments["clarity"].isna().tolist() == [True, False]
    assert judgments["sample"].tolist() == [0, 1]
    empty = session.judgments(kind="stance")
    assert empty.empty
    assert "condition" in empty.columns


def test_scores_are_those_of_the_report(session: Session) -> None:
    names = ("words", "jaccard", "distinct_2")
    scores = session.scores(names, floor="demo-base", resamples=200)
    with Store.open(session.path) as store:
        none = Embeddings(store, None, "none")
        report = build_report(store, 1, Options(names, "demo-smollm2", "demo-base", resamples=200), none, none)
    for row in scores.to_dict("records"):
        entry = report_json(report)[row["table"]][row["condition"]][row["metric"]]
        assert (row["value"], [row["ci_low"], row["ci_high"]], row["n"]) == (entry["value"], entry["ci"], entry["n"])
    assert {"jaccard", "distinct_2", "words"} <= {*scores["metric"]}
    assert {*scores["table"]} == {"within", "cross"}


def test_a_score_that_needs_a_model_says_so(session: Session) -> None:
    scores = session.scores(("embedding_diversity", "response_logprob"), resamples=10)
    reasons = scores[scores["table"] == "within"].set_index("metric")["reason"]
    assert "not kept yet" in reasons["embedding_diversity"].iloc[0]
    assert "asks a model" in reasons["response_logprob"].iloc[0]
    with pytest.raises(InputError, match="no score named 'jacard'"):
        session.scores(["jacard"])
    with pytest.raises(InputError, match=r"floor: there is no condition named 'base'. Did you mean demo-base\?"):
        session.scores(floor="base")


def test_sessions_and_what_is_not_there(session: Session, tmp_path: Path) -> None:
    sessions = alignbench.open(session.path).sessions()
    assert sessions[["id", "name", "n_samples", "n_errors"]].to_numpy().tolist() == [[1, "s", 12, 1]]
    with pytest.raises(InputError, match="There is no session 9"):
        alignbench.open(session.path).session(9)
    with pytest.raises(InputError, match="There is no session database"):
        alignbench.open(tmp_path / "nowhere.db")
    assert not (tmp_path / "nowhere.db").exists()


def test_without_pandas_there_is_a_clear_message(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(AlignbenchError, match=r"need pandas, .*alignbench\[pandas\]"):
        session.samples()


@pytest.mark.models
@pytest.mark.slow
def test_the_example_runs(tmp_path: Path) -> None:
    path = tmp_path / "example.db"
    command = [sys.executable, str(ROOT / "examples" / "from_python.py"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    assert "demo-aligned" in done.stdout
    assert len(alignbench.open(path).session(1).samples()) == 8


def test_the_matrix_has_a_row_for_each_two_conditions(session: Session) -> None:
    matrix = session.matrix("jaccard", resamples=50).set_index(["condition", "other"])
    a, b = sorted({*matrix.index.get_level_values(0)})
    assert len(matrix) == 4
    assert matrix.loc[(a, b), "value"] == matrix.loc[(b, a), "value"]
    with pytest.raises(InputError, match="no matrix"):
        session.matrix("words")
    with pytest.raises(InputError, match="not kept yet"):
        session.matrix()


def test_anchor_spans_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "anchors.db"
    with Store.open(path) as store:
        number = store.create_session("s")
        cell = store.add_cell(number, Prompt("q", "Why?"), Condition.zero_shot(BASE), 3)
        for i, text in enumerate(("a b c d e x", "a b c d e y", "z a b c d e")):
            store.add_sample(cell, result(i, text))
        info = store.session(number)
    (row,) = Session(path, info).anchors().to_dict("records")
    assert (row["text"], row["words"], row["responses"], row["n"]) == ("a b c d e", 5, 3, 3)


def test_stances_that_are_judged_are_scores(session: Session, tmp_path: Path) -> None:
    of = session.scores(["stance_coverage"], resamples=50)
    assert {*of[of.metric == "stance_coverage"].reason} == {NO_STANCES}
    with Store.open(tmp_path / "stances.db") as store:
        number = contested_session(store, {"raw": BASE_SAID, "chat": ALIGNED_SAID}, prompts=1)
        info = store.session(number)
    scores = Session(tmp_path / "stances.db", info).scores(["stance_coverage"], resamples=50)
    values = scores[scores.metric == "stance_coverage"].set_index("condition").value
    assert (values["raw"], values["chat"]) == (pytest.approx(0.4), 1.0)
