"""A process that writes samples: `python -m tests.store.worker DB CELL FIRST COUNT`. Says each one it has stored."""

from __future__ import annotations

import sys

from alignbench.store import Store
from tests.support.samples import result


def main(path: str, cell: int, first: int, count: int) -> None:
    with Store.open(path) as store:
        for i in range(first, first + count):
            store.add_sample(cell, result(i, f"sample {i}"))
            print(i, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
