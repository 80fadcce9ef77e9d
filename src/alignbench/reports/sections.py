"""A report as titled tables of texts: what the terminal, Markdown and the app show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from alignbench.engines.openai.replay import replay_words
from alignbench.judging.labels import HUMAN, LABELS
from alignbench.judging.summary import Agreement, JudgedTable, with_source_apart
from alignbench.metrics.estimates import Estimate
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import MIN_PROMPTS
from alignbench.reports.constraint_ladders import constraint_section
from alignbench.reports.contents import Report, ReportMeta, SampleCounts
from alignbench.reports.coverage_sections import coverage_sections
from alignbench.reports.dial_sections import dial_sections
from alignbench.reports.entropies import branching_section, entropy_section
from alignbench.reports.frontier import Frontier
from alignbench.reports.gap_parts import gap_parts
from alignbench.reports.gate import QualityGate
from alignbench.reports.matched_sections import matched_sections
from alignbench.reports.numbers import counted
from alignbench.reports.openings import Openings
from alignbench.reports.pluralism_sections import pluralism_sections
from alignbench.reports.recovery_text import recovery_remarks, shown_recovery
from alignbench.reports.revisions import ladder_section
from alignbench.reports.section import (
    HELD_OUT,
    Section,
    metric_digits,
    metric_title,
    shown_difference,
    shown_number,
    shown_share,
    shown_value,
    two_lines,
)
from alignbench.reports.survey_sections import survey_part
from alignbench.scoring.score_tables import CrossEstimate
from alignbench.spec import written_setting

FINDINGS = "Findings"
JUDGED_HELD_OUT = "held out: without the pairs with the sample that the condition's context is made from"
MEANS_ONLY = (
    "MMD² of cosines compares the means of the embeddings: sets that spread differently around one mean are 0 apart."
)


def sections(report: Report, *, by_condition: bool = False) -> list[Section]:
    """In the order in which they are read: what was found, then the tables it rests on.

    by_condition: the first table has a row a condition rather than a row a score, and cells of two lines.
    """
    reference, diversity = report.meta.reference, report.diversity
    shown = []
    if report.investigation is not None:
        shown.append(Section(FINDINGS, notes=tuple(finding.text for finding in report.investigation.findings)))
    if report.meta.samples or report.survey is None:  # a survey by log-probs has no samples
        shown += [
            _within_by_condition(report) if by_condition else _within(report),
            *matched_sections(report.scores, reference),
            *_cross(report),
            *judged_sections(report.judged),
        ]
    if report.survey is not None:
        shown += survey_part(report.survey.summary)
    shown.append(constraint_section(report.constraints))
    shown.append(branching_section(report.scores))
    if diversity is not None:
        shown += [
            entropy_section(diversity.entropies),
            _openings(diversity.openings, reference),
            *_gate(diversity.gate, reference),
            *coverage_sections(diversity.coverage, reference),
        ]
        if diversity.frontier is not None:
            shown.append(_frontier(diversity.frontier))
        shown += dial_sections(diversity.dials, report.truncations)
    if report.pluralism is not None:
        shown += pluralism_sections(report.pluralism, report.judged.get("set-topics", {}))
    return [
        *shown,
        *(ladder_section(report, ladder) for ladder in report.meta.ladders),
        agreement_section(report.meta.judges),
        _counts(report.counts),
        _settings(report.meta),
        Section("Notes", notes=report.meta.notes),
    ]


def _within(report: Report) -> Section:
    tables = report.scores.within
    rows = []
    for metric in next(iter(tables.values()), {}):
        scores = [of[metric] for of in tables.values()]
        digits, own = metric_digits(metric), report.scores.value_within(report.meta.reference, metric)
        rows.append((metric_title(metric), *(shown_value(score, digits, score.sd) for score in scores)))
        if metric in METRICS and any(s.difference is not None and s.difference.value is not None for s in scores):
            cells = (shown_difference(score.difference, (score.value, own), digits) for score in scores)
            rows.append((f"  against {report.meta.reference}", *cells))
        matched = [report.scores.matched.get(name, {}).get(metric) for name in tables]
        if any(matched):
            cells = (shown_difference(None if one is None else one.difference, digits=digits) for one in matched)
            rows.append(("  the same at matched length", *cells))
    notes = (
        "↑ higher is more diverse, ↓ lower is.",
        f"* the corrected (Holm) p is 0.05 or less; under {MIN_PROMPTS} prompts there is none.",
    )
    title = f"Within a condition, mean over {counted(report.meta.prompts, 'prompt')}"
    return Section(title, ("score", *tables), tuple(rows), notes)


def _within_by_condition(report: Report) -> Section:
    """Differences stand in the second line of a cell."""
    tables, reference = report.scores.within, report.meta.reference
    metrics = [name for name in next(iter(tables.values()), {}) if name in METRICS]
    rows = tuple(
        (
            f"{condition} (reference)" if condition == reference else condition,
            *(
                two_lines(
                    scores[metric],
                    report.scores.value_within(report.meta.reference, metric),
                    metric_digits(metric),
                    report.scores.matched.get(condition, {}).get(metric),
                )
                for metric in metrics
            ),
        )
        for condition, scores in tables.items()
    )
    against = () if reference is None else (f"Below a value, what parts the condition from {reference}.",)
    section = _within(report)
    return Section(section.title, ("condition", *map(metric_title, metrics)), rows, (*against, *section.notes))


def _cross(report: Report) -> Iterator[Section]:
    """What a condition's context is made from is held out; beside it stands what includes it, where there is any."""
    reference, table = report.meta.reference, report.scores.cross
    for metric in next(iter(table.values()), {}):
        scores = {condition: of[metric] for condition, of in table.items()}
        apart = any(score.with_source is not None for score in scores.values())
        rows = []
        for condition, score in scores.items():
            role = "reference" if condition == reference else report.meta.conditions[condition].role
            held_out = "held out" if score.with_source is not None else ""
            beside = ", ".join(filter(None, (role, held_out)))
            name = f"{condition} ({beside})" if beside else condition
            lines = map(shown_number, (score.ceiling, score.floor, score.null, score.max_matched, score.mmd2))
            recovered = "" if condition in (reference, report.meta.floor) else shown_recovery(score)
            rows.append((name, shown_value(score), *lines, recovered, *(_with_source(score) * apart)))
        columns = ["condition", "mean", "ceiling", "floor", "shuffled null", "maximum", "MMD²", "recovery"]
        compared = (score for name, score in scores.items() if name not in (reference, report.meta.floor))
        notes = [*recovery_remarks(compared)]
        if METRICS[metric].compares_means:
            notes.append(MEANS_ONLY)
        notes += gap_parts(scores)
        if apart:
            columns += ["with source", "recovery with source", "source alone"]
            notes.append(HELD_OUT)
        yield Section(f"{METRICS[metric].title}: similarity to {reference}", tuple(columns), tuple(rows), tuple(notes))


