"""What moved and by how much, in plain sentences: nothing is said that an interval does not carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS

LEVEL = 0.05
SAID = ("jaccard", "embedding_diversity")  # the scores that sentences speak of
FEW = 10  # responses a prompt under which coverage carries no claim

Entry = Mapping[str, Any]


def findings(report: Mapping[str, Any], investigation: Mapping[str, Any]) -> list[str]:
    """Sentences on lengths, diversity, the quality gate, coverage and stances, in this order."""
    reference = report["meta"]["reference"]
    if reference is None:
        return ["No condition is the reference, so nothing is compared; name one with --reference."]
    return [
        *_differences(report["within"], reference, "words"),
        *(line for metric in SAID for line in _differences(report["within"], reference, metric)),
        *_equal_length(investigation["lengths"], reference),
        *_surprisals(report["within"], reference),
        *_gate(investigation["gate"], reference),
        *_coverage(investigation["coverage"], reference),
        *_stances(report["judged"].get("stance", {}), report["meta"]["contested"]),
    ]


def _differences(within: Mapping[str, Any], reference: str, metric: str) -> Iterator[str]:
    own = within[reference].get(metric)
    for condition, scores in within.items():
        entry = scores.get(metric)
        if condition == reference or entry is None or own is None or "difference" not in entry:
            continue
        title = METRICS[metric].title
        difference = entry["difference"]
        if difference["value"] is None:
            reason = entry["reason"] or own["reason"] or "no prompt has both"
            yield f"{title}: {condition} and {reference} do not compare ({reason})."
            continue
        shown = f"{title}: {condition} {number(entry['value'])}, {reference} {number(own['value'])}"
        yield f"{shown}; {_moved(condition, difference, METRICS[metric].more_diverse)}."


def _equal_length(lengths: Mapping[str, Any], reference: str) -> Iterator[str]:
    entries = lengths["equal"]
    metric = METRICS[lengths["metric"]]
    for condition, entry in entries.items():
        difference = entry.get("difference")
        if difference is not None and difference["value"] is not None:
            yield (
                f"{metric.title} of random sentences of {lengths['words']:.0f} words: {condition} "
                f"{number(entry['value'])}, {reference} {number(entries[reference]['value'])}; "
                f"{_moved(condition, difference, metric.more_diverse)}."
            )


def _moved(condition: str, difference: Entry, direction: str) -> str:
    prompts = f"over {difference['n']} prompts" if difference["n"] != 1 else "on the one prompt both have"
    gap = f"a difference of {number(difference['value'], sign=True)}"
    p = difference.get("p_holm")
    if difference["n"] < MIN_PROMPTS:
        return f"{gap} {prompts}, and under {MIN_PROMPTS} prompts carry no claim"
    evidence = f"{gap} {interval(difference['ci'])} {prompts}" + ("" if p is None else f", Holm {p_value(p)}")
    if not is_clear(difference):
        return f"{evidence}: not told from no difference"
    if not direction:
        return f"{evidence}: {'longer' if difference['value'] > 0 else 'shorter'} responses"
    more = (difference["value"] > 0) == (direction == "higher")
    return f"{evidence}: {condition} is {'more' if more else 'less'} diverse"


def is_clear(difference: Entry) -> bool:
    """Whether the interval leaves out 0, and the corrected test agrees."""
    low, high = difference["ci"]
    p = difference.get("p_holm", difference.get("p"))
    return not low <= 0.0 <= high and (p is None or p <= LEVEL)


def _surprisals(within: Mapping[str, Any], reference: str) -> Iterator[str]:
    values = {name: scores["surprisal"]["value"] for name, scores in within.items() if "surprisal" in scores}
    there = [f"{name} {value:.2f}" for name, value in values.items() if value is not None]
    if len(there) > 1 and values.get(reference) is not None:
        yield f"Mean surprisal in bits a token: {', '.join(there)}. Equal temperatures are not equal entropies."


def _gate(gate: Mapping[str, Any], reference: str) -> Iterator[str]:
    if gate["reason"]:
        yield f"The quality gate was not applied: {gate['reason']}."
        return
    for condition, entry in gate["conditions"].items():
        yield (
            f"Quality gate ({gate['quality']} {gate['threshold']:g} or more, judge {gate['judge']}): "
            f"{entry['passing']} of {entry['judged']} responses of {condition} pass."
        )
    for condition, entry in gate["conditions"].items():
        for metric in SAID:
            if metric in entry.get("gap", {}):
                yield from _closed(condition, reference, METRICS[metric].title, entry["gap"][metric])


def _closed(condition: str, reference: str, title: str, gap: Mapping[str, Any]) -> Iterator[str]:
    before, after, share = gap["before"], gap["after"], gap["share"]
    if before["value"] is None or after["value"] is None:
        return
    line = (
        f"{title}, {condition} minus {reference} over {after['n']} prompts with two responses that pass on both sides: "
        f"{number(before['value'], sign=True)} before the gate, {number(after['value'], sign=True)} after it"
    )
    if share["ci"] is not None:
        low, high = share["ci"]
        took = f"{share['value']:.0%} [{low:.0%}, {high:.0%}] of the difference is bad responses that are gone"
        yield f"{line}: {took if not low <= 0 <= high else 'the gate is not told from no effect on it'}."
    else:
        yield f"{line} ({share['reason']})."


def _coverage(coverage: Mapping[str, Any], reference: str) -> Iterator[str]:
    if coverage["reason"]:
        yield f"No coverage: {coverage['reason']}."
        return
    sizes = []
    for condition, entry in coverage["conditions"].items():
        curve = entry["of_reference"]
        if not curve:
            continue
        first, last = curve[0], curve[-1]
        sizes.append(entry["n"])
        together = f", {last['k']} together say {last['value']:.0%}{_percent(last['ci'])}" if last["k"] > 1 else ""
        covered = number(entry["responses_covered"]["value"])
        yield (
            f"One response of {condition} says {first['value']:.0%}{_percent(first['ci'])} of a response of "
            f"{reference}{together}; a response of {reference} covers {covered} of its {entry['n']}."
        )
    few = [size for size in sizes if size < FEW]
    if few:
        shown = f"{min(few)} to {max(few)}" if len({*few}) > 1 else f"{few[0]}"
        yield f"Coverage rests on {shown} responses a prompt, under {FEW}, which is too few for a claim about it."


def _stances(stances: Mapping[str, Any], contested: int) -> Iterator[str]:
    if contested and not stances:
        yield (
            f"{contested} prompts are contested, and embeddings do not see which side a response takes; "
            "alignbench judge SESSION --kind stance tells."
        )
    for condition, fields in stances.items():
        shares = [f"{name} {fields[name]['value']:.0%}" for name in ("yes", "no", "both", "other")
                  if fields[name]["value"] is not None]  # fmt: skip
        distinct = fields["distinct_per_prompt"]
        if shares and distinct["value"] is not None:
            spread = f"{number(distinct['value'])}{'' if distinct['ci'] is None else ' ' + interval(distinct['ci'])}"
            yield f"Stances of {condition}: {', '.join(shares)}; {spread} different ones a prompt."


def number(value: float, *, sign: bool = False) -> str:
    """Three decimals, one from 10 up."""
    plus = "+" if sign else ""
    return f"{value:{plus}.1f}" if abs(value) >= 10 else f"{value:{plus}.3f}"


def interval(ci: Any) -> str:
    return f"[{number(ci[0])}, {number(ci[1])}]"


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _percent(ci: Any) -> str:
    return "" if ci is None else f" [{ci[0]:.0%}, {ci[1]:.0%}]"
