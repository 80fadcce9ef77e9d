"""What judgments come to, on numbers that can be added up by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignbench.contexts.source_samples import NOTHING_HELD_OUT
from alignbench.judging.summary import (
    agreement,
    judged_tables,
    judgments_of,
    pair_sources,
    summarize,
    with_source_apart,
)
from alignbench.metrics.statistics import Uncertainty
from alignbench.spec import Condition, Context, Hint, Prompt
from alignbench.store import Store
from tests.support.judged import fill, judgment
from tests.support.samples import BASE, result

ASPECTS = ("helpfulness", "clarity", "factuality", "depth", "engagement")
UNCERTAINTY = Uncertainty(resamples=200)


def grades(grade: int | None) -> dict[str, int | None]:
    return dict.fromkeys(ASPECTS, grade)


def test_quality_is_the_mean_over_prompts_and_counts_what_is_left_out(store: Store) -> None:
    samples = fill(store, prompts=3)
    base = [samples[p, "demo-base", i] for p in range(3) for i in range(2)]
    store.add_judgments(
        1,
        [
            judgment("quality", base[0], **grades(1)),
            judgment("quality", base[1], **grades(3)),
            judgment("quality", base[2], **{**grades(5), "factuality": None}),
            judgment("quality", base[3], "invalid"),
            judgment("quality", base[4], "na", **grades(None)),
        ],
    )
    table = judged_tables(store, 1, uncertainty=UNCERTAINTY)["quality"]
    assert list(table) == ["demo-base"]
    clarity = table["demo-base"]["clarity"]
    assert clarity.value == pytest.approx((2 + 5) / 2)
    assert (clarity.n, clarity.prompts, clarity.invalid, clarity.na) == (3, 2, 1, 1)
    assert clarity.ci == (1.0, 5.0), "two prompts tell nothing, and grades end at 1 and 5"
    factuality = table["demo-base"]["factuality"]
    assert factuality.value == pytest.approx(2)
    assert (factuality.n, factuality.na, factuality.ci) == (2, 2, None)


def test_stances_are_shares_and_their_spread(store: Store) -> None:
    samples = fill(store, n=3)
    said = {0: ("yes", "yes", "no"), 1: ("both", "both", "both")}
    store.add_judgments(
        1,
        [
            judgment("stance", samples[p, "demo-smollm2", i], stance=stance)
            for p, stances in said.items()
            for i, stance in enumerate(stances)
        ],
    )
    fields = judged_tables(store, 1, uncertainty=UNCERTAINTY)["stance"]["demo-smollm2"]
    shares = {name: fields[name].value for name in ("yes", "no", "both", "other")}
    assert shares == pytest.approx({"yes": 1 / 3, "no": 1 / 6, "both": 1 / 2, "other": 0})
    assert fields["distinct_per_prompt"].value == pytest.approx(1.5)
    assert (fields["distinct_per_prompt"].n, fields["distinct_per_prompt"].prompts) == (6, 2)


def test_pairs_are_named_by_both_conditions_and_count_their_order(store: Store) -> None:
    samples = fill(store, n=2)
    pairs = [(samples[p, "demo-base", i], samples[p, "demo-smollm2", i]) for p in range(2) for i in range(2)]
    topics = [{"topic": "x", "in": place, "helpfulness": None} for place in ("a", "b", "b", "both")]
    store.add_judgments(
        1,
        [
            *(
                judgment("new-information", b, reference_sample_id=a, flipped=k == 0, score=k + 1)
                for k, (b, a) in enumerate(pairs)
            ),
            judgment("topics", pairs[0][0], reference_sample_id=pairs[0][1], topics=topics),
        ],
    )
    tables = judged_tables(store, 1, uncertainty=UNCERTAINTY)
    assert list(tables) == ["new-information", "topics"]
    score = tables["new-information"]["demo-base vs demo-smollm2"]["score"]
    assert (score.value, score.n, score.flipped) == (2.5, 4, 1)
    counts = tables["topics"]["demo-base vs demo-smollm2"]
    assert {place: counts[place].value for place in counts} == {"a": 1, "b": 2, "both": 1}
    assert judged_tables(store, 1, reference="demo-base", uncertainty=UNCERTAINTY) == {}


def test_a_pair_with_the_source_of_a_context_is_held_out(store: Store) -> None:
    """Sample 0 of the reference is what the hint tells of: its pair, which the judge found nothing new in, is apart."""
    samples = fill(store, prompts=1, n=2)
    hint = Hint("summary", condition="demo-smollm2", sample=0, maker="m")
    hinted = Condition("hinted", BASE, Context("plain", hint=hint))
    cell = store.add_cell(1, Prompt("q0", "Why 0?"), hinted, 2)
    of_pairs = [
        judgment(
            "new-information",
            store.add_sample(cell, result(i, f"hinted says {i}")).id,
            reference_sample_id=samples[0, "demo-smollm2", i],
            score=score,
        )
        for i, score in enumerate((1, 4))
    ]
    store.add_judgments(1, of_pairs)
    table = judged_tables(store, 1, uncertainty=UNCERTAINTY)["new-information"]
    score = table["hinted vs demo-smollm2"]["score"]
    assert (score.value, score.n, score.reason) == (4, 1, "")
    assert score.with_source is not None
    assert (score.with_source.value, score.with_source.n, score.with_source.with_source) == (2.5, 2, None)
    assert list(with_source_apart(table)) == ["hinted vs demo-smollm2, held out", "hinted vs demo-smollm2, with source"]
    rows = [row for row in judgments_of(store, 1, "new-information", "demo-smollm2") if row.sample == 0]
    score = summarize("new-information", rows, UNCERTAINTY, pair_sources(store, 1, rows))["hinted vs demo-smollm2"][
        "score"
    ]
    assert (score.value, score.reason) == (None, NOTHING_HELD_OUT)
    assert score.with_source is not None
    assert score.with_source.value == 1


def test_the_judge_with_the_most_judgments_speaks_unless_one_is_named(store: Store) -> None:
    samples = [*fill(store).values()]
    store.add_judgments(1, [judgment("quality", s, **grades(2)) for s in samples[:1]])
    store.add_judgments(1, [judgment("quality", s, judge="other", **grades(5)) for s in samples[:2]])
    assert judged_tables(store, 1, uncertainty=UNCERTAINTY)["quality"]["demo-base"]["depth"].value == 5
    named = judged_tables(store, 1, judge="demo-smollm2", uncertainty=UNCERTAINTY)
    assert named["quality"]["demo-base"]["depth"].value == 2
    assert judged_tables(store, 1, judge="nobody", uncertainty=UNCERTAINTY) == {}


def test_a_judgment_with_a_newer_template_takes_the_place_of_the_older(store: Store) -> None:
    sample = next(iter(fill(store).values()))
    old = judgment("quality", sample, **grades(1))
    store.add_judgments(1, [old, replace(old, template_hash="t2", fields=grades(4))])
    entry = judged_tables(store, 1, uncertainty=UNCERTAINTY)["quality"]["demo-base"]["depth"]
    assert (entry.value, entry.n) == (4, 1)


def test_agreement_of_two_judges(store: Store) -> None:
    samples = [*fill(store).values()]
    for judge, shift in (("one", 0), ("two", 1)):
        store.add_judgments(
            1,
            [
                judgment("quality", s, judge=judge, **{**grades(k + 1), "depth": k + 1 + shift * (k == 2)})
                for k, s in enumerate(samples[:4])
            ],
        )
    store.add_judgments(1, [judgment("stance", s, judge="one", stance="yes") for s in samples])
    agreements = agreement(store, 1)
    assert list(agreements) == ["quality"]
    assert agreements["quality"]["clarity"].alpha == pytest.approx(1.0)
    assert 0 < agreements["quality"]["depth"].alpha < 1
    assert agreements["quality"]["depth"].items == 4
    assert set(agreements["quality"]["depth"].judges) == {"one", "two"}


def test_the_topics_of_a_set_and_the_share_that_one_response_covers(store: Store) -> None:
    samples = fill(store, n=2)
    first = judgment("set-topics", samples[0, "demo-base", 0], topics=[["a"]])
    grown = judgment("set-topics", samples[0, "demo-base", 1], topics=[["a", "b"], ["b", "c"]])
    other = judgment("set-topics", samples[1, "demo-base", 1], topics=[["a"], ["a"]])
    store.add_judgments(1, [first])
    store.add_judgments(1, [grown, other])
    fields = judged_tables(store, 1, uncertainty=UNCERTAINTY)["set-topics"]["demo-base"]
    assert fields["topics"].value == pytest.approx((3 + 1) / 2)
    assert fields["covered"].value == pytest.approx((2 / 3 + 1) / 2)
    assert fields["covered"].ci is not None
    assert fields["covered"].ci[1] == 1.0, "a share"
    assert fields["topics"].ci is not None
    assert fields["topics"].ci[0] == 1.0, "of topics there is one at least"
    assert fields["covered"].n == 2, "the judgment of the smaller set has been superseded"
