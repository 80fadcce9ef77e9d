"""The released data of Lake, Choi and Durrett 2024 (github.com/thomlake/investigating-alignment), a session a dataset.

    <dataset>/instances/data.jsonl                      the prompts; ours have an "id" where it is not their line
    <dataset>/outputs[-temp0]/<condition>/args.json     what was run; missing for some conditions
    <dataset>/outputs[-temp0]/<condition>/samples.jsonl one line a prompt, in the order of data.jsonl

The folder's name is the condition (an args.json may name another one); one of outputs-temp0 is called NAME@temp0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.importing.values import ImportedCell, ImportedCondition, ImportedHint, ImportedSession
from alignbench.overton.args import facts_of, settings_of
from alignbench.overton.contexts import context_of
from alignbench.overton.judgments import read_hints, read_judgments
from alignbench.overton.layout import ARGS, GREEDY, INSTANCES, OUTPUTS, PAIRS, SAMPLES
from alignbench.overton.missing import if_there
from alignbench.overton.pairs import read_pairs
from alignbench.overton.rows import NotARow, is_base, read_row
from alignbench.prompts import load_numbered
from alignbench.spec import IMPORTED, NOT_RECORDED, Condition, Model, Prompt
from alignbench.textfiles import MissingFile, json_lines, read_object, read_utf8

_Line = tuple[int, dict[str, Any]]  # its number, from 1, and what it holds


def datasets(folder: Path) -> list[Path]:
    """The datasets in a folder, or the folder itself where it is one. InputError where there is none."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise InputError(f"{folder} {what}; expected the folder of the paper's data.")
    if _is_dataset(folder):
        return [folder]
    folders = [path for path in sorted(folder.iterdir()) if _is_dataset(path)]
    if not folders:
        raise InputError(f"{folder} holds no dataset; expected folders with {INSTANCES} in them.")
    return folders


def _is_dataset(folder: Path) -> bool:
    return (folder / INSTANCES).is_file() or any((folder / outputs).is_dir() for outputs, _ in OUTPUTS)


def read_dataset(folder: Path) -> ImportedSession:
    """One dataset, as far as its files are there: notes name those that are not.

    MissingFile without its prompts or any responses; InputError, with file, line and field, for anything that is not as
    the release has it.
    """
    prompts = _prompts(folder)
    folders: dict[str, Path] = {}
    for outputs, suffix in OUTPUTS:
        for path in _folders(folder / outputs):
            if (other := folders.setdefault(path.name + suffix, path)) != path:
                raise InputError(f"{other} and {path} are both the condition {path.name + suffix!r}; rename one.")
    missing: list[str] = []
    rows = {
        name: there for name, path in folders.items() if (there := if_there(missing, _rows, path / SAMPLES)) is not None
    }
    if not rows:
        raise MissingFile(
            f"{folder} holds no outputs; expected outputs/<condition>/samples.jsonl. {' '.join(missing[:1])}"
        )
    hints = read_hints(folder, prompts, list(rows), missing)
    conditions = [_condition(folders[name], name, there, prompts, hints, missing) for name, there in rows.items()]
    pairs = read_pairs(folder / PAIRS, prompts, list(rows), missing)
    judgments, judging = read_judgments(folder, prompts, conditions, missing)
    return ImportedSession(
        name=folder.name,
        source={"format": "overton", "dataset": folder.name},
        conditions=tuple(conditions),
        reference=_reference(conditions, [pair.reference for imported in pairs for pair in imported.pairs[:1]]),
        pairs=pairs,
        judgments=judgments,
        hints=hints,
        notes=(*_missing_notes(folder, missing), *_notes(conditions), *judging),
    )


def _prompts(folder: Path) -> list[Prompt]:
    """The prompts in file order, called after their line as the release's own instance ids are."""
    return [replace(prompt, set=folder.name) for prompt in load_numbered(folder / INSTANCES)]


def _folders(path: Path) -> list[Path]:
    """Sorted, without files such as .DS_Store."""
    return sorted(each for each in path.iterdir() if each.is_dir()) if path.is_dir() else []


def _condition(
    folder: Path,
    name: str,
    rows: Sequence[_Line],
    prompts: Sequence[Prompt],
    hints: Sequence[ImportedHint],
    missing: list[str],
) -> ImportedCondition:
    args_file = folder / ARGS
    args = (if_there(missing, read_object, args_file) or {}) if args_file.is_file() else {}
    try:
        settings = settings_of(args, greedy=name.endswith(GREEDY))
    except InputError as error:
        raise InputError(f"{args_file}: {error}") from None
    cells = _cells(folder / SAMPLES, rows, prompts)
    base = any(is_base(cell.rendered) for cell in cells)
    facts = facts_of(args)
    if not args:
        facts["settings"] = NOT_RECORDED
    return ImportedCondition(
        Condition.of_settings(
            name,
            Model(name, IMPORTED + name, "base" if base else "aligned"),
            context_of(name, cells, args, hints),
            settings,
        ),
        tuple(cells),
        facts,
    )


def _rows(path: Path) -> list[_Line]:
    return list(json_lines(path, read_utf8(path)))


def _cells(path: Path, rows: Sequence[_Line], prompts: Sequence[Prompt]) -> list[ImportedCell]:
    if len(rows) != len(prompts):
        raise InputError(f"{path} has {len(rows)} rows; expected {len(prompts)}, one for each line of data.jsonl.")
    n = max((len(row["outputs"]) for _, row in rows if isinstance(row.get("outputs"), list)), default=1)
    cells = []
    for (line, row), prompt in zip(rows, prompts, strict=True):
        try:
            rendered, samples = read_row(row, n)
        except NotARow as error:
            raise InputError(f"{path}, line {line}: {error}.") from None
        cells.append(ImportedCell(prompt, samples, rendered))
    return cells


def _reference(conditions: Sequence[ImportedCondition], named: Sequence[str]) -> str | None:
    """The condition that the release's own comparisons take as their reference, else the first aligned one."""
    aligned = [each.condition.name for each in conditions if each.condition.model.kind == "aligned"]
    return next(iter([*named, *aligned]), None)


def _missing_notes(folder: Path, missing: Sequence[str]) -> Iterator[str]:
    if missing:
        what = "1 file is" if len(missing) == 1 else f"{len(missing)} files are"
        yield f"{what} not there, and what would be in them is left out"
    yield from (each.replace(f"{folder}/", "") for each in missing)


def _notes(conditions: Sequence[ImportedCondition]) -> Iterator[str]:
    for each in conditions:
        samples = [sample for cell in each.cells for sample in cell.samples]
        name = each.condition.name
        if errors := sum(bool(sample.error) for sample in samples):
            yield f"{name}: {errors} of {len(samples)} samples are errors, not empty responses"
        if any(sample.hint for sample in samples):
            missing = sum(not sample.text.strip() for sample in samples if not sample.error)
            ran_on = sum(sample.finish == "length" for sample in samples)
            yield (
                f"{name}: hint and answer parsed apart; {missing} of {len(samples)} never came to an answer and are "
                f"empty, {ran_on - missing} answers were cut by length"
            )
