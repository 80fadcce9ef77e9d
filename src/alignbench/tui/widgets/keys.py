"""The keys at the bottom of a screen."""

from __future__ import annotations

from textual.widgets import Footer

from alignbench.tui.sizes import NARROW


class Keys(Footer):
    """Textual's footer, closer together where the terminal is narrow."""

    DEFAULT_CSS = "Keys { background: $panel; }"

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    def on_resize(self) -> None:
        self.compact = self.size.width < NARROW
