"""Owns the dataset: the folder of pictures by label and the database that knows where each came from.

`curation.dataset.Dataset` is the only code that touches the folder's layout. Nothing here loads torch.
"""
