"""Models on vLLM: a server that alignbench starts, drives through its OpenAI API, and ends."""
