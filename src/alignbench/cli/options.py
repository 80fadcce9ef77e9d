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
