"""`alignbench import`: responses that were generated elsewhere become sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench import paths
from alignbench.cli import printing
from alignbench.cli.options import Db, Json

if TYPE_CHECKING:
    from alignbench.importing.mapping import FieldMap
    from alignbench.importing.responses import ImportedResponses
    from alignbench.importing.save import ImportResult
    from alignbench.importing.values import ImportedSession

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="One file or more, which become one session.")]
Base = Annotated[
    list[str] | None, typer.Option("--base", metavar="MODEL", help="This model is a base model; repeatable.")
]
Map = Annotated[
    str | None,
    typer.Option("--map", metavar="NAME=FIELD,...", help="Which field is which: text=completion,prompt=input.question"),
]


@app.command()
def overton(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The release's data folder, or one dataset in it.")],
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Import the released data of the Overton paper.

    "From Distributional to Overton Pluralism": one session a dataset.
    """
    from alignbench.overton.read import datasets

    _land(_whole(datasets(folder)), db, as_json)


def _whole(folders: Sequence[Path]) -> Iterator[ImportedSession]:
    """The datasets whose prompts and responses are there; the others are told, and an error where there is no other."""
    from alignbench.overton.read import read_dataset
    from alignbench.textfiles import MissingFile

    read = 0
    for at, folder in enumerate(folders, start=1):
        try:
            yield read_dataset(folder)
            read += 1
        except MissingFile as error:
            if at == len(folders) and not read:
                raise
            printing.say(f"{folder.name} is left out: {error}")


@app.command()
def jsonl(files: Files, mapped: Map = None, base: Base = None, db: Db = None, as_json: Json = False) -> None:
    """Import JSONL files of responses as one session.

    --map names the fields that are called otherwise. Without it a row is {"prompt_id", "prompt", "condition", "text"},
    as `alignbench export jsonl` writes it.
    """
    from alignbench.importing.jsonl import stream_jsonl

    _import(partial(stream_jsonl, mapped=_field_map(mapped)), files, base, db, as_json)


@app.command("csv")
def from_csv(files: Files, mapped: Map = None, base: Base = None, db: Db = None, as_json: Json = False) -> None:
    """Import CSV files of responses as one session.

    --map names the columns that are called otherwise. Without it the header has prompt_id, prompt, condition, text,
    as `alignbench export csv` writes it.
    """
    from alignbench.importing.spreadsheets import stream_spreadsheets

    _import(partial(stream_spreadsheets, mapped=_field_map(mapped)), files, base, db, as_json)


@app.command()
def novelty(files: Files, base: Base = None, db: Db = None, as_json: Json = False) -> None:
    """Import generations of NoveltyBench as one session.

    Each model in its generations.jsonl files is a condition.
    """
    from alignbench.importing.novelty import stream_novelty

    _import(stream_novelty, files, base, db, as_json)


@app.command("lm-eval")
def lm_eval(
    files: Files,
    filter: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What this filter of the task made of the responses, not they themselves."),
    ] = None,
    base: Base = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Import samples of lm-evaluation-harness as one session.

    FILE is a samples_*.jsonl of `lm_eval --log_samples`, or a folder of them.
    """
    from alignbench.importing.lm_eval import stream_lm_eval, with_folders

    _import(partial(stream_lm_eval, filter=filter), with_folders(files), base, db, as_json)


@app.command()
def promptfoo(files: Files, base: Base = None, db: Db = None, as_json: Json = False) -> None:
    """Import results of promptfoo as one session.

    FILE is what `promptfoo eval -o FILE.json` wrote, or -o FILE.jsonl; each provider is a condition.
    """
    from alignbench.importing.promptfoo import stream_promptfoo

    _import(stream_promptfoo, files, base, db, as_json)


@app.command("inspect")
def from_inspect(files: Files, base: Base = None, db: Db = None, as_json: Json = False) -> None:
    """Import logs of Inspect (.eval, .json) as one session.

    inspect_ai itself reads them, which comes with the extra inspect.
    """
    from alignbench.importing.inspect_logs import stream_inspect

    _import(stream_inspect, files, base, db, as_json)


@app.command("openai-batch")
def openai_batch(files: Files, base: Base = None, db: Db = None, as_json: Json = False) -> None:
    """Import an OpenAI batch: its requests and results.

    Name the file of requests and those of results and of errors, in any order.
    """
    from alignbench.importing.openai_batch import stream_openai_batch

    _import(stream_openai_batch, files, base, db, as_json)


@app.command("llm")
def from_llm(files: Files, base: Base = None, db: Db = None, as_json: Json = False) -> None:
    """Import what `llm logs --json` printed as one session.

    Each model, with its options, is a condition.
    """
    from alignbench.importing.llm_logs import stream_llm

    _import(stream_llm, files, base, db, as_json)


def _field_map(mapped: str | None) -> FieldMap | None:
    from alignbench.importing.mapping import FieldMap

    return None if mapped is None else FieldMap.parsed(mapped)


def _import(
    stream: Callable[[Sequence[Path]], ImportedResponses],
    files: Sequence[Path],
    base: list[str] | None,
    db: Path | None,
    as_json: bool,
) -> None:
    """All of the files become one session, or nothing does."""
    from alignbench.importing.sources import without_copies
    from alignbench.importing.stream import save_responses
    from alignbench.store import Store

    files, file_hash, notes = without_copies(files)
    responses = stream(files)
    if file_hash:
        responses.source = {**responses.source, "sha256": file_hash}
    responses.notes += notes
    with Store.open(db or paths.default_database()) as store:
        before = store.session_of_import(file_hash) if file_hash else None
        result = save_responses(store, responses, base or ())
    if before is not None:
        printing.say(f"The same was imported before, as session {before}; this is one more session of it.")
    for note in responses.all_notes:
        printing.say(f"{responses.name}: {note}")
    _show([result], as_json)


def _land(sessions: Iterable[ImportedSession], db: Path | None, as_json: bool) -> None:
    """Each session is read whole before it is written, and written in one commit."""
    from alignbench.importing.save import save_import
    from alignbench.store import Store

    path = db or paths.default_database()
    imports = []
    with Store.open(path) as store:
        for imported in sessions:
            for note in imported.notes:
                printing.say(f"{imported.name}: {note}")
            imports.append(save_import(store, imported))
    _show(imports, as_json)


def _show(imports: Sequence[ImportResult], as_json: bool) -> None:
    from alignbench.cli.tables import print_table

    if as_json:
        printing.json_data([asdict(each) for each in imports])
    else:
        columns = ("session", "dataset", "samples", "errors")
        print_table(columns, [[str(getattr(each, name)) for name in columns] for each in imports])
