"""How a session's models are loaded when it is opened again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alignbench import paths
from alignbench.spec import Condition, LoadOptions, Model, Prompt
from alignbench.store import Store
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.persistence import create, restore
from alignbench.tui.workbench.state import Bench

MODEL = Model("big", "vllm:org/big", "aligned")
OWN = '[models.big]\nreference = "vllm:org/big"\ncommand = ["/opt/own/vllm", "serve"]\nargs = ["--seed", "7"]\n'


def opened(store: Store, model: Model) -> list[Model]:
    """The models of a session with one column, once it is opened again."""
    bench = Bench(columns=[Column(Condition.zero_shot(model))], prompt=Prompt.typed("Why?"))
    session = create(store, bench)
    store.add_cell(session, Prompt.typed("Why?"), bench.columns[0].condition, 2)
    again, _ = restore(store, session)
    return [column.condition.model for column in again.columns] + [each.model for each in again.used.values()]


def test_models_are_loaded_as_models_toml_says_and_never_by_what_a_database_says(tmp_path: Path) -> None:
    """A database may be a stranger's."""
    theirs = replace(MODEL, options=LoadOptions(dtype="float32", command=("/bin/theirs",), env=(("A", "b"),)))
    with Store.open(tmp_path / "a.db") as store:
        assert {model.options.command for model in opened(store, theirs)} == {()}
        paths.models_file().parent.mkdir(parents=True, exist_ok=True)
        paths.models_file().write_text(OWN)
        for given in (MODEL, theirs):
            for model in opened(store, given):
                assert (model.options.command, model.options.args) == (("/opt/own/vllm", "serve"), ("--seed", "7"))
                assert model.options.env == ()
