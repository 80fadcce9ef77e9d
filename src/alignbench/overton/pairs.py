"""BERTScores of the release: bertscore/outputs/<reference>--<alternative>.json, parallel lists of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.importing.values import ImportedPairs
from alignbench.overton.layout import PAIR_IDS
from alignbench.overton.missing import if_there
from alignbench.spec import Prompt
from alignbench.store import PairScore
from alignbench.textfiles import read_object


def read_pairs(
    folder: Path, prompts: Sequence[Prompt], conditions: Sequence[str], missing: list[str]
) -> tuple[ImportedPairs, ...]:
    """One entry a file. Pairs of conditions that are not in the dataset are left out. What is not there is
    added to `missing`. Raises InputError."""
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    read = (if_there(missing, lambda path: _read(path, prompts, conditions), path) for path in files)
    return tuple(imported for imported in read if imported is not None and imported.pairs)


def _read(path: Path, prompts: Sequence[Prompt], conditions: Sequence[str]) -> ImportedPairs:
    document = read_object(path)
    reference, _, alternative = path.stem.partition("--")
    results = document.get("results")
    if not isinstance(results, dict):
        raise InputError(f'{path}, field "results": missing; expected an object with the list "f1".')
    columns = [_numbers(document, name, path) for name in PAIR_IDS] + [_numbers(results, "f1", path)]
    if len({len(column) for column in columns}) > 1:
        raise InputError(f"{path}: {', '.join(PAIR_IDS)} and results.f1 differ in length; expected one entry a pair.")
    known = {reference, alternative} <= set(conditions)
    pairs = []
    for line, reference_sample, sample, f1 in zip(*columns, strict=True):
        if not 0 <= line < len(prompts):
            raise InputError(f"{path}: instance_ids has {line}; expected 0 to {len(prompts) - 1}.")
        if known and math.isfinite(f1):
            pairs.append(
                PairScore(prompts[int(line)].id, reference, alternative, int(reference_sample), int(sample), float(f1))
            )
    return ImportedPairs("bertscore_f1", str(results.get("hashcode", "unknown")), tuple(pairs))


def _numbers(document: dict[str, Any], name: str, path: Path) -> list[float]:
    values = document.get(name)
    if not isinstance(values, list) or not all(isinstance(v, int | float) for v in values):
        raise InputError(f'{path}, field "{name}": expected a list of numbers.')
    return values
