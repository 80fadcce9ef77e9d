"""Responses that were generated elsewhere, read from files into ordinary sessions."""
