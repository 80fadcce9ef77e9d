"""The columns of the Bench side by side."""

from __future__ import annotations

import asyncio

from textual import work
from textual.containers import Horizontal

from alignbench.tui.bench.column import ColumnView
from alignbench.tui.sizes import NARROW
from alignbench.tui.workbench.confounds import confound_mark
from alignbench.tui.workbench.controller import Workbench

LEAST_WIDTH = 38  # of a column beside others


class ColumnsView(Horizontal):
    """Columns share the width; where they would get too narrow, those that do not fit are scrolled to."""

    def __init__(self, workbench: Workbench, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._workbench = workbench
        self._mounting = asyncio.Lock()
        self._in_sight = -1  # the column that was scrolled to

    @property
    def views(self) -> list[ColumnView]:
        return list(self.query(ColumnView))

    @property
    def selected(self) -> ColumnView | None:
        views, selected = self.views, self._workbench.bench.selected
        return views[selected] if selected < len(views) else None

    def show(self) -> None:
        """Draw the columns of the Bench, each in a view of its own."""
        bench, views = self._workbench.bench, self.views
        if self._mounting.locked():
            return  # they are drawn when all of them are there
        if len(views) != len(bench.columns):
            self._mount_views()
            return
        for at, (view, column) in enumerate(zip(views, bench.columns, strict=True)):
            view.show(
                at,
                column,
                bench.cell(column),
                selected=at == bench.selected,
                reference=column.name == bench.reference,
                confounds=confound_mark(column, bench.reference_column),
                cursor=bench.cursor,
                whole=self._workbench.whole,
            )
        if bench.selected != self._in_sight and len(views) > 1:
            self._in_sight = bench.selected
            self.call_after_refresh(self.scroll_to_widget, views[bench.selected], animate=False)

    @work
    async def _mount_views(self) -> None:
        async with self._mounting:
            views = self.views
            for view in views[len(self._workbench.bench.columns) :]:
                await view.remove()
            if (missing := len(self._workbench.bench.columns) - len(views)) > 0:
                await self.mount_all(ColumnView() for _ in range(missing))
        self.share_width()
        self._in_sight = -1
        self.show()

    def on_resize(self) -> None:
        self.share_width()

    def share_width(self) -> None:
        """Make every view as wide as there is room for."""
        views, width = self.views, self.screen.size.width
        fit = max(1, width // LEAST_WIDTH)
        for view in views:
            view.styles.width = "1fr" if len(views) <= fit or width < NARROW else width // fit
