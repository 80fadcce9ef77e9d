"""A long search for inputs that break a reader, led by which code they reach: `make fuzz`.

It begins with the inputs of tests/fuzz/corpus/ and ends with writing there all that reach code of their own, and what
broke a reader, if anything did; `make test` tries them all from then on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.target import Target, write_corpus

SLOWEST = 10  # seconds for one input
MEMORY = 2048  # MB
LONGEST = 1024  # bytes of an input
BROKE = "broke-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", help="names of targets; all, where none is given")
    parser.add_argument("--minutes", type=float, default=20, help="for each reader")
    parser.add_argument("--fuzzer", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)  # options of one in this process
    asked = parser.parse_args()
    if asked.fuzzer:
        _fuzz(asked.readers[0], asked.fuzzer)
    from tests.fuzz.targets import TARGETS

    broken = [name for name in asked.readers or TARGETS if not _searched(TARGETS[name], asked.minutes)]
    sys.exit(f"broken: {', '.join(broken)}" if broken else 0)


def _searched(target: Target, minutes: float) -> bool:
    """Search, keep what was found, and say so; whether nothing broke."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "found")
        found.mkdir()
        for number, data in enumerate((*target.seeds, *target.corpus())):
            (found / f"{number:05}").write_bytes(data)
        words = Path(folder, "words")
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), "ascii")
        options = [
            f"-max_total_time={round(60 * minutes)}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOWEST}",
            f"-rss_limit_mb={MEMORY}",
            f"-dict={words}",
            f"-artifact_prefix={folder}/{BROKE}",
            "-print_final_stats=1",
        ]
        started = time.monotonic()
        # the fuzzer ends its process, which is therefore one of its own
        command = [sys.executable, "-m", "tests.fuzz.search", target.name, "--fuzzer", *options, str(found)]
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        seconds = time.monotonic() - started
        broke = sorted(Path(folder).glob(f"{BROKE}*"))
        write_corpus(target.name, [path.read_bytes() for path in (*found.iterdir(), *broke)])
        numbers = dict(line[6:].split(":", 1) for line in ended.stderr.splitlines() if line.startswith("stat::"))
        tried, memory = (int(numbers.get(key, "0")) for key in ("number_of_executed_units", "peak_rss_mb"))
        print(
            f"{target.name}: {tried:,} inputs in {seconds:.0f} s, {len(list(found.iterdir()))} kept that reach code of "
            f"their own, {memory} MB at most, {len(broke)} broke it",
            flush=True,
        )
        if ended.returncode:
            print(ended.stderr[-6000:])
    return ended.returncode == 0


def _fuzz(name: str, options: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["alignbench"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[name].read)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
