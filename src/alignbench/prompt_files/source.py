"""What names prompts: a set that ships, a file, or a data set, and which of its fields are meant.

questions.csv                                   a file, or a set that ships
questions.csv?field=question&id=qid             with its fields, and perhaps values=FILE.csv
dataset:org/name?split=test&field=question      a data set of a hub; perhaps config, revision
dataset:/folder?split=train                     a folder or a file that datasets loads; or ./folder, ~/folder

A file that is there as it is written, with its question mark, is that file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote

from alignbench.errors import InputError, did_you_mean
from alignbench.textfiles import home_expanded

DATASET = "dataset:"
_OF_FILES = ("field", "id", "values")
_OF_DATASETS = ("split", "config", "revision", *_OF_FILES)


@dataclass(frozen=True, slots=True)
class PromptSource:
    """Where prompts are.

    Attributes:
        location: a name, a path, or what follows `dataset:`
        is_dataset: whether the package datasets reads it
        field, id: names of the fields that hold prompt and id; empty: the usual ones
        values: a CSV file for the variables of the prompts; a relative path starts at the folder of the prompt file
        split, config, revision: of a data set, empty where nobody says
    """

    location: str
    is_dataset: bool = False
    field: str = ""
    id: str = ""
    values: str = ""
    split: str = ""
    config: str = ""
    revision: str = ""

    def __str__(self) -> str:
        given = [(each.name, getattr(self, each.name)) for each in fields(self)[2:]]
        query = "&".join(f"{name}={quote(value, safe='/:[]%~ ')}" for name, value in given if value)
        return f"{DATASET * self.is_dataset}{self.location}{'?' * bool(query)}{query}"

    @property
    def name(self) -> str:
        """What the set is called: its file's name, or the data set's."""
        return Path(self.location).stem if not self.is_dataset else Path(self.location).name

    @property
    def is_local(self) -> bool:
        """Whether it is a path of this machine, not a data set of a hub."""
        return not self.is_dataset or self.location.startswith(("/", "~", "."))

    def values_path(self) -> Path | None:
        """The file of values; None where there is none."""
        if not self.values:
            return None
        folder = Path() if self.is_dataset else home_expanded(self.location).parent
        return folder / home_expanded(self.values)

    def within(self, folder: Path) -> PromptSource:
        """The same, where a relative path starts at a folder."""
        if not self.is_local:
            return self
        return replace(self, location=str(folder / home_expanded(self.location)))


def source_in(folder: Path, text: str) -> PromptSource:
    """The source that a text names in a file of this folder, at which relative paths start. InputError as below."""
    if os.path.lexists(folder / text):
        return PromptSource(str(folder / text))
    return parse_prompt_source(text).within(folder)


def set_path_of(text: str) -> Path:
    """The path of a prompt set's file, or the name of a data set, as people call it."""
    return Path(text.removeprefix(DATASET).partition("?")[0])


def parse_prompt_source(text: str) -> PromptSource:
    """The source that a text names. InputError for a part of it that means nothing, or stands there twice."""
    is_dataset = text.startswith(DATASET)
    place = text.removeprefix(DATASET)
    if not is_dataset and os.path.lexists(os.path.expanduser(place)):
        return PromptSource(place)
    location, _, query = place.rpartition("?") if "?" in place.rstrip("?") else (place, "", "")
    if not query:
        location = place
    if is_dataset and not location.strip():
        raise InputError(f"{text!r} names no data set; expected {DATASET}org/name?split=test&field=question.")
    known = _OF_DATASETS if is_dataset else _OF_FILES
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise InputError(f"{text}: unknown part {name!r} after the question mark. {did_you_mean(name, known)}")
        if name in given:
            raise InputError(f"{text}: {name} is there twice; expected it once.")
        if not value.strip() or "\0" in value:
            what = "has a NUL character" if value.strip() else "is empty"
            raise InputError(f"{text}: {name} {what}; expected {name}=SOMETHING.")
        given[name] = value
    return PromptSource(location, is_dataset, **given)
