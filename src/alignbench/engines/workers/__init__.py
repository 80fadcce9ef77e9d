"""A process for each model, and the pool that the rest of the program asks."""
