"""The tables of a calibration in a Markdown page, between two marks, so that they can be made anew."""

from __future__ import annotations

import re

from alignbench.calibration.sections import calibration_sections
from alignbench.calibration.tally import Calibration
from alignbench.reports.markdown import markdown_sections

START, END = "<!-- made by alignbench calibrate -->", "<!-- end -->"
_BETWEEN = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)


def page(calibration: Calibration, before: str = "") -> str:
    """The page as it was before with new tables in place of the old ones; the tables alone where it has no marks."""
    tables = f"{START}\n\n{markdown_sections(calibration_sections(calibration))}\n{END}"
    if _BETWEEN.search(before):
        return _BETWEEN.sub(lambda _: tables, before, count=1)
    return f"{tables}\n"
