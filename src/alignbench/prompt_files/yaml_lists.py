"""YAML files with a list of prompts, or `prompts:` above one: values as JSON has them, and nothing is made of tags.

Items are read one at a time. An alias stands for what its anchor has, as far as an item stays small.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from alignbench.errors import InputError
from alignbench.parsing import MAX_DEPTH
from alignbench.prompt_files.json_lists import LIST, no_list
from alignbench.textfiles import read_utf8

MOST_VALUES = 10_000  # in one item, aliases written out

_TAG = "tag:yaml.org,2002:"
_EXPECTED = f"a list of texts or of mappings with prompt:, perhaps under {LIST}:"


class _Bad(Exception):
    """What is wrong with a node, and where it stands."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node


_Parser: Any = getattr(yaml, "CParser", None)
_BASES: Any = (_Parser, Composer, SafeConstructor, Resolver) if _Parser else (yaml.SafeLoader,)


def _loader(text: str) -> Any:
    """Events, nodes of them, and values of scalars; by libyaml where it is there."""
    loader = _LOADER(text) if _Parser is None else _LOADER.__new__(_LOADER, text)
    if _Parser is not None:
        _Parser.__init__(loader, text)
        for base in _BASES[1:]:
            base.__init__(loader)
    return loader


_LOADER: Any = type("_Loader", _BASES, {})


def read_yaml(path: Path) -> Iterator[tuple[str, object]]:
    """The items of a file's list, each with its place. InputError, naming file and line, where there is none."""
    text = read_utf8(path)
    try:
        loader = _loader(text)
        yield from _items(path, loader)
    except _Bad as bad:
        raise InputError(f"{path}, line {bad.node.start_mark.line + 1}: {bad}.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        quotes = " A text with a question mark, in braces or brackets, needs quotes." if "got '?'" in str(error) else ""
        raise InputError(f"{path}{line}: not YAML: {error.problem or error}.{quotes}") from None
    except yaml.YAMLError as error:  # a character that YAML has not
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise InputError(f"{path}: not YAML that can be read: it is nested more than {MAX_DEPTH} deep.") from None


def _items(path: Path, loader: Any) -> Iterator[tuple[str, object]]:
    loader.get_event()  # the stream's start
    if loader.check_event(yaml.StreamEndEvent):
        return
    loader.get_event()
    if loader.check_event(yaml.SequenceStartEvent):
        yield from _elements(loader)
    elif loader.check_event(yaml.MappingStartEvent):
        loader.get_event()
        names: list[str] = []
        other: object = None
        while not loader.check_event(yaml.MappingEndEvent):
            key = _key(loader.compose_node(None, None), names)
            names.append(key)
            if key == LIST and loader.check_event(yaml.SequenceStartEvent):
                yield from _elements(loader)
                other = names
            else:
                value = _value(loader, loader.compose_node(None, None), _Budget())
                other = value if key == LIST else other
        if other is not names:
            raise InputError(f"{path}{no_list(other, tuple(names))}")
        loader.get_event()
    else:
        node = loader.compose_node(None, None)
        if node.value == "" or node.tag == f"{_TAG}null":
            return
        raise _Bad(node, f"a single value; expected {_EXPECTED}")
    loader.get_event()  # the document's end
    if not loader.check_event(yaml.StreamEndEvent):
        raise InputError(f"{path} has several documents (---); expected one.")


def _elements(loader: Any) -> Iterator[tuple[str, object]]:
    loader.get_event()
    number = 0
    while not loader.check_event(yaml.SequenceEndEvent):
        number += 1
        node = loader.compose_node(None, None)
        yield f"item {number} (line {node.start_mark.line + 1})", _item(loader, node)
    loader.get_event()


def _item(loader: Any, node: Node) -> object:
    """The value of an item. Where a text is expected, what YAML takes for something else is named as it is written."""
    value = _value(loader, node, _Budget())
    if isinstance(node, ScalarNode) and not isinstance(value, str):
        raise _Bad(node, _no_text(node, value))
    if isinstance(node, MappingNode) and isinstance(value, dict):
        for key, inner in node.value:
            if key.value in ("prompt", "text", "content", "id") and isinstance(inner, ScalarNode):
                read = value.get(key.value)
                if key.value == "id" and isinstance(read, int) and not isinstance(read, bool):
                    value["id"] = inner.value  # 007 and 12:30 are numbers to YAML
                elif not isinstance(read, str) and not (key.value == "id" and read is None):
                    raise _Bad(inner, f'field "{key.value}": {_no_text(inner, read)}')
    return value


def _no_text(node: ScalarNode, value: object) -> str:
    if value is None:
        return "null; expected a text"
    what = "true" if value is True else "false" if value is False else "a number"
    return f'{node.value}, which YAML reads as {what}; expected a text, here in quotes: "{node.value}"'


class _Budget:
    """How many values an item may have yet."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def spend(self, node: Node) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Bad(node, f"an item with more than {MOST_VALUES:,} values, aliases written out")


def _value(loader: Any, node: Node, budget: _Budget, depth: int = 0) -> Any:
    budget.spend(node)
    if depth > MAX_DEPTH:
        raise _Bad(node, f"nested more than {MAX_DEPTH} deep, or in itself")
    tag = node.tag.removeprefix(_TAG)
    if isinstance(node, ScalarNode):
        return _scalar(loader, node, tag)
    if isinstance(node, SequenceNode) and tag == "seq":
        return [_value(loader, each, budget, depth + 1) for each in node.value]
    if isinstance(node, MappingNode) and tag == "map":
        values: dict[str, Any] = {}
        for key, inner in node.value:
            values[_key(key, values)] = _value(loader, inner, budget, depth + 1)
        return values
    raise _Bad(node, f"the tag {node.tag}; expected values without tags")


def _key(node: Node, names: Collection[str]) -> str:
    """The name that a node is, which is none of these yet."""
    if isinstance(node, ScalarNode) and node.tag == f"{_TAG}merge":
        raise _Bad(node, "a merge key (<<); expected the fields written out")
    if not isinstance(node, ScalarNode):
        raise _Bad(node, "a key that is a list or a mapping; a text that begins with [ or { needs quotes")
    if node.tag != f"{_TAG}str":
        raise _Bad(node, f'the key {node.value} is no text to YAML; expected one, such as "{node.value}"')
    if node.value in names:
        raise _Bad(node, f"the key {node.value!r} is there twice; expected it once")
    return str(node.value)


def _scalar(loader: Any, node: ScalarNode, tag: str) -> object:
    try:
        match tag:
            case "str" | "timestamp" | "value":
                return node.value  # a date is what is written
            case "null":
                return None
            case "bool":
                return bool(loader.construct_yaml_bool(node))
            case "int":
                return int(loader.construct_yaml_int(node))
            case "float":
                number = float(loader.construct_yaml_float(node))
                if math.isfinite(number):
                    return number
                raise _Bad(node, f"{node.value} is a number that JSON has not")
    except (ValueError, OverflowError, KeyError, ConstructorError):
        raise _Bad(node, f"{node.value[:40]!r} cannot be read as {node.tag}") from None
    raise _Bad(node, f"the tag {node.tag}; expected values without tags")
