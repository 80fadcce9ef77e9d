"""What the commands do between parsing and printing, as functions for front ends and for programs."""
