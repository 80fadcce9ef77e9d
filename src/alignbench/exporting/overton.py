"""A session in the layout of the paper's release, so that its own scripts and `importing.overton` read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import AlignbenchError, InputError
from alignbench.importing.overton import GREEDY
from alignbench.importing.overton_judgments import KINDS
from alignbench.judging.summary import judgments_of
from alignbench.scoring.imported_pairs import METRIC
from alignbench.spec import Condition, Prompt
from alignbench.store import HintRow, JudgmentRow, PairScore, SampleRow, Store

_NO_WEIGHTS = "an imported model"
_Cell = tuple[str, str]  # condition, prompt id


def export_overton(store: Store, session: int, folder: Path) -> Path:
    """Write FOLDER/<session's name>; the folder that was made.

    InputError where it is there already, or where the session or a condition has a name that is no folder's.
    """
    name = store.session(session).name
    conditions, prompts = store.conditions(session), store.prompts(session)
    for each in (name, *(condition.name for condition in conditions)):
        if each in ("", ".", "..") or set(each) & set('/\\\0:*?"<>|'):
            raise InputError(f"{each!r} cannot be the name of a folder; rename it to export this session.")
    target = folder / name
    if target.exists():
        raise InputError(f"{target} is there already; expected a folder without it.")
    cells: dict[_Cell, list[SampleRow]] = {}
    for row in store.samples(session):
        cells.setdefault((row.condition, row.prompt_id), []).append(row)
    try:
        _lines(target / "instances" / "data.jsonl", (_query(prompt.text) for prompt in prompts))
        facts = store.manifest(session).get("imported", {}).get("conditions", {})
        for condition in conditions:
            _condition(store, target, condition, prompts, cells, facts.get(condition.name, {}))
        _pairs(target, store.pair_scores(session, METRIC), prompts)
        _hints(target, store.hints(session), prompts)
        for kind_folder, kind in KINDS.items():
            for judge in store.judges(session, kind)[:1]:
                rows = judgments_of(store, session, kind, judge)
                _judgments(target / kind_folder, rows, judge, prompts, cells)
    except OSError as error:
        raise AlignbenchError(f"{target} cannot be written: {error.strerror or error}.") from None
    return target


def _condition(
    store: Store,
    target: Path,
    condition: Condition,
    prompts: Sequence[Prompt],
    cells: Mapping[_Cell, Sequence[SampleRow]],
    facts: Mapping[str, Any],
) -> None:
    greedy = condition.name.endswith(GREEDY)
    folder = target / ("outputs-temp0" if greedy else "outputs") / condition.name.removesuffix(GREEDY)
    of_server = True
    rows = []
    for prompt in prompts:
        samples = cells.get((condition.name, prompt.id), ())
        rendered = store.rendered(samples[0].cell_id) if samples else None
        of_server = of_server and rendered is None
        rows.append(_row(rendered, samples))
    _lines(folder / "samples.jsonl", rows)
    if "settings" not in facts:
        _object(folder / "args.json", _args(condition, facts, target.name, of_server=of_server))


def _row(rendered: str | None, samples: Sequence[SampleRow]) -> dict[str, Any]:
    if rendered is None:
        return {"ok": True, "outputs": [_message(row.raw_text, row.finish_reason, row.error) for row in samples]}
    outputs = [{"error": row.error} if row.error else {"generated_text": row.raw_text} for row in samples]
    return {"prompt": rendered, "outputs": outputs}


def _args(condition: Condition, facts: Mapping[str, Any], dataset: str, *, of_server: bool) -> dict[str, Any]:
    sampling, examples = condition.sampling, condition.context.examples
    model = facts.get("model") or (_NO_WEIGHTS if condition.model.is_imported else condition.model.reference)
    if of_server:
        settings = {"temperature": sampling.temperature, "max_tokens": sampling.max_tokens, "top_p": sampling.top_p}
        return {"openai_params": {"model": model, **settings}}
    side = None
    if examples is not None and examples.condition:
        nearest = examples.select if examples.select.startswith("nearest") else None
        side = {"k": examples.k, "output_file": f"./data/{dataset}/outputs/{examples.condition}/samples.jsonl"}
        side |= {} if nearest is None else {"embedding_file": f"embeddings-{nearest.removeprefix('nearest-')}.npz"}
    return {
        "server": {"model_id": model},
        "params": {
            "do_sample": sampling.temperature > 0,
            "temperature": sampling.temperature or None,
            "top_k": sampling.top_k or None,
            "top_p": sampling.top_p,
            "typical_p": sampling.typical_p,
            "repetition_penalty": sampling.repetition_penalty,
            "max_new_tokens": sampling.max_tokens,
            "stop": list(sampling.stop),
        },
        "side_info_args": side,
    }


def _pairs(target: Path, pairs: Iterable[PairScore], prompts: Sequence[Prompt]) -> None:
    lines = {prompt.id: line for line, prompt in enumerate(prompts)}
    files: dict[tuple[str, str], list[PairScore]] = {}
    for pair in pairs:
        files.setdefault((pair.reference, pair.condition), []).append(pair)
    for (reference, condition), there in files.items():
        document = {
            "ref_model": reference,
            "alt_model": condition,
            "instance_ids": [lines[pair.prompt_id] for pair in there],
            "ref_sample_ids": [pair.reference_sample for pair in there],
            "alt_sample_ids": [pair.sample for pair in there],
            "results": {"f1": [pair.value for pair in there], "hashcode": there[0].version},
        }
        _object(target / "bertscore" / "outputs" / f"{reference}--{condition}.json", document)


def _hints(target: Path, hints: Iterable[HintRow], prompts: Sequence[Prompt]) -> None:
    """The summaries of first samples, which is all that the layout has a place for."""
    made: dict[tuple[str, str], dict[str, str]] = {}
    for hint in hints:
        if hint.level == "summary" and hint.source_condition is not None and hint.source_sample == 0:
            made.setdefault((hint.source_condition, hint.maker), {})[hint.prompt_hash] = hint.text
    for (condition, maker), texts in made.items():
        there = [(line, prompt) for line, prompt in enumerate(prompts) if prompt.hash in texts]
        folder = target / "summaries-outputs"
        asked = (_asked(line, prompt.text) for line, prompt in there)
        _lines(folder / "instances" / condition / "data.jsonl", asked)
        replies = ({"ok": True, "outputs": [_message(texts[prompt.hash], "stop", None)]} for _, prompt in there)
        _lines(folder / "outputs" / condition / "samples.jsonl", replies)
        _object(folder / "outputs" / condition / "args.json", {"openai_params": {"model": maker}})


def _judgments(
    folder: Path,
    rows: Iterable[JudgmentRow],
    judge: str,
    prompts: Sequence[Prompt],
    cells: Mapping[_Cell, Sequence[SampleRow]],
) -> None:
    lines = {prompt.id: line for line, prompt in enumerate(prompts)}
    texts = {(row.condition, row.prompt_id, row.sample): row.text for there in cells.values() for row in there}
    groups: dict[str, list[JudgmentRow]] = {}
    for row in rows:
        name = row.condition if row.reference is None else f"ref_{row.reference}--alt_{row.condition}"
        groups.setdefault(name, []).append(row)
    for name, there in groups.items():
        # A row does not say which sample it is about: its place among the rows of its prompt does.
        there.sort(key=lambda row: (lines[row.prompt_id], row.sample))
        asked = []
        for row in there:
            shown = [texts[row.condition, row.prompt_id, row.sample]]
            if row.reference is not None and row.reference_sample is not None:
                shown.insert(0, texts[row.reference, row.prompt_id, row.reference_sample])
            asked.append(_asked(lines[row.prompt_id], "\n\n".join(shown)))
        _lines(folder / "instances" / name / "data.jsonl", asked)
        template = {"_template_wrapper": {"hash": there[0].judgment.template_hash}}
        _object(folder / "instances" / name / "args.json", template)
        replies = ({"ok": True, "outputs": [_message(row.judgment.reply, "stop", None)]} for row in there)
        _lines(folder / "outputs" / name / "samples.jsonl", replies)
        _object(folder / "outputs" / name / "args.json", {"openai_params": {"model": judge}})


def _query(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def _asked(line: int, text: str) -> dict[str, Any]:
    return {"metadata": {"instance_id": line}, **_query(text)}


def _message(text: str, finish_reason: str, error: str | None) -> dict[str, Any]:
    if error:
        return {"error": error}
    return {"finish_reason": finish_reason, "index": 0, "message": {"role": "assistant", "content": text}}


def _lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def _object(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
