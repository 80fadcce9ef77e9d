"""Where alignment moved a response, token by token: its rank under the base model (Lin et al. 2023)."""

from __future__ import annotations

import json
import math
from collections import Counter

from textual.content import Content

from alignbench.display import visible
from alignbench.engines.protocol import Scored
from alignbench.metrics.likelihood import likelihood, token_shift
from alignbench.tui.styled import DIM
from alignbench.tui.text import bar, cells, number, padded
from alignbench.tui.widgets.marked_pane import StyledRun

_STYLES = {"unshifted": "plain", "marginal": "marginal", "shifted": "shifted"}


def token_runs(scored: Scored, cursor: int) -> tuple[StyledRun, ...]:
    """A run a token; line breaks are shown as what they are."""
    return tuple(
        StyledRun(_piece(piece, at == cursor), _STYLES[token_shift(int(rank))])
        for at, (piece, rank) in enumerate(zip(scored.pieces, scored.rank, strict=True))
    )


def _piece(piece: str, chosen: bool) -> str:
    text = piece.replace("\n", "⏎\n") or "∅"
    if not chosen:
        return text
    return f"▸{text[1:]}" if text.startswith(" ") and len(text) > 1 else f"▸{text}"


def shift_said(scored: Scored, text: str, who: str) -> str:
    """Totals, in words."""
    total = likelihood(scored.logprob, text)
    if total is None:
        return f"An empty response has no tokens under {who}."
    n, counts = total.n_tokens, Counter(map(token_shift, scored.rank.tolist()))
    return (
        f"{counts['unshifted'] / n:.0%} unshifted  {counts['marginal'] / n:.0%} marginal (underlined)  "
        f"{counts['shifted'] / n:.0%} shifted (reversed)  "
        f"of {n} tokens, {total.bits_per_byte:.2f} bits per byte under {who}"
    )


def alternatives(scored: Scored, at: int, who: str, rows: bool, width: int) -> list[Content]:
    """The token under the cursor and what the base model would rather have said.

    Args:
        scored: The response under the base model.
        at: Place of the token.
        who: What the base model is called.
        rows: Whether each stands on a line; else as many as fit stand on one.
        width: Cells of a line.
    """
    rank, logprob = int(scored.rank[at]), float(scored.logprob[at])
    head = (
        f"token {at + 1} of {len(scored.ids)}  {_quoted(scored.pieces[at])}  rank {rank}: {token_shift(rank)}   "
        f"p {_probability(logprob)}  ({-logprob / math.log(2):.1f} bits)"
    )
    likelier = [
        (_quoted(piece), float(value))
        for piece, value in zip(scored.top_pieces[at], scored.top_logprob[at], strict=True)
    ]
    lines = [Content.styled(head, "bold")]
    if rows:
        wide = min(28, max((cells(piece) for piece, _ in likelier), default=0))
        return [
            *lines,
            Content.styled(f"{who} would say", DIM),
            *(
                Content(f" {i}  {padded(piece, wide)}  {_probability(value):>5}  {bar(math.exp(value), 20)}")
                for i, (piece, value) in enumerate(likelier, start=1)
            ),
        ]
    flow = [f"{who} would say"]
    for i, (piece, value) in enumerate(likelier, start=1):
        unit = f"{i} {piece} {_probability(value)}"
        if cells(flow[-1]) + 3 + cells(unit) <= width:
            flow[-1] += f"   {unit}"
        else:
            flow.append(f"  {unit}")
    return [*lines, *map(Content, flow)]


def _quoted(piece: str) -> str:
    """A piece between quotes, on one line, spaces and what cannot be seen included."""
    return visible(json.dumps(piece, ensure_ascii=False).replace("\\n", "⏎"))


def _probability(logprob: float) -> str:
    p = math.exp(logprob)
    return number(p, 2) if p >= 0.005 else f"{p:.0e}"
