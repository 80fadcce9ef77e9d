"""Models that llama.cpp runs, through its low-level bindings."""
