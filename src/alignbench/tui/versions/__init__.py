"""The versions of a column."""
