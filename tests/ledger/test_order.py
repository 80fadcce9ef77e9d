"""What the order of a ledger's requests spares an engine, counted in tokens that it computes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from alignbench.engines.cancellation import Cancellation
from alignbench.engines.protocol import LikelihoodRequest
from alignbench.spec import Context, Example, Examples, ExampleSet, Model
from alignbench.store import Store
from tests.support.books import Pool, asked, kept
from tests.support.hf_folders import write_folder
from tests.support.later import later

EXAMPLES = Examples(pool=ExampleSet((Example("How are bridges built?", "With stones."),)))


def computed(folder: Path, requests: Sequence[LikelihoodRequest]) -> int:
    """Tokens that an engine computes for requests in this order."""
    decoded: list[int] = []
    engine = later("alignbench.engines.hf.engine").TransformersEngine(
        Model("tiny", f"hf:{folder}", "base"), Cancellation(), threads=1
    )
    extend = engine._rows.extend
    engine._rows.extend = lambda ids, n: (decoded.append(len(ids)), extend(ids, n))[1]
    for request in requests:
        engine.score(request)
    return sum(decoded)


def test_in_its_order_an_engine_computes_what_responses_share_once(store: Store, tmp_path: Path) -> None:
    pool = Pool()
    kept(store, pool, asked(Context("plain", "taught", instruction="Be kind.", examples=EXAMPLES)))
    requests = [request for name, request in pool.scored if name == "tiny"]
    mixed = random.Random(0).sample(requests, len(requests))
    folder = write_folder(tmp_path, "llama")
    assert computed(folder, requests) < computed(folder, mixed) / 2
