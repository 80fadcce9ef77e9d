"""Where the models of a run are: on this machine, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from alignbench.cli import printing
from alignbench.errors import InputError
from alignbench.extras import needed

if TYPE_CHECKING:
    from alignbench.engines.protocol import EmbedPool, EnginePool
    from alignbench.experiments.plan import Plan

ANY = "auto"  # --ray without an address


@dataclass(frozen=True, slots=True)
class Machines:
    """What models may run on."""

    threads: int | None = None  # CPU threads of this machine
    vram: float | None = None  # GB of its GPUs
    ray: str | None = None  # address of a cluster, None for no cluster
    actor_cpus: int = 1  # of each model in the cluster
    actor_gpus: float | None = None


class RayCommand(TyperCommand):
    """A command whose option --ray may stand without a value: what follows is one only if it looks like an address."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given: list[str] = []
        for i, arg in enumerate(args):
            given.append(arg)
            if arg == "--ray" and not (i + 1 < len(args) and _is_address(args[i + 1])):
                given.append(ANY)
        return super().parse_args(ctx, given)


def _is_address(text: str) -> bool:
    return ":" in text or text in (ANY, "local")


@contextmanager
def opened(machines: Machines, plan: Plan) -> Iterator[tuple[EnginePool, EmbedPool]]:
    """The pool that draws a plan's samples, and the one that embeds, which is always here."""
    from alignbench.engines.workers.pool import WorkerPool

    vram = None if machines.vram is None else int(machines.vram * 2**30)
    here = WorkerPool(threads=machines.threads, vram=vram)
    try:
        if machines.ray is None:
            yield here, here
            return
        with needed("--ray needs", "ray", error=InputError):
            from alignbench.cluster.pool import RayPool
        cluster = RayPool(
            None if machines.ray == ANY else machines.ray,
            len({cell.condition.model for cell in plan.cells if cell.missing}),
            cpus=machines.actor_cpus,
            gpus=machines.actor_gpus,
            say=printing.say,
        )
        try:
            yield cluster, here
        finally:
            cluster.close()
    finally:
        here.close()
