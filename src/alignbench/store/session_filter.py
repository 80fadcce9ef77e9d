"""Sessions that are looked for by their names, tags and models."""

from __future__ import annotations

from alignbench.store.rows import SessionInfo


def matches(info: SessionInfo, text: str) -> bool:
    """Whether every word of a text is part of a session's name, of a tag or of a model, whatever its case. A word with #
    before it is part of a tag."""
    tags = [tag.casefold() for tag in info.tags]
    everything = [info.name.casefold(), *tags, *map(str.casefold, info.models)]
    words = text.casefold().split()
    return all(
        any(word.removeprefix("#") in each for each in (tags if word[0] == "#" else everything)) for word in words
    )
