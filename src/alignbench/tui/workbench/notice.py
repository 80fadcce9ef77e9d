"""What the workbench has to say to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Notice:
    """A line, and how much it matters."""

    text: str
    severity: Literal["information", "warning", "error"] = "error"
