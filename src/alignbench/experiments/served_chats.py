"""What stood before a response to a chat that a server made text of: the session has only what the server was asked."""

from __future__ import annotations

from alignbench.contexts.rendering import render, why_no_text
from alignbench.engines.protocol import Capabilities
from alignbench.errors import EngineError
from alignbench.experiments.cell_content import cell_content
from alignbench.experiments.plan import PlannedCell
from alignbench.spec import Condition
from alignbench.store import Store


def is_rendered_by_server(condition: Condition) -> bool:
    """Whether a server makes text of the condition's chats."""
    return condition.context.template == "chat" and condition.model.reference.startswith("openai:")


def text_of_server(store: Store, cell: PlannedCell, capabilities: Capabilities) -> str:
    """What the server of a cell's model makes of its chat, by the template that it gives now.

    Raises EngineError where it gives none, InputError where it is not rendered here as it is there.
    """
    rendered = render(cell.prompt, cell.condition.context, capabilities, cell_content(store, cell), as_text=True)
    if why := why_no_text(rendered, capabilities):
        raise EngineError(why)
    return rendered.text
