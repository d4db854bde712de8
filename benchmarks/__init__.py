"""Measurements of speed, size and quality; each script prints a table that RESULTS.md keeps."""
