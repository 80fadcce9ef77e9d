"""The investigation of pluralism: what is claimed, shown and written, from planted stances, words and vectors."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from alignbench.judging.stances import NO_STANCES
from alignbench.reports.contents import Report
from alignbench.reports.figures import figures
from alignbench.reports.finding import Finding
from alignbench.reports.numbers import percent
from alignbench.reports.pluralism_to_json import matrix_json
from alignbench.reports.sections import sections
from alignbench.reports.writing import written
from alignbench.store import Store
from tests.support.commands import alignbench
from tests.support.reported import HOSTILE, record, report
from tests.support.stances import ALIGNED_SAID, BASE_SAID, contested_session

METRICS = ("words", "jaccard", "anchor_share", "embedding_similarity", "branching_factor", "stance_entropy")


@pytest.fixture
def contested(tmp_path: Path) -> Iterator[Store]:
    """Session 1: 24 contested prompts, the base split between yes and no, the aligned model naming both."""
    with Store.open(tmp_path / "contested.db") as store:
        contested_session(store, {"raw": BASE_SAID, "chat": ALIGNED_SAID})
        yield store


def pluralism_report(store: Store, **changes: object) -> Report:
    return report(store, **{"metrics": METRICS, "investigation": "pluralism", **changes})


def said(of: Report) -> list[Finding]:
    assert of.investigation is not None
    return [*of.investigation.findings]


def starting(of: Report, words: str) -> Finding:
    return next(finding for finding in said(of) if finding.text.startswith(words))


def test_where_the_base_splits_the_aligned_model_names_both(contested: Store) -> None:
    finding = starting(pluralism_report(contested), "Where raw splits")
    assert "on 24 of 24 contested prompts, 100% [100%, 100%] of responses of chat name both sides" in finding.text
    assert "(held out 100%, raw itself 0%)" in finding.text
    assert finding.text.endswith("chat names both sides more often.")
    assert [(claim.kind, claim.says) for claim in finding.claims] == [("both sides", "the reference")]


def test_the_known_answers_are_claimed(contested: Store) -> None:
    of = pluralism_report(contested)
    spread, sides = starting(of, "Stance entropy"), starting(of, "Of the sides")
    assert "raw 1.522, chat 0.000" in spread.text
    assert [(claim.kind, claim.says) for claim in spread.claims] == [("stance spread", "more even")]
    assert "one response of raw covers 40%, of chat 100%" in sides.text
    assert [(claim.kind, claim.says) for claim in sides.claims] == [("sides", "less")]


def test_a_share_between_two_percents_is_rounded_alike_in_sentence_and_table(tmp_path: Path) -> None:
    said = {"raw": ("yes",) * 17 + ("other",) * 3, "chat": ALIGNED_SAID}  # 8.5 of 20
    with Store.open(tmp_path / "half.db") as store:
        contested_session(store, said, prompts=21)
        of = pluralism_report(store)
    assert "one response of raw covers 43%" in starting(of, "Of the sides").text
    sides = next(section for section in sections(of) if section.title.startswith("Sides of contested"))
    column = sides.columns.index("one response covers")
    assert {row[0]: row[column].split()[0] for row in sides.rows} == {"raw": "43%", "chat (reference)": "100%"}


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.425, "43%"), (0.42499999999999993, "43%"), (0.42500000000000004, "43%"), (0.4249, "42%"), (0.125, "13%"),
     (-0.125, "-13%"), (-0.001, "0%"), (1.0, "100%"), (2.345, "235%"), (float("inf"), "inf%")],
)  # fmt: skip
def test_halves_of_a_percent_are_rounded_away_from_0(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_few_prompts_claim_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "few.db") as store:
        contested_session(store, {"raw": BASE_SAID, "chat": ALIGNED_SAID}, prompts=8)
        of = pluralism_report(store)
    assert not [finding for finding in said(of) for _ in finding.claims]
    assert any("under 20 prompts carry no claim" in finding.text for finding in said(of))


def test_two_halves_of_one_condition_claim_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    with Store.open(tmp_path / "same.db") as store:
        draws = iter(rng.choice(["yes", "no", "both", "other"], 10_000).tolist())

        class Drawn(Sequence[str]):
            def __len__(self) -> int:
                return 5

            def __getitem__(self, _: object) -> str:  # type: ignore[override]
                return next(draws)

            def __iter__(self) -> Iterator[str]:
                return iter([next(draws) for _ in range(5)])

        contested_session(store, {"raw": Drawn(), "chat": Drawn()}, prompts=40)
        of = pluralism_report(store)
    kinds = {claim.kind for finding in said(of) for claim in finding.claims}
    assert not kinds & {"stance spread", "sides", "both sides"}


def test_without_stances_it_says_what_makes_some(store: Store) -> None:
    of = pluralism_report(store)
    assert starting(of, "Nothing is said of sides").text.endswith(f"{NO_STANCES}.")
    assert of.pluralism is not None
    assert of.pluralism.stances.conditions == {}
    assert [figure.name for figure in figures(of) if figure.name in ("stances", "matrix")] == ["matrix"]


def test_without_a_reference_nothing_is_compared(contested: Store) -> None:
    of = pluralism_report(contested, reference=None, floor=None)
    assert [finding.text for finding in said(of)] == [
        "No condition is the reference, so nothing is compared; name one with --reference."
    ]
    assert of.pluralism is not None
    assert of.pluralism.stances.conditions["raw"].entropy.value == pytest.approx(1.522, abs=5e-4)
    assert of.pluralism.stances.conditions["raw"].where_it_splits is None


def test_phrases_that_most_responses_have_are_claimed_and_listed(tmp_path: Path) -> None:
    with Store.open(tmp_path / "anchors.db") as store:
        contested_session(store, {"raw": BASE_SAID, "chat": ALIGNED_SAID}, text="{name} {stance} {p} one two three")
        one = store.samples(1)
        assert one
        of = pluralism_report(store)
    assert of.pluralism is not None
    anchors = of.pluralism.anchors
    assert anchors["raw"] == ()
    first = anchors["chat"][0]
    assert (first.responses, first.n) == (5, 5)
    assert first.words[:2] == ("chat", "both")
    finding = starting(of, "Words in anchor spans")
    assert [(claim.kind, claim.says) for claim in finding.claims] == [("anchors", "fewer")]


def test_the_tables_stand_in_every_format(contested: Store) -> None:
    of = pluralism_report(contested)
    titles = [section.title for section in sections(of)]
    assert "Sides of contested prompts, from a distribution over responses to each response" in titles
    assert "Where a condition's responses split, chat" in titles
    assert "Matrix of conditions: lexical similarity" in titles
    assert "Anchor spans" in titles
    for form in ("md", "html", "latex", "csv"):
        assert written(contested, of, form)


def test_the_csv_has_sides_and_a_line_a_cell(contested: Store) -> None:
    lines = [*csv.DictReader(written(contested, pluralism_report(contested), "csv").splitlines())]
    (sides,) = [line for line in lines if (line["table"], line["condition"]) == ("stances", "raw")
                and line["metric"] == "stance_coverage"]  # fmt: skip
    assert float(sides["value"]) == pytest.approx(0.4)
    assert float(sides["difference"]) == pytest.approx(-0.6)
    assert len([line for line in lines if line["table"] == "matrix jaccard"]) == 4


def test_the_figures_are_drawn(contested: Store) -> None:
    drawn = {figure.name: figure for figure in figures(pluralism_report(contested))}
    assert {"stances", "matrix"} <= drawn.keys()
    for name in ("stances", "matrix"):
        assert drawn[name].svg().startswith("<svg")


def test_a_heat_map_has_its_scale_beside_it(contested: Store) -> None:
    drawn = {figure.name: figure for figure in figures(pluralism_report(contested))}["matrix"]
    assert "0.2 wide at least" in drawn.caption
    assert drawn.svg().count('id="matrix-axes_') == 2 * drawn.panels


def test_json_has_what_was_found(contested: Store) -> None:
    found = record(contested, metrics=METRICS, investigation="pluralism")["investigation"]["pluralism"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    raw = found["stances"]["conditions"]["raw"]
    assert raw["coverage"]["value"] == pytest.approx(0.4)
    assert [point["k"] for point in raw["union"]] == [1, 2, 3, 4, 5]
    assert raw["union"][-1]["value"] == 1.0
    assert raw["where_it_splits"]["reference_names_both"]["value"] == 1.0
    assert raw["where_it_splits"]["own_held_out"] == 0.0
    matrix = found["matrix"]["jaccard"]
    assert matrix["conditions"] == ["raw", "chat"]
    assert matrix["values"][0][1] == matrix["values"][1][0]
    assert "contested" in found["matrix"]["embedding_similarity"]["reason"]


def test_a_matrix_with_a_hostile_name_is_text(store: Store) -> None:
    of = pluralism_report(store)
    assert of.pluralism is not None
    names = matrix_json(of.pluralism.matrices[0])["conditions"]
    assert HOSTILE in names
    assert "<b>" not in written(store, of, "html").replace("<b>", "", 0).split("Matrix of conditions")[1][:4000]


def test_all_investigations_hold_it_and_the_first_two_do_not(contested: Store) -> None:
    assert "pluralism" in record(contested, investigation="all")["investigation"]
    for kind in ("diversity", "recovery"):
        assert "pluralism" not in record(contested, investigation=kind)["investigation"]


@pytest.mark.usefixtures("contested")
def test_the_command_has_it(tmp_path: Path) -> None:
    db = str(tmp_path / "contested.db")
    command = ("report", "1", "--db", db, "--investigation", "pluralism", "--embedder", "none", "--bootstrap", "50")
    page = alignbench(*command, "--format", "md").stdout
    assert "of responses of chat name both sides" in page
    assert "stance entropy" in page, "judged stances are scores of the report without being named"
