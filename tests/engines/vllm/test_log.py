from __future__ import annotations

import pytest

from alignbench.engines.vllm.log import LogReader, Stage, cause, stage_of

_CRASH = """\
(EngineCore pid=20) ERROR 11-29 15:02:53 [core.py:1512] Traceback (most recent call last):
(EngineCore pid=20) ERROR 11-29 15:02:53 [core.py:1512]   File "core.py", line 1, in run
(EngineCore pid=20) ERROR 11-29 15:02:53 [core.py:1512] ValueError: No available memory for the cache blocks.
(APIServer pid=10) Traceback (most recent call last):
(APIServer pid=10)   File "launch.py", line 2, in wait
(APIServer pid=10) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
nanobind: leaked 4 instances!
"""
_REFUSED = """\
(APIServer pid=10) pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, User-specified max_model_len (9000) is greater than 8192. [type=value_error, input_value=...]
    For further information visit a page
"""


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (_CRASH, "ValueError: No available memory for the cache blocks."),
        (_REFUSED, "Value error, User-specified max_model_len (9000) is greater than 8192."),
        ("usage: serve\nserve: error: unrecognized arguments: --foo\n", "serve: error: unrecognized arguments: --foo"),
        ("INFO 11-29 15:02:53 [a.py:1] Loading\n\n", ""),
    ],
)  # fmt: skip
def test_the_cause_of_an_end_is_the_last_message_that_is_not_about_another(log: str, why: str) -> None:
    assert cause(log.splitlines()) == why


def test_a_start_goes_through_stages() -> None:
    assert stage_of(
        "(Worker pid=1) INFO 11-29 14:56:42 [cpu_model_runner.py:68] Starting to load model /m..."
    ) == Stage("weights", 0.15)
    half = stage_of("Loading safetensors checkpoint shards:  50% Completed | 2/4 [00:01<00:01,  1.56it/s]")
    assert half is not None
    assert half.what == "weights"
    assert half.fraction == pytest.approx(0.425)
    graphs = stage_of("Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  20%|██        | 7/35")
    assert graphs is not None
    assert graphs.what == "graphs"
    assert graphs.fraction == pytest.approx(0.83)
    assert stage_of("INFO:     Waiting for application startup.") is None
    assert (
        stage_of("WARNING 11-29 14:56:27 [vllm.py:1703] Enforce eager set, disabling torch.compile, CUDAGraphs") is None
    )


def test_a_log_is_read_as_it_comes_and_no_stage_goes_back() -> None:
    told: list[Stage] = []
    reader = LogReader(told.append)
    reader.feed(b"Starting to load mod")
    assert told == []
    # A progress bar writes over its line.
    reader.feed(
        b"el /m...\nLoading shards:   0% |\rLoading shards: 100% Completed |\r\nStarting to load model\nlast wor"
    )
    reader.feed("ds é".encode()[:-1] + b"\n")
    assert [(stage.what, round(stage.fraction, 2)) for stage in told] == [
        ("weights", 0.15),
        ("weights", 0.15),
        ("weights", 0.7),
    ]
    assert reader.last_words.startswith("last words")
    assert reader.cause == ""
