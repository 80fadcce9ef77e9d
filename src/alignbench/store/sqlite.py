"""sqlite-utils without pandas: where it is installed, sqlite-utils loads it to know one more type of column, which
nothing here stores, and every command that opens a database would take a fifth of a second longer."""

from __future__ import annotations

import sys

if "pandas" in sys.modules:
    from sqlite_utils import Database
else:
    sys.modules["pandas"] = None  # type: ignore[assignment] # "not installed", as far as the next line goes
    try:
        from sqlite_utils import Database
    finally:
        del sys.modules["pandas"]

__all__ = ["Database"]
