"""A report as text: the formats there are, and which one a file's name asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alignbench.json_text import json_text
from alignbench.reports.contents import Report
from alignbench.reports.latex import latex
from alignbench.reports.markdown import markdown
from alignbench.reports.spreadsheet import spreadsheet
from alignbench.reports.to_json import report_json
from alignbench.store import Store


def _html(store: Store, report: Report) -> str:
    from alignbench.reports.html import html_page  # not before it is used: it loads matplotlib
    from alignbench.reports.samples import shown_samples

    return html_page(report, shown_samples(store, report.session, report.meta.reference))


_WRITERS: dict[str, Callable[[Store, Report], str]] = {
    "json": lambda _, report: json_text(report_json(report)) + "\n",
    "csv": lambda _, report: spreadsheet(report),
    "md": lambda _, report: markdown(report),
    "latex": lambda _, report: latex(report),
    "html": _html,
}
FORMATS = tuple(_WRITERS)


def written(store: Store, report: Report, form: str) -> str:
    """The report of a session of this database in one of `FORMATS`."""
    return _WRITERS[form](store, report)


def form_of(path: Path) -> str:
    """The format that the ending of a file's name asks for; Markdown where it asks for none of them."""
    ending = path.suffix.removeprefix(".")
    return ending if ending in FORMATS else {"htm": "html", "tex": "latex"}.get(ending, "md")
