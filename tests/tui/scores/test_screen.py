"""The scores screen: table, recovery, spread over prompts, distinct answers, scores on demand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import alignbench
from alignbench.metrics.registry import METRICS
from alignbench.prompts import load_prompts
from alignbench.reports.options import Options
from alignbench.reports.report import build_report
from alignbench.spec import Condition, Context, Model, Sampling
from alignbench.store import Store
from alignbench.tui.scores.screen import ScoresScreen
from alignbench.tui.viewer.screen import ViewerScreen
from alignbench.tui.widgets.bars import Scale, dot_plot, recovery_bar
from alignbench.tui.workbench.column import Column
from alignbench.tui.workbench.metric_rows import rows
from alignbench.tui.workbench.roles import roles
from tests.support.app import (
    ALIGNED,
    BASE,
    SMALL,
    TEXTS,
    WIDE,
    hint_second_column,
    line_with,
    make_app,
    ready,
    sampled,
    screen_text,
    shows,
    until,
)
from tests.support.fakes import FakePool, LetterEmbedder


def place(metric: str) -> int:
    """The row of a score in the table."""
    return next(at for at, row in enumerate(rows()) if row.metric.name == metric)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_table(tmp_path: Path, size: tuple[int, int]) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=size, notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen) and "no value: " in screen_text(app))
        await shows(pilot, "no finished sample of this prompt")
        await pilot.press("escape")
        await sampled(pilot, app)
        await pilot.press("f7")
        await until(pilot, lambda: line_with(app, "▶ words").startswith("▶ words 4.6 ± .5"))
        assert line_with(app, "ceiling") == "ceiling floor"
        assert line_with(app, "exact duplicates") == "exact duplicates, empty 2, 0 2, 0"
        assert line_with(app, "lexical diversity ↑").startswith("lexical diversity ↑ .")
        await shows(pilot, "at matched length")
        await pilot.press("right", *["down"] * place("embedding_similarity"))
        await until(pilot, lambda: "floor ." in line_with(app, "▶ embeddings (cosine)"))
        await until(pilot, lambda: "[" in line_with(app, "B demo-base, similarity by embeddings (cosine): ."))
        assert "the floor MMD² ." in line_with(app, "MMD²")


async def test_matched_length_over_prompts_is_what_the_command_and_the_report_say(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    texts = {
        "demo-aligned": [
            "Tea is warm and calm tonight.",
            "Tea keeps people warm and calm.",
            "Coffee wakes tired people.",
        ],
        "demo-base": ["Rain falls on gardens every night.", "Rain falls on roofs and quiet gardens. It is cold."],
    }
    app = make_app(db, FakePool(texts=texts), LetterEmbedder())
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        await pilot.press("f7", *["down"] * place("jaccard"), "3")
        await until(pilot, lambda: "At matched length" in screen_text(app))
        assert isinstance(app.screen, ScoresScreen)
        assert app.screen._spread is not None
        shown = app.screen._spread[1].tables.matched["demo-base"]["jaccard"]
        line = line_with(app, "At matched length")
    scored = alignbench.score(1, metrics="jaccard", db=db).tables.matched["demo-base"]["jaccard"]
    assert shown.value is not None
    assert shown == scored
    assert f"At matched length {1 - scored.value:.2f}".replace("0.", ".") in line  # type: ignore[operator]
    with Store.open(db) as store:
        tables = build_report(store, 1, Options(("words", "jaccard"), "demo-aligned", None), None, None).scores
    assert tables.matched["demo-base"]["jaccard"] == scored


async def test_entropies_and_the_branching_factor(tmp_path: Path) -> None:
    """The fake draws each token from a distribution of one nat: 1.44 bits, e choices."""
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7", *["down"] * place("branching_factor"))
        await until(pilot, lambda: line_with(app, "▶ branching factor").startswith("▶ branching factor ↑ 2.718 2.718"))
        assert line_with(app, "entropy, as drawn").startswith("entropy, as drawn ↑ 1.443 1.443")
        assert line_with(app, "by position of the token").startswith("by position of the token 1: 2.718")
        await pilot.press("3")
        await shows(pilot, "branching factor ↑, 1 prompt of this session", "2.718")


def test_every_score_has_a_row_and_a_help() -> None:
    listed = {(row.metric.name, row.cross) for row in rows() if not row.judged}
    own = {name: metric for name, metric in METRICS.items() if "judge" not in metric.needs}
    assert listed == {(name, scope == "cross") for name, metric in own.items() for scope in metric.scope}
    assert len({(row.metric.name, row.cross) for row in rows()}) == len(rows())
    assert all(row.on_demand for row in rows() if row.judged), "a judge is asked for"
    for row in rows():
        assert row.metric.meaning in row.help()[0]
        more = "" if row.cross else row.metric.more_diverse
        assert row.arrow == {"": "", "higher": "↑", "lower": "↑" if row.inverted else "↓"}[more]


async def test_recovery_between_its_lines(tmp_path: Path) -> None:
    pool = FakePool(texts={**TEXTS, "other": ["Tea is warm and calm.", "Tea keeps people warm and calm."]})
    models = [ALIGNED, BASE, Model("other", "other", "aligned")]
    app = make_app(tmp_path / "x.db", pool, LetterEmbedder(), models=models)
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7", "2")
        await until(pilot, lambda: "impostor C other" in line_with(app, "impostor"))
        await until(pilot, lambda: "[" in line_with(app, "impostor"))
        assert "recovery" in line_with(app, "impostor")
        assert "sample the reference on another prompt" in line_with(app, "null")
        bar = line_with(app, "floor .")
        assert bar.index("|") < bar.index("C") < bar.index("ceiling ."), bar
        await pilot.press("escape", "right_square_bracket")
        await sampled(pilot, app)
        await pilot.press("f7", "2")
        await until(pilot, lambda: "A* on 1 other prompt ." in line_with(app, "null  "))


async def test_recovery_of_a_hinted_column_and_of_its_versions(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(120, 70), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right")
        hint_second_column(app)
        await sampled(pilot, app)
        await pilot.press("f7", "2")
        await until(pilot, lambda: line_with(app, "the hint itself .").startswith("with source ."))
        assert "its source alone ." in line_with(app, "the hint itself .")
        assert "(recovery" in line_with(app, "the hint itself .")
        await until(pilot, lambda: "[" in line_with(app, "B1 zero-shot"))
        assert line_with(app, "B1 zero-shot").startswith("floor B1 zero-shot .")
        assert "hB ceiling ." in line_with(app, "ceiling .")
        assert "recovery" in line_with(app, "B demo-base")
        await pilot.press("3")
        await until(pilot, lambda: "1 prompt of this session" in screen_text(app))


async def test_the_spread_over_prompts(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        first = app.workbench.bench.prompts[0].text
        await pilot.press("f7", "down", "3")
        await until(pilot, lambda: "lexical diversity ↑, 2 prompts of this session" in screen_text(app))
        await shows(pilot, "◆", first[:30])
        await pilot.press("down")
        await until(pilot, lambda: "lexical diversity, pairs ↑, 2 prompts" in screen_text(app))


async def test_distinct_answers_lead_to_their_samples(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts={"demo-aligned": ["aaa", "zzz", "aaa a"]}), LetterEmbedder())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7", "4")
        await until(pilot, lambda: "A* demo-aligned 2 distinct answers in 5 samples" in line_with(app, "A*"))
        assert line_with(app, "aaa").startswith("▶ 3× █████ #1,3,4")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ViewerScreen))
        assert (app.workbench.bench.cursor, app.workbench.bench.selected) == (1, 0)


async def test_the_app_and_the_command_calibrate_answers_alike(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    app = make_app(db, FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("right_square_bracket")
        await sampled(pilot, app)
        await pilot.press("f7", "4")
        await shows(pilot, "reach it, and 5%")
        assert isinstance(app.screen, ScoresScreen)
        assert app.screen._panel is not None
        shown = app.screen._panel[1].equivalence
    scored = alignbench.score(1, metrics="semantic_classes", embedder="none", db=db)
    assert shown == scored.equivalence
    assert scored.versions["semantic_classes"] == f"1+cosine{shown.cosine:.3f}"


async def test_coverage_runs_on_demand(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7")
        await pilot.press(*["down"] * place("coverage"))
        await until(pilot, lambda: "on demand: o runs it" in line_with(app, "▶ coverage"))
        assert app.screen.check_action("run_score", ())
        await pilot.press("o")
        await until(pilot, lambda: "ceiling ." in line_with(app, "▶ coverage"))
        assert "floor" in line_with(app, "▶ coverage")


async def test_without_a_reference_or_a_column(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        app.workbench.bench.reference = None
        app.workbench.changed()
        await pilot.press("f7", *["down"] * place("embedding_similarity"))
        await until(pilot, lambda: "no value: No column is the" in screen_text(app))
        await pilot.press("2")
        await until(pilot, lambda: "Mark a reference column" in screen_text(app))
        await pilot.press("3")
        await until(pilot, lambda: "No value yet." in screen_text(app))
        await pilot.press("escape", "x", "x", "f7")
        for key in "1234":
            await pilot.press(key)
            await until(pilot, lambda: "There is no column" in screen_text(app))


async def test_embeddings_that_cannot_be_had(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder(broken="no memory"))
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        await sampled(pilot, app)
        await pilot.press("f7", "4")
        await until(pilot, lambda: "5 left out: embeddings failed: no memory" in screen_text(app))
        await pilot.press("1", *["down"] * place("coverage"), "o")
        await until(pilot, lambda: "no memory" in line_with(app, "coverage: no value"))


async def test_contested_prompts_have_no_scores_that_are_blind_to_stance(tmp_path: Path) -> None:
    app = make_app(tmp_path / "x.db", FakePool(texts=TEXTS), LetterEmbedder())
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await ready(pilot, app)
        app.workbench.bench.ask(load_prompts("contested")[0])
        app.workbench.changed()
        await sampled(pilot, app)
        await until(
            pilot,
            lambda: (
                app.workbench.table.within
                and "contested" in app.workbench.table.within["embedding_diversity"][0].reason
            ),
        )
        assert line_with(app, "lexical div.").startswith("lexical div. ↑ .")
        await pilot.press("f7", *["down"] * place("embedding_similarity"))
        await until(pilot, lambda: "no value: the prompt is contested" in screen_text(app))
        assert line_with(app, "embedding diversity").endswith("– –")
        assert "ceiling ." in line_with(app, "words (Jaccard)")
        await pilot.press("4")
        await until(pilot, lambda: "5 left out: the prompt is contested" in screen_text(app))


def test_roles() -> None:
    def column(model: Model, **fields) -> Column:  # type: ignore[no-untyped-def]
        return Column(Condition.zero_shot(model, **fields))

    other = Model("zephyr", "hf:zephyr", "aligned")
    base = column(BASE)
    columns = [
        column(ALIGNED),
        base,
        column(ALIGNED, name="greedy", sampling=Sampling(temperature=0.0)),
        column(ALIGNED, name="warm", sampling=Sampling(temperature=1.2)),
        column(other),
        Column(replace(base.condition, name="in context", context=Context("plain", instruction="Answer."))),
    ]
    column_roles = roles(columns, "demo-aligned")
    assert column_roles.of == ("ceiling", "floor", "greedy", "", "impostor", "")
    assert (column_roles.floor, column_roles.no_floor) == ("demo-base", "")
    again = roles([*columns, column(BASE, name="again", seed=5)], "demo-aligned")
    assert (again.floor, again.no_floor) == (None, "no floor: 2 conditions are base models without a context")
    assert roles(columns, "demo-base").floor is None, "the reference is no floor of its own"
    assert set(roles(columns, None).of) == {""}


def test_the_recovery_bar() -> None:
    bar = recovery_bar(21, {"C": 0.5, "D": 0.5, "E": 1.2}, floor=0.2, ceiling=1.0, null=0.0)
    assert bar.plain == "┊──|════CD═══════|──E".replace("════CD═══════", "====CD=======").replace("=", "═")
    both = recovery_bar(9, {"hC": 1.0, "C1": 0.0}, floor=0.0, ceiling=1.0, null=None)
    assert both.plain == "|C1═══hC|"
    assert recovery_bar(11, {}, floor=0.5, ceiling=0.5, null=None).plain.count("|") == 1
    assert recovery_bar(11, {}, floor=None, ceiling=None, null=None).plain == ""


def test_the_dot_plot_stacks_by_shape() -> None:
    plot = dot_plot([0.0, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0], Scale(0.0, 1.0, 5), mean=0.25, current=None)
    assert plot.plain == "·|:─#"
    assert dot_plot([0.3], Scale(0.3, 0.3, 5), mean=None, current=0.3).plain == "──◆──"
