"""The columns of the Bench side by side."""

from __future__ import annotations

import asyncio

from textual import work
from textual.containers import Horizontal
from textual.content import Content

from alignbench.tui.bench.column import EDGES, ColumnView
from alignbench.tui.bench.column_head import foot
from alignbench.tui.bench.column_window import ColumnWindow, window
from alignbench.tui.sizes import side_by_side
from alignbench.tui.workbench.confounds import confound_mark
from alignbench.tui.workbench.controller import Workbench


class ColumnsView(Horizontal):
    """As many views as columns fit beside one another; where not all do, the views show one after the other.

    Attributes:
        in_sight: The columns that the views show.
    """

    def __init__(self, workbench: Workbench, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.in_sight = ColumnWindow()
        self._workbench = workbench
        self._mounting = asyncio.Lock()

    @property
    def views(self) -> list[ColumnView]:
        return list(self.query(ColumnView))

    @property
    def selected(self) -> ColumnView | None:
        """The view of the selected column."""
        views, shown, selected = self.views, self.in_sight.shown, self._workbench.bench.selected
        return views[shown.index(selected)] if selected in shown and len(views) == len(shown) else None

    def beside(self, by: int) -> int:
        """Place of the column that many to the right of the selected one, as they are on the screen, round the ends."""
        order = self._window().order
        return order[(order.index(self._workbench.bench.selected) + by) % len(order)] if order else 0

    def _window(self) -> ColumnWindow:
        bench = self._workbench.bench
        reference = bench.reference_column
        return window(
            len(bench.columns),
            side_by_side(self.screen.size.width),
            selected=bench.selected,
            reference=None if reference is None else bench.columns.index(reference),
            before=len(self.in_sight.before),
        )

    def place_of(self, view: ColumnView) -> int:
        """Of the column that a view shows."""
        return self.in_sight.shown[self.views.index(view)]

    def show(self) -> None:
        """Draw the columns of the Bench that are in sight, each in a view of its own."""
        bench, views = self._workbench.bench, self.views
        if self._mounting.locked():
            return  # they are drawn when all of them are there
        reference = bench.reference_column
        self.in_sight = self._window()
        shown = self.in_sight.shown
        if len(views) != len(shown):
            self._mount_views()
            return
        for view, at in zip(views, shown, strict=True):
            column = bench.columns[at]
            last = view is views[-1]
            width = view.outer_size.width - EDGES
            view.show(
                at,
                column,
                bench.cell(column),
                selected=at == bench.selected,
                reference=column is reference,
                confounds=confound_mark(column, reference),
                cursor=bench.cursor,
                whole=self._workbench.whole,
                foot=foot(self.in_sight, len(bench.columns), width) if last else Content(""),
            )

    @work
    async def _mount_views(self) -> None:
        async with self._mounting:
            views, wanted = self.views, len(self.in_sight.shown)
            for view in views[wanted:]:
                await view.remove()
            await self.mount_all(ColumnView() for _ in range(wanted - len(views)))
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)
