"""The stages of the embedded base model: names that stand for it with an adapter, at any scale."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from alignbench import paths
from alignbench.errors import InputError
from alignbench.models import embedded
from alignbench.models.catalog import adapter_facts, at_scale, inventory, known_models, resolve, terms
from alignbench.models.embedded import Demo
from alignbench.models.reference import adapter_words, parse_reference, parted_model, written_reference
from alignbench.models.stages import stage_of
from alignbench.models.weights import adapter_hash, weights_hash
from alignbench.spec import Condition, Model
from tests.support import adapters
from tests.support.gguf_files import gguf

SHAPES = {"self_attn.q_proj": (24, 16)}


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny base model in a package, taken for demo-base."""
    folder = tmp_path / "site" / "tiny_base"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    whole = gguf({"general.architecture": "gemma3"}, [("blk.0.attn_q.weight", (16, 24), 0, 0)], data=16 * 24 * 4)
    (folder / "base.gguf").write_bytes(whole)
    monkeypatch.syspath_prepend(tmp_path / "site")
    sha256 = hashlib.sha256(whole).hexdigest()
    tiny = Demo("base", "base.gguf", (("tiny_base", "base.gguf"),), len(whole), sha256, "The terms.")
    monkeypatch.setitem(embedded.DEMOS, "demo-base", tiny)
    return folder / "base.gguf"


@pytest.fixture(autouse=True)
def sft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALIGNBENCH_ADAPTERS_DIR", str(tmp_path / "stages"))
    return stand_in("demo-sft")


def stand_in(stage: str) -> Path:
    folder = paths.adapters_dir() / stage
    matrices = adapters.drawn(SHAPES, 1, seed=len(list(folder.parent.glob("*"))))
    adapters.write_peft(folder, matrices)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return adapters.write_gguf_adapter(folder / f"{stage}.gguf", matrices)


def entry(text: str) -> None:
    paths.models_file().parent.mkdir(exist_ok=True)
    paths.models_file().write_text(text)


def test_a_stage_is_the_base_with_an_adapter(sft: Path) -> None:
    model = resolve("demo-sft")
    assert model == Model("demo-sft", "demo-base+demo-sft", "aligned")
    assert parted_model(model)[0].reference == "demo-base"
    assert [adapter_words(resolve(name)) for name in ("demo-sft", "demo-aligned", "demo-aligned*0.5")] == [
        "",
        "demo-sft",
        "demo-sft*0.5",
    ]
    facts = adapter_facts(parse_reference(model.reference))
    assert facts is not None
    assert (facts.path, facts.rank, facts.chat_template) == (sft, 4, "{{ messages }}")
    assert terms(model) == "The terms."
    assert weights_hash(model) != weights_hash(resolve("demo-base"))
    assert str(parse_reference(model.reference)) == model.reference


def test_demo_aligned_stands_for_the_last_stage() -> None:
    model = resolve("demo-aligned")
    assert model == Model("demo-aligned", "demo-base+demo-sft", "aligned")
    assert Condition.zero_shot(model).hash == Condition.zero_shot(resolve("demo-sft")).hash
    assert weights_hash(model) == weights_hash(resolve("demo-sft"))
    with pytest.raises(InputError, match="demo-dpo is not in this installation"):
        resolve("demo-dpo")
    names = [status.name for status in inventory()]
    assert names == ["demo-base", "demo-aligned", "demo-sft", "demo-smollm2"]
    stand_in("demo-dpo")
    assert resolve("demo-aligned").reference == "demo-base+demo-dpo"
    assert resolve("demo-aligned*0.5").reference == "demo-base+demo-dpo*0.5"
    assert weights_hash(resolve("demo-aligned")) != weights_hash(resolve("demo-sft"))
    assert [status.name for status in inventory()] == [*names[:3], "demo-dpo", "demo-smollm2"]


@pytest.mark.parametrize(
    ("written", "name", "reference"),
    [
        ("demo-sft*0.50", "demo-sft*0.5", "demo-base+demo-sft*0.5"),
        ("demo-sft*1", "demo-sft", "demo-base+demo-sft"),
        ("demo-aligned*0", "demo-aligned*0", "demo-base+demo-sft*0"),
        ("demo-base+demo-sft*1.25", "demo-sft*1.25", "demo-base+demo-sft*1.25"),
        ("half", "half", "demo-base+demo-sft*0.5"),
        ("half*.5", "half", "demo-base+demo-sft*0.5"),
        ("half*1", "half*1", "demo-base+demo-sft"),
        ("last", "last", "demo-base+demo-sft"),
    ],
)
def test_a_name_at_a_scale(written: str, name: str, reference: str) -> None:
    entry('[models.half]\nreference = "demo-sft"\nscale = 0.5\n[models.last]\nreference = "demo-aligned"\n')
    model = resolve(written)
    assert (model.name, model.reference) == (name, reference)
    assert resolve(model.name).reference == reference


