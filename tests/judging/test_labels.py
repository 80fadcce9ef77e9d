"""Pairs that a person labels: their order, what is stored, and how far judges agree."""

from __future__ import annotations

import pytest

from alignbench.errors import InputError
from alignbench.judging.labels import HUMAN, PREFERENCE, TAG, plan_labels, user_name
from alignbench.judging.preferences import label_agreement, preference_agreement
from alignbench.judging.summary import Agreement, judged_tables
from alignbench.reports.sections import judged_sections
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.judged import fill, judgment
from tests.support.samples import BASE, result


@pytest.fixture
def filled(store: Store) -> Store:
    """Session 1: 6 prompts, a base and an aligned condition, 2 samples each."""
    fill(store, prompts=6)
    return store


def test_the_order_is_the_seeds_and_half_are_flipped(filled: Store) -> None:
    first, again, other = (plan_labels(filled, 1, seed=seed).items for seed in (0, 0, 1))
    assert first == again
    assert len(first) == 12
    assert first != other
    assert {item.sample_id for item in first} == {item.sample_id for item in other}
    assert 0 < sum(item.flipped for item in first) < 12
    assert [item.prompt_id for item in first] != sorted(item.prompt_id for item in first)


def test_an_answer_is_of_the_sample_wherever_it_was_shown(filled: Store) -> None:
    plan = plan_labels(filled, 1)
    for item in plan.items:
        fields = plan.label(item, 0).fields
        assert fields == {"preferred": "b" if item.flipped else "a"}
        assert plan.label(item, 2).fields == {"preferred": "same"}
    straight, flipped = (next(i for i in plan.items if i.flipped is way) for way in (False, True))
    filled.add_judgments(1, [plan.label(straight, 1), plan.label(flipped, 0)])
    table = judged_tables(filled, 1)[PREFERENCE]["demo-base vs demo-smollm2"]
    assert {field: entry.value for field, entry in table.items()} == {"a": 0, "b": 1, "same": 0}
    assert (table["b"].n, table["b"].flipped) == (2, 1)


def test_what_is_labelled_is_not_asked_again_but_by_other_tags(filled: Store) -> None:
    plan = plan_labels(filled, 1, tags=("hedges", " says more"))
    assert (plan.kind, plan.tags, plan.n) == (TAG, ("hedges", "says more"), 12)
    filled.add_judgments(1, [plan.label(plan.items[0], 1)])
    again = plan_labels(filled, 1, tags=("hedges", "says more"))
    assert again.items == plan.items[1:]
    assert len(plan_labels(filled, 1, tags=("hedges", "other")).items) == len(plan_labels(filled, 1).items) == 12
    (entry,) = judged_tables(filled, 1)[TAG]["demo-base vs demo-smollm2"].items()
    assert entry[0] == "says more"
    assert [row.judgment.judge for row in filled.judgments(1)] == [HUMAN]


def test_a_person_and_a_judge_of_quality_agree_or_not(filled: Store) -> None:
    plan = plan_labels(filled, 1)
    filled.add_judgments(1, [plan.label(item, 1 if item.flipped else 0) for item in plan.items[:6]])
    filled.add_judgments(1, [plan.label(item, 0 if item.flipped else 1) for item in plan.items[6:]])
    assert preference_agreement(filled, 1) == {}
    better = {item.reference_sample_id for item in plan.items[:6]} | {item.sample_id for item in plan.items[6:]}
    for judge, good in (("like", 5), ("unlike", 1)):
        grades = [(row.id, good if row.id in better else 6 - good) for row in filled.samples(1)]
        made = [judgment("quality", id, judge=judge, helpfulness=grade, **_OTHERS) for id, grade in grades]
        filled.add_judgments(1, made)
    agreements = preference_agreement(filled, 1)
    assert agreements["quality, like"] == Agreement(1.0, 12, (HUMAN, "like"))
    alpha = agreements["quality, unlike"].alpha
    assert alpha is not None
    assert alpha < 0


def test_labels_are_of_who_gave_them(filled: Store) -> None:
    anna, ben = (plan_labels(filled, 1, labeller=name) for name in ("anna", " ben "))
    filled.add_judgments(1, [anna.label(item, 1 if item.flipped else 0) for item in anna.items[:6]])
    assert label_agreement(filled, 1) == {}
    assert len(plan_labels(filled, 1, labeller="anna").items) == 6
    assert plan_labels(filled, 1, labeller="ben").items == ben.items  # what one has labelled the other is asked too
    answers = [1 if item.flipped else 0 for item in ben.items[:5]] + [
        0 if item.flipped else 1 for item in ben.items[5:]
    ]
    filled.add_judgments(1, [ben.label(item, answer) for item, answer in zip(ben.items, answers, strict=True)])
    assert filled.judges(1, PREFERENCE) == ["ben", "anna"]
    people = label_agreement(filled, 1)[PREFERENCE]["people"]
    assert (people.items, people.judges) == (6, ("ben", "anna"))
    assert people.alpha is not None
    assert people.alpha < 0.5  # anna says the same of all six
    shares = judged_tables(filled, 1)[PREFERENCE]["demo-base vs demo-smollm2"]["a"]
    assert (shares.n, set(shares.judges)) == (18, {"anna", "ben"})
    (section,) = judged_sections({PREFERENCE: judged_tables(filled, 1)[PREFERENCE]})
    assert section.title.startswith("Judged: preference, by ")
    filled.add_judgments(
        1, [judgment("quality", row.id, judge="j", helpfulness=3, **_OTHERS) for row in filled.samples(1)]
    )
    assert set(label_agreement(filled, 1)[PREFERENCE]) == {"people", "anna and quality, j", "ben and quality, j"}
    assert judged_tables(filled, 1, judge="anna")[PREFERENCE]["demo-base vs demo-smollm2"]["a"].n == 6


def test_people_agree_on_a_question_only(filled: Store) -> None:
    """Other tags are another question."""
    anna, ben = (
        plan_labels(filled, 1, tags=tags, labeller=name)
        for name, tags in (("anna", ("hedges", "answers")), ("ben", ("short", "answers")))
    )
    filled.add_judgments(1, [plan.label(plan.items[0], 1) for plan in (anna, ben)])
    assert label_agreement(filled, 1)[TAG]["people"].items == 0


def test_who_labels_is_the_user_where_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "clara")
    assert user_name() == "clara"

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert user_name() == HUMAN


_OTHERS = dict.fromkeys(("clarity", "factuality", "depth", "engagement"), 3)


def test_what_cannot_be_labelled_is_said(filled: Store) -> None:
    for options, message in (
        ({"tags": ("one",)}, "expected 2 to 9 different ones"),
        ({"tags": ("a", "a")}, "expected 2 to 9 different ones"),
        ({"tags": ("a", "")}, "expected 2 to 9 different ones"),
        ({"labeller": " "}, "--as is empty"),
        ({"reference": "x"}, "no condition named 'x'"),
        ({"conditions": ("demo-bas",)}, "Did you mean demo-base"),
    ):
        with pytest.raises(InputError, match=message):
            plan_labels(filled, 1, **options)  # type: ignore[arg-type]
    lonely = filled.create_session("lonely", reference="demo-base")
    cell = filled.add_cell(lonely, Prompt("q", "Why?"), Condition.zero_shot(BASE), 1)
    filled.add_sample(cell, result(0, "alone"))
    with pytest.raises(InputError, match="no sample to compare"):
        plan_labels(filled, lonely)
