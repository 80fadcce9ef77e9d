"""Investigation 2: how much of the aligned behaviour context brings out of the base model, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.findings import interval, number

SAID = ("jaccard", "embedding_similarity")  # the similarities that sentences speak of


def recovery_findings(report: Mapping[str, Any], roles: Mapping[str, str]) -> list[str]:
    """A sentence for each condition but reference and floor and each similarity, with what to read beside it."""
    reference, floor = report["meta"]["reference"], report["meta"]["floor"]
    if reference is None:
        return ["No condition is the reference, so nothing is recovered; name one with --reference."]
    found: list[str] = []
    for metric in SAID:
        for condition, scores in report["cross"].items():
            if metric in scores and condition not in (reference, floor):
                found += _sentence(condition, roles[condition], reference, METRICS[metric].title, scores[metric])
    return found


def _sentence(condition: str, role: str, reference: str, title: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["value"] is None:
        yield f"{title} of {condition} to {reference}: none ({entry['reason']})."
        return
    shown = f"{title} of {condition} ({role}) to {reference}: {number(entry['value'])}, of a ceiling of "
    shown += "none" if entry["ceiling"] is None else number(entry["ceiling"])
    if entry["null"] is not None:
        shown += f" and {number(entry['null'])} for answers to other prompts"
    yield f"{shown}; {_recovered(entry)}{_beside(entry)}."


def _recovered(entry: Mapping[str, Any]) -> str:
    if entry["recovery"] is None:
        return f"no recovery ({entry['recovery_reason']})"
    if entry["recovery_ci"] is None:
        return f"recovery {entry['recovery']:.0%}, {entry['recovery_reason']}"
    low, high = entry["recovery_ci"]
    claim = "" if low > 0 else ", not told from none"
    return f"recovery {entry['recovery']:.0%} [{low:.0%}, {high:.0%}]{claim}"


def _beside(entry: Mapping[str, Any]) -> str:
    text = ""
    if entry["held_out"] is not None:
        text += f"; {number(entry['held_out'])} to the samples that its context does not tell of"
    if entry["mmd2"] is not None and entry["mmd2_ci"] is not None:
        low, high = entry["mmd2_ci"]
        alike = ", not told from the same distribution" if low <= 0 <= high else ", another distribution"
        claim = alike if entry["n"] >= MIN_PROMPTS else ""
        text += f"; MMD² {number(entry['mmd2'])} {interval(entry['mmd2_ci'])}{claim}"
    return f"{text}; the recovery is {entry['warning']}" if entry["warning"] else text
