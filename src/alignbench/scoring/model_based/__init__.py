"""Metrics that need a model: the base model, the embedder of BERTScore, a judge, or values that were imported."""
