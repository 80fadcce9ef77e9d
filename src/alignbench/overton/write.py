"""A session in the layout of the paper's release, so that its own scripts and `importing.overton` read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import InputError
from alignbench.json_text import json_text
from alignbench.judging.summary import judgments_of
from alignbench.output_files import new_folder
from alignbench.overton.layout import (
    ARGS,
    DATA,
    HINTS,
    INSTANCES,
    KINDS,
    PAIR_IDS,
    PAIRS,
    SAMPLES,
    judged_pair,
    outputs_folder,
    scored_pair,
)
from alignbench.overton.write_rows import ExportedCell, output_rows
from alignbench.scoring.model_based.bertscore import BERTSCORE
from alignbench.spec import SETTINGS, Condition, Prompt
from alignbench.store import HintRow, Judgment, JudgmentRow, PairScore, SampleRow, Store

_NO_WEIGHTS = "an imported model"
_Cell = tuple[str, str]  # condition, prompt id


def export_overton(store: Store, session: int, folder: Path) -> Path:
    """Write FOLDER/<session's name>, all of it or none; the folder that was made.

    InputError where it is there already, where the session or a condition has a name that is no folder's, or where a
    prompt comes after other messages.
    """
    name = store.session(session).name
    conditions, prompts = store.conditions(session), store.prompts(session)
    for each in (name, *(condition.name for condition in conditions)):
        if each in ("", ".", "..") or set(each) & set('/\\\0:*?"<>|') or "--" in each:
            raise InputError(f"{each!r} cannot be the name of a folder; rename it to export this session.")
    if spoken := next((prompt.id for prompt in prompts if prompt.earlier), ""):
        raise InputError(
            f"The prompt {spoken!r} comes after other messages, which the paper's layout has no place for; "
            "`alignbench export jsonl` has them."
        )
    cells: dict[_Cell, list[SampleRow]] = {}
    for row in store.samples(session):
        cells.setdefault((row.condition, row.prompt_id), []).append(row)
    with new_folder(folder / name) as target:
        _lines(target / INSTANCES, (_instance(prompt, line) for line, prompt in enumerate(prompts)))
        facts = store.manifest(session).get("imported", {}).get("conditions", {})
        for condition in conditions:
            _condition(store, target, name, condition, prompts, cells, facts.get(condition.name, {}))
        _pairs(target, store.pair_scores(session, BERTSCORE), prompts)
        _hints(target, store.hints(session), prompts)
        for kind_folder, kind in KINDS.items():
            for judge in store.judges(session, kind)[:1]:
                rows = judgments_of(store, session, kind, judge)
                _judgments(target / kind_folder, rows, judge, prompts, cells)
    return folder / name


def _condition(
    store: Store,
    target: Path,
    dataset: str,
    condition: Condition,
    prompts: Sequence[Prompt],
    cells: Mapping[_Cell, Sequence[SampleRow]],
    facts: Mapping[str, Any],
) -> None:
    folder = target / outputs_folder(condition.name)
    of_condition = []
    for prompt in prompts:
        samples = cells.get((condition.name, prompt.id), ())
        of_condition.append(ExportedCell(store.rendered(samples[0].cell_id) if samples else None, tuple(samples)))
    rows, of_text_server = output_rows(of_condition)
    _lines(folder / SAMPLES, rows)
    if not condition.unrecorded.issuperset(SETTINGS) or "model" in facts:
        _object(folder / ARGS, _args(condition, facts, dataset, of_server=not of_text_server))


def _args(condition: Condition, facts: Mapping[str, Any], dataset: str, *, of_server: bool) -> dict[str, Any]:
    recorded = {name: value for name, value in condition.settings.items() if value is not None}
    examples = condition.context.examples
    model = facts.get("model") or (_NO_WEIGHTS if condition.model.is_imported else condition.model.reference)
    if of_server:
        settings = {name: recorded[name] for name in ("temperature", "max_tokens", "top_p") if name in recorded}
        return {"openai_params": {"model": model, **settings}}
    side = None
    if examples is not None and examples.condition:
        nearest = examples.select if examples.select.startswith("nearest") else None
        side = {"k": examples.k, "output_file": f"./data/{dataset}/outputs/{examples.condition}/samples.jsonl"}
        side |= {} if nearest is None else {"embedding_file": f"embeddings-{nearest.removeprefix('nearest-')}.npz"}
    return {
        "server": {"model_id": model},
        "params": _text_server_params(recorded),
        "side_info_args": side,
    }


def _text_server_params(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are recorded, as a text server names them; 0 is None there, since it means off."""
    params = {name: recorded[name] for name in ("top_p", "typical_p", "repetition_penalty") if name in recorded}
    if (temperature := recorded.get("temperature")) is not None:
        params |= {"do_sample": temperature > 0, "temperature": temperature or None}
    if "top_k" in recorded:
        params["top_k"] = recorded["top_k"] or None
    if "max_tokens" in recorded:
        params["max_new_tokens"] = recorded["max_tokens"]
    if "stop" in recorded:
        params["stop"] = [*recorded["stop"]]
    return params