def _with_source(score: CrossEstimate) -> tuple[str, ...]:
    whole = score.with_source
    if whole is None:
        return ("", "", "")
    return shown_value(whole), shown_recovery(whole), shown_number(score.source)


def judged_sections(judged: Mapping[str, JudgedTable]) -> Iterator[Section]:
    """A table for each kind of judgment."""
    for kind, table in judged.items():
        fields, shown = list(next(iter(table.values()), {})), with_source_apart(table)
        rows = tuple(
            (
                name,
                *(shown_value(of[field]) for field in fields),
                str(max(of[field].n for field in fields)),
                str(max(of[field].invalid for field in fields)),
            )
            for name, of in shown.items()
        )
        people = dict.fromkeys(who for of in table.values() for one in of.values() for who in one.judges)
        by = f", by {', '.join(people)}" if kind in LABELS and any(who != HUMAN for who in people) else ""
        notes = (JUDGED_HELD_OUT,) if len(shown) > len(table) else ()
        yield Section(f"Judged: {kind}{by}", ("condition", *fields, "judgments", "invalid"), rows, notes)


def agreement_section(judges: Mapping[str, Mapping[str, Agreement]]) -> Section:
    """How far judges agree; empty where no two have judged the same."""
    rows = tuple(
        (kind, field, shown_number(agreed.alpha), str(agreed.items), ", ".join(agreed.judges))
        for kind, fields in judges.items()
        for field, agreed in fields.items()
    )
    columns = ("kind", "field", "Krippendorff's alpha", "items", "judges")
    return Section("Agreement of judges", columns, rows)


def _openings(openings: Openings, reference: str | None) -> Section:
    own = None if reference is None else openings.scores[reference].value
    rows = tuple(
        (name, shown_value(score), shown_difference(score.difference, (score.value, own)))
        for name, score in openings.scores.items()
    )
    columns = ("condition", "mean", f"against {reference}")
    return Section(f"{metric_title(openings.metric)} of openings of {openings.words} words", columns, rows)


