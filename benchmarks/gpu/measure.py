"""All that is to be known of a GPU in one run: checks and rates, each part in a process of its own.

    benchmarks/gpu/run.sh [--device cpu] [--tiny] [--out FOLDER] [--minutes 8]

A part that crashes or takes too long is a line of the table, and the others run. What comes out is results.json and
results.md in the folder. Ends with 1 where a check fails.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from random_models import EIGHT_B, ONE_B, TINY, gguf_file, transformers_folder
from results import Results, markdown, read

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Part:
    """A script with its arguments. seconds: it may take."""

    name: str
    script: str
    arguments: tuple[str, ...]
    seconds: int


def parts(made: Path, device: str, tiny: bool) -> Iterator[Part]:
    """What runs, what matters most first. The models lie in `made` when the first one begins."""
    checked, gguf = made / TINY.name, made / f"{TINY.name}.gguf"
    yield Part("checks of transformers", "checks.py", ("--engine", "transformers", "--model", str(checked)), 90)
    arguments = ("--engine", "llama.cpp", "--model", str(gguf), "--other", str(checked))
    yield Part("checks of llama.cpp", "checks.py", arguments, 90)
    smaller = ("--widths", "1,4", "--context", "200", "--rounds", "1") if tiny else ()
    large, middle = (TINY, TINY) if tiny else (EIGHT_B, ONE_B)
    arguments = ("--engine", "transformers", "--model", str(made / large.name), "--called", large.name, *smaller)
    yield Part("rates of transformers", "rates.py", arguments, 150)
    path = made / f"{middle.name}.gguf"
    arguments = ("--engine", "llama.cpp", "--model", str(path), "--called", f"{middle.name}, llama.cpp", *smaller)
    yield Part("rates of llama.cpp", "rates.py", arguments, 90)
    for called, place in embedded(device):
        arguments = ("--engine", "llama.cpp", "--model", str(place), "--called", f"{called}, llama.cpp", *smaller)
        yield Part(f"rates of {called}", "rates.py", arguments, 60)


def embedded(device: str) -> Iterator[tuple[str, Path]]:
    """The embedded models, where their weights are on this machine."""
    from alignbench.errors import AlignbenchError
    from alignbench.models.catalog import resolve, weights_path

    for name in ("demo-base", "demo-smollm2") if device != "cpu" else ():
        try:
            yield name, weights_path(resolve(name))
        except AlignbenchError:
            continue


def make_models(made: Path, device: str, tiny: bool) -> None:
    """Every model that a part reads."""
    for size in (TINY,) if tiny else (TINY, EIGHT_B):
        dtype = torch.float32 if size is TINY else torch.bfloat16
        transformers_folder(made / size.name, size, device, dtype)
    for size in (TINY,) if tiny else (TINY, ONE_B):
        gguf_file(made / f"{size.name}.gguf", size)


def run_part(part: Part, device: str, lines: Path, seconds: float) -> None:
    """seconds: that are left of all."""
    command = [sys.executable, str(HERE / part.script), *part.arguments, "--device", device, "--out", str(lines)]
    limit = seconds if device == "cpu" else min(part.seconds, seconds)
    started = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(limit, 1), check=False)
    except subprocess.TimeoutExpired:
        Results(lines).check(part.name, False, f"was ended after {limit:.0f} s")
        return
    finally:
        print(f"{part.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    if done.returncode != 0:
        print(done.stderr[-4_000:], file=sys.stderr, flush=True)
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        Results(lines).check(part.name, False, f"ended with {done.returncode}: {last}")


def machine(device: str) -> dict[str, str]:
    """What the numbers are of."""
    import llama_cpp
    import transformers

    gpu = torch.cuda.get_device_name() if device != "cpu" else platform.processor() or platform.machine()
    found = {
        "device": gpu,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "llama-cpp-python": llama_cpp.__version__,
        "llama.cpp on the GPU": "yes" if llama_cpp.llama_supports_gpu_offload() else "no",
        "cores": str(len(os.sched_getaffinity(0))),
    }
    if device != "cpu":
        found["CUDA of torch"] = str(torch.version.cuda)
        capability = torch.cuda.get_device_capability()
        found["compute capability"] = f"{capability[0]}.{capability[1]}"
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true", help="models of a few kilobytes: does everything run?")
    parser.add_argument("--out", type=Path, default=Path("gpu-results"))
    parser.add_argument("--minutes", type=float, default=8.0, help="after which no further part begins")
    arguments = parser.parse_args()
    device, tiny = arguments.device, arguments.tiny
    if device == "cuda" and not torch.cuda.is_available():
        print("torch finds no GPU here; --device cpu --tiny tries the script without one.", file=sys.stderr)
        return 2
    if device == "cpu" and not tiny:
        print("--device cpu goes with --tiny: the large models are for a GPU.", file=sys.stderr)
        return 2
    until = time.monotonic() + 60 * arguments.minutes * (4 if device == "cpu" else 1)  # other work may run beside it
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = arguments.out / "lines.jsonl"
    lines.unlink(missing_ok=True)
    made = Path(tempfile.mkdtemp(prefix="alignbench-gpu-"))
    try:
        make_models(made, device, tiny)
        for part in parts(made, device, tiny):
            if (left := until - time.monotonic()) < 10:
                Results(lines).check(part.name, None, "no time was left")
                continue
            run_part(part, device, lines, left)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    checks, rates = read(lines)
    about = machine(device)
    (arguments.out / "results.json").write_text(
        json.dumps({"machine": about, "checks": checks, "rates": rates}, indent=2)
    )
    page = markdown(about, checks, rates)
    (arguments.out / "results.md").write_text(page)
    print(page)
    return int(any(row["passed"] is False for row in checks) or not rates)


if __name__ == "__main__":
    raise SystemExit(main())
