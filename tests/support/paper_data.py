"""Where the paper's released data is, beside the checkout: tests that need it skip where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"
OVERTON = SHARED / "overton"
NLTK_DATA = SHARED / "nltk_data"

needs_paper_data = pytest.mark.skipif(not OVERTON.is_dir(), reason="the paper's released data is not in ../shared")
