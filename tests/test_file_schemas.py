"""JSON Schemas of our files say what their readers say: the same keys, the same kinds, the same files."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from alignbench import bounds, paths
from alignbench.config import Config, read_config
from alignbench.contexts.example_files import shipped_example_set
from alignbench.contexts.files import NoSets, load_context
from alignbench.errors import InputError
from alignbench.experiments.experiment import read_experiment
from alignbench.file_schemas import parts
from alignbench.file_schemas.config import config_schema
from alignbench.file_schemas.contexts import context_schema
from alignbench.file_schemas.experiments import experiment_schema
from alignbench.file_schemas.models import models_schema
from alignbench.file_schemas.parts import Schema
from alignbench.models.catalog import inventory
from alignbench.models.models_file import ENTRY_FIELDS
from alignbench.toml_table import TomlTable
from alignbench.tui.keymap import bound_actions
from tests.support.commands import alignbench

SHIPPED = paths.shipped_prompts()
MADE = {
    "experiment": experiment_schema(),
    "context": context_schema(),
    "models": models_schema(),
    "config": config_schema(bound.id for bound in bound_actions()),
}

# Every table and every key that is read only where it stands.
CONTEXT = """
template = "plain"
instruction = "Answer."
[examples]
set = { condition = "a", session = 1 }
select = "nearest-prompt"
k = 3
embedder_prompt = { query = "q", document = "d" }
[hint]
level = "summary"
source = { condition = "a", sample = 0 }
[prefill]
source = { condition = "a" }
tokens = 3
"""
EXPERIMENT = """
[prompts]
sets = ["open-ended"]
limit = 2
seed = 1
[models]
base = "demo-base"
[sampling]
temperature = 1.0
[[conditions]]
model = "base"
[conditions.sampling]
top_k = 3
[cross]
models = ["demo-smollm2"]
[scores]
metrics = ["words"]
[output]
report = "a.md"
"""

P = '[prompts]\nsets = ["open-ended"]\n'
C = '[[conditions]]\nmodel = "demo-base"\n'
E = 'template = "plain"\n[examples]\nset = "structured"\n'
H = 'template = "plain"\n[hint]\n'
F = 'template = "plain"\n[prefill]\n'
M = "[models.mine]\nreference = "
S = f'{M}"openai:http://h/v1#m"\n'
REFUSED = {
    "context": [
        "",
        "template = 'plane'",
        "template = 3",
        "template = 'plain'\ntemplat = 'chat'",
        "template = 'plain'\nname = 3",
        "template = 'plain'\nstop = ['a', '']",
        "template = 'plain'\noverflow = 'keep'",
        "template = 'plain'\nverbalized = 1",
        "template = 'plain'\narguments = { messages = [] }",
        "template = 'plain'\ninstruction = { fil = 'a' }",
        "template = 'plain'\nverbalized = 3\nthinking_end = 'x'",
        "template = 'plain'\nverbalized = 3\nprefill = { text = 'x' }",
        "template = 'plain'\nexamples = 3",
        "template = 'plain'\n[examples]\nk = 3",
        f"{E}items = []",
        f"{E}k = 0",
        f"{E}k = 'three'",
        f"{E}select = 'nearest'",
        f"{E}select = 'random'",
        f"{E}order = 'similar-first'",
        f"{E}mmr = 0.5",
        f"{E}select = 'random'\nk = 3\nmmr = 0.5",
        f"{E}select = 'nearest-prompt'\nk = 3\nmmr = 0.0",
        f"{E}select = 'nearest-prompt'\nk = 3\nnear_duplicate = 1.5",
        f"{E}select = 'nearest-format'\nk = 3\nembedder_prompt = 'x'",
        f"{E}draw = 'all'",
        f"{E}select = 'random'\nk = 3\nteacher = 'x'",
        f"{E}seed = -1",
        f"{E}hints = 1",
        f"{E}hints = true",
        f"{E}hints = true\n[hint]\nlevel = 'first'",
        f"{E}hints = true\n[hint]\nlevel = 'free'\ntext = 'x'\nmaker = 'y'",
        f"{E}sampel = 1",
        "template = 'plain'\n[examples]\nset = { session = 1 }",
        "template = 'plain'\n[examples]\nset = { condition = 'a', session = true }",
        "template = 'plain'\n[[examples.items]]\nprompt = 'a'",
        "template = 'plain'\n[[examples.items]]\nprompt = 'a'\nresponse = ' '",
        f"{H}text = 'x'",
        f"{H}level = 'short'\ntext = 'x'",
        f"{H}level = 'summary'",
        f"{H}level = 'summary'\ntext = 'x'\nsource = {{ condition = 'a' }}",
        f"{H}level = 'first'\ntext = 'x'",
        f"{H}level = 'summary'\ntext = 'x'\nmaker = 'y'",
        f"{H}level = 'summary'\ntext = 'x'\ntemplate = 'y'",
        f"{H}level = 'free'\nsource = {{ condition = 'a' }}",
        f"{H}level = 'summary'\nsource = {{ sample = 0 }}",
        f"{H}level = 'summary'\nsource = {{ condition = 'a', sample = -1 }}",
        f"{F}text = ' '",
        f"{F}text = 'x'\ntokens = 3",
        f"{F}source = {{ condition = 'a' }}",
        f"{F}tokens = 3",
    ],
    "experiment": [
        "",
        P,
        C,
        f"{P}{C}nam = 'x'",
        f"nam = 'x'\n{P}{C}",
        f"n = 0\n{P}{C}",
        f"n = 'five'\n{P}{C}",
        f"mode = 'exact'\n{P}{C}",
        f"seed = -1\n{P}{C}",
        f"[prompts]\n{C}",
        f"[prompts]\nsets = 'open-ended'\n{C}",
        f"{P}limit = 0\n{C}",
        f"{P}{C}sampling = {{ temperature = -1 }}",
        f"{P}{C}sampling = {{ top_p = 0 }}",
        f"{P}{C}sampling = {{ min_p = 1 }}",
        f"{P}{C}sampling = {{ stop = 'x' }}",
        f"{P}{C}sampling = {{ stop = [''] }}",
        f"{P}{C}sampling = {{ heat = 1 }}",
        f"{P}{C}models = ['demo-base']",
        f"{P}{C}context = 3",
        f"{P}{C}context = {{ template = 'plane' }}",
        f"{P}[[conditions]]\nmodels = ['demo-base']\nrevisions = ['x']",
        f"{P}[[conditions]]\nmodel = ' '",
        f"{P}[[conditions]]\nname = 'x'",
        f"{P}[cross]\ntemperatures = [1.0]",
        f"{P}[cross]\nmodels = ['demo-base']\ntemperatures = ['hot']",
        f"{P}{C}[models]\nx = 3",
        f"{P}{C}[scores]\nmetrics = ['wordz']",
        f"{P}{C}[scores]\nmetric = ['words']",
        f"{P}{C}[output]\nreport = 'a.docx'",
        f"{P}{C}[output]",
    ],
    "models": [
        "[model.mine]\nreference = 'demo-base'",
        "models = 3",
        "[models]\nmine = 'demo-base'",
        "[models.mine]\nkind = 'base'",
        f"{M}3",
        f"{M}'demo-base'\nkind = 'basic'",
        f"{M}'demo-base'\nquantise = '4bit'",
        f"{M}'demo-base'\nquantize = '5bit'",
        f"{M}'demo-base'\ndevice = 'gpu'",
        f"{M}'demo-base'\ndtype = 'float8'",
        f"{M}'demo-base'\ngpu_layers = -2",
        f"{M}'demo-base'\nattention = 'fast'",
        f"{M}'demo-base'\ntrust_remote_code = 'yes'",
        f"{M}'demo-base'\nadapter = 3",
        f"{M}'demo-sft'\nscale = 'half'",
        f"{M}'demo-base'\nkey_env = 'KEY'",
        f"{M}'demo-base'\nargs = ['--x']",
        "[models.demo-base]\nreference = 'demo-base'",
        "[models.'a=b']\nreference = 'demo-base'",
        f"{S}key_env = 'my key'",
        f"{S}concurrency = 0",
        f"{S}timeout = 0",
        f"{S}max_tokens_field = 'tokens'",
        f"{S}tokenizer = 'org/name'",
        f"{S}headers = {{ X = 3 }}",
        f"{S}extra_body = {{ temperature = 1 }}",
        f"{S}key_env = 'KEY'\nheaders = {{ authorization = 'Bearer x' }}",
        f"{M}'vllm:org/name'\nargs = '--x'",
        f"{M}'vllm:org/name'\nenv = {{ X = 1 }}",
    ],
    "config": [
        "them = 'nord'",
        "theme = 3",
        "theme = ' '",
        "models = 'demo-base'",
        "models = ['']",
        "keys = 3",
        "[keys]\nbench.sample = 3",
        "[keys]\n'bench.sample' = ''",
    ],
}  # fmt: skip


def read(kind: str, path: Path) -> object:
    """What the reader of this kind of file makes of one."""
    readers: dict[str, Callable[[Path], object]] = {
        "experiment": read_experiment,
        "context": lambda path: load_context(str(path)),
        "models": lambda path: inventory(models_file=path),
        "config": read_config,
    }
    return readers[kind](path)


def problems(kind: str, text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(MADE[kind]).iter_errors(tomllib.loads(text))]


def files(kind: str) -> Iterator[Path]:
    yield from sorted((SHIPPED / f"{kind}s").glob("*.toml"))


@pytest.mark.parametrize("kind", MADE)
def test_a_schema_is_one_and_the_command_prints_it(kind: str) -> None:
    Draft202012Validator.check_schema(MADE[kind])
    ran = alignbench("schema", kind)
    assert json.loads(ran.stdout) == MADE[kind]
    assert MADE[kind]["$schema"] == parts.DIALECT


@pytest.mark.parametrize("path", [*files("experiment"), *files("context")], ids=lambda path: path.stem)
def test_every_file_that_ships_is_one_of_its_kind(path: Path) -> None:
    assert not problems(path.parent.name.removesuffix("s"), path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[
            ("context", text)
            for text in (
                "template = 'own.jinja'",
                f"{E}k = 2",
                f"{E}select = 'nearest-prompt'\nk = 3\nmmr = 1\norder = 'similar-last'\nembedder_prompt = 'q: '",
                f"{E}select = 'random'\nk = 3\ndraw = 'all'",
                f"{E}hints = true\n[hint]\nlevel = 'first'\nmaker = 'demo-smollm2'",
                "template = 'plain'\n[[examples.items]]\nprompt = 'a'\nresponse = 'b'\nhint = ''",
                f"{H}level = 'first'",
                f"{H}level = 'free'\nsource = {{ condition = 'a' }}\ntemplate = 'x {{response}}'",
                f"{F}text = 'x'",
                f"{F}text = ''\nsource = {{ condition = 'a' }}\ntokens = 3",
                "template = 'chat'\nverbalized = 3\narguments = { a = 1 }",
            )
        ],
        *[
            ("experiment", text)
            for text in (
                P + C,
                EXPERIMENT,
                f"{P}[[conditions]]\nmodels = ['demo-base', 'demo-smollm2']",
                f"{P}{C}models = []\nrevisions = []",
                f"{P}{C}context = {{ template = 'plain', instruction = 'x' }}",
            )
        ],
        *[
            ("models", text)
            for text in (
                "",
                f"{M}'demo-sft'\nscale = 1.5\nkind = 'base'",
                f"{S}key_env = 'KEY'\nheaders = {{ X-Team = 'x' }}\nconcurrency = 3\ntimeout = 0.5",
                f"{M}'vllm:org/name'\nargs = ['--x', '1']\nenv = {{ X = '1' }}",
            )
        ],
        ("config", "theme = 'nord'\n[keys]\nbench.sample = 'f5'\n'app.quit' = '^x'"),
    ],
)
def test_what_is_read_is_taken(kind: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "own.jinja").write_text("{{ query }}")
    path = tmp_path / f"{kind}.toml"
    path.write_text(text)
    read(kind, path)
    assert not problems(kind, text)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, each in REFUSED.items() for text in each])
def test_what_is_refused_is_refused_by_the_schema_too(kind: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.toml"
    path.write_text(text)
    with pytest.raises(InputError):
        read(kind, path)
    assert problems(kind, text)


# The keys and kinds that the readers ask for, noted while they read.

Kind = Callable[..., Schema | None]
OF_METHOD: dict[str, Kind] = {
    "text": lambda *_: {"type": "string"},
    "required": lambda: {"type": "string", "pattern": parts.NOT_BLANK},
    "integer": lambda _, bound: parts.number(bound),
    "flag": parts.flag,
    "fraction": lambda _: parts.number(bounds.FRACTION),
    "choice": lambda kind, _: parts.choice(kind),
    "numbers": parts.numbers,
    "texts": parts.texts,
    "table": lambda: {"type": "object"},
    "tables": lambda: {"type": "array"},
    "raw": lambda: None,
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], dict[str, Schema | None]]:
    """By file and table: the keys that were asked for, each with the schema of the kind that was."""
    noted: dict[tuple[str, str], dict[str, Schema | None]] = defaultdict(dict)

    def noting(name: str) -> Callable[..., Any]:
        method = getattr(TomlTable, name)

        def note(table: TomlTable, key: str, *arguments: Any) -> Any:
            where = noted[table.where, table.name("")]
            if where.get(key) is None or name not in ("raw", "text"):
                where[key] = OF_METHOD[name](*arguments)
            return method(table, key, *arguments)

        return note

    for name in OF_METHOD:
        monkeypatch.setattr(TomlTable, name, noting(name))
    return noted


def tables_of(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every table of a schema by its path, with the dot after it."""
    for one in (schema, *schema.get("anyOf", [])):
        if one.get("type") == "object" and "properties" in one:
            yield path, one
            for name, inner in one["properties"].items():
                yield from tables_of(inner, f"{path}{name}.")
        if one.get("type") == "array":
            yield from tables_of(one["items"], f"{path.removesuffix('.')}[0].")


