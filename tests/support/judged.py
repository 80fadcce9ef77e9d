"""A session with samples and judgments of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from alignbench.judging.templates import JudgeTemplate, judge_template
from alignbench.spec import Condition, Prompt
from alignbench.store import Judgment, JudgmentStatus, Store
from tests.support.samples import ALIGNED, BASE, result

Samples = dict[tuple[int, str, int], int]  # prompt, condition, sample -> row id


def fill(
    store: Store, *, prompts: int = 2, n: int = 2, texts: dict[tuple[int, str, int], str] | None = None
) -> Samples:
    """Session 1: a base and an aligned condition, n samples each."""
    session = store.create_session("judged", reference="demo-smollm2")
    samples: Samples = {}
    for p in range(prompts):
        for condition in map(Condition.zero_shot, (BASE, ALIGNED)):
            cell = store.add_cell(session, Prompt(f"q{p}", f"Why {p}?"), condition, n)
            for i in range(n):
                key = (p, condition.name, i)
                text = (texts or {}).get(key, f"{condition.name} says {p} {i}")
                samples[key] = store.add_sample(cell, result(i, text)).id
    return samples


def terse_template(kind: str) -> JudgeTemplate:
    """A template that ships, with very short reasons, which are what takes a judge its time, and without "N/A", so that
    every reply has a grade."""
    shipped = judge_template(kind)
    schema = shipped.schema_object()
    schema["properties"].get("rationale", {})["maxLength"] = 8
    for of_field in schema["properties"].values():
        if "enum" in of_field:
            of_field["enum"] = [choice for choice in of_field["enum"] if choice != "N/A"]
    return replace(shipped, schema=json.dumps(schema))


def judgment(kind: str, sample: int, status: JudgmentStatus = "valid", **given: Any) -> Judgment:
    """A judgment of demo-smollm2; what is no column of it is a field."""
    columns = {name: given.pop(name) for name in ("judge", "reference_sample_id", "flipped") if name in given}
    defaults = {"judge": "demo-smollm2", "reference_sample_id": None}
    return Judgment(
        kind=kind, template_hash="t", sample_id=sample, status=status, fields=given, **{**defaults, **columns}
    )
