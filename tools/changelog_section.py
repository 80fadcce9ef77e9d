"""The section of CHANGELOG.md of one version: `python tools/changelog_section.py v0.1.0`.

Writes what stands below `## [0.1.0]` up to the next heading of its kind, the notes of a release. Ends with 1 and one
line where the tag is not v and the version of pyproject.toml, or where the section is not there or is empty.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def section(changelog: str, version: str) -> str:
    """What a changelog says of a version, without its heading; empty where it says nothing."""
    found = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |^\[[^\]\n]+\]:|\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found else ""


def notes(tag: str, changelog: str, pyproject: str) -> str:
    """The notes of the release that a tag is for. ValueError where it cannot be one."""
    version = tomllib.loads(pyproject)["project"]["version"]
    if tag != f"v{version}":
        raise ValueError(f"The tag is {tag}, and pyproject.toml has version {version}; expected the tag v{version}.")
    if not (said := section(changelog, version)):
        raise ValueError(f"CHANGELOG.md has no section ## [{version}] with anything in it.")
    return said


def main() -> int:
    tag = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        print(notes(tag, *((ROOT / name).read_text("utf-8") for name in ("CHANGELOG.md", "pyproject.toml"))))
    except ValueError as error:
        print(f"changelog: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
