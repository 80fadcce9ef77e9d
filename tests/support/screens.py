"""Every screen of the app: how it is opened from the Bench, and the way back."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from alignbench.tui.app import BenchApp
from tests.support.app import bench_of, until

# The keys that open each screen from the Bench, its second column selected: a new screen belongs here.
OPENED_BY = {
    "AuditScreen": ["f9"],
    "ComparisonScreen": ["f8", "space", "down", "c"],
    "ConditionScreen": ["f3"],
    "ConfirmScreen": ["f8", "d"],
    "EditorScreen": ["e"],
    "ExampleScreen": ["f4", "a"],
    "ExamplesScreen": ["f4"],
    "ExportScreen": ["f8", "x"],
    "HelpScreen": ["f1"],
    "HintScreen": ["f6"],
    "InvestigationScreen": ["I"],
    "LabelScreen": ["f8", "l"],
    "LedgerScreen": ["g"],
    "LineScreen": ["f8", "r"],
    "NotesScreen": ["n"],
    "PromptsScreen": ["f2"],
    "ReportScreen": ["f8", "o"],
    "SampleScreen": ["S"],
    "SaveScreen": ["w"],
    "ScoresScreen": ["f7"],
    "SearchScreen": ["f8", "slash"],
    "SessionsScreen": ["f8"],
    "SetsScreen": ["f4", "f2"],
    "SurveyScreen": ["o"],
    "VersionsScreen": ["v"],
    "ViewerScreen": ["enter"],
}


EARLY = ("x", "d", "r", "x")  # keys that on the Bench would take a column away, double one, and sample


async def left(pilot: Pilot[Any], app: BenchApp) -> None:
    """Close what is open over the Bench."""
    while app.screen is not bench_of(app):
        app.screen.dismiss(None)
        await until(pilot, lambda: app.keys.idle)
        await pilot.pause()
