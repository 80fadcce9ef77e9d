"""The keys at the bottom of a screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer, Input, TextArea
from textual.widgets._footer import FooterKey

from alignbench.tui.action import APP, Action, is_reached, of_screen
from alignbench.tui.sizes import NARROW

FIRST, LAST = "help", "quit"  # stand at the ends of every footer, and never go


class Keys(Footer):
    """Textual's footer with the keys that do something where the focus is, in the order of the table of actions.

    What is used most comes first there; the last ones go where not all can be read whole.
    """

    DEFAULT_CSS = "Keys { background: $panel; }"

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._composed: object = None  # what there was to show when its keys were made

    def on_resize(self) -> None:
        self.compact = self.size.width < NARROW
        self.call_after_refresh(self.recompose)

    async def recompose(self) -> None:
        """Nothing where it would show what it shows: bindings are looked at again whenever anything changes."""
        if self.is_attached and self._to_show() != self._composed:
            await super().recompose()

    def compose(self) -> ComposeResult:
        self._composed = width, offered = self._to_show()
        while sum(map(self._width, offered)) > width and (
            may_go := [each for each in offered if each.name not in (FIRST, LAST)]
        ):
            offered = tuple(each for each in offered if each is not may_go[-1])
        self.styles.grid_size_columns = len(offered)
        for action in offered:
            key = FooterKey(
                action.keys.split(",")[0],
                action.shown,
                action.label,
                action.name,
                tooltip=action.help,
                classes="-compact" if self.compact else "",
            )
            key.set_reactive(FooterKey.compact, self.compact)  # styles are read when it is mounted
            yield key

    def _to_show(self) -> tuple[int, tuple[Action, ...]]:
        """Its width, and the actions that can be done now."""
        if not self._bindings_ready:
            return self.size.width, ()
        offered = [action for action in of_screen(self.screen) if action.footer and self._is_offered(action)]
        ends = {action.name: action for action in offered if action in APP}
        between = [action for action in offered if action not in APP]
        return self.size.width, (*_at(ends, FIRST), *between, *_at(ends, LAST))

    def _is_offered(self, action: Action) -> bool:
        """Whether it can be done, and a key for it is not a letter that goes into a text."""
        if action in APP:
            return not (self.screen.is_modal and action.name == LAST)
        if self.screen.check_action(action.name, ()) is False:
            return False
        return not isinstance(self.screen.focused, Input | TextArea) or is_reached(self.screen, action)

    def _width(self, action: Action) -> int:
        return len(f"{action.shown} {action.label}") + (1 if self.size.width < NARROW else 2)


def _at(ends: dict[str, Action], name: str) -> tuple[Action, ...]:
    return (ends[name],) if name in ends else ()
