"""The user's own keys: [keys] of config.toml, checked against the actions of every screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignbench.config import KEYS, key_line
from alignbench.errors import InputError, did_you_mean
from alignbench.tui.action import APP, Action, with_keys
from alignbench.tui.audit.actions import AUDIT
from alignbench.tui.bench.actions import BENCH
from alignbench.tui.context.actions import EXAMPLE, EXAMPLES, HINT, SETS
from alignbench.tui.dialogs.actions import (
    CONDITION,
    CONFIRM,
    EDITOR,
    HELP,
    LINE,
    NOTES,
    PICKER,
    SAMPLE,
    SAVE,
    TEXT,
)
from alignbench.tui.investigation.actions import INVESTIGATION
from alignbench.tui.key_names import is_typed, one_key, read_keys, shown_key
from alignbench.tui.ledger.actions import LEDGER
from alignbench.tui.scores.actions import SCORES
from alignbench.tui.sessions.actions import EXPORT, LABEL, REPORT, SEARCH, SESSIONS
from alignbench.tui.survey.actions import SURVEY
from alignbench.tui.versions.actions import VERSIONS
from alignbench.tui.viewer.actions import VIEWER

SCREENS: Mapping[str, Sequence[Action]] = {
    "app": APP,
    "bench": BENCH,
    "audit": AUDIT,
    "condition": CONDITION,
    "confirm": CONFIRM,
    "editor": EDITOR,
    "example": EXAMPLE,
    "examples": EXAMPLES,
    "export": EXPORT,
    "help": HELP,
    "hint": HINT,
    "investigation": INVESTIGATION,
    "label": LABEL,
    "ledger": LEDGER,
    "line": LINE,
    "notes": NOTES,
    "prompts": PICKER,
    "report": REPORT,
    "sample": SAMPLE,
    "save": SAVE,
    "scores": SCORES,
    "search": SEARCH,
    "sessions": SESSIONS,
    "sets": SETS,
    "survey": SURVEY,
    "text": TEXT,
    "versions": VERSIONS,
    "viewer": VIEWER,
}
"""The actions of each screen, by the scope of its bindings; those of the app work on every screen."""


@dataclass(frozen=True, slots=True)
class BoundAction:
    """An action of a screen, with the id that [keys] has it by."""

    id: str
    action: Action

    @property
    def keys(self) -> list[str]:
        return self.action.keys.split(",")


def bound_actions(own_keys: Mapping[str, str] | None = None) -> Iterator[BoundAction]:
    """Every action of the app, screen by screen. own_keys: of ids, Textual's names with commas between."""
    for scope, actions in SCREENS.items():
        for action in actions:
            id = f"{scope}.{action.name}"
            yield BoundAction(id, with_keys(action, (own_keys or {}).get(id, "")))


def checked_keys(path: Path, written: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Textual's names of the keys of each id, with commas between.

    InputError, which names file, line and field: for an id that is none, for what is no key, for one that another
    action of the same screen has, and for a letter where the action has to be reached while text is typed.

    Args:
        path: The config.toml, for messages.
        written: Its ids and keys.
    """
    actions = {bound.id: bound for bound in bound_actions()}
    own_keys: dict[str, str] = {}
    for id, keys in written:
        if id not in actions:
            near = did_you_mean(id, actions) or "`alignbench config keys` lists them."
            raise _error(path, id, f"there is no such action. {near}")
        try:
            own_keys[id] = ",".join(read_keys(keys))
        except InputError as error:
            raise _error(path, id, str(error)) from None
        if actions[id].action.priority and (typed := next(filter(is_typed, own_keys[id].split(",")), "")):
            raise _error(
                path,
                id,
                f"{shown_key(typed)} would not be written any more where text is typed; expected a key that writes "
                "nothing, such as f12 or ctrl+t.",
            )
    _refuse_collisions(path, own_keys)
    return own_keys


def _refuse_collisions(path: Path, own_keys: Mapping[str, str]) -> None:
    for id in own_keys:
        scope = id.partition(".")[0]
        together = [
            each for each in bound_actions(own_keys) if scope == "app" or each.id.partition(".")[0] in (scope, "app")
        ]
        own = next(each for each in together if each.id == id)
        for key in own.keys:
            for other in together:
                if other.id != id and one_key(key) in map(one_key, other.keys):
                    stays = "app.quit always has to be reached" if other.id == "app.quit" else "give one another key"
                    raise _error(
                        path,
                        id,
                        f"{shown_key(key)} is the key of {other.id} ({other.action.called}) too, on the same screen; "
                        f"{stays}.",
                    )


def _error(path: Path, id: str, problem: str) -> InputError:
    return InputError(f"{key_line(path, id)}, field {KEYS}.{id}: {problem.rstrip()}")
