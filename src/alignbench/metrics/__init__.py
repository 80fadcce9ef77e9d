"""What a set of responses is worth in numbers: pure functions and running scores over plain text and arrays."""
