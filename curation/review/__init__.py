"""`curation review`: a page on which people look through a dataset's pictures and say what stays, quickly."""
