"""The user's config.toml: what is read from it, and what is said where it cannot be."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

import alignbench
from alignbench import paths
from alignbench.api.embedding import embedding_pool
from alignbench.config import DEFAULT_EMBEDDER, KEYS, SETTINGS, Config, config_of, key_line, read_config, template
from alignbench.engines.embedder import default_embedder, default_embedder_path, embedder_name
from alignbench.errors import EngineError, InputError
from alignbench.experiments.context_preparer import Preparer
from alignbench.parsing import toml_line
from alignbench.store import Store
from alignbench.tui.app import FIRST_SET
from alignbench.tui.start import first_models
from alignbench.tui.themes import DARK
from tests.support.embeddings import FakeEmbedPool
from tests.support.fakes import FakePool

WHOLE = """# mine
models = [
    "demo-base",
    "demo-smollm2",
]
prompts = "sets/mine.jsonl"
database = "study.db"
embedder = "minilm"
judge = "demo-smollm2"
theme = "nord"

[keys]
bench.sample = "ctrl+r"
"app.quit" = "f12"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def say(text: str) -> None:
    """Make it the config.toml of this test."""
    paths.config_dir().mkdir(exist_ok=True)
    written(paths.config_dir(), text)


def test_every_key_is_read_and_paths_start_at_its_folder(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, WHOLE)) == Config(
        models=("demo-base", "demo-smollm2"),
        prompts=str(tmp_path / "sets" / "mine.jsonl"),
        database=tmp_path / "study.db",
        embedder=str(tmp_path / "minilm"),
        judge="demo-smollm2",
        theme="nord",
        keys=(("bench.sample", "ctrl+r"), ("app.quit", "f12")),
    )


def test_names_are_no_paths(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, 'prompts = "contested"\nembedder = "none"'))
    assert (config.prompts, config.embedder) == ("contested", "none")


def test_without_a_file_nothing_is_said(tmp_path: Path) -> None:
    assert config_of(tmp_path / "none.toml") == Config()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# mine\n\nthem = 'nord'", ["config.toml, line 3, field them: unknown", "Did you mean theme?"]),
        ("theme = 3", ["line 1, field theme: 3; expected a text"]),
        ("theme = ' '", ["field theme", "expected a text"]),
        ("prompts = 'a'\nmodels = 'demo-base'", ["line 2, field models: 'demo-base'; expected a list of texts"]),
        ("models = [\n  'a',\n  3,\n]", ["line 1, field models", "a list of texts"]),
        ("[database]\npath = 'x'", ["line 1, field database", "a text"]),
        ("database = '~no such person/x.db'", ["field database", "a folder that there is"]),
        ('judge = "a\\u0000b"', ["field judge", "control characters"]),
        ("keys = 3", ["line 1, field keys: 3; expected a table"]),
        ("[keys]\n\nbench.sample = 5", ["line 3, field keys.bench.sample: 5; expected a key as a text"]),
        ("[keys]\n'bench.sample' = ''", ["line 2, field keys.bench.sample"]),
        ("[keys]\nbench.note = 'f12'\n'bench.note' = 'f11'", ["line 3, field keys.bench.note: it is there twice"]),
        ("theme = 'a'\ntheme = 'b'\njudge = 'c'", ["not TOML", "line 2"]),
        ("theme = ", ["config.toml: not TOML"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        read_config(written(tmp_path, text))
    assert all(each in str(error.value) for each in words), error.value


def test_the_line_of_a_key_is_that_on_which_it_begins() -> None:
    assert toml_line(WHOLE, "models") == 2
    assert toml_line(WHOLE, "prompts") == 6
    assert toml_line(WHOLE, KEYS) == 12
    assert toml_line(WHOLE, KEYS, "bench", "sample") == 13
    assert toml_line('a = """\nb = 1\n"""\nb = 2', "b") == 4, "what looks like a key in a text is none"
    assert toml_line("a = 1", "b") is None
    assert toml_line("[a", "a") is None


def test_an_id_is_found_however_it_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    assert key_line(path, "bench.sample").endswith("line 13")
    assert key_line(path, "app.quit").endswith("line 14")


def test_a_new_file_says_nothing_yet_and_has_every_key(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, template())) == Config()
    said = re.sub(r"^# (?=\S+ = )", "", template(), flags=re.MULTILINE)
    config = read_config(written(tmp_path, said))
    assert all(getattr(config, each.name) for each in SETTINGS)
    assert config.keys


def test_the_defaults_that_are_told_are_those_that_are_taken() -> None:
    assert {each.name: each.default for each in SETTINGS} == {
        "models": tuple(model.name for model in first_models()),
        "prompts": FIRST_SET,
        "database": str(paths.USUAL_DATABASE),
        "embedder": DEFAULT_EMBEDDER,
        "judge": "",
        "theme": DARK.name,
    }


def test_the_environment_counts_more_than_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    say('database = "mine.db"')
    assert paths.default_database().name == "alignbench.db"
    monkeypatch.delenv("ALIGNBENCH_DB")
    assert paths.default_database() == paths.config_dir() / "mine.db"


def test_scores_take_the_embedder_of_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "minilm"
    say(f'embedder = "{folder}"')
    with pytest.raises(InputError, match=r"config\.toml, field embedder: there is no folder"):
        default_embedder()
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert default_embedder_path() == folder
    assert default_embedder() == embedder_name(folder)


def test_without_an_embedder_nothing_is_embedded(tmp_path: Path) -> None:
    say('embedder = "none"')
    with pytest.raises(EngineError, match="no embedding model is in use"):
        default_embedder_path()
    with ExitStack() as stack:
        assert embedding_pool(stack, None) == (None, None, "no embedding model is in use")
        with pytest.raises(InputError, match=r"--embedder .*: there is no such folder"):  # a flag counts more
            embedding_pool(stack, str(tmp_path / "none"))


def test_the_embedded_model_is_named_only_where_it_is_decided_which_one_is_taken() -> None:
    source = Path(alignbench.__file__).parent
    naming = {
        path.relative_to(source).as_posix() for path in source.rglob("*.py") if "DEFAULT_EMBEDDER" in path.read_text()
    }
    decide = {"config.py", "engines/embedder.py", "api/embedding.py"}
    assert naming == {*decide, "experiments/context_preparer.py"}  # what is embedded for scores goes by config.toml


def test_a_data_set_is_no_path(tmp_path: Path) -> None:
    named = "dataset:org/name.v2?split=test&field=data.text"
    assert read_config(written(tmp_path, f'prompts = "{named}"')).prompts == named


def test_examples_are_selected_by_the_embedded_model_whatever_scores_take(tmp_path: Path) -> None:
    scores = FakeEmbedPool()
    with Store.open(tmp_path / "x.db") as store:
        preparer = Preparer(store, FakePool(), store.create_session("one"), scores)
        assert preparer._embed_pool("") is scores
        (tmp_path / "minilm").mkdir()
        for said in (tmp_path / "minilm", "none"):
            say(f'embedder = "{said}"')
            config_of.cache_clear()
            own = preparer._embed_pool("")
            assert own is not scores
        assert own is preparer._embed_pool("")
        assert preparer._model("") == DEFAULT_EMBEDDER
        preparer.close()
