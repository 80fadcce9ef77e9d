"""The transformers engine on tiny random models, in this process; on real weights see test_parity."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from alignbench import paths
from alignbench.contexts.rendering import render
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.local.sampler import Sampler
from alignbench.engines.protocol import Event, Finished, LikelihoodRequest, SampleResult, Started, TextDeltas
from alignbench.errors import AlignbenchError, EngineError, InputError
from alignbench.models.catalog import inventory, resolve
from alignbench.models.hf_source import HfSource, parse_source
from alignbench.spec import Context, LoadOptions, Model, Prompt, Sampling
from tests.support.driving import plain_request
from tests.support.hf_folders import byte_tokenizer, tiny_model, write_folder
from tests.support.later import later

if TYPE_CHECKING:
    from alignbench.engines.hf.engine import TransformersEngine

torch, transformers = later("torch"), later("transformers")
hf = later("alignbench.engines.hf.engine")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("tiny-llama"))


def open_engine(folder: Path, cancel: Cancellation | None = None, **options: Any) -> TransformersEngine:
    model = Model("tiny", f"hf:{folder}", "base", LoadOptions(**options))
    return hf.TransformersEngine(model, cancel or Cancellation(), threads=1)


def finished(events: list[Event]) -> dict[int, SampleResult]:
    return {event.result.sample: event.result for event in events if isinstance(event, Finished)}


def texts(engine: TransformersEngine, *args: Any, **fields: Any) -> dict[int, list[int]]:
    request = plain_request(*args, **{"stops": (), "max_tokens": 10, **fields})
    return {i: result.tokens.ids.tolist() for i, result in finished(list(engine.sample([request]))).items()}


# The caches against the model's own forward over each whole sequence


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, "SharedPrefixCache") for name in ("llama", "gemma3", "mistral")]
    + [(name, "BatchCache") for name in ("llama", "gemma3", "mistral", "mamba")],
)
def test_rows_have_the_logits_of_their_whole_sequences(name: str, kind: str) -> None:
    """Forks, drops in the middle, prompts that share a part while older rows go on, windows that have been passed."""
    model = tiny_model(name)
    cache = getattr(hf, kind)(model)
    numbers = np.random.default_rng(0)
    trunk: list[int] = []
    rows: dict[int, list[int]] = {}

    def expect(logits: Any, sequences: list[list[int]]) -> None:
        expected = [model(torch.tensor([ids]), use_cache=False).logits[0, -1] for ids in sequences]
        assert torch.allclose(logits, torch.stack(expected), atol=2e-3, rtol=1e-3)

    def prompt(keep: int, n_new: int) -> None:
        kept = cache.rewind(min(keep, cache.length))
        new = numbers.integers(0, 256, n_new).tolist()
        del trunk[keep:]
        trunk.extend(new)
        expect(cache.extend(trunk[kept:], 1), [trunk])

    def fork(*slots: int) -> None:
        for slot in slots:
            cache.fork(slot)
            rows[slot] = list(trunk)

    def step(times: int) -> None:
        for _ in range(times):
            tokens = numbers.integers(0, 256, len(rows)).tolist()
            for ids, token in zip(rows.values(), tokens, strict=True):
                ids.append(token)
            expect(cache.step(list(rows), tokens), list(rows.values()))

    def drop(slot: int) -> None:
        cache.drop(slot)
        del rows[slot]

    with torch.inference_mode():
        prompt(0, 9)
        fork(0, 1, 2)
        step(3)
        prompt(5, 4)
        fork(3, 4)
        drop(1)
        step(7)
        drop(4)
        prompt(5, 11)
        fork(1)
        step(2)
        prompt(0, 3)
        drop(0)
        fork(6)
        step(4)
        for slot in list(rows):
            drop(slot)
        prompt(2, 2)
        fork(0, 1)
        step(2)


# The engine


def test_strict_replays_on_a_tiny_model(folder: Path) -> None:
    engine = open_engine(folder)
    twelve = texts(engine, 12)
    assert texts(engine, 3) == {i: twelve[i] for i in range(3)}
    texts(engine, 2, context="other")
    assert texts(engine, (4, 9)) == {i: twelve[i] for i in (4, 9)}
    engine.threads = 2
    assert texts(engine, 5) == {i: twelve[i] for i in range(5)}


def test_cells_of_fast_mode_share_their_context_and_each_has_its_own_query(folder: Path) -> None:
    engine = open_engine(folder)
    requests = [
        plain_request(3, prompt=prompt, mode="fast", temperature=0.0, max_tokens=6, stops=())
        for prompt in ("a", "something longer than that", "b?")
    ]
    together = list(engine.sample(requests))
    for request in requests:
        results = finished([event for event in together if getattr(event, "key", None) == request.key])
        alone = finished(list(engine.sample([request])))
        assert {i: r.raw_text for i, r in results.items()} == {i: r.raw_text for i, r in alone.items()}
    started = [event for event in together if isinstance(event, Started)]
    assert started[1].n_cached == started[2].n_cached == len("# Query:\n```\n")


def test_models_that_cannot_share_a_prompt_run_all_the_same(tmp_path: Path) -> None:
    engine = open_engine(write_folder(tmp_path, "mamba"))
    assert isinstance(engine._rows, hf.BatchCache)
    five = texts(engine, 5, max_tokens=5)
    assert texts(engine, 3, max_tokens=5) == {i: five[i] for i in range(3)}
    assert len(texts(engine, 5, max_tokens=5, mode="fast")) == 5


def test_eager_attention_copies_prompts_and_gives_the_same(folder: Path) -> None:
    eager = open_engine(folder, attention="eager")
    assert isinstance(eager._rows, hf.BatchCache)
    shared = open_engine(folder)
    assert isinstance(shared._rows, hf.SharedPrefixCache)
    assert texts(eager, 4) == texts(shared, 4)


def test_scores_are_the_log_probs_of_sampling(folder: Path) -> None:
    engine = open_engine(folder)
    request = plain_request(1, max_tokens=20, stops=(), top_k=100)
    result = finished(list(engine.sample([request])))[0]
    ids = engine.tokenize(request.context + request.query)
    forced = list(engine._forced_logits([*ids, *result.tokens.ids.tolist()], len(ids), 0, 1))
    logits = np.concatenate(forced)
    logprobs = logits - np.log(np.exp(logits.astype(np.float64)).sum(1, keepdims=True))
    drawn = logprobs[np.arange(len(result.tokens.ids)), result.tokens.ids]
    assert np.abs(drawn - result.tokens.logprob).max() < 1e-3
    assert engine.score(LikelihoodRequest(1, "abc", "d", "", 3)).ids.shape == (0,)


def test_cancel_of_a_sample_and_of_a_whole_prefill(folder: Path) -> None:
    cancel = Cancellation()
    engine = open_engine(folder, cancel)
    request = plain_request(3, max_tokens=100, stops=())
    results = {}
    for event in engine.sample([request]):
        if isinstance(event, TextDeltas):
            cancel.cancel(request.key, None)
        if isinstance(event, Finished):
            results[event.result.sample] = event.result
    assert {result.finish_reason for result in results.values()} <= {"cancelled", "stop"}
    assert len(results) == 3
    request = plain_request(3)
    cancel.cancel(request.key, None)
    assert {r.n_tokens for r in finished(list(engine.sample([request]))).values()} == {0}
    assert len(texts(engine, 2)) == 2


@pytest.mark.parametrize("method", ["extend", "step"])
def test_out_of_memory_fails_the_request_and_leaves_a_working_engine(
    folder: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    engine = open_engine(folder)
    before = texts(engine, 3)

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    with monkeypatch.context() as patch:
        patch.setattr(engine._rows, method, fail)
        with pytest.raises(EngineError, match=r"needed a cache of \d+ tokens for 8 responses at once, .* MiB"):
            texts(engine, 3, prompt="another")
    assert texts(engine, 3) == before


def test_a_request_that_memory_would_not_hold_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(folder)
    monkeypatch.setattr("alignbench.engines.hf.engine.memory_free", lambda _: 1000)
    with pytest.raises(EngineError, match="only 0 MiB of cpu memory are free"):
        texts(engine, 3)


def test_end_tokens_are_those_of_llama_cpp(folder: Path) -> None:
    engine = open_engine(folder)
    assert [token for token in range(300) if engine.is_end(token)] == [257, 258]
    assert engine.piece(258) == b""
    assert engine.token_text(258) == "<|im_end|>"
    assert engine.piece(299) == b""
    assert b"".join(engine.piece(token) for token in engine.tokenize("é日 x")) == "é日 x".encode()


# The sampler on the device, here a CPU


@pytest.mark.parametrize(
    "params",
    [
        Sampling(),
        Sampling(temperature=1.0),
        Sampling(temperature=0.0),
        Sampling(temperature=0.0, repetition_penalty=3.0),
        Sampling(top_k=7),
        Sampling(top_k=1),
        Sampling(top_p=0.6),
        Sampling(min_p=0.05),
        Sampling(typical_p=0.4),
        Sampling(temperature=1.7, repetition_penalty=1.4),
        Sampling(temperature=1.2, top_k=40, top_p=0.9, min_p=0.01, typical_p=0.9, repetition_penalty=1.1),
    ],
    ids=str,
)
def test_the_torch_sampler_draws_what_the_sampler_draws(params: Sampling) -> None:
    numbers = np.random.default_rng(1)
    rows = (numbers.standard_normal((24, 5000)) * 3).astype(np.float32)
    rows[0, 100:] = -np.inf
    rows[1, 7] = rows[1, 9] = rows[1].max() + 1  # a tie
    uniforms = numbers.random(24).tolist()
    uniforms[2], uniforms[3] = 0.0, 1 - 2**-53
    seen = [np.unique(numbers.integers(0, 5000, 50)) for _ in range(24)]
    expected = Sampler(params).draw(list(rows), uniforms, seen)
    drawn = hf.TorchSampler(params).draw(list(torch.from_numpy(rows)), uniforms, seen)
    assert drawn.ids.tolist() == expected.ids.tolist()
    for name in ("logprob", "entropy", "sampling_logprob", "sampling_entropy"):
        np.testing.assert_allclose(getattr(drawn, name), getattr(expected, name), atol=1e-5, rtol=1e-5)


def test_the_torch_sampler_refuses_logits_that_are_not_numbers() -> None:
    with pytest.raises(EngineError, match="NaN"):
        hf.TorchSampler(Sampling()).draw([torch.tensor([1.0, float("nan"), 0.0])], [0.5])


# References


def test_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_source("org/name") == HfSource("org/name")
    assert parse_source("gpt2@abc:x.gguf") == HfSource("gpt2", "abc", "x.gguf")
    assert parse_source("/a/../b") == HfSource("/b")
    assert parse_source("./b:c.gguf") == HfSource(f"{tmp_path}/b", gguf_file="c.gguf")
    assert parse_source("/a/c.gguf") == HfSource("/a", gguf_file="c.gguf")
    assert parse_source("../b", Path("/c/d")) == HfSource("/c/b")
    for text in ("org/name@main", "/b", "/b:c.gguf", "org/name@v1:c.gguf"):
        assert str(parse_source(text)) == text
    for text in ("a/b/c", "", "a b", "~nobody-has-this-name/x"):
        with pytest.raises(InputError):
            parse_source(text)


def test_kind_of_a_folder_of_a_cached_and_of_an_unknown_hub_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert resolve(f"hf:{folder}") == Model(folder.name, f"hf:{folder}", "base")
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "x"}))
    assert resolve(f"hf:{tmp_path}").kind == "aligned"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert resolve("hf:org/thing-Instruct").kind == resolve("hf:google/gemma-3-270m-it").kind == "aligned"
    assert resolve("hf:org/thing-italian").kind == "base"
    snapshot = tmp_path / "hub/models--org--thing/snapshots/c0ffee"
    snapshot.mkdir(parents=True)
    (snapshot / "chat_template.jinja").touch()
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs/main").write_text("c0ffee")
    assert resolve("hf:org/thing").kind == resolve("hf:org/thing@c0ffee").kind == "aligned"


def test_load_options_in_models_toml(folder: Path) -> None:
    file = paths.models_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    text = f'[models.m]\nreference = "hf:{folder}"\ndevice = "cpu"\ndtype = "bfloat16"\ntrust_remote_code = true\n'
    file.write_text(text)
    assert resolve("m").options == LoadOptions(device="cpu", dtype="bfloat16", trust_remote_code=True)
    status = inventory()[-1]
    assert (status.kind, status.problem, status.path) == ("base", "", folder)
    for line, message in (
        ('device = "gpu"', "device is 'gpu'; expected auto, cpu, cuda or cuda:N"),
        ("dtype = 16", "dtype is 16; expected one of auto, float32"),
        ("gpu_layers = true", "gpu_layers is True; expected a number of layers"),
        ('quantize = "2bit"', "quantize is '2bit'; expected 8bit or 4bit"),
        ('attention = "flash"', "attention is 'flash'; expected one of sdpa"),
        ('trust_remote_code = "yes"', "trust_remote_code is 'yes'; expected true or false"),
        ("gpu_layer = 3", "unknown field 'gpu_layer'. Did you mean gpu_layers?"),
    ):
        file.write_text(f'[models.m]\nreference = "hf:{folder}"\n{line}\n')
        with pytest.raises(InputError) as caught:
            resolve("m")
        assert str(caught.value).startswith(f"{file}, [models.m]: {message}")


@pytest.mark.parametrize("bos", ["<s>", "", None])
def test_a_chat_template_finds_what_transformers_would_give_it(tmp_path: Path, bos: str | None) -> None:
    source = (
        "{{ bos_token }}{% if bos_token is defined %}{{ bos_token + ': ' }}{% endif %}{{ pad_token is defined }}"
        "{{ image_token }}{{ messages | tojson }}{{ eos_token }}\n"
    )
    tokenizer = byte_tokenizer({"default": source, "tool_use": "tools"})
    tokenizer.bos_token = bos
    tokenizer._set_model_specific_special_tokens({"image_token": "<|im_end|>"})
    write_folder(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    capabilities = open_engine(tmp_path).capabilities()
    assert resolve(f"hf:{tmp_path}").kind == capabilities.kind == "aligned"
    expected = tokenizer.apply_chat_template([{"role": "user", "content": "é?"}], tokenize=False)
    assert render(Prompt.typed("é?"), Context("chat"), capabilities).text == expected
    assert "<|im_end|>" in expected


NAMED = {"default": "{{ messages }}", "tool_use": "tools"}


@pytest.mark.parametrize(
    ("files", "configured", "kind"),
    [
        ({}, None, "base"),
        ({}, "{{ messages }}", "aligned"),
        ({}, "", "base"),
        ({}, [{"name": name, "template": text} for name, text in NAMED.items()], "aligned"),
        ({}, [{"name": "rag", "template": "x"}], "base"),
        ({}, NAMED, "aligned"),
        ({}, {"rag": "x"}, "base"),
        ({"chat_template.jinja": "x"}, None, "aligned"),
        ({"chat_template.jinja": "x", "additional_chat_templates/rag.jinja": "y"}, None, "aligned"),
        ({"additional_chat_templates/rag.jinja": "y"}, "{{ messages }}", "base"),
        ({"additional_chat_templates/default.jinja": "y"}, None, "aligned"),
        ({"chat_template.json": '{"chat_template": "x"}'}, None, "base"),
    ],
)
def test_before_and_after_it_is_loaded_a_model_is_of_one_kind(
    folder: Path, tmp_path: Path, files: dict[str, str], configured: object, kind: str
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    for name, text in files.items():
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text(text)
    config = json.loads((copy / "tokenizer_config.json").read_text())
    (copy / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": configured}))
    tokens = hf.Tokens(transformers.AutoTokenizer.from_pretrained(copy), set())
    assert resolve(f"hf:{copy}").kind == ("aligned" if tokens.chat_template else "base") == kind


# What cannot be loaded, each in one message


def message_of(source: str, **options: Any) -> str:
    with pytest.raises(AlignbenchError) as caught:
        hf.TransformersEngine(Model("x", f"hf:{source}", "base", LoadOptions(**options)), Cancellation(), threads=1)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_without_safetensors(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").touch()
    assert "has no *.safetensors" in message_of(str(tmp_path))
    (tmp_path / "w.gguf").touch()
    assert f"to load its GGUF file: hf:{tmp_path}:w.gguf" in message_of(str(tmp_path))
    assert "There is no file" in message_of(f"{tmp_path}:v.gguf")
    assert "There is no folder" in message_of(f"{tmp_path}/no")


def test_a_hub_model_without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "is not in the local cache, and the environment asks for offline work" in message_of("org/name")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # where nobody listens
    message = message_of("org/name@v1")
    assert "hf:org/name@v1 is not in the local cache, and the hub cannot be reached (" in message
    assert message.endswith("or give a folder: hf:/path/folder")


def test_code_that_comes_with_weights_is_not_run(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.OwnLM"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('code was run')")
    assert "trust_remote_code = true" in message_of(str(tmp_path))


def test_deep_json_is_one_message(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        copy = shutil.copytree(folder, tmp_path / name)
        (copy / name).write_text('{"a":' * 5_000 + "1" + "}" * 5_000)
        assert "nested" in message_of(str(copy))


def test_attention_from_elsewhere_is_not_fetched(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"attn_implementation": "org/kernel"}))
    assert "attention from org/kernel, code that did not come with it" in message_of(str(copy))


def test_weights_in_several_files_and_pickles_among_them(tmp_path: Path) -> None:
    model, tokenizer = tiny_model("llama"), byte_tokenizer()
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    tokenizer.save_pretrained(tmp_path)
    open_engine(tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    index = tmp_path / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    last = max(content["weight_map"].values())
    torch.save({}, tmp_path / "pytorch_model.bin")
    content["weight_map"] = {k: "pytorch_model.bin" if v == last else v for k, v in content["weight_map"].items()}
    index.write_text(json.dumps(content))
    assert 'names "pytorch_model.bin"; expected a *.safetensors file' in message_of(str(tmp_path))


OPENED: list[str] = []


def test_all_that_is_loaded_is_in_the_hash(folder: Path, tmp_path: Path) -> None:
    """What Python opens while a model is loaded; Rust opens the safetensors and tokenizer.json."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    for name in ("special_tokens_map.json", "added_tokens.json", "params.json", "preprocessor_config.json"):
        (copy / name).write_text("{}")
    (copy / "chat_template.jinja").write_text("{{ messages }}")
    (copy / "additional_chat_templates").mkdir()
    (copy / "additional_chat_templates/tool_use.jinja").write_text("{{ tools }}")
    inside = f"{copy}/"

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(inside):
            OPENED.append(str(arguments[0]).removeprefix(inside))

    loaded = [str(path.relative_to(copy)) for path in HfSource(str(copy)).files()]
    sys.addaudithook(note)  # it stays until the process ends, and does nothing for other folders
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alignbench.engines.hf.loading.source_hash", lambda *_, **__: "")
        patch.setattr("alignbench.engines.hf.loading.check_json", lambda _: None)
        open_engine(copy)
    assert {*OPENED} <= {*loaded}
    assert {*loaded} - {*OPENED} <= {"model.safetensors", "tokenizer.json"}


def test_devices_and_quantization_that_cannot_be_had(folder: Path) -> None:
    if not torch.cuda.is_available():
        assert "this machine has no CUDA devices that torch can use" in message_of(str(folder), device="cuda:3")
        assert later("alignbench.engines.hf.loading").pick_device("auto") == torch.device("cpu")
    assert "quantize = '8bit' needs a CUDA device" in message_of(str(folder), device="cpu", quantize="8bit")


def test_broken_weights(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[:1000] if file.suffix == ".safetensors" else data)
    assert "could not be loaded with transformers" in message_of(str(tmp_path))
