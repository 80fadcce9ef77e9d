"""Adapters on one copy of the embedded Gemma: the merged model's numbers, the base's own without them, kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignbench import paths
from alignbench.engines.cancellation import Cancellation
from alignbench.engines.llamacpp.engine import LlamaCppEngine
from alignbench.engines.local.engine import LocalEngine
from alignbench.engines.protocol import Finished, LikelihoodRequest, Loaded, Scored, Started
from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.adapter import Adapter
from alignbench.models.catalog import resolve, weights_path
from alignbench.models.stages import stage_folder
from alignbench.models.weights import weights_hash
from tests.support import adapters
from tests.support.driving import follow, load, plain_request, results, score

pytestmark = [pytest.mark.models, pytest.mark.slow]

TEXT = " Most people keep a diary for a year, put it into a drawer, and find it again when they move house."
LAYERS = 18


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two adapters, each as a folder of PEFT and as a GGUF file."""
    folder = tmp_path_factory.mktemp("adapters")
    for seed, name in enumerate(("one", "two")):
        matrices = adapters.drawn(adapters.GEMMA, LAYERS, seed=seed)
        adapters.write_peft(folder / name, matrices)
        adapters.write_gguf_adapter(folder / f"{name}.gguf", matrices)
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaCppEngine]:
    engine = LlamaCppEngine(weights_path(resolve("demo-base")), Cancellation(), threads=1)
    yield engine
    engine.close()


def scored(engine: LocalEngine) -> Scored:
    return engine.score(LikelihoodRequest(1, "", "Why do people keep diaries?", TEXT))


def drawn(engine: LocalEngine, n: int) -> list[list[int]]:
    events = engine.sample([plain_request(n, max_tokens=3, stops=())])
    found = {event.result.sample: event.result.tokens.ids.tolist() for event in events if isinstance(event, Finished)}
    return [found[i] for i in range(n)]


def test_scale_0_and_no_adapter_are_the_base(engine: LlamaCppEngine, files: Path) -> None:
    engine.use(None)
    base = scored(engine).logprob
    engine.use(Adapter(str(files / "one.gguf")))
    changed = scored(engine).logprob
    engine.use(Adapter(str(files / "one.gguf"), 0.0))
    nothing = scored(engine).logprob
    engine.use(None)
    assert np.abs(changed - base).max() > 0.1
    assert (nothing == base).all()
    assert (scored(engine).logprob == base).all()


def test_adapters_that_alternate_give_what_each_gives_alone(engine: LlamaCppEngine, files: Path) -> None:
    """Under one prompt, so that a cache that outlasted a change would show."""
    one, two = (Adapter(str(files / f"{name}.gguf")) for name in ("one", "two"))
    uses = [None, one, two, replace(one, scale=0.5)]
    alone = []
    for adapter in uses:
        fresh = LlamaCppEngine(engine.path, Cancellation(), threads=1)
        fresh.use(adapter)
        alone.append((scored(fresh).logprob, drawn(fresh, 2)))
        fresh.close()
    known = [*zip(uses, alone, strict=True)]
    for adapter, (logprob, ids) in (*known, *known[:2]):  # the last two have been there before
        engine.use(adapter)
        assert (scored(engine).logprob == logprob).all()
        assert drawn(engine, 2) == ids
    assert len({logprob.tobytes() for logprob, _ in alone}) == len(uses)


def test_three_samples_are_the_head_of_five(engine: LlamaCppEngine, files: Path) -> None:
    engine.use(Adapter(str(files / "one.gguf")))
    assert drawn(engine, 3) == drawn(engine, 5)[:3]


def test_a_context_that_is_made_anew_keeps_the_adapter(engine: LlamaCppEngine, files: Path) -> None:
    engine.use(Adapter(str(files / "two.gguf")))
    before = scored(engine).logprob
    engine.reserve(4096, 0, 9)
    assert (scored(engine).logprob == before).all()


def test_a_failed_change_leaves_the_base(engine: LlamaCppEngine, files: Path) -> None:
    engine.use(None)
    base = scored(engine).logprob
    engine.use(Adapter(str(files / "one.gguf")))
    with pytest.raises(Exception, match="There is no file"):
        engine.use(Adapter(str(files / "gone.gguf")))
    assert engine.capabilities().adapter_hash == ""
    assert (scored(engine).logprob == base).all()


