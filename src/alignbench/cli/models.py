"""`alignbench models`: what models there are, and whether one is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignbench.cli import completion, printing
from alignbench.cli.options import Json, Verbose
from alignbench.cli.pull import pull
from alignbench.errors import InputError

if TYPE_CHECKING:
    from alignbench.models.catalog import ModelStatus
    from alignbench.spec import Model

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

ModelsFile = Annotated[
    Path | None,
    typer.Option("--models", help="A models.toml.", show_default="models.toml in the configuration folder"),
]


app.command()(pull)


@app.command("list")
def list_models(
    models_file: ModelsFile = None,
    cached: Annotated[
        bool, typer.Option("--cached", help="The models of hubs that are on this machine, with their sizes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Name the models: embedded, then those of models.toml.

    With --cached those that hubs gave.
    """
    if cached:
        from alignbench.cli.cached_models import print_cached

        print_cached(models_file, as_json)
        return
    from alignbench.cli.tables import print_table
    from alignbench.models.catalog import inventory

    statuses = inventory(models_file=models_file)
    if as_json:
        for status in statuses:
            printing.json_data(_as_json(status))
        return
    print_table(
        ("name", "kind", "size", "context", "what", "state", "where"),
        [
            (
                status.name,
                status.kind or "-",
                _megabytes(status.size),
                str(status.context_length or "-"),
                status.description or "-",
                "missing" if status.problem else "ok",
                status.problem or str(status.path or status.reference),
            )
            for status in statuses
        ],
    )
    for notice in dict.fromkeys(filter(None, (status.terms for status in statuses))):
        printing.say(f"{', '.join(status.name for status in statuses if status.terms == notice)}: {notice}")


@app.command()
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            autocompletion=completion.models,
            help="A name, llama:/path/file.gguf[+/adapter.gguf], or openai:http://host:8000/v1#served-name.",
        ),
    ],
    models_file: ModelsFile = None,
    as_json: Json = False,
    _verbose: Verbose = False,
) -> None:
    """Check a model: hash its weights, or ask its server.

    Its header is read, and its adapter's weights are hashed too. A server gets some thirty small requests. Exit
    code 1 where something is wrong with the weights, or the server does
    not answer.
    """
    from alignbench.cli.tables import print_table
    from alignbench.errors import AlignbenchError
    from alignbench.models import catalog
    from alignbench.models.gguf import BrokenFile

    try:
        model = catalog.resolve(name, models_file=models_file)
        if model.reference.startswith("openai:"):
            _check_server(model, models_file, as_json)
            return
        if notice := catalog.terms(model):
            printing.say(notice)
        facts = {
            "name": model.name,
            "kind": model.kind,
            "reference": model.reference,
            **_of_weights(model),
            **_of_adapter(model),
        }
    except BrokenFile as error:  # what this command was asked to find: a failure, not wrong use of it
        raise AlignbenchError(str(error)) from None
    if as_json:
        printing.json_data(facts)
        return
    print_table(
        ("", ""), [(key.removeprefix("sha256_").replace("_", " "), _plain(value)) for key, value in facts.items()]
    )


def _check_server(model: Model, models_file: Path | None, as_json: bool) -> None:
    """What the server of a model can do."""
    from alignbench.cli.tables import print_table
    from alignbench.engines.cancellation import Cancellation
    from alignbench.engines.openai.check import check_server
    from alignbench.engines.openai.engine import OpenAIEngine
    from alignbench.models.catalog import server_settings

    engine = OpenAIEngine(model, Cancellation(), server_settings(model, models_file=models_file))
    try:
        checks = check_server(engine)
        known = engine.capabilities()
    finally:
        engine.close()
    facts = {
        "name": model.name,
        "kind": model.kind,
        "reference": model.reference,
        "server": known.description,
        "context_length": known.n_ctx_train or None,
    }
    if as_json:
        found = {check.name.replace(", ", "_"): {"ok": check.ok, "detail": check.detail} for check in checks}
        printing.json_data({**facts, "checks": found})
        return
    print_table(("", ""), [(key.replace("_", " "), _plain(value)) for key, value in facts.items()])
    said = {True: "yes", False: "no", None: "?"}
    print_table(("what", "can", ""), [(check.name, said[check.ok], check.detail) for check in checks])


