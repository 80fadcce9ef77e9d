"""The scores panel (F7)."""
