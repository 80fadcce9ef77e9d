"""What an embedding model wants written before its texts, as its folder says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignbench.parsing import parse_json

_DOCUMENTS = ("document", "passage")
_E5 = re.compile(r"(?:^|[/_.-])e5(?:[_.-]|$)", re.IGNORECASE)
_INSTRUCTED = re.compile(r"instruct|mistral", re.IGNORECASE)
_E5_SYMMETRIC = "query: "  # both sides of a comparison of like with like: Wang et al. 2022, arXiv 2212.03533


@dataclass(frozen=True, slots=True)
class TextPrefixes:
    """What stands before a text that is embedded.

    Attributes:
        query, document: of a text that is looked for and of one that is looked among; empty for nothing
        why_unknown: why they cannot be told, of a model that asks for some; empty where they can
    """

    query: str = ""
    document: str = ""
    why_unknown: str = ""


def text_prefixes(folder: Path) -> TextPrefixes:
    """Those of a sentence-transformers folder.

    They are the `prompts` of its config_sentence_transformers.json: the default one, else `query` and `document` (or
    `passage`). Models of the e5 family were trained with prefixes and mostly name none in their folders.
    """
    config = _object(folder / "config_sentence_transformers.json")
    prompts = config.get("prompts")
    named = {k: v for k, v in prompts.items() if isinstance(v, str) and v} if isinstance(prompts, dict) else {}
    if (default := named.get(str(config.get("default_prompt_name")))) is not None:
        return TextPrefixes(default, default)
    if not named.keys().isdisjoint(("query", *_DOCUMENTS)):
        return TextPrefixes(named.get("query", ""), next((named[k] for k in _DOCUMENTS if k in named), ""))
    names = (folder.name, *(part for part in folder.parts[-3:] if part.startswith("models--")))
    family = " ".join((*names, str(_object(folder / "config.json").get("_name_or_path", ""))))
    if named:
        return TextPrefixes(why_unknown=f"it has prompts for tasks ({', '.join(sorted(named))}), none of them for all")
    if not any(_E5.search(name) for name in family.split()):
        return TextPrefixes()
    if _INSTRUCTED.search(family):
        return TextPrefixes(why_unknown="models of the e5 family that follow instructions want one before each query")
    return TextPrefixes(_E5_SYMMETRIC, _E5_SYMMETRIC)


def _object(path: Path) -> Mapping[str, Any]:
    """The JSON object of a file; nothing where there is none to read."""
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
