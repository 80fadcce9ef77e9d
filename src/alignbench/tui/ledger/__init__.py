"""The alignment ledger of one prompt (g)."""
