"""Sessions that are looked for by their names, tags and models."""

from __future__ import annotations

from alignbench.store.rows import SessionInfo


def matches(info: SessionInfo, text: str) -> bool:
    """Whether every word of a text is part of a session's name, of a tag or of a model, whatever its case. A word with
    "#" before it is part of a tag."""
    tags = [tag.casefold() for tag in info.tags]
    everything = [info.name.casefold(), *tags, *map(str.casefold, info.models)]

    def is_there(word: str) -> bool:
        places = tags if word.startswith("#") else everything
        return any(word.removeprefix("#") in place for place in places)

    return all(map(is_there, text.casefold().split()))
