"""Texts of our own that do on a click what a key does.

Textual's own links are no part of it: an action in what is drawn could then be one that a model wrote.
"""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

_DOES = "does"


def clickable(text: str, action: str, style: str = "") -> Content:
    """A text with an action of the screen, as `scores` or `column(2)`."""
    return Content.styled(text, style).stylize(Style.from_meta({_DOES: action}))


async def do_clicked(widget: Widget, event: events.Click, otherwise: str = "") -> bool:
    """Do what the text below the mouse does; whether it does anything. Where the mouse has selected text, nothing.

    otherwise: the action where there is none in the text
    """
    action = event.style.meta.get(_DOES, otherwise)
    if not action or (event.widget or widget).text_selection is not None:
        return False
    await widget.run_action(f"screen.{action}")
    return True
