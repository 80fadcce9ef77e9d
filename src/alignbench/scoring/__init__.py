"""Scores of whole sessions and files: joins the texts, the embedding worker, kept embeddings, and the scores."""

from alignbench.scoring.live import LiveScores
from alignbench.scoring.sessions import session_scores

__all__ = ["LiveScores", "session_scores"]
