"""Sentences say what the interval carries, and no more."""

from __future__ import annotations

from typing import Any

from alignbench.reports.findings import findings

NO_GATE = {"reason": "no quality judgments", "conditions": {}}
NO_LENGTHS = {"metric": "jaccard", "words": 40.0, "equal": {}, "opening": {}}
NO_COVERAGE = {"reason": "coverage was not asked for", "conditions": {}}


def score(value: float | None, difference: dict[str, Any] | None = None, reason: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"value": value, "reason": reason}
    return found if difference is None else {**found, "difference": difference}


def said(metric: str, difference: dict[str, Any], gate: Any = NO_GATE, **extra: Any) -> str:
    report = {
        "within": {"base": {metric: score(0.1, difference)}, "chat": {metric: score(0.3)}},
        "judged": extra.pop("judged", {}),
        "meta": {"reference": "chat", "contested": extra.pop("contested", 0)},
    }
    investigation = {"gate": gate, "coverage": NO_COVERAGE, "lengths": NO_LENGTHS, **extra}
    return "\n".join(findings(report, investigation))


def gap(value: float, low: float, high: float, p: float = 0.001, n: int = 50) -> dict[str, Any]:
    return {"value": value, "ci": [low, high], "p": p, "p_holm": p, "n": n}


def test_a_clear_difference_has_its_direction() -> None:
    assert "base is more diverse" in said("jaccard", gap(-0.2, -0.25, -0.15))
    assert "base is less diverse" in said("embedding_diversity", gap(-0.2, -0.25, -0.15))
    assert "shorter responses" in said("words", gap(-20.0, -25.0, -15.0))


def test_an_interval_with_zero_in_it_carries_no_claim() -> None:
    for line in (said("jaccard", gap(-0.2, -0.5, 0.1)), said("jaccard", gap(-0.2, -0.3, -0.1, p=0.2))):
        assert "not told from no difference" in line
        assert "diverse" not in line


def test_few_prompts_carry_no_claim() -> None:
    line = said("jaccard", gap(-0.2, -0.25, -0.15, n=2))
    assert "under 20 prompts carry no claim" in line
    assert "is more diverse" not in line


def test_what_cannot_be_compared_says_why() -> None:
    line = said("jaccard", {"value": None, "ci": None, "p": None, "p_holm": None, "n": 0})
    assert "do not compare" in line


def test_the_gates_share_is_a_claim_only_with_an_interval_off_zero() -> None:
    def closed(share: dict[str, Any]) -> str:
        change = {"before": gap(-0.2, -0.3, -0.1), "after": gap(-0.1, -0.2, 0.0), "share": share}
        entry = {"judged": 10, "passing": 6, "gap": {"jaccard": change}}
        gate = {"reason": "", "quality": "q", "threshold": 3.0, "judge": "j", "conditions": {"base": entry}}
        return said("jaccard", gap(-0.2, -0.25, -0.15), gate)

    assert "50% [20%, 80%] of the difference is bad responses" in closed({"value": 0.5, "ci": [0.2, 0.8]})
    assert "not told from no effect" in closed({"value": 0.1, "ci": [-0.2, 0.4]})
    line = closed({"value": 0.5, "ci": None, "reason": "no interval: needs 20 prompts, has 3"})
    assert "needs 20 prompts" in line
    assert "bad responses" not in line


def test_coverage_at_few_responses_carries_no_claim() -> None:
    def covered(n: int) -> dict[str, Any]:
        curve = [{"k": k, "value": k / 20, "ci": None} for k in range(1, n + 1)]
        return {"n": n, "of_reference": curve, "responses_covered": {"value": 0.5}}

    report = {"within": {"chat": {}}, "judged": {}, "meta": {"reference": "chat", "contested": 0}}
    coverage = {"reason": "", "conditions": {"base": covered(5), "one": covered(1), "many": covered(12)}}
    lines = findings(report, {"gate": NO_GATE, "coverage": coverage, "lengths": NO_LENGTHS})
    assert "One response of base says 5% of a response of chat, 5 together say 25%" in lines[1]
    assert "One response of one says 5% of a response of chat; a response of chat covers 0.500 of its 1." in lines
    assert "Coverage rests on 1 to 5 responses a prompt, under 10" in lines[-1]


def test_contested_prompts_without_stances_ask_for_them() -> None:
    assert "--kind stance" in said("jaccard", gap(-0.2, -0.25, -0.15), contested=4)
    fields = {name: {"value": 0.25, "ci": None} for name in ("yes", "no", "both", "other")}
    stances = {"chat": {**fields, "distinct_per_prompt": {"value": 2.0, "ci": [1.0, 3.0]}}}
    line = said("jaccard", gap(-0.2, -0.25, -0.15), contested=4, judged={"stance": stances})
    assert "Stances of chat: yes 25%, no 25%, both 25%, other 25%; 2.000 [1.000, 3.000] different ones" in line
    assert "--kind stance" not in line


def test_equal_length_is_told_apart() -> None:
    chat = score(0.3)
    lengths = {**NO_LENGTHS, "equal": {"base": score(0.2, gap(-0.1, -0.2, 0.1)), "chat": chat}}
    lines = said("jaccard", gap(-0.2, -0.25, -0.15), lengths=lengths).splitlines()
    (line,) = [line for line in lines if "random sentences of 40 words" in line]
    assert "base 0.200, chat 0.300" in line
    assert "not told from no difference" in line


def test_without_a_reference_nothing_is_compared() -> None:
    report = {"within": {}, "judged": {}, "meta": {"reference": None, "contested": 0}}
    assert findings(report, {}) == ["No condition is the reference, so nothing is compared; name one with --reference."]
