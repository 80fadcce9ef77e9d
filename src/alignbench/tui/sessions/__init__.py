"""The sessions screen (F8) and what it opens: search, notes, export, report, diff, labels."""
