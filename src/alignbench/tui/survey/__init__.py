"""How the columns of the Bench answer a survey question."""
