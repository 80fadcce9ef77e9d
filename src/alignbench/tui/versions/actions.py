"""What the keys of the list of versions do."""

from __future__ import annotations

from dataclasses import replace

from alignbench.tui.action import Action, accepting

VERSIONS = (
    replace(accepting("pick", "use", "Put this version on the Bench."), title="use version"),
    Action("back", "escape,v,q", "Esc", "back", "Leave the version that is on the Bench.", footer=True),
    Action(
        "mark", "space", "Space", "compare", "Compare the others with this version.", footer=True, title="compare with"
    ),
    Action("up", "up,k", "↑", "up", "The version above."),
    Action("down", "down,j", "↓", "down", "The version below."),
    Action("first", "home", "Home", "first", "The first version."),
    Action("last", "end", "End", "last", "The newest version."),
)
