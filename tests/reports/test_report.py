"""The report of a session: its shape, its reasons, and how it is written down."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from alignbench.errors import AlignbenchError, InputError
from alignbench.metrics.values import WORKBENCH, WordMode
from alignbench.reports import options
from alignbench.reports.markdown import markdown
from alignbench.reports.options import default_metrics
from alignbench.reports.sections import sections
from alignbench.reports.spreadsheet import spreadsheet
from alignbench.scoring.contested import REASON
from alignbench.store import PairScore, Store
from tests.support.judged import judgment
from tests.support.reported import HOSTILE, METRICS, grade, record, report


def test_it_has_the_tables_of_scores_and_the_counts(store: Store) -> None:
    tables = record(store)
    assert json.loads(json.dumps(tables, allow_nan=False)) == tables
    assert list(tables) == ["session", "within", "cross", "matched", "judged", "counts", "meta"]
    assert tables["session"] == 1
    assert set(tables["within"]["raw"]) == {*METRICS, "duplicates", "empty"} - {"embedding_similarity", "coverage"}
    assert tables["cross"]["raw"]["jaccard"]["ceiling"] is not None
    assert tables["counts"]["raw"] == {"samples": 6, "errors": 1, "truncated": 3}
    assert tables["meta"]["truncated_share"]["raw"] == 0.5
    assert any(note.startswith("responses cut by length, over 10%") for note in tables["meta"]["notes"])
    assert tables["meta"]["conditions"]["raw"]["kind"] == "base"
    assert tables["meta"]["contested"] == 1


def test_embeddings_say_nothing_of_contested_prompts(store: Store) -> None:
    tables = record(store, investigation="diversity")
    assert tables["within"]["raw"]["jaccard"]["n"] == 3
    assert tables["within"]["raw"]["embedding_diversity"]["n"] == 2
    assert tables["cross"]["raw"]["embedding_similarity"]["n"] == 2
    assert tables["cross"]["raw"]["coverage"]["n"] == 2
    points = tables["investigation"]["coverage"]["conditions"]["raw"]["of_reference"]
    assert {point["n"] for point in points} == {2}
    store.add_judgments(1, [judgment("stance", row.id, stance="yes") for row in store.samples(1) if row.text])
    judged = record(store, investigation="diversity")
    entry = judged["within"]["raw"]["embedding_diversity"]
    assert (entry["value"], entry["reason"]) == (None, REASON)
    assert "contested" in judged["investigation"]["coverage"]["reason"]
    assert judged["judged"]["stance"]["raw"]["yes"]["value"] == 1.0


def test_a_report_of_some_conditions_leaves_the_others_out(store: Store) -> None:
    grades = dict.fromkeys(("helpfulness", "clarity", "factuality", "depth", "engagement"), 4)
    store.add_judgments(1, [judgment("quality", row.id, **grades) for row in store.samples(1) if row.text])
    contents = record(store, investigation="diversity", conditions=("raw", "chat"))
    tables = (
        contents["within"],
        contents["cross"],
        contents["counts"],
        contents["judged"]["quality"],
        contents["meta"]["conditions"],
    )
    assert all(set(table) == {"raw", "chat"} for table in tables)
    assert contents["investigation"]["conditions"] == {"raw": "base", "chat": "aligned"}
    assert contents["meta"]["samples"] == 12
    assert not [line for line in contents["investigation"]["findings"] if HOSTILE in line]
    with pytest.raises(InputError, match="--floor"):
        record(store, conditions=("chat",))


def test_the_investigation_names_roles_and_says_what_it_could_not_do(store: Store) -> None:
    section = record(store, investigation="diversity", temperatures=(0.7, 1.0))["investigation"]
    assert section["conditions"] == {"raw": "base", "chat": "aligned", HOSTILE: "base"}
    assert "alignbench judge" in section["gate"]["reason"]
    assert {point["temperature"] for point in section["frontier"]["points"]} == {0.7}
    assert len(section["frontier"]["missing"]) == 3
    assert any("carry no claim" in line for line in section["findings"])


def test_both_investigations_in_one(store: Store) -> None:
    both = record(store, investigation="all")["investigation"]
    assert both["kind"] == "all"
    assert {"gate", "coverage"} <= both.keys()
    lines = "\n".join(both["findings"])
    assert "lexical similarity of" in lines
    assert "The quality gate was not applied" in lines
    recovery = record(store, investigation="recovery")["investigation"]
    assert set(recovery) == {"kind", "conditions", "findings"}
    assert not [line for line in recovery["findings"] if "gate" in line]


def test_what_a_judge_graded_is_in_the_tables(store: Store) -> None:
    assert record(store, metrics=("quality",))["within"]["raw"]["quality"]["reason"] == "no quality judgments"
    grade(store)
    within = record(store, metrics=("quality", "distinct_passing"))["within"]["raw"]
    assert within["quality"]["value"] == 4
    assert within["distinct_passing"]["value"] == 1


def test_pairs_that_were_imported_stand_as_they_are(store: Store) -> None:
    pairs = [
        PairScore("q0", "chat", condition, 0, i, value)
        for condition, values in (("chat", (1.0, 0.8)), ("raw", (0.5, 0.7)))
        for i, value in enumerate(values)
    ]
    store.add_pair_scores(1, "bertscore_f1", "roberta", pairs)
    assert "bertscore_f1" in default_metrics(store, 1, WORKBENCH, None)
    tables = record(store, metrics=("bertscore_f1",))
    own, raw = tables["cross"]["chat"]["bertscore_f1"], tables["cross"]["raw"]["bertscore_f1"]
    assert (own["value"], own["ceiling"]) == (pytest.approx(0.9), pytest.approx(0.8))
    assert (raw["value"], raw["ceiling"], raw["n"]) == (pytest.approx(0.6), pytest.approx(0.8), 1)
    assert "keeps 1 pairs of a sample with itself" in tables["meta"]["notes"][0]
    assert tables["cross"][HOSTILE]["bertscore_f1"]["value"] is None


def test_finish_reasons_that_nobody_recorded_are_not_counted(store: Store) -> None:
    facts = {"conditions": {"raw": {"finish_reasons": "not recorded"}}, "notes": ["from elsewhere"]}
    store.set_manifest(1, {"imported": facts})
    store.db.execute(
        "UPDATE samples SET finish_reason = NULL WHERE cell_id IN (SELECT cells.id FROM cells JOIN conditions "
        "ON conditions.id = condition_id WHERE conditions.name = 'raw')"
    )
    tables = record(store, metrics=("jaccard",))
    assert tables["counts"]["raw"]["truncated"] is None
    assert tables["counts"]["chat"]["truncated"] == 3
    assert "from elsewhere" in tables["meta"]["notes"]


def test_words_of_the_papers_data_are_counted_as_in_the_paper(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert options.session_mode(store, 1) == (WORKBENCH, "")
    store.set_manifest(1, {"imported": {"format": "overton"}})
    paper = replace(WORKBENCH, name="paper")
    monkeypatch.setattr(options, "paper_mode", lambda: paper)
    assert options.session_mode(store, 1) == (paper, "")
    assert default_metrics(store, 1, paper, None) == ("words", "jaccard", "jaccard_2", "jaccard_stem")
    assert {"coverage", "embedding_diversity"} <= {*default_metrics(store, 1, paper, "diversity")}

    def missing() -> WordMode:
        raise AlignbenchError("no data")

    monkeypatch.setattr(options, "paper_mode", missing)
    assert options.session_mode(store, 1) == (WORKBENCH, "no data")


def test_a_condition_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match=r"--reference: session 1 has no condition named 'chta'. Did you mean chat"):
        record(store, reference="chta")


def test_names_stay_text_in_markdown_and_in_spreadsheets(store: Store) -> None:
    diversity_report = report(store, investigation="diversity")
    page = markdown(diversity_report)
    assert "# Session 1: of [bold" in page
    assert "<b>" not in page.replace("\\<b\\>", "")
    assert "\x1b" not in page
    assert "](y)" not in page.replace("\\](y)", "")
    table = next(block for block in page.split("\n\n") if block.startswith("| score"))
    unescaped = [line.replace("\\|", "").count("|") for line in table.splitlines()]
    assert set(unescaped) == {5}
    rows = list(csv.DictReader(io.StringIO(spreadsheet(diversity_report))))
    assert {row["condition"] for row in rows} >= {"raw", "chat", f"'{HOSTILE}"}
    (one,) = [r for r in rows if (r["table"], r["condition"], r["metric"]) == ("within", "raw", "jaccard")]
    assert float(one["value"]) == diversity_report.scores.within["raw"]["jaccard"].value
    assert (float(one["ci_low"]), float(one["ci_high"])) == diversity_report.scores.within["raw"]["jaccard"].ci


def test_every_row_of_a_section_has_its_columns(store: Store) -> None:
    grade(store)
    shown = sections(report(store, investigation="diversity", temperatures=(0.7, 1.0)))
    for section in shown:
        assert all(len(row) == len(section.columns) for row in section.rows), section.title
    titles = [section.title for section in shown]
    assert titles[0] == "Findings"
    assert "Judged: quality" in titles
    assert "Quality gate: mean of the judged aspects 3 or more" in titles
    assert "Frontier over temperatures" in titles
    settings = next(section for section in shown if section.title == "Settings")
    assert settings.rows[0][:4] == ("raw", "demo-base", "base", "plain")
