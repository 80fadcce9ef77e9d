"""A report as Markdown: what models and users wrote is escaped, so that it stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from alignbench.display import visible
from alignbench.reports.contents import Report
from alignbench.reports.numbers import counted
from alignbench.reports.section import Section
from alignbench.reports.sections import listed, sections

# A bracket does nothing until it is followed by another one, which begins the rest of a link.
_ACTIVE = re.compile(r"([\\`*_<>#|~&]|\](?=[(\[:]))")


def markdown(report: Report) -> str:
    """The whole report, ended by a line end."""
    meta = report.meta
    lines = [f"# Session {report.session}: {_text(meta.name)}", ""]
    lines += [f"Reference {_text(str(meta.reference))}, floor {_text(str(meta.floor))}, {meta.mode} mode, "
              f"95% intervals over {counted(meta.prompts, 'prompt')}."]  # fmt: skip
    return "\n".join(lines) + "\n\n" + markdown_sections(sections(report))


def markdown_sections(shown: Iterable[Section]) -> str:
    """Tables and notes below headings, those that have something to show, ended by a line end."""
    parts = []
    for section in listed(shown):
        lines = [f"## {_text(section.title)}", ""]
        if section.columns:
            lines.append(_row(section.columns))
            lines.append(_row(("---",) * len(section.columns), raw=True))
            lines += [_row(row) for row in section.lines]
            lines += [""] if section.notes else []
        lines += [f"- {_text(note)}" for note in section.notes]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _row(cells: tuple[str, ...], *, raw: bool = False) -> str:
    return "| " + " | ".join(cell if raw else _text(cell) for cell in cells) + " |"


def _text(text: str) -> str:
    return _ACTIVE.sub(r"\\\1", " ".join(visible(text).split()))
