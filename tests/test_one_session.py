"""One session has one floor, one held-out figure and one comparison at matched length: in the app, in commands, in
reports, in JSON and from Python."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import alignbench as library
from alignbench.frames import Database
from alignbench.reports.numbers import number
from alignbench.reports.recovery_text import share
from alignbench.scoring.score_tables import CrossEstimate, MatchedEstimate
from alignbench.spec import Condition, Context, Hint, Model
from alignbench.tui.bench.recovery_band import RecoveryBand
from alignbench.tui.scores.screen import ScoresScreen
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.comparison_values import DASH, HELD_OUT
from alignbench.tui.workbench.metric_rows import rows
from tests.support.app import hint_second_column, line_with, make_app, ready, sampled, screen_text, until
from tests.support.commands import alignbench
from tests.support.fakes import FakePool, LetterEmbedder

TEXTS = {
    "demo-aligned": [
        "Rivers carry stones and sand down slowly.",
        "Tea is warm and calm tonight.",
        "Tea keeps people warm and calm.",
    ],
    "demo-base": ["Rain falls on roofs at night.", "Warm rain falls on calm gardens.", "Nothing."],
    "hinted": ["Rivers carry stones down.", "Tea is warm, rivers carry sand.", "Stones and sand lie in rivers."],
}
HINTED = Condition(
    "hinted",
    Model("hinted", "hinted", "base"),
    Context("plain", hint=Hint("keywords", text="rivers, stones, sand", condition="demo-aligned", sample=0)),
)
BAND = ("value", "floor", "ceiling", "recovery")
FIELDS = ("value", "floor", "ceiling", "null", "recovery", "held_out", "source")
SIMILARITY = next(at for at, row in enumerate(rows()) if row.metric.name == "jaccard" and row.cross)


@dataclass(frozen=True)
class Seen:
    """What the app knows and shows of the lexical similarity of the hinted column.

    Attributes:
        over_prompts, matched: Over the prompts of the session.
        of_prompt: Of the prompt on the screen, on the scores screen.
        strip: The same, below the columns, as it is written.
        band: What the band above them is drawn from.
        band_text: The band in words.
        investigated: The view of diversity, over the prompts.
        recovery_line, source_line: Of the second view of the scores screen.
    """

    over_prompts: CrossEstimate
    matched: MatchedEstimate
    of_prompt: CrossEstimate
    strip: str
    band: CrossEstimate
    band_text: str
    investigated: str
    recovery_line: str
    source_line: str


async def seen_in_the_app(db: Path) -> Seen:
    app = make_app(db, FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(140, 70), notifications=True) as pilot:
        await ready(pilot, app)
        bench = app.workbench.bench
        bench.add(Column(HINTED, 3))
        for column in bench.columns:
            bench.change(column, Column(column.condition, 3))
        app.workbench.changed()
        await sampled(pilot, app)
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        table = app.workbench.bench_scores.table(bench)
        at = [metric.key for metric in table.similarities].index("jaccard")
        assert table.cross is not None
        strip = next(one for one in table.comparisons if one.held_out).scores[at].text
        band = app.screen.query_one(RecoveryBand)
        await until(pilot, lambda: band.measures() and "C°, jaccard: ." in str(band.tooltip))
        _, drawn = next(one.estimates[-1] for one in band.measures() if one.label == "jaccard")
        band_text = str(band.tooltip)
        await pilot.press("f7", *["down"] * SIMILARITY, "3")
        await until(pilot, lambda: "2 prompts of this session" in screen_text(app))
        screen = app.screen
        assert isinstance(screen, ScoresScreen)
        assert screen._spread is not None
        tables = screen._spread[1].tables
        await pilot.press("2")
        await until(pilot, lambda: "its source alone" in screen_text(app))
        assert screen._panel is not None
        of_prompt = screen._panel[1].tables.cross["hinted"]["jaccard"]
        lines = line_with(app, "C hinted"), line_with(app, "its source alone")
        await pilot.press("1", *["up"] * len(rows()), *["down"] * own_place("jaccard"), "3")
        await until(pilot, lambda: "At matched length" in screen_text(app))
        matched = screen._spread[1].tables.matched["hinted"]["jaccard"]
        await pilot.press("escape", "I", "2")
        await until(pilot, lambda: "lexical div" in screen_text(app))
        investigated = screen_text(app)
    return Seen(tables.cross["hinted"]["jaccard"], matched, of_prompt, strip, drawn, band_text, investigated, *lines)


def own_place(metric: str) -> int:
    return next(at for at, row in enumerate(rows()) if row.metric.name == metric and not row.cross)


@pytest.mark.extras
async def test_the_app_commands_and_reports_name_the_same_numbers(tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    seen = await seen_in_the_app(db)
    own = library.score(1, metrics="jaccard", db=db).tables
    entry, matched = own.cross["hinted"]["jaccard"], own.matched["hinted"]["jaccard"]
    assert entry.with_source is not None
    assert entry.source is not None
    assert entry.with_source.value is not None
    assert entry.value is not None
    assert entry.source > entry.with_source.value > entry.value, "the context tells of its source"
    assert entry.floor != entry.with_source.floor, "and the floor is taken against what is held out"

    # The app, over prompts and of the one on the screen.
    assert numbers(seen.over_prompts) == numbers(entry)
    assert numbers(seen.over_prompts.with_source) == numbers(entry.with_source)
    assert seen.matched == matched
    assert seen.strip == short(seen.of_prompt.value)
    of_band, of_panel = ([getattr(one, field) for field in BAND] for one in (seen.band, seen.of_prompt))
    assert of_band == pytest.approx(of_panel)
    assert seen.band.gap_ci == pytest.approx(seen.of_prompt.gap_ci)
    said = f"C°, jaccard: {short(seen.of_prompt.value)} of floor {short(seen.of_prompt.floor)}, "
    assert f"{said}ceiling {short(seen.of_prompt.ceiling)}; recovery {share(seen.of_prompt)}" in seen.band_text
    assert seen.recovery_line.startswith(f"C hinted {short(seen.of_prompt.value)}°")
    assert f"recovery {share(seen.of_prompt)}" in seen.recovery_line
    whole = seen.of_prompt.with_source
    assert whole is not None
    assert seen.source_line.startswith(f"with source {short(whole.value)} (recovery {share(whole)})")

    # JSON of a command and of a report.
    asked = ("--db", str(db))
    scored = read("score", "--session", "1", "--metrics", "jaccard", "--json", *asked)
    reported = read("report", "1", "--metrics", "jaccard", "--format", "json", *asked)
    for tables in (scored, reported):
        assert tables["meta"]["floor"] == "demo-base"
        cross = tables["cross"]["hinted"]["jaccard"]
        assert [cross[field] for field in FIELDS] == numbers(entry)
        assert [cross["with_source"][field] for field in FIELDS[:5]] == numbers(entry.with_source)[:5]
        assert tables["cross"]["demo-base"]["jaccard"]["with_source"] is None
        assert tables["matched"]["hinted"]["jaccard"]["difference"] == matched.difference.value
    assert scored["matched"] == reported["matched"]

    # The same number of digits wherever people read them.
    for metric in ("jaccard", "words"):
        score = scored_within(db, metric)
        text = number(1.0 - score if metric == "jaccard" else score, 3 if metric == "jaccard" else 1)
        assert text.removeprefix("0") in seen.investigated, (metric, text)

    # Tables for people, for spreadsheets and for Python.
    line = table_line(alignbench("score", "--session", "1", "--metrics", "jaccard", *asked).stdout, "hinted, held out")
    assert number(entry.value) in line
    assert share(entry) in line
    line = table_line(alignbench("report", "1", "--metrics", "jaccard", *asked).stdout, "hinted (held out)")
    assert {number(entry.value), number(entry.floor or 0.0), number(entry.with_source.value)} <= set(line.split())
    spreadsheet = alignbench("report", "1", "--metrics", "jaccard", "--format", "csv", *asked).stdout
    row = next(
        row
        for row in csv.DictReader(io.StringIO(spreadsheet))
        if (row["table"], row["condition"], row["metric"]) == ("cross", "hinted", "jaccard")
    )
    assert [float(row[field]) for field in FIELDS] == numbers(entry)
    assert float(row["with_source"]) == entry.with_source.value
    pytest.importorskip("pandas")
    frame = Database(db).session(1).scores(["jaccard"])
    of_frame = frame[(frame.table == "cross") & (frame.condition == "hinted")].iloc[0]
    assert [of_frame[field] for field in FIELDS] == pytest.approx(numbers(entry))
    assert of_frame.with_source == entry.with_source.value


def scored_within(db: Path, metric: str) -> float:
    value = library.score(1, metrics=metric, db=db).tables.within["hinted"][metric].value
    assert value is not None
    return value


def numbers(entry: CrossEstimate | None) -> list[float | None]:
    return [getattr(entry, field) for field in FIELDS]


def short(value: float | None) -> str:
    return "" if value is None else number(value).lstrip("0")


def read(*arguments: str) -> Any:
    ran = alignbench(*arguments)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def table_line(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if name in line)


async def test_the_band_and_the_list_below_it_show_one_floor_and_one_ceiling(tmp_path: Path) -> None:
    """Also where what is compared is made from samples of the reference, which are held out of it."""
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(120, 45), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        hint_second_column(app)
        await sampled(pilot, app)

        def on_band(metric: str) -> list[str]:
            words = line_with(app, f" {metric:<9}floor ").split()
            return [words[words.index("floor") + 1], words[words.index("ceiling") - 1]] if words else []

        def in_list(at: int) -> list[str]:
            numbers = [re.findall(r"\s(\.\d{3})\s", line_with(app, row)) for row in ("floor B1", "ceiling A-A")]
            return [found[-2:][at] for found in numbers if len(found) > 1]

        for at, metric in enumerate(("jaccard", "cosine")):
            await until(pilot, lambda metric=metric: on_band(metric) and DASH not in on_band(metric))
            await until(pilot, lambda at=at: len(in_list(at)) == 2)
            assert on_band(metric) == in_list(at)
        assert HELD_OUT in screen_text(app)
