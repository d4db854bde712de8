"""`curation export`: the kept pictures of a dataset as a folder, as shards, as a table or as a contact sheet.

Nothing here changes the dataset. What is exported stands complete under its name, or not at all (`place`).
"""
