"""Investigation 1 on the screen: the report of a session's columns, from values to lines of text."""
