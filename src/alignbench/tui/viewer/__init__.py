"""The sample viewer."""
