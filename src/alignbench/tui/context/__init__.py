"""The composers of a context: examples (F4) and hints (F6), and the thread that prepares what they show."""
