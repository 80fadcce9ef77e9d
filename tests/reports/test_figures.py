"""The figures of a report: which there are, that they are files, and that a name is only a name in them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from alignbench.errors import AlignbenchError
from alignbench.reports import plotting
from alignbench.reports.figures import figures, write_figures
from alignbench.store import Store
from tests.support.reported import grade, report


def test_a_report_has_the_figures_that_it_has_numbers_for(store: Store) -> None:
    assert [figure.name for figure in figures(report(store))] == ["diversity", "recovery"]
    assert figures(report(store, metrics=("surprisal",))) == []
    grade(store)
    all_figures = figures(report(store, investigation="all", temperatures=(0.7, 1.0)))
    assert [figure.name for figure in all_figures] == [
        "diversity",
        "recovery",
        "gate",
        "coverage",
        "frontier",
        "matrix",
    ]
    ids = [id for figure in all_figures for id in re.findall(r'\bid="([^"]+)"', figure.svg())]
    assert len(ids) == len(set(ids))


def test_they_are_written_as_png_and_svg_and_twice_alike(store: Store, tmp_path: Path) -> None:
    session_report = report(store)
    files = write_figures(session_report, tmp_path / "new" / "figures")
    assert [file.name for file in files] == ["diversity.svg", "diversity.png", "recovery.svg", "recovery.png"]
    for file in files:
        if file.suffix == ".svg":
            assert ElementTree.parse(file).getroot().tag.endswith("svg")
        else:
            assert file.read_bytes().startswith(b"\x89PNG")
    before = files[0].read_bytes()
    write_figures(session_report, tmp_path / "new" / "figures")
    assert files[0].read_bytes() == before
    (tmp_path / "file").write_text("")
    with pytest.raises(AlignbenchError, match="file cannot be written"):
        write_figures(session_report, tmp_path / "file")


def test_a_name_is_no_markup_and_no_formula(store: Store) -> None:
    store.rename_condition(1, "raw", "$\\frac{$ <b>&\x1b\u202e")
    drawn = [figure.svg() for figure in figures(report(store, floor=None))]
    assert all(ElementTree.fromstring(text) is not None for text in drawn)
    assert not any("\x1b" in text or "\u202e" in text for text in drawn)


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "alignbench.reports.plotting")
    with pytest.raises(AlignbenchError, match=r"pip install 'alignbench\[report\]'"):
        import alignbench.reports.plotting  # noqa: F401


def test_numbers_beside_a_logarithmic_axis_are_plain() -> None:
    said: list[str] = []

    def draw(panels: Sequence[plotting.Axes]) -> None:
        panels[0].plot([1, 2], [13.4, 1.9])
        plotting.log_scale(panels[0])
        axis = panels[0].yaxis
        axis.set_view_interval(1.9, 13.4)
        said.extend(axis.get_minor_formatter().format_ticks([2.0, 3.0]))
        said.extend(axis.get_major_formatter().format_ticks([1.0, 10.0]))

    assert plotting.png(draw, panels=1, height=2)
    assert said == ["2", "3", "1", "10"]
