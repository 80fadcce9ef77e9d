"""`alignbench serve`: the app in a browser."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from alignbench import bounds
from alignbench.cli import printing
from alignbench.cli.options import Db, number


def serve(
    db: Db = None,
    port: Annotated[int, number(bounds.PORT, "--port", help="Of 127.0.0.1; 0 takes one that is free.")] = 8642,
) -> None:
    """Serve the workbench to a browser on this machine."""
    from alignbench import paths
    from alignbench.errors import InputError
    from alignbench.extras import install_line, is_installed

    if not (is_installed("textual_serve") and is_installed("aiohttp")):
        raise InputError(f"The app in a browser needs textual-serve: {install_line('serve')}")
    from alignbench.serve.access import new_token
    from alignbench.serve.server import listening
    from alignbench.serve.server import serve as serve_pages

    def ready(address: str) -> None:
        printing.say("Whoever has this address has the app; each page is one. Ctrl-C ends them.")
        printing.data(address)

    database = (db or paths.default_database()).absolute()
    command = [sys.executable, "-P", "-m", "alignbench", "tui", "--db", str(database)]
    ended = serve_pages(command, listening(int(port)), new_token(), ready)
    printing.say(f"alignbench: {'interrupted' if ended == signal.SIGINT else f'ended by {ended.name}'}")
    raise typer.Exit(128 + ended)
