"""Models that transformers runs, with a loop of our own."""