def test_another_scale_has_the_name_that_is_read_as_it() -> None:
    entry('[models.half]\nreference = "demo-sft"\nscale = 0.5\n')
    for name in ("demo-sft", "demo-aligned", "half", "demo-base+demo-sft*0.25"):
        model = resolve(name)
        for scale in (0.75, 0.0, 0.5, 1.25, 1.0):
            model = at_scale(model, scale)
            assert resolve(model.name) == model
            assert written_reference(model.reference).adapter == parse_reference(model.reference).adapter
        assert model.name == ("half*1" if name == "half" else resolve(name).name.partition("*")[0])
    with pytest.raises(InputError, match="demo-base has no adapter"):
        at_scale(resolve("demo-base"), 0.5)


def test_the_scale_of_a_file_that_nobody_gave_a_name(base: Path, sft: Path) -> None:
    model = resolve(f"llama:{base}+{sft}")
    assert at_scale(model, 0.5) == resolve(f"llama:{base}+{sft}*0.5")
    assert at_scale(at_scale(model, 0.5), 1) == model


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("demo-sft*half", "The scale of an adapter is 'half'; expected a number"),
        ("demo-aligned*", "expected a number"),
        ("demo-base*0.5", "demo-base has no adapter; a scale is an adapter's."),
        ("demo-sft+/a.gguf", "demo-base+demo-sft has an adapter already; expected one."),
        ("demo-aligned+/a.gguf", "has an adapter already"),
        ("demo-sf", "Did you mean demo-sft"),
    ],
)
def test_names_that_are_none(written: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        resolve(written)
    assert message in str(raised.value)


def test_names_that_are_taken() -> None:
    for name in ("demo-aligned", "demo-sft", "demo-dpo", "demo-smollm2"):
        entry(f"[models.{name}]\nreference = 'llama:a'\n")
        with pytest.raises(InputError, match="an embedded model has this name"):
            known_models()


def test_adapters_that_are_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIGNBENCH_ADAPTERS_DIR", str(tmp_path / "none"))
    assert stage_of("demo-aligned") == "demo-sft"
    for name in ("demo-aligned", "demo-sft", "demo-sft*0.5"):
        with pytest.raises(InputError, match=r"demo-sft is not in this installation: .*none/demo-sft/demo-sft\.gguf"):
            resolve(name)
    problems = {status.name: status.problem for status in inventory()}
    assert "not in this installation" in problems["demo-aligned"]
    assert problems["demo-base"] == ""


def test_what_a_session_stored_means_what_it_meant() -> None:
    """demo-aligned was SmolLM2-135M-Instruct; no model of today has that reference."""
    before = Model("demo-aligned", "demo-aligned", "aligned")
    assert str(parse_reference(before.reference)) == "demo-smollm2"
    assert weights_hash(before) == weights_hash(resolve("demo-smollm2"))
    assert terms(before) == ""
    assert Condition.zero_shot(before).hash != Condition.zero_shot(resolve("demo-aligned")).hash


def test_the_layout_of_the_folder_that_a_gguf_file_lies_in(base: Path, sft: Path) -> None:
    reference = parse_reference("demo-base+demo-sft")
    before = adapter_hash(reference)
    sft.with_name("chat_template.jinja").write_text("{{ other }}")
    assert adapter_hash(reference) != before
    alone = sft.with_name("alone") / sft.name
    alone.parent.mkdir()
    alone.write_bytes(sft.read_bytes())
    (alone.parent / "chat_template.jinja").write_text("of something else")
    facts = adapter_facts(parse_reference(f"llama:{base}+{alone}"))
    assert facts is not None
    assert facts.chat_template is None, "no folder of an adapter"
    matrices = adapters.drawn(SHAPES, 1)
    adapters.write_gguf_adapter(sft, matrices, chat_template="its own")
    facts = adapter_facts(reference)
    assert facts is not None
    assert facts.chat_template == "its own"
    assert adapter_hash(reference) == hashlib.sha256(sft.read_bytes()).hexdigest()
