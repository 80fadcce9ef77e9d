"""Scores that a user has written: a function in a file, or one that an installed package offers."""
