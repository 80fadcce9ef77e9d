"""The release's notes come from the changelog, and no version is released without any."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from alignbench import __version__
from tools.changelog_section import notes, section

ROOT = Path(__file__).parents[1]
CHANGELOG = """# Changelog

## [Unreleased]

- New.

## [0.2.0] - 2026-12-01

### Added

- Two.

## [0.1.0]

- One.

[0.1.0]: place
"""
PYPROJECT = '[project]\nversion = "0.2.0"\n'


def test_the_section_of_a_version() -> None:
    assert section(CHANGELOG, "0.2.0") == "### Added\n\n- Two."
    assert section(CHANGELOG, "0.1.0") == "- One."
    assert section(CHANGELOG, "0.2") == section(CHANGELOG, "0x1x0") == ""
    assert notes("v0.2.0", CHANGELOG, PYPROJECT) == "### Added\n\n- Two."


@pytest.mark.parametrize(
    ("tag", "changelog", "words"),
    [
        ("v0.1.0", CHANGELOG, "expected the tag v0.2.0"),
        ("0.2.0", CHANGELOG, "expected the tag v0.2.0"),
        ("", CHANGELOG, "expected the tag v0.2.0"),
        ("v0.2.0", "# Changelog\n", "no section"),
        ("v0.2.0", "## [0.2.0]\n\n## [0.1.0]\n\n- One.\n", "no section"),
    ],
)
def test_what_is_no_release(tag: str, changelog: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        notes(tag, changelog, PYPROJECT)


def test_this_version_can_be_released() -> None:
    changelog, pyproject = ((ROOT / name).read_text("utf-8") for name in ("CHANGELOG.md", "pyproject.toml"))
    assert tomllib.loads(pyproject)["project"]["version"] == __version__
    assert notes(f"v{__version__}", changelog, pyproject)
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
