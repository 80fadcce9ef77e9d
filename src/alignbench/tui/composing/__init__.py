"""Contexts made by hand: edits, words for them, and what a model would get."""
