"""The dial: conditions that differ in the scale of their adapter alone, a ladder from the base model to its tuned one.

What a scale is compared by stands once a scale: how far it is from the base model in bits, how diverse its responses
are, as they come and at the lengths that all scales have in common, how many of them end by themselves, how good they
are where they were judged.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from alignbench.errors import InputError
from alignbench.judging.qualities import Qualities
from alignbench.metrics.estimates import Estimate, PromptValues, mean_estimate, mean_estimates, paired_differences
from alignbench.metrics.intervals import UNIT
from alignbench.metrics.length_matched import CommonLength
from alignbench.metrics.lexicon import Lexicon
from alignbench.metrics.porter import stem
from alignbench.metrics.registry import METRICS
from alignbench.metrics.statistics import PairedDifference, Uncertainty
from alignbench.metrics.values import WordMode
from alignbench.models.reference import Reference, own_name, parse_reference
from alignbench.reports.frontier import DIVERSITY, judged_quality
from alignbench.scoring.matched import MatchedTexts
from alignbench.scoring.model_based.alignment_gap import GAP
from alignbench.scoring.model_based.bits_from_base import BitsFromBase
from alignbench.scoring.responses import Responses
from alignbench.scoring.score_tables import ScoreTables
from alignbench.spec import Condition

MIN_SCALES = 3  # fewer are a pair, which the tables compare anyway
NO_BITS = f"the models were not asked: alignbench report --metrics live,coverage,{GAP} asks them"
NO_ENDS = "how responses ended was not recorded"


@dataclass(frozen=True, slots=True)
class AdapterLadder:
    """Conditions that differ in the scale of their adapter alone, from the lowest scale up.

    Attributes:
        name: of the model at scale 1, and of the context.
        rungs: scale and condition.
    """

    name: str
    rungs: tuple[tuple[float, Condition], ...]


@dataclass(frozen=True, slots=True)
class CommonLengthEstimate:
    """A lexical score of a scale at the lengths that all scales have in common.

    Attributes:
        estimate: over the prompts on which every scale has a value.
        difference: to the lowest scale, corrected for all scales and scores of the dial; None for it.
    """

    estimate: Estimate
    difference: PairedDifference | None = None


@dataclass(frozen=True, slots=True)
class DialPoint:
    """A condition at one scale.

    Attributes:
        condition: its name.
        scale: of its adapter; 0 is the base model in the adapter's layout.
        bits: how far it is from the base model without a context.
        words: mean length.
        ended: share of the responses that end by themselves.
        diversity: by metric, of those of `frontier.DIVERSITY` that there are, as responses come.
        matched: by metric, of the lexical ones of these.
        quality: mean judged quality.
    """

    condition: str
    scale: float
    bits: BitsFromBase
    words: Estimate
    ended: Estimate
    diversity: Mapping[str, Estimate]
    matched: Mapping[str, CommonLengthEstimate]
    quality: Estimate


@dataclass(frozen=True, slots=True)
class Dial:
    """The scales of one adapter.

    Attributes:
        name: see `AdapterLadder`.
        points: from the lowest scale up.
        base: name of the condition that bits are counted from; None without one.
        same_layout: whether the base model has the layout and context of the scales, so that scale 0 is 0 bits away.
        skipped: by metric, choices of responses that were not compared at common lengths.
    """

    name: str
    points: tuple[DialPoint, ...]
    base: str | None
    same_layout: bool
    skipped: Mapping[str, int]


def adapter_ladders(conditions: Sequence[Condition]) -> list[AdapterLadder]:
    """Those of the conditions that differ in nothing but the scale of their adapter, where there are three or more.

    Names, and what kind of model people say that it is, make no difference.
    """
    groups: dict[Condition, dict[float, Condition]] = {}
    for condition in conditions:
        if (reference := _adapted(condition)) is not None and reference.adapter is not None:
            groups.setdefault(_at_scale_1(condition, reference), {}).setdefault(reference.adapter.scale, condition)
    ladders = {alike: tuple(sorted(of.items())) for alike, of in groups.items() if len(of) >= MIN_SCALES}
    names = {alike: _named(next(iter(groups[alike].values())), alike) for alike in ladders}
    times = Counter(names.values())
    return [
        AdapterLadder(names[alike] if times[names[alike]] == 1 else rungs[0][1].name, rungs)
        for alike, rungs in ladders.items()
    ]


def dial(
    ladder: AdapterLadder,
    base: Condition | None,
    responses: Responses,
    metrics: Sequence[str],
    mode: WordMode,
    tables: ScoreTables,
    qualities: Qualities,
    ends: Mapping[str, PromptValues],
    bits: Callable[[Condition], BitsFromBase],
    uncertainty: Uncertainty,
) -> Dial:
    """What is known of the scales of an adapter.

    Args:
        ladder: Its conditions.
        base: The condition that bits are counted from; None without one.
        responses: Those of the session, which are compared at common lengths.
        metrics: Names of the scores that were asked for.
        mode: How texts become words.
        tables: The scores as responses come.
        qualities: A judge's grades.
        ends: By condition and prompt, what share of the responses ended by themselves.
        bits: Counts them, for a condition.
        uncertainty: Of all means.
    """
    names = [condition.name for _, condition in ladder.rungs]
    lexical = [name for name in DIVERSITY if name in metrics and METRICS[name].lexical]
    lengths = _common_lengths(names, responses, lexical, mode, uncertainty.seed)
    matched = _matched(names, lengths, uncertainty)
    points = []
    for scale, condition in ladder.rungs:
        name = condition.name
        within = tables.within.get(name, {})
        points.append(
            DialPoint(
                condition=name,
                scale=scale,
                bits=bits(condition),
                words=within.get("words", Estimate()),
                ended=mean_estimate(ends.get(name, {}), uncertainty, NO_ENDS, UNIT),
                diversity={metric: within[metric] for metric in DIVERSITY if metric in within},
                matched=matched[name],
                quality=judged_quality(name, qualities, uncertainty),
            )
        )
    return Dial(
        name=ladder.name,
        points=tuple(points),
        base=None if base is None else base.name,
        same_layout=base is not None and _unnamed(base) == _unnamed(ladder.rungs[0][1]),
        skipped={metric: sum(one.skipped for one in of.values()) for metric, of in lengths.items()},
    )


def _adapted(condition: Condition) -> Reference | None:
    """The reference of a model with an adapter; None for other models, and for one whose responses were imported."""
    if condition.model.is_imported:
        return None
    try:
        reference = parse_reference(condition.model.reference)
    except InputError:  # of a version that knew other places
        return None
    return reference if reference.adapter is not None else None


def _at_scale_1(condition: Condition, reference: Reference) -> Condition:
    """The same for all conditions that differ in the scale alone."""
    model = replace(condition.model, name="", kind="base", reference=str(reference.at_scale(1.0)))
    return replace(condition, name="", model=model, context=replace(condition.context, name=""))


def _named(condition: Condition, at_scale_1: Condition) -> str:
    """The model at scale 1, and the context of one of the conditions."""
    name = own_name(parse_reference(at_scale_1.model.reference))
    return f"{name} + {condition.context.name}" if condition.context.name else name


def _unnamed(condition: Condition) -> object:
    return replace(condition.context, name="")


def _common_lengths(
    names: Sequence[str], responses: Responses, metrics: Sequence[str], mode: WordMode, seed: int
) -> dict[str, dict[str, CommonLength]]:
    """By metric and prompt."""
    lexicon = Lexicon(mode, stem)
    lengths: dict[str, dict[str, CommonLength]] = {metric: {} for metric in metrics}
    for prompt in responses.prompts if metrics else ():
        cells = responses.cells(prompt)
        texts = MatchedTexts({name: cells.get(name, {}) for name in names}, metrics, lexicon, seed)
        for metric, one in texts.at_common_length().items():
            lengths[metric][prompt] = one
    return lengths


def _matched(
    names: Sequence[str], lengths: Mapping[str, Mapping[str, CommonLength]], uncertainty: Uncertainty
) -> dict[str, dict[str, CommonLengthEstimate]]:
    """By condition and metric."""
    columns: dict[tuple[str, str], PromptValues] = {
        (name, metric): {prompt: one.values[i] if one.values else None for prompt, one in of.items()}
        for metric, of in lengths.items()
        for i, name in enumerate(names)
    }
    bounds = {key: METRICS[key[1]].bounds for key in columns}
    lowest = names[0]
    differences = paired_differences(
        {(name, metric): (column, columns[lowest, metric]) for (name, metric), column in columns.items()
         if name != lowest},
        uncertainty,
        bounds,
    )  # fmt: skip
    why_none = {
        metric: statistics.mode([one.reason for one in of.values() if one.reason] or [""])
        for metric, of in lengths.items()
    }
    estimates = mean_estimates(columns, uncertainty, bounds, {key: why_none[key[1]] for key in columns})
    matched: dict[str, dict[str, CommonLengthEstimate]] = {name: {} for name in names}
    for (name, metric), estimate in estimates.items():
        matched[name][metric] = CommonLengthEstimate(estimate, differences.get((name, metric)))
    return matched
