"""A run on a cluster whose head is killed: `python -m tests.cluster.lost_head DB FOLDER`. Ray may end this process."""

import os
import sys
from functools import partial
from pathlib import Path

import ray

from alignbench.cluster import pool as pools
from alignbench.cluster.head import HeadWatch
from alignbench.experiments.plan import make_plan
from alignbench.experiments.runner import CellFailed, Run, TextArrived
from alignbench.spec import Condition, Model, Prompt
from alignbench.store import Store
from tests.cluster.marked import making

HEAD = "gcs_server"


def head() -> int:
    """Its process: a child of this one."""
    for task in Path("/proc/self/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            if HEAD in Path(f"/proc/{child}/cmdline").read_text():
                return child
    raise AssertionError("there is no head")


def main(db: Path, folder: Path) -> None:
    pools.HeadWatch = partial(HeadWatch, look=0.2)  # type: ignore[misc,assignment]
    ray.init(num_cpus=1, num_gpus=0, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    pool = pools.RayPool(None, 1, make_pool=making(folder, delay=0.5))
    killed = False
    with Store.open(db) as store:
        session = store.create_session("t")
        condition = Condition.zero_shot(Model("raw", "demo-base", "base"))
        plan = make_plan(store, session, [Prompt(f"p{i}", f"{i}?") for i in range(99)], (condition,), 1)
        for event in Run(plan, pool, store):
            if isinstance(event, TextArrived) and not killed:
                killed = True
                os.kill(head(), 9)
            if isinstance(event, CellFailed):
                print(event.message, flush=True)
    os._exit(7)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
