"""A model behind a real server."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.spec import Model


@dataclass(frozen=True)
class Served:
    """Attributes:
    model: behind the server
    local: the same weights in an engine of ours
    key: that the server wants
    """

    model: Model
    local: Model
    key: str
