"""Survey questions: files of them, how they are asked, and what the answers come to."""
