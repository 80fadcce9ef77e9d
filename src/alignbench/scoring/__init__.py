"""Scores of whole sessions and files: joins the texts, the embedding worker, kept embeddings, and the scores."""
