"""The keys at the bottom of a screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from alignbench.tui.action import of_screen
from alignbench.tui.sizes import NARROW

_ALWAYS = ("help", "quit")


class Keys(Footer):
    """Textual's footer: closer together where the terminal is narrow, and only keys that can be read whole."""

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
        self._composed = self._to_show()
        keys = [self._untied(key) if isinstance(key, FooterKey) else key for key in super().compose()]
        spare = {action.name: action.spare for action in of_screen(self.screen)}
        while (there := [key for key in keys if _may_go(key)]) and sum(map(self._width, keys)) > self.size.width:
            last = max(range(len(there)), key=lambda at: (spare.get(_action(there[at]), 0), at))
            keys.remove(there[last])
        yield from keys

    def _to_show(self) -> object:
        bindings = self.screen.active_bindings.values() if self._bindings_ready else ()
        return self.size.width, [
            (binding.key, binding.description, binding.action, enabled, tooltip)
            for _, binding, enabled, tooltip in bindings
            if binding.show
        ]

    def _untied(self, key: FooterKey) -> FooterKey:
        """The same key, not bound to this footer: Textual would keep every key that a footer has ever had."""
        own = FooterKey(
            key.key,
            key.key_display,
            key.description,
            key.action,
            disabled=key.has_class("-disabled"),
            tooltip=str(key.tooltip or ""),
            classes="-compact" if self.compact else "",
        )
        own.set_reactive(FooterKey.compact, self.compact)  # styles are read when it is mounted
        return own

    def _width(self, key: Widget) -> int:
        text = f"{key.key_display} {key.description}" if isinstance(key, FooterKey) else ""
        return len(text) + (1 if self.size.width < NARROW else 2)


def _action(key: Widget) -> str:
    return key.action if isinstance(key, FooterKey) else ""


def _may_go(key: Widget) -> bool:
    return _action(key).rpartition(".")[2] not in _ALWAYS
