"""How often the findings of a report are wrong: planted experiments whose outcome is known."""
