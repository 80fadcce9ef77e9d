"""Names of keys: as people write them, as Textual has them, and as the app shows them."""

from __future__ import annotations

import re

from textual.keys import KEY_ALIASES, REPLACED_KEYS, Keys, _character_to_key, key_to_character

from alignbench.errors import InputError, did_you_mean

_MODIFIERS = ("ctrl", "alt", "shift", "super", "hyper", "meta")
_FUNCTION = re.compile(r"f([1-9]|1\d|2[0-4])")
_NAMED = {key.value for key in Keys if key.value.isalpha()}
_SHOWN = {
    "escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn", "left": "←", "right": "→", "up": "↑", "down": "↓",
}  # fmt: skip
_AS_SHOWN = {shown.lower(): key for key, shown in _SHOWN.items()}
_SAME = {other: key for key, others in KEY_ALIASES.items() for other in others}  # for a terminal


def read_keys(written: str) -> tuple[str, ...]:
    """Textual's names of the keys that a person has written with commas between; a comma itself is called comma.

    InputError, which says what is near, for what is no key.
    """
    return tuple(dict.fromkeys(_read(each.strip()) for each in written.split(",")))


def shown_key(key: str) -> str:
    """A key as the app writes it: ^R, F5, Esc, Shift+Tab, ]."""
    *modifiers, name = key.split("+")
    shown = _SHOWN.get(name) or (name.upper() if _FUNCTION.fullmatch(name) else _character(name) or name.capitalize())
    if modifiers == ["ctrl"] and len(name) == 1:
        return f"^{name.upper()}"
    return "+".join([*(each.capitalize() for each in modifiers), shown])


def is_typed(key: str) -> bool:
    """Whether a key writes something where text is typed."""
    character = _written(key)
    return character is not None and character.isprintable()


def one_key(key: str) -> str:
    """The one name of a key that terminals send alike: Ctrl+I is Tab."""
    return _SAME.get(key, key)


def _written(key: str) -> str | None:
    """The character that a key stands for; None where it stands for none."""
    return key_to_character(REPLACED_KEYS.get(key, key))


def _character(name: str) -> str | None:
    character = _written(name)
    return character if character is not None and character.isprintable() and character != " " else None


def _read(written: str) -> str:
    if len(written) == 1:
        return _AS_SHOWN.get(written) or _character_to_key(written)
    if re.fullmatch(r"\^[A-Za-z]", written):
        return f"ctrl+{written[1].lower()}"
    *modifiers, name = re.split(r"(?<=[^+])\+", written)
    modifiers = [each.strip().lower() for each in modifiers]
    name = name.strip()
    if modifiers == ["shift"] and len(name) == 1 and name.isalpha():
        return name.upper()  # what a terminal sends
    key = _character_to_key(name.lower()) if len(name) == 1 else name.lower()
    key = _AS_SHOWN.get(key, key)
    if unknown := next((each for each in modifiers if each not in _MODIFIERS), None):
        raise InputError(f"{unknown!r} of {written!r} is no key to hold down. {did_you_mean(unknown, _MODIFIERS)}")
    if not (key in _NAMED or _FUNCTION.fullmatch(key) or is_typed(key)):
        known = [*_NAMED, *(f"f{i}" for i in range(1, 25)), "comma", "plus", "minus", "full_stop", "slash"]
        raise InputError(
            f"{written!r} is no key; expected one such as f5, r, ctrl+r, space or comma. {did_you_mean(key, known)}"
        )
    return "+".join([*sorted(modifiers, key=_MODIFIERS.index), key])
