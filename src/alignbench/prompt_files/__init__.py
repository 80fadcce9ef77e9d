"""Where prompts come from: files of several kinds and data sets, read record by record."""
