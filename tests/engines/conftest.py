"""The pool that tests share, for those that only sample; models load once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alignbench.engines.workers.pool import WorkerPool
from alignbench.models.catalog import resolve, weights_path
from alignbench.spec import Model
from tests.support.driving import load
from tests.support.pools import shared_pool
from tests.support.server import llama_cpp_server


@pytest.fixture(scope="session")
def pool() -> WorkerPool:
    return shared_pool()


@pytest.fixture(params=["demo-base", "demo-smollm2"])
def model(request: pytest.FixtureRequest, pool: WorkerPool) -> Model:
    """Each of the embedded models, loaded."""
    model = resolve(request.param)
    load(pool, model)
    return model


@pytest.fixture
def aligned(pool: WorkerPool) -> Model:
    model = resolve("demo-smollm2")
    load(pool, model)
    return model


@pytest.fixture(scope="session")
def llama_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server of demo-smollm2."""
    weights = weights_path(resolve("demo-smollm2"))
    with llama_cpp_server(tmp_path_factory.mktemp("server"), weights) as url:
        yield url
