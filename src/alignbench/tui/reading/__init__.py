"""What the sample viewer shows beside the text: shared words, covered sentences, shifted tokens."""
