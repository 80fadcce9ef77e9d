"""What both local engines share: the loop, rows of a cell, the sampler, scoring of given tokens."""
