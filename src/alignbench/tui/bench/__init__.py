"""The Bench: the prompt, a column per condition, the strip of scores."""