def test_one_process_serves_base_and_adapters(pool: WorkerPool, files: Path) -> None:
    base = resolve("demo-base")
    one, half = (resolve(f"demo-base+{files}/one.gguf{scale}") for scale in ("", "*0.5"))
    for model in (one, base, half):
        assert isinstance(load(pool, model), Loaded)
        known = pool.capabilities(model)
        assert known is not None
        assert known.file_hash == weights_hash(model)
    assert len({pool.worker_pid(model) for model in (one, base, half)}) == 1
    request = plain_request(2, max_tokens=4, context="# Query:\n```\n" * 8)
    first = {
        model.name: results(follow(pool, model, replace(request, key=pool.new_key()))) for model in (base, one, half)
    }
    again = follow(pool, one, replace(request, key=pool.new_key()))
    assert [r.tokens.ids.tolist() for r in results(again).values()] == [
        r.tokens.ids.tolist() for r in first[one.name].values()
    ]
    assert next(event for event in again if isinstance(event, Started)).n_cached == 0
    scores = [score(pool, model, plain_request(1), TEXT).logprob for model in (base, one, half)]
    assert len({values.tobytes() for values in scores}) == 3
    pool.unload(one)
    assert pool.capabilities(one) is None
    assert pool.capabilities(base) is not None
    pool.unload(half)


def test_the_embedded_pair_at_any_scale_is_one_copy_of_the_weights() -> None:
    """By the names that people write; what llama.cpp says of its files is in the worker's log."""
    template = (stage_folder("demo-sft") / "chat_template.jinja").read_text()
    pool = WorkerPool(threads=1)
    try:
        models = [
            resolve(name) for name in ("demo-aligned", "demo-base", "demo-sft", "demo-aligned*0.5", "demo-sft*1.25")
        ]
        scores = []
        for model in models:
            assert isinstance(load(pool, model), Loaded)
            known = pool.capabilities(model)
            assert known is not None
            assert known.file_hash == weights_hash(model)
            assert (known.kind, known.chat_template) == (
                ("base", None) if model.name == "demo-base" else ("aligned", template)
            )
            scores.append(score(pool, model, plain_request(1), TEXT).logprob)
        assert len({pool.worker_pid(model) for model in models}) == 1
        assert (scores[0] == scores[2]).all()
        assert len({values.tobytes() for values in scores}) == len(models) - 1
        log = next(paths.log_dir().glob("demo-aligned-*.log")).read_text(errors="replace")
        assert log.count("loading lora adapter from") == 1
        assert log.count("llama_model_loader: loaded meta data") == 1
    finally:
        pool.close()


def test_transformers_gives_the_merged_models_numbers(engine: LlamaCppEngine, files: Path) -> None:
    """The same adapter merged by hand, in float32; llama.cpp with its GGUF twin agrees as base models do."""
    import torch

    from alignbench.engines.hf.engine import TransformersEngine

    hf = TransformersEngine(resolve(f"hf:{engine.path}"), Cancellation(), threads=1)
    base = scored(hf).logprob
    with_adapters = {}
    for name, scale in (("one", 1.0), ("two", 1.0), ("one", 0.5), ("one", 1.0), ("one", 0.0)):
        hf.use(Adapter(str(files / name), scale))
        logprob = scored(hf).logprob
        assert (with_adapters.setdefault((name, scale), logprob) == logprob).all()
    assert drawn(hf, 3) == drawn(hf, 5)[:3]
    assert np.abs(with_adapters["one", 0.0] - base).max() < 1e-6
    hf.use(None)
    assert (scored(hf).logprob == base).all()

    matrices = adapters.drawn(adapters.GEMMA, LAYERS, seed=0)
    modules = dict(hf._model.named_modules())
    with torch.no_grad():
        for name, (a, b) in matrices.items():
            module = modules[name]
            getattr(module, "base_layer", module).weight += torch.from_numpy(16 / 4 * (b @ a))
    hf.forget()
    hf._forced = None
    merged = scored(hf).logprob
    assert np.abs(merged - with_adapters["one", 1.0]).max() < 1e-4
    assert np.abs(merged - base).max() > 0.1

    engine.use(Adapter(str(files / "one.gguf")))
    llama = scored(engine)
    assert np.abs(llama.logprob - with_adapters["one", 1.0]).mean() < 0.10