def _gate(gate: QualityGate, reference: str | None) -> Iterator[Section]:
    title = f"Quality gate: {gate.quality} {gate.threshold:g} or more"
    if gate.reason:
        yield Section(title, notes=(gate.reason,))
        return
    rows, gaps = [], []
    for condition, gated in gate.conditions.items():
        shared = (
            f"{gated.passing} of {gated.judged}",
            shown_value(gated.distinct_passing),
            shown_value(gated.effective_diversity),
        )
        for i, (metric, change) in enumerate(gated.metrics.items()):
            first = (condition, *shared) if i == 0 else ("", "", "", "")
            moved = shown_difference(change.change, (change.after.value, change.before.value))
            values = (shown_value(change.before), shown_value(change.after), moved)
            rows.append((*first, _gated_title(metric), *values, str(change.after.n)))
        for i, (metric, gap) in enumerate(gated.gap.items()):
            both = (shown_difference(gap.before), shown_difference(gap.after))
            gaps.append(("" if i else condition, _gated_title(metric), *both, shown_share(gap.share), str(gap.after.n)))
    columns = ("condition", "passing", "distinct and passing", "effective diversity", "score", "before", "after",
               "change", "prompts")  # fmt: skip
    notes = (
        "Before and after are over the prompts with two responses that pass, which are the easier ones.",
        "Distinct and passing: classes of passing responses for each sample that was judged.",
        "Passing responses are longer, so lexical scores are compared at matched length.",
    )
    yield Section(title, columns, tuple(rows), notes)
    if gaps:
        yield Section(
            f"Difference to {reference} through the quality gate",
            ("condition", "score", "before", "after", "of the difference gone", "prompts"),
            tuple(gaps),
        )


def _gated_title(metric: str) -> str:
    return metric_title(metric) + (", matched length" if METRICS[metric].lexical else "")


def _frontier(frontier: Frontier) -> Section:
    diversity = list(dict.fromkeys(name for point in frontier.points for name in point.diversity))
    similarity = list(dict.fromkeys(name for point in frontier.points for name in point.similarity))
    rows = tuple(
        (
            point.group,
            f"{point.temperature:g}",
            shown_value(point.surprisal or Estimate()),
            *(shown_value(point.diversity.get(name, Estimate())) for name in diversity),
            shown_value(point.quality),
            *(shown_value(point.similarity.get(name, Estimate())) for name in similarity),
        )
        for point in frontier.points
    )
    columns = (
        "condition", "temperature", "surprisal, bits", *(f"within: {metric_title(name)}" for name in diversity),
        "quality", *(f"to the reference: {METRICS[name].title}" for name in similarity),
    )  # fmt: skip
    missing = tuple(f"missing: {one.group} at {one.temperature:g}; {one.how}" for one in frontier.missing)
    return Section("Frontier over temperatures", columns, rows, missing)


def _counts(counts: Mapping[str, SampleCounts]) -> Section:
    refusals = any(c.refused for c in counts.values())
    rows = tuple(
        (
            name,
            str(c.samples),
            str(c.errors),
            "not recorded" if c.truncated is None else str(c.truncated),
            *((str(c.refused),) if refusals else ()),
        )
        for name, c in counts.items()
    )
    return Section("Counts", ("condition", "samples", "errors", "cut by length", *(("refused",) * refusals)), rows)


def _settings(meta: ReportMeta) -> Section:
    """What each condition was sampled with, and by what."""
    sampled = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens")
    rows = []
    for name, reported in meta.conditions.items():
        condition = reported.condition
        model, context = condition.model, condition.context
        values = (condition.settings[key] for key in (*sampled, "seed", "mode"))
        written = (written_setting(value) for value in values)
        rows.append((name, model.reference, model.kind, context.name or context.to_json()["template"], *written))
    versions = meta.manifest.get("versions", {})
    made = f"Sampled with {', '.join(f'{name} {version}' for name, version in versions.items())}." if versions else ""
    loaded = meta.manifest.get("loaded", {})
    servers = dict.fromkeys(reported.condition.model.reference for reported in meta.conditions.values())
    replays = tuple(
        f"{reference} is behind a server, which owns its randomness. Measured when it was loaded: {words}."
        for reference in servers
        if (words := replay_words(reference, loaded.get(reference, {})))
    )
    columns = ("condition", "model", "kind", "context", *(key.replace("_", " ") for key in (*sampled, "seed", "mode")))
    return Section("Settings", columns, tuple(rows), (*((made,) if made else ()), *replays))


def listed(shown: Iterable[Section]) -> Iterator[Section]:
    """Those that have something to show."""
    return (section for section in shown if section.rows or section.notes)
