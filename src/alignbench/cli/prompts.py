"""`alignbench prompts`: the sets that ship, and the user's own files."""

from __future__ import annotations

from typing import Annotated

import typer

from alignbench import bounds
from alignbench.cli import completion, printing
from alignbench.cli.options import IdField, Json, PromptField, Values, number

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.command("list")
def list_sets(as_json: Json = False) -> None:
    """Name the prompt sets that ship."""
    from alignbench.cli.tables import print_table
    from alignbench.prompts import load_prompts, set_path, shipped_sets

    sets = [(name, len(load_prompts(name)), str(set_path(name))) for name in shipped_sets()]
    if as_json:
        for name, n, path in sets:
            printing.json_data({"name": name, "prompts": n, "path": path})
        return
    print_table(("set", "prompts", "file"), [(name, str(n), path) for name, n, path in sets])


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|dataset:NAME",
            help="A set that ships, a file, or a data set: dataset:org/name?split=test.",
            autocompletion=completion.prompt_sets,
        ),
    ],
    limit: Annotated[int | None, number(bounds.LIMIT, "--limit", help="Only the first prompts.")] = None,
    prompt_field: PromptField = None,
    id_field: IdField = None,
    values: Values = None,
    as_json: Json = False,
) -> None:
    """Print the prompts of a set, checked.

    JSON: one line a prompt, a file that can be read again.
    """
    from alignbench.cli.tables import print_table
    from alignbench.prompt_fields import prompt_json
    from alignbench.prompts import load_prompts, prompt_source

    source = prompt_source(name, field=prompt_field, id_field=id_field, values=values)
    prompts = load_prompts(source, limit=limit)
    if as_json:
        for prompt in prompts:
            printing.json_data({"id": prompt.id, "prompt": prompt.text, **prompt_json(prompt)})
        return
    print_table(("id", "prompt"), [(prompt.id, prompt.shown) for prompt in prompts])
