"""Investigation 1 (I): findings, diversity, coverage, frontier."""
