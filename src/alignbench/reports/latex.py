"""A report's tables in LaTeX, with booktabs: what models and users wrote is escaped, so that it stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from alignbench.display import escaped
from alignbench.reports.contents import Report
from alignbench.reports.section import Section
from alignbench.reports.sections import listed, sections

_HEAD = r"""% Needs \usepackage{booktabs,graphicx}, and for a name that is not in Latin letters LuaLaTeX or XeLaTeX.
% A table that is wider than the line is made smaller."""

_BEGIN = r"""\begin{table}
  \centering\small
  \caption{%s}
  \label{tab:%s}
  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%%
  \begin{tabular}{%s}
    \toprule"""

_END = r"""    \bottomrule
  \end{tabular}}"""

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "--": "-{}-",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "²": r"$^2$", "…": r"\dots{}", "*": r"$^*$",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPES)))
_MINUS = re.compile(r"(?<![^\s\[])-(?=\d)")


def latex(report: Report) -> str:
    """A `table` for each table of the report, and its sentences as a list."""
    lines = [_HEAD]
    for i, section in enumerate(listed(sections(report, by_condition=True)), start=1):
        lines += ["", *(_table(section, i) if section.columns else _list(section))]
    return "\n".join(lines) + "\n"


def _table(section: Section, number: int) -> Iterator[str]:
    yield _BEGIN % (_text(section.title), f"report{number}", "l" + "r" * (len(section.columns) - 1))
    yield _line(section.columns)
    yield r"    \midrule"
    yield from map(_line, section.lines)
    yield _END
    for note in section.notes:
        yield rf"  \par\footnotesize {_text(note)}"
    yield r"\end{table}"


def _list(section: Section) -> Iterator[str]:
    yield rf"\paragraph{{{_text(section.title)}}}"
    yield r"\begin{itemize}"
    yield from (rf"  \item {_text(note)}" for note in section.notes)
    yield r"\end{itemize}"


def _line(cells: Sequence[str]) -> str:
    first, *rest = cells
    indent = r"\quad " if first.startswith(" ") else ""
    return "    " + " & ".join([indent + _text(first), *map(_text, rest)]) + r" \\"


def _text(text: str) -> str:
    """On one line, escaped; the minus of a number is one."""
    pieces = _MINUS.split(" ".join(escaped(text).split()))
    safe = "$-$".join(_SPECIAL.sub(lambda match: _ESCAPES[match[0]], piece) for piece in pieces)
    return f"{{}}{safe}" if safe.startswith("[") else safe  # which would be an option of the line before
