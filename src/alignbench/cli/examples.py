"""`alignbench examples`: sets that ship, sets in the database, files, and what would be selected from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignbench import bounds, paths
from alignbench.cli import completion, printing
from alignbench.cli.former_options import SessionCommand
from alignbench.cli.options import Db, Json, SessionArgument, number
from alignbench.errors import InputError
from alignbench.paths import existing_database
from alignbench.spec import Examples, ExampleSet, Order, Select

if TYPE_CHECKING:
    from alignbench.store import Store

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

SetName = Annotated[
    str,
    typer.Argument(
        metavar="SET",
        help="A set that ships, one in the database, or a file.",
        autocompletion=completion.example_sets,
    ),
]
Name = Annotated[str | None, typer.Option(help="What to call the set in the database.")]


@app.command("list")
def list_sets(db: Db = None, as_json: Json = False) -> None:
    """Name the example sets that ship or are kept here."""
    from alignbench.cli.tables import print_table
    from alignbench.contexts.example_files import shipped_example_set, shipped_example_sets

    rows = []
    for name in shipped_example_sets():
        shipped = shipped_example_set(name)
        rows.append({"name": name, "examples": len(shipped.items), "hash": shipped.hash, "origin": "ships"})
    path = db or paths.default_database()
    if path.exists():
        with _store(path) as store:
            rows += [
                {"name": info.name, "examples": info.n, "hash": info.hash, "origin": info.origin}
                for info in store.example_sets()
                if info.name  # the others were kept for a cell or a condition
            ]
    if as_json:
        for row in rows:
            printing.json_data(row)
        return
    print_table(
        ("set", "examples", "hash", "from"),
        [(str(row["name"]), str(row["examples"]), str(row["hash"])[:12], str(row["origin"])) for row in rows],
    )


@app.command()
def show(name: SetName, db: Db = None, as_json: Json = False) -> None:
    """Print a set, checked.

    JSON: one line an example, a file that can be read again.
    """
    from alignbench.cli.tables import print_table
    from alignbench.contexts.example_files import write_examples

    pool = _examples({"set": name}, db).pool
    if as_json:
        printing.data(write_examples(pool), end="")
        return
    print_table(("prompt", "response", "hint"), [(item.prompt, item.response, item.hint) for item in pool.items])


@app.command(cls=SessionCommand)
def build(
    session: SessionArgument,
    condition: Annotated[str, typer.Option(help="The condition whose answers are taken.")],
    sample: Annotated[int, number(bounds.SAMPLE, "--sample", help="Which sample of each prompt.")] = 0,
    name: Name = None,
    db: Db = None,
) -> None:
    """Make a set of a condition's answers.

    One a prompt; it is kept in the database.
    """
    from alignbench.experiments.stored_sets import session_id

    with _store(existing_database(db)) as store:
        answers = store.condition_examples(session_id(store, session), condition, sample)
        _keep(store, replace(answers, name=name or condition))


@app.command("import")
def import_set(
    file: Annotated[Path, typer.Argument(help="JSONL, CSV, or a prompt in URIAL's layout (.txt).")],
    name: Name = None,
    db: Db = None,
) -> None:
    """Check a file of examples and keep it."""
    from alignbench.contexts.example_files import read_examples

    example_set = read_examples(file)
    with _store(db or paths.default_database()) as store:
        _keep(store, replace(example_set, name=name or example_set.name))


@app.command("select")
def select_examples(
    name: SetName,
    prompt: Annotated[str, typer.Option(help="The prompt that the examples are for.")],
    select: Annotated[Select, typer.Option(help="Which of them.")] = "nearest-prompt",
    k: Annotated[int, number(bounds.EXAMPLES, "-k", "--k", help="How many.")] = 3,
    seed: Annotated[int, number(bounds.SEED, "--seed", help="Of a random selection or order.")] = 0,
    order: Annotated[Order, typer.Option(help="In which order they stand.")] = "given",
    mmr: Annotated[
        float | None,
        number(
            bounds.FRACTION, "--mmr", help="Weight of similarity in maximal marginal relevance.", show_default="off"
        ),
    ] = None,
    near_duplicate: Annotated[
        float, number(bounds.FRACTION, "--near-duplicate", help="Examples at least this similar are left out.")
    ] = Examples().near_duplicate,
    response: Annotated[str, typer.Option(help="The teacher's answer, for nearest-response and nearest-format.")] = "",
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Show which examples would stand before a prompt.

    They stand in their order, with rank and similarity.
    """
    from alignbench.cli.tables import print_table
    from alignbench.cli.typed_prompts import typed_text
    from alignbench.engines.workers.pool import WorkerPool
    from alignbench.experiments.scratch_preparer import trial_preparer
    from alignbench.prompts import typed_prompt

    question = typed_prompt(typed_text(prompt))
    examples = _examples(
        {"set": name, "select": select, "k": k, "seed": seed, "order": order, "near_duplicate": near_duplicate}
        | ({} if mmr is None else {"mmr": mmr}),
        db,
    )
    if examples.by_response and not response.strip():
        raise InputError(f"--response is missing; {select} needs the teacher's answer to the prompt.")
    pool = WorkerPool()
    try:
        with trial_preparer(pool, None, None) as preparer:
            example_set, selection = preparer.selection(question, examples, response)
    finally:
        pool.close()
    for selected in selection.left_out:
        printing.say(f"left out, a near duplicate: {example_set.items[selected.index].prompt}")
    rows = [(s.rank, s.similarity, example_set.items[s.index].prompt) for s in selection.chosen]
    if as_json:
        for rank, similarity, text in rows:
            printing.json_data({"rank": rank, "similarity": similarity, "prompt": text})
        return
    print_table(
        ("rank", "similarity", "prompt"),
        [(str(rank), "-" if similarity is None else f"{similarity:.3f}", text) for rank, similarity, text in rows],
    )


def _examples(values: dict[str, Any], db: Path | None) -> Examples:
    """The examples of a context file with these values; its messages name the fields as the options are called."""
    from alignbench.contexts.files import read_context
    from alignbench.experiments.stored_sets import StoredSets

    sets = StoredSets(db or paths.default_database())
    examples = read_context({"template": "plain", "examples": values}, "alignbench examples", Path(), sets).examples
    assert examples is not None
    return examples


def _keep(store: Store, examples: ExampleSet) -> None:
    for known in store.example_sets():
        if known.hash == examples.hash and known.name not in ("", examples.name):
            printing.say(f"{known.name}: the same examples; they are called {examples.name} from now on")
        elif known.name == examples.name and known.hash != examples.hash:
            printing.say(f"{known.name}: stood for other examples, which stay under their hash {known.hash[:12]}")
    store.keep_example_set(examples)
    printing.say(f"{examples.name}: {len(examples.items)} examples in {store.path}, hash {examples.hash[:12]}")


def _store(path: Path) -> Store:
    from alignbench.store import Store  # not before it is used: it loads NumPy

    return Store.open(path)
