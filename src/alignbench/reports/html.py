"""A report as one HTML file that needs nothing else: figures inlined, tables that sort, samples side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from alignbench.display import visible
from alignbench.reports.contents import Report
from alignbench.reports.figures import figures
from alignbench.reports.samples import SamplesPage
from alignbench.reports.section import Section
from alignbench.reports.sections import FINDINGS, listed, sections
from alignbench.reports.to_json import report_json

SHORT = 40  # characters of a cell that is not wrapped

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _GroupedTable:
    """A section whose rows are in groups: a row that continues the one above moves with it when the table is sorted."""

    anchor: str
    section: Section
    groups: tuple[Rows, ...]


def html_page(report: Report, samples: SamplesPage) -> str:
    """The page. Every text in it is escaped, and what cannot be seen is made visible."""
    shown = listed(section for section in sections(report, by_condition=True) if section.title != FINDINGS)
    record = report_json(report)
    tables = [_GroupedTable(f"t{i}", section, tuple(_groups(section.rows))) for i, section in enumerate(shown)]
    return _template().render(
        report=record,
        meta=record["meta"],
        findings=record.get("investigation", {}).get("findings", ()),
        figures=[(figure, Markup(figure.svg())) for figure in figures(report)],
        tables=tables,
        samples=samples,
        settings=[*_settings(record["meta"])],
    )


def _groups(rows: Sequence[tuple[str, ...]]) -> Iterator[Rows]:
    group: list[tuple[str, ...]] = []
    for row in rows:
        if group and row[0].strip() and not row[0].startswith(" "):
            yield tuple(group)
            group = []
        group.append(row)
    if group:
        yield tuple(group)


def _settings(meta: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the numbers were made with: names and values, the latter as texts or JSON."""
    shown = ("mode", "embedder", "bootstrap", "metrics", "judges", "conditions", "manifest")
    for name in shown:
        if value := meta.get(name):
            yield name, value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("alignbench.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.tests["short"] = lambda cell: max(map(len, cell.split("\n"))) <= SHORT
    return environment.get_template("report.html.j2")


def _shown(value: Any) -> Any:
    """What an expression of the template comes to; figures are markup already."""
    return value if isinstance(value, Markup) else escape(visible(str(value)))
