"""Keywords × engines → a dataset of pictures, each with where it came from. Nothing here loads torch."""
