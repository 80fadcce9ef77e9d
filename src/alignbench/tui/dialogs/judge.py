"""Asking for the model that is to judge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from alignbench.errors import AlignbenchError
from alignbench.models.catalog import resolve
from alignbench.paths import user_config
from alignbench.tui.dialogs.base import LineScreen
from alignbench.tui.screen import AppScreen

if TYPE_CHECKING:
    from alignbench.spec import Model
    from alignbench.tui.workbench.controller import Workbench


async def ask_for_judge(screen: AppScreen[Any], workbench: Workbench, what: str) -> Model | None:
    """The model that the user names, offered is the one that judged last, or that of config.toml; None for nobody."""
    columns = workbench.bench.columns
    aligned = [column.condition.model.name for column in columns if column.condition.model.kind == "aligned"]
    heading = f"Judge of {what}: a model's name or reference"
    offered = workbench.judge or user_config().judge or next(iter(aligned), "")
    written = await screen.app.push_screen_wait(
        LineScreen(heading, offered, empty="Name a model, or press Esc.", asked="model")
    )
    if written is None:
        return None
    try:
        judge = await asyncio.to_thread(resolve, written)
    except AlignbenchError as error:
        screen.tell(str(error), "error")
        return None
    workbench.judge = written
    return judge
