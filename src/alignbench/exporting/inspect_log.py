"""A session's samples as logs of Inspect (inspect.aisi.org.uk), of inspect_ai's own types: `inspect view` opens them.

A log is of one model, so a condition has a log of its own: a sample here is an epoch there. Judgments of single samples
become scores. The condition's name, context and settings are in the log's metadata, and `alignbench import inspect`
takes the name from there. Halves of surrogate pairs, which JSON in UTF-8 does not take, are U+FFFD.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from alignbench.display import whole_characters
from alignbench.errors import InputError
from alignbench.exporting.samples import SampleFilter, known_names
from alignbench.extras import needed
from alignbench.output_files import check_output, new_folder, output
from alignbench.spec import Condition, Prompt
from alignbench.store import JudgmentRow, SampleRow, Store

ENDINGS = (".eval", ".json")
METADATA = "alignbench"  # key of a log's metadata
_NO_NAME = re.compile(r"[^\w.+-]+")
_STOP = {"stop": "stop", "length": "max_tokens"}


def export_inspect(store: Store, session: int, selection: SampleFilter, path: Path) -> Path:
    """Write a log to a file, or one for each condition into a new folder, where the path has no ending of a log.

    AlignbenchError without inspect_ai. InputError where a file is asked for and there are several conditions, or where
    the session has none of these names.
    """
    with needed("Logs of Inspect are made by", "inspect"):
        import inspect_ai.log  # noqa: F401
    conditions = store.conditions(session)
    known_names(store, session, selection)
    chosen = [each for each in conditions if not selection.conditions or each.name in selection.conditions]
    if not chosen:
        raise InputError(f"Session {session} has no conditions; there is nothing to write.")
    if path.suffix in ENDINGS:
        if len(chosen) > 1:
            names = ", ".join(each.name for each in chosen)
            raise InputError(
                f"A log is of one condition, and these are {len(chosen)}: {names}. --condition names one; "
                f"-o {path.with_suffix('').name}, without an ending, makes a folder with a log of each."
            )
        check_output(path)
        with tempfile.TemporaryDirectory() as folder, output(path) as out:
            written = Path(folder) / f"log{path.suffix}"
            _write(store, session, chosen[0], selection, written)
            with written.open("rb") as log:
                while chunk := log.read(1 << 20):
                    out.write(chunk)
        return path
    with new_folder(path) as folder:
        for n, condition in enumerate(chosen, start=1):
            name = _NO_NAME.sub("-", condition.name).strip("-.") or "condition"
            _write(store, session, condition, selection, folder / f"{n:02}_{name}.eval")
    return path


def _write(store: Store, session: int, condition: Condition, selection: SampleFilter, path: Path) -> None:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalPlan, EvalResults, EvalSpec, write_eval_log
    from inspect_ai.model import GenerateConfig

    info = store.session(session)
    prompts = {prompt.id: prompt for prompt in store.prompts(session)}
    rows = [*_rows(store, session, condition.name, selection)]
    judged = _judged(store, session, condition.name)
    samples = [_sample(row, prompts[row.prompt_id], condition, judged.get(_key(row), ())) for row in rows]
    asked = list(dict.fromkeys(row.prompt_id for row in rows))
    config = GenerateConfig(**_generation(condition))
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            created=info.created,
            task=info.name,
            dataset=EvalDataset(name=info.name, samples=len(asked), sample_ids=[*asked]),
            model=condition.model.name,
            model_generate_config=config,
            config=EvalConfig(epochs=max((row.sample + 1 for row in rows), default=1)),
            tags=[condition.name],
            metadata={
                METADATA: {
                    "session": session,
                    "condition": condition.name,
                    "kind": condition.model.kind,
                    "reference": condition.model.reference,
                    "context": condition.context.to_json(),
                    "settings": {k: [*v] if isinstance(v, tuple) else v for k, v in condition.settings.items()},
                }
            },
        ),
        plan=EvalPlan(name=condition.name, config=config),
        results=EvalResults(
            total_samples=len(samples), completed_samples=sum(sample.error is None for sample in samples)
        ),
        samples=samples,
    )
    write_eval_log(log, str(path), format="json" if path.suffix == ".json" else "eval")


def _rows(store: Store, session: int, condition: str, selection: SampleFilter) -> Iterator[SampleRow]:
    for cell in store.cells(session):
        if cell.condition == condition and (not selection.prompts or cell.prompt_id in selection.prompts):
            yield from (row for row in store.samples(session, cell_id=cell.id) if row.status != "cancelled")


def _generation(condition: Condition) -> dict[str, Any]:
    """The recorded settings that Inspect has a name for."""
    settings = condition.settings
    names = ("temperature", "top_p", "top_k", "max_tokens", "seed")
    told = {name: settings[name] for name in names if settings[name] is not None}
    if not told.get("top_k"):
        told.pop("top_k", None)  # 0 is off here
    if settings["stop"]:
        told["stop_seqs"] = [*settings["stop"]]
    return told


def _key(row: SampleRow) -> tuple[str, int]:
    return row.prompt_id, row.sample


def _judged(store: Store, session: int, condition: str) -> dict[tuple[str, int], list[JudgmentRow]]:
    """Judgments of single samples of a condition; those of pairs are left out."""
    judged: dict[tuple[str, int], list[JudgmentRow]] = {}
    for row in store.judgments(session):
        if row.condition == condition and row.reference is None:
            judged.setdefault((row.prompt_id, row.sample), []).append(row)
    return judged


def _sample(row: SampleRow, prompt: Prompt, condition: Condition, judged: Iterable[JudgmentRow]) -> Any:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageUser,
        ContentReasoning,
        ContentText,
        ModelOutput,
        ModelUsage,
    )

    makers = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    asked = [makers[turn.role](content=whole_characters(turn.content)) for turn in prompt.messages]
    text = whole_characters(row.text)
    content: Any = text
    if row.thinking:
        content = [ContentReasoning(reasoning=whole_characters(row.thinking)), ContentText(text=text)]
    answer = ChatMessageAssistant(content=content, model=condition.model.name, source="generate")
    counted = None
    if row.n_tokens is not None:
        n_output = row.n_tokens + (row.n_thinking_tokens or 0)
        n_input = row.n_prompt_tokens or 0
        counted = ModelUsage(
            input_tokens=n_input,
            output_tokens=n_output,
            total_tokens=n_input + n_output,
            reasoning_tokens=row.n_thinking_tokens,
        )
    failed = row.status == "error"
    reason: Any = "content_filter" if row.refused else _STOP.get(row.finish_reason or "", "unknown")
    facts = {"seed": row.seed, "logprob": row.logprob, "note": row.note}
    return EvalSample(
        id=row.prompt_id,
        epoch=row.sample + 1,
        input=asked if prompt.earlier else whole_characters(prompt.text),
        target="",
        messages=asked if failed else [*asked, answer],
        output=ModelOutput(
            model=condition.model.name,
            choices=[] if failed else [ChatCompletionChoice(message=answer, stop_reason=reason)],
            completion="" if failed else text,
            usage=counted,
            time=row.seconds,
            error=row.error if failed else None,
        ),
        scores=_scores(judged) or None,
        metadata={name: value for name, value in facts.items() if value is not None},
        error=_error(row.error or "it failed") if failed else None,
        total_time=row.seconds,
    )


def _error(message: str) -> Any:
    from inspect_ai.log import EvalError

    return EvalError(message=message, traceback="", traceback_ansi="")


def _scores(judged: Iterable[JudgmentRow]) -> dict[str, Any]:
    """A score for each judgment that is valid, by its kind and the judge."""
    from inspect_ai.scorer import Score

    scores: dict[str, Any] = {}
    for row in judged:
        judgment = row.judgment
        values = _plain_values(judgment.fields)
        if judgment.status != "valid" or not values:
            continue
        value: Any = next(iter(values.values())) if len(values) == 1 else values
        scores[f"{judgment.kind} ({judgment.judge})"] = Score(
            value=value, explanation=whole_characters(judgment.reply) or None
        )
    return scores


def _plain_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, words and truth values; lists and objects have no place in a score."""
    return {name: value for name, value in fields.items() if isinstance(value, str | int | float | bool)}
