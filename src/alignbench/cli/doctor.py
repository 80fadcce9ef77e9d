"""`alignbench doctor`: what works on this machine, and why not."""

from __future__ import annotations

from dataclasses import asdict

import typer

from alignbench.cli import printing
from alignbench.cli.options import Db, Json


def doctor(db: Db = None, as_json: Json = False) -> None:
    """Say what works on this machine, and why not.

    Also what to do about it. Exit code 1 where the machine cannot be used.
    """
    from alignbench.cli.tables import print_table
    from alignbench.doctor import examine, failed

    checks = examine(db)
    if as_json:
        printing.json_data([asdict(check) for check in checks])
    else:
        print_table(
            ("", "", ""),
            [(check.status, check.name, _text(check.detail, check.advice)) for check in checks],
        )
    if failed(checks):
        raise typer.Exit(1)


def _text(detail: str, advice: str) -> str:
    return f"{detail}. {advice}" if advice else detail
