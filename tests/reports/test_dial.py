"""Ladders of an adapter's scale in a session: which there are, and what stands at each scale."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignbench.judging.qualities import Qualities
from alignbench.metrics.statistics import Uncertainty
from alignbench.metrics.values import WORKBENCH
from alignbench.reports.contents import Report
from alignbench.reports.dial import AdapterLadder, Dial, adapter_ladders, dial
from alignbench.reports.figures import figures
from alignbench.reports.options import Options
from alignbench.reports.report import build_report
from alignbench.reports.sections import sections
from alignbench.reports.spreadsheet import spreadsheet
from alignbench.reports.to_json import report_json
from alignbench.scoring import likelihood_cache
from alignbench.scoring.endings import EndCounts
from alignbench.scoring.likelihood_cache import LikelihoodCache
from alignbench.scoring.model_based.bits_from_base import BitsFromBase
from alignbench.scoring.score_tables import ScoreTables, WithinEstimate
from alignbench.spec import Condition, Context, Model, Prompt, Sampling
from alignbench.store import Store
from tests.support.given import GivenResponses
from tests.support.samples import result
from tests.support.toy_ends import KL, WITHOUT_ENDS, EndsPool

BASE = Model("tiny", "llama:/tiny.gguf", "base")
METRICS = ("words", "jaccard")
SCALES = (0.0, 0.5, 1.0)


def at(scale: float, base: str = "llama:/tiny.gguf", adapter: str = "/sft.gguf", **changes: Any) -> Condition:
    place = f"{base}+{adapter}*{scale}"
    model = Model(changes.pop("called", f"sft*{scale:g}"), place, changes.pop("kind", "aligned"))
    return Condition.zero_shot(model, **{"sampling": Sampling(temperature=1.0), **changes})


def found(*conditions: Condition) -> list[tuple[str, list[float]]]:
    return [(ladder.name, [scale for scale, _ in ladder.rungs]) for ladder in adapter_ladders(conditions)]


def test_conditions_that_differ_in_their_adapter_s_scale_alone_are_a_dial() -> None:
    rungs = [at(1.0), at(0.0), at(1.25), at(0.5)]
    assert found(Condition.zero_shot(BASE), *rungs) == [("tiny+sft", [0.0, 0.5, 1.0, 1.25])]
    assert found(*rungs[:2]) == []
    for other in (
        at(0.5, adapter="/dpo.gguf"),
        at(0.5, base="llama:/other.gguf"),
        at(0.5, seed=9),
        at(0.5, mode="fast"),
        at(0.5, sampling=Sampling(temperature=0.7)),
        replace(at(0.5), context=Context("chat", instruction="Be brief.")),
        Condition.zero_shot(Model("sft", "imported:sft*0.5", "aligned")),
        Condition.zero_shot(Model("old", "elsewhere:/tiny.gguf+/sft.gguf*0.5", "aligned")),
    ):
        assert found(*rungs[:2], other) == []


def test_names_and_kinds_and_how_a_scale_is_written_make_no_difference() -> None:
    named = [at(0.0, name="nothing", called="x"), replace(at(0.5, kind="base"), context=Context("chat")), at(1.0)]
    assert found(*named) == [("tiny+sft", [0.0, 0.5, 1.0])]
    whole = replace(at(1.0), model=Model("sft", "llama:/tiny.gguf+/sft.gguf", "aligned"))
    assert found(at(0.0), at(0.5), whole) == [("tiny+sft", [0.0, 0.5, 1.0])]
    assert found(at(0.0), at(0.5), at(0.5, name="again"), at(1.0)) == [("tiny+sft", [0.0, 0.5, 1.0])]
    hub = [at(scale, base="hf:org/base@0a", adapter="me/lora") for scale in SCALES]
    assert found(*hub) == [("base+lora", [*SCALES])]
    demo = [at(scale, base="demo-base") for scale in SCALES]
    assert found(*demo) == [("demo-base+sft", [*SCALES])]


def test_two_dials_of_one_model_are_called_after_what_is_lowest_there() -> None:
    cold = [at(scale, name=f"cold {scale:g}", sampling=Sampling(temperature=0.3)) for scale in SCALES]
    assert [name for name, _ in found(*map(at, SCALES), *cold)] == ["sft*0", "cold 0"]
    in_context = [replace(each, context=Context("chat", name="short", instruction="Be brief.")) for each in cold]
    assert [name for name, _ in found(*map(at, SCALES), *in_context)] == ["tiny+sft", "tiny+sft + short"]


def said(scale: float, sample: int) -> str:
    """Responses of a dial that says ever less, and the more alike the higher its scale is."""
    shared = round(6 * scale)
    words = [f"same{i}" for i in range(shared)] + [f"own{sample}{scale * 10:g}{i}" for i in range(14 - shared - sample)]
    return f"{' '.join(words)}."


def turned(conditions: list[Condition], texts: dict[str, dict[str, list[str]]], **known: Any) -> Dial:
    (ladder,) = adapter_ladders(conditions)
    given: dict[str, Any] = {
        "base": None, "metrics": METRICS, "tables": ScoreTables(), "qualities": Qualities("", {}), "ends": {},
        "bits": lambda _: BitsFromBase(WithinEstimate(reason="nobody asked")), **known,
    }  # fmt: skip
    return dial(
        ladder, given["base"], GivenResponses(texts), given["metrics"], WORKBENCH, given["tables"], given["qualities"],
        given["ends"], given["bits"], Uncertainty(resamples=50),
    )  # fmt: skip


def test_a_scale_is_compared_at_the_lengths_that_all_have_in_common() -> None:
    """All responses are cut to 12 words, of which so many are the same in both: 0, 3 and 6."""
    rungs = [at(scale) for scale in SCALES]
    prompts = {
        f"p{i}": {c.name: [said(s, 0), said(s, 2)] for s, c in zip(SCALES, rungs, strict=True)} for i in range(3)
    }
    points = turned(rungs, prompts).points
    values = [point.matched["jaccard"].estimate for point in points]
    assert [one.value for one in values] == pytest.approx([0.0, 3 / 21, 6 / 18])
    assert [one.n for one in values] == [3, 3, 3]
    lowest, half, whole = (point.matched["jaccard"].difference for point in points)
    assert lowest is None
    assert half is not None
    assert whole is not None
    assert (half.value, whole.value) == (pytest.approx(3 / 21), pytest.approx(6 / 18))
    assert turned(rungs, prompts, metrics=("words",)).points[0].matched == {}


def test_a_prompt_that_a_scale_has_too_little_of_compares_none_of_them() -> None:
    rungs = [at(scale) for scale in SCALES]
    whole = {c.name: [said(s, 0), said(s, 2)] for s, c in zip(SCALES, rungs, strict=True)}
    alone = {**whole, rungs[1].name: [said(0.5, 0)]}
    short = {**whole, rungs[1].name: ["Too short.", said(0.5, 0)]}
    known = turned(rungs, {"p0": whole, "p1": alone, "p2": short})
    assert [point.matched["jaccard"].estimate.n for point in known.points] == [1, 1, 1]
    assert known.skipped == {"jaccard": 1}
    nothing = turned(rungs, {"p1": alone}).points[0].matched["jaccard"].estimate
    assert (nothing.value, nothing.reason) == (None, "needs 2 samples, has 1")


def test_what_is_known_of_a_scale_stands_at_it() -> None:
    rungs = [at(scale) for scale in SCALES]
    score, bits = WithinEstimate(0.5, None, 1, samples=2), {c.name: BitsFromBase(WithinEstimate(1.0)) for c in rungs}
    known = turned(
        rungs, {}, base=Condition.zero_shot(BASE),
        tables=ScoreTables({c.name: {"words": score, "jaccard": score} for c in rungs}),
        qualities=Qualities("j", {("sft*0.5", "p", 0): 2.0, ("sft*0.5", "p", 1): 4.0}),
        ends={"sft*0": {"p": 0.25, "q": 0.75}, "sft*0.5": {"p": None}},
        bits=lambda condition: bits[condition.name],
    )  # fmt: skip
    lowest, half, _ = known.points
    assert (lowest.words, lowest.diversity, half.diversity) == (score, {"jaccard": score}, {"jaccard": score})
    assert (lowest.ended.value, half.ended.reason) == (0.5, "how responses ended was not recorded")
    assert lowest.ended.ci == (0.0, 1.0)  # inside what a share can be
    assert (half.quality.value, lowest.quality.reason) == (3.0, "no quality judgments")
    assert half.bits is bits["sft*0.5"]
    assert (known.base, known.same_layout) == ("tiny", False)
    plain = [replace(each, context=Context("plain")) for each in rungs]
    assert turned(plain, {}, base=Condition.zero_shot(BASE)).same_layout


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(likelihood_cache, "weights_hash", lambda model: model.reference.partition("+")[0])
    with Store.open(tmp_path / "runs.db") as store:
        yield store


def planted(store: Store, temperature: float = 1.0, base: Model = BASE) -> None:
    """Session 1: the base model, and three scales of an adapter that say a and aaa to one prompt, the one more than
    the other, and are cut after a word of another."""
    number = store.create_session("dial", reference="sft*1")
    sampling = Sampling(temperature=temperature)
    for condition in (
        Condition.zero_shot(base, name="tiny", sampling=sampling),
        *(at(s, sampling=sampling) for s in SCALES),
    ):
        for prompt, texts in (("p0", ("a", "aaa")), ("p1", ("aa", "aa"))):
            cell = store.add_cell(number, Prompt(prompt, f"Why {prompt}?"), condition, 2)
            store.set_rendered(cell, f"# {condition.name}: Why {prompt}? ")
            for i, text in enumerate(texts):
                store.add_sample(cell, result(i, text, "stop" if prompt == "p0" or i else "length"))


def reported(store: Store, pool: EndsPool | None = None, **changes: Any) -> Report:
    options = {"metrics": (*METRICS, "alignment_gap"), "reference": "sft*1", "floor": "tiny", "resamples": 50,
               "investigation": "diversity", **changes}  # fmt: skip
    likelihoods = None if pool is None else lambda: LikelihoodCache(store, pool)
    return build_report(store, 1, Options(**options), None, None, likelihoods=likelihoods)


def only_dial(report: Report) -> Dial:
    assert report.diversity is not None
    (one,) = report.diversity.dials
    return one


def test_bits_from_the_base_are_all_bits_over_all_bytes(store: Store) -> None:
    planted(store)
    known = only_dial(reported(store, EndsPool()))
    letters, ends, n_bytes = 2 + 2, 2 + 1, 4 + 4  # of p0 and p1; every first letter is certain under both
    for point in known.points:
        assert point.bits.estimate.value == pytest.approx((letters * WITHOUT_ENDS + ends * math.log2(5)) / n_bytes)
        assert point.bits.estimate.n == 2
        assert point.bits.no_kl == ""
        assert point.bits.ends == EndCounts(counted=3, cut=1)
        assert point.ended.value == 0.75


def test_bits_of_known_models_are_their_divergence(store: Store) -> None:
    planted(store)
    store.db.execute("DELETE FROM samples WHERE finish_reason = 'length'")
    for point in only_dial(reported(store, EndsPool())).points:
        assert (point.bits.no_kl, point.bits.ends) == ("", EndCounts(counted=3))
        assert point.bits.estimate.value == pytest.approx(KL / 2)  # two letters a text, on average, on both prompts


def test_a_dial_that_was_not_drawn_at_temperature_1_is_of_cross_entropies(store: Store) -> None:
    planted(store, temperature=0.7)
    report = reported(store, EndsPool())
    for point in only_dial(report).points:
        assert point.bits.no_kl == "the reference was not drawn at temperature 1 from the whole distribution"
    (table,) = (section for section in sections(report) if section.title.startswith("Dial"))
    assert table.columns[2] == "cross-entropy over tiny, bits a byte"
    assert any("no KL divergence, since the reference was not drawn" in note for note in table.notes)
    assert report_json(report)["investigation"]["dial"][0]["points"][0]["bits"]["kl"] is False


def test_without_bits_it_is_said_why(store: Store) -> None:
    planted(store)

    def reason(pool: EndsPool | None = None, **changes: Any) -> str:
        points = only_dial(reported(store, pool, **changes)).points
        (reason,) = {point.bits.estimate.reason for point in points if point.bits.estimate.value is None}
        return reason

    asked = "the models were not asked: alignbench report --metrics live,coverage,alignment_gap asks them"
    pool = EndsPool()
    assert reason(pool, metrics=METRICS) == asked
    assert pool.scored == []
    assert reason(pool, floor=None, no_floor="no floor: there is none") == "no floor: there is none"
    assert reason(pool, floor="sft*0.5") == "sft*0.5 has an adapter, so it is no base model"


def test_a_base_model_of_other_weights_is_none(store: Store) -> None:
    planted(store, base=Model("other", "llama:/other.gguf", "base"))
    for point in only_dial(reported(store, EndsPool())).points:
        assert point.bits.estimate.reason == "tiny is another model than llama:/tiny.gguf"


def test_weights_that_are_gone_are_a_reason(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    planted(store)
    for point in only_dial(reported(store, EndsPool())).points:
        assert point.bits.estimate.value is None
        assert "/tiny.gguf" in point.bits.estimate.reason


def test_scale_0_as_the_floor_is_0_bits_from_itself(store: Store) -> None:
    planted(store)
    lowest, half, _ = only_dial(reported(store, EndsPool(), floor="sft*0")).points
    assert (lowest.bits.estimate.value, half.bits.estimate.value) == (0.0, 0.0)  # whose models are alike in the toy


def test_a_report_has_it_in_every_form(store: Store) -> None:
    planted(store)
    report = reported(store, EndsPool())
    (table,) = (section for section in sections(report) if section.title.startswith("Dial"))
    assert table.title == "Dial: tiny+sft"
    assert table.columns == (
        "scale", "condition", "KL from tiny, bits a byte", "ends by itself", "words", "lexical similarity ↓",
        "at common length", "against scale 0",
    )  # fmt: skip
    assert [row[:2] for row in table.rows] == [("0", "sft*0"), ("0.5", "sft*0.5"), ("1", "sft*1")]
    assert "Scale 0 is the base model in the adapter's layout, which is not that of tiny." in table.notes
    (so_far,) = (note for note in table.notes if "text so far" in note)
    assert so_far.endswith(": 1 of 4 at scale 0, 1 of 4 at scale 0.5, 1 of 4 at scale 1.")
    assert any(note.startswith("Lengths and texts: 1 of 4 responses of sft*0 (25%)") for note in table.notes)
    (known,) = report_json(report)["investigation"]["dial"]
    assert list(known) == ["name", "base", "same_layout", "skipped", "points"]
    point = known["points"][2]
    assert list(point) == [
        "condition", "scale", "bits", "ended", "words", "diversity", "matched", "quality",
    ]  # fmt: skip
    assert list(point["bits"]) == ["value", "ci", "n", "reason", "kl", "no_kl", "so_far"]
    assert (point["scale"], point["bits"]["kl"], point["ended"]["value"]) == (1.0, True, 0.75)
    assert point["bits"]["so_far"] == "of the text so far in 1 of 4 responses: 1 cut"
    assert list(point["matched"]["jaccard"]) == ["value", "ci", "n", "reason", "difference"]
    lines = [*csv.DictReader(io.StringIO(spreadsheet(report)))]
    values = {(line["condition"], line["metric"]): line["value"] for line in lines if line["table"] == "dial"}
    assert (values["sft*0.5", "scale"], values["sft*0.5", "ended"]) == ("0.5", "0.75")
    assert float(values["sft*0.5", "bits"]) == point["bits"]["value"]
    assert [line["metric"] for line in lines if line["table"] == "dial matched"] == ["jaccard"] * 3
    (drawn,) = (figure for figure in figures(report) if figure.name == "dial")
    assert drawn.panels == 2  # bits and ends: a word a response has no common length
    assert drawn.png().startswith(b"\x89PNG")


def test_a_session_without_a_dial_has_none(store: Store) -> None:
    planted(store)
    report = reported(store, EndsPool(), conditions=("tiny", "sft*0.5", "sft*1"))
    assert report.diversity is not None
    assert report.diversity.dials == ()
    assert "dial" not in report_json(report)["investigation"]
    assert not any(section.title.startswith("Dial") for section in sections(report))
    assert "dial" not in {figure.name for figure in figures(report)}
    recovery = reported(store, EndsPool(), investigation="recovery")
    assert recovery.diversity is None


def test_the_gap_is_part_of_a_report_whose_models_can_be_asked(store: Store) -> None:
    planted(store)
    asked = reported(store, EndsPool(), investigation=None).scores.cross["tiny"]["alignment_gap"]
    assert asked.value is not None
    unasked = reported(store, None, investigation=None).scores.cross["tiny"]["alignment_gap"]
    assert unasked.reason == "not part of this report: alignbench score --metrics alignment_gap"


def test_a_ladder_is_a_value() -> None:
    (ladder,) = adapter_ladders([at(scale) for scale in SCALES])
    assert ladder == AdapterLadder("tiny+sft", tuple((scale, at(scale)) for scale in SCALES))
