"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Db = Annotated[
    Path | None,
    typer.Option("--db", envvar="ALIGNBENCH_DB", help="The database file.", show_default="runs/alignbench.db"),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads all models share.", show_default="all cores")]
GpuLayers = Annotated[int, typer.Option(help="Layers llama.cpp puts on a GPU; -1 is all, 0 none.")]
