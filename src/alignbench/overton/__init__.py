"""The data of the paper's release, read and written."""
