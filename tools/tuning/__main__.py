"""The commands of tools.tuning."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from tools.tuning import dpo, sft


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.tuning", description="Trains the stages of demo-base.")
    parser.add_argument("--seed", type=int, default=0)
    stages = parser.add_subparsers(dest="stage", required=True)
    first = stages.add_parser("sft", help="supervised fine-tuning on our own answers")
    second = stages.add_parser("dpo", help="preferences between samples of the stage before")
    second.add_argument("before", type=Path, help="the folder that sft wrote")
    second.add_argument("samples", type=Path, help="what `alignbench sample --json` printed of it")
    for stage in (first, second):
        stage.add_argument("out", type=Path, help="a folder, called as the stage is; it is replaced")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if given.stage == "sft":
        log = sft.run(given.out, given.seed)
    else:
        log = dpo.run(given.before, given.samples, given.out, given.seed)
    print(f"held out, nats a token: {', '.join(f'{loss:.4f}' for loss in log.held_out)}; {log.minutes:.0f} minutes")


if __name__ == "__main__":
    main()
