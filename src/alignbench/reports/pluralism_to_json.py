"""Pluralism as JSON: what stands under `pluralism` in an investigation. Every key here is public."""

from __future__ import annotations

from alignbench.reports.anchor_lists import ListedAnchor
from alignbench.reports.json_values import JsonObject, change_json, curve_json, ends_json, estimate_json
from alignbench.reports.pluralism import Pluralism
from alignbench.reports.stance_pluralism import ConditionStances, StancePluralism, WhereItSplits
from alignbench.scoring.condition_matrix import ConditionMatrix


def pluralism_json(of: Pluralism) -> JsonObject:
    """{"stances": {...}, "matrix": {metric: {...}}, "anchors": {condition: [...]}}."""
    return {
        "stances": _stances(of.stances),
        "matrix": {matrix.metric: matrix_json(matrix) for matrix in of.matrices},
        "anchors": {name: [_anchor(span) for span in spans] for name, spans in of.anchors.items()},
    }


def matrix_json(matrix: ConditionMatrix) -> JsonObject:
    """{"conditions", "values", "ci", "n", "prompts", "reason"}: a row and a column a condition."""
    names = matrix.conditions
    return {
        "conditions": [*names],
        "values": [[matrix.cells[a, b].value for b in names] for a in names],
        "ci": [[ends_json(matrix.cells[a, b].ci) for b in names] for a in names],
        "n": [[matrix.cells[a, b].n for b in names] for a in names],
        "prompts": matrix.prompts,
        "reason": matrix.reason,
    }


def _stances(of: StancePluralism) -> JsonObject:
    return {
        "reason": of.reason,
        "judge": of.judge or None,
        "prompts": of.prompts,
        "conditions": {name: _condition(one) for name, one in of.conditions.items()},
    }


def _condition(one: ConditionStances) -> JsonObject:
    """coverage: of one response; union: of k of them together."""
    differences = {"entropy_difference": one.entropy_difference, "coverage_difference": one.coverage_difference}
    return {
        "judged": one.judged,
        "invalid": one.unread,
        "entropy": estimate_json(one.entropy),
        "coverage": estimate_json(one.coverage),
        "union": curve_json(one.union),
        "names_both": estimate_json(one.names_both),
        **{key: change_json(of) for key, of in differences.items() if of is not None},
        **({} if one.where_it_splits is None else {"where_it_splits": _where(one.where_it_splits)}),
    }


def _where(where: WhereItSplits) -> JsonObject:
    """reference_names_both: on these prompts; held_out and own_held_out: the two means of the difference."""
    theirs, own = where.difference.means or (None, None)
    return {
        "prompts": where.prompts,
        "reference_names_both": estimate_json(where.names_both),
        "held_out": theirs,
        "own_held_out": own,
        "difference": change_json(where.difference),
    }


def _anchor(span: ListedAnchor) -> JsonObject:
    return {"prompt_id": span.prompt, "text": " ".join(span.words), "words": len(span.words),
            "responses": span.responses, "n": span.n}  # fmt: skip
