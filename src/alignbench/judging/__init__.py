"""LLM judges: their templates, what is not judged yet, their replies, and the summary."""
