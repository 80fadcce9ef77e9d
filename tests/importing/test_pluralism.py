"""What others' responses have of pluralism without any weights, and what it says of that which needs some."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alignbench.importing.save import save_import
from alignbench.importing.values import ImportedSession
from alignbench.prompts import load_prompts
from alignbench.reports.sections import sections
from alignbench.reports.to_json import report_json
from alignbench.store import Store
from tests.support.collected import read_csv, read_jsonl
from tests.support.judged import judgment
from tests.support.reported import report

METRICS = ("words", "jaccard", "anchor_share", "embedding_similarity", "semantic_entropy", "branching_factor",
           "branching_by_logprobs")  # fmt: skip
NEEDS_WEIGHTS = ("branching_factor", "branching_by_logprobs")
PHRASE = "there is much to say on both sides of it"
SAID = {"raw": ("yes", "no", "yes", "no"), "chat": ("both",) * 4}


def rows() -> Iterator[dict[str, Any]]:
    """Two contested prompts, a ladder of two rungs, and a survey question, for a base and an aligned model."""
    for condition, kind in (("raw", "base"), ("chat", "aligned")):
        who = {"condition": condition, "kind": kind}
        for at, prompt in enumerate(load_prompts("contested", limit=2)):
            for i, stance in enumerate(SAID[condition]):
                text = f"I say {stance} {i}" if condition == "raw" else f"{PHRASE} {i}"
                yield {**who, "prompt_id": f"mine-{at}", "prompt": prompt.text, "text": text}
        for constraints in ([], ["It rains.", "It ends."]):
            rung = {"of": "ferry", "constraints": constraints}
            asked = {"prompt_id": f"ferry/{len(constraints)}", "prompt": " ".join(["Write.", *constraints])}
            yield from ({**who, **asked, "text": f"A ferry {i} {condition}", "rung": rung} for i in range(2))
        asked = {"prompt_id": "fares", "prompt": "Free buses?\nA. Yes\nB. No"}
        survey = {"options": ["Yes", "No"], "groups": {"town": [0.6, 0.4]}}
        yield from ({**who, **asked, **survey, "text": reply} for reply in ("A", "B", "Yes.", "That depends."))


def as_jsonl(folder: Path) -> ImportedSession:
    path = folder / "theirs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    return read_jsonl(path)


def as_csv(folder: Path) -> ImportedSession:
    """Nested fields are JSON in a cell, options have | between them."""
    path = folder / "theirs.csv"
    every = [*rows()]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*dict.fromkeys(name for row in every for name in row)])
        writer.writeheader()
        for row in every:
            cells = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()}
            writer.writerow(cells | ({"options": " | ".join(row["options"])} if "options" in row else {}))
    return read_csv(path)


@pytest.mark.parametrize("read", [as_jsonl, as_csv])
def test_all_that_needs_no_weights(tmp_path: Path, read: Callable[[Path], ImportedSession]) -> None:
    with Store.open(tmp_path / "x.db") as store:
        save_import(store, read(tmp_path))
        for row in store.samples(1):
            if row.prompt_id.startswith("mine"):
                stance = SAID[row.condition][row.sample]
                store.add_judgments(1, [judgment("stance", row.id, stance=stance)])
            if row.prompt_id == "ferry/2":
                store.add_judgments(1, [judgment("constraints", row.id, satisfied=[True, False])])
        made = report(store, metrics=METRICS, investigation="all", floor=None)
    found, shown = report_json(made), {section.title for section in sections(made)}
    of = found["investigation"]["pluralism"]
    stances = {name: (one["coverage"]["value"], one["entropy"]["value"]) for name, one in
               of["stances"]["conditions"].items()}  # fmt: skip
    assert stances == {"raw": (0.5, 1.0), "chat": (1.0, 0.0)}
    assert of["stances"]["conditions"]["raw"]["where_it_splits"]["prompts"] == 2
    assert of["matrix"]["jaccard"]["prompts"] == 5
    assert of["matrix"]["embedding_similarity"]["prompts"] == 3, "not the contested ones, whatever they are called"
    assert PHRASE in [span["text"] for span in of["anchors"]["chat"]]
    assert found["within"]["chat"]["semantic_entropy"]["value"] is not None
    rungs = found["constraints"]["conditions"]["chat"]
    assert [(rung["k"], rung["scores"]["satisfied"]["value"]) for rung in rungs] == [(0, 1.0), (2, 0.5)]
    answers = {(one["condition"], one["prompt_id"]): one for one in found["survey"]["answers"]}
    assert answers["chat", "fares"]["p"] == pytest.approx([2 / 3, 1 / 3])
    assert answers["chat", "fares"]["unparsed"] == 1
    assert answers["chat", "fares"]["groups"]["town"]["tv"] == pytest.approx(1 / 15)
    for name in NEEDS_WEIGHTS:
        score = found["within"]["chat"][name]
        assert score["value"] is None
        assert score["reason"].startswith(("no entropies are stored", "no log-probs are stored"))
        assert "\n" not in score["reason"]
    assert {"Ladders of constraints", "Anchor spans", "Survey: distance to people"} <= shown
