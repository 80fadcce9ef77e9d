"""A session's samples as a dataset of Hugging Face: a folder that `datasets.load_dataset` reads, with its card.

README.md            what is in it; above, as YAML, where the rows are and of which types
data/train.jsonl     the rows of `alignbench export jsonl`; what has no fixed form stands in them as JSON text

Halves of surrogate pairs, which no reader of the folder takes, are U+FFFD in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alignbench.display import whole_characters
from alignbench.exporting.samples import COLUMNS, SampleFilter, sample_rows, write_jsonl
from alignbench.json_text import json_text
from alignbench.output_files import new_folder
from alignbench.spec import NOT_RECORDED, Condition, written_setting
from alignbench.store import Counts, Store

_ROWS = Path("data") / "train.jsonl"
_TYPES = {
    **dict.fromkeys(("sample", "seed", "n_prompt_tokens", "n_tokens", "n_thinking_tokens"), "int64"),
    **dict.fromkeys(("seconds", "logprob", "probability"), "float64"),
    "refused": "bool",
}
_MEANING = {
    "prompt_id": "of the prompt, in this dataset",
    "prompt": "what was asked, the last message of a conversation",
    "condition": "a model with its context and settings, see below",
    "kind": "`base` or `aligned`",
    "model": "its name",
    "sample": "number of the response among those of its prompt and condition, from 0",
    "seed": "that it was drawn with",
    "status": "`done`, `cancelled` or `error`",
    "text": "the response",
    "finish_reason": "`stop`, or `length` where the response was cut off",
    "n_prompt_tokens": "tokens of the prompt",
    "n_tokens": "tokens of the response",
    "seconds": "that it took",
    "logprob": "sum over its tokens, in nats",
    "probability": "that the model gave this answer among others, as it said",
    "error": "why there is no response",
    "thinking": "what the model thought before it",
    "n_thinking_tokens": "tokens of that",
    "refused": "whether the server says that it is a refusal",
    "note": "what a reader should know about it",
    "messages": "of a conversation, all messages up to the response",
}


def export_dataset(store: Store, session: int, selection: SampleFilter, folder: Path) -> Path:
    """Write the dataset into a new folder, all of it or nothing; the folder.

    InputError where the name is taken, or where the session has no condition or prompt of a name that is selected.
    """
    rows = sample_rows(store, session, selection)
    with new_folder(folder) as target:
        (target / _ROWS).parent.mkdir()
        columns: list[str] = [*COLUMNS]
        with (target / _ROWS).open("w", encoding="utf-8", newline="") as out:
            write_jsonl(_plain_rows(rows, columns), out)
        card = whole_characters(_card(store, session, selection, columns))
        (target / "README.md").write_text(card, encoding="utf-8")
    return folder


def _plain_rows(rows: Iterator[dict[str, Any]], columns: list[str]) -> Iterator[dict[str, Any]]:
    """Rows whose values are of one type a column. columns: filled with their names."""
    for row in rows:
        columns[:] = row
        yield {
            name: json_text(value) if isinstance(value, dict | list) and name != "messages" else value
            for name, value in _whole(row).items()
        }


def _whole(value: Any) -> Any:
    """A value whose texts have no half of a surrogate pair."""
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value


def _card(store: Store, session: int, selection: SampleFilter, columns: list[str]) -> str:
    info = store.session(session)
    conditions = [each for each in store.conditions(session) if not selection.conditions or
                  each.name in selection.conditions]  # fmt: skip
    counts = {each.condition: each for each in store.counts(session)}
    head = [
        "---",
        f"pretty_name: {json_text(info.name)}",
        "tags:",
        "- alignbench",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {_ROWS.as_posix()}",
        "dataset_info:",
        "  features:",
        *(line for name in columns for line in _feature(name)),
        "---",
    ]
    body = [
        "",
        f"# {_inline(info.name)}",
        "",
        "Responses of language models, exported from a session of alignbench. `text` is what a model wrote: it was not "
        "looked through. The licence is that of the prompts and of the models, which this card does not know.",
        "",
        f"Made {info.created[:10]}. Reference: {_inline(info.reference or 'none')}.",
        "",
        "| condition | kind | model | responses | errors | settings |",
        "|---|---|---|---|---|---|",
        *(_condition(each, counts.get(each.name)) for each in conditions),
        "",
        "| column | |",
        "|---|---|",
        *(
            f"| `{name}` | {_MEANING.get(name, 'of the prompt, as JSON text; empty where it has none')} |"
            for name in columns
        ),
        "",
    ]
    return "\n".join([*head, *body])


def _feature(name: str) -> list[str]:
    if name == "messages":
        turn = ["    - name: role", "      dtype: string", "    - name: content", "      dtype: string"]
        return ["  - name: messages", "    list:", *turn]
    return [f"  - name: {name}", f"    dtype: {_TYPES.get(name, 'string')}"]


def _condition(condition: Condition, counts: Counts | None) -> str:
    settings: Mapping[str, Any] = condition.settings
    told = ", ".join(f"{name} {written_setting(value)}" for name, value in settings.items() if value is not None)
    cells = (
        condition.name,
        condition.model.kind,
        condition.model.reference,
        str(counts.samples if counts else 0),
        str(counts.errors if counts else 0),
        told or NOT_RECORDED,
    )
    return f"| {' | '.join(map(_inline, cells))} |"


def _inline(text: str) -> str:
    """A text on one line of Markdown, none of it taken for markup."""
    plain = " ".join(text.split())
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|~" else character for character in plain)
