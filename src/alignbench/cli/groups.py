"""Commands by what they are for, each with examples at the end of its help."""

from __future__ import annotations

from typing import Any

from typer import Typer
from typer.core import TyperGroup
from typer.main import get_command_name

from alignbench.cli.help_examples import EXAMPLES

DRAW, MEASURE, CONTEXTS, DATA, MACHINE = "Draw", "Measure", "Contexts", "Data", "Machine"
PANELS = (DRAW, MEASURE, CONTEXTS, DATA, MACHINE)


class PanelGroup(TyperGroup):
    """A group whose help lists commands below the names of their panels; those without one stand at the end."""

    def format_commands(self, _: Any, formatter: Any) -> None:
        shown = {name: command for name, command in self.commands.items() if not command.hidden}
        widest = max(map(len, shown), default=0)
        for panel in dict.fromkeys([*PANELS, *map(_panel, shown.values())]):
            rows = [
                (name.ljust(widest), command.get_short_help_str(formatter.width - 6 - widest))
                for name, command in shown.items()
                if _panel(command) == panel
            ]
            if rows:
                with formatter.section(panel):
                    formatter.write_dl(rows)


def _panel(command: object) -> str:
    panel = getattr(command, "rich_help_panel", None)
    return panel if isinstance(panel, str) else "Commands"


def add_examples(app: Typer, before: str = "") -> None:
    """Put the examples of all commands of an app at the end of their help."""
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or get_command_name(command.callback.__name__)
        command.epilog = examples_text(f"{before}{name}")
    for group in app.registered_groups:
        assert group.typer_instance is not None
        add_examples(group.typer_instance, f"{before}{group.name} ")


def examples_text(command: str) -> str | None:
    """The examples of a command as they stand in its help; None where it has none."""
    lines = EXAMPLES.get(command, ())
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) if lines else None
