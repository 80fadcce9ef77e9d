"""Names in the tree of the release of "From Distributional to Overton Pluralism", for what reads and what writes it."""

from __future__ import annotations

import re
from pathlib import Path

INSTANCES = Path("instances") / "data.jsonl"
"""The prompts of a dataset, one a line."""

GREEDY = "@temp0"
OUTPUTS = (("outputs", ""), ("outputs-temp0", GREEDY))
"""Folders of conditions, and what is added to the names of those in them."""

SAMPLES, ARGS, DATA = "samples.jsonl", "args.json", "data.jsonl"

KINDS = {"eval-quality": "quality", "eval-missing": "new-information", "eval-stance": "stance"}
"""Folders of judgments, and their kinds."""

HINTS = "summaries-outputs"
PAIRS = Path("bertscore") / "outputs"
PAIR_IDS = ("instance_ids", "ref_sample_ids", "alt_sample_ids")
JUDGED_PAIR = re.compile(r"ref_(?P<reference>.+)--alt_(?P<alternative>.+)")


def outputs_folder(condition: str) -> Path:
    """The folder of a condition's samples."""
    if condition.endswith(GREEDY):
        return Path("outputs-temp0") / condition.removesuffix(GREEDY)
    return Path("outputs") / condition


def judged_pair(reference: str, alternative: str) -> str:
    """The folder of the judgments of one condition against another."""
    return f"ref_{reference}--alt_{alternative}"


def scored_pair(reference: str, alternative: str) -> str:
    """The file of the BERTScores of one condition against another."""
    return f"{reference}--{alternative}.json"
