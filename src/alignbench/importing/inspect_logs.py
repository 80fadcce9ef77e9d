"""Responses from logs of Inspect (inspect.aisi.org.uk), read by inspect_ai itself.

A condition is a model with the settings of its log; a prompt what a sample's model was asked, an epoch of it a sample
here. Samples that end in a call of a tool, or whose conversation has any, are left out. Scores are not imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alignbench.errors import AlignbenchError, InputError
from alignbench.extras import needed
from alignbench.importing.fields import (
    NoPrompt,
    PromptIds,
    conversation,
    count,
    end_of,
    logprob_of,
    seconds_of,
    seed_of,
    settings_of,
)
from alignbench.importing.responses import ImportedResponse, ImportedResponses, Origin
from alignbench.importing.sources import source_of
from alignbench.importing.values import ImportedSample
from alignbench.store import GenerationFacts


def stream_inspect(paths: Sequence[Path]) -> ImportedResponses:
    """The samples of logs (.eval or .json), a session of all of them.

    AlignbenchError without inspect_ai; InputError for what it cannot read.
    """
    with needed("Logs of Inspect are read by", "inspect"):
        import inspect_ai.log  # noqa: F401
    for path in paths:
        if not path.is_file():
            what = "is a folder; expected a file" if path.is_dir() else "is not there"
            raise InputError(f"{path} {what}.")
    responses = ImportedResponses(paths[0].stem, source_of("inspect", paths), ())
    responses.rows = _all(paths, responses)
    return responses


def _all(paths: Sequence[Path], responses: ImportedResponses) -> Iterator[ImportedResponse]:
    ids = PromptIds()
    for path in paths:
        yield from _of_log(path, ids, responses)


def _of_log(path: Path, ids: PromptIds, responses: ImportedResponses) -> Iterator[ImportedResponse]:
    from inspect_ai.log import read_eval_log, read_eval_log_samples

    header = _read(path, lambda: read_eval_log(path, header_only=True))
    spec = header.eval
    config = spec.model_generate_config.model_dump(exclude_none=True) | header.plan.config.model_dump(exclude_none=True)
    origin = _origin(spec, config)
    responses.facts.setdefault(origin.model, {}).update({"model": spec.model, "inspect_task": spec.task})
    samples = read_eval_log_samples(path, all_samples_required=False)
    while (sample := _read(path, lambda: next(samples, None))) is not None:
        where = f"{path}, sample {sample.id}, epoch {sample.epoch}"
        if sample.scores:
            responses.left_out["scores of samples"] += len(sample.scores)
        try:
            prompt, answers = _asked(sample)
        except NoPrompt as error:
            responses.left_out[f"samples with {error}"] += 1
            continue
        prompt = ids.named(prompt, str(sample.id), spec.task)
        seed = seed_of((sample.metadata or {}).get("seed", config.get("seed")))
        for i, imported in enumerate(_samples(sample, answers, seed)):
            key = f"inspect {sample.uuid} {i}" if sample.uuid else ""
            yield ImportedResponse(where, prompt, origin, imported, key=key)


def _origin(spec: Any, config: Mapping[str, Any]) -> Origin:
    """A log that this program wrote says which condition it is of, and what Inspect has no name for."""
    ours = (spec.metadata or {}).get("alignbench")
    if not isinstance(ours, dict) or not isinstance(ours.get("condition"), str) or not ours["condition"]:
        return Origin(spec.model, settings=settings_of(config))
    settings = ours.get("settings") if isinstance(ours.get("settings"), dict) else {}
    return Origin(ours["condition"], "base" if ours.get("kind") == "base" else "aligned", settings_of(settings or {}))


def _read(path: Path, read: Any) -> Any:
    """What inspect_ai reads. It raises errors of many kinds for a file that is no log."""
    try:
        return read()
    except (MemoryError, AlignbenchError):
        raise
    except Exception as error:  # a boundary, as above
        said = str(error).partition("\n")[0].strip() or type(error).__name__
        raise InputError(f"{path} is no log that inspect_ai can read: {said[:200]}.") from None


def _asked(sample: Any) -> tuple[Any, Any]:
    """The prompt of the last answer, and the output that has it. Raises NoPrompt."""
    messages = list(sample.messages)
    if messages and messages[-1].role == "assistant":
        messages.pop()
    if not messages:
        given = sample.input
        messages = [] if isinstance(given, str) else list(given)
        if isinstance(given, str):
            return conversation([{"role": "user", "content": given}]), sample.output
    return conversation([_plain(message) for message in messages]), sample.output


def _plain(message: Any) -> dict[str, Any]:
    content = message.content
    if not isinstance(content, str):
        content = [part.model_dump() for part in content if part.type != "reasoning"]
    return {"role": message.role, "content": content, "tool_calls": getattr(message, "tool_calls", None)}


def _samples(sample: Any, output: Any, seed: int | None) -> Iterator[ImportedSample]:
    if sample.error is not None or output.error or not output.choices:
        why = sample.error.message if sample.error is not None else output.error or "there is no answer"
        yield ImportedSample(error=why)
        return
    usage = output.usage if len(output.choices) == 1 else None
    thinking = (usage.reasoning_tokens or None) if usage else None
    seconds = seconds_of(output.time)
    for choice in output.choices:
        finish, refused = end_of(choice.stop_reason)
        if choice.stop_reason == "unknown":
            finish = None
        text, thoughts = _text(choice.message)
        logprobs = [token.logprob for token in choice.logprobs.content] if choice.logprobs and not thinking else []
        n = count(usage.output_tokens) if usage else None
        yield ImportedSample(
            text,
            text,
            finish,
            thinking=thoughts or None,
            refused=refused,
            facts=GenerationFacts(
                seed=seed,
                n_prompt_tokens=count(usage.input_tokens) if usage else None,
                n_tokens=n - thinking if n is not None and thinking and thinking <= n else n,
                n_thinking_tokens=thinking,
                seconds=seconds,
                logprob=logprob_of(sum(logprobs)) if logprobs else None,
            ),
        )


def _text(message: Any) -> tuple[str, str]:
    """Answer and thoughts."""
    if isinstance(message.content, str):
        return message.content, ""
    thoughts = "".join(part.reasoning for part in message.content if part.type == "reasoning" and not part.redacted)
    return "".join(part.text for part in message.content if part.type == "text"), thoughts