def _pairs(target: Path, pairs: Iterable[PairScore], prompts: Sequence[Prompt]) -> None:
    lines = {prompt.id: line for line, prompt in enumerate(prompts)}
    files: dict[tuple[str, str], list[PairScore]] = {}
    for pair in pairs:
        files.setdefault((pair.reference, pair.condition), []).append(pair)
    for (reference, condition), there in files.items():
        ids = [(lines[pair.prompt_id], pair.reference_sample, pair.sample) for pair in there]
        document = {
            "ref_model": reference,
            "alt_model": condition,
            **dict(zip(PAIR_IDS, map(list, zip(*ids, strict=True)), strict=True)),
            "results": {"f1": [pair.value for pair in there], "hashcode": there[0].version},
        }
        _object(target / PAIRS / scored_pair(reference, condition), document)


def _hints(target: Path, hints: Iterable[HintRow], prompts: Sequence[Prompt]) -> None:
    """The summaries of first samples, which is all that the layout has a place for."""
    made: dict[tuple[str, str], dict[str, str]] = {}
    for hint in hints:
        if hint.level == "summary" and hint.prompt_id and hint.source_condition and hint.source_sample == 0:
            made.setdefault((hint.source_condition, hint.maker), {})[hint.prompt_id] = hint.text
    for (condition, maker), texts in made.items():
        there = [(line, prompt) for line, prompt in enumerate(prompts) if prompt.id in texts]
        folder = target / HINTS
        requests = (_judge_request(line, prompt.text) for line, prompt in there)
        _lines(folder / "instances" / condition / DATA, requests)
        replies = ({"ok": True, "outputs": [_message(texts[prompt.id])]} for _, prompt in there)
        _lines(folder / "outputs" / condition / SAMPLES, replies)
        _object(folder / "outputs" / condition / ARGS, {"openai_params": {"model": maker}})


def _judgments(
    folder: Path,
    rows: Iterable[JudgmentRow],
    judge: str,
    prompts: Sequence[Prompt],
    cells: Mapping[_Cell, Sequence[SampleRow]],
) -> None:
    groups: dict[tuple[str, str | None], dict[tuple[str, int], JudgmentRow]] = {}
    for row in rows:
        groups.setdefault((row.condition, row.reference), {})[row.prompt_id, row.sample] = row
    for (condition, reference), there in groups.items():
        name = condition if reference is None else judged_pair(reference, condition)
        requests, replies = [], []
        for line, prompt in enumerate(prompts):
            for sample in _up_to_the_last_judged(cells.get((condition, prompt.id), ()), prompt, there):
                judged = there.get((prompt.id, sample.sample))
                others = cells.get((reference, prompt.id), ()) if reference is not None else ()
                requests.append(_judge_request(line, "" if judged is None else _judged_text(judged, sample, others)))
                replies.append(
                    {"ok": False, "error": "not judged"} if judged is None else _judge_reply(judged.judgment)
                )
        _lines(folder / "instances" / name / DATA, requests)
        template = {"_template_wrapper": {"hash": next(iter(there.values())).judgment.template_hash}}
        _object(folder / "instances" / name / ARGS, template)
        _lines(folder / "outputs" / name / SAMPLES, replies)
        _object(folder / "outputs" / name / ARGS, {"openai_params": {"model": judge}})


def _up_to_the_last_judged(
    samples: Sequence[SampleRow], prompt: Prompt, judged: Mapping[tuple[str, int], JudgmentRow]
) -> Sequence[SampleRow]:
    """A row does not say which sample it is about: its place among the rows of its prompt does, so none is left out."""
    usable = [sample for sample in samples if sample.status == "done"]
    last = max((i for i, sample in enumerate(usable) if (prompt.id, sample.sample) in judged), default=-1)
    return usable[: last + 1]


def _judged_text(judged: JudgmentRow, sample: SampleRow, others: Iterable[SampleRow]) -> str:
    reference = [other.text for other in others if other.sample == judged.reference_sample]
    return "\n\n".join([*reference, sample.text])


def _judge_reply(judgment: Judgment) -> dict[str, Any]:
    if judgment.reply:
        return {"ok": True, "outputs": [_message(judgment.reply)]}
    return {"ok": False, "error": judgment.reason or "no reply"}


def _instance(prompt: Prompt, line: int) -> dict[str, Any]:
    """A prompt, with its id where that is not its line."""
    return {**({} if prompt.id == str(line) else {"id": prompt.id}), **_query(prompt.text)}


def _query(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def _judge_request(line: int, text: str) -> dict[str, Any]:
    return {"metadata": {"instance_id": line}, **_query(text)}


def _message(text: str) -> dict[str, Any]:
    return {"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": text}}


def _lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json_text(row) + "\n")


def _object(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json_text(value, indent=2) + "\n", encoding="utf-8")
