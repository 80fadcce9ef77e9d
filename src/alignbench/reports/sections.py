"""A report as titled tables of texts: what the terminal, Markdown and the app show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.findings import number
from alignbench.reports.revisions import ladder_section
from alignbench.reports.section import (
    Section,
    metric_title,
    shown_difference,
    shown_number,
    shown_recovery,
    shown_value,
)

Entry = Mapping[str, Any]

FINDINGS = "Findings"


def sections(report: Mapping[str, Any], *, by_condition: bool = False) -> list[Section]:
    """In the order in which they are read: what was found, then the tables it rests on.

    by_condition: the first table has a row a condition rather than a row a score, and cells of two lines.
    """
    investigation = report.get("investigation")
    found = []
    if investigation is not None:
        found.append(Section(FINDINGS, notes=tuple(investigation["findings"])))
    found += [
        _within_by_condition(report) if by_condition else _within(report),
        *_cross(report),
        *judged_sections(report["judged"]),
    ]
    if investigation is not None:
        if "gate" in investigation:
            found.append(_lengths(investigation["lengths"], report["meta"]["reference"]))
            found.append(_gate(investigation["gate"]))
            found += _coverage(investigation["coverage"], report["meta"]["reference"])
        if "frontier" in investigation:
            found.append(_frontier(investigation["frontier"]))
    found += [ladder_section(report, ladder) for ladder in report["meta"]["ladders"]]
    return [
        *found,
        agreement_section(report["meta"]["judges"]),
        _counts(report),
        _settings(report["meta"]),
        Section("Notes", notes=tuple(report["meta"]["notes"])),
    ]


def _within(report: Mapping[str, Any]) -> Section:
    tables = report["within"]
    conditions = tuple(tables)
    metrics = list(next(iter(tables.values()), {}))
    rows = []
    for metric in metrics:
        rows.append((metric_title(metric), *(shown_value(tables[c][metric]) for c in conditions)))
        differences = [tables[c][metric].get("difference") for c in conditions]
        if metric in METRICS and any(d and d["value"] is not None for d in differences):
            rows.append((f"  against {report['meta']['reference']}", *map(shown_difference, differences)))
    n = report["meta"]["prompts"]
    notes = (
        "↑ higher is more diverse, ↓ lower is.",
        f"* the corrected (Holm) p is 0.05 or less; under {MIN_PROMPTS} prompts there is none.",
    )
    return Section(f"Within a condition, mean over {n} prompts", ("score", *conditions), tuple(rows), notes)


def _within_by_condition(report: Mapping[str, Any]) -> Section:
    """Differences stand in the second line of a cell."""
    tables, reference = report["within"], report["meta"]["reference"]
    metrics = [name for name in next(iter(tables.values()), {}) if name in METRICS]
    rows = tuple(
        (
            f"{condition} (reference)" if condition == reference else condition,
            *("\n".join(filter(None, _compared(scores[metric]))) for metric in metrics),
        )
        for condition, scores in tables.items()
    )
    against = () if reference is None else (f"In the second line, what parts a condition from {reference}.",)
    section = _within(report)
    return Section(section.title, ("condition", *map(metric_title, metrics)), rows, (*against, *section.notes))


def _cross(report: Mapping[str, Any]) -> Iterator[Section]:
    reference, described = report["meta"]["reference"], report["meta"]["conditions"]
    for metric in next(iter(report["cross"].values()), {}):
        rows = []
        for condition, scores in report["cross"].items():
            entry = scores[metric]
            role = "reference" if condition == reference else described[condition]["role"]
            name = f"{condition} ({role})" if role else condition
            plain = (shown_number(entry[key]) for key in ("ceiling", "null", "max_matched", "mmd2"))
            apart = (shown_number(entry[key]) for key in ("held_out", "source"))
            rows.append((name, shown_value(entry), *plain, shown_recovery(entry), *apart))
        warnings = dict.fromkeys(s[metric]["warning"] for s in report["cross"].values() if s[metric]["warning"])
        columns = ("condition", "mean", "ceiling", "shuffled null", "maximum", "MMD²", "recovery", "held out", "source")
        notes = tuple(f"! recovery {warning}" for warning in warnings)
        yield Section(f"{METRICS[metric].title}: similarity to {reference}", columns, tuple(rows), notes)


def judged_sections(judged: Mapping[str, Any]) -> Iterator[Section]:
    """A table for each kind of judgment."""
    for kind, groups in judged.items():
        fields = list(next(iter(groups.values()), {}))
        rows = tuple(
            (
                name,
                *(shown_value(entry[field]) for field in fields),
                str(max(entry[field]["n"] for field in fields)),
                str(max(entry[field]["invalid"] for field in fields)),
            )
            for name, entry in groups.items()
        )
        yield Section(f"Judged: {kind}", ("condition", *fields, "judgments", "invalid"), rows)


def agreement_section(judges: Mapping[str, Any]) -> Section:
    """How far judges agree; empty where no two have judged the same."""
    rows = tuple(
        (kind, field, "-" if (alpha := found["alpha"]) is None else number(alpha), str(found["items"]),
         ", ".join(found["judges"]))
        for kind, fields in judges.items()
        for field, found in fields.items()
    )  # fmt: skip
    columns = ("kind", "field", "Krippendorff's alpha", "items", "judges")
    return Section("Agreement of judges", columns, rows)


def _lengths(lengths: Mapping[str, Any], reference: str | None) -> Section:
    rows = tuple(
        (name, *(cell for way in ("equal", "opening") for cell in _compared(lengths[way][name])))
        for name in lengths["equal"]
    )
    against = f"against {reference}"
    columns = ("condition", "random sentences", against, "openings of 50 words", against)
    words = 0.0 if lengths["words"] is None else lengths["words"]
    notes = (f"Random sentences: {words:.0f} words on average, the median length in a prompt's shortest condition.",)
    return Section(f"{metric_title(lengths['metric'])} at equal length", columns, rows, notes)


def _compared(entry: Entry) -> tuple[str, str]:
    return shown_value(entry), shown_difference(entry.get("difference"))


def _gate(gate: Mapping[str, Any]) -> Section:
    title = f"Quality gate: {gate['quality']} {gate['threshold']:g} or more"
    if gate["reason"]:
        return Section(title, notes=(gate["reason"],))
    rows = []
    for condition, entry in gate["conditions"].items():
        shared = (
            f"{entry['passing']} of {entry['judged']}",
            shown_value(entry["distinct_passing"]),
            shown_value(entry["effective_diversity"]),
        )
        for i, (metric, change) in enumerate(entry["metrics"].items()):
            first = (condition, *shared) if i == 0 else ("", "", "", "")
            values = (shown_value(change["before"]), shown_value(change["after"]), shown_difference(change["change"]))
            rows.append((*first, metric_title(metric), *values, str(change["after"]["n"])))
    columns = ("condition", "passing", "distinct and passing", "effective diversity", "score", "before", "after",
               "change", "prompts")  # fmt: skip
    notes = (
        "Before and after are over the prompts with two responses that pass, which are the easier ones.",
        "Distinct and passing: classes of passing responses for each sample that was judged.",
    )
    return Section(title, columns, tuple(rows), notes)


def _coverage(coverage: Mapping[str, Any], reference: str | None) -> Iterator[Section]:
    if coverage["reason"]:
        yield Section("Coverage", notes=(coverage["reason"],))
        return
    longest = max((len(entry["of_reference"]) for entry in coverage["conditions"].values()), default=0)
    ways = (
        (f"Share of a response of {reference} that k responses of the condition say together", "of_reference"),
        (f"Share of a response of the condition that k responses of {reference} say together", "by_reference"),
    )
    chance = coverage["false_matches"]
    against = "" if chance is None else f"; {chance:.1%} of sentences find one in an answer to another prompt"
    said = f"A sentence is said from a best match of cosine {coverage['threshold']:.3f} on{against}."
    for title, way in ways:
        rows = []
        for condition, entry in coverage["conditions"].items():
            points = [shown_value(point) for point in entry[way]]
            covered = (shown_value(entry["responses_covered"]),) if way == "of_reference" else ()
            filled = (*points, *[""] * (longest - len(points)))
            rows.append((condition, *filled, shown_value(entry["equal_count"][way]), *covered))
        columns = ("condition", *(f"k = {k}" for k in range(1, longest + 1)), "k = 1, equal sentences")
        notes: tuple[str, ...] = (said,)
        if way == "of_reference":
            columns = (*columns, "responses covered")
            share = f"{coverage['share']:.0%} of their sentences or more"
            notes = (said, f"Responses covered: how many of the condition's one of {reference} covers, {share}.")
        yield Section(title, columns, tuple(rows), notes)


def _frontier(frontier: Mapping[str, Any]) -> Section:
    points = frontier["points"]
    diversity = list(dict.fromkeys(name for point in points for name in point["diversity"]))
    similarity = list(dict.fromkeys(name for point in points for name in point["similarity"]))
    rows = tuple(
        (
            point["group"],
            f"{point['temperature']:g}",
            shown_value(point["surprisal"]),
            *(shown_value(point["diversity"].get(name, {})) for name in diversity),
            shown_value(point["quality"]),
            *(shown_value(point["similarity"].get(name, {})) for name in similarity),
        )
        for point in points
    )
    columns = (
        "condition", "temperature", "surprisal, bits", *(f"within: {metric_title(name)}" for name in diversity),
        "quality", *(f"to the reference: {METRICS[name].title}" for name in similarity),
    )  # fmt: skip
    missing = tuple(f"missing: {m['group']} at {m['temperature']:g}; {m['how']}" for m in frontier["missing"])
    return Section("Frontier over temperatures", columns, rows, missing)


def _counts(report: Mapping[str, Any]) -> Section:
    rows = tuple(
        (name, str(c["samples"]), str(c["errors"]), "not recorded" if c["truncated"] is None else str(c["truncated"]))
        for name, c in report["counts"].items()
    )
    return Section("Counts", ("condition", "samples", "errors", "cut by length"), rows)


def _settings(meta: Mapping[str, Any]) -> Section:
    """What each condition was sampled with, and by what."""
    shown = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "seed", "mode")
    rows = tuple(
        (name, of["model"], of["kind"], of["context"].get("name") or of["context"]["template"],
         *(f"{of[key]:g}" if isinstance(of[key], float) else str(of[key]) for key in shown))
        for name, of in meta["conditions"].items()
    )  # fmt: skip
    versions = meta["manifest"].get("versions", {})
    made = f"Sampled with {', '.join(f'{name} {version}' for name, version in versions.items())}." if versions else ""
    columns = ("condition", "model", "kind", "context", *(key.replace("_", " ") for key in shown))
    return Section("Settings", columns, rows, (made,) if made else ())


def listed(found: Iterable[Section]) -> Iterator[Section]:
    """Those that have something to show."""
    return (section for section in found if section.rows or section.notes)
