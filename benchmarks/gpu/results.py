"""What the parts of the measurement hand over: checks and rates, as lines of JSON, and the table made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


class Results:
    """A file of JSON lines that grows while a part runs, so that what was measured before a crash is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self, what: str, passed: bool | None, detail: str) -> None:
        """passed: None where it could not be tried here."""
        self._add({"check": what, "passed": passed, "detail": detail})

    def tried(self, what: str, attempt: Callable[[], tuple[bool, str]]) -> None:
        """A check that may break: it has failed then, and the others go on."""
        try:
            passed, detail = attempt()
        except Exception as error:  # of whatever kind
            passed, detail = False, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        self.check(what, passed, detail)

    def rate(self, row: Row) -> None:
        """Tokens a second of a contender: model, engine, n, prompt, contender, rate and, where known, limit."""
        self._add({"rate": dict(row)})

    def _add(self, line: Row) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def read(path: Path) -> tuple[list[Row], list[Row]]:
    """Checks and rates."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [line for line in lines if "check" in line], [line["rate"] for line in lines if "rate" in line]


def markdown(machine: Mapping[str, str], checks: list[Row], rates: list[Row]) -> str:
    """One page with what ran, where, and what came out."""
    lines = [" · ".join(f"{what}: {value}" for what, value in machine.items()), ""]
    lines += ["| check | | seen |", "|---|---|---|"]
    for row in checks:
        passed = {True: "holds", False: "FAILS", None: "not tried"}[row["passed"]]
        lines.append(f"| {row['check']} | {passed} | {row['detail']} |")
    lines += ["", "| model | n | contender | tokens/s | share of the bandwidth limit |", "|---|---:|---|---:|---:|"]
    for row in rates:
        limit = row.get("limit")
        share = f"{row['rate'] / limit:.0%} of {limit:.0f}" if limit else "-"
        what = f"{row['model']}, prompt of {row['prompt']}"
        lines.append(f"| {what} | {row['n']} | {row['contender']} | {row['rate']:.1f} | {share} |")
    return "\n".join(lines) + "\n"
