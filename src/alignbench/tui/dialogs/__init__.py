"""Dialogs that several features open, and what all dialogs share."""
