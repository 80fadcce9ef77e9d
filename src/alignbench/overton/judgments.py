"""Judgments and hints of the release: what was asked, in `instances`, beside what a model replied, in `outputs`.

A row of either says which prompt it is about and not which sample: that is its order among the rows of its prompt.
Every row is checked against the text that was judged; one that holds another text is counted and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.importing.values import ImportedCondition, ImportedHint, ImportedJudgment, ImportedSample
from alignbench.judging.replies import ParsedReply, read_reply
from alignbench.judging.templates import judge_template
from alignbench.overton.layout import ARGS, DATA, HINTS, JUDGED_PAIR, KINDS, SAMPLES
from alignbench.overton.missing import if_there
from alignbench.overton.rows import NotARow, read_row
from alignbench.parsing import parse_json
from alignbench.spec import Prompt, content_hash
from alignbench.textfiles import json_lines, read_object, read_utf8

_UNNAMED = "not recorded"


@dataclass(frozen=True, slots=True)
class _Reply:
    """One row."""

    line: int
    instance: int
    asked: str  # the prompt of the model that replied
    text: str  # its reply, empty where it failed with `error`
    error: str


def read_judgments(
    folder: Path, prompts: Sequence[Prompt], conditions: Sequence[ImportedCondition], missing: list[str]
) -> tuple[tuple[ImportedJudgment, ...], tuple[str, ...]]:
    """The judgments of every condition or pair that is there, and notes about them. Files that are not there are added
    to `missing`. Raises InputError."""
    by_name = {each.condition.name: each for each in conditions}
    judgments: list[ImportedJudgment] = []
    notes: list[str] = []
    for name, kind in KINDS.items():
        outputs = folder / name / "outputs"
        for replies in sorted(outputs.iterdir()) if outputs.is_dir() else ():
            pair = JUDGED_PAIR.fullmatch(replies.name)
            judged, reference = (pair["alternative"], pair["reference"]) if pair else (replies.name, None)
            if judged not in by_name or (reference is not None and reference not in by_name):
                continue
            sides = by_name[judged], by_name[reference] if reference else None
            read = partial(_judgments, folder / name, kind=kind, prompts=prompts, judged=sides[0], reference=sides[1])
            here = if_there(missing, read, replies) or []
            there = [judgment for judgment in here if judgment is not None]
            judgments += there
            if invalid := sum(judgment.status == "invalid" for judgment in there):
                notes.append(f"{kind} of {replies.name}: {invalid} of {len(there)} replies cannot be read")
            if len(here) > len(there):
                notes.append(f"{kind} of {replies.name}: {len(here) - len(there)} rows judge a text that is not here")
    return tuple(judgments), tuple(notes)


def read_hints(
    folder: Path, prompts: Sequence[Prompt], conditions: Sequence[str], missing: list[str]
) -> tuple[ImportedHint, ...]:
    """The summaries, each of sample 0 of the condition that their folder is called after. Files that are not there are
    added to `missing`. Raises InputError."""
    outputs = folder / HINTS / "outputs"
    hints: list[ImportedHint] = []
    for replies in sorted(outputs.iterdir()) if outputs.is_dir() else ():
        if replies.name in conditions:
            hints += if_there(missing, lambda replies: _hints(folder / HINTS, replies, prompts), replies) or []
    return tuple(hints)


def _hints(hints: Path, replies: Path, prompts: Sequence[Prompt]) -> list[ImportedHint]:
    maker = _model(replies)
    return [
        ImportedHint(prompts[reply.instance], replies.name, 0, maker, reply.text.strip())
        for reply in _replies(hints, replies, len(prompts))
        if reply.text.strip()
    ]


def _judgments(
    kind_folder: Path,
    replies: Path,
    kind: str,
    prompts: Sequence[Prompt],
    judged: ImportedCondition,
    reference: ImportedCondition | None,
) -> list[ImportedJudgment | None]:
    """None for a row that judges a text that is not here."""
    judgments: list[ImportedJudgment | None] = []
    judge, template_hash = _model(replies), _template_hash(kind_folder, replies.name)
    usable = {cell.prompt.id: _usable(cell.samples) for cell in judged.cells}
    others = {cell.prompt.id: _usable(cell.samples) for cell in reference.cells} if reference else {}
    rows: dict[int, int] = {}
    for reply in _replies(kind_folder, replies, len(prompts)):
        prompt = prompts[reply.instance]
        order = rows.get(reply.instance, 0)
        rows[reply.instance] = order + 1
        candidates = usable.get(prompt.id, [])
        is_judged_text = order < len(candidates) and candidates[order][1].text.strip() in reply.asked
        of_reference = [i for i, sample in others.get(prompt.id, []) if sample.text.strip() in reply.asked]
        if not is_judged_text or (reference and not of_reference):
            judgments.append(None)
            continue
        parsed = _read(kind, reply)
        judgment = ImportedJudgment(
            kind=kind,
            judge=judge,
            template_hash=template_hash,
            prompt=prompt,
            condition=judged.condition.name,
            sample=candidates[order][0],
            reference=reference.condition.name if reference else None,
            reference_sample=of_reference[0] if reference else None,
            status=parsed.status,
            fields=parsed.fields,
            reason=parsed.reason,
            reply=reply.text,
        )
        judgments.append(judgment)
    return judgments


def _usable(samples: Sequence[ImportedSample]) -> list[tuple[int, ImportedSample]]:
    return [(i, sample) for i, sample in enumerate(samples) if not sample.error]


def _read(kind: str, reply: _Reply) -> ParsedReply:
    """The reply in the form that our own judges are asked for, which has a rationale for all of its fields."""
    if reply.error:
        return ParsedReply("invalid", {}, reply.error)
    try:
        value = parse_json(reply.text)
    except ValueError:
        value = None
    text = json.dumps({"rationale": "", **value}) if isinstance(value, dict) else reply.text
    return read_reply(judge_template(kind), text)


def _replies(kind_folder: Path, replies: Path, n_prompts: int) -> Iterator[_Reply]:
    """The rows of a folder of replies, each with what was asked in the row of `instances` beside it."""
    path, requests_path = replies / SAMPLES, kind_folder / "instances" / replies.name / DATA
    rows, instances = list(json_lines(path, read_utf8(path))), list(json_lines(requests_path, read_utf8(requests_path)))
    if len(rows) != len(instances):
        raise InputError(
            f"{path} has {len(rows)} rows; expected {len(instances)}, one for each line of {requests_path}."
        )
    for (line, row), (instance_line, instance) in zip(rows, instances, strict=True):
        number, text = _instance(instance, f"{requests_path}, line {instance_line}", n_prompts)
        try:
            _, (sample, *_) = read_row(row, 1)
        except (NotARow, ValueError) as error:
            raise InputError(f"{path}, line {line}: {error}.") from None
        yield _Reply(line, number, text, sample.text, sample.error)


def _instance(row: Mapping[str, Any], where: str, n_prompts: int) -> tuple[int, str]:
    """Which prompt a row is about, and what was asked."""
    match row:
        case {"metadata": {"instance_id": int(number)}, "messages": [*_, {"content": str(text)}]}:
            if 0 <= number < n_prompts:
                return number, text
            raise InputError(f"{where}: instance_id is {number}; expected 0 to {n_prompts - 1}.")
    raise InputError(f'{where}: expected "metadata" with an "instance_id", and "messages".')


def _model(replies: Path) -> str:
    args = read_object(replies / ARGS) if (replies / ARGS).is_file() else {}
    params = args.get("openai_params")
    return str(params.get("model", _UNNAMED)) if isinstance(params, dict) else _UNNAMED


def _template_hash(kind_folder: Path, name: str) -> str:
    """Hash of the template that args.json keeps; else of the folder's name."""
    path = kind_folder / "instances" / name / ARGS
    wrapper = read_object(path).get("_template_wrapper") if path.is_file() else None
    if isinstance(wrapper, dict) and isinstance(wrapper.get("hash"), str):  # written by our own export
        return str(wrapper["hash"])
    template = wrapper.get("template") if isinstance(wrapper, dict) else None
    return content_hash(template if isinstance(template, str) else f"overton {kind_folder.name}")
