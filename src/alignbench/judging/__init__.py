"""LLM judges: what they are asked, what they reply, who has been judged, and what it comes to."""