def _of_weights(model: Model) -> dict[str, object]:
    """What the GGUF file of a model holds; of a folder for transformers, what it is loaded from."""
    from alignbench.models import catalog
    from alignbench.models.gguf import read_header
    from alignbench.models.hf_source import parse_source
    from alignbench.models.reference import parse_reference
    from alignbench.models.weights import source_hash

    reference = parse_reference(model.reference)
    if reference.scheme in ("hf", "vllm") and not (source := parse_source(reference.target)).gguf_file:
        files = source.files(code=model.options.trust_remote_code)
        if not files:
            raise InputError(f"{reference.base} is not in the local cache.")
        return {
            "path": str(files[0].parent),
            "bytes": sum(path.stat().st_size for path in files),
            "sha256": source_hash(source, code=model.options.trust_remote_code),
        }
    path = catalog.weights_path(model)
    header = read_header(path)
    sha256 = _hash(path)
    verified = catalog.verify(model, sha256)
    return {
        "path": str(path),
        "bytes": header.file_size,
        "sha256": sha256,
        "sha256_verified": verified,
        "model": header.name,
        "architecture": header.architecture,
        "parameters": header.n_parameters,
        "quantization": header.quantization,
        "context_length": header.context_length,
        "tensors": header.n_tensors,
        "chat_template": header.chat_template is not None,
    }


def _of_adapter(model: Model) -> dict[str, object]:
    """What a model's adapter is, and the hash of the weights that it makes; nothing where there is none."""
    from alignbench.models.catalog import adapter_facts
    from alignbench.models.reference import parse_reference
    from alignbench.models.weights import adapter_hash, weights_hash

    reference = parse_reference(model.reference)
    if reference.adapter is None:
        return {}
    adapter = adapter_facts(reference)
    if adapter is None:
        raise InputError(f"The adapter {reference.adapter.target} is not in the local cache.")
    return {
        "adapter": str(adapter.path),
        "adapter_scale": reference.adapter.scale,
        "adapter_rank": adapter.rank,
        "adapter_made_on": adapter.made_on,
        "adapter_chat_template": adapter.chat_template is not None,
        "adapter_sha256": adapter_hash(reference),
        "weights_sha256": weights_hash(model),
    }


def _hash(path: Path) -> str:
    """SHA-256 of the weights, with a bar on stderr where that is a terminal."""
    from alignbench.cli.progress import ProgressBar
    from alignbench.models.catalog import file_hash
    from alignbench.models.weights import gguf_hash

    with ProgressBar(of_bytes=True) as progress:
        return gguf_hash(path, lambda part: file_hash(part, progress))


def _as_json(status: ModelStatus) -> dict[str, object]:
    return {
        "name": status.name,
        "kind": status.kind,
        "reference": status.reference,
        "origin": status.origin,
        "path": str(status.path) if status.path else None,
        "bytes": status.size,
        "context_length": status.context_length,
        "description": status.description,
        "terms": status.terms or None,
        "ok": not status.problem,
        "problem": status.problem or None,
    }


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:,.0f} MB"


def _plain(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:g}"
        case None | "":
            return "-"
    return str(value)


@app.command()
def template(
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="A name or a reference.", autocompletion=completion.models)
    ],
    _verbose: Verbose = False,
) -> None:
    """Write a model's chat template, as Jinja.

    For a context that gives it to another model.
    """
    from alignbench.engines.blocking import loaded
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.models.catalog import resolve

    model = resolve(name)
    pool = WorkerPool()
    try:
        source = loaded(pool, model).chat_template
    finally:
        pool.close()
    if source is None:
        raise InputError(f"{model.name} has no chat template that can be read.")
    printing.data(source, end="")