@pytest.mark.parametrize(("kind", "text"), [("context", CONTEXT), ("experiment", EXPERIMENT)])
def test_a_schema_has_the_keys_that_are_asked_for_and_no_others(
    kind: str, text: str, tmp_path: Path, asked: dict[tuple[str, str], dict[str, Schema | None]]
) -> None:
    path = tmp_path / f"{kind}.toml"
    path.write_text(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(NoSets, "of_session", lambda *_: shipped_example_set("structured"))
        read(kind, path)
    by_path = {table: keys for (where, table), keys in asked.items() if where == str(path) and table != "models."}
    elsewhere = {"examples.items[0].", "conditions[0].context.", "instruction.", "hint.template."}
    in_schema = {at: each for at, each in tables_of(MADE[kind]) if not at.startswith(tuple(elsewhere))}
    assert by_path.keys() == in_schema.keys()
    for at, keys in by_path.items():
        properties = in_schema[at]["properties"]
        assert keys.keys() == properties.keys(), at
        for key, wanted in keys.items():
            assert wanted is None or is_of(properties[key], wanted), f"{at}{key}"


def is_of(schema: Schema, wanted: Schema) -> bool:
    """Whether a schema, or one of several that are possible, asks for what the reader asks for, or for less."""
    return any(
        ("enum" in each and wanted.get("type") == "string")
        or all(
            each.get(name) == value
            or (name == "pattern" and name in each)
            or (name == "items" and is_of(each["items"], value))
            for name, value in wanted.items()
        )
        for each in (schema, *schema.get("anyOf", []))
    )


def test_an_entry_of_models_has_the_keys_that_are_known() -> None:
    entry = MADE["models"]["properties"]["models"]["additionalProperties"]
    assert {*entry["properties"]} == {*ENTRY_FIELDS}


def test_config_has_the_keys_that_are_known() -> None:
    assert {*MADE["config"]["properties"]} == {*Config.__dataclass_fields__}


@pytest.mark.parametrize("metric", ["words", "live", "mine.py:letters", "~/scores/mine.py:letters", "mine.py"])
def test_metrics_of_an_experiment_may_be_functions_of_files(metric: str) -> None:
    """Whether there is such a file, only the reader can tell."""
    valid = Draft202012Validator(MADE["experiment"])
    assert valid.is_valid(tomllib.loads(f'{P}{C}[scores]\nmetrics = ["{metric}"]'))
    assert not valid.is_valid(tomllib.loads(f'{P}{C}[scores]\nmetrics = ["{metric}s:x"]'))
