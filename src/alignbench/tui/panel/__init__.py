"""What the scores screen shows: a module a view, from values to lines of text."""
